"""An ONNX file looked into, as weights files are: what it answers, and for how many classes."""

from pathlib import Path
from typing import Any

from segstudio.core.catalogue import InputRule
from segstudio.engine.inspection import Inspection
from segstudio.engine.onnx_net import OnnxFacts, describe_onnx
from segstudio.errors import ModelError
from segstudio.nets.dialect import Fit, Found
from segstudio.nets.registry import NetSpec

ONNX = "onnx"
"""Dialect and net of such files."""

_USUAL_SET = "cityscapes19"
_USUAL_CLASSES = 19


def inspect_onnx(path: Path) -> Inspection:
    """What the file says of itself; ModelError when it is no segmentation net that can be used."""
    facts = describe_onnx(path)
    classes = facts.card.get("classes", {})
    names = tuple(str(c["name"]) for c in classes.get("list", ()) if "name" in c)
    count = facts.num_classes or len(names) or _USUAL_CLASSES
    class_set = str(classes.get("set", ""))
    notes = [_answer(facts)]
    if facts.num_classes is None and not names:
        class_set = _USUAL_SET
        notes.append("It does not tell how many classes there are: choose the class set.")
    return Inspection(
        file=path,
        dialect=ONNX,
        dialect_title="An ONNX exporter" if not facts.card else "SegStudio",
        spec=_spec(facts),
        found=Found(ONNX, count, {}, net_args=dict(facts.net_args)),
        fit=Fit((), (), (), (), (), {}),
        class_set=class_set,
        class_names=names if len(names) == count else (),
        input=_input(facts),
        notes=tuple(notes),
    )


def _answer(facts: OnnxFacts) -> str:
    size = f"{facts.size[1]} × {facts.size[0]} alone" if facts.size else "any size"
    return f"It takes {size} and answers with {facts.answers}."


def _input(facts: OnnxFacts) -> InputRule:
    """Our own exports say it; others mostly mean ImageNet RGB."""
    said: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in facts.card.get("input", {}).items()
    }
    multiple = int(facts.net_args.get("multiple_of", 32))
    try:
        return InputRule(**{"multiple_of": multiple, **said})
    except TypeError as error:
        raise ModelError(
            f"{facts.file} describes its input in an unknown way ({error}); export it again with"
            " this version."
        ) from error


def _spec(facts: OnnxFacts) -> NetSpec:
    def build(_: int) -> Any:  # noqa: ANN401  a net
        raise ModelError("An ONNX file is run as it is and cannot be built anew.")

    args = facts.net_args
    return NetSpec(
        ONNX,
        "ONNX file",
        "https://onnx.ai",
        build,
        family="ONNX",
        multiple_of=int(args.get("multiple_of", 1)),
        remainder=int(args.get("remainder", 0)),
        extra="onnx",
        only_size=facts.size,
    )
