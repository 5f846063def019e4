"""What a run began with, written down when it begins, and read when it becomes a model.

Folders, projects and base models may be changed or gone by then. Paths are left out: a model is
handed on, and nobody else has those places.
"""

import dataclasses
import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from segstudio import __version__
from segstudio.core.lineage import DataPart, Lineage
from segstudio.core.training import LabelledFolder, TrainRecipe
from segstudio.errors import SegStudioError
from segstudio.media import fingerprint
from segstudio.store.models import find_model
from segstudio.store.pairs import Pair
from segstudio.train import pseudo
from segstudio.train.assembling import CORRECTED, EARLIER
from segstudio.train.corrected import CorrectedSet, load
from segstudio.train.data import split_held_out
from segstudio.train.splits import split


def origin_of(
    recipe: TrainRecipe, run: Path, device: torch.device, corrected: CorrectedSet | None = None
) -> Lineage:
    """What is known before the first step. corrected: frames of a project that are trained on."""
    return dataclasses.replace(
        _descent(recipe, run),
        data=data_of(recipe, run, corrected),
        versions={
            "segstudio": __version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        hardware=hardware(device),
    )


def lineage_of(state: Mapping[str, Any], recipe: TrainRecipe, checkpoint: Path) -> Lineage:
    """Of the weights in a checkpoint, `state`, of the run that it lies in.

    A checkpoint of an older version says less, and the rest is taken from the recipe.
    """
    try:
        known = Lineage.from_json(json.loads(state.get("origin") or ""))
    except ValueError:
        run = checkpoint.parent
        known = dataclasses.replace(
            _descent(recipe, run), data=data_of(recipe, run, _copied(recipe, run))
        )
    written = datetime.fromtimestamp(checkpoint.stat().st_mtime, UTC)
    return dataclasses.replace(
        known,
        recipe=told(recipe),
        step=int(state["step"]),
        seconds=float(state["seconds"]) if "seconds" in state else None,
        date=str(state.get("date") or written.isoformat(timespec="seconds")),
    )


def _copied(recipe: TrainRecipe, run: Path) -> CorrectedSet | None:
    """The frames of a project that the run trained on."""
    if not recipe.project or not (run / CORRECTED).is_dir():
        return None
    found = load(run / CORRECTED)
    return found.chosen(split(found.samples, seed=recipe.seed).train)


def _descent(recipe: TrainRecipe, run: Path) -> Lineage:
    """Base and run. A base that is not there any more is known by its name alone."""
    known = Lineage(run=run.resolve().name, recipe=told(recipe))
    if not recipe.base:
        return known
    try:
        card = find_model(recipe.base)
    except SegStudioError:
        return dataclasses.replace(known, base=Path(recipe.base).name)
    before = () if card.lineage is None else card.lineage.ancestors
    return dataclasses.replace(known, base=card.name, base_sha256=card.sha256, earlier=before)


def told(recipe: TrainRecipe) -> dict[str, Any]:
    """The recipe's fields, with the ends of paths instead of paths."""
    fields: dict[str, Any] = json.loads(recipe.to_json())
    for key in ("base", "project", "classes"):
        fields[key] = Path(fields[key]).name
    for key in ("train", "validate", "replay"):
        for row in fields[key]:
            row.update(images=_end(row["images"]), labels=_end(row["labels"]))
    return fields


def data_of(
    recipe: TrainRecipe, run: Path, corrected: CorrectedSet | None = None
) -> tuple[DataPart, ...]:
    """Everything that is trained on; folders that cannot be read any more have no content."""
    found = []
    if corrected is not None:
        name = f"corrected frames of {Path(recipe.project).name}"
        found.append(DataPart(name, len(corrected), corrected.fingerprint))
    if (run / EARLIER / "manifest.json").is_file():
        said = pseudo.load(run / EARLIER)
        found.append(DataPart(pseudo.NAME, len(said), content_of(said.pairs)))
    for folder in recipe.train:
        without = f" without {', '.join(folder.hold_out)}" if folder.hold_out else ""
        found.append(_folder(folder, _end(folder.images) + without))
    found += [_folder(folder, f"earlier data, {_end(folder.images)}") for folder in recipe.replay]
    if recipe.synthetic_share > 0:
        share = f"{100 * recipe.synthetic_share:.0f} % of the samples"
        found.append(DataPart(f"synthetic drive, {share}", recipe.synthetic_pool))
    return tuple(found)


def _folder(folder: LabelledFolder, name: str) -> DataPart:
    try:
        pairs = split_held_out(folder)[0]
        return DataPart(name, len(pairs), content_of(pairs))
    except (SegStudioError, OSError):
        return DataPart(name, 0)


def content_of(pairs: Sequence[Pair]) -> str:
    """32 hex digits of the pictures, by name and size, and of all that is in the label files."""
    digest = hashlib.sha256(fingerprint.of_files([pair.picture for pair in pairs]).encode())
    for pair in pairs:
        digest.update(f"{pair.name}\0".encode("utf-8", "surrogateescape"))
        digest.update(pair.labels.read_bytes())
    return digest.hexdigest()[:32]


def hardware(device: torch.device) -> str:
    """The device by its name, and how many threads a CPU computes with."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    if device.type == "mps":
        return "Apple GPU"
    count = torch.get_num_threads()
    return f"{_processor()}, {count} thread{'' if count == 1 else 's'}"


def _processor() -> str:
    try:
        rows = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        named = [row.partition(":")[2].strip() for row in rows if row.startswith("model name")]
    except OSError:  # another system than Linux
        named = []
    return named[0] if named else platform.processor() or platform.machine() or "CPU"


def _end(place: str) -> str:
    """The last two parts of a path, "train/images"."""
    return "/".join(Path(place).parts[-2:])
