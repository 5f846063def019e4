"""Zoo: what is known about nets, asked in the background and kept. Part of the session.

The window never imports torch for it: lists come when they come, and figures that are still
being counted are None.
"""

import logging
from dataclasses import dataclass
from typing import TypeAlias

from PySide6.QtCore import QObject, Signal

from segstudio.core.catalogue import ModelCard, NetFacts, NetFigures
from segstudio.ui import startup
from segstudio.ui.bridge.background import Background, Job

log = logging.getLogger("segstudio.ui")

NetArgs: TypeAlias = tuple[tuple[str, int | float | str | bool], ...]

ONNX = "onnx"
"""The net of models that are an ONNX file: nothing of it is known but what its card says."""

ANY_CLASSES = 19
"""Classes of a net that has no weights yet: Cityscapes'."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which net, built how, at which input size (0 × 0: its own idea of size)."""

    net: str
    net_args: NetArgs = ()
    classes: int = ANY_CLASSES

    @staticmethod
    def of(card: ModelCard) -> "Query":
        """The net of a model."""
        return Query(card.net, tuple(sorted(card.net_args.items())), len(card.classes))


class Zoo(QObject):
    """Signals:
    listed(): `nets` is new, or `trouble` says why it is not.
    described(object): a Query; `facts` knows it now.
    counted(object): (Query, (h, w)); `figures` knows it now.
    """

    listed = Signal()
    described = Signal(object)
    counted = Signal(object)

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self.nets: tuple[NetFacts, ...] = ()
        self.trouble = ""
        self._is_listing = False
        self._facts: dict[Query, NetFacts] = {}
        self._figures: dict[tuple[Query, tuple[int, int]], NetFigures] = {}
        self._running: Job | None = None

    def ask_list(self) -> None:
        """Get `nets`, once."""
        if self.nets or self._is_listing:
            return
        self._is_listing = True

        def op(_: Job) -> tuple[NetFacts, ...]:
            startup.import_engine()
            from segstudio.engine.catalogue import describe_zoo

            return describe_zoo()

        def success(nets: tuple[NetFacts, ...]) -> None:
            self._is_listing = False
            self.nets, self.trouble = nets, ""
            self.listed.emit()

        def failure(error: Exception) -> None:
            self._is_listing = False
            self.trouble = f"The list of networks cannot be read ({error}); run the system check."
            log.error("the zoo cannot be listed", exc_info=error)
            self.listed.emit()

        self._background.run(op, success=success, failure=failure, name="zoo")

    def facts(self, query: Query) -> NetFacts | None:
        """As built with the query's arguments, else as declared, else None."""
        if query.net == ONNX:
            return NetFacts(ONNX, "ONNX file", "", "ONNX")
        declared = next((f for f in self.nets if f.name == query.net), None)
        return self._facts.get(query, declared)

    def figures(self, query: Query, size: tuple[int, int]) -> NetFigures | None:
        """What was counted at that input size (h, w); None until then."""
        return self._figures.get((query, size))

    def ask_facts(self, query: Query) -> None:
        """Build the net without numbers and describe it; tells with `described`."""
        if query in self._facts:
            self.described.emit(query)
            return

        def op(_: Job) -> NetFacts:
            startup.import_engine()
            from segstudio.engine.catalogue import describe_net

            return describe_net(query.net, dict(query.net_args), query.classes)

        def success(facts: NetFacts) -> None:
            self._facts[query] = facts
            self.described.emit(query)

        def failure(error: Exception) -> None:
            self._facts[query] = NetFacts(query.net, query.net, "", "", trouble=str(error))
            self.described.emit(query)

        self._background.run(op, success=success, failure=failure, name="zoo")

    def ask_figures(self, query: Query, size: tuple[int, int]) -> None:
        """Count parameters and work at that input size; a newer question takes its place."""
        self.stop_counting()
        if (query, size) in self._figures:
            self.counted.emit((query, size))
            return

        def op(job: Job) -> NetFigures:
            startup.import_engine()
            from segstudio.engine.catalogue import measure_net

            job.token.check()
            return measure_net(query.net, dict(query.net_args), query.classes, *size)

        def success(figures: NetFigures) -> None:
            self._running = None
            self._figures[query, size] = figures
            self.counted.emit((query, size))

        def failure(error: Exception) -> None:
            log.info("%s cannot be counted: %s", query.net, error)
            success(NetFigures(*size))

        self._running = self._background.run(op, success=success, failure=failure, name="count")

    def stop_counting(self) -> None:
        """Nobody looks any more."""
        if self._running is not None:
            self._running.token.cancel()
            self._running = None
