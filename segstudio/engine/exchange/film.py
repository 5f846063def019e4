"""What a video shows of each frame: masks over the picture, or several views beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from segstudio.core import differing
from segstudio.core.classes import VOID, ClassMap
from segstudio.core.frame import Frame
from segstudio.core.mask_style import MaskMode, MaskStyle
from segstudio.engine.exchange.clips import ProjectLabels, Voice
from segstudio.engine.exchange.sheet import Entry, Labels, Painter, Picture, Sheet, legend_of
from segstudio.errors import UsageError

WIDEST = 3840
"""Pixels across of what shows several panes, unless somebody wants another width: what players and
their decoders in hardware take."""


_MISSING = {"Labels": "none here", "Difference": "no labels here"}
"""Why a pane shows the bare picture."""


@dataclass(frozen=True, slots=True)
class VideoLook:
    """mode, opacity (0..1): of the masks. hidden: class ids that are not drawn.

    legend: a strip with the classes' names below. width: pixels across at most; None: as the
    source, and `WIDEST` for several panes.
    """

    mode: MaskMode = "fill"
    opacity: float = 0.55
    hidden: frozenset[int] = field(default_factory=frozenset)
    legend: bool = False
    width: int | None = None

    def style(self, classes: ClassMap) -> MaskStyle:
        """For labels of that set."""
        visible = np.zeros(256, np.bool_)
        visible[[c.id for c in classes.classes if c.id not in self.hidden]] = True
        return MaskStyle(self.mode, classes.palette(), visible, self.opacity)


class Show(Protocol):
    """What is shown. labelled, predicted: frames so far that had labels, that a model was asked."""

    labelled: int
    predicted: int

    def sheet(self, frame: tuple[int, int]) -> Sheet:
        """For frames of that (height, width)."""
        ...

    def picture(self, frame: Frame, sheet: Sheet) -> Picture:
        """uint8 (sheet.size, 3)."""
        ...


class _Drawing:
    """What both shows share: the look, painters by class set, and a legend."""

    def __init__(self, look: VideoLook, classes: ClassMap | None) -> None:
        self.labelled = self.predicted = 0
        self._look = look
        self._painters: list[tuple[ClassMap, Painter]] = []
        self._classes = classes
        self._legend: tuple[Entry, ...] = ()
        if look.legend and classes is not None:
            self._legend = legend_of(classes, look.style(classes))

    def _sheet(self, frame: tuple[int, int], panes: int, *, is_titled: bool) -> Sheet:
        widest = self._look.width or (WIDEST if is_titled else None)
        colors = None if self._classes is None else self._classes.palette()
        return Sheet(
            frame, panes, is_titled=is_titled, widest=widest, legend=self._legend, colors=colors
        )

    def _painted(self, rgb: Picture, labels: Labels | None, classes: ClassMap) -> Picture:
        known = next((p for c, p in self._painters if c == classes), None)
        if known is None:
            known = Painter(self._look.style(classes))
            self._painters.append((classes, known))
        return known.paint(rgb, labels)

    def _entries(self, sheet: Sheet, labels: Sequence[Labels]) -> list[Entry]:
        """Of the legend: the classes of this frame, most pixels first."""
        if not sheet.needs_entries or not labels:
            return []
        counts = np.bincount(np.concatenate([each.reshape(-1) for each in labels]), minlength=256)
        found = sorted(self._legend, key=lambda entry: -int(counts[entry[0]]))
        return [entry for entry in found if counts[entry[0]]]


class Overlay(_Drawing):
    """The masks over each frame: the project's labels, else a model's, else none."""

    def __init__(
        self, labels: ProjectLabels | None, model: Voice | None, look: VideoLook = VideoLook()
    ) -> None:
        classes = labels.classes if labels is not None else model.classes if model else None
        super().__init__(look, classes)
        self._labels, self._model = labels, model

    def sheet(self, frame: tuple[int, int]) -> Sheet:
        """One pane, without a title."""
        return self._sheet(frame, 1, is_titled=False)

    def picture(self, frame: Frame, sheet: Sheet) -> Picture:
        """As Show."""
        found, classes = None, self._classes
        if self._labels is not None:
            found = self._labels.of(frame)
            self.labelled += found is not None
        if found is None and self._model is not None:
            found, classes = self._model.of(frame), self._model.classes
            self.predicted += 1
        rgb = sheet.fitted(frame.rgb)
        small: list[Labels] = []
        if found is not None and classes is not None:
            small = [sheet.fitted_labels(found)]
            rgb = self._painted(rgb, small[0], classes)
        shown = small if classes == self._classes else []
        return sheet.together([rgb], [("", True)], self._entries(sheet, shown))


class SideBySide(_Drawing):
    """Picture, labels, models and where two of them differ, each in a pane of its own.

    UsageError when there is nothing beside the picture, or no two that could differ.
    """

    def __init__(
        self,
        labels: ProjectLabels | None,
        models: Sequence[Voice] = (),
        look: VideoLook = VideoLook(),
        *,
        has_picture: bool = True,
        has_difference: bool = False,
    ) -> None:
        if labels is None and not models:
            raise UsageError(
                "There is nothing to show beside the picture; choose a model, or a project with"
                " labels."
            )
        classes = labels.classes if labels is not None else models[0].classes
        super().__init__(look, classes)
        self._labels, self._models = labels, tuple(models)
        self._has_picture, self._has_difference = has_picture, has_difference
        if has_difference:
            self._check_pair()
        self._titles = [
            *(["Picture"] if has_picture else []),
            *(["Labels"] if labels is not None else []),
            *(model.title for model in models),
            *(["Difference"] if has_difference else []),
        ]

    def _check_pair(self) -> None:
        """Two models; with a single one, the labels and it."""
        pair = self._models if len(self._models) != 1 else (*self._models, self._labels)
        if len(pair) != 2 or pair[1] is None:
            raise UsageError(
                "A difference is between two models, or between the labels and one model; choose"
                " them."
            )
        first, second = pair[0], pair[1]
        if first.classes != second.classes:
            raise UsageError(
                f"{first.classes.name} and {second.classes.name} have no class in common, so"
                " nothing can be said to differ; choose models of the same classes."
            )

    def sheet(self, frame: tuple[int, int]) -> Sheet:
        """A pane for each, with its title."""
        return self._sheet(frame, len(self._titles), is_titled=True)

    def picture(self, frame: Frame, sheet: Sheet) -> Picture:
        """As Show."""
        bare = sheet.fitted(frame.rgb)
        pictures, there, shown = [bare] if self._has_picture else [], [True], list[Labels]()
        small: Labels | None = None
        if self._labels is not None:
            found = self._labels.of(frame)
            self.labelled += found is not None
            small = None if found is None else sheet.fitted_labels(found)
            pictures.append(self._painted(bare, small, self._labels.classes))
            there.append(small is not None)
            shown += [] if small is None else [small]
        answers = [sheet.fitted_labels(model.of(frame)) for model in self._models]
        self.predicted += bool(answers)
        for model, answer in zip(self._models, answers, strict=True):
            pictures.append(self._painted(bare, answer, model.classes))
            there.append(True)
            shown += [answer] if model.classes == self._classes else []
        if self._has_difference:
            pair = answers if len(answers) == 2 else [small, *answers]
            pictures.append(self._differing(bare, pair))
            there.append(pair[0] is not None)
        there = there if self._has_picture else there[1:]
        titles = [
            (title if is_there else f"{title} · {_MISSING[title]}", is_there)
            for title, is_there in zip(self._titles, there, strict=True)
        ]
        return sheet.together(pictures, titles, self._entries(sheet, shown))

    def _differing(self, bare: Picture, pair: Sequence[Labels | None]) -> Picture:
        first, second = pair
        if first is None or second is None:
            return bare
        # What has no label is no difference: people leave void what they did not look at.
        first = first if len(self._models) > 1 else np.where(first == VOID, second, first)
        classes = self._models[0].classes
        found = differing.difference(first, second, classes)
        visible = np.ones(256, np.bool_)
        visible[differing.NOTHING] = False
        colors = differing.colors(found.pairs, classes.palette())
        style = MaskStyle("fill", colors, visible, max(self._look.opacity, 0.8))
        return Painter(style).paint(bare, found.codes)
