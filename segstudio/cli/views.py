"""The words of `segstudio features --view`."""

from collections.abc import Callable
from dataclasses import dataclass

from segstudio.core.classes import ClassMap
from segstudio.core.look import (
    ClassLook,
    EvidenceKind,
    EvidenceLook,
    LayerLook,
    Look,
    Pixel,
    Scale,
    Show,
    UnsureKind,
    UnsureLook,
)
from segstudio.errors import UsageError

WORDS = (
    "mean, max, norm, pca, segments, grid, channel:K, similar:Y,X of layers;"
    " gradcam:Y,X, gradcam++:Y,X, hirescam:Y,X at layers;"
    " entropy, margin, probability, flip, flicker, class:NAME of the answer"
)

_PLAIN: dict[str, Show] = {
    "mean": "mean",
    "max": "max",
    "norm": "norm",
    "pca": "pca",
    "segments": "segments",
    "grid": "grid",
}
_EVIDENCE: dict[str, EvidenceKind] = {
    "gradcam": "gradcam",
    "gradcam++": "gradcam++",
    "hirescam": "hirescam",
}
_UNSURE: dict[str, UnsureKind] = {
    "entropy": "entropy",
    "margin": "margin",
    "probability": "probability",
    "flip": "flip",
    "flicker": "flicker",
}


@dataclass(frozen=True, slots=True)
class View:
    """What is to be seen. look: of a layer by name; needs_layer: whether the name matters.

    pixel: the frame pixel it is about. name: for files.
    """

    text: str
    look: Callable[[str], Look]
    needs_layer: bool = True
    pixel: Pixel | None = None

    @property
    def name(self) -> str:
        """For files: without what file systems dislike."""
        kept = (c if c.isalnum() or c in "+-_" else "-" for c in self.text)
        return "".join(kept).strip("-")


@dataclass(frozen=True, slots=True)
class Fitting:
    """What holds for views of layers. is_frozen: what is fitted on the first frame stays."""

    scale: Scale = Scale()  # noqa: RUF009  frozen
    segments: int = 6
    channels: int = 36
    is_frozen: bool = True


def parse_view(text: str, classes: ClassMap, fitting: Fitting) -> View:
    """What "similar:120,300" means; UsageError for what is no view."""
    kind, _, detail = text.partition(":")
    if kind in _PLAIN and not detail:
        return _of_layers(text, _PLAIN[kind], fitting)
    if kind == "channel" and detail.isdigit():
        return _of_layers(text, "channel", fitting, channel=int(detail))
    if kind == "similar" and detail:
        return _of_layers(text, "similar", fitting, pixel=_pixel(detail))
    if kind in _EVIDENCE and detail:
        how, pixel = _EVIDENCE[kind], _pixel(detail)
        return View(text, lambda layer: EvidenceLook(how, layer, pixel=pixel), pixel=pixel)
    if kind in _UNSURE and not detail:
        unsure = UnsureLook(_UNSURE[kind])
        return View(text, lambda _: unsure, needs_layer=False)
    if kind == "class" and detail:
        look = ClassLook(_class_id(detail, classes))
        return View(text, lambda _: look, needs_layer=False)
    raise UsageError(f"There is no view '{text}'; choose one of {WORDS}.")


def parse_scale(text: str) -> Scale:
    """ "robust", "full" or "LOW,HIGH"; UsageError for anything else."""
    if text == "robust":
        return Scale()
    if text == "full":
        return Scale("full")
    low, _, high = text.partition(",")
    try:
        scale = Scale("fixed", float(low), float(high))
    except ValueError as error:
        raise UsageError(f"'{text}' is no scale; write robust, full or LOW,HIGH.") from error
    if not scale.low < scale.high:
        raise UsageError(f"The scale '{text}' has no extent; write the lower number first.")
    return scale


def _of_layers(
    text: str, show: Show, fitting: Fitting, *, channel: int = 0, pixel: Pixel | None = None
) -> View:
    def look(layer: str) -> LayerLook:
        return LayerLook(
            layer,
            show,
            channel=channel,
            pixel=pixel,
            count=fitting.channels,
            segments=fitting.segments,
            scale=fitting.scale,
            is_frozen=fitting.is_frozen,
        )

    return View(text, look, pixel=pixel)


def _pixel(text: str) -> Pixel:
    y, _, x = text.partition(",")
    if not (y.strip().isdigit() and x.strip().isdigit()):
        raise UsageError(f"'{text}' is no pixel; write row and column from 0, like 120,300.")
    return int(y), int(x)


def _class_id(name: str, classes: ClassMap) -> int:
    for each in classes.classes:
        if name.casefold() == each.name.casefold() or name == str(each.id):
            return each.id
    known = ", ".join(each.name for each in classes.classes[:12])
    more = ", …" if len(classes.classes) > 12 else ""
    raise UsageError(f"The model has no class '{name}'; it has {known}{more}.")
