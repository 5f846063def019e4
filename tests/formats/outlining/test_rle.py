"""Run lengths: golden vectors, other readers' answers, random masks, and damaged input."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segstudio.errors import FormatError
from segstudio.formats.outlining import rle
from segstudio.formats.outlining.segments import counts_in_box, segments

A = np.array([[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 0]], bool)
A_BITS = [0, 0, 0, 48, 57, 27, 252, 96, 19, 255, 206, 1, 63, 253, 176, 8, 255, 227, 0, 0]

B = np.zeros((50, 60), bool)
B[10:45, 5:50] = True
B[20:30, 20:40] = False

masks = arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, max_side=23))
labels = arrays.arrays(
    np.uint8,
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=17),
    elements=st.sampled_from([0, 1, 7, 254, 255]),
)


def bits_of(mask):
    starts, ends = rle.runs_of(rle.row_counts(mask))
    return list(rle.to_bits(starts, ends, mask.size))


def test_coco_goes_down_the_columns():
    counts = rle.column_counts(A)
    assert counts.tolist() == [3, 2, 1, 3, 3]
    assert rle.to_text(counts) == "32112"


def test_a_larger_mask_has_the_known_text():
    counts = rle.column_counts(B)
    text = rle.to_text(counts)
    assert len(counts) == 131
    assert counts[:4].tolist() == [260, 35, 15, 35]
    assert (len(text), text[:8]) == (136, "T8S1?000")
    assert hashlib.sha256(text.encode()).hexdigest().startswith("01a2efb6f52f3a17")
    assert (rle.column_mask(rle.from_text(text, B.size, "here"), 50, 60) == B).all()


def test_cvat_goes_along_the_rows_of_the_box():
    (found,) = segments(np.where(A, 0, 255).astype(np.uint8))
    assert found.box == (1, 0, 2, 3)
    assert counts_in_box(found, 4).tolist() == [0, 4, 1, 1]


def test_label_studio_packs_the_bits_of_four_channels():
    assert bits_of(A) == A_BITS
    assert (rle.from_bits(A_BITS, 12, "here").reshape(3, 4) == A).all()


def test_runs_longer_than_a_packet_are_split():
    mask = np.ones((300, 400), bool)
    mask[0, 0] = False
    assert (rle.from_bits(bits_of(mask), mask.size, "here").reshape(300, 400) == mask).all()


def test_the_rest_of_a_split_run_is_as_label_studio_writes_it():
    """Of 16,400 pixels, by its own converter: 65,536 bytes and then 64, both in the longest form."""
    golden = [0, 1, 0, 64, 57, 27, 255, 255, 255, 255, 224, 7, 255, 224]
    assert bits_of(np.ones((1, 16400), bool)) == golden


def test_literal_packets_are_read():
    """Two literal values, then a run, as other packers write it; only the fourth is an alpha."""
    bits = f"{8:032b}" + "00111" + "0010" + "0011" + "0111" + "1111"
    bits += "0" + "00" + f"{4 - 1:03b}" + f"{9:08b}" * 3 + f"{255:08b}"
    bits += "1" + "00" + f"{4 - 1:03b}" + f"{0:08b}"
    packed = [
        int(bits.ljust(-(-len(bits) // 8) * 8, "0")[i : i + 8], 2) for i in range(0, len(bits), 8)
    ]
    assert rle.from_bits(packed, 2, "here").tolist() == [True, False]


@settings(deadline=None, max_examples=50)
@given(masks)
def test_every_mask_survives_every_form(mask):
    height, width = mask.shape
    counts = rle.column_counts(mask)
    text = rle.to_text(counts)
    assert (rle.from_text(text, mask.size, "x") == counts).all()
    assert (
        rle.column_mask(rle.checked(counts.tolist(), mask.size, "x"), height, width) == mask
    ).all()
    assert (rle.row_mask(rle.row_counts(mask), height, width) == mask).all()
    assert (rle.from_bits(bits_of(mask), mask.size, "x").reshape(mask.shape) == mask).all()


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # of its compiled part
@settings(deadline=None, max_examples=50)
@given(masks)
def test_pycocotools_writes_and_reads_the_same_text(mask):
    tools = pytest.importorskip("pycocotools.mask")
    theirs = tools.encode(np.asfortranarray(mask.astype(np.uint8)))
    text = rle.to_text(rle.column_counts(mask))
    assert theirs["counts"] == text.encode()
    decoded = tools.decode({"size": list(mask.shape), "counts": text.encode()})
    assert (decoded == mask).all()


@settings(deadline=None, max_examples=50)
@given(labels, st.booleans())
def test_segments_are_exactly_the_pixels_of_each_class(labels, down):
    again = np.full(labels.size, 255, np.uint8)
    found = segments(labels, down=down)
    for segment in found:
        for start, end in zip(segment.starts, segment.ends, strict=True):
            again[start:end] = segment.class_id
        ys, xs = np.nonzero(labels == segment.class_id)
        assert segment.area == len(ys)
        assert segment.box == (xs.min(), ys.min(), np.ptp(xs) + 1, np.ptp(ys) + 1)
        assert (segment.starts[1:] > segment.ends[:-1]).all()
    assert (
        again.reshape(labels.T.shape).T if down else again.reshape(labels.shape)
    ).tolist() == labels.tolist()
    assert [s.class_id for s in found] == sorted(set(labels.ravel().tolist()) - {255})


@settings(deadline=None, max_examples=50)
@given(labels)
def test_counts_in_the_box_are_those_of_the_cut_out_mask(labels):
    for segment in segments(labels):
        x, y, w, h = segment.box
        inside = labels[y : y + h, x : x + w] == segment.class_id
        assert counts_in_box(segment, labels.shape[1]).tolist() == rle.row_counts(inside).tolist()


def test_instances_of_a_class_are_segments_of_their_own():
    labels = np.array([[3, 3, 5, 5], [3, 255, 5, 5]], np.uint8)
    instances = np.array([[1, 1, 0, 2], [4, 9, 0, 2]], np.int32)
    found = [(s.class_id, s.number, s.area) for s in segments(labels, instances)]
    assert found == [(3, 1, 2), (3, 4, 1), (5, 0, 2), (5, 2, 2)]


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ([3, 2, 1, 3, 2], "sums to 11 pixels and its mask has 12"),
        ([3, 2, -1, 3, 5], "run of -1 pixels"),
        ([3, 10**30], "run of 1000"),
        ([3.0, 9], "no list of whole numbers"),
        ([True, 11], "no list of whole numbers"),
        ("32112", "no list of whole numbers"),
        (None, "no list of whole numbers"),
        ([], "sums to 0"),
    ],
)
def test_damaged_counts_say_where_and_why(counts, reason):
    with pytest.raises(FormatError, match=reason) as told:
        rle.checked(counts, 12, "counts of annotation 3")
    assert str(told.value).startswith("counts of annotation 3")


@pytest.mark.parametrize(
    "text", ["", "3211", "3211!", "é", "3211P", "3211oooooooooooo0", "oooooo?0", "3o1"]
)
def test_damaged_text_is_refused(text):
    with pytest.raises(FormatError, match=r"^here"):
        rle.from_text(text, 12, "here")


@settings(deadline=None, max_examples=50)
@given(st.text(st.characters(min_codepoint=40, max_codepoint=120), max_size=40))
def test_any_text_is_a_mask_or_an_error(text):
    try:
        counts = rle.from_text(text, 12, "here")
    except FormatError:
        return
    assert counts.sum() == 12
    assert rle.column_mask(counts, 3, 4).shape == (3, 4)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (A_BITS[:-4], "ends before its picture"),
        (A_BITS[:5], "no list of bytes"),
        ([*A_BITS, 256], "no list of bytes"),
        ([*A_BITS, 1.5], "no list of bytes"),
        ([*A_BITS, "a"], "no list of bytes"),
        ("abc", "no list of bytes"),
        ([255, *A_BITS[1:]], "picture has 12"),
        ([*A_BITS[:4], 255, *A_BITS[5:]], "32 bits instead of 8"),
    ],
)
def test_damaged_streams_say_where_and_why(content, reason):
    with pytest.raises(FormatError, match=reason):
        rle.from_bits(content, 12, "value.rle of task 3")


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 255), min_size=3, max_size=40))
def test_any_stream_is_a_mask_or_an_error(content):
    try:
        mask = rle.from_bits([0, 0, 0, 48, *content], 12, "here")
    except FormatError:
        return
    assert mask.shape == (12,)
