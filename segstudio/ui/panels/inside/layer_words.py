"""Facts about layers as people read them."""

from segstudio.core.layers import CallFacts, LayerCost, LayerFacts, LayerTree
from segstudio.ui.words import counted, share_text

TIMES, JOINT = "×", " · "


def call_of(layer: LayerFacts, call: int) -> CallFacts | None:
    """That run of the layer; the last one where there are not so many, None when it never runs."""
    if not layer.calls:
        return None
    return layer.calls[call] if -len(layer.calls) <= call < len(layer.calls) else layer.calls[-1]


def is_map(layer: LayerFacts) -> bool:
    """One of its runs gives something that lies over the picture."""
    return any(call.is_map for call in layer.calls)


def why_not(layer: LayerFacts, tree: LayerTree) -> str:
    """Why nothing of it can be laid over the picture, in a sentence; "" when it can."""
    if is_map(layer):
        return ""
    if not layer.calls and _is_group(layer, tree):
        return "It only groups the layers inside it and has no answer of its own."
    if not layer.calls:
        return "This layer does not run when the model predicts."
    shape = layer.calls[-1].shape
    if len(shape) == 2:
        return (
            f"Its answer is {counted(shape[0], 'token')} of {counted(shape[1], 'number')},"
            " without rows and columns to lay over the picture."
        )
    if shape and (len(shape) == 1 or shape[1:] == (1, 1)):
        return (
            f"Its answer is {counted(shape[0], 'number')} for the whole picture:"
            " there is nothing to lay over it."
        )
    return f"Its answer of {shape_text(shape) or 'no numbers'} does not lie over the picture."


def _is_group(layer: LayerFacts, tree: LayerTree) -> bool:
    inside = f"{layer.name}."
    return any(one.calls and one.name.startswith(inside) for one in tree.layers)


def shape_text(shape: tuple[int, ...]) -> str:
    """(64, 90, 160) -> "64×90×160"."""
    return TIMES.join(str(side) for side in shape)


def short_count(number: int) -> str:
    """1_234_567 -> "1.2 M", 12_345 -> "12 k", 640 -> "640"."""
    if number >= 999_500:
        return f"{number / 1e6:.1f} M"
    if number >= 9_950:
        return f"{number / 1e3:.0f} k"
    return f"{number / 1e3:.1f} k" if number >= 1_000 else str(number)


def stride_text(call: CallFacts) -> str:
    """Frame pixels from one cell to the next, "8" or "16 × 8" (y first)."""
    if call.step is None:
        return "–"
    y, x = call.step
    return f"{y:g}" if abs(y - x) < 1e-6 else f"{y:g} {TIMES} {x:g}"


def field_text(field: tuple[int, int] | None, *, is_whole: bool = False) -> str:
    """ "95 px", "95 × 120 px", "all"."""
    if is_whole:
        return "all"
    if field is None:
        return "–"
    return f"{field[0]} px" if field[0] == field[1] else f"{field[0]} {TIMES} {field[1]} px"


def cost_shares(tree: LayerTree, name: str) -> tuple[float, float] | None:
    """Shares (0..1) of the whole net's time and memory, None before they were measured."""
    cost = tree.costs.get(name)
    if cost is None:
        return None
    whole = tree.costs.get("")
    if whole is None:
        tops = [c for n, c in tree.costs.items() if "." not in n]
        whole = LayerCost(sum(c.ms for c in tops), sum(c.mib for c in tops))
    parts = ((cost.ms, whole.ms), (cost.mib, whole.mib))
    time, memory = (min(1.0, part / total) if total > 0 else 0.0 for part, total in parts)
    return time, memory


def own_title(title: str, above: str) -> str:
    """A title without what the layer above it already says, "" when that is all it says.

    "Detail branch · stage 2" below "Detail branch" is "Stage 2".
    """
    rest = title
    if above:
        start = f"{above}{JOINT}"
        rest = title.removeprefix(start) if title.startswith(start) else title.split(JOINT)[-1]
        rest = "" if title == above else rest
    return rest[:1].upper() + rest[1:]


def figures(tree: LayerTree, layer: LayerFacts, call: int) -> list[tuple[str, str, str]]:
    """(name, value, tip) of what is known about one run of a layer."""
    run = call_of(layer, call)
    rows = []
    if run is not None:
        rows = [
            ("Shape", shape_text(run.shape), "Channels × rows × columns of the answer"),
            ("Stride", stride_text(run), "Pixels of the model's input from one cell to the next"),
            (
                "Sees",
                field_text(run.field, is_whole=run.is_whole),
                "Receptive field: how much of the input one cell can see, by calculation",
            ),
        ]
    rows.append(
        ("Weights", short_count(layer.parameters), f"{counted(layer.parameters, 'parameter')},"
         " with those of the layers inside it")
    )  # fmt: skip
    cost = tree.costs.get(layer.name)
    shares = cost_shares(tree, layer.name)
    if cost is not None and shares is not None:
        rows += [
            (
                "Time",
                f"{_figure(cost.ms)} ms",
                f"{share_text(shares[0])} of a prediction, measured",
            ),
            (
                "Memory",
                f"{_figure(cost.mib)} MiB",
                f"{share_text(shares[1])} of all answers, measured",
            ),
        ]
    return rows


def _figure(value: float) -> str:
    """Three figures where they tell something."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"
