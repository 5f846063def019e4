"""Frames that our counts and those of other programs are held against.

Their packages are the extra `oracles`; without them these tests are skipped.
"""

import importlib
import warnings

import numpy as np
import pytest
from PIL import Image

CLASSES = 19
ABSENT, INVENTED = 16, 14


@pytest.fixture
def oracle():
    """Imports a module of another program; what it warns of at its import is its own affair."""

    def found(name):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pytest.importorskip(name.partition(".")[0])
            return importlib.import_module(name)

    return found


@pytest.fixture(scope="session")
def frames():
    """[(reference, predicted)], uint8 (90, 120), 19 classes in patches.

    Class 16 is in neither, 14 only in predictions; 5 % of the reference is void, one frame all of
    it; some predictions are void.
    """
    rng = np.random.default_rng(2026)
    made = []
    for number in range(6):
        known = [c for c in range(CLASSES) if c not in (ABSENT, INVENTED)]
        truth = rng.choice(known[: 7 + 2 * number], (9, 12)).repeat(10, 0).repeat(10, 1)
        said = np.roll(truth, (rng.integers(-3, 4), rng.integers(-3, 4)), (0, 1))
        wrong = rng.random((18, 24)).repeat(5, 0).repeat(5, 1) < 0.25
        said = np.where(wrong, rng.choice([*known, INVENTED], truth.shape), said)
        truth = np.where(rng.random(truth.shape) < 0.05, 255, truth)
        said = np.where(rng.random(truth.shape) < 0.02, 255, said)
        made.append((truth.astype(np.uint8), said.astype(np.uint8)))
    made.append((np.full((90, 120), 255, np.uint8), made[0][1]))
    return made


@pytest.fixture(scope="session")
def known_frames(frames):
    """The same with no prediction outside the set, for programs that cannot count such."""
    return [(truth, np.where(said == 255, 3, said).astype(np.uint8)) for truth, said in frames]


@pytest.fixture(scope="session")
def camvid_val(data_dir):
    """[(file name, reference, predicted)] of CamVid's 101 frames and ESPNet's masks; void is 11."""
    labels, masks = (
        data_dir / "camvid" / "val" / "labels",
        data_dir / "metrics" / "espnet_val" / "pred",
    )
    return [
        (file.name, np.array(Image.open(file)), np.array(Image.open(masks / file.name)))
        for file in sorted(labels.iterdir())
    ]
