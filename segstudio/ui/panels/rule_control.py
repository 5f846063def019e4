"""Where a stroke may change pixels: a list, and what belongs to the rule that is chosen there."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QMenu, QSlider, QWidget, QWidgetAction

from segstudio.core.classes import VOID
from segstudio.core.look import UnsureKind, UnsureLook
from segstudio.ui.correcting.options import ToolOptions
from segstudio.ui.panels.parts import Picker, label, row
from segstudio.ui.panels.tool_control import TIGHTEST, Change, Control, set_width
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT

MEASURES: tuple[tuple[UnsureKind, str, str], ...] = (
    ("probability", "by probability", "the best class has less than {} probability"),
    ("margin", "by margin", "the best class leads the second by less than {}"),
    ("entropy", "by entropy", "the entropy is above {1}: the classes are more alike"),
    ("flip", "by mirroring", "the mirrored picture is answered otherwise by more than {1}"),
    ("flicker", "by flicker", "the class changed in more than {1} of the last frames"),
)
"""(measure, title, when a pixel may change; {}: the threshold, {1}: what is left to 100 %)."""

RULES: list[tuple[object, str]] = [
    ("everything", "everything"),
    ("void", "only void"),
    ("class", "only one class"),
    ("unsure", "where unsure"),
]


class RuleParts:
    """The widgets of a rule, in the bar or in the list that opens from it.

    rule, only (the class that may be painted over), measure, below (the threshold) and its figure.
    """

    def __init__(self, change: Change) -> None:
        self.rule = Picker("Where a stroke may change pixels", lambda v: change(rule=v))
        self.only = Picker("The class that may be painted over", lambda v: change(only=v))
        self.measure = Picker("How unsure is measured", lambda v: change(measure=v))
        self.below = QSlider(Qt.Orientation.Horizontal)
        self.below.setRange(1, 100)
        self.below.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.below.setAccessibleName("How sure the model must not be for a pixel to change")
        self.below.valueChanged.connect(lambda v: change(below=v / 100))
        self.figure = label()
        self.figure.setFixedWidth(48)

    def fill(self, session: Session, options: ToolOptions) -> None:
        """Follow what was chosen."""
        self.rule.fill(RULES, options.rule)
        classes = session.editor.classes.classes
        self.only.fill([(c.id, c.name) for c in classes] + [(VOID, "void")], options.only)
        known = _known(session)
        offered = [(m, t) for m, t, _ in MEASURES if m in known or m == options.measure]
        self.measure.fill(offered, options.measure)
        for widget in (self.below, self.figure):
            widget.setToolTip(_tip(session, options))
        self.below.blockSignals(True)
        self.below.setValue(round(100 * options.below))
        self.below.blockSignals(False)
        self.figure.setText(f"< {round(100 * options.below)} %")


def _known(session: Session) -> set[UnsureKind]:
    """Measures that there are figures of now."""
    inside = session.inside
    known: set[UnsureKind] = {"probability", "margin", "entropy"}
    if inside.is_on and isinstance(inside.look, UnsureLook):
        known.add(inside.look.kind)
    return known


def _tip(session: Session, options: ToolOptions) -> str:
    percent = round(100 * options.below)
    when = next(text for measure, _, text in MEASURES if measure == options.measure)
    tip = f"Pixels change where {when.format(f'{percent} %', f'{100 - percent} %')}"
    if options.measure not in _known(session):
        tip += "\nNothing changes now: that is known only while it is looked at (Shift+I)."
    return tip


class RuleControl(Control):
    """All of it in the bar, or the threshold, or everything, in a list that opens from the bar."""

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._parts = RuleParts(change)
        self._opened = _Opening(self._open)
        self._word = label("Paint over", tone="muted")
        parts = self._parts
        parts.only.setFixedWidth(130)
        parts.measure.setFixedWidth(124)
        shown = (parts.rule, parts.only, parts.measure, parts.below, parts.figure)
        self.setLayout(row(self._word, *shown, self._opened))
        self._level = 0
        self._rule = "everything"
        self._now: tuple[Session, ToolOptions] | None = None
        self._popup: RuleParts | None = None

    def set_level(self, level: int) -> None:
        self._level = level
        set_width(self._parts.rule, 136 if level < 2 else 118, is_tight=level >= 2)
        set_width(self._parts.only, 130 if level < 2 else 110, is_tight=level >= 2)
        self._parts.below.setFixedWidth(60 if level else 90)
        set_width(self._opened, 120 if level == TIGHTEST else 76, is_tight=True)
        self._show_parts()

    def _show_parts(self) -> None:
        """What this rule needs, as far as there is room."""
        parts, level = self._parts, self._level
        is_unsure, is_one = self._rule == "unsure", level == TIGHTEST
        for widget, is_wanted in (
            (self._word, level == 0),
            (parts.rule, not is_one),
            (parts.only, self._rule == "class" and not is_one),
            (parts.measure, is_unsure and level < 2),
            (parts.below, is_unsure and level < 2),
            (parts.figure, is_unsure and level < 2),
            (self._opened, is_one or (is_unsure and level == 2)),
        ):
            widget.setVisible(is_wanted)

    def show_options(self, session: Session, options: ToolOptions) -> None:
        self._now = session, options
        self._rule = options.rule
        self._parts.fill(session, options)
        if self._popup is not None:
            self._fill_popup(self._popup, session, options)
        below = self._parts.figure.text()
        words = {
            "class": f"only {session.editor.classes.name_of(options.only)}",
            "unsure": f"unsure {below}" if self._level == TIGHTEST else below,
        }
        text = words.get(options.rule, str(dict(RULES).get(options.rule, "")))
        self._opened.fill([(0, text)], 0)
        self._opened.setToolTip(
            _tip(session, options) if options.rule == "unsure" else self._parts.rule.toolTip()
        )
        self._show_parts()

    # --- the list that opens

    def _open(self) -> None:
        if self._now is None:
            return
        parts = RuleParts(self._change)
        page = QWidget()
        grid = QGridLayout(page)
        grid.setContentsMargins(2 * UNIT, UNIT, 2 * UNIT, UNIT)
        grid.setSpacing(UNIT)
        threshold = QWidget()
        threshold.setLayout(row(parts.below, parts.figure))
        lines: list[tuple[str, QWidget]] = [("Measure", parts.measure), ("Below", threshold)]
        if self._level == TIGHTEST:
            lines = [("Paint over", parts.rule), ("Class", parts.only), *lines]
        for line, (title, widget) in enumerate(lines):
            widget.setMinimumWidth(180)
            grid.addWidget(label(title, tone="muted"), line, 0)
            grid.addWidget(widget, line, 1)
        self._fill_popup(parts, *self._now)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        action = QWidgetAction(menu)
        action.setDefaultWidget(page)
        menu.addAction(action)
        self._popup = parts
        menu.aboutToHide.connect(self._forget_popup)
        menu.popup(self._opened.mapToGlobal(self._opened.rect().bottomLeft()))

    def _forget_popup(self) -> None:
        self._popup = None

    @staticmethod
    def _fill_popup(parts: RuleParts, session: Session, options: ToolOptions) -> None:
        """Nothing comes or goes there: a list that is open does not change its size."""
        parts.fill(session, options)
        parts.only.setEnabled(options.rule == "class")
        for widget in (parts.measure, parts.below, parts.figure):
            widget.setEnabled(options.rule == "unsure")


class _Opening(Picker):
    """Looks like a list, and opens more than one."""

    def __init__(self, open_it: Callable[[], None]) -> None:
        super().__init__("Where a stroke may change pixels", lambda _: None)
        self._open_it = open_it

    def showPopup(self) -> None:
        self._open_it()
