"""Class probabilities under the cursor equal torch's enlarged softmax."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from segstudio.core.prediction import Logits


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 9999),
    small=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    full=st.tuples(st.integers(2, 60), st.integers(2, 60)),
    align=st.booleans(),
)
def test_every_pixel_equals_torch(seed, small, full, align):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((4, *small)).astype(np.float32)
    logits = Logits(values, full, align, np.arange(4, dtype=np.uint8))
    plain = F.interpolate(
        torch.from_numpy(values)[None], full, mode="bilinear", align_corners=align
    )[0].softmax(0)
    for _ in range(12):
        y, x = int(rng.integers(full[0])), int(rng.integers(full[1]))
        ours = logits.probabilities_at(y, x)
        assert ours == pytest.approx(plain[:, y, x].numpy(), abs=2e-5)
        assert ours.sum() == pytest.approx(1, abs=1e-5)
