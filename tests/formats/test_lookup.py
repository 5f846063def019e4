"""Labels by a table."""

import numpy as np
import pytest

from segstudio.formats.lookup import looked_up


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (1, 9), (9, 1), (5, 7)])
def test_it_is_what_numpy_finds(shape):
    rng = np.random.default_rng(3)
    table = rng.permutation(256).astype(np.uint8)
    labels = rng.integers(0, 256, shape).astype(np.uint8)
    found = looked_up(table, labels)
    assert found.dtype == np.uint8
    assert np.array_equal(found, table[labels])
    assert not np.shares_memory(found, labels)


def test_labels_may_be_a_view_of_others():
    labels = np.arange(64, dtype=np.uint8).reshape(8, 8)[::2, ::3]
    table = np.arange(255, -1, -1, dtype=np.uint8)
    assert np.array_equal(looked_up(table, labels), table[labels])
