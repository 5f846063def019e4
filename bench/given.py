"""Whole files to be damaged: what our writers write, pictures, videos and models of every kind."""

import io
import json
from collections.abc import Callable, Container
from dataclasses import replace
from pathlib import Path
from typing import Any

import clips
import labelled
import numpy as np
import torch
from PIL import Image
from safetensors.torch import save as safetensors

from segstudio.core.classes import VOID
from segstudio.engine.exchange.exporting import export_project
from segstudio.store.class_sets import load_class_set

Tree = dict[str, bytes]
WRITTEN: tuple[tuple[str, str | int, dict[str, Any]], ...] = (
    ("index_png", 20, {}),
    ("camvid", 20, {}),
    ("cityscapes", "cityscapes34", {"instances": "always"}),
    ("kitti", "cityscapes34", {}),
    ("bdd100k", "bdd100k41", {"task": "pan_seg"}),
    ("ade20k", "ade20k150", {}),
    ("comma10k", "comma10k", {}),
    ("mapillary", "mapillary124", {}),
    ("voc", 20, {}),
    ("coco", 20, {}),
    ("coco", 20, {"shape": "polygons"}),
    ("coco_panoptic", 20, {}),
    ("coco_stuff", 20, {}),
    ("cvat", 20, {}),
    ("datumaro", 20, {}),
    ("hugging_face", 20, {"list": "jsonl"}),
    ("hugging_face", 20, {"list": "parquet"}),
    ("label_me_xml", 20, {}),
    ("label_me_xml", 20, {"shapes": "polygons"}),
    ("label_studio", 20, {}),
    ("labelme", 20, {}),
    ("labelme", 20, {"shapes": "masks"}),
    ("open_images", 20, {}),
    ("yolo", 20, {}),
)
CLIPS = ("h264_b_frames.mp4", "h264_uneven.mkv", "h264_stream.ts", "mpeg4.avi", "mpeg2.mpg",
         "mjpeg.avi", "vp9.webm")  # fmt: skip
FRAMES = 8
EXIF_ORIENTATION = labelled.EXIF_ORIENTATION


def exports(folder: Path, only: Container[str] | None = None) -> dict[str, tuple[str, Tree]]:
    """Title → (format, files): two small frames in every format, or in these alone."""
    rng = np.random.default_rng(7)
    photos = folder / "photos"
    photos.mkdir()
    for name in ("a", "b"):
        Image.fromarray(rng.integers(0, 256, (20, 28, 3), np.uint8)).save(photos / f"{name}.png")
    found = {}
    for number, (name, classes, options) in enumerate(WRITTEN):
        if only is not None and name not in only:
            continue
        known = (
            labelled.some_classes(classes) if isinstance(classes, int) else load_class_set(classes)
        )
        filled = labelled.Filled(folder / f"{number}.segproj", known)
        ids = np.array([*(c.id for c in known.classes), VOID], np.uint8)
        make: Callable[[tuple[int, int]], Any] = lambda s, i=ids: labelled.mask(i, s, 1, rng)  # noqa: E731
        for index in range(2):
            filled.confirm(photos, index, make)
        target = folder / f"out {number}"
        export_project(filled.project, target, name, options=options, proof=False)
        filled.project.close()
        title = " ".join([name, *(str(v) for v in options.values())])
        found[title] = (name, _tree(target))
    return found | {"isat": ("isat", isat()), "mots_png": ("mots_png", mots())}


def _tree(folder: Path) -> Tree:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def isat() -> Tree:
    """Two frames as ISAT writes them."""
    ring = [[2.0, 2.0], [20.5, 3.0], [18.0, 15.0], [4.0, 14.0]]
    one = {"category": "car", "group": 1, "segmentation": ring, "layer": 1.0, "iscrowd": False,
           "note": "", "bbox": [2, 2, 20, 15], "area": 200.0}  # fmt: skip
    told = {"description": "ISAT", "folder": "", "name": "a.png", "width": 28, "height": 20,
            "depth": 3, "note": ""}  # fmt: skip
    objects = [one, {**one, "category": "road", "layer": 2.0, "group": 2}]
    text = json.dumps({"info": told, "objects": objects}).encode()
    picture = encoded("PNG", "RGB")
    return {"a.json": text, "b.json": text, "a.png": picture, "b.png": picture}


def mots() -> Tree:
    """Two frames of KITTI MOTS."""
    numbers = np.zeros((20, 28), np.uint16)
    numbers[3:9, 3:9], numbers[5:15, 12:20], numbers[18:] = 1001, 2003, 10000
    out = io.BytesIO()
    Image.fromarray(numbers).save(out, "PNG")
    masks = {f"train/instances/0001/00000{i}.png": out.getvalue() for i in range(2)}
    pictures = {f"train/images/0001/00000{i}.jpg": encoded("JPEG", "RGB") for i in range(2)}
    return {**masks, **pictures, "train/instances/labels.txt": b"car\nperson\n"}


def encoded(kind: str, mode: str, **options: Any) -> bytes:
    """A picture of 28×20."""
    values = np.random.default_rng(3).integers(0, 256, (20, 28, 3), np.uint8)
    image = Image.fromarray(values)
    if mode == "I;16":
        image = Image.fromarray(values[..., 0].astype(np.uint16) * 200)
    elif mode != "RGB":
        image = image.convert(mode)
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def pictures() -> Tree:
    """Every kind that is read."""
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    tiffs = {f"{c}.tif": encoded("TIFF", "RGB", compression=c)
             for c in ("raw", "tiff_lzw", "tiff_deflate", "packbits", "jpeg")}  # fmt: skip
    return tiffs | {
        "rgb.png": encoded("PNG", "RGB"),
        "palette.png": encoded("PNG", "P"),
        "grey.png": encoded("PNG", "L"),
        "bit.png": encoded("PNG", "1"),
        "wide.png": encoded("PNG", "I;16"),
        "rgba.png": encoded("PNG", "RGBA"),
        "plain.jpg": encoded("JPEG", "RGB"),
        "grey.jpg": encoded("JPEG", "L"),
        "turned.jpg": encoded("JPEG", "RGB", exif=exif),
        "progressive.jpg": encoded("JPEG", "RGB", progressive=True),
        "cmyk.jpg": encoded("JPEG", "CMYK"),
        "wide.tif": encoded("TIFF", "I;16"),
        "plain.bmp": encoded("BMP", "RGB"),
        "palette.bmp": encoded("BMP", "P"),
        "lossy.webp": encoded("WEBP", "RGB"),
        "lossless.webp": encoded("WEBP", "RGBA", lossless=True),
    }


def videos(folder: Path) -> Tree:
    """Short ones of several codecs and containers."""
    found = {}
    for clip in clips.CLIPS:
        if clip.name in CLIPS:
            file = clips.make(replace(clip, frames=FRAMES, gop=min(clip.gop, 4)), folder)
            found |= {clip.name: file.read_bytes()} if file is not None else {}
    return found


def models() -> Tree:
    """Weights in each of their forms, and a card."""
    state = {
        "conv.weight": torch.arange(54, dtype=torch.float32).reshape(2, 3, 3, 3),
        "conv.bias": torch.zeros(2),
        "norm.num_batches_tracked": torch.tensor(5),
        "half": torch.ones(7, dtype=torch.float16),
    }
    whole = {"state_dict": state, "epoch": 3, "best": 0.5, "args": {"lr": 0.1, "names": ["a", "b"]}}
    found = {"tiny.safetensors": safetensors(state, {"format": "pt"})}
    kinds = (
        ("zip.pth", state, True),
        ("old.pth", state, False),
        ("training.pth", whole, True),
        ("training.pt", whole, False),
    )
    for name, content, is_new in kinds:
        out = io.BytesIO()
        torch.save(content, out, _use_new_zipfile_serialization=is_new)
        found[name] = out.getvalue()
    return found


def card() -> bytes:
    """Of a model that comes along."""
    from segstudio import paths

    return next(paths.bundled_models().glob("*/card.json")).read_bytes()
