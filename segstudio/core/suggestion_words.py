"""Why a frame, a region or a label is suggested: one sentence, the largest reason first."""

from collections.abc import Callable, Mapping, Sequence

from segstudio.core.class_mapping import listed
from segstudio.core.classes import ClassMap
from segstudio.core.frame_worth import DoubtfulRegion, FrameWorth, Pair

_MUCH = 1 / 3
"""Of the largest reason: smaller ones are not told."""

_IT = "{it}"
"""The frame, by its name when it is first spoken of."""

_MOST, _SOME = 0.5, 0.25
"""Shares that are called "most of it" and "much of it"."""


def frame_reason(
    frame: FrameWorth,
    terms: Mapping[str, float],
    rare: Sequence[int],
    classes: ClassMap,
    where_rare: str,
) -> str:
    """terms: what each contributed. rare: class ids, the rarest first. where_rare: "in what …"."""
    parts: list[tuple[float, str]] = [
        (terms.get("entropy", 0) + terms.get("unsure", 0), _unsure(frame, classes)),
        (terms.get("disagreement", 0), _disagreement(frame, classes)),
        (terms.get("flicker", 0), _flicker(frame)),
        (terms.get("rarity", 0) if rare else 0.0, _rare(rare, classes, where_rare)),
    ]
    parts.sort(key=lambda part: -part[0])
    largest = parts[0][0]
    if largest <= 0:
        return "Nothing stands out here, but it is unlike the frames above."
    told = [text for weight, text in parts if weight > 0 and weight >= _MUCH * largest]
    sentence = "; ".join(told).replace(_IT, "the frame", 1).replace(_IT, "it")
    return f"{sentence[0].upper()}{sentence[1:]}."


def region_reason(region: DoubtfulRegion, classes: ClassMap) -> str:
    """ "Fence or Building? The models disagree on 2,140 px."."""
    who = "the models disagree" if region.disputed >= 0.5 else "the model is unsure"
    names = " or ".join(classes.name_of(i) for i in region.classes)
    return f"{names}? {who[0].upper()}{who[1:]} on {region.pixels:,} px."


def percent(share: float) -> str:
    """ "12 %", "0.4 %"; "under 0.1 %"."""
    if 0 < share < 0.001:
        return "under 0.1 %"
    return f"{100 * share:.1f} %" if share < 0.01 else f"{100 * share:.0f} %"


def _unsure(frame: FrameWorth, classes: ClassMap) -> str:
    if frame.unsure < 0.001:
        return f"less sure than usual all over {_IT}"
    text = f"unsure on {percent(frame.unsure)} of {_IT}"
    where = _where(frame.meeting, frame.meeting_share, "where {} meets {}", classes.name_of)
    return text + where


def _disagreement(frame: FrameWorth, classes: ClassMap) -> str:
    text = f"the models disagree on {percent(frame.disagreement or 0)} of {_IT}"
    return text + _where(frame.disputed, frame.disputed_share, "{} or {}", classes.name_of)


def _where(pair: Pair | None, share: float, form: str, name_of: Callable[[int], str]) -> str:
    """ ", most of it where Fence meets Building"; "" when no two classes stand out."""
    if pair is None or share < _SOME:
        return ""
    how_much = "most" if share >= _MOST else "much"
    return f", {how_much} of it {form.format(*(name_of(i) for i in pair))}"


def _flicker(frame: FrameWorth) -> str:
    return f"the class of {percent(frame.flicker or 0)} of {_IT} flickers"


def _rare(rare: Sequence[int], classes: ClassMap, where: str) -> str:
    names = listed([classes.name_of(i) for i in rare]) if rare else ""
    return f"{names} {'is' if len(rare) == 1 else 'are'} rare {where}"


def error_reason(pixels: int, labelled: str, looks_like: str, probability: float) -> str:
    """ "2,140 px labelled Road look like Pavement (94 %)."."""
    return f"{pixels:,} px labelled {labelled} look like {looks_like} ({percent(probability)})."
