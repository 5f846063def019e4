"""`segstudio models show`: everything that the card of one model says."""

import argparse

from segstudio.cli.report import Report
from segstudio.cli.wording import percent
from segstudio.core.catalogue import ModelCard, Score


def run_show(arguments: argparse.Namespace) -> int:
    """Lines for people, or the card itself as JSON."""
    from segstudio.store.models import card_json, find_model

    report = Report(arguments)
    card = find_model(arguments.model)
    for line in told(card):
        report.say(line)
    report.write({**card_json(card), "bundled": card.bundled, "folder": str(card.folder)})
    return 0


def told(card: ModelCard) -> list[str]:
    """What it is, how good it is class by class, and where it comes from."""
    where = "bundled" if card.bundled else str(card.folder)
    size = "" if card.params is None else f", {card.params / 1e6:.2f} M parameters"
    rows = [f"{card.title} ({card.name}, {where})", f"{card.net}{size}"]
    names = ", ".join(c.name for c in card.classes.classes)
    rows.append(f"{len(card.classes)} classes of {card.classes.name}: {names}")
    rows += [text for text in (card.description,) if text]
    for score in card.scores:
        rows += ["", *_score(score)]
    if not card.scores:
        rows += ["", "Nobody has measured it yet: segstudio eval does."]
    facts = {"Trained on": card.trained_on, "Licence": card.licence}
    if card.lineage is not None:
        facts |= card.lineage.facts()
    facts |= {"Command": card.command, "SHA-256": card.sha256}
    known = {title: text for title, text in facts.items() if text}
    wide = max((len(title) for title in known), default=0)
    rows.append("")
    for title, text in known.items():
        first, *rest = text.splitlines()
        rows.append(f"{title:<{wide}}  {first}")
        rows += [f"{'':<{wide}}  {line}" for line in rest]
    return rows


def _score(score: Score) -> list[str]:
    wide = max((len(name) for name in score.per_class), default=0)
    rows = [f"mIoU {percent(score.miou).strip()} % on {score.dataset}"]
    rows += [f"  {score.detail}"] if score.detail else []
    return rows + [f"  {name:<{wide}} {percent(iou)}" for name, iou in score.per_class.items()]
