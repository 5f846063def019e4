"""The model part of the side panel: which one, where it runs, how it does."""

from dataclasses import replace
from html import escape

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QGridLayout, QWidget

from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.settings import INPUT_SCALES
from segstudio.core.strategy import PRECISIONS
from segstudio.ui.icons import IconButton
from segstudio.ui.panels.parts import Dot, Picker, Section, Spinner, button, label, row, set_tone
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT

HOWS = (("whole", "Whole frame"), ("sliding", "Windows"), ("mirror", "Tiles"))
"""Kinds of Strategy in words that fit into the panel; the settings have more room."""


class ModelPanel(Section):
    """Listens to the session's shelf and result; keeps nothing.

    Signals:
        all_wanted(): the model dialog, please.
    """

    all_wanted = Signal()

    def __init__(self, session: Session) -> None:
        self._all = IconButton("layers", "All models and networks (Ctrl+Shift+M)")
        self._reload = IconButton("reload", "Reload the model (Ctrl+R)")
        super().__init__("Model", self._all, self._reload)
        self._all.clicked.connect(lambda _=False: self.all_wanted.emit())
        self._session = session
        shelf = session.models
        self._reload.clicked.connect(lambda _=False: shelf.reload())
        self._model = Picker("Model", self._pick_model)
        self._facts = label(look="small", tone="muted")
        self._facts.setWordWrap(True)
        self._device = Picker("Where the model runs", lambda v: shelf.choose_device(str(v)))
        self._scale = Picker(
            "Size of the model's input\nSmaller is faster and coarser.",
            lambda v: session.set_setting("input_scale", v),
        )
        self._how = Picker(
            "How the model sees a frame\n"
            "Whole frame: at once, as large as the model's card says.\n"
            "Windows: every pixel of the frame, in windows that slide and fade into each other.\n"
            "Tiles: every pixel, mirrored at the borders; of each tile only the middle counts.",
            lambda v: session.set_setting("how", v),
        )
        self._precision = Picker(
            "Precision\nAutomatic: the fastest that this computer is good at. fp32 is exact.",
            lambda v: session.set_setting("precision", v),
        )
        self._flip = QCheckBox("Mirror image too")
        self._flip.setToolTip("Average with the mirror image: a little better, twice the time.")
        self._flip.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._flip.toggled.connect(lambda on: session.set_setting("flip", on))
        self._spinner, self._dot = Spinner(), Dot()
        self._status = label(look="small", tone="muted")
        self._status.setWordWrap(True)
        self._status.setMinimumHeight(18)
        self._status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._retry = button("Try again", "link", shelf.reload)
        self._build()
        shelf.changed.connect(self.show_shelf)
        session.shown_changed.connect(self.show_result)
        self.show_shelf()

    def _build(self) -> None:
        self.body.addWidget(self._model)
        self.body.addWidget(self._facts)
        grid = QGridLayout()
        grid.setHorizontalSpacing(UNIT)
        grid.setVerticalSpacing(UNIT)
        grid.setColumnMinimumWidth(0, 48)
        grid.setColumnStretch(1, 1)
        for line, (name, widget) in enumerate((("Device", self._device), ("Input", self._scale))):
            grid.addWidget(label(name, tone="muted"), line, 0)
            grid.addWidget(widget, line, 1)
        how = row(self._how, self._precision, spacing=UNIT // 2)
        how.setStretch(0, 1)
        self._precision.setFixedWidth(76)
        grid.addWidget(label("How", tone="muted"), 2, 0)
        grid.addLayout(how, 2, 1)
        grid.addWidget(self._flip, 3, 1)
        self.body.addLayout(grid)
        marks = QWidget()
        marks.setFixedWidth(14)
        holder = row(self._spinner, self._dot, spacing=0)
        marks.setLayout(holder)
        state = row(marks, self._status)
        state.setAlignment(marks, Qt.AlignmentFlag.AlignTop)
        state.setStretch(1, 1)
        self.body.addLayout(state)
        self.body.addWidget(self._retry)

    def _pick_model(self, name: object) -> None:
        self._session.models.choose(None if name is None else str(name))

    @Slot()
    def show_shelf(self) -> None:
        """Everything but the input size, which only a prediction knows."""
        shelf = self._session.models
        entries: list[tuple[object, str]] = [(card.name, card.title) for card in shelf.cards]
        chosen = shelf.chosen
        self._model.fill([*entries, (None, "No model")], chosen.name if chosen else None)
        self._facts.setText(_facts(chosen) if chosen else _how_to_get_one(len(entries)))
        self._facts.setToolTip(_tip(chosen) if chosen else "")
        self._model.setToolTip(_tip(chosen) if chosen else "Model")
        devices: list[tuple[object, str]] = [("auto", "Automatic")]
        devices += [(d.name, d.title) for d in shelf.devices]
        if shelf.device not in [value for value, _ in devices]:
            devices.append((shelf.device, shelf.device))
        self._device.fill(devices, shelf.device)
        self._show_strategy()
        for widget in (self._device, self._scale, self._how, self._precision, self._flip,
                       self._reload):  # fmt: skip
            widget.setEnabled(chosen is not None)
        self._show_status()
        self.show_result()

    def _show_strategy(self) -> None:
        strategy = self._session.models.strategy
        self._how.fill(HOWS, strategy.kind)
        entries = [(p, "Auto" if p == "auto" else p) for p in PRECISIONS]
        self._precision.fill(entries, strategy.precision)
        self._flip.blockSignals(True)
        self._flip.setChecked(strategy.flip)
        self._flip.blockSignals(False)

    def _show_status(self) -> None:
        shelf = self._session.models
        status = shelf.status
        self._spinner.setVisible(status.kind == "loading")
        self._dot.setVisible(status.kind != "loading")
        self._retry.setVisible(status.kind == "failed")
        tones = {"ready": "good", "failed": "bad"}
        self._dot.set_tone(tones.get(status.kind, "faint"))
        set_tone(self._status, "bad" if status.kind == "failed" else "muted")
        titles = {d.name: d.title for d in shelf.devices}
        where = titles.get(status.device, status.device)
        result = self._session.result
        prediction = None if result is None else result.prediction
        notes = () if prediction is None else prediction.notes
        self._status.setText(
            {
                "none": "Pictures are shown without masks.",
                "idle": "Loads with the first picture.",
                "resting": "Rests while a model is trained.",
                "loading": "Loading…",
                "ready": "\n".join((f"Ready on {where}", *notes)),
                "failed": status.text,
            }[status.kind]
        )

    @Slot()
    def show_result(self) -> None:
        """The sizes on offer, and what the model really saw."""
        self._show_status()
        session = self._session
        result, chosen = session.result, session.models.chosen
        entries: list[tuple[object, str]] = []
        rule = chosen.input if chosen is not None else InputRule()
        if session.models.strategy.full_resolution:
            rule = replace(rule, short_side=None)
        for scale in INPUT_SCALES:
            title = "Full size" if scale == 1 else f"{round(100 * scale)} %"
            if chosen is not None and result is not None:
                frame = result.frame
                h, w = rule.size_for(frame.height, frame.width, scale)
                title += f" · {w} × {h}"
            entries.append((scale, title))
        self._scale.fill(entries, session.models.strategy.input_scale)


def _facts(card: ModelCard) -> str:
    """The facts that matter most, a line each."""
    size = f"{card.params / 1e6:.1f} M parameters · " if card.params else ""
    facts = [f"{size}{len(card.classes)} classes"]
    if card.scores:
        facts.insert(0, f"mIoU {100 * card.scores[0].miou:.1f} % on {card.scores[0].dataset}")
    return "\n".join(facts)


def _tip(card: ModelCard) -> str:
    """Everything the card says, as the rich text of a tooltip."""
    parts = [("", card.description)]
    parts += [(f"mIoU {100 * s.miou:.1f} % on {s.dataset}", s.detail) for s in card.scores]
    parts += [
        ("Trained on", card.trained_on),
        ("Licence", card.licence),
        ("Net", card.net),
        ("Folder", str(card.folder)),
    ]
    lines = [f"<b>{escape(card.title)}</b>"]
    for head, text in parts:
        if text and head:
            lines.append(f"<b>{escape(head)}</b><br>{escape(text)}")
        elif text or head:
            lines.append(escape(text or head))
    return "".join(f"<p style='margin: 0 0 6px 0'>{line}</p>" for line in lines)


def _how_to_get_one(count: int) -> str:
    if count:
        return "Choose a model to see masks."
    return (
        "No model is installed. Import weights (Model ▸ Models…), or train a model:"
        " segstudio train --help."
    )
