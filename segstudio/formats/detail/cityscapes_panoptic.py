"""Panoptic Cityscapes: a PNG whose colours are numbers of segments, and a JSON file that says what
each segment is."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID
from segstudio.errors import FormatError
from segstudio.formats.detail.cityscapes_labels import from_instance_ids, numbers
from segstudio.formats.files.source import Source
from segstudio.formats.masks.rasters import Raster

_NAME = re.compile(r"cityscapes_panoptic_(train|val|test)(_trainId)?", re.IGNORECASE)
_MOST_ID = 256**3


def split_and_stem(path: PurePosixPath, stem: str) -> tuple[str, str]:
    """(split, stem) of a panoptic PNG by the folder it lies in; "" for no split."""
    match = _NAME.fullmatch(path.parent.name)
    return (match[1].casefold() if match else "", stem)


class Panoptic:
    """What the JSON files say. FormatError when there is none, or one is not as it must be."""

    def __init__(self, source: Source) -> None:
        self._segments: dict[str, dict[int, int]] = {}
        found = [f for f in source.files if f.suffix == ".json" and _NAME.fullmatch(f.stem)]
        if not found:
            raise FormatError(
                f"{source.title} has panoptic PNG files and no cityscapes_panoptic_train.json (or"
                " val, test) beside them; add it."
            )
        # trainIds last: where both are there the ids, of which there are more, count.
        for file in sorted(found, key=lambda f: f.stem.casefold().endswith("_trainid")):
            self._take(source.json(file), file)

    def read(
        self, path: PurePosixPath, raster: Raster, ids: Mapping[int, int]
    ) -> tuple[NDArray[np.uint8], NDArray[np.int32] | None]:
        """Labels uint8 (H, W), and instances int32 (H, W) or None. ids: Cityscapes id → ours."""
        segments = self._segments.get(path.name)
        if segments is None:
            raise FormatError(f"{path} is in no panoptic JSON file; add its annotation.")
        if not raster.is_colors:
            raise FormatError(f"{path} is no colour PNG; panoptic files keep numbers in colours.")
        code = raster.values[..., :3].astype(np.int32) @ np.array([1, 256, 65536], np.int32)
        present, places = np.unique(code, return_inverse=True)
        table = np.full(present.size, VOID, np.uint8)
        for place, segment in enumerate(present.tolist()):
            if segment in segments:
                table[place] = ids.get(segments[segment], VOID)
            elif segment:
                raise FormatError(
                    f"{path} has pixels of the segment {segment}, which its segments_info does not"
                    " list; export it again."
                )
        labels = table[places.reshape(code.shape)]
        _, instances = from_instance_ids(code)
        return labels, instances

    def _take(self, content: object, file: PurePosixPath) -> None:
        has_train_ids = file.stem.casefold().endswith("_trainid")
        for place, one in enumerate(_list(content, "annotations", str(file))):
            field = f"annotations[{place}]"
            name = one.get("file_name") if isinstance(one, dict) else None
            if not isinstance(name, str):
                raise FormatError(f"{file}: '{field}.file_name' is no text; export it again.")
            segments = {}
            for number, segment in enumerate(_list(one, "segments_info", f"{file}: '{field}'")):
                inner = f"{file}: '{field}.segments_info[{number}]'"
                category = _number(segment, "category_id", inner, VOID)
                if has_train_ids:
                    category = int(numbers().from_train_ids[category])
                segments[_number(segment, "id", inner, _MOST_ID)] = category
            self._segments.setdefault(PurePosixPath(name).name, segments)


def _list(content: object, field: str, name: str) -> list[Any]:
    found = content.get(field) if isinstance(content, dict) else None
    if not isinstance(found, list):
        raise FormatError(f"{name} has no list '{field}'; export it again.")
    return found


def _number(content: object, field: str, name: str, high: int) -> int:
    found = content.get(field) if isinstance(content, dict) else None
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= high:
        raise FormatError(f"{name} has no number '{field}' from 0 to {high}; export it again.")
    return found
