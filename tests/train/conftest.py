"""A small labelled set on disk, and a recipe that trains on it in seconds."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from segstudio.core.classes import CAMVID
from segstudio.core.training import LabelledFolder, TrainRecipe
from segstudio.store.masks import write_mask


def write_set(folder: Path, names: list[str], seed: int) -> LabelledFolder:
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    for name in names:
        labels = np.kron(rng.integers(0, 11, (3, 4)), np.ones((24, 24))).astype(np.uint8)
        rgb = CAMVID.palette()[labels]
        (folder / "images" / f"{name}.png").write_bytes(
            cv2.imencode(".png", rgb[..., ::-1])[1].tobytes()
        )
        write_mask(folder / "labels" / f"{name}.png", labels, CAMVID.palette())
    return LabelledFolder(str(folder / "images"), str(folder / "labels"))


@pytest.fixture
def labelled(tmp_path) -> LabelledFolder:
    return write_set(tmp_path / "set", ["a1", "a2", "a3", "b1"], 0)


@pytest.fixture
def recipe(labelled, tmp_path) -> TrainRecipe:
    return TrainRecipe(
        net_args={"alpha": 0.25, "head_width": 16, "booster_width": 8},
        train=(replace(labelled, hold_out=("b",)),),
        validate=(write_set(tmp_path / "val", ["c1"], 1),),
        synthetic_share=0.0,
        steps=4,
        batch=2,
        crop=(64, 64),
        scale=(0.8, 1.2),
        short_side=72,
        warm_up=1,
        validate_every=2,
        device="cpu",
        precision="fp32",
        workers=0,
        ema_decay=0.5,
    )
