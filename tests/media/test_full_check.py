"""What the full check concludes from a straight decode."""

from fractions import Fraction

import numpy as np

from segstudio.media.full_check import StraightDecode, thinned, verified
from segstudio.media.video_index import PacketTable, stamp_index

# Two open groups in file order: I0 P3 B1 B2, then I6 with its leading B4 B5, then P8 B7.
FILE_ORDER = [0, 3, 1, 2, 6, 4, 5, 8, 7]
KEYS = [(0, 0), (6, 6)]


def table():
    return PacketTable(list(FILE_ORDER), list(KEYS), True, 0, None, Fraction(1, 25))


def decoded(*, damaged=(), lost=(), errors=0):
    shown = [n for n in range(9) if n not in lost]
    return StraightDecode(
        pts=shown,
        crc=[100 + n for n in shown],
        is_damaged=[n in damaged for n in shown],
        is_key=[n in (0, 6) for n in shown],
        errors=errors,
    )


def damaged_frames(**what):
    index = verified(stamp_index(table()), decoded(**what), table())
    return np.flatnonzero(index.damaged).tolist()


def test_a_clean_file_is_proved():
    index = verified(stamp_index(table()), decoded(), table())
    assert index.crc.tolist() == [100 + n for n in range(9)]
    assert not index.damaged.any()
    assert index.threads == "AUTO"


def test_damage_spoils_what_was_predicted_from_it():
    """P3 is decoded before B1 and B2, and the leading pictures of the next group use it too."""
    assert damaged_frames(damaged=[3]) == [1, 2, 3, 4, 5]


def test_damage_of_the_last_group_stays_there():
    assert damaged_frames(damaged=[8]) == [7, 8]


def test_a_lost_picture_keeps_its_number_when_there_were_errors():
    index = verified(stamp_index(table()), decoded(lost=[7], errors=1), table())
    assert len(index) == 9
    assert index.damaged.tolist() == [n == 7 for n in range(9)]
    assert index.threads == "NONE"
    assert index.notes == ("1 frame is damaged, the first is frame 7.",)


def test_a_picture_lost_without_an_error_proves_the_table_wrong():
    assert verified(stamp_index(table()), decoded(lost=[7]), table()) is None


def test_a_picture_that_the_table_does_not_know_proves_it_wrong():
    found = decoded()
    found.pts[4] = 1000
    assert verified(stamp_index(table()), found, table()) is None


def test_pictures_in_another_order_prove_it_wrong():
    found = decoded()
    found.pts[3:5] = [4, 3]
    assert verified(stamp_index(table()), found, table()) is None


def test_key_packets_close_together_are_not_all_tried():
    assert thinned([(n, 10 * n) for n in range(30)]) == [0, 80, 160, 240]
    assert thinned([(0, 5), (100, 6)]) == [5, 6]
