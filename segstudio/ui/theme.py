"""Colours, spacing and the style sheet: one place for how SegStudio looks.

Fusion is the base on every system. Text keeps a contrast of at least 4.5 : 1 on every surface it
is used on, in both themes (tests/ui/test_theme.py computes it). One accent colour; green, amber
and red only where they mean something.
"""

from dataclasses import asdict, dataclass
from string import Template

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from segstudio import paths

UNIT = 8
"""Every distance is a multiple or a half of this many pixels."""


@dataclass(frozen=True, slots=True)
class Colors:
    """One theme. Names say what a colour is for, not what it looks like.

    backdrop: around the picture. window: bars. panel: side panel. raised: cards and menus.
    field: buttons and inputs. hover, pressed: the same under the mouse. line: borders.
    text, muted, faint: three weights of text. accent_text: on the accent.
    """

    name: str
    backdrop: str
    window: str
    panel: str
    raised: str
    field: str
    hover: str
    pressed: str
    line: str
    line_strong: str
    text: str
    muted: str
    faint: str
    accent: str
    accent_hover: str
    accent_text: str
    accent_soft: str
    good: str
    warn: str
    bad: str
    track: str


DARK = Colors(
    name="dark",
    backdrop="#0e0f11",
    window="#17181b",
    panel="#17181b",
    raised="#1e2024",
    field="#282b30",
    hover="#32353c",
    pressed="#3b3f47",
    line="#2a2c32",
    line_strong="#3a3d45",
    text="#e8e9ec",
    muted="#a9adb6",
    faint="#8e939d",
    accent="#5ea0ff",
    accent_hover="#7cb2ff",
    accent_text="#08111f",
    accent_soft="#22324a",
    good="#57c993",
    warn="#f2b556",
    bad="#ff7b74",
    track="#34373e",
)

LIGHT = Colors(
    name="light",
    backdrop="#dfe1e6",
    window="#f4f5f7",
    panel="#f4f5f7",
    raised="#ffffff",
    field="#ffffff",
    hover="#e9ebef",
    pressed="#dcdfe5",
    line="#dde0e6",
    line_strong="#c3c8d1",
    text="#1a1c20",
    muted="#525862",
    faint="#636973",
    accent="#1d66d6",
    accent_hover="#1758bd",
    accent_text="#ffffff",
    accent_soft="#dbe8fc",
    good="#14753f",
    warn="#8a5700",
    bad="#c0302b",
    track="#cfd3db",
)

VEIL, VEIL_TEXT, VEIL_BAD = (16, 17, 20, 220), "#f2f3f5", "#ffb8b3"
"""Words over a picture: RGBA of the ground, text and bad news on it. Alike in both themes, since
the picture is no darker in either."""

FONTS = ("Inter-Regular.otf", "Inter-SemiBold.otf")
"""Shipped for systems whose own interface font is a stopgap, or that have none at all."""


def current() -> Colors:
    """The theme in use; for widgets that paint themselves."""
    app = QApplication.instance()
    return LIGHT if app is not None and app.property("segstudioTheme") == "light" else DARK


def resolve(choice: str) -> Colors:
    """The theme that "system", "light" or "dark" means now; dark where the system is silent."""
    if choice == "light":
        return LIGHT
    if choice == "dark":
        return DARK
    scheme = QGuiApplication.styleHints().colorScheme()
    return LIGHT if scheme == Qt.ColorScheme.Light else DARK


def apply(app: QApplication, choice: str) -> Colors:
    """Give the whole program the theme; cheap when nothing changes."""
    colors = resolve(choice)
    if app.property("segstudioTheme") == colors.name:
        return colors
    if app.property("segstudioTheme") is None:
        app.setStyle("Fusion")
        app.setFont(interface_font())
    app.setProperty("segstudioTheme", colors.name)
    app.setPalette(palette(colors))
    app.setStyleSheet(style_sheet(colors))
    return colors


def interface_font() -> QFont:
    """13 px of the system's own font on macOS and Windows, of Inter elsewhere."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    if QGuiApplication.platformName() not in ("cocoa", "windows"):
        for name in FONTS:
            known = QFontDatabase.addApplicationFont(str(paths.resources() / "fonts" / name))
            if known >= 0:
                font = QFont(QFontDatabase.applicationFontFamilies(known)[0])
    font.setPixelSize(13)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font


def tabular(font: QFont) -> QFont:
    """The same font with figures of one width, so that changing numbers do not jitter."""
    copy = QFont(font)
    copy.setFeature(QFont.Tag("tnum"), 1)
    return copy


def palette(colors: Colors) -> QPalette:
    """What Fusion and self-painted widgets use."""
    role = QPalette.ColorRole
    plain = {
        role.Window: colors.window,
        role.WindowText: colors.text,
        role.Base: colors.field,
        role.AlternateBase: colors.raised,
        role.Text: colors.text,
        role.PlaceholderText: colors.faint,
        role.Button: colors.field,
        role.ButtonText: colors.text,
        role.BrightText: colors.bad,
        role.ToolTipBase: colors.raised,
        role.ToolTipText: colors.text,
        role.Highlight: colors.accent,
        role.HighlightedText: colors.accent_text,
        role.Link: colors.accent,
        role.Light: colors.hover,
        role.Midlight: colors.hover,
        role.Mid: colors.line,
        role.Dark: colors.line_strong,
        role.Shadow: colors.backdrop,
    }
    result = QPalette()
    for key, value in plain.items():
        result.setColor(key, QColor(value))
    for key in (role.WindowText, role.Text, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, key, QColor(colors.faint))
    return result


def style_sheet(colors: Colors) -> str:
    """The style sheet with the colours and the folder of the small images filled in."""
    images = (paths.resources() / "icons" / colors.name).as_posix()
    return Template(_SHEET).substitute(
        asdict(colors), images=images, veil=f"rgba{VEIL}", veil_text=VEIL_TEXT, veil_bad=VEIL_BAD
    )


_SHEET = """
* { outline: none; }
QWidget { font-size: 13px; }
QMainWindow, QDialog { background: $window; }
QToolTip { background: $raised; color: $text; border: 1px solid $line_strong; padding: 1px 3px; }

QMenuBar { background: $window; color: $muted; padding: 2px 6px; border: none; }
QMenuBar::item { background: transparent; padding: 5px 10px; border-radius: 5px; }
QMenuBar::item:selected, QMenuBar::item:pressed { background: $hover; color: $text; }
QMenu { background: $raised; color: $text; border: 1px solid $line_strong; padding: 6px; }
QMenu::item { padding: 6px 28px 6px 26px; border-radius: 5px; background: transparent; }
QMenu::item:selected { background: $accent_soft; }
QMenu::item:disabled { color: $faint; }
QMenu::separator { height: 1px; background: $line; margin: 6px 8px; }
QMenu::indicator { width: 14px; height: 14px; left: 7px; }
QMenu::indicator:checked { image: url("$images/check.svg"); }
QMenu::right-arrow { image: url("$images/chevron-right.svg"); width: 14px; height: 14px;
  right: 6px; }

QPushButton { background: $field; color: $text; border: 1px solid $line_strong; border-radius: 6px;
  padding: 0 14px; min-height: 28px; }
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $pressed; }
QPushButton:disabled { color: $faint; border-color: $line; }
QPushButton:focus { border-color: $accent; }
QPushButton[look="primary"] { background: $accent; border-color: $accent; color: $accent_text;
  font-weight: 600; }
QPushButton[look="primary"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[look="primary"]:disabled { background: $field; border-color: $line; color: $faint; }
QPushButton[look="link"] { background: transparent; border: none; color: $accent; padding: 0 2px;
  min-height: 20px; text-align: left; }
QPushButton[look="link"]:hover { color: $accent_hover; text-decoration: underline; }
QPushButton[look="segment"] { border: none; background: transparent; color: $muted;
  min-height: 24px; padding: 0 8px; border-radius: 5px; }
QPushButton[look="segment"]:hover { color: $text; }
QPushButton[look="segment"]:checked { background: $accent_soft; color: $text; font-weight: 600; }
QFrame[look="segments"] { background: $field; border: 1px solid $line_strong; border-radius: 7px; }

QToolButton { background: transparent; border: 1px solid transparent; border-radius: 6px;
  padding: 5px; }
QToolButton:hover { background: $hover; }
QToolButton:pressed { background: $pressed; }
QToolButton:checked { background: $accent_soft; }
QToolButton:focus { border-color: $accent; }
QToolButton[look="text"] { padding: 4px 10px 4px 8px; color: $text; }
QToolButton[look="play"] { background: $accent; border-radius: 16px; padding: 6px; }
QToolButton[look="play"]:hover { background: $accent_hover; }
QToolButton[look="play"]:disabled { background: $field; }
QToolButton::menu-indicator { image: none; width: 0; }

QComboBox { background: $field; color: $text; border: 1px solid $line_strong; border-radius: 6px;
  padding: 0 8px 0 10px; min-height: 28px; }
QComboBox[look="tight"] { padding: 0 2px 0 7px; }
QComboBox[look="tight"]::drop-down { width: 18px; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QComboBox:hover { background: $hover; }
QComboBox:focus { border-color: $accent; }
QComboBox:disabled { color: $faint; border-color: $line; }
QComboBox::drop-down { border: none; width: 24px; }
QComboBox::down-arrow { image: url("$images/chevron-down.svg"); width: 14px; height: 14px; }
QComboBox QAbstractItemView { background: $raised; color: $text; border: 1px solid $line_strong;
  padding: 4px; selection-background-color: $accent_soft; selection-color: $text; }
QComboBox QAbstractItemView::item:selected { background: $accent_soft; }
QComboBox QAbstractItemView::item { min-height: 26px; padding: 0 6px; border-radius: 4px; }

QLineEdit, QSpinBox, QDoubleSpinBox, QPlainTextEdit { background: $field; color: $text;
  border: 1px solid $line_strong; border-radius: 6px; padding: 0 8px; min-height: 28px;
  selection-background-color: $accent; selection-color: $accent_text; }

QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QPlainTextEdit:focus {
  border-color: $accent; }
QPlainTextEdit { padding: 8px; }
QSpinBox, QDoubleSpinBox { padding: 0; }
QSpinBox::up-button, QSpinBox::down-button { width: 0; border: none; }
QDoubleSpinBox::up-button, QDoubleSpinBox::down-button { width: 0; border: none; }

QSlider { min-height: 20px; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $track; }
QSlider::sub-page:horizontal { height: 4px; border-radius: 2px; background: $accent; }
QSlider::sub-page:horizontal:disabled { background: $track; }
QSlider::handle:horizontal { width: 14px; height: 14px; margin: -5px 0; border-radius: 7px;
  background: $text; }
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus { background: $accent_hover; }
QSlider::handle:horizontal:disabled { background: $faint; }

QCheckBox { color: $text; spacing: 8px; min-height: 24px; }
QCheckBox::indicator { width: 16px; height: 16px; border: 1px solid $line_strong;
  border-radius: 4px;
  background: $field; }
QCheckBox::indicator:hover { border-color: $accent; }
QCheckBox::indicator:focus { border-color: $accent; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent;
  image: url("$images/check-on.svg"); }

QScrollArea, QScrollArea > QWidget > QWidget[look="panel"] { background: $panel; border: none; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 2px; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 2px; }
QScrollBar::handle { background: $line_strong; border-radius: 3px; min-height: 28px;
  min-width: 28px; }
QScrollBar::handle:hover { background: $faint; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QSplitter::handle { background: $line; }
QSplitter::handle:hover { background: $accent; }
QProgressBar { background: $track; border: none; border-radius: 2px; max-height: 4px;
  min-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }

QFrame[look="bar"] { background: $window; border: none; }
QFrame[look="top"] { background: $window; border: none; border-bottom: 1px solid $line; }
QFrame[look="tools"] { background: $window; border: none; border-right: 1px solid $line; }
QFrame[look="bottom"] { background: $window; border: none; border-top: 1px solid $line; }
QFrame[look="card"] { background: $raised; border: 1px solid $line; border-radius: 8px; }
QFrame[look="rule"] { background: $line; border: none; }
QFrame[look="notice"] { background: $raised; border: 1px solid $line_strong; border-radius: 8px; }
QWidget[look="backdrop"] { background: $backdrop; }
QListView { background: transparent; border: none; color: $text; }
QListView[look="steps"]::item { padding: 0 8px; border-radius: 4px; }
QListView[look="steps"]::item:hover { background: $hover; }
QListView[look="steps"]::item:selected { background: $accent_soft; }
QListView[look="list"] { background: $field; border: 1px solid $line_strong; border-radius: 6px;
  padding: 4px; }
QListView[look="list"]::item { min-height: 28px; border-radius: 4px; padding: 0 8px; color: $text; }
QListView[look="list"]::item:selected { background: $accent_soft; color: $text; }

QLabel { background: transparent; color: $text; }
QLabel[tone="muted"] { color: $muted; }
QLabel[tone="faint"] { color: $faint; }
QLabel[tone="good"] { color: $good; }
QLabel[tone="warn"] { color: $warn; }
QLabel[tone="bad"] { color: $bad; }
QLabel[look="title"] { font-weight: 600; }
QLabel[look="section"] { color: $muted; font-size: 12px; font-weight: 600; }
QLabel[look="small"] { font-size: 12px; }
QLabel[look="status"] { font-size: 12px; color: $muted; }
QLabel[look="hero"] { font-size: 22px; font-weight: 600; }
QLabel[look="veil"] { background: $veil; color: $veil_text; border-radius: 6px; padding: 4px 8px; }
QLabel[look="veil"][tone="bad"] { color: $veil_bad; }
QLabel[look="key"] { background: $field; border: 1px solid $line_strong; border-radius: 4px;
  padding: 1px 6px; font-size: 12px; color: $text; }
"""
