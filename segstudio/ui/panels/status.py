"""The status line: the pixel under the cursor, speed, latency, verification, zoom."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy

from segstudio.core.origins import NAMES
from segstudio.ui.panels.parts import label
from segstudio.ui.readings import STAGES, Reading
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT, tabular

WIDEST_HOVER = "x 00000  y 00000   ·   RGB 000 000 000   ·   motorcyclist  100 %"
WIDEST_STAGES = "decode 00.0 · prepare 00.0 · model 0000.0 · upsample 00.0 · draw 00.0"


class StatusLine(QFrame):
    """Everything on it has a fixed width, so that nothing jitters while it plays."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._pixel: tuple[int, int] | None = None
        self.setProperty("look", "bottom")
        self.setFixedHeight(28)
        self._hover = _cell(stretch=True)
        self._fps = _cell("00.0 fps", "Frames through the model per second")
        self._latency = _cell("0000 ms · p95 0000", "")
        self._stages = _cell(WIDEST_STAGES)
        self._skipped = _cell("00000 skipped", "Frames passed over, because the model was busy")
        self._verified = _cell("Frame numbers verified", "")
        self._device = _cell("cuda:0", "Where the model runs")
        self._zoom = _cell("00000 %", "Zoom: screen pixels per picture pixel")
        box = QHBoxLayout(self)
        box.setContentsMargins(2 * UNIT, 0, 2 * UNIT, 0)
        box.setSpacing(2 * UNIT)
        box.addWidget(self._hover, 1)
        cells = (self._stages, self._latency, self._fps, self._skipped, self._verified,
                 self._device, self._zoom)  # fmt: skip
        for cell in cells:
            cell.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            box.addWidget(cell)
        hover = self._hover.fontMetrics().horizontalAdvance(WIDEST_HOVER)
        rest = sum(cell.minimumWidth() + 2 * UNIT for cell in cells)
        self._wide = hover + rest + 4 * UNIT  # from there on every stage has room
        session.reading_changed.connect(self.show_reading)
        session.player.source_changed.connect(self.show_source)
        session.models.changed.connect(self.show_device)
        session.shown_changed.connect(self._show_hover)
        session.editor.step_finished.connect(self._show_hover)
        self.show_source()
        self.show_device()

    def resizeEvent(self, event: QResizeEvent) -> None:
        # In a narrow window the stages are in the tooltip of the total only.
        self._stages.setVisible(self.width() >= self._wide)
        super().resizeEvent(event)

    @Slot(object)
    def hover(self, pixel: tuple[int, int] | None) -> None:
        """Frame pixel (y, x) under the cursor."""
        self._pixel = pixel
        self._show_hover()

    @Slot()
    def _show_hover(self) -> None:
        result = self._session.result
        if self._pixel is None or result is None:
            self._hover.setText(self._source_text())
            return
        y, x = self._pixel
        frame, prediction = result.frame, result.prediction
        if y >= frame.height or x >= frame.width:
            return
        red, green, blue = (int(v) for v in frame.rgb[y, x])
        text, said = f"x {x}  y {y}   ·   RGB {red} {green} {blue}", ""
        if prediction is not None:
            class_id = int(prediction.labels[y, x])
            said = prediction.classes.name_of(class_id) + _confidence(prediction, y, x, class_id)
        labelled = self._label_text(y, x)
        if labelled and said:
            said = f"model: {said}"
        self._hover.setText("   ·   ".join(part for part in (text, labelled, said) if part))

    def _label_text(self, y: int, x: int) -> str:
        """The class of the label there and who said it; "" while nobody labelled the frame."""
        editor = self._session.editor
        if editor.held is None or editor.held.is_blank:
            return ""
        document = editor.held.document
        name = editor.classes.name_of(int(document.labels[y, x]))
        return f"{name} ({NAMES[int(document.origin[y, x])]})"

    def _source_text(self) -> str:
        info = self._session.info
        if info is None:
            return ""
        parts = [f"{info.width} × {info.height}"] if info.width else []
        if info.fps and info.kind == "video":
            parts.append(f"{info.fps:.2f}".rstrip("0").rstrip(".") + " fps")
        if info.codec:
            parts.append(info.codec)
        if info.frames > 1:
            parts.append(f"{info.frames} frames" if info.is_complete else "counting frames …")
        return "   ·   ".join(parts)

    @Slot(object)
    def show_reading(self, reading: Reading) -> None:
        """Ten times a second."""
        playing = self._session.player.playing.is_playing
        self._fps.setText(f"{reading.fps:.1f} fps" if playing else "")
        if reading.total is None:
            self._latency.setText("")
            self._stages.setText("")
            return
        self._latency.setText(f"{reading.total[0]:.0f} ms · p95 {reading.total[1]:.0f}")
        self._latency.setToolTip(_table(reading))
        self._stages.setText(" · ".join(f"{n} {p50:.1f}" for n, p50, _ in reading.stages))
        self._stages.setToolTip(_table(reading))
        self._skipped.setText(f"{reading.skipped} skipped" if reading.skipped else "")

    @Slot()
    def show_source(self) -> None:
        """What is known about the numbers of the frames."""
        info = self._session.info
        text, tip = "", ""
        if info is not None and info.kind == "video":
            if not info.is_complete:
                text = f"Indexing {round(100 * info.progress)} %"
                tip = "Frames are being counted. Playing works meanwhile."
            elif not info.is_verified and info.progress < 1:
                text = f"Verifying {round(100 * info.progress)} %"
                tip = "Frame numbers are being checked against the content. Playing works."
            elif info.is_verified:
                text = "Frame numbers verified"
                tip = "Every frame number of this file was checked against its content."
            else:
                text = "Frame numbers indexed"
                tip = "Frame numbers come from the packets of the file; spot checks agreed."
        self._verified.setText(text)
        self._verified.setToolTip(tip)
        self._show_hover()

    @Slot()
    def show_device(self) -> None:
        """Where the model runs."""
        status = self._session.models.status
        self._device.setText(status.device if status.kind == "ready" else "")

    @Slot(float)
    def show_zoom(self, scale: float) -> None:
        """scale: screen pixels per picture pixel."""
        self._zoom.setText(f"{100 * scale:.0f} %")


def _cell(widest: str = "", tip: str = "", *, stretch: bool = False) -> QLabel:
    """A label as wide as the widest text it will carry."""
    result = label(look="status")
    font = tabular(result.font())
    font.setPixelSize(12)
    result.setFont(font)
    result.setToolTip(tip)
    if stretch:  # gives way, rather than pushing the others out
        result.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    result.ensurePolished()
    if widest and not stretch:
        result.setMinimumWidth(result.fontMetrics().horizontalAdvance(widest) + 2)
    return result


def _confidence(prediction: object, y: int, x: int, class_id: int) -> str:
    """How sure the model is of the class it says, at that pixel."""
    logits = prediction.logits  # type: ignore[attr-defined]  # a Prediction
    chance = logits.probabilities_at(y, x)
    where = (logits.class_ids == class_id).nonzero()[0]
    return f"  {100 * float(chance[where[0]]):.0f} %" if len(where) else ""


def _table(reading: Reading) -> str:
    """All stages, p50 and p95, for the tooltip."""
    head = "<tr><td></td><td align='right'>p50</td><td align='right'>p95</td><td></td></tr>"
    rows = [(name, p50, p95) for name, p50, p95 in reading.stages if name in STAGES]
    if reading.total is not None:
        rows.append(("decode to labels", *reading.total))
    body = "".join(
        f"<tr><td>{name}&nbsp;&nbsp;</td><td align='right'>&nbsp;&nbsp;{p50:.1f}</td>"
        f"<td align='right'>&nbsp;&nbsp;{p95:.1f}</td><td>&nbsp;ms</td></tr>"
        for name, p50, p95 in rows
    )
    shown = f"<br>{reading.shown_fps:.1f} frames painted per second" if reading.shown_fps else ""
    return f"<table>{head}{body}</table>{shown}"
