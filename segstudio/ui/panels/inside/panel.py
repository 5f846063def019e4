"""The column that looks inside a model: layers, evidence for classes, uncertainty."""

from dataclasses import replace

from PySide6.QtCore import QSize, Qt, QTimer, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QSplitter, QVBoxLayout, QWidget

from segstudio.core.feature_map import FeatureMap
from segstudio.core.look import ClassLook, EvidenceLook, LayerLook, Look, Scale, Seen, UnsureLook
from segstudio.ui.icons import IconButton
from segstudio.ui.panels.inside.choices import sentence
from segstudio.ui.panels.inside.evidence import EvidencePage, needs_pixel
from segstudio.ui.panels.inside.histogram import MapLegend
from segstudio.ui.panels.inside.layers import LayersPage
from segstudio.ui.panels.inside.page import Page
from segstudio.ui.panels.inside.scale import ScaleControls
from segstudio.ui.panels.inside.style import StyleControls
from segstudio.ui.panels.inside.unsure import UnsurePage
from segstudio.ui.panels.inside.work import WorkLine
from segstudio.ui.panels.parts import (
    Elided,
    Picker,
    Segments,
    Spinner,
    label,
    row,
    rule,
    set_tone,
)
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT, tabular

WIDTH, LEAST = 340, 300

TABS = (
    ("layers", "Layers", "What each layer of the network answers"),
    ("evidence", "Evidence", "What speaks for a class"),
    ("unsure", "Unsure", "Where the model is not certain"),
)

TREE_SHARE = 0.42
"""How much of the height the tree and the views take; the line below them can be dragged."""

PATIENCE_MS = 250
"""What takes longer is shown to be under way."""

DAMAGED = "This frame is damaged; the model does not see it."

COST_TIP = (
    "What looking inside adds to a frame, in milliseconds. Closed, this column costs nothing."
)

SIGNED_MAP = "blue-red"
"""Of numbers on both sides of 0."""

_PLAIN_SCALE = ("mean", "max", "norm", "channel", "similar")


class InsidePanel(QFrame):
    """A place for the column, which is made when it is shown for the first time.

    It takes a third of a second, and most people who start the program correct labels.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setAccessibleName("Inside")
        self._session = session
        self._column: Column | None = None
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self.setMinimumWidth(LEAST)
        self.resize(WIDTH, self.height())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._column is None:
            self._column = Column(self._session)
            self._box.addWidget(self._column)
            self._column.show()

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, 600)


class Column(QFrame):
    """Listens to `session.inside` and tells it, while it is seen; keeps which page is shown."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setProperty("look", "panel")
        self._session, self._inside = session, session.inside
        self._tab = "layers"
        self._pinned = self._inside.pinned
        self._is_signed, self._plain_map = False, ""
        self._is_divided = False
        self._tabs = Segments(TABS, self._pick_tab)
        self._layers = LayersPage(session)
        self._pages: dict[str, Page] = {
            "layers": self._layers,
            "evidence": EvidencePage(session),
            "unsure": UnsurePage(session),
        }
        self._note = sentence()
        self._empty, self._spinner = sentence(), Spinner()
        self._empty.setAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        self._waiting = QWidget()
        waiting = row(self._spinner, self._empty)
        waiting.setStretch(1, 1)
        waiting.setContentsMargins(0, UNIT, 0, UNIT)
        self._waiting.setLayout(waiting)
        self._legend = MapLegend()
        self._scale = ScaleControls(self._set_scale)
        self._style = StyleControls(
            self._inside.set_style, lambda on: self._inside.set_shows_labels(on=on)
        )
        self._build()
        inside = self._inside
        for signal in (
            inside.changed,
            inside.tree_changed,
            session.comparison.changed,
            session.player.source_changed,
        ):
            signal.connect(self.follow)
        session.editor.selection_changed.connect(self._follow_selection)
        inside.arrived.connect(self.see)
        inside.pointed.connect(self._point)
        inside.asked.connect(self._show_busy)

    def _build(self) -> None:
        self._model = Elided(look="small", tone="muted")
        self._letter = Picker("Whose inside is shown", lambda v: self._inside.set_letter(str(v)))
        self._cost = label(look="small", tone="muted")
        self._cost.setFont(tabular(self._cost.font()))
        self._cost.setToolTip(COST_TIP)
        self._busy = Spinner(12)
        self._busy.setToolTip("The model is working on it")
        self._busy.hide()
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._patience.timeout.connect(lambda: self._busy.setVisible(self._inside.is_asking))
        close = IconButton("close", "Close (Shift+I)")
        close.clicked.connect(lambda _=False: self._inside.turn_off())
        head = QFrame()
        lines = QVBoxLayout(head)
        lines.setContentsMargins(2 * UNIT, UNIT // 2, UNIT, UNIT)
        lines.setSpacing(UNIT // 2)
        lines.addLayout(row(label("Inside", look="title"), 1, self._busy, self._cost, close))
        below = row(self._letter, self._model)
        below.setContentsMargins(0, 0, UNIT, 0)
        lines.addLayout(below)
        tabs = row(self._tabs)
        tabs.setContentsMargins(0, UNIT // 2, UNIT, 0)
        lines.addLayout(tabs)
        body = QFrame()
        body.setProperty("look", "panel")
        column = QVBoxLayout(body)
        column.setContentsMargins(2 * UNIT, 0, 2 * UNIT, 2 * UNIT)
        column.setSpacing(UNIT)
        column.addWidget(self._waiting)
        for page in self._pages.values():
            column.addWidget(page)
        column.addWidget(WorkLine(self._inside))
        column.addWidget(self._note)
        self._drawing = QWidget()
        drawing = QVBoxLayout(self._drawing)
        drawing.setContentsMargins(0, 0, 0, 0)
        drawing.setSpacing(UNIT)
        drawing.addWidget(rule())
        for part in (self._legend, self._scale, self._style):
            drawing.addWidget(part)
        column.addWidget(self._drawing)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(body)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._bar = scroll.verticalScrollBar()
        self._bar.rangeChanged.connect(self._make_room)
        self._column = column
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(head)
        self._top = QWidget()
        above = QVBoxLayout(self._top)
        above.setContentsMargins(2 * UNIT, UNIT // 2, 2 * UNIT, UNIT)
        above.addWidget(self._layers.top)
        scroll.setMinimumHeight(12 * UNIT)
        self._halves = QSplitter(Qt.Orientation.Vertical)
        self._halves.setChildrenCollapsible(False)
        self._halves.setHandleWidth(3)
        for place, half in enumerate((self._top, scroll)):
            self._halves.addWidget(half)
            self._halves.setStretchFactor(place, 2 + place)
        whole.addWidget(self._halves, 1)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.follow()
        if not event.spontaneous() and not self._is_divided:
            self._is_divided = True
            height = max(1, self._halves.height())
            tree = round(height * TREE_SHARE)
            self._halves.setSizes([tree, height - tree])

    # --- follow

    @Slot(int, int)
    def _make_room(self, _low: int, high: int) -> None:
        """The scroll bar takes of the margin, so that nothing moves when it comes."""
        bar = self._bar.sizeHint().width() if high > 0 else 0
        self._column.setContentsMargins(2 * UNIT, 0, 2 * UNIT - bar, 2 * UNIT)

    @Slot()
    def follow(self) -> None:
        """Another look, model, tree or style."""
        if not self.isVisible():
            return
        inside = self._inside
        if isinstance(inside.look, LayerLook | EvidenceLook | ClassLook | UnsureLook):
            self._tab = tab_of(inside.look)
        self._follow_sign()
        self._show_model()
        waits = self._waits()
        self._empty.setText(waits)
        self._waiting.setVisible(bool(waits))
        self._spinner.setVisible(bool(waits) and inside.is_reading)
        self._tabs.show_value(self._tab)
        has_model = self._session.models.chosen is not None
        self._tabs.setEnabled(has_model)
        for name, page in self._pages.items():
            is_here = has_model and name == self._tab and not (name == "layers" and waits)
            page.setVisible(is_here)
            if is_here:
                page.follow()
        self._top.setVisible(has_model and self._tab == "layers" and not waits)
        self._drawing.setVisible(has_model and inside.look is not None)
        self.see()

    @Slot()
    def see(self) -> None:
        """What arrived for the frame on the screen."""
        if not self.isVisible():
            return
        inside = self._inside
        seen = inside.seen
        self._cost.setText("" if seen is None else f"+{duration(seen.ms)}")
        self._show_note(seen)
        found = seen.map if seen is not None else None
        look = inside.look
        is_share = isinstance(look, UnsureLook) or (
            isinstance(look, ClassLook) and look.against is None
        )
        sides = self._pages[self._tab].sides(look) if is_signed(look) else ("", "")
        self._legend.show_map(found, inside.style, "%" if is_share else "", sides)
        self._legend.point(inside.pixel or inside.pinned)
        is_empty = found is None and (seen is not None or self._is_damaged())
        self._legend.setHidden(is_empty)
        scale = scale_of(look)
        self._scale.setVisible(scale is not None and not is_empty)
        if scale is not None:
            self._scale.show_scale(scale, found, "%" if is_share else "")
        self._style.show_style(
            inside.style,
            shows_labels=inside.shows_labels,
            has_ramp=_has_ramp(look, found),
            is_flat=isinstance(look, LayerLook) and look.show == "segments",
        )
        if self._tab in self._pages:
            self._pages[self._tab].see(seen)

    @Slot()
    def _show_busy(self) -> None:
        """A turning arc, but not for what comes at once."""
        if not self._inside.is_asking:
            self._patience.stop()
            self._busy.hide()
        elif not self._patience.isActive() and self._busy.isHidden():
            self._patience.start()

    @Slot()
    def _point(self) -> None:
        self._legend.point(self._inside.pixel or self._inside.pinned)
        if self._inside.pinned != self._pinned:
            self._pinned = self._inside.pinned
            self._pages[self._tab].follow()

    @Slot()
    def _follow_selection(self) -> None:
        if self._tab == "layers":
            self._layers.follow_selection()

    def _follow_sign(self) -> None:
        """A lead has two sides: it gets colours that have them too, and others theirs back."""
        from segstudio.core.color_maps import DIVERGING

        inside, before = self._inside, self._is_signed
        self._is_signed = is_signed(inside.look)
        now = inside.style.color_map
        if self._is_signed and not before and now not in DIVERGING:
            self._plain_map = now
            inside.set_style(replace(inside.style, color_map=SIGNED_MAP))
        elif before and not self._is_signed and self._plain_map:
            plain, self._plain_map = self._plain_map, ""
            if now == SIGNED_MAP:
                inside.set_style(replace(inside.style, color_map=plain))

    def _show_model(self) -> None:
        comparison, letters = self._session.comparison, self._inside.letters
        is_choice = len(letters) > 1
        self._letter.setVisible(is_choice)
        self._model.setVisible(not is_choice)
        self._letter.fill([(n, comparison.title(n)) for n in letters], self._inside.letter)
        pane = comparison.pane(self._inside.letter)
        self._model.show_text("" if pane is None else pane.title)

    def _waits(self) -> str:
        """Why there is no tree, "" when there is one; only the page of layers needs it."""
        inside = self._inside
        if self._session.models.chosen is None:
            return "Choose a model to look inside."
        if inside.tree is not None or self._tab != "layers":
            return ""
        if inside.trouble:
            return inside.trouble
        if self._session.info is None:
            return "Open a picture or a video to look inside."
        return "Reading the layers…"

    def _show_note(self, seen: Seen | None) -> None:
        """Trouble first, then what people should know."""
        inside = self._inside
        trouble = inside.trouble if self._waiting.isHidden() else ""
        look = inside.look
        is_asked = isinstance(look, EvidenceLook) and look.pixel is None and needs_pixel(look)
        said = "" if seen is None or is_asked else seen.note  # the page asks for it
        if self._is_damaged():
            said = DAMAGED
        text = trouble or inside.note or said
        self._note.setText(text)
        set_tone(self._note, "bad" if trouble else "muted")
        self._note.setVisible(bool(text) and self._session.models.chosen is not None)

    def _is_damaged(self) -> bool:
        result = self._session.result
        return result is not None and bool(result.frame.note)

    # --- tell

    def _pick_tab(self, tab: str) -> None:
        self._tab = tab
        look = self._pages[tab].look()
        if look is not None:
            self._inside.set_look(look)
        self.follow()

    def _set_scale(self, scale: Scale) -> None:
        look = self._inside.look
        if isinstance(look, LayerLook | ClassLook):
            self._inside.set_look(replace(look, scale=scale))


def duration(ms: float) -> str:
    """2.13 -> "2.1 ms", 335.4 -> "335 ms", 1294 -> "1.3 s"."""
    if ms >= 999.5:
        return f"{ms / 1000:.1f} s"
    return f"{ms:.0f} ms" if ms >= 99.95 else f"{ms:.1f} ms"


def is_signed(look: Look | None) -> bool:
    """Numbers on both sides of 0, which is the border."""
    return isinstance(look, ClassLook) and look.against is not None


def tab_of(look: Look) -> str:
    """The page that a look belongs to."""
    if isinstance(look, LayerLook):
        return "layers"
    return "unsure" if isinstance(look, UnsureLook) else "evidence"


def scale_of(look: Look | None) -> Scale | None:
    """Of looks at numbers whose ends can be chosen."""
    if isinstance(look, ClassLook):
        return look.scale
    return look.scale if isinstance(look, LayerLook) and look.show in _PLAIN_SCALE else None


def _has_ramp(look: Look | None, found: FeatureMap | None) -> bool:
    """Whether a colour map paints it."""
    if found is not None:
        return found.kind == "values"
    return not (isinstance(look, LayerLook) and look.show in ("pca", "segments"))
