"""What the training window offers, gathered from the project and from earlier runs.

Reads labels and files: it runs as a job, beside the window's thread.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from segstudio import paths
from segstudio.core.catalogue import ModelCard
from segstudio.core.classes import ClassMap
from segstudio.store.project import Project
from segstudio.ui.training.plans import Plan, Speed, Which, plan_of, speeds
from segstudio.ui.training.run_folder import Unfinished, find_unfinished

NO_PROJECT = "Nothing is corrected yet: open a video, correct some frames and confirm them."


@dataclass(frozen=True, slots=True)
class Offer:
    """Everything the page lets people choose from.

    plans: by choice of frames. base: name of the model that is chosen at first. trouble: why
    nothing can be trained whatever is chosen, "" when it can.
    """

    project: Path
    classes: ClassMap
    plans: Mapping[Which, Plan]
    bases: tuple[ModelCard, ...]
    base: str = ""
    speeds: tuple[Speed, ...] = ()
    unfinished: tuple[Unfinished, ...] = ()
    trouble: str = ""


def runs_folder() -> Path:
    """Where runs are kept on this computer."""
    return paths.user_data() / "runs"


def offer_of(
    project: Project, models: Sequence[ModelCard], base: str = "", runs: Path | None = None
) -> Offer:
    """Any thread. models: files of ONNX are left out, nothing can be trained there. base: the one
    that drafts come from now.

    Unfinished runs of other projects are left out: they belong to those.
    """
    runs = runs or runs_folder()
    mine = str(project.path)
    return Offer(
        project=project.path,
        classes=project.classes,
        plans={which: plan_of(project, which) for which in ("confirmed", "painted")},
        bases=tuple(card for card in models if not card.weights.endswith(".onnx")),
        base=base,
        speeds=speeds(runs),
        unfinished=tuple(left for left in find_unfinished(runs) if left.recipe.project == mine),
    )
