"""What is in a weights file: which program wrote it, which net it is for, what fits and what not.

Nothing is written here; see importing.py.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.engine.inspection import Inspection
from segstudio.engine.onnx_import import inspect_onnx
from segstudio.errors import ModelError, SegStudioError
from segstudio.nets.dialect import Dialect, Found, dialect_of, fit, may_be_missing
from segstudio.nets.dialects import transformers_hub
from segstudio.nets.registry import NETS, NetSpec
from segstudio.nets.weights import WeightsFile, named_for, open_weights

NetArgs: TypeAlias = dict[str, int | float | str | bool]

OWN = "segstudio"
"""The dialect of our own files: every tensor has our name."""

_MAX_CONFIG_BYTES = 4_000_000


def inspect_weights(path: Path, net: str = "", net_args: NetArgs | None = None) -> Inspection:
    """Look into a weights file.

    net: the registry name of the net when the file cannot tell (its tensors must then have our
    names). net_args: added to those that the dialect found. ModelError when the file cannot be
    read, when nobody knows it, or when the net is not there.
    """
    if path.suffix.lower() == ".onnx":
        return inspect_onnx(path)
    file = open_weights(path)
    if net:
        return _inspection(file, OWN, "SegStudio", _as_named(file, net, net_args or {}))
    known = dialect_of(file.tensors)
    config = _config_beside(path)
    if '"model_type"' in config and (known is None or known.name == "transformers"):
        read = transformers_hub.read_configured(file.tensors, config)
        return _inspection(file, "transformers", "transformers", _with_args(read, net_args))
    if known is not None:
        found = known.read(file.tensors)
        return _inspection(file, known.name, known.title, _with_args(found, net_args))
    found_own = _own(file.tensors, net_args or {})
    if found_own is not None:
        return _inspection(file, OWN, "SegStudio", found_own)
    first = ", ".join(list(file.tensors)[:3])
    raise ModelError(
        f"No known program names {len(file.tensors)} tensors as {path} does ({first}, …); say which"
        " net it is for with --net, if its tensors have our names, or export it to ONNX."
    )


def inspect_model(card: ModelCard) -> Inspection:
    """Look into the weights of a model that has a card: they must have our names."""
    if card.net == "onnx":
        return inspect_weights(card.folder / card.weights)
    file = open_weights(card.folder / card.weights)
    spec = NETS.get(card.net)
    own = build_meta(spec, len(card.classes), card.net_args).state_dict()
    tensors = named_for(own, file.tensors)
    found = Found(card.net, len(card.classes), tensors, dict(card.net_args))
    return Inspection(
        file=file.path,
        dialect=OWN,
        dialect_title="SegStudio",
        spec=spec,
        found=found,
        fit=fit(found),
        class_set=card.classes.name,
        class_names=tuple(c.name for c in card.classes.classes),
        input=card.input,
        beside=file.beside,
        foreign=file.foreign,
    )


def _inspection(file: WeightsFile, dialect: str, title: str, found: Found) -> Inspection:
    spec, multiple = _built_spec(found)
    names = found.class_names or file.class_names or _names_beside(file.path, found.num_classes)
    if len(names) != found.num_classes:
        names = ()
    return Inspection(
        file=file.path,
        dialect=dialect,
        dialect_title=title,
        spec=spec,
        found=_without(found, file.dropped),
        fit=fit(_without(found, file.dropped)),
        class_set=found.class_set,
        class_names=names,
        input=InputRule(**{"multiple_of": multiple, **found.input}),
        beside=file.beside,
        foreign=file.foreign,
        notes=found.notes,
    )


def _without(found: Found, dropped: tuple[str, ...]) -> Found:
    """With the tensors of the loss among the ignored."""
    belongs = dict.fromkeys(dropped, "belongs to the loss")
    return replace(found, ignored={**found.ignored, **belongs})


def _built_spec(found: Found) -> tuple[NetSpec, int]:
    spec = NETS.get(found.net)
    own = spec.of(build_meta(spec, found.num_classes, found.net_args))
    return own, own.multiple_of


def _with_args(found: Found, net_args: NetArgs | None) -> Found:
    return replace(found, net_args={**found.net_args, **net_args}) if net_args else found


def build_meta(spec: NetSpec, num_classes: int, net_args: Mapping[str, Any]) -> nn.Module:
    """The net without numbers; ModelError when it cannot be built with these net_args."""
    try:
        with torch.device("meta"):
            return spec.build(num_classes, **net_args)
    except (TypeError, ValueError, RuntimeError) as error:
        shown = ", ".join(f"{k}={v}" for k, v in net_args.items())
        raise ModelError(
            f"{spec.title} cannot be built with {shown or 'its defaults'} ({error}); correct the"
            " net arguments."
        ) from error


def class_places(spec: NetSpec, net_args: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Tensors whose shape depends on the number of classes: name -> the dimensions that do.

    Found by building the net twice without numbers, with 5 and with 6 classes.
    """
    five = build_meta(spec, 5, net_args).state_dict()
    six = build_meta(spec, 6, net_args).state_dict()
    return {
        name: tuple(
            i for i, (a, b) in enumerate(zip(value.shape, six[name].shape, strict=True)) if a != b
        )
        for name, value in five.items()
        if name in six and value.shape != six[name].shape
    }


def _as_named(file: WeightsFile, net: str, net_args: NetArgs) -> Found:
    """The tensors for that net under the names they have, or as the dialect for it reads them."""
    spec = NETS.get(net)
    known = dialect_of(file.tensors)
    if known is not None:
        found = _quietly(known, file.tensors)
        if found is not None and found.net == net:
            return _with_args(found, net_args)
    tensors = named_for(build_meta(spec, 5, net_args).state_dict(), file.tensors)
    for name, dims in class_places(spec, net_args).items():
        if name in tensors and dims and tensors[name].dim() > dims[0]:
            return Found(net, int(tensors[name].shape[dims[0]]), tensors, dict(net_args))
    raise ModelError(
        f"{file.path} has none of the classifier's tensors of {spec.title}; choose the net that"
        " the weights were trained with."
    )


def _quietly(known: Dialect, tensors: Mapping[str, Tensor]) -> Found | None:
    try:
        return known.read(tensors)
    except SegStudioError:
        return None


def _own(tensors: Mapping[str, Tensor], net_args: NetArgs) -> Found | None:
    """The net of the zoo whose tensors have exactly these names, if there is one."""
    for name in NETS:
        spec = NETS.get(name)
        if spec.extra:
            continue
        try:
            places = class_places(spec, net_args)
            own = build_meta(spec, 5, net_args).state_dict()
        except ModelError:  # these net_args are another net's
            continue
        named = named_for(own, tensors)
        if {k for k in own if not may_be_missing(k)} <= named.keys() <= own.keys():
            key, dims = next((k, d) for k, d in places.items() if k in named)
            return Found(name, int(named[key].shape[dims[0]]), named, dict(net_args))
    return None


def _names_beside(path: Path, count: int) -> tuple[str, ...]:
    """The `id2label` of a config.json that lies beside the weights; () when there is none."""
    try:
        labels = json.loads(_config_beside(path))["id2label"]
        return tuple(str(labels[str(i)]) for i in range(count))
    except (ValueError, KeyError, TypeError):
        return ()


def _config_beside(path: Path) -> str:
    """The text of transformers' config.json beside the weights; "" when there is none."""
    file = path.parent / "config.json"
    try:
        if not file.is_file() or file.stat().st_size > _MAX_CONFIG_BYTES:
            return ""
        text = file.read_text(encoding="utf-8")
        return text if "model_type" in json.loads(text) or "id2label" in json.loads(text) else ""
    except (OSError, ValueError, TypeError):
        return ""
