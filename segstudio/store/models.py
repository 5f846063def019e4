"""Model folders on disk: `models/<name>/card.json` beside the weights, and ModelCard.

Reads cards only; the weights are opened by the engine, in its own thread.
"""

import difflib
import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from segstudio import paths
from segstudio.core.catalogue import InputRule, ModelCard, Score
from segstudio.core.classes import ClassMap
from segstudio.core.lineage import Lineage
from segstudio.errors import ModelError, SegStudioError

CARD = "card.json"
FORMAT = 1
WEIGHTS_SUFFIXES = (".safetensors", ".pth", ".pt", ".onnx")

_MAX_CARD_BYTES = 1_000_000
_MAX_SIDE = 16_384


def list_models(extra: Sequence[Path] = ()) -> tuple[ModelCard, ...]:
    """Every usable model: bundled ones first, then the user's, then those of `extra`."""
    return scan_models(extra)[0]


def scan_models(extra: Sequence[Path] = ()) -> tuple[tuple[ModelCard, ...], tuple[str, ...]]:
    """The usable cards, and one sentence for each folder whose card is broken.

    extra: more folders of model folders, or model folders themselves. Of two models with one
    name the first found stays.
    """
    cards: dict[str, ModelCard] = {}
    broken = []
    for folder in _model_folders((paths.bundled_models(), paths.user_models(), *extra)):
        try:
            card = load_card(folder)
        except SegStudioError as error:
            broken.append(str(error))
        else:
            cards.setdefault(card.name, card)
    return tuple(cards.values()), tuple(broken)


def default_model() -> ModelCard | None:
    """The model to start with: the best-scored bundled one, else any; None without models."""
    cards = list_models()
    if not cards:
        return None
    return max(cards, key=lambda c: (c.bundled, max((s.miou for s in c.scores), default=0.0)))


def find_model(name_or_path: str) -> ModelCard:
    """The model with that name, or in that folder, or of that weights file.

    ModelError with the nearest names when there is none.
    """
    cards = list_models()
    by_name = {card.name: card for card in cards}
    if name_or_path in by_name:
        return by_name[name_or_path]
    path = Path(name_or_path).expanduser()
    if path.exists():
        return load_card(path)
    if path.suffix in WEIGHTS_SUFFIXES or len(path.parts) > 1:
        raise ModelError(f"There is nothing at {name_or_path}; check the path.")
    near = difflib.get_close_matches(name_or_path, by_name, n=3)
    known = near or list(by_name)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known models: {', '.join(known)}."
    if not known:
        hint = "no model is installed; give the path of a model folder."
    raise ModelError(f"There is no model '{name_or_path}'; {hint}")


def load_card(path: Path) -> ModelCard:
    """The card of a model folder, of a card.json, or of the weights file that it lies beside.

    ModelError when it is missing, no JSON, or a field cannot be what it says.
    """
    file = _card_file(path)
    try:
        if file.stat().st_size > _MAX_CARD_BYTES:
            raise ModelError(f"The model card {file} is over 1 MB; it is no card.")
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(
            f"The model card {file} cannot be read ({error.strerror}); check that it is there."
        ) from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"The model card {file} is not valid JSON; mend or replace it.") from error
    card = _parse(content, file)
    if path.suffix in WEIGHTS_SUFFIXES and path.name != card.weights:
        raise ModelError(
            f"The model card {file} belongs to {card.weights}, not to {path.name}; give the"
            " weights a folder and a card of their own."
        )
    return card


def write_card(card: ModelCard, folder: Path) -> Path:
    """Write card.json into the folder, whole or not at all; returns its path."""
    from segstudio.store.atomic import atomic_write

    file = folder / CARD
    text = json.dumps(card_json(card), indent=2, ensure_ascii=False) + "\n"
    atomic_write(file, text.encode("utf-8"))
    return file


def card_json(card: ModelCard) -> dict[str, Any]:
    """The card as it stands in card.json."""
    rule = card.input
    return {
        "format": FORMAT,
        "name": card.name,
        "title": card.title,
        "net": card.net,
        "net_args": dict(card.net_args),
        "classes": {"set": card.classes.name, "list": card.classes.to_json()},
        "input": {
            "mean": list(rule.mean),
            "std": list(rule.std),
            "scale": rule.scale,
            "divide_after": rule.divide_after,
            "channels": rule.channels,
            "short_side": rule.short_side,
            "multiple_of": rule.multiple_of,
        },
        "weights": card.weights,
        "sha256": card.sha256,
        "params": card.params,
        "trained_on": card.trained_on,
        "licence": card.licence,
        "scores": [_score_json(score) for score in card.scores],
        "description": card.description,
        "command": card.command,
        **({} if card.lineage is None else {"lineage": card.lineage.to_json()}),
    }


def _score_json(score: Score) -> dict[str, Any]:
    row: dict[str, Any] = {"dataset": score.dataset, "miou": score.miou, "detail": score.detail}
    return {**row, "per_class": dict(score.per_class)} if score.per_class else row


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, lower-case hex; ModelError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(
            f"The weights file {path} cannot be read ({error.strerror}); put it back or install"
            " the model again."
        ) from error


def check_weights(card: ModelCard) -> Path:
    """The card's weights file, proved to be the one the card describes.

    Reads the whole file when the card carries a sha256. ModelError when it is missing or differs.
    """
    file = card.folder / card.weights
    if not file.is_file():
        raise ModelError(
            f"The model '{card.name}' has no weights file {file}; put it back or install the model"
            " again."
        )
    if card.sha256 and file_sha256(file) != card.sha256:
        raise ModelError(
            f"The weights {file} are not the ones the card of '{card.name}' describes (sha256"
            " differs); download or copy them again."
        )
    return file


def _model_folders(roots: Iterable[Path]) -> Iterable[Path]:
    for root in roots:
        if (root / CARD).is_file():
            yield root
        elif root.is_dir():
            try:
                inside = sorted(root.iterdir())
            except OSError:  # unreadable folders of other people are no reason to fail
                continue
            yield from (folder for folder in inside if (folder / CARD).is_file())


def _card_file(path: Path) -> Path:
    if path.is_dir():
        file = path / CARD
        if file.is_file():
            return file
        raise ModelError(f"The folder {path} holds no card.json; choose a model folder.")
    if not path.exists():
        raise ModelError(f"There is no model at {path}; check the path.")
    if path.suffix == ".json":
        return path
    file = path.parent / CARD
    if file.is_file():
        return file
    raise ModelError(
        f"The weights file {path} has no card.json beside it, so nobody knows which net and which"
        " classes it is for; add one."
    )


class _Reader:
    """Takes fields out of a JSON object and says which one is wrong."""

    def __init__(self, content: object, file: Path, where: str = "") -> None:
        if not isinstance(content, dict):
            raise ModelError(
                f"The model card {file} needs an object{f' in {where}' if where else ''}; mend it."
            )
        self.content: dict[str, Any] = content
        self.file = file
        self.where = f"{where}." if where else ""

    def bad(self, key: str, rule: str) -> ModelError:
        return ModelError(f"In the model card {self.file}, {self.where}{key} must be {rule}.")

    def text(self, key: str, default: str | None = None) -> str:
        value = self.content.get(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.bad(key, "a text")
        return value

    def number(self, key: str, default: float) -> float:
        value = self.content.get(key, default)
        if not _is_number(value) or value <= 0:
            raise self.bad(key, "a number above 0")
        return float(value)

    def whole(self, key: str, default: int | None, low: int, high: int) -> int | None:
        value = self.content.get(key, default)
        if value is None and default is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.bad(key, f"a whole number from {low} to {high}")
        return value

    def three(
        self, key: str, default: tuple[float, float, float], *, positive: bool
    ) -> tuple[float, float, float]:
        value = self.content.get(key, default)
        if not isinstance(value, list | tuple) or len(value) != 3:
            raise self.bad(key, "three numbers")
        if not all(_is_number(v) and (v > 0 or not positive) for v in value):
            raise self.bad(key, "three numbers" + (" above 0" if positive else ""))
        a, b, c = (float(v) for v in value)
        return a, b, c


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _parse(content: object, file: Path) -> ModelCard:
    read = _Reader(content, file)
    found = read.content.get("format")
    if found != FORMAT:
        raise ModelError(
            f"The model card {file} has format {found!r}, this version reads format {FORMAT};"
            " update SegStudio or the card."
        )
    folder = file.parent.resolve()
    weights = read.text("weights")
    if Path(weights).name != weights or Path(weights).suffix not in WEIGHTS_SUFFIXES:
        raise read.bad(
            "weights", "the name of a .safetensors, .pth or .onnx file in the same folder"
        )
    sha256 = read.text("sha256", "").lower()
    if sha256 and (len(sha256) != 64 or any(c not in "0123456789abcdef" for c in sha256)):
        raise read.bad("sha256", "64 hexadecimal digits, or empty")
    return ModelCard(
        name=read.text("name", folder.name),
        title=read.text("title", read.text("name", folder.name)),
        net=read.text("net"),
        classes=_classes(read),
        input=_input_rule(_Reader(read.content.get("input", {}), file, "input")),
        folder=folder,
        weights=weights,
        net_args=_net_args(read),
        scores=_scores(read),
        trained_on=read.text("trained_on", ""),
        licence=read.text("licence", ""),
        description=read.text("description", ""),
        command=read.text("command", ""),
        params=read.whole("params", None, 1, 10**12),
        sha256=sha256,
        bundled=folder.parent == paths.bundled_models().resolve(),
        lineage=_lineage(read),
    )


def _lineage(read: _Reader) -> Lineage | None:
    content = read.content.get("lineage")
    try:
        if content is None:
            return None
        return Lineage.from_json(_Reader(content, read.file, "lineage").content)
    except ValueError as error:
        raise ModelError(
            f"In the model card {read.file}, {error}; mend it or take it out."
        ) from error


def _classes(read: _Reader) -> ClassMap:
    inner = _Reader(read.content.get("classes"), read.file, "classes")
    try:
        return ClassMap.from_json(inner.text("set"), inner.content.get("list"))
    except ModelError:
        raise
    except SegStudioError as error:
        raise ModelError(f"The model card {read.file} cannot be used: {error}") from error


def _net_args(read: _Reader) -> dict[str, int | float | str | bool]:
    value = read.content.get("net_args", {})
    if not isinstance(value, dict) or not all(
        isinstance(v, str | bool) or _is_number(v) for v in value.values()
    ):
        raise read.bad("net_args", "an object of numbers, texts and true/false")
    return dict(value)


def _input_rule(read: _Reader) -> InputRule:
    start = InputRule()
    channels = read.text("channels", start.channels)
    if channels not in ("RGB", "BGR"):
        raise read.bad("channels", "RGB or BGR")
    multiple = read.whole("multiple_of", start.multiple_of, 1, 1024)
    assert multiple is not None
    return InputRule(
        mean=read.three("mean", start.mean, positive=False),
        std=read.three("std", start.std, positive=True),
        scale=read.number("scale", start.scale),
        divide_after=read.number("divide_after", start.divide_after),
        channels=channels,
        short_side=read.whole("short_side", None, 16, _MAX_SIDE),
        multiple_of=multiple,
    )


def _scores(read: _Reader) -> tuple[Score, ...]:
    rows = read.content.get("scores", [])
    if not isinstance(rows, list):
        raise read.bad("scores", "a list")
    found = []
    for index, row in enumerate(rows):
        one = _Reader(row, read.file, f"scores[{index}]")
        miou = one.content.get("miou")
        if not _is_number(miou) or not 0 <= float(miou or 0) <= 1:
            raise one.bad("miou", "a number from 0 to 1")
        found.append(
            Score(one.text("dataset"), float(miou or 0), one.text("detail", ""), _per_class(one))
        )
    return tuple(found)


def _per_class(read: _Reader) -> dict[str, float]:
    found = read.content.get("per_class", {})
    if not isinstance(found, dict) or not all(
        iou is None or (_is_number(iou) and 0 <= iou <= 1) for iou in found.values()
    ):
        raise read.bad("per_class", "an object of class names and numbers from 0 to 1")
    return {name: float(iou) for name, iou in found.items() if iou is not None}
