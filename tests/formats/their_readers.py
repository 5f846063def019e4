"""Reads an export with the program it is meant for; run by .oracles/bin/python, not by ours.

    python their_readers.py PROGRAM FORMAT FOLDER OUT.npz

Writes for each frame the plain names of classes as numbers (H, W) and the list of the names, whose
first is "" for no class.
"""

import json
import sys
import types
import warnings
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np

NOTHING = {"ignore", "ignored", "background", "void", "unlabeled", "voidunlabeled"}
"""What programs call pixels that have no class."""


def plain(name):
    """Without blanks, capitals and marks."""
    return "".join(c for c in name.casefold() if c.isalnum())


class Names:
    """Numbers for names."""

    def __init__(self):
        self.known = [""]

    def number(self, name):
        """0 for what is no class."""
        name = "" if plain(name) in NOTHING else plain(name)
        if name not in self.known:
            self.known.append(name)
        return self.known.index(name)


def datumaro(kind, folder, names):
    """Masks and polygons, drawn by Datumaro, the later and higher above."""
    from datumaro import Dataset
    from datumaro.components.annotation import AnnotationType

    dataset = Dataset.import_from(str(folder), kind)
    labels = [c.name for c in dataset.categories()[AnnotationType.label]]
    for item in dataset:
        found = None
        for one in sorted(item.annotations, key=lambda a: a.z_order):
            if one.type == AnnotationType.mask:
                mask = np.asarray(one.image, bool)
                if found is None:
                    found = np.zeros(mask.shape, np.uint8)
                found[mask] = names.number(labels[one.label])
        yield item.id.split("/")[-1], found


def labelme(_, folder, names):
    """Its own loader and its own drawing; later shapes lie above."""
    place = Path(next(p for p in map(Path, sys.path) if (p / "labelme").is_dir()), "labelme")
    for window in ("PyQt5", "PyQt5.QtCore", "PyQt5.QtGui", "PyQt5.QtWidgets", "onnxruntime"):
        sys.modules[window] = MagicMock()
    package = types.ModuleType("labelme")
    package.__path__, package.__version__ = [str(place)], "6"
    sys.modules["labelme"] = package
    from labelme.utils.shape import shapes_to_label  # first, as its window does
    from labelme._label_file import LabelFile  # isort: skip

    for file in sorted(folder.rglob("*.json")):
        if "shapes" not in json.loads(file.read_text()):
            continue
        read = LabelFile(str(file))
        content = json.loads(file.read_text())
        shape = content["imageHeight"], content["imageWidth"]
        numbers = {s["label"]: names.number(s["label"]) for s in read.shapes}
        label_names = {"_background_": 0, **numbers}
        found, _ = shapes_to_label(shape, read.shapes, label_names)
        yield file.stem, found.astype(np.uint8)


def label_studio(_, folder, names):
    """The decoder of its brush."""
    from label_studio_converter.brush import decode_rle

    for file in sorted(folder.rglob("*.json")):
        tasks = json.loads(file.read_text())
        if not isinstance(tasks, list):
            continue
        for task in tasks:
            found = None
            for one in task["annotations"][0]["result"]:
                shape = one["original_height"], one["original_width"]
                mask = decode_rle(one["value"]["rle"]).reshape(*shape, 4)[..., 3] > 0
                found = np.zeros(shape, np.uint8) if found is None else found
                found[mask] = names.number(one["value"]["brushlabels"][0])
            yield Path(task["data"]["image"].rpartition("=")[2]).stem, found


def main():
    """See the module."""
    program, kind, folder, out = sys.argv[1:]
    names = Names()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = {"datumaro": datumaro, "labelme": labelme, "label_studio": label_studio}[program]
        frames = {n: f for n, f in read(kind, Path(folder), names) if f is not None}
    np.savez(out, __names__=np.array(names.known), **frames)


if __name__ == "__main__":
    main()
