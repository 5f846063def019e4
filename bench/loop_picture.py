"""The loop's figures as a table and as a picture: mIoU and strokes over the frames corrected."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

Row = Mapping[str, Any]
Point = tuple[float, float]

MIOU, STROKES, TO_MOST = "miou", "mean_strokes", "strokes_to_most"
SHOWN = (
    (MIOU, "mIoU on frames never trained on", 2),
    (TO_MOST, "strokes until 95 % are right", 0),
    (STROKES, "strokes until nothing is left", 0),
)

WIDTH, ROW_HEIGHT, TOP = 900, 330, 52
PANEL, LEFTS = (222, 220), (58, 356, 654)
COLORS = {"random": "#8a5a00", "ranking": "#0b62a4"}
DASHES = {"random": "7 4", "ranking": "none"}
NAMES = {"random": "by lot", "ranking": "segstudio suggest"}


@dataclass(frozen=True, slots=True)
class Spread:
    """Of several runs."""

    mean: float
    least: float
    most: float

    @staticmethod
    def of(values: Sequence[float]) -> "Spread":
        return Spread(statistics.mean(values), min(values), max(values))

    def text(self, digits: int) -> str:
        """The mean; least and most where they differ."""
        said = f"{self.mean:.{digits}f}"
        if self.least == self.most:
            return said
        return f"{said} ({self.least:.{digits}f}–{self.most:.{digits}f})"


def spreads(rows: Sequence[Row], domain: str, arm: str, what: str) -> dict[int, Spread]:
    """By the frames corrected; none corrected is the base, whatever the arm."""
    found: dict[int, list[float]] = {}
    for row in rows:
        if row["domain"] == domain and row["arm"] in (arm, "base"):
            found.setdefault(row["frames"], []).append(float(row[what]))
    return {count: Spread.of(values) for count, values in sorted(found.items())}


def table(rows: Sequence[Row], titles: Mapping[str, str]) -> str:
    """Markdown: a table for each domain, mean and in brackets the least and the most."""
    parts = []
    for domain, title in titles.items():
        arms = {
            (arm, what): spreads(rows, domain, arm, what)
            for arm in NAMES
            for what in (MIOU, TO_MOST, STROKES, "left")
        }
        repeats = {
            arm: len({r["seed"] for r in rows if r["domain"] == domain and r["arm"] == arm})
            for arm in NAMES
        }
        lines = [
            f"**{title}**. Lots: {repeats['random']}, rankings: {repeats['ranking']}.\n",
            "| frames corrected | mIoU, by lot | mIoU, ranking | strokes to 95 %, by lot"
            " | strokes to 95 %, ranking | as many as the base's, by lot, ranking"
            " | all strokes, by lot | all strokes, ranking | wrong after them |",
            "|-|-|-|-|-|-|-|-|-|",
        ]
        first = max(arms["random", TO_MOST][0].mean, 1e-9)
        for count in sorted({*arms["random", MIOU], *arms["ranking", MIOU]}):
            lot, ranked = ({k: v.get(count) for k, v in arms.items() if k[0] == a} for a in NAMES)
            kinds = (MIOU, TO_MOST, STROKES, "left")
            both = [(lot["random", w], ranked["ranking", w]) for w in kinds]
            cells = [_text(one, 3) for one in both[0]] + [_text(one, 1) for one in both[1]]
            cells.append(", ".join(f"{one.mean / first:.2f}" if one else "–" for one in both[1]))
            cells += [_text(one, 1) for one in both[2]]
            cells.append(", ".join(f"{100 * one.mean:.1f} %" if one else "–" for one in both[3]))
            lines.append(f"| {count} | {' | '.join(cells)} |")
        lines += ["", verdict(rows, domain)]
        parts.append("\n".join(lines).rstrip())
    return "\n\n".join(parts)


GOAL_FRAMES, GOAL_SHARE = 20, 0.5
"""After so many frames at most this share of the base's strokes."""


def verdict(rows: Sequence[Row], domain: str) -> str:
    """Whether the goals are reached, in a sentence each; "" while too little is measured."""
    most, every, miou = (
        {arm: spreads(rows, domain, arm, what) for arm in NAMES}
        for what in (TO_MOST, STROKES, MIOU)
    )
    if any(GOAL_FRAMES not in most[arm] for arm in NAMES):
        return ""
    share, of_all = (of["ranking"][GOAL_FRAMES].mean / of["ranking"][0].mean
                     for of in (most, every))  # fmt: skip
    said = "reached" if share <= GOAL_SHARE else "missed"
    gains, less = _gains(miou), _gains(most)
    return (
        f"After {GOAL_FRAMES} frames of the ranking {share:.2f} of the strokes until 95 % are right"
        f" are left (goal ≤ {GOAL_SHARE}: {said}), and {of_all:.2f} of all. The ranking less the"
        f" lots, in the mean of {len(gains)} counts: mIoU {statistics.mean(gains):+.3f}, better at"
        f" {sum(gain > 0 for gain in gains)}; strokes until 95 % {statistics.mean(less):+.1f},"
        f" fewer at {sum(gain < 0 for gain in less)}."
    )


def _gains(of: Mapping[str, Mapping[int, Spread]]) -> list[float]:
    """The ranking's means less those of the lots, count by count."""
    lot, ranked = of["random"], of["ranking"]
    return [ranked[c].mean - lot[c].mean for c in ranked if c and c in lot]


def _text(spread: Spread | None, digits: int) -> str:
    return "–" if spread is None else spread.text(digits)


def drawn(rows: Sequence[Row], titles: Mapping[str, str]) -> str:
    """SVG, 900 pixels wide: for each domain a row of three panels."""
    height = TOP + ROW_HEIGHT * len(titles)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
        f' viewBox="0 0 {WIDTH} {height}" font-family="Helvetica, Arial, sans-serif"'
        ' font-size="14" fill="#222">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        _legend(),
    ]
    for number, (domain, title) in enumerate(titles.items()):
        top = TOP + ROW_HEIGHT * number
        parts.append(_words(LEFTS[0] - 40, top + 10, title, weight="bold"))
        for left, (what, label, digits) in zip(LEFTS, SHOWN, strict=True):
            by_arm = {arm: spreads(rows, domain, arm, what) for arm in NAMES}
            parts.append(_panel(by_arm, (left, top + 44), label, digits))
    return "\n".join([*parts, "</svg>", ""])


def _legend() -> str:
    parts, x = [], LEFTS[0] - 40
    for arm, more in (("ranking", ""), ("random", ", mean and range")):
        line = f"M{x} 22H{x + 36}"
        parts.append(_path(line, stroke=COLORS[arm], width=3, dash=DASHES[arm]))
        words = f"frames chosen {'by ' if arm == 'ranking' else ''}{NAMES[arm]}{more}"
        parts.append(_words(x + 44, 27, words))
        x += 340
    return "\n".join(parts)


def _panel(
    by_arm: Mapping[str, Mapping[int, Spread]], place: tuple[int, int], label: str, digits: int
) -> str:
    """Axes, a band from the least to the most, and a line of means for each arm."""
    (left, top), (wide, tall) = place, PANEL
    every = [s for spread in by_arm.values() for s in spread.values()]
    counts = sorted({c for spread in by_arm.values() for c in spread})
    ticks = _ticks(0 if digits == 0 else min(s.least for s in every), max(s.most for s in every))
    low, high = ticks[0], ticks[-1]
    if digits and ticks[1] - ticks[0] < 0.0099:
        digits += 1

    def at(count: float, value: float) -> Point:
        x = left + wide * count / max(1, counts[-1])
        return x, top + tall * (1 - (value - low) / (high - low))

    parts = [_words(left - 40, top - 12, label)]
    for value in ticks:
        y = at(0, value)[1]
        parts.append(_path(f"M{left} {y:.1f}H{left + wide}", stroke="#ddd", width=1))
        parts.append(_words(left - 8, y + 5, f"{value:.{digits}f}", anchor="end"))
    for count in counts:
        x = at(count, low)[0]
        parts.append(_path(f"M{x:.1f} {top + tall}v5", stroke="#666", width=1))
        parts.append(_words(x, top + tall + 20, str(count), anchor="middle"))
    parts.append(_words(left + wide / 2, top + tall + 40, "frames corrected", anchor="middle"))
    for arm, spread in by_arm.items():
        band = [at(c, s.most) for c, s in spread.items()]
        band += [at(c, s.least) for c, s in reversed(spread.items())]
        if any(s.least != s.most for s in spread.values()):
            parts.append(f'<path d="{_line(band)}Z" fill="{COLORS[arm]}" opacity="0.16"/>')
    for arm, spread in by_arm.items():
        points = [at(c, s.mean) for c, s in spread.items()]
        parts.append(_path(_line(points), stroke=COLORS[arm], width=2.5, dash=DASHES[arm]))
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{COLORS[arm]}"/>' for x, y in points
        ]
    return "\n".join(parts)


def _ticks(low: float, high: float) -> list[float]:
    """Four to eight round values around everything."""
    span = max(high - low, 1e-6)
    exponent = 10.0 ** len(str(int(span))) if span >= 1 else 1.0
    steps = [exponent * f for f in (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)]
    step = next((s for s in steps if span / s >= 3), steps[-1])
    first = int(low // step)
    last = -int(-high // step)
    return [step * i for i in range(first, max(last, first + 1) + 1)]


def _line(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _path(line: str, *, stroke: str, width: float, dash: str = "none") -> str:
    return (
        f'<path d="{line}" fill="none" stroke="{stroke}" stroke-width="{width}"'
        f' stroke-dasharray="{dash}"/>'
    )


def _words(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">'
        f"{escape(text)}</text>"
    )
