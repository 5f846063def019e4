"""The pictures: one while nothing is compared, else a grid of panes that move together."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from segstudio.core.feature_map import FeatureMap
from segstudio.core.mask_style import MaskStyle
from segstudio.core.viewport import ViewTransform
from segstudio.engine.seats import FIRST
from segstudio.ui.canvas.view import CanvasView
from segstudio.ui.comparing.panes import LABELS
from segstudio.ui.panels.speed_strip import HEIGHT as STRIP
from segstudio.ui.session import Session
from segstudio.ui.stage.composing import Composing, column_at
from segstudio.ui.stage.divider import Divider
from segstudio.ui.stage.figures import Figures
from segstudio.ui.stage.insight import Insight
from segstudio.ui.stage.pane_view import HEADER, PaneView
from segstudio.ui.tools.preview import Preview, Ring


class PaneGrid(QWidget):
    """Shows what Composing says; every pane passes mouse and keys on to the tools. canvas: the main
    picture, which is the first pane's too.

    Signals:
        hovered(object): the frame pixel (y, x) under the cursor in any pane, or None.
        differed(object): the Difference or the Agreement that is shown, or None.
        dropped(list): Path of each file or folder that was dropped on a pane.
    """

    hovered = Signal(object)
    differed = Signal(object)
    dropped = Signal(list)

    def __init__(self, session: Session, canvas: CanvasView) -> None:
        super().__init__()
        self._session = session
        self.canvas = canvas
        self.composing = Composing(session, session.comparison, session.scores)
        self.figures = Figures(session)
        self._insight = Insight(session)
        self._main = PaneView(session, FIRST, canvas)
        self.panes: dict[str, PaneView] = {FIRST: self._main}
        self._tool = session.editor.options.tool
        self._style = session.style()
        self._is_painted = False
        self._is_linking = False
        self._shape = (0, 0)
        self._box = QGridLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(1)
        self._divider = Divider(canvas)
        self._divider.moved.connect(self._move_divider)
        self._hovered: tuple[str, tuple[int, int]] | None = None
        self._link(self._main)
        comparison = session.comparison
        comparison.changed.connect(self.follow)
        comparison.arrived.connect(self.show_answers)
        session.editor.document_changed.connect(self.show_answers)
        comparison.blinked.connect(self._blink)
        session.editor.step_finished.connect(self._show_painted)
        session.reading_changed.connect(self._show_speeds)
        for signal in (session.inside.changed, session.inside.arrived):
            signal.connect(self.show_maps)
        session.inside.pointed.connect(self._show_crosses)
        canvas.view_changed.connect(lambda _: self._show_divider())  # it stays on the screen
        self.follow()

    # --- which panes there are

    @property
    def is_side_by_side(self) -> bool:
        """True while every model has a pane of its own."""
        comparison = self._session.comparison
        return comparison.is_on and comparison.look.mode == "side"

    @Slot()
    def follow(self) -> None:
        """Models came or went, or they are looked at in another way."""
        comparison = self._session.comparison
        letters = comparison.letters if self.is_side_by_side else (FIRST,)
        first = FIRST
        if self.is_side_by_side and comparison.look.shows_labels:
            first, letters = LABELS, (LABELS, *letters)
        old = list(self.panes)
        for letter in old:
            pane = self.panes[letter]
            if pane is self._main or letter not in letters or letter == first:
                del self.panes[letter]
                if pane is not self._main:
                    self._drop(pane)
        self.panes = {n: self._main if n == first else self._pane(n) for n in letters}
        for letter, pane in self.panes.items():
            pane.show_parts(letter, shown=self.is_side_by_side)
        if old != list(letters) or self._box.count() != len(self.panes):
            self._lay_out(force=True)
        self._divider.setVisible(comparison.is_on and comparison.look.mode == "swipe")
        self._divider.place(comparison.look.divider)
        self.show_all()

    def _pane(self, letter: str) -> PaneView:
        """The one that is there, or a new one."""
        pane = self.panes.get(letter)
        if pane is None:
            pane = PaneView(self._session, letter, CanvasView())
            self._link(pane)
        return pane

    def _drop(self, pane: PaneView) -> None:
        self._box.removeWidget(pane)
        pane.canvas.stop()
        pane.hide()
        pane.deleteLater()

    def _link(self, pane: PaneView) -> None:
        canvas, tools = pane.canvas, self._session.tools
        pointing = canvas.pointing
        pointing.pressed.connect(tools.press)
        pointing.moved.connect(tools.move)
        pointing.released.connect(tools.release)
        pointing.double_clicked.connect(tools.double_click)
        pointing.left.connect(tools.hide)
        pointing.turned.connect(tools.turn)
        pointing.ask_key = tools.key_pressed
        canvas.view_changed.connect(lambda view, c=canvas: self._move_others(c, view))
        canvas.hovered.connect(lambda pixel, p=pane: self._hover(p.letter, pixel))
        canvas.files_dropped.connect(self.dropped)
        canvas.tapped_space.connect(self._session.player.toggle)
        canvas.failed.connect(self._session.tell_error)
        canvas.clicked.connect(self._pin)
        canvas.set_pans(pans=self._session.editor.options.tool == "pan")
        pane.strip.alone_wanted.connect(lambda p=pane: self._measure_alone(p.letter))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()
        self._divider.place(self._session.comparison.look.divider)

    def _lay_out(self, *, force: bool = False) -> None:
        """As many columns as show the frames largest."""
        transform = self.canvas.transform
        frame = (9, 16) if transform is None else transform.frame
        shape = best_grid(len(self.panes), frame, self.size())
        if shape == self._shape and not force:
            return
        self._shape = shape
        for pane in self.panes.values():
            self._box.removeWidget(pane)
        columns = shape[1]
        for line in range(8):
            self._box.setRowStretch(line, int(line < shape[0]))
            self._box.setColumnStretch(line, int(line < columns))
        for number, pane in enumerate(self.panes.values()):
            self._box.addWidget(pane, number // columns, number % columns)
            pane.show()

    # --- what they show

    @Slot()
    def _blink(self) -> None:
        """The two of the pair change places as long as a key is held."""
        comparison = self._session.comparison
        one, other = comparison.look.pair
        places = {one: other, other: one} if comparison.is_blinking else {}
        for letter, pane in self.panes.items():
            if letter != LABELS:
                pane.header.show_blink(comparison.pane(places.get(letter, letter)))
        self.show_all()

    @Slot()
    def show_all(self) -> None:
        """The main picture and all others."""
        self.show_main()
        self.show_answers()

    def show_main(self) -> None:
        """The frame on the screen with what is drawn over it."""
        session, result = self._session, self._session.result
        if result is None:
            return
        overlay = self.composing.main(self._column())
        self.differed.emit(self.composing.counted)
        style = session.style() if overlay is None else overlay.style
        found = self._dress(self._main, style)
        if overlay is None:
            labels, prediction = session.shown_labels(), result.prediction
        else:
            labels, prediction = overlay.labels, None
        self.canvas.show_frame(result.frame, prediction, labels=labels, map=found)

    @Slot()
    def show_answers(self) -> None:
        """What every other model says about the same frame."""
        session, result = self._session, self._session.result
        comparison = session.comparison
        for letter, pane in self.panes.items():
            is_shown = self.is_side_by_side
            is_model = is_shown and letter != LABELS
            pane.show_trouble(comparison.trouble(letter) if is_model else "")
            if pane is self._main or result is None:
                continue
            overlay = self.composing.pane(letter)
            found = self._dress(pane, overlay.style)
            was_empty = pane.canvas.transform is None
            pane.canvas.show_frame(result.frame, None, labels=overlay.labels, map=found)
            if was_empty:
                self._move_others(self.canvas, self.canvas.transform)
        self._show_readings()

    @Slot()
    def show_maps(self) -> None:
        """Another map, or drawn in another way; the pictures stay."""
        for letter, pane in self.panes.items():
            self._insight.refresh(pane.canvas, letter, is_alone=not self.is_side_by_side)

    def _dress(self, pane: PaneView, style: MaskStyle) -> FeatureMap | None:
        is_alone = not self.is_side_by_side
        return self._insight.dress(pane.canvas, pane.letter, style, is_alone=is_alone)

    def show_change(self, change: object) -> None:
        """A stroke, an undo or a redo wrote a box of the labels."""
        session = self._session
        self._is_painted = True
        changed = self.composing.labels_changed(change.rect)  # type: ignore[attr-defined]  # a LabelChange
        if self.composing.difference is not None:
            self.differed.emit(self.composing.counted)
        for letter, raster, rect in changed:
            pane = self.panes.get(letter)
            if pane is not None:
                pane.canvas.update_labels(rect, raster)
        is_plain = not session.comparison.is_on or LABELS in self.panes
        labels = session.shown_labels() if is_plain and session.editor.held is not None else None
        if labels is not None and session.view.layer != "prediction":
            self.canvas.update_labels(change.rect, labels)  # type: ignore[attr-defined]  # as above

    def show_style(self) -> None:
        """How masks are drawn; another opacity alone costs one paint of each picture."""
        session, old = self._session, self._style
        self._style = style = session.style()
        if not session.comparison.is_on:
            self._dress(self._main, style)
        elif not style.draws_like(old):
            self.show_all()
        else:
            for pane in self.panes.values():
                drawn = self._insight.plain(pane.canvas)
                self._dress(pane, replace(drawn, opacity=style.opacity, hidden=style.hidden))

    def show_preview(self) -> None:
        """What the tool in the hand shows, in every pane."""
        preview = self._session.editor.preview
        for pane in self.panes.values():
            pane.canvas.set_preview(preview)
        self._show_crosses()

    @Slot()
    def follow_tool(self) -> None:
        """Whoever takes something to paint with wants to see what is painted."""
        comparison, tool = self._session.comparison, self._session.editor.options.tool
        was_pan, self._tool = self._tool == "pan", tool
        if was_pan and tool != "pan":
            self._session.inside.set_shows_labels(on=True)
            if self.is_side_by_side:
                comparison.set_look(replace(comparison.look, shows_labels=True))
        self.for_each(lambda canvas: canvas.set_pans(pans=tool == "pan"))

    @Slot()
    def _show_painted(self) -> None:
        """A stroke nobody can see would be made twice: the labels' pane comes back after it."""
        comparison = self._session.comparison
        was_painted, self._is_painted = self._is_painted, False
        if was_painted and self.is_side_by_side and not comparison.look.shows_labels:
            comparison.set_look(replace(comparison.look, shows_labels=True))

    def for_each(self, act: Callable[[CanvasView], None]) -> None:
        """Do it with every picture."""
        for pane in self.panes.values():
            act(pane.canvas)

    def clear(self) -> None:
        """Nothing is open."""
        self.for_each(CanvasView.clear)

    def stop(self) -> None:
        """Join the render threads."""
        self.for_each(CanvasView.stop)

    # --- one zoom, one pan

    def _move_others(self, mover: CanvasView, view: ViewTransform | None) -> None:
        if self._is_linking or view is None:
            return
        self._is_linking = True
        for pane in self.panes.values():
            if pane.canvas is not mover:
                if mover.is_fit:
                    pane.canvas.fit()
                else:
                    pane.canvas.show_transform(view)
        self._is_linking = False

    def _column(self) -> int:
        transform, look = self.canvas.transform, self._session.comparison.look
        if transform is None:
            result = self._session.result
            return 0 if result is None else round(look.divider * result.frame.width)
        return column_at(transform.to_frame(0.0, look.divider * transform.view[1])[1])

    def _move_divider(self, at: float) -> None:
        comparison = self._session.comparison
        comparison.blockSignals(True)  # nothing but the divider moves: no need to draw all anew
        comparison.set_look(replace(comparison.look, divider=at))
        comparison.blockSignals(False)
        self._divider.place(at)
        self._show_divider()

    def _show_divider(self) -> None:
        moved = self.composing.divider_moved(self._column())
        if moved is not None:
            raster, rect = moved
            self.canvas.update_labels(rect, raster)

    # --- the pixel under the cursor

    def _hover(self, letter: str, pixel: tuple[int, int] | None) -> None:
        self._hovered = None if pixel is None else (letter, pixel)
        self._session.inside.point(pixel)
        self.hovered.emit(pixel)
        self._show_readings()
        self._show_crosses()

    def _pin(self, pixel: tuple[int, int]) -> None:
        """A click keeps a pixel, a second one on it lets go."""
        inside = self._session.inside
        if inside.is_on:
            inside.pin(None if pixel == inside.pinned else pixel)

    def _show_readings(self) -> None:
        """Each model's word in its own pane; in one picture all of them, a line each."""
        comparison, pixel = self._session.comparison, self._hovered and self._hovered[1]
        if not comparison.is_on or pixel is None:
            for pane in self.panes.values():
                pane.show_reading("")
            return
        said = {letter: comparison.reading(letter, *pixel) for letter in comparison.letters}
        if self.is_side_by_side:
            for letter, pane in self.panes.items():
                pane.show_reading(said.get(letter, ""))
        else:
            lines = [f"{letter}   {text}" for letter, text in said.items() if text]
            self._main.show_reading("\n".join(lines))

    @Slot()
    def _show_crosses(self) -> None:
        """The same pixel in the other panes; what a tool shows is more important."""
        if not self._session.editor.preview.is_empty:
            return
        for letter, pane in self.panes.items():
            cross = self._insight.ring()
            if self._hovered is not None and self.is_side_by_side and letter != self._hovered[0]:
                y, x = self._hovered[1]
                cross = Preview(ring=Ring((y + 0.5, x + 0.5), 0.5))
            pane.canvas.set_preview(cross)

    # --- speed

    @Slot(object)
    def _show_speeds(self, _: object) -> None:
        if self.is_side_by_side:
            for letter, pane in self.panes.items():
                if letter == LABELS:
                    continue
                pane.strip.show_reading(self.figures.speed(letter))

    def _measure_alone(self, letter: str) -> None:
        pane = self.panes[letter]
        pane.strip.show_measuring(measuring=True)

        def done() -> None:
            if self.panes.get(letter) is pane:
                pane.strip.show_measuring(measuring=False)

        self.figures.measure_alone(letter, done)


def best_grid(count: int, frame: tuple[int, int], size: QSize) -> tuple[int, int]:
    """(rows, columns) in which `count` frames of (h, w) are largest."""

    def scale(columns: int) -> float:
        rows = -(-count // columns)
        height = max(1.0, size.height() / rows - HEADER - STRIP)
        return min(size.width() / columns / frame[1], height / frame[0])

    columns = max(range(1, count + 1), key=lambda c: (round(scale(c), 4), -c))
    return -(-count // columns), columns
