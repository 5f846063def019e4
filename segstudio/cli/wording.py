"""The figures of one model as lines for people."""

from collections.abc import Mapping

from segstudio.cli.report import Json
from segstudio.core.strategy import Strategy

_IIOU = "   iIoU"


def describe(name: str, found: Json) -> list[str]:
    """The figures of one model as lines for people, in percent, each under its convention."""
    if "failed" in found:
        return [f"{name}: {found['failed']}"]
    rows = [
        f"{name}: {found['frames']} frames, {found['pixels']} pixels, in %, {found['convention']}"
    ]
    if found.get("strategy"):
        # A figure of several scales is no figure of one.
        rows[0] += f"; {Strategy.from_json(found['strategy']).told()}"
    keys = ("iou", "precision", "recall", "f1")
    widest = max(len(name) for name in [*found["iou"], *found.get("category_iou", {})])
    iious = found.get("iiou")
    rows.append(f"  {'':<{widest}}   IoU  precision  recall     F1{'' if iious is None else _IIOU}")
    for class_name in found["iou"]:
        iou, precision, recall, f1 = (percent(found[key][class_name]) for key in keys)
        instances = "" if iious is None else f"  {percent(iious.get(class_name))}"
        rows.append(f"  {class_name:<{widest}} {iou}      {precision}   {recall}  {f1}{instances}")
    rows.append(
        f"  mIoU {percent(found['miou'])}  pixel accuracy {percent(found['pixel_accuracy'])}"
        f"  mean accuracy {percent(found['mean_accuracy'])}  fwIoU {percent(found['fwiou'])}"
        f"  mean F1 {percent(found['mean_f1'])}  ({found['convention']})"
    )
    if iious is not None:
        rows.append(
            f"  mean iIoU {percent(found['miiou'])}  ({instances_told(found)}, void ignored)"
        )
    rows += _categories_told(found, widest)
    if "boundary_mean_f1" in found:
        share = 100 * found["boundary_tolerance"]
        rows.append(
            f"  boundary F {percent(found['boundary_mean_f1'])}"
            f"  (mean over images, within {share:g} % of the diagonal)"
        )
    if found.get("unknown"):
        rows.append(f"  The model knows no {', '.join(found['unknown'])}: counted as missed.")
    if found.get("mapping"):
        rows.append(f"  Of the model's classes: {found['mapping']}")
    rows += _speed_told(found.get("speed"))
    return rows


def instances_told(found: Json) -> str:
    """On how many of the frames its iIoU stands."""
    having, all_frames = found["instances"], found["frames"]
    if having == all_frames:
        return "all frames have instances"
    return f"{having} of {all_frames} frames {'has' if having == 1 else 'have'} instances"


def _categories_told(found: Json, widest: int) -> list[str]:
    """Their table and means, where the class set names some."""
    if "category_miou" not in found:
        return []
    iious = found.get("category_iiou")
    rows = [f"  {'':<{widest}}   IoU{'' if iious is None else _IIOU}"]
    for name, iou in found["category_iou"].items():
        instances = "" if iious is None else f"  {percent(iious.get(name))}"
        rows.append(f"  {name:<{widest}} {percent(iou)}{instances}")
    means = f"  mIoU of categories {percent(found['category_miou'])}"
    if iious is not None:
        means += f"  mean iIoU {percent(found['category_miiou'])}"
    return [*rows, f"{means}  (void ignored)"]


def _speed_told(figures: Mapping[str, object] | None) -> list[str]:
    if not figures or figures["fps"] is None:
        return []
    latency = figures["latency_ms"]
    assert isinstance(latency, dict)
    turns = figures["models_taking_turns"]
    alone = "alone" if turns == 1 else f"taking turns with {int(str(turns)) - 1} more"
    return [f"  {figures['fps']:.1f} frames/s, {latency['p50']:.1f} ms a frame, {alone}"]


def percent(value: float | None) -> str:
    """Five characters."""
    return "    –" if value is None or value != value else f"{100 * value:5.1f}"
