"""Text on the surfaces it is painted on: 4.5 : 1 at least (WCAG 2.1, level AA), in both themes."""

import pytest
from PySide6.QtGui import QColor

from segstudio.ui import theme

PAIRS = (
    [
        (text, ground)
        for ground in ("window", "panel", "raised", "field")
        for text in ("text", "muted", "faint", "good", "warn", "bad")
    ]
    + [(text, "accent_soft") for text in ("text", "muted", "good")]
    + [("accent_text", "accent")]
)


def luminance(color: str) -> float:
    parts = (QColor(color).redF(), QColor(color).greenF(), QColor(color).blueF())
    r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("colors", [theme.DARK, theme.LIGHT], ids=lambda c: c.name)
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read(colors, text, ground):
    one, other = luminance(getattr(colors, text)), luminance(getattr(colors, ground))
    assert (max(one, other) + 0.05) / (min(one, other) + 0.05) >= 4.5


@pytest.mark.parametrize("text", [theme.VEIL_TEXT, theme.VEIL_BAD])
def test_text_can_be_read_over_the_brightest_picture(text):
    *ground, alpha = theme.VEIL
    seen = [round((c * alpha + 255 * (255 - alpha)) / 255) for c in ground]
    one, other = luminance(text), luminance(QColor(*seen).name())
    assert (one + 0.05) / (other + 0.05) >= 4.5
