"""Figures in sentences: what a number is called depends on who stood behind the labels.

A mean IoU is only said over frames that a human confirmed whole, and not over those that the model
drafted itself and nobody corrected. Over anything else there is an agreement, the share of pixels
on which model and labels say the same; and where the labels began as the model's own draft, the
sentence says that too.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from segstudio.core.metrics import Convention
from segstudio.core.tally import CORRECTED, Key, Standing, Tally
from segstudio.ui.words import counted, share_text

NOTHING = "–"
"""Stands where there is no pixel to speak of."""

OWN_ONLY = (
    f"Only its own drafts were confirmed, with less than {100 * CORRECTED:.0f} % of each painted by"
    " hand; correct more pixels or draft with another model."
)
OWN_TIP = (
    "A model is never graded on its own draft: frames that it drafted, and of which a human\n"
    f"painted less than {100 * CORRECTED:.0f} %, do not count for it. They count for other models."
)
AGREEMENT_TIP = (
    "Pixel accuracy: the share of pixels on which the model and labels that nobody confirmed"
    " say the same.\nIt says nothing about who is right, so it is no score."
)

_TIPS: Mapping[Convention, str] = {
    Convention.VOID_IGNORED: (
        "Pixels without a class in the reference are left out; a pixel that the model calls void"
        " is a miss.\nA class that is in neither is no part of the mean. As cityscapesScripts."
    ),
    Convention.PRESENT: (
        "Pixels without a class in the reference are left out.\nThe mean goes over classes that"
        " the reference has: one that only the model sees does not lower it."
    ),
    Convention.VOID_IS_WRONG: (
        "Where the reference has no class, whatever the model says is a false positive of that"
        " class."
    ),
    Convention.BOTH_VOID_IGNORED: (
        "Pixels without a class in the reference are left out, and so are pixels that the model"
        " calls void: saying nothing costs nothing."
    ),
    Convention.VOID_IS_A_CLASS: (
        "Void is one more class, right and wrong like any other, and part of the mean."
    ),
    Convention.PER_IMAGE: (
        "Each frame has figures of its own, with void ignored, and these are the means over"
        " frames: small and rare things weigh more than when pixels are summed."
    ),
}
CONVENTIONS: Mapping[Convention, tuple[str, str]] = {
    convention: (str(convention).capitalize(), tip) for convention, tip in _TIPS.items()
}
"""Title, in the words of the command line, and explanation of each."""


@dataclass(frozen=True, slots=True)
class Headline:
    """What stands beside a model's name.

    figure: its mIoU, or a dash. is_scored: whether there is one. about: on what it stands, or why
    there is none. agreement: the figure over drafts under its own name, "" for none. is_unseen:
    the model was held against no confirmed frame at all, its own drafts included.
    """

    figure: str
    is_scored: bool
    about: str
    agreement: str = ""
    is_unseen: bool = False


def percent(value: float, digits: int = 1) -> str:
    """0.714 → "71.4 %"; a dash for NaN."""
    return NOTHING if value != value else f"{100 * value:.{digits}f} %"


def figure(value: float, digits: int = 1) -> str:
    """The same for a column that says percent at its head."""
    return NOTHING if value != value else f"{100 * value:.{digits}f}"


def pixels(number: float) -> str:
    """ "92,809 px"."""
    return f"{int(number):,} px"


def no_reference(confirm_key: str, waiting: int = 0) -> str:
    """Why there is no figure at all, and what to do.

    confirm_key: "" when it has none. waiting: confirmed frames that no model was run on.
    """
    if waiting:
        verb = "is" if waiting == 1 else "are"
        frames = counted(waiting, "confirmed frame")
        return f"{frames} {verb} not measured yet: press Measure all."
    how = f"confirm one ({confirm_key})" if confirm_key else "confirm one"
    return f"No confirmed frame yet: {how}."


def own_only(waiting: int = 0) -> str:
    """Why there is no figure where confirmed frames were measured."""
    if not waiting:
        return OWN_ONLY
    return f"{no_reference('', waiting)} Those that were are its own drafts, hardly changed."


def left_out(own: int) -> str:
    """ "6 of its own drafts, hardly changed, are left out"."""
    verb = "is" if own == 1 else "are"
    return f"{own:,} of its own drafts, hardly changed, {verb} left out"


def unmeasured(letters: Sequence[str]) -> str:
    """Other models have figures, these have none."""
    *most, last = letters
    names = f"{', '.join(most)} and {last}" if most else last
    verb = "were" if most else "was"
    return f"{names} {verb} not run on a confirmed frame yet: press Measure all."


def compared_frames(
    frames: Mapping[str, AbstractSet[Hashable]],
    own: Mapping[str, AbstractSet[Hashable]],
    *,
    is_reference: bool,
) -> tuple[str, bool]:
    """On what the figures of several models stand, and whether that needs attention.

    frames: letter → those that count for it. own: letter → those left out as its own drafts.
    """
    measured = {letter: keys for letter, keys in frames.items() if keys}
    if not measured:
        return "", False
    first = next(iter(measured.values()))
    if any(keys != first for keys in measured.values()):
        each = ", ".join(f"{letter} {len(keys):,}" for letter, keys in measured.items())
        seen = [keys | own.get(letter, frozenset()) for letter, keys in measured.items()]
        if any(keys != seen[0] for keys in seen):
            return f"Not the same frames ({each}): Measure all before you compare.", True
        return f"Not the same frames ({each}): each one's own drafts are left out.", True
    if is_reference:
        without = [letter for letter, keys in own.items() if keys and letter not in measured]
        more = f" · {', '.join(without)}: only own drafts, left out" if without else ""
        return counted(len(first), "confirmed frame") + more, False
    return f"Agreement with drafts of {counted(len(first), 'frame')}: not a score.", True


def headline(
    tally: Tally[Key],
    convention: Convention,
    *,
    model: str,
    titles: Mapping[str, str],
    confirm_key: str = "",
    waiting: int = 0,
) -> Headline:
    """Of one model. model: its name; titles: name → title, of all that may have drafted.

    waiting: confirmed frames that it was not run on.
    """
    confirmed = [f.standing for f in tally.frames()]
    own = len(tally.own())
    if not confirmed:
        why = own_only(waiting) if own else no_reference(confirm_key, waiting)
        agreed = agreement(tally, convention, model=model)
        return Headline(NOTHING, False, why, agreed, is_unseen=not own)
    number, total = len(confirmed), len(confirmed) + own + waiting
    frames = counted(number, "confirmed frame")
    if waiting:
        frames = f"{number:,} of {counted(total, 'confirmed frame')}"
    miou = tally.scores(convention).miou
    if miou != miou:
        return Headline(NOTHING, False, f"{frames} without a pixel of any class")
    about = [frames, *_by_human(confirmed), *_drafters(confirmed, model, titles)]
    about += [left_out(own)] if own else []
    return Headline(percent(miou), True, " · ".join(about))


def agreement(tally: Tally[Key], convention: Convention, *, model: str) -> str:
    """ "agreement with draft 91.2 % · 5 frames"; "" when no frame has unconfirmed labels."""
    drafts = [f.standing for f in tally.frames(reference=False)]
    if not drafts:
        return ""
    own = sum(1 for standing in drafts if standing.drafted_by == model)
    share = percent(tally.scores(convention, reference=False).pixel_accuracy)
    frames = counted(len(drafts), "frame")
    if own == len(drafts):
        return f"agreement with its own draft {share} · {frames}"
    text = f"agreement with draft {share} · {frames}"
    return f"{text}, {own} of them its own draft" if own else text


def _by_human(standings: Sequence[Standing]) -> list[str]:
    """The mean share of pixels painted by hand; nothing where it is not known of every frame."""
    shares = [s.human_share for s in standings if s.human_share is not None]
    if len(shares) < len(standings):
        return []
    return [f"{share_text(sum(shares) / len(shares))} painted by a human"]


def _drafters(standings: Sequence[Standing], model: str, titles: Mapping[str, str]) -> list[str]:
    """Whose drafts they began as, the most frequent first."""
    by = Counter(s.drafted_by for s in standings if s.drafted_by)
    if not by:
        return []
    names = [titles.get(name, name) + (" (itself)" if name == model else "") for name, _ in
             by.most_common()]  # fmt: skip
    if len(names) > 2:
        names = [*names[:1], f"{len(names) - 1} other models"]
    return [f"drafted by {' and '.join(names)}"]


def drafted_by(standing: Standing, model: str, titles: Mapping[str, str]) -> str:
    """For one frame in a table."""
    name = standing.drafted_by
    if not name:
        return NOTHING
    return titles.get(name, name) + (" (itself)" if name == model else "")
