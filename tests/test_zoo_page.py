"""docs/zoo.md says what the code builds."""

import re
import tomllib
from pathlib import Path

import pytest
import torch

from segstudio.nets.dialect import DIALECTS
from segstudio.nets.registry import NETS

REPO = Path(__file__).resolve().parent.parent
PAGE = REPO / "docs" / "zoo.md"
ROW = re.compile(r"^\| \[[^|]*\| `(\w+)` \| (\d+) \| ([\d,]+) \|", re.MULTILINE)

pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="only in a checkout")


def test_every_net_has_its_row():
    own = {name for name in NETS if not NETS.get(name).extra}
    assert own == {name for name, _, _ in ROW.findall(PAGE.read_text())}


def test_parameters_are_what_the_code_builds():
    published = tomllib.loads((REPO / "script" / "zoo_published.toml").read_text())
    variants: dict[str, list[dict]] = {}
    for name, row in published.items():
        variants.setdefault(row.get("net", name), []).append(row.get("net_args", {}))
    for name, classes, parameters in ROW.findall(PAGE.read_text()):
        counts = []
        for options in variants.get(name, [{}]):
            with torch.device("meta"):
                net = NETS.get(name).build(int(classes), **options)
            counts.append(
                sum(
                    p.numel()
                    for n, p in net.named_parameters()
                    if p.requires_grad and not n.startswith(("boosters.", "aux"))
                )
            )
        assert int(parameters.replace(",", "")) in counts, name


def test_every_dialect_is_named():
    page = PAGE.read_text()
    assert [d for d in DIALECTS if DIALECTS.get(d).title not in page] == []
