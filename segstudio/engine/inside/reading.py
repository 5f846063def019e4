"""Any number of layers of one forward pass, or of other looks, frame by frame.

The window looks at one thing at a time (looking.py); this is for files of many.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from segstudio.core.feature_map import ChannelSheet, FeatureMap
from segstudio.core.frame import Frame
from segstudio.core.look import LayerLook, Look
from segstudio.engine import device as devices
from segstudio.engine.inside.capture import as_map, capturing
from segstudio.engine.inside.looking import lattice_of
from segstudio.engine.inside.views import LayerReader
from segstudio.engine.predictor import Predictor
from segstudio.errors import ModelError


class Read(NamedTuple):
    """One look at one frame.

    values: gives float32 (C, h, w), the whole answer of the layer; None for what is no layer's.
    note: what people should know, "" when all is well.
    """

    look: Look
    map: FeatureMap
    sheet: ChannelSheet | None = None
    values: Callable[[], NDArray[np.float32]] | None = None
    note: str = ""


class LayersReader:
    """Reads layers, one forward pass for each frame; belongs to the thread of its predictor.

    What is fitted on the first frame is kept for the next ones as the looks say. No two looks are
    about different runs of one layer.
    """

    def __init__(self, predictor: Predictor, looks: Sequence[LayerLook]) -> None:
        self._predictor = predictor
        self._looks = tuple(looks)
        self._readers = [LayerReader(look) for look in looks]

    def read(self, frame: Frame) -> list[Read]:
        """In the order of the looks. ModelError for a layer without rows and columns, or that did
        not run; OutOfMemory.
        """
        predictor, runner = self._predictor, self._predictor.runner
        if runner.net is None:
            raise RuntimeError("this predictor is closed")
        size = predictor.input_size(frame.height, frame.width)
        predictor.looking.tree(size)  # the net is followed for it, so not while hooks listen
        names = {look.layer: look.call for look in self._looks}
        what = f"The model '{predictor.card.name}' on {size[1]}×{size[0]}"
        with torch.inference_mode(), devices.guarded(what, runner.device):
            x = runner.prepare(frame.rgb, size)
            with capturing(runner.net, names) as found, runner.eager():
                runner.whole(x)
            return [
                self._one(look, reader, found, size, frame)
                for look, reader in zip(self._looks, self._readers, strict=True)
            ]

    def _one(
        self,
        look: LayerLook,
        reader: LayerReader,
        found: dict[str, torch.Tensor],
        size: tuple[int, int],
        frame: Frame,
    ) -> Read:
        answer = found.get(look.layer)
        if answer is None:
            raise ModelError(
                f"The layer '{look.layer}' did not run on this picture; choose another one."
            )
        known = self._predictor.looking.call(look.layer, look.call, size)
        try:
            features = as_map(answer, known)
        except ModelError as error:
            raise ModelError(f"'{look.layer}': {error}") from error
        cells = features.shape[1], features.shape[2]
        lattice = lattice_of(known, cells, size, (frame.height, frame.width))
        made, sheet = reader.read(features, lattice, look)

        def values() -> NDArray[np.float32]:
            return features.float().cpu().numpy()

        return Read(look, made, sheet, values, reader.note)


def look_at(predictor: Predictor, looks: Sequence[Look], frame: Frame) -> list[Read]:
    """The looks at one frame, for which it is predicted once; ModelError says why there is none."""
    found = []
    for look in looks:
        predictor.look_for(look)
        seen = predictor.looking.again(frame) or predictor.predict(frame).seen
        if seen is None or seen.map is None:
            why = "" if seen is None else seen.trouble or seen.note
            raise ModelError(why or "There is nothing to see of this frame; choose another view.")
        found.append(Read(look, seen.map, seen.sheet, note=seen.note))
    return found
