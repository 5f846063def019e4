"""The whole report page, from what was measured."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from segstudio.cli.html.charts import bars, dot, legend, scatter
from segstudio.cli.html.matrix import matrix
from segstudio.cli.html.pictures import WorstFrame, data_uri, errors, overlay
from segstudio.cli.html.tags import Markup, joined, number, percent, section, table, tag
from segstudio.cli.report import Json
from segstudio.cli.wording import instances_told
from segstudio.core.strategy import Strategy

if TYPE_CHECKING:
    from segstudio.cli.measuring import Measured

_PICTURES_NOTE = (
    "The picture, the reference, and for each model its answer and its errors: wrong pixels are"
    " red, pixels that no figure counts bluish."
)


def page(found: "Measured", report: Json, worst: Sequence[WorstFrame]) -> str:
    """HTML that opens offline. report: what report.json says."""
    names = list(found.scored)
    frames = f"{found.frames.used} frame{'' if found.frames.used == 1 else 's'}"
    title = " · ".join(names) or "No model"
    body = tag(
        "main",
        tag("h1", f"Comparison: {title}"),
        tag("p", f"{frames} of {report['data']['images']}, {report['made']}", class_="lead"),
        tag("span", f"Convention: {found.convention.value}", class_="chip"),
        tag("span", f"Classes: {found.reference.classes.name}", class_="chip"),
        _headline(found),
        _pairs(report),
        _by_class(found),
        _by_category(found),
        _speed(found),
        _conventions(found),
        _matrices(found),
        _worst(found, worst),
        _notes(found, report),
    )
    style = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"SegStudio: {title}"),
        tag("style", Markup(style)),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', body), lang='en')}\n"


def _named(name: str, index: int) -> Markup:
    return joined(dot(index), name)


def _best(values: Sequence[float | None], *, least: bool = False) -> float | None:
    known = [v for v in values if v is not None and v == v]
    if len(known) < 2:
        return None
    return min(known) if least else max(known)


_FIGURES = (
    ("mIoU", "miou"),
    ("pixel accuracy", "pixel_accuracy"),
    ("mean accuracy", "mean_accuracy"),
    ("fwIoU", "fwiou"),
    ("mean F1", "mean_f1"),
    ("iIoU", "miiou"),
    ("categories", "category_miou"),
    ("categories' iIoU", "category_miiou"),
    ("boundary F", "boundary_mean_f1"),
)


def _headline(found: "Measured") -> Markup:
    scored = found.scored
    shown = [(t, key) for t, key in _FIGURES if any(key in each for each in scored.values())]
    best = {key: _best([each.get(key) for each in scored.values()]) for _, key in shown}
    rows: list[list[object]] = []
    for index, (name, each) in enumerate(scored.items()):
        cells = [
            tag("td", percent(each[key]), class_="n best" if each[key] == best[key] else "n")
            for _, key in shown
        ]
        rows.append([_named(name, index), *cells])
    for name, sentence in found.failed.items():
        rows.append([name, tag("td", sentence, class_="failed", colspan=len(shown))])
    note = (
        f"In percent; convention: {found.convention.value}. One confusion matrix over the whole set"
        if found.convention.value != "mean of per-image means"
        else f"In percent; convention: {found.convention.value}"
    )
    note = f"{note}.{_always_told(scored)}"
    return section("Headline", table(["model", *(t for t, _ in shown)], rows), note=note)


def _always_told(scored: Mapping[str, Json]) -> str:
    """Of the figures that stand under one convention, whichever is in use."""
    first = next(iter(scored.values()), {})
    if "iiou" in first:
        return f" Categories and iIoU: void ignored; {instances_told(first)}."
    return " Categories: void ignored." if "category_miou" in first else ""


def _pairs(report: Json) -> Markup | None:
    if not report["pairs"]:
        return None
    rows: list[list[object]] = [
        [
            f"{each['a']} → {each['b']}",
            each["told"],
            _signed(each["delta_miou"]),
            f"{_signed(each['ci95'][0])} … {_signed(each['ci95'][1])}",
            percent(each["share_better"]),
        ]
        for each in report["pairs"]
    ]
    first = report["pairs"][0]
    drawn = "frames" if first["groups"] == first["frames"] else f"{first['groups']} clips"
    note = (
        f"Paired bootstrap: {number(first['resamples'], 0)} times as many {drawn} are drawn with"
        " replacement, for both models the same ones. Points are percentage points of mIoU"
        f" ({first['convention']})."
    )
    for sentence in report["notes"]:
        note += f" {sentence}"
    head: list[object] = ["A → B", "in words", "mIoU", "95 % interval", "B better in, %"]
    return section("Is one better?", table(head, rows, figures=2), note=note)


def _signed(value: float) -> str:
    return "–" if value != value else f"{100 * value:+.1f}".replace("-", "−")


def _by_class(found: "Measured") -> Markup | None:
    scored = found.scored
    if not scored:
        return None
    first = next(iter(scored.values()))
    names = list(first["iou"])
    chart = bars(
        names,
        {name: [each["iou"][c] for c in names] for name, each in scored.items()},
        "IoU of every class and model, in percent",
    )
    keys = [("IoU", "iou"), ("precision", "precision"), ("recall", "recall"), ("F1", "f1")]
    if "iiou" in first:
        keys.append(("iIoU", "iiou"))
    if "boundary_f1" in first:
        keys.append(("boundary F", "boundary_f1"))
    rows: list[list[object]] = [
        [c, name, *(percent(each[key].get(c)) for _, key in keys)]
        for c in names
        for name, each in scored.items()
    ]
    head: list[object] = ["class", "model", *(title for title, _ in keys)]
    return section(
        "By class",
        legend(list(scored)),
        chart,
        tag("details", tag("summary", "All figures"), table(head, rows, figures=2)),
        note=f"IoU in percent; convention: {found.convention.value}.",
    )


def _by_category(found: "Measured") -> Markup | None:
    scored = {name: each for name, each in found.scored.items() if "category_iou" in each}
    if not scored:
        return None
    first = next(iter(scored.values()))
    has_instances = "category_iiou" in first
    rows: list[list[object]] = [
        [
            category,
            name,
            percent(each["category_iou"][category]),
            *([percent(each["category_iiou"].get(category))] if has_instances else []),
        ]
        for category in first["category_iou"]
        for name, each in scored.items()
    ]
    note = "In percent, void ignored. A class taken for another of its category is right."
    if has_instances:
        note += f" iIoU lets every instance weigh the same: {instances_told(first)}."
    head: list[object] = ["category", "model", "IoU", *(["iIoU"] if has_instances else [])]
    return section("By category", table(head, rows, figures=2), note=note)


def _speed(found: "Measured") -> Markup | None:
    scored = {n: e for n, e in found.scored.items() if e["speed"]["fps"]}
    if not scored:
        return None
    on_gpu = any(each["speed"]["peak_memory_mb"] is not None for each in scored.values())
    rows: list[list[object]] = []
    for index, (name, each) in enumerate(found.scored.items()):
        speed = each["speed"]
        latency, stages = speed["latency_ms"], speed["stages_ms"]
        size = speed["input"]
        rows.append(
            [
                _named(name, index),
                number(speed["fps"]),
                " / ".join(number(latency[q]) for q in ("p50", "p95", "p99")),
                " + ".join(number(stages[s]["p50"]) for s in ("prepare", "forward", "post")),
                "–" if size is None else f"{size[1]}×{size[0]}",
                number(speed["parameters"], 2, factor=1e-6),
                number(speed["gmacs"], 2),
                *([number(speed["peak_memory_mb"], 0)] if on_gpu else []),
            ]
        )
    turns = next(iter(scored.values()))["speed"]["models_taking_turns"]
    how = "measured alone" if turns == 1 else f"measured while {turns} models took turns"
    decode = next(iter(scored.values()))["speed"]["stages_ms"]["decode"]["p50"]
    head: list[object] = [
        "model", "frames/s", "ms p50 / p95 / p99", "prepare + forward + post", "input",
        "M parameters", "GMACs a pass", *(["peak MiB"] if on_gpu else []),
    ]  # fmt: skip
    miou = {name: each["miou"] for name, each in scored.items()}
    points = [(n, e["speed"]["fps"], miou[n]) for n, e in scored.items() if miou[n] == miou[n]]
    return section(
        "Speed and accuracy",
        scatter(points, "mIoU over frames per second") if points else None,
        table(head, rows),
        note=f"The model's own time for a frame, {how}; decoding, {number(decode)} ms a frame, is"
        f" shared. mIoU: {found.convention.value}.",
    )


def _conventions(found: "Measured") -> Markup | None:
    scored = found.scored
    if not scored:
        return None
    head: list[object] = ["convention", *(_named(n, i) for i, n in enumerate(scored))]
    conventions = next(iter(scored.values()))["conventions"]
    rows: list[list[object]] = [
        [name, *(percent(each["conventions"][name]["miou"]) for each in scored.values())]
        for name in conventions
    ]
    return section(
        "By other conventions",
        table(head, rows),
        note="mIoU in percent of the very same answers, counted in other ways. Compare a figure"
        " only with figures of its own convention.",
    )


def _matrices(found: "Measured") -> Markup | None:
    if not found.scored:
        return None
    parts = []
    for index, (name, each) in enumerate(found.scored.items()):
        full = np.array(each["confusion_full"], np.int64)
        parts.append(matrix(_named(name, index), full, found.reference.names))
    return section(
        "What is taken for what",
        tag("div", parts, class_="beside"),
        note="Rows: reference; columns: prediction, other: no class of the set; percent of the"
        " row's pixels. Right answers are blue, wrong ones red. Hold the mouse over a cell for its"
        " pixels.",
    )


def _worst(found: "Measured", worst: Sequence[WorstFrame]) -> Markup | None:
    classes = found.reference.classes
    parts: list[Markup] = []
    for one in worst:
        pictures = [(one.rgb, "picture"), (overlay(one.rgb, one.reference, classes), "reference")]
        for name, labels in one.answers.items():
            if name not in found.scored:
                continue
            told = f"{name}: {percent(one.mious[name])} % mIoU"
            pictures.append((overlay(one.rgb, labels, classes), told))
            pictures.append((errors(one.rgb, one.reference, labels, classes), f"{name}: errors"))
        figures = [
            tag("figure", tag("img", src=data_uri(p), alt=f"{one.file}, {t}"), tag("figcaption", t))
            for p, t in pictures
        ]
        parts += [tag("h3", one.file), tag("div", figures, class_="frames")]
    if not parts:
        return None
    swatches = [
        tag("span", tag("span", class_="dot", style=f"background:rgb{c.color}"), c.name)
        for c in classes.classes
    ]
    return section(
        "Worst frames", tag("div", swatches, class_="legend"), *parts, note=_PICTURES_NOTE
    )


def _notes(found: "Measured", report: Json) -> Markup:
    said: list[object] = [*found.frames.told(), *report["notes"]]
    for name, each in found.scored.items():
        speed, how = each["speed"], Strategy.from_json(each["strategy"]).told()
        said.append(f"{name}: {each['net']}, {how}, {speed['precision']} on {each['device']}.")
        if each.get("unknown"):
            said.append(f"{name} knows no {', '.join(each['unknown'])}: counted as missed.")
        if each.get("mapping"):
            said.append(f"Of {name}'s classes: {each['mapping']}")
        said += [f"{name}: {note}." for note in each["notes"]]
    said += [f"{name}: {sentence}" for name, sentence in found.failed.items()]
    said.append(", ".join(f"{what} {version}" for what, version in report["versions"].items()))
    skipped = [[each["file"], each["why"]] for each in found.frames.skipped]
    left_out = (
        tag(
            "details", tag("summary", "Frames left out"), table(["file", "why"], skipped, figures=2)
        )
        if skipped
        else None
    )
    return section("Notes", tag("ul", [tag("li", sentence) for sentence in said]), left_out)
