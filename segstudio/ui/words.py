"""Facts about models and nets as people read them."""

from collections.abc import Sequence

from segstudio.core.catalogue import WHOLE_PICTURE, InputRule, ModelCard, NetFacts, NetFigures

IMAGENET = InputRule()


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 class", "11 classes"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def share_text(value: float) -> str:
    """0.42 → "42 %"; what is there, but little, is never called 0 %."""
    return "<1 %" if 0 < value < 0.005 else f"{100 * value:.0f} %"


def millions(number: int | None) -> str:
    """3358627 -> "3.36 M"."""
    return "–" if number is None else f"{number / 1e6:.2f} M" if number >= 10_000 else f"{number:,}"


def size(height: int, width: int) -> str:
    """As screens are named: width first."""
    return f"{width} × {height}"


def input_rule(rule: InputRule) -> str:
    """How a frame becomes the net's input, in sentences."""
    if rule.short_side:
        first = f"Resized to a short side of {rule.short_side} px"
    else:
        first = "The frame's own size"
    if rule.multiple_of > 1 or rule.remainder:
        first += f", sides rounded to {sides(rule.multiple_of, rule.remainder)}"
    values = f"0–{rule.scale:g} brought to 0–1" if rule.scale != 1 else "0–255 as they are"
    values += _normalisation(rule)
    return f"{first}. {rule.channels} values {values}."


def _normalisation(rule: InputRule) -> str:
    if (rule.mean, rule.std) == (IMAGENET.mean, IMAGENET.std):
        text = ", less ImageNet's mean, by its deviation"
    elif rule.mean == (0, 0, 0) and rule.std == (1, 1, 1):
        text = ", nothing subtracted"
    else:
        text = f", less {_three(rule.mean)}, by {_three(rule.std)}"
    return text + (f", then by {rule.divide_after:g}" if rule.divide_after != 1 else "")


def _three(values: Sequence[float]) -> str:
    same = len(set(values)) == 1
    return f"{values[0]:g}" if same else "(" + ", ".join(f"{v:g}" for v in values) + ")"


def sides(multiple_of: int, remainder: int) -> str:
    """ "multiples of 8 plus 1"."""
    text = f"multiples of {multiple_of}" if multiple_of > 1 else "any number of pixels"
    return text + (f" plus {remainder}" if remainder else "")


def net_input(facts: NetFacts) -> str:
    """Which sizes a net takes."""
    if facts.only_size is not None:
        return f"{size(*facts.only_size)} and nothing else."
    if facts.multiple_of == 1 and not facts.remainder:
        text = f"Any size from {facts.min_side} px"
    else:
        text = f"Sides of {sides(facts.multiple_of, facts.remainder)}, from {facts.min_side} px"
    if facts.margin:
        text += f"; sees {facts.margin} px of mirrored picture around it"
    return text + "."


def figures(found: NetFigures | None) -> dict[str, str]:
    """The counted facts by their titles; "…" while they are being counted."""
    if found is None:
        waiting = dict.fromkeys(("Parameters", "GMACs", "Output stride", "Receptive field"), "…")
        return waiting
    at = size(found.height, found.width)
    field, stride = found.receptive_field, found.output_stride
    return {
        "Parameters": millions(found.parameters),
        "GMACs": "–" if found.gmacs is None else f"{found.gmacs:,.2f} at {at}",
        "Output stride": "–" if stride is None else f"{stride}",
        "Receptive field": "whole picture" if field == WHOLE_PICTURE else _pixels(field),
    }


def _pixels(number: int | None) -> str:
    return "–" if number is None else f"{number:,} × {number:,} px"


def card_text(card: ModelCard, facts: NetFacts | None, found: NetFigures | None) -> str:
    """Everything about a model, to be pasted into a report."""
    lines = [card.title, f"name: {card.name}", f"net: {facts.title if facts else card.net}"]
    if card.net_args:
        lines.append("net_args: " + ", ".join(f"{k}={v}" for k, v in card.net_args.items()))
    if facts is not None and facts.paper:
        lines.append(f"paper: {facts.paper}")
    if found is not None:
        lines += [f"{title.lower()}: {text}" for title, text in figures(found).items()]
    lines.append(
        f"classes: {card.classes.name} ({', '.join(c.name for c in card.classes.classes)})"
    )
    lines.append(f"input: {input_rule(card.input)}")
    for s in card.scores:
        lines.append(f"score: mIoU {100 * s.miou:.2f} % on {s.dataset}. {s.detail}")
        lines += [f"  {name}: {100 * iou:.1f} %" for name, iou in s.per_class.items()]
    for title, text in (
        ("trained on", card.trained_on),
        ("licence", card.licence),
        *(((t.lower(), told) for t, told in card.lineage.facts().items()) if card.lineage else ()),
        ("file", str(card.folder / card.weights)),
        ("sha256", card.sha256),
    ):
        if text:
            lines.append(f"{title}: {text}")
    return "\n".join(lines)


def net_text(facts: NetFacts, found: NetFigures | None) -> str:
    """Everything about a net, to be pasted into a report."""
    lines = [facts.title, f"name: {facts.name}", f"paper: {facts.paper}"]
    if found is not None:
        lines += [f"{title.lower()}: {text}" for title, text in figures(found).items()]
    lines.append(f"input: {net_input(facts)}")
    lines += [f"{t.name}: 1/{t.stride}, {t.channels} channels" for t in facts.taps]
    return "\n".join(lines)
