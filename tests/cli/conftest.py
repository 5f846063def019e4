"""A model that is small, quick and knows nothing, and pictures for it."""

import dataclasses
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import CAMVID
from segstudio.store.masks import write_mask
from segstudio.store.models import file_sha256, find_model, write_card


@pytest.fixture(scope="session")
def small_model(tmp_path_factory):
    """A folder with a slim BiSeNet V2 of seeded random weights, made for 64 pixel high pictures."""
    import torch
    from safetensors.torch import save_file

    from segstudio.nets.registry import NETS

    folder = tmp_path_factory.mktemp("models") / "small"
    folder.mkdir()
    torch.manual_seed(3)
    net_args = {"alpha": 0.25, "head_width": 16, "boosters": False}
    net = NETS.get("bisenet_v2").build(len(CAMVID), **net_args)
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, folder / "w.safetensors")
    card = ModelCard(
        name="small",
        title="Small",
        net="bisenet_v2",
        net_args=net_args,
        classes=CAMVID,
        input=InputRule(short_side=64),
        folder=folder,
        weights="w.safetensors",
        sha256=file_sha256(folder / "w.safetensors"),
    )
    write_card(card, folder)
    # Pictures this small gain nothing from threads, and lose much where others use the cores.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield folder
    torch.set_num_threads(before)


@pytest.fixture
def pictures(tmp_path):
    """A folder of three noisy pictures, 48×80."""
    rng = np.random.default_rng(7)
    folder = tmp_path / "drive"
    folder.mkdir()
    for i in range(3):
        rgb = rng.integers(0, 256, (48, 80, 3), dtype=np.uint8)
        Image.fromarray(rgb).save(folder / f"picture_{i}.png")
    return folder


@pytest.fixture
def labelled(pictures, tmp_path):
    """A data folder: images/ with three pictures, labels/ with random labels and a void corner."""
    folder = tmp_path / "set"
    folder.mkdir()
    pictures.rename(folder / "images")
    rng = np.random.default_rng(5)
    (folder / "labels").mkdir()
    for picture in sorted((folder / "images").iterdir()):
        labels = rng.integers(0, len(CAMVID), (6, 10), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        labels[:4, :4] = 255
        write_mask(folder / "labels" / picture.name, labels, None)
    return folder


@pytest.fixture
def made(small_model, tmp_path):
    """Copies of the small model under other names, with other classes if wished."""

    def make(name, classes=None):
        card = find_model(str(small_model))
        folder = tmp_path / "made" / re.sub(r"\W", "_", name)
        folder.mkdir(parents=True)
        shutil.copy(small_model / card.weights, folder)
        write_card(
            dataclasses.replace(
                card, name=name, folder=folder, classes=classes or card.classes, bundled=False
            ),
            folder,
        )
        return folder

    return make
