"""Key lists of public checkpoints: `keys/<name>.tsv` holds `name<TAB>(shape)` per tensor."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

KEYS = Path(__file__).parent / "keys"


@pytest.fixture
def listed() -> Callable[..., dict[str, torch.Tensor]]:
    """listed(name, device="meta"): the tensors of a key list; random ones on another device."""

    def read(name: str, device: str = "meta") -> dict[str, torch.Tensor]:
        rows = (line.split("\t") for line in (KEYS / f"{name}.tsv").read_text().splitlines())
        shapes = {key: ast.literal_eval(shape) for key, shape in rows}
        if device == "meta":
            return {key: torch.empty(shape, device="meta") for key, shape in shapes.items()}
        random = torch.Generator().manual_seed(0)
        return {key: _random(key, shape, random) for key, shape in shapes.items()}

    return read


def _random(key: str, shape: tuple[int, ...], random: torch.Generator) -> torch.Tensor:
    """Numbers that keep a net's activations in range: variances above zero, small weights."""
    if key.endswith("num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.int64)
    if key.endswith("running_var"):
        return torch.rand(shape, generator=random) + 0.5
    fan_in = 1
    for side in shape[1:]:
        fan_in *= side
    values = torch.randn(shape, generator=random) * (2 / fan_in) ** 0.5
    return values + 1 if len(shape) == 1 and key.endswith("weight") else values
