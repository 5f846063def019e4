"""Dialects: how other programs name, order and wrap the tensors of a net that we have too.

A dialect knows its files by their keys, says which net of the zoo they are for, and brings every
tensor under our name. Equal keys are not equal maths: where another program concatenates in
another order, the dialect permutes; where it pads, dilates or enlarges otherwise, it says so in
net_args, and the net has that variant. One file in `dialects/` for each program (or family).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from segstudio.errors import ModelError
from segstudio.nets.registry import NETS
from segstudio.registry import Registry

State = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a dialect makes of the tensors of one file.

    net, net_args, num_classes: what to build. state: the tensors under our names. origins: our
    name -> name in the file. ignored: name in the file -> why it is left out. left: names in the
    file that the dialect does not know. input: fields of the card's input rule in which these
    weights differ from ImageNet RGB (mean, std, scale, divide_after, channels, short_side,
    multiple_of). class_set: the class set such files usually mean ("cityscapes19", "voc21",
    "camvid", "camvid12", "ade20k150", …), "" when it cannot be known. class_names: in the order of
    the channels, when file or dialect knows them. notes: sentences for the user.
    """

    net: str
    num_classes: int
    state: dict[str, Tensor]
    net_args: dict[str, int | float | str | bool] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    ignored: dict[str, str] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    input: dict[str, Any] = field(default_factory=dict)
    class_set: str = ""
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """One program's way of writing weights.

    recognises: whether the tensors (real or on the meta device; prefixes and wrappers are off
    already) are of this dialect; exactly one dialect may say yes. read: what they are.
    """

    name: str
    title: str
    source: str
    recognises: Callable[[State], bool]
    read: Callable[[State], Found]


DIALECTS: Registry[Dialect] = Registry("dialect", "segstudio.nets.dialects")


def dialect(
    name: str, *, title: str, source: str, recognises: Callable[[State], bool]
) -> Callable[[Callable[[State], Found]], Callable[[State], Found]]:
    """A decorator that files a reader in DIALECTS. source: address of the program."""

    def file(read: Callable[[State], Found]) -> Callable[[State], Found]:
        DIALECTS.add(name)(Dialect(name, title, source, recognises, read))
        return read

    return file


def dialect_of(state: State) -> Dialect | None:
    """The dialect that knows these tensors; None when no dialect does."""
    return next((d for d in map(DIALECTS.get, DIALECTS) if d.recognises(state)), None)


class Renaming:
    """Moves tensors from a file's names to ours, and keeps account of every one.

    A name of the file is either moved, or ignored for a reason, or left (and then reported).
    """

    def __init__(self, state: State) -> None:
        self.left: dict[str, Tensor] = dict(state)
        self.state: dict[str, Tensor] = {}
        self.origins: dict[str, str] = {}
        self.ignored: dict[str, str] = {}

    def move(
        self, old: str, new: str, change: Callable[[Tensor], Tensor] | None = None
    ) -> "Renaming":
        """One tensor, changed on the way if asked; absent ones are no error here."""
        tensor = self.left.pop(old, None)
        if tensor is not None:
            self.state[new] = tensor if change is None else change(tensor)
            self.origins[new] = old
        return self

    def split(self, old: str, new: Sequence[str]) -> "Renaming":
        """One tensor into equal parts along its first dimension, one for each of our names."""
        tensor = self.left.pop(old, None)
        if tensor is not None:
            for name, part in zip(new, tensor.chunk(len(new)), strict=True):
                self.state[name] = part
                self.origins[name] = old
        return self

    def rules(self, rules: Iterable[tuple[str, str]]) -> "Renaming":
        r"""(pattern, replacement) pairs; the first that matches the whole name moves it.

        Patterns are regular expressions for re.fullmatch, replacements templates (`\1`).
        """
        compiled = [(re.compile(pattern), template) for pattern, template in rules]
        for old in list(self.left):
            for pattern, template in compiled:
                match = pattern.fullmatch(old)
                if match:
                    self.move(old, match.expand(template))
                    break
        return self

    def prefixes(self, pairs: Iterable[tuple[str, str]]) -> "Renaming":
        """(start of the file's names, start of ours) pairs; the first that fits is used."""
        return self.rules((re.escape(old) + "(.*)", new + r"\1") for old, new in pairs)

    def rest_unchanged(self) -> "Renaming":
        """What is left keeps its name."""
        for old in list(self.left):
            self.move(old, old)
        return self

    def ignore(self, pattern: str, why: str) -> "Renaming":
        """Leave out every name that matches the whole pattern; why: for the user, a few words."""
        compiled = re.compile(pattern)
        for old in [name for name in self.left if compiled.fullmatch(name)]:
            del self.left[old]
            self.ignored[old] = why
        return self

    def found(self, net: str, num_classes: int, **more: Any) -> Found:  # noqa: ANN401  Found's own fields
        """The result; more: further fields of Found."""
        return Found(
            net,
            num_classes,
            self.state,
            origins=self.origins,
            ignored=self.ignored,
            left=tuple(self.left),
            **more,
        )


def conv_and_norm(
    old: str, new: str, *, conv: str = "conv", norm: str = "bn", first: int = 0
) -> tuple[tuple[str, str], tuple[str, str]]:
    r"""Rules for a module of convolution and batch norm that is a Sequential here.

    old: pattern of its name in the file; new: template of ours (`\1` as ever). conv, norm: what
    the file calls its two parts. first: place of the convolution in our Sequential.
    """
    rest = rf"\{re.compile(old).groups + 1}"
    return (
        (rf"{old}\.{conv}\.(.*)", f"{new}.{first}.{rest}"),
        (rf"{old}\.{norm}\.(.*)", f"{new}.{first + 1}.{rest}"),
    )


def permuted_blocks(order: Iterable[int], sizes: Iterable[int]) -> Callable[[Tensor], Tensor]:
    """A change for weights (out, in, …) whose input channels are blocks in another order.

    sizes: channels of the blocks as the file has them. order: which of them comes first, second, …
    """
    wanted, lengths = list(order), list(sizes)

    def change(weight: Tensor) -> Tensor:
        parts = torch.split(weight, lengths, dim=1)
        return torch.cat([parts[i] for i in wanted], 1)

    return change


@dataclass(frozen=True, slots=True)
class Fit:
    """How the tensors of a file compare with the net they are for; names as in the file.

    matched: taken as named. renamed: taken under another name. missing: names of the net that the
    file lacks. unexpected: names in the file that nobody wants. misshapen: (name, shape in the
    file, shape in the net). ignored: name -> why it is left out.
    """

    matched: tuple[str, ...]
    renamed: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshapen: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    ignored: dict[str, str]

    @property
    def is_whole(self) -> bool:
        """Every tensor of the net is there, and nothing else."""
        return not (self.missing or self.unexpected or self.misshapen)


def fit(found: Found) -> Fit:
    """Compare what was found with its net, built without numbers on the meta device.

    ModelError when that net cannot be built (an optional package is missing, say).
    """
    spec = NETS.get(found.net)
    try:
        with torch.device("meta"):
            own = spec.build(found.num_classes, **found.net_args).state_dict()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"{spec.title} cannot be built as these weights need it ({error}); choose the net they"
            " were trained with."
        ) from error
    taken = {k: v for k, v in found.state.items() if k in own}
    fitting = {k for k, v in taken.items() if v.shape == own[k].shape}
    origin = found.origins.get
    return Fit(
        matched=tuple(k for k in fitting if origin(k, k) == k),
        # A tensor that was split stands for several of ours, and is listed once.
        renamed=tuple(
            dict.fromkeys(origin(k, k) for k in taken if k in fitting and origin(k, k) != k)
        ),
        missing=tuple(k for k in own if k not in found.state and not may_be_missing(k)),
        unexpected=(*found.left, *(origin(k, k) for k in found.state if k not in own)),
        misshapen=tuple(
            (origin(k, k), tuple(v.shape), tuple(own[k].shape))
            for k, v in taken.items()
            if k not in fitting
        ),
        ignored=dict(found.ignored),
    )


def may_be_missing(name: str) -> bool:
    """Heads for training only and batch counters: no prediction needs them."""
    return name.startswith(("boosters.", "aux")) or name.endswith(".num_batches_tracked")
