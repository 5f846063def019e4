"""Label Studio: tasks in JSON with brushes, and the labelling configuration that goes with them.

    images/train/drive_000010.jpg         train/ only where frames are split
    tasks.json
    label_config.xml

A brush is a run-length stream of an RGBA picture's bytes. Tasks name pictures as files of a local
storage whose root is the exported folder. Read: the first annotation of a task that was not
cancelled, else its first prediction; brushes, polygons, rectangles and ellipses, later ones above.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

from segstudio.core.classes import ClassMap
from segstudio.errors import FormatError, SegStudioError
from segstudio.formats.class_sets import numbered
from segstudio.formats.detail.label_studio_reader import LabelStudioReader, open_tasks
from segstudio.formats.files.list_files import possible_lists
from segstudio.formats.files.markup import attribute
from segstudio.formats.files.source import Source
from segstudio.formats.label_names import unique_names
from segstudio.formats.labelled import Labelled
from segstudio.formats.lookup import looked_up
from segstudio.formats.options import Option, Values
from segstudio.formats.outlining import rle
from segstudio.formats.outlining.segments import segments
from segstudio.formats.outlining.shapes import OUTLINES, rule_of
from segstudio.formats.registry import Entry, Guess, OutFile, Written, file_format

_FROM, _TO = "tag", "image"
_LOCAL = "/data/local-files/?d="


class LabelStudioWriter:
    """See the module. ids: classes numbered from 0, in the order of the configuration."""

    cannot: tuple[str, ...] = ()

    def __init__(self, classes: ClassMap) -> None:
        self._classes, self.ids = numbered(classes)
        self._names = unique_names(self._classes)

    def frame(self, item: Labelled) -> Written:
        """No label file of its own: its brushes go into the tasks."""
        suffix = item.picture.suffix if item.picture is not None else ".png"
        place = PurePosixPath("images", item.split, f"{item.name}{suffix}")
        height, width = item.size
        results = [
            {
                "id": f"{item.name}_{number}",
                "type": "brushlabels",
                "origin": "manual",
                "from_name": _FROM,
                "to_name": _TO,
                "image_rotation": 0,
                "original_width": width,
                "original_height": height,
                "value": {
                    "format": "rle",
                    "rle": list(rle.to_bits(one.starts, one.ends, item.labels.size)),
                    "brushlabels": [self._names[one.class_id]],
                },
            }
            for number, one in enumerate(segments(looked_up(self.ids, item.labels), item.instances))
        ]
        # Without results nothing else would say how large the picture is.
        about = {
            "image": f"{_LOCAL}{_in_address(place)}",
            "width": width,
            "height": height,
            "split": item.split,
        }
        entry = {
            "data": json.dumps(about),
            "result": json.dumps(results, separators=(",", ":")),
        }
        return Written((), place if item.picture is not None else None, entry)

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """tasks.json and label_config.xml."""
        yield OutFile(PurePosixPath("tasks.json"), _tasks(entries))
        rows = "".join(
            f'    <Label value={attribute(name)} background="#{bytes(known.color).hex()}"/>\n'
            for known, name in zip(self._classes.classes, self._names, strict=True)
        )
        config = (
            f'<View>\n  <Image name="{_TO}" value="$image" zoom="true"/>\n'
            f'  <BrushLabels name="{_FROM}" toName="{_TO}">\n{rows}  </BrushLabels>\n</View>\n'
        )
        yield OutFile(PurePosixPath("label_config.xml"), config.encode())


def _in_address(place: PurePosixPath) -> str:
    """A path behind a question mark: what means something in an address is written by number."""
    return re.sub(r"[%#&+]", lambda found: f"%{ord(found[0]):02X}", str(place))


def _tasks(entries: Callable[[], Iterator[Entry]]) -> Iterator[bytes]:
    """The bytes of tasks.json, a task at a time."""
    between = "["
    for number, row in enumerate(entries(), 1):
        yield (
            f'{between}\n{{"id": {number}, "data": {row["data"]}, "annotations": [{{"id": {number},'
            f' "was_cancelled": false, "ground_truth": false, "result": {row["result"]}}}]}}'
        ).encode()
        between = ","
    yield b"\n]\n" if between == "," else b"[]\n"


@file_format
class LabelStudio:
    """See the module."""

    name = "label_studio"
    title = "Label Studio"
    about = "Tasks with a brush for each class or object; reads polygons and rectangles too."
    can_write = True
    is_exact = True
    writes_with: tuple[Option, ...] = ()
    reads_with: tuple[Option, ...] = (OUTLINES,)

    def writer(self, classes: ClassMap, options: Values) -> LabelStudioWriter:
        """Any class set of up to 255 classes."""
        return LabelStudioWriter(classes)

    def sniff(self, source: Source) -> Guess | None:
        """JSON that is a list of tasks with results."""
        found = _lists(source)
        if not found:
            return None
        return Guess(self.name, 0.95, f"{found[0]} is a list of tasks of Label Studio.", {})

    def open(
        self, source: Source, options: Values, classes: ClassMap | None = None
    ) -> LabelStudioReader:
        """Labels of the configuration, then those of the results, are the classes."""
        found = _lists(source)
        if not found:
            raise FormatError(
                f"{source.title} holds no JSON with tasks of Label Studio; export 'JSON' there."
            )
        return open_tasks(source, found, rule_of(options))


def _lists(source: Source) -> list[PurePosixPath]:
    return [p for p in possible_lists(source, ".json") if _looks(source, p)]


def _looks(source: Source, path: PurePosixPath) -> bool:
    try:
        head = source.head(path).lstrip(b"\xef\xbb\xbf \t\r\n")
    except SegStudioError:
        return False
    words = (b'"annotations"', b'"completions"', b'"predictions"')
    return head.startswith(b"[") and any(word in head for word in words) and b'"result"' in head
