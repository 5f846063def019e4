"""The view part of the side panel: how masks are drawn."""

from dataclasses import replace

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QCheckBox

from segstudio.ui.panels.parts import Section, Segments, Slider, label, row
from segstudio.ui.session import Session
from segstudio.ui.theme import tabular

MODES = (
    ("fill", "Fill", "Flat colour (Alt+1)"),
    ("outline", "Outline", "Only the borders between classes (Alt+2)"),
    ("hatched", "Hatched", "Stripes, so that the picture shows through (Alt+3)"),
)


class ViewPanel(Section):
    """Mode, opacity, masks on or off; all of it lives in `session.view`."""

    def __init__(self, session: Session) -> None:
        self._on = QCheckBox("Show masks")
        super().__init__("Masks", self._on)
        self._session = session
        self._on.setToolTip("Show masks (V; hold V to peek)")
        self._on.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._on.toggled.connect(self._switch)
        self._modes = Segments(MODES, self._set_mode)
        self._opacity = Slider("Mask opacity")
        self._opacity.setRange(0, 100)
        self._opacity.setToolTip("Mask opacity (Alt+Up, Alt+Down)")
        self._opacity.valueChanged.connect(self._set_opacity)
        self._percent = label(tone="muted")
        self._percent.setFont(tabular(self._percent.font()))
        self._percent.setFixedWidth(44)
        self._percent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.body.addWidget(self._modes)
        line = row(label("Opacity", tone="muted"), self._opacity, self._percent)
        line.setStretch(1, 1)
        self.body.addLayout(line)
        session.view_changed.connect(self.show_view)
        self.show_view()

    @Slot()
    def show_view(self) -> None:
        """Follow the session."""
        view = self._session.view
        self._modes.show_value(view.mode)
        percent = round(100 * view.opacity)
        self._opacity.blockSignals(True)
        self._opacity.setValue(percent)
        self._opacity.blockSignals(False)
        self._percent.setText(f"{percent} %")
        self._on.blockSignals(True)
        self._on.setChecked(view.shows_masks)
        self._on.blockSignals(False)

    def _set_mode(self, mode: str) -> None:
        self._session.set_setting("mask_mode", mode)
        self.show_view()

    @Slot(int)
    def _set_opacity(self, percent: int) -> None:
        self._session.set_view(replace(self._session.view, opacity=percent / 100))

    @Slot(bool)
    def _switch(self, on: bool) -> None:  # noqa: FBT001 - Qt's own signature
        self._session.set_view(replace(self._session.view, are_masks_off=not on))
