"""Checkpoints of a run: everything that resuming needs, or an error.

Random numbers need no state: samples, crops and dropout are functions of the seed, the number of
the step and the process, so the step says it all.
"""

import io
from pathlib import Path
from typing import Any

import torch
from torch import nn

from segstudio.atomic import atomic_write
from segstudio.errors import ModelError


def save(
    path: Path,
    *,
    step: int,
    net: nn.Module,
    average: nn.Module | None,
    optimiser: torch.optim.Optimizer,
    best: float,
    **more: object,
) -> None:
    """Write the whole state at `path`, or leave the old file as it was (SegStudioError).

    more: numbers, words and state dicts that `load` gives back under their names.
    """
    state = {
        "step": step,
        "best": best,
        "net": net.state_dict(),
        "average": average.state_dict() if average is not None else None,
        "optimiser": optimiser.state_dict(),
        **more,
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    atomic_write(path, buffer.getvalue())


def load(path: Path) -> dict[str, Any]:
    """The state that `save` wrote; ModelError when the file is damaged or of another kind."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        missing = {"step", "best", "net", "average", "optimiser"} - state.keys()
    except Exception as error:
        raise ModelError(
            f"The checkpoint {path.name} cannot be read ({type(error).__name__}); delete it to"
            " start this run over."
        ) from error
    if missing:
        raise ModelError(
            f"The checkpoint {path.name} lacks {', '.join(sorted(missing))}; delete it to start"
            " this run over."
        )
    return dict(state)


def go_back(path: Path, *, to: Path) -> None:
    """Make the checkpoint at `path` a copy of the one at `to`; SegStudioError as `save`."""
    atomic_write(path, to.read_bytes())


def exists(path: Path) -> bool:
    """True when there is something to resume."""
    return path.is_file() and path.stat().st_size > 0
