"""Two charts as SVG: IoU by class and model, and accuracy over speed."""

import itertools
import math
from collections.abc import Mapping, Sequence

from segstudio.cli.html.tags import Markup, number, percent, tag

COLOURS = 8
"""How many colours the style sheet has for models; more models begin again."""

_BAR = 10
_LABEL = 150
_WIDTH = 1000


def colour(index: int) -> str:
    """The colour of the model at that place, as CSS."""
    return f"var(--m{index % COLOURS})"


def dot(index: int) -> Markup:
    """The mark of a model before its name."""
    return tag("span", class_="dot", style=f"background:{colour(index)}")


def legend(names: Sequence[str]) -> Markup:
    """Which colour is which model."""
    return tag("div", [tag("span", dot(i), name) for i, name in enumerate(names)], class_="legend")


def bars(classes: Sequence[str], values: Mapping[str, Sequence[float]], title: str) -> Markup:
    """A group of bars per class. values: model → 0..1 for each class, NaN for nothing to say."""
    group = _BAR * len(values) + 12
    height = group * len(classes) + 24
    right = _WIDTH - 60
    parts: list[Markup] = []
    for tick in range(0, 101, 20):
        x = _LABEL + (right - _LABEL) * tick / 100
        parts.append(tag("line", class_="grid", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=0, y2=height - 22))
        parts.append(_text(x, height - 6, str(tick), anchor="middle", class_="soft"))
    for row, class_name in enumerate(classes):
        top = row * group + 6
        middle = top + _BAR * len(values) / 2 + 4
        parts.append(_text(_LABEL - 10, middle, _short(class_name), anchor="end"))
        for index, (model, figures) in enumerate(values.items()):
            value = figures[row]
            told = f"{class_name}, {model}: {percent(value)} %"
            parts.append(_bar(top + index * _BAR, value, right, index, told))
    return _svg(parts, height, title)


def _bar(top: float, value: float, right: float, index: int, told: str) -> Markup:
    if value != value:
        return _text(_LABEL + 2, top + _BAR - 1, "–", class_="soft")
    width = max((right - _LABEL) * value, 1)
    return tag(
        "g",
        tag("title", told),
        tag(
            "rect",
            x=_LABEL,
            y=f"{top:.1f}",
            width=f"{width:.1f}",
            height=_BAR - 2,
            rx=1,
            style=f"fill:{colour(index)}",
        ),
        _text(_LABEL + width + 5, top + _BAR - 1.5, percent(value), size=9, class_="soft"),
    )


def scatter(points: Sequence[tuple[str, float, float]], title: str) -> Markup:
    """Model, frames per second and mIoU (0..1): up and right is better. Speed is logarithmic."""
    height, left, bottom = 340, 60, 290
    right = _WIDTH - 180
    low, high = _decade([fps for _, fps, _ in points])
    floor, ceiling = _rounded([miou for _, _, miou in points])

    def x_of(fps: float) -> float:
        return left + (right - left) * math.log(fps / low) / math.log(high / low)

    def y_of(miou: float) -> float:
        return bottom - (bottom - 20) * (miou - floor) / (ceiling - floor)

    parts = [
        tag("line", class_="axis", x1=left, x2=right, y1=bottom, y2=bottom),
        tag("line", class_="axis", x1=left, x2=left, y1=20, y2=bottom),
        _text((left + right) / 2, height - 10, "frames per second", anchor="middle", class_="soft"),
        _text(8, 10, "mIoU, %", class_="soft"),
    ]
    for tick in _ticks(low, high):
        x = x_of(tick)
        parts.append(tag("line", class_="grid", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=20, y2=bottom))
        parts.append(_text(x, bottom + 18, f"{tick:g}", anchor="middle", class_="soft"))
    for step in range(5):
        miou = floor + (ceiling - floor) * step / 4
        y = y_of(miou)
        parts.append(tag("line", class_="grid", x1=left, x2=right, y1=f"{y:.1f}", y2=f"{y:.1f}"))
        parts.append(_text(left - 8, y + 4, number(100 * miou, 0), anchor="end", class_="soft"))
    places = [(x_of(fps), y_of(miou)) for _, fps, miou in points]
    for index, ((name, fps, miou), (x, y), at) in enumerate(
        zip(points, places, _apart([y for _, y in places]), strict=True)
    ):
        told = f"{name}: {percent(miou)} % mIoU at {number(fps)} frames per second"
        mark = tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=6, style=f"fill:{colour(index)}")
        parts.append(tag("g", tag("title", told), mark, _text(x + 12, at + 4, _short(name, 26))))
    return _svg(parts, height, title)


def _decade(values: Sequence[float]) -> tuple[float, float]:
    """Ends of the logarithmic axis: steps 1, 2, 5 around all values."""
    steps = [m * 10.0**e for e in range(-4, 6) for m in (1, 2, 5)]
    low = max((s for s in steps if s < min(values) * 0.97), default=steps[0])
    high = min((s for s in steps if s > max(values) * 1.03), default=steps[-1])
    return low, high


def _ticks(low: float, high: float) -> list[float]:
    """Where the logarithmic axis is marked: closely on a short one, sparsely on a long one."""
    for marks in ((1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8), (1, 2, 5), (1,)):
        steps = [m * 10.0**e for e in range(-4, 6) for m in marks]
        found = [s for s in steps if low * 0.999 <= s <= high * 1.001]
        if len(found) <= 10:
            return found
    return [low, high]


def _rounded(values: Sequence[float]) -> tuple[float, float]:
    """Ends of the mIoU axis, 0..1, around all values: four equal steps of whole percents."""
    least, most = 100 * min(values) - 1.5, 100 * max(values) + 1.5
    for step in (1, 2, 5, 10):
        low = max(0, math.floor(least / step) * step)
        if low + 4 * step >= most:
            return low / 100, (low + 4 * step) / 100
    return 0.0, 1.0


def _apart(wished: Sequence[float], gap: float = 15) -> list[float]:
    """Where labels go so that none lies on another: pushed down in order of height."""
    placed = list(wished)
    order = sorted(range(len(wished)), key=lambda i: wished[i])
    for before, after in itertools.pairwise(order):
        placed[after] = max(placed[after], placed[before] + gap)
    return placed


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    size: int = 0,
    class_: str | None = None,
) -> Markup:
    style = f"font-size:{size}px" if size else None
    return tag(
        "text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, style=style, class_=class_
    )


def _svg(parts: list[Markup], height: float, title: str) -> Markup:
    return tag(
        "svg",
        tag("title", title),
        parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDTH} {height:.0f}",
        width=_WIDTH,
        height=f"{height:.0f}",
        role="img",
    )


def _short(text: str, most: int = 20) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
