"""Writes docs/zoo.md: every net of the zoo as built here, beside what its authors publish."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from segstudio.errors import ModelError
from segstudio.nets import facts
from segstudio.nets.dialect import DIALECTS
from segstudio.nets.registry import NETS

REPO = Path(__file__).resolve().parent.parent
PUBLISHED = REPO / "script" / "zoo_published.toml"
PAGE = REPO / "docs" / "zoo.md"

INTRO = """\
# The zoo

Every net as it is built here, beside what its authors publish. Written by
`python script/zoo_table.py`; the published figures and their sources stand in
`script/zoo_published.toml`, and a test holds the column of parameters against the code.

Parameters are those of a prediction: heads that exist for training only are not counted, nor are
the fixed transposed convolutions of FCN. GMAC is billions of multiply-accumulate operations for
one picture of the given size (height×width), those convolutions included, counted as torchvision
counts its own nets; papers print the same quantity as "GFLOPs". Stride is input pixels per pixel
of the logits. The receptive field is the side in pixels of what the deepest layer sees, or the
whole picture where a net pools or attends globally.

Accuracies and speeds were measured by others, each on its own data, size and hardware: they tell
what a net can reach, and must not be ranked against each other.
"""


def main() -> None:
    """Walks the registry; nets without published figures are listed all the same."""
    published = tomllib.loads(PUBLISHED.read_text(encoding="utf-8"))
    unknown = {row.get("net", name) for name, row in published.items()} - set(NETS)
    if unknown:
        raise SystemExit(f"no such nets: {', '.join(sorted(unknown))}")
    families: dict[str, list[str]] = {}
    for name in NETS:
        spec = NETS.get(name)
        if not spec.extra:
            families.setdefault(spec.family, []).append(name)
    parts = [INTRO, table(families, published), measured_by_others(families, published)]
    parts += [libraries(), dialects()]
    PAGE.write_text("\n".join(parts), encoding="utf-8")


def table(families: dict[str, list[str]], published: dict[str, Any]) -> str:
    """Built against published."""
    lines = [
        "## Built against published\n",
        "| net | name | classes | parameters | published | size | GMAC | published | stride |"
        " receptive field |",
        "|-|-|-|-|-|-|-|-|-|-|",
    ]
    notes: list[str] = []
    for name, known in rows_of(families, published):
        row = built(name, known)
        label = f", {known['label']}" if "label" in known else ""
        mark = ""
        if "note" in known:
            if known["note"] not in notes:
                notes.append(known["note"])
            mark = f" [{notes.index(known['note']) + 1}]"
        lines.append(
            f"| [{row['title']}]({row['paper']}){label}{mark} | `{name}` | {row['classes']} |"
            f" {row['parameters']:,} | {known.get('params', '')} | {row['size']} |"
            f" {row['gmacs']:.2f} | {known.get('gmacs', '')} | {row['stride']} | {row['field']} |"
        )
        print(lines[-1], flush=True)
    lines += ["", *(f"[{i}] {note}  " for i, note in enumerate(notes, 1)), ""]
    return "\n".join(lines)


def rows_of(
    families: dict[str, list[str]], published: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every net with what is published about it, then its variants that others build."""
    for name in (n for names in families.values() for n in names):
        yield name, published.get(name, {})
        yield from ((name, row) for row in published.values() if row.get("net") == name)


def built(name: str, known: dict[str, Any]) -> dict[str, Any]:
    """The figures of one net, as the table prints them; sizes that it cannot take are refused."""
    spec = NETS.get(name)
    classes = int(known.get("classes", 19))
    with torch.device("meta"):
        net = spec.build(classes, **known.get("net_args", {})).eval()
    spec = spec.of(net)
    height, width = known.get("size", (spec.sides_near(512)[-1], spec.sides_near(1024)[-1]))
    field = facts.receptive_field(net, height, width)
    return {
        "title": spec.title,
        "paper": spec.paper,
        "classes": classes,
        "parameters": counted(net),
        "size": f"{height}×{width}",
        "gmacs": facts.gmacs(net, height, width),
        "stride": facts.output_stride(net, height, width),
        "field": f"{field}" if field else "whole picture",
    }


def counted(net: torch.nn.Module) -> int:
    """Parameters of a prediction, without transposed convolutions that stay bilinear."""
    return sum(
        p.numel()
        for n, p in net.named_parameters()
        if p.requires_grad and not n.startswith(("boosters.", "aux"))
    )


def measured_by_others(families: dict[str, list[str]], published: dict[str, Any]) -> str:
    """Accuracy and speed with their sources."""
    lines = [
        "## Measured by others\n",
        "| net | mIoU, % | frames per second | source |",
        "|-|-|-|-|",
    ]
    for name, known in rows_of(families, published):
        if "accuracy" in known or "speed" in known:
            scores = "; ".join(f"{v} ({on})" for v, on in known.get("accuracy", []))
            speeds = "; ".join(f"{v} ({at}, {on})" for v, at, on in known.get("speed", []))
            lines.append(f"| {NETS.get(name).title} | {scores} | {speeds} | {known['source']} |")
    return "\n".join([*lines, ""])


def libraries() -> str:
    """Nets that optional packages bring."""
    lines = [
        "## Nets of other libraries\n",
        "| name | brings | install |",
        "|-|-|-|",
    ]
    for name in NETS:
        spec = NETS.get(name)
        if spec.extra:
            lines.append(f"| `{name}` | {spec.title} ({spec.paper}) | `segstudio[{spec.extra}]` |")
    lines.append("| `onnx` | any ONNX file that labels pictures | `segstudio[onnx]` |")
    return "\n".join([*lines, ""])


def dialects() -> str:
    """Whose files are understood."""
    lines = [
        "## Checkpoints that are understood\n",
        "`segstudio models inspect FILE` says which of these wrote a file, what fits and what not;",
        "`segstudio models import FILE --classes SET` makes a model of it. Other files whose",
        "tensors have our own names open with `--net NAME`.\n",
        "| written by | source |",
        "|-|-|",
    ]
    for name in DIALECTS:
        known = DIALECTS.get(name)
        lines.append(f"| {known.title} | {known.source} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    try:
        main()
    except ModelError as error:
        raise SystemExit(str(error)) from error
