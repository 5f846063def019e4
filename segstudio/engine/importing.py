"""Foreign weights become a model folder: safetensors under our names, and a card."""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save as to_bytes
from torch import Tensor

from segstudio import paths
from segstudio.atomic import atomic_write
from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import ClassDef, ClassMap
from segstudio.engine.inspecting import build_meta, class_places
from segstudio.engine.inspection import Inspection
from segstudio.engine.loading import build_net
from segstudio.errors import ModelError, SegStudioError
from segstudio.nets.dialect import may_be_missing
from segstudio.nets.registry import NetSpec
from segstudio.store.class_sets import class_set_names, class_set_names_to_guess, load_class_set
from segstudio.store.models import CARD, write_card

WEIGHTS = "weights.safetensors"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+ -]{0,63}")
_GOLDEN_ANGLE = 0.381966
"""Of the colour circle: hues that follow each other by it stay as far apart as can be."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What a person decides about an import.

    name: of the model's folder ("": made from the file's). classes: the class set (None: the one
    such files usually mean, else numbered classes). rehead: accept a class set of another size or
    order and start a new classifier for it (seed: its random start). licence: what the weights'
    author says. short_side: frames are resized to it for the net. replace: an imported model of
    that name may be overwritten. folder: where model folders lie (None: the user's).
    """

    name: str = ""
    title: str = ""
    classes: ClassMap | None = None
    rehead: bool = False
    seed: int = 0
    licence: str = ""
    short_side: int | None = None
    replace: bool = False
    folder: Path | None = None


def import_weights(inspection: Inspection, options: ImportOptions | None = None) -> ModelCard:
    """Write `<folder>/<name>/weights.safetensors` and card.json, whole or not at all.

    The finished model is built once from its files before it gets its name. ModelError when the
    tensors do not fit, when the class set has another size and `rehead` was not asked for, or
    when the name is taken.
    """
    options = options or ImportOptions()
    _check_fit(inspection)
    root = options.folder or paths.user_models()
    name = _name(inspection, options.name)
    target = root / name
    if target.exists() and not (options.replace and (target / CARD).is_file()):
        raise ModelError(
            f"There is a model '{name}' in {root} already; choose another name, or replace it."
        )
    if inspection.dialect == "onnx":
        return _import_onnx(inspection, options, name, target)
    classes, is_new_head, notes = _classes(inspection, options)
    spec, net_args = lean(inspection.spec, len(classes), inspection.found.net_args)
    state = _rehead(inspection, classes, options.seed) if is_new_head else inspection.found.state
    state = _plain(state, build_meta(spec, len(classes), net_args).state_dict())
    card = _card(inspection, options, classes, name, target, net_args, is_new_head, notes)
    return _write(card, to_bytes(state), target)


def _import_onnx(
    inspection: Inspection, options: ImportOptions, name: str, target: Path
) -> ModelCard:
    """The file as it is, with a card beside it."""
    from segstudio.engine.onnx_net import describe_onnx

    file, count = inspection.file, describe_onnx(inspection.file).num_classes
    classes = options.classes or suggested_classes(inspection)
    if count not in (None, len(classes)):
        raise ModelError(
            f"{file} answers for {count} classes and the class set '{classes.name}' has"
            f" {len(classes)}; choose another set: an ONNX file keeps its classifier."
        )
    card = ModelCard(
        name=name,
        title=options.title or f"ONNX · {name}",
        net="onnx",
        net_args=dict(inspection.found.net_args),
        classes=in_channel_order(classes, inspection.class_names),
        input=_input(inspection.input, options.short_side),
        folder=target,
        weights="model.onnx",
        licence=options.licence,
        description=" ".join((f"Imported from {file.name}.", *inspection.notes)),
    )
    return _write(card, file.read_bytes(), target)


def lean(
    spec: NetSpec, num_classes: int, net_args: Mapping[str, int | float | str | bool]
) -> tuple[NetSpec, dict[str, int | float | str | bool]]:
    """The spec, and net_args that build the net without heads for training, where it has any."""
    kept = dict(net_args)
    own = build_meta(spec, num_classes, kept).state_dict()
    for switch in ("boosters", "aux"):
        if any(k.startswith(switch) for k in own):
            try:
                tried = build_meta(spec, num_classes, {**kept, switch: False}).state_dict()
            except ModelError:  # the net has the heads, but no such switch
                continue
            if not any(k.startswith(switch) for k in tried):
                kept[switch] = False
    return spec, kept


def suggested_name(inspection: Inspection) -> str:
    """A folder name for a model of this file that no model of the user has yet."""
    stem = re.sub(r"[^A-Za-z0-9._+-]+", "_", inspection.file.stem).strip("._-+")[:48]
    name = stem or inspection.spec.name
    if name in ("model", "weights", "pytorch_model", "checkpoint", "best", "last"):
        name = f"{inspection.spec.name}_{name}"
    taken = paths.user_models()
    number, free = 2, name
    while (taken / free).exists():
        free, number = f"{name}_{number}", number + 1
    return free


def suggested_classes(inspection: Inspection) -> ClassMap:
    """What the channels mean: the usual set of such files, else their own names, else numbers."""
    count, names = inspection.num_classes, inspection.class_names
    known = None
    if inspection.class_set in class_set_names():
        known = load_class_set(inspection.class_set)
    elif names:
        wanted = {_plain_name(n) for n in names}
        sets = (load_class_set(s) for s in class_set_names_to_guess())
        known = next((s for s in sets if {_plain_name(c.name) for c in s.classes} == wanted), None)
    if known is not None and len(known) == count:
        return in_channel_order(known, names)
    given = names or tuple(f"class {i}" for i in range(count))
    label = inspection.file.parent.name if names else f"{count} classes"
    return ClassMap(
        label, tuple(ClassDef(i, name, _color(i)) for i, name in enumerate(given[:count]))
    )


def in_channel_order(classes: ClassMap, names: Sequence[str]) -> ClassMap:
    """The set with its classes in the order of the net's channels, each with its own id.

    names: of the channels; when they are not the names of the set, its own order stays.
    """
    by_name = {_plain_name(c.name): c for c in classes.classes}
    wanted = [_plain_name(n) for n in names]
    if set(wanted) != set(by_name) or len(wanted) != len(by_name):
        return classes
    return ClassMap(classes.name, tuple(by_name[n] for n in wanted))


def _check_fit(inspection: Inspection) -> None:
    fit = inspection.fit
    if fit.is_whole:
        return
    problems = []
    if fit.missing:
        problems.append(f"{len(fit.missing)} tensors of the net are missing ({fit.missing[0]}, …)")
    if fit.unexpected:
        problems.append(f"{len(fit.unexpected)} are unexpected ({fit.unexpected[0]}, …)")
    if fit.misshapen:
        name, there, here = fit.misshapen[0]
        problems.append(
            f"{len(fit.misshapen)} have another shape ({name} is {there} instead of {here})"
        )
    raise ModelError(
        f"{inspection.file} does not fit the net {inspection.spec.title}: {', '.join(problems)};"
        " choose the net it was trained with (--net), or its arguments (--net-arg)."
    )


def _classes(
    inspection: Inspection, options: ImportOptions
) -> tuple[ClassMap, bool, tuple[str, ...]]:
    """The class set in channel order, whether the classifier is new, and what to note."""
    if options.classes is None:
        return suggested_classes(inspection), False, ()
    classes, names = options.classes, inspection.class_names
    if len(classes) != inspection.num_classes:
        if options.rehead:
            return classes, True, ()
        raise ModelError(
            f"{inspection.file} answers for {inspection.num_classes} classes and the class set"
            f" '{classes.name}' has {len(classes)}; choose another set, or start a new classifier"
            " for fine-tuning (--rehead)."
        )
    ordered = in_channel_order(classes, names)
    different = names and {_plain_name(n) for n in names} != {
        _plain_name(c.name) for c in classes.classes
    }
    if different and options.rehead:
        return classes, True, ()
    note = f"the file calls its channels {', '.join(names)}; taken in the order of {classes.name}"
    return ordered, False, (note,) if different else ()


def _rehead(inspection: Inspection, classes: ClassMap, seed: int) -> dict[str, Tensor]:
    """The tensors with a new classifier; rows of classes that both sets name are kept."""
    found, spec = inspection.found, inspection.spec
    places = class_places(spec, found.net_args)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = spec.build(len(classes), **found.net_args).state_dict()
    before = {_plain_name(n): i for i, n in enumerate(_names_before(inspection))}
    pairs = [
        (new, before[_plain_name(c.name)])
        for new, c in enumerate(classes.classes)
        if _plain_name(c.name) in before
    ]
    state = dict(found.state)
    for name, dims in places.items():
        if name not in fresh:
            continue
        new = fresh[name].clone()
        if name in state:
            for here, there in pairs:
                for dim in dims[:1]:
                    source = state[name].select(dim, there)
                    if new.select(dim, here).shape == source.shape:
                        new.select(dim, here).copy_(source)
        state[name] = new
    return state


def _names_before(inspection: Inspection) -> tuple[str, ...]:
    if inspection.class_names:
        return inspection.class_names
    if inspection.class_set in class_set_names():
        known = load_class_set(inspection.class_set)
        if len(known) == inspection.num_classes:
            return tuple(c.name for c in known.classes)
    return ()


def _plain(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What the net wants, each tensor alone in its memory, as safetensors asks for."""
    return {
        name: state[name].detach().clone().contiguous()
        for name in own
        if name in state or not may_be_missing(name)
    }


def _card(
    inspection: Inspection,
    options: ImportOptions,
    classes: ClassMap,
    name: str,
    target: Path,
    net_args: dict[str, int | float | str | bool],
    is_new_head: bool,  # noqa: FBT001  one of the facts listed
    notes: tuple[str, ...],
) -> ModelCard:
    spec = inspection.spec
    said = [f"Imported from {inspection.file.name} ({inspection.dialect_title})."]
    if is_new_head:
        said.append("The classifier is new and untrained: fine-tune it before use.")
    said += [f"{note[0].upper()}{note[1:]}." for note in (*notes, *inspection.notes)]
    built = build_meta(spec, len(classes), net_args)
    return ModelCard(
        name=name,
        title=options.title or f"{spec.title} · {name}",
        net=spec.name,
        net_args=net_args,
        classes=classes,
        input=_input(inspection.input, options.short_side),
        folder=target,
        weights=WEIGHTS,
        licence=options.licence,
        description=" ".join(said),
        params=sum(p.numel() for p in built.parameters()),
    )


def _input(rule: InputRule, short_side: int | None) -> InputRule:
    return replace(rule, short_side=short_side) if short_side else rule


def _write(card: ModelCard, content: bytes, target: Path) -> ModelCard:
    """Into a folder beside the target first; it takes the name when the model could be built."""
    card = replace(card, sha256=hashlib.sha256(content).hexdigest())
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise ModelError(
            f"The model cannot be written to {target.parent} ({error.strerror}); choose another"
            " folder or free some space."
        ) from error
    try:
        atomic_write(work / card.weights, content)
        write_card(card, work)
        build_net(replace(card, folder=work))
        if target.exists():
            shutil.rmtree(target)
        work.rename(target)
    except OSError as error:
        raise ModelError(
            f"The model cannot be written to {target} ({error.strerror}); choose another name or"
            " free some space."
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return card


def _name(inspection: Inspection, wanted: str) -> str:
    if not wanted:
        return suggested_name(inspection)
    if not _NAME.fullmatch(wanted) or wanted != wanted.strip():
        raise SegStudioError(
            f"'{wanted}' cannot be a model's name; use letters, digits, dots, dashes and"
            " underscores."
        )
    return wanted


def _plain_name(name: str) -> str:
    """For comparison: "Side walk", "side_walk" and "sidewalk" are one name."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _color(index: int) -> tuple[int, int, int]:
    """Distinct colours without end: the golden angle on the circle, three lightnesses in turn."""
    import colorsys

    lightness = (0.55, 0.42, 0.68)[index % 3]
    red, green, blue = colorsys.hls_to_rgb(index * _GOLDEN_ANGLE % 1, lightness, 0.6)
    return round(red * 255), round(green * 255), round(blue * 255)
