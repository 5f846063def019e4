"""What the model dialog lets the engine do, as jobs, and the card that shows how far it is.

The engine is imported inside the jobs: torch comes there and never in the window's thread.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QFile, Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QProgressBar, QVBoxLayout, QWidget

from segstudio.core.catalogue import ModelCard
from segstudio.core.strategy import Strategy
from segstudio.errors import ModelError
from segstudio.ui import words
from segstudio.ui.bridge.background import Background, Job
from segstudio.ui.icons import IconButton
from segstudio.ui.panels.parts import Spinner, button, label, row, set_tone
from segstudio.ui.theme import UNIT, tabular

RUNS = 20
"""Measured frames; the median of that many is steady and soon there."""


class WorkCard(QFrame):
    """One piece of work at a time: what it is, how far, what came of it.

    Signals:
        changed(): work began or ended.
    """

    changed = Signal()

    def __init__(self, background: Background) -> None:
        super().__init__()
        self.setProperty("look", "card")
        self._background = background
        self._job: Job | None = None
        self._spinner = Spinner()
        self._title = label(look="title")
        self._text = label(tone="muted")
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._bar = QProgressBar()
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._cancel = button("Cancel", "", self.cancel)
        self._cross = IconButton("close", "Close")
        self._cross.clicked.connect(lambda _=False: self.hide())
        self._table = QWidget()
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(UNIT + 4, UNIT, UNIT, UNIT)
        self._box.setSpacing(UNIT // 2)
        head = row(self._spinner, self._title, 1, self._cancel, self._cross)
        self._box.addLayout(head)
        self._box.addWidget(self._bar)
        self._box.addWidget(self._text)
        self._box.addWidget(self._table)
        self.hide()

    @property
    def is_running(self) -> bool:
        """Something is going on."""
        return self._job is not None

    @property
    def message(self) -> str:
        """What the card says, for tests and for reading aloud."""
        return f"{self._title.text()} {self._text.text()}".strip()

    def start(
        self,
        title: str,
        op: Callable[[Job], Any],
        show: Callable[[Any], None],
        failed: str,
        unseen: Callable[[Any], None] | None = None,
    ) -> None:
        """Run `op`; `show` gets its value in this thread. failed: the title of a failure.

        unseen: gets the value instead, when the work was cancelled too late.
        """
        self.cancel()
        self._show(title, "", is_running=True)

        def success(value: Any) -> None:  # noqa: ANN401  whatever op makes
            self._end()
            show(value)

        def failure(error: Exception) -> None:
            self._end()
            self._show(failed, str(error), tone="bad")

        self._job = self._background.run(
            op,
            success=success,
            failure=failure,
            progress=self._progress,
            discard=unseen,
            name="model",
        )
        self.changed.emit()

    def cancel(self) -> None:
        """Stop what runs; its result goes nowhere."""
        if self._job is not None:
            self._job.token.cancel()
            self._end()
            self.hide()

    def put_away(self) -> None:
        """Something else is looked at: a finished result goes, what runs stays."""
        if not self.is_running:
            self.hide()

    def show_result(
        self, title: str, text: str = "", table: Sequence[Sequence[str]] = (), *, tone: str = "good"
    ) -> None:
        """What came of it. table: the first line is its head."""
        self._show(title, text, tone=tone)
        self._show_table(table)

    def _end(self) -> None:
        self._job = None
        self.changed.emit()

    def _progress(self, fraction: float, text: str) -> None:
        self._bar.setVisible(fraction >= 0)
        self._bar.setValue(round(1000 * max(0.0, fraction)))
        if text:
            self._text.setText(text)
            self._text.show()

    def _show(self, title: str, text: str, *, tone: str = "", is_running: bool = False) -> None:
        self._title.setText(title)
        set_tone(self._title, tone)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self._spinner.setVisible(is_running)
        self._cancel.setVisible(is_running)
        self._cross.setVisible(not is_running)
        self._bar.hide()
        self._show_table(())
        self.show()

    def _show_table(self, table: Sequence[Sequence[str]]) -> None:
        old = self._table
        self._table = QWidget()
        grid = QGridLayout(self._table)
        grid.setContentsMargins(0, UNIT // 2, 0, UNIT // 2)
        grid.setHorizontalSpacing(3 * UNIT)
        grid.setVerticalSpacing(2)
        for line, cells in enumerate(table):
            for column, cell in enumerate(cells):
                one = label(cell, tone="muted" if line == 0 or column == 0 else "")
                one.setFont(tabular(one.font()))
                side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
                grid.addWidget(one, line, column, side)
        grid.setColumnStretch(max((len(c) for c in table), default=0), 1)
        self._table.setVisible(bool(table))
        self._box.replaceWidget(old, self._table)
        old.deleteLater()


def inspecting(path: Path, net: str) -> Callable[[Job], Any]:
    """A job that looks into a weights file. net: its registry name, "" to let the file tell."""

    def op(job: Job) -> Any:  # noqa: ANN401  an engine.inspecting.Inspection
        _engine(job)
        from segstudio.engine.importing import suggested_classes, suggested_name
        from segstudio.engine.inspecting import inspect_weights

        found = inspect_weights(path, net)
        job.token.check()
        return found, suggested_name(found), suggested_classes(found)

    return op


def importing(inspection: Any, options: dict[str, Any]) -> Callable[[Job], Any]:  # noqa: ANN401
    """A job that writes a model folder. options: fields of engine.importing.ImportOptions."""

    def op(job: Job) -> Any:  # noqa: ANN401  a ModelCard
        _engine(job)
        from segstudio.engine.importing import ImportOptions, import_weights

        return import_weights(inspection, ImportOptions(**options))

    return op


def _engine(job: Job) -> None:
    from segstudio.ui import startup

    startup.import_engine()
    job.token.check()


def trashing(card: ModelCard) -> Callable[[Job], Path]:
    """A job that moves a model's folder to the system's trash."""

    def op(_: Job) -> Path:
        if not QFile.moveToTrash(str(card.folder)):
            raise ModelError(
                f"{card.folder} could not be moved to the trash; delete the folder yourself."
            )
        return card.folder

    return op


def measuring(
    card: ModelCard, device: str, size: tuple[int, int] | None, strategy: Strategy
) -> Callable[[Job], Any]:
    """A job that measures frames per second at that input size (h, w); None: of a 720p frame.

    strategy: its precision and compiling count; windows and mirror images do not.
    """

    def op(job: Job) -> Any:  # noqa: ANN401  an engine.bench.BenchFigures
        _engine(job)
        from segstudio.engine.bench import bench_model

        return bench_model(
            card,
            device,
            size=size,
            precision=strategy.precision,
            compile=strategy.compile,
            runs=RUNS,
        )

    return op


def exporting(card: ModelCard, file: Path) -> Callable[[Job], Any]:
    """A job that writes the model as ONNX and proves that its labels are the same."""

    def op(job: Job) -> Any:  # noqa: ANN401  an engine.onnx_export.ExportReport
        _engine(job)
        from segstudio.engine.onnx_export import export_onnx

        return export_onnx(card, file)

    return op


def bench_table(figures: Any) -> list[list[str]]:  # noqa: ANN401  engine.bench.BenchFigures
    """The net alone and the whole way of a frame, beside each other."""
    f = figures
    return [
        ["", "frames / s", "median", "95 %"],
        ["Network alone", _rate(f.forward_fps), _ms(f.forward_p50), _ms(f.forward_p95)],
        ["Frame to labels", _rate(f.fps), _ms(f.predict_p50), _ms(f.predict_p95)],
    ]


def bench_words(figures: Any) -> str:  # noqa: ANN401  engine.bench.BenchFigures
    """Under which conditions it was measured."""
    f = figures
    threads = words.counted(f.threads, "thread") if f.device == "cpu" else ""
    memory = f"{f.peak_mb:,.0f} MB at most" if f.peak_mb else ""
    parts = (
        f.device,
        threads,
        f.precision,
        "compiled" if f.compiled else "",
        f"input {words.size(f.input_height, f.input_width)}",
        f"{f.gmacs:,.1f} GMAC" if f.gmacs else "",
        memory,
        words.counted(f.runs, "run"),
    )
    return ". ".join((" · ".join(p for p in parts if p), *f.notes))


def export_words(report: Any) -> tuple[str, str]:  # noqa: ANN401  engine.onnx_export.ExportReport
    """Title and text."""
    r = report
    free = "any size that the net takes" if r.is_dynamic else f"{words.size(*r.size)} alone"
    proved = ", ".join(words.size(*s) for s in r.sizes)
    text = (
        f"{r.megabytes:.1f} MB, opset {r.opset}, for {free}. Run by onnxruntime at {proved}:"
        f" {100 * r.differing:.3f} % of the labels differ from ours."
    )
    return f"Exported {r.file.name}", f"{text} {r.note}".strip()


def _rate(fps: float) -> str:
    return f"{fps:.1f}" if fps < 100 else f"{fps:,.0f}"


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:,.1f} ms"
