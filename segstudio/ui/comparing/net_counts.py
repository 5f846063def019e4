"""Parameters and GMACs of compared models, counted in the background and kept."""

import logging
import sys
from typing import TypeAlias

from PySide6.QtCore import QObject, Signal

from segstudio.core.catalogue import ModelCard, NetFigures
from segstudio.ui import startup
from segstudio.ui.bridge.background import Background, Job

log = logging.getLogger("segstudio.ui")

ENGINE = "segstudio.engine.predictor"

Size: TypeAlias = tuple[int, int]
_Key: TypeAlias = tuple[str, str, tuple[tuple[str, int | float | str | bool], ...], Size]


class NetCounts(QObject):
    """One net is counted at a time, so that the models which play are hardly disturbed.

    Signals:
        counted(): another net's figures are known.
    """

    counted = Signal()

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._known: dict[_Key, NetFigures] = {}
        self._waiting: dict[_Key, tuple[ModelCard, Size]] = {}
        self._is_counting = False

    def of(self, card: ModelCard, size: Size) -> NetFigures | None:
        """At an input size (h, w); None until counted, which asking begins once torch is there.

        What cannot be counted is None inside the figures.
        """
        key = (card.name, card.net, tuple(sorted(card.net_args.items())), size)
        has_engine = ENGINE in sys.modules  # a model of other making may predict without torch
        if has_engine and key not in self._known and key not in self._waiting:
            self._waiting[key] = (card, size)
            self._count_next()
        return self._known.get(key)

    def _count_next(self) -> None:
        if self._is_counting or not self._waiting:
            return
        key, (card, size) = next(iter(self._waiting.items()))
        self._is_counting = True

        def op(job: Job) -> NetFigures:
            startup.import_engine()
            from segstudio.engine.catalogue import count_model

            job.token.check()
            return count_model(card, size)

        def success(figures: NetFigures) -> None:
            self._is_counting = False
            self._known[key] = figures
            del self._waiting[key]
            self.counted.emit()
            self._count_next()

        def failure(error: Exception) -> None:
            log.info("%s cannot be counted: %s", card.name, error)
            success(NetFigures(*size, parameters=card.params))

        self._background.run(op, success=success, failure=failure, name="count")
