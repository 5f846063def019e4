"""Importing labels: a guess that is shown before anything is written.

What the files seem to be and why, some frames as they would come in, what becomes of each class,
and what fits no frame. Import writes all of it as one piece, or nothing.
"""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from segstudio.core.class_mapping import listed
from segstudio.ui.dialogs.export.option_form import OptionForm
from segstudio.ui.dialogs.export.rows import titled_rows
from segstudio.ui.dialogs.import_labels.mapping_table import MappingTable
from segstudio.ui.exchange.importer import (
    How,
    Importer,
    Look,
    Planned,
    Shown,
    class_names,
    class_rows,
)
from segstudio.ui.panels.parts import Picker, Segments, Spinner, button, label, row, set_tone
from segstudio.ui.theme import UNIT
from segstudio.ui.words import counted

SIZE = (980, 760)
AS = (
    ("ground_truth", "Ground truth", "Every pixel counts as confirmed by a human"),
    ("prediction", "Predictions", "A draft of a model, to be corrected"),
)
MATCHING = (
    ("name", "By name", "The picture of the same name, or the frame that an export named"),
    ("number", "By number", "The last number in a name is the frame's index"),
    ("order", "In order", "The first file is the first frame"),
)
LOOKING = "Looking at the files…"


class ImportWindow(QDialog):
    """Signals:
    imported(object): an ImportReport; the project has changed.
    """

    imported = Signal(object)

    def __init__(self, parent: QWidget | None, files: Path, importer: Importer) -> None:
        super().__init__(parent)
        self._importer, self._look = importer, Look(files)
        self._planned: Planned | None = None
        self._as, self._is_done = "ground_truth", False
        self.setWindowTitle("Import Labels")
        self.setModal(False)
        screen = self.screen().availableGeometry()
        self.resize(min(SIZE[0], screen.width() - 80), min(SIZE[1], screen.height() - 80))
        self.setMinimumSize(640, 480)
        self._title, self._why = label(f"Import {files.name}", look="hero"), label(tone="muted")
        self._why.setWordWrap(True)
        self._formats = Picker("What the files are", self._pick_format)
        self._formats.setMinimumContentsLength(24)
        self._more = button("How they are read", "link", self._toggle_form)
        self._more.setCheckable(True)
        self._form = OptionForm()
        self._form.changed.connect(self._change_options)
        self._as_which = Segments(AS, self._pick_as)
        self._model = QLineEdit()
        self._model.setPlaceholderText("Name of the model")
        self._model.setAccessibleName("Name of the model")
        self._model.setMaximumWidth(240)
        self._over = QCheckBox("Also over pixels that a human painted here")
        self._over.toggled.connect(self._show_stakes)
        self._stakes = label(look="small", tone="warn")
        self._stakes.setWordWrap(True)
        self._leave_bad = QCheckBox("Leave out frames that cannot be read")
        self._with_empty = QCheckBox("Also frames without any label, all void")
        self._media = Picker("The video or folder that the labels are of", self._pick_media)
        self._media.setMinimumContentsLength(24)
        self._media.hide()
        self._in_order = button("Match in order", "link", lambda: self._pick_matching("order"))
        self._in_order.hide()
        self._unread = label(look="small", tone="warn")
        self._unread.setWordWrap(True)
        self._matching = Segments(MATCHING, self._pick_matching)
        self._found = label(look="small", tone="muted")
        self._found.setWordWrap(True)
        self._notes = label(look="small", tone="warn")
        self._notes.setWordWrap(True)
        self._pictures = QHBoxLayout()
        self._pictures.setSpacing(UNIT)
        self._table = MappingTable()
        self._table.changed.connect(lambda name, to: importer.map_classes({name: to}))
        self._choices = QWidget()
        self._spinner, self._state = Spinner(), label(tone="muted")
        self._state.setWordWrap(True)
        self._bar = QProgressBar()
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(6)
        self._cancel = button("Cancel", "", self._leave)
        self._go = button("Import", "primary", self._import)
        self._go.setDefault(True)
        self._build()
        importer.planned.connect(self._show)
        importer.failed.connect(self._fail)
        importer.progressed.connect(self._follow)
        importer.finished.connect(self._finish)
        importer.stopped.connect(self._show_stopped)
        self.finished.connect(importer.leave)  # also by Escape, which closes without a closeEvent
        self._refresh_choices()
        self._start_looking()

    def _build(self) -> None:
        inside = self._choices
        inside.setProperty("look", "panel")
        column = QVBoxLayout(inside)
        column.setContentsMargins(3 * UNIT, 3 * UNIT, 3 * UNIT, 2 * UNIT)
        column.setSpacing(2 * UNIT)
        column.addWidget(self._title)
        column.addWidget(self._why)
        column.addLayout(self._pictures)
        column.addLayout(titled_rows(("They are", row(self._formats, self._more, 1))))
        column.addWidget(self._form)
        fits = row(self._found, self._in_order)
        fits.setStretch(0, 1)
        frames = (fits, self._unread, self._leave_bad, self._with_empty)
        column.addLayout(
            titled_rows(
                ("Take as", row(self._as_which, self._model, 1), self._over, self._stakes),
                ("Frames", row(self._matching, self._media, 1), *frames),
                ("Classes", self._notes, self._table),
            )
        )
        column.addStretch(1)
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        foot = row(self._spinner, self._state, self._cancel, self._go)
        foot.setStretch(1, 1)
        foot.setContentsMargins(3 * UNIT, UNIT, 3 * UNIT, 2 * UNIT)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(area, 1)
        whole.addWidget(self._bar)
        whole.addLayout(foot)

    # --- what it says

    @property
    def message(self) -> str:
        """What the window says, for tests and for reading aloud."""
        parts = (
            self._title, self._why, self._stakes, self._found, self._unread, self._notes,
            self._state,
        )  # fmt: skip
        return " ".join(p.text() for p in parts if p.text())

    @property
    def can_import(self) -> bool:
        """The button can be pressed."""
        return self._go.isEnabled()

    @property
    def is_done(self) -> bool:
        """It was imported."""
        return self._is_done

    def _say(self, text: str, tone: str, *, is_busy: bool = False) -> None:
        self._state.setText(text)
        set_tone(self._state, tone)
        self._spinner.setVisible(is_busy)
        self._bar.setVisible(False)
        is_planned = self._planned is not None and self._importer.has_plan
        ready = is_planned and bool(self._planned and self._planned.plan.matched)
        self._go.setEnabled(ready and not is_busy and not self._is_done)
        self._choices.setEnabled(not self._importer.is_importing)

    def _refresh_choices(self) -> None:
        self._as_which.show_value(self._as)
        self._matching.show_value(self._look.matching)
        self._model.setVisible(self._as == "prediction")
        self._show_stakes()

    def _show_stakes(self) -> None:
        """What humans made and would lose, before it is gone."""
        now = self._planned
        text = ""
        if now is not None and now.human and self._over.isChecked():
            pixels = counted(now.human, "pixel")
            text = f"Up to {pixels} that humans painted or confirmed will be replaced."
            if now.confirmed and self._as == "prediction":
                text += f" {counted(now.confirmed, 'confirmed frame')} may become drafts."
            elif now.confirmed:
                text += f" {counted(now.confirmed, 'confirmed frame')} may get other labels."
        self._stakes.setText(text)
        self._stakes.setVisible(bool(text))

    # --- what is found

    def _start_looking(self) -> None:
        self._importer.look(self._look)
        self._say(LOOKING, "muted", is_busy=True)

    @Slot(object)
    def _show(self, found: Planned) -> None:
        self._planned = found
        plan = found.plan
        self._why.setText(plan.guess.why[:1].upper() + plan.guess.why[1:])
        entries: list[tuple[object, str]] = [(name, title) for title, name in found.others.items()]
        if plan.guess.format not in [value for value, _ in entries]:
            entries.insert(0, (plan.guess.format, found.title))
        self._formats.fill(entries, plan.guess.format)
        self._form.show_options(found.options, plan.guess.options)
        self._more.setVisible(bool(found.options))
        self._toggle_form()
        self._show_pictures(found.previews)
        frames, matched = len(plan.reader.frames), len(plan.matched)
        text = f"{matched:,} of {counted(frames, 'frame')} fit"
        is_in_order = bool(plan.fits_order) and not matched
        self._in_order.setVisible(is_in_order)
        new = sum(len(one.files) for one in plan.new)
        if new:
            text += f", {new:,} of them with pictures of their own that become part of the project"
        if plan.left_out:
            name, why = plan.left_out[0]
            text += f". Left out: {len(plan.left_out):,}, first {name}: {why}"
        if is_in_order:
            text += f". {plan.fits_order} has as many frames as there are labels."
        self._found.setText(text)
        self._show_unread(found.previews)
        entries = [(None, "All videos and folders"), *found.media.items()]
        self._media.fill(entries, self._look.media)
        self._media.setVisible(len(found.media) > 1)
        self._show_stakes()
        self._notes.setText("\n".join(plan.notes))
        self._notes.setVisible(bool(plan.notes))
        self._table.show_rows(class_rows(plan), class_names(plan.classes))
        trouble = "" if plan.matched else "None of these frames fits a frame of the project."
        self._say(trouble, "warn")

    def _show_unread(self, previews: tuple[Shown, ...]) -> None:
        bad = [one for one in previews if one.rgb is None]
        text = ""
        if bad:
            text = (
                f"{len(bad)} of {counted(len(previews), 'frame')} that were looked at cannot be"
                f" read: {bad[0].why}"
            )
        self._unread.setText(text)
        self._unread.setVisible(bool(text))

    def _show_pictures(self, previews: tuple[Shown, ...]) -> None:
        while (item := self._pictures.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for one in previews:
            self._pictures.addWidget(_picture(one))
        self._pictures.addStretch(1)

    @Slot(str)
    def _fail(self, text: str) -> None:
        if self._planned is None:
            self._why.setText("")
        self._say(text, "bad")

    @Slot()
    def _show_stopped(self) -> None:
        self._say("Stopped; the project is as it was.", "muted")

    @Slot(float, str)
    def _follow(self, fraction: float, text: str) -> None:
        self._say(text, "muted", is_busy=True)
        self._bar.setVisible(True)
        self._bar.setValue(round(fraction * 1000))

    @Slot(object)
    def _finish(self, report: object) -> None:
        self._is_done = True
        self._say(" ".join(report.lines()), "good")  # type: ignore[attr-defined]  # an ImportReport
        self._cancel.setText("Close")
        self.imported.emit(report)

    # --- what people do

    def _pick_format(self, name: object) -> None:
        self._look = replace(self._look, format=str(name), options={})
        self._start_looking()

    def _toggle_form(self) -> None:
        """The guess knows the options; they are folded away until somebody wants them."""
        has_options = self._planned is not None and bool(self._planned.options)
        self._form.setVisible(has_options and self._more.isChecked())

    def _change_options(self) -> None:
        name = self._planned.plan.guess.format if self._planned is not None else ""
        self._look = replace(self._look, format=name, options=self._form.values)
        self._start_looking()

    def _pick_as(self, value: str) -> None:
        self._as = value
        self._refresh_choices()

    def _pick_matching(self, value: str) -> None:
        self._look = replace(self._look, matching=value)
        self._refresh_choices()
        self._start_looking()

    def _pick_media(self, value: object) -> None:
        self._look = replace(self._look, media=value if isinstance(value, int) else None)
        self._start_looking()

    def _import(self) -> None:
        self._importer.start(
            How(
                self._as,
                self._model.text().strip(),
                over_human=self._over.isChecked(),
                leave_out_bad=self._leave_bad.isChecked(),
                with_empty=self._with_empty.isChecked(),
            )
        )
        self._say("Reading the labels…", "muted", is_busy=True)

    def _leave(self) -> None:
        if self._importer.is_importing:
            self._importer.cancel()
        else:
            self.close()


def _picture(one: Shown) -> QWidget:
    """A preview with its name under it."""
    box = QWidget()
    column = QVBoxLayout(box)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(4)
    image = QLabel()
    if one.rgb is not None:
        height, width = one.rgb.shape[:2]
        shown = QImage(one.rgb.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        image.setPixmap(QPixmap.fromImage(shown))
    else:
        image.setText(one.why)
        image.setWordWrap(True)
    name = label(listed([one.name]), look="small", tone="muted")
    column.addWidget(image)
    column.addWidget(name)
    return box
