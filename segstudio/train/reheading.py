"""A base model that knows other classes: its classifier keeps the rows of those that both know."""

from collections.abc import Mapping

from torch import Tensor, nn

from segstudio.core.classes import ClassMap
from segstudio.nets.registry import NetSpec
from segstudio.nets.weights import named_for
from segstudio.train.parts import Part, layout_of


def reheaded(
    net: nn.Module, spec: NetSpec, state: Mapping[str, Tensor], old: ClassMap, new: ClassMap
) -> dict[str, Tensor]:
    """Weights of a net for `old` that fit `net`, which was built for `new`.

    Tensors of the head with one row for each class: rows of classes with a name in both sets come
    from the state, all others stay as the fresh net has them. Everything else is as it was. Equal
    sets change nothing.
    """
    names = [c.name.casefold() for c in old.classes]
    rows = {
        row: names.index(c.name.casefold())
        for row, c in enumerate(new.classes)
        if c.name.casefold() in names
    }
    own = net.state_dict()
    found = named_for(own, state)
    if (
        len(old) == len(new)
        and all(row == was for row, was in rows.items())
        and len(rows) == len(new)
    ):
        return found
    layout = layout_of(net, spec)
    for key, value in found.items():
        mine = own.get(key)
        if mine is None or not value.ndim or layout.part_of(key) is not Part.HEAD:
            continue
        is_by_class = (mine.shape[0], value.shape[0]) == (len(new), len(old))
        if is_by_class and mine.shape[1:] == value.shape[1:]:
            fresh = mine.detach().clone()
            for row, was in rows.items():
                fresh[row] = value[was].to(fresh)
            found[key] = fresh
        elif mine.shape != value.shape:  # enlargements with a plane for each class: as in a new net
            found[key] = mine
    return found
