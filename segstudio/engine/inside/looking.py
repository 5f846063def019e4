"""One predictor looked into: what is asked for is seen while it predicts, and nothing else.

Without a look there is no hook and no copy. With one, only that layer is copied, reduced on the
device, and the small picture goes to the computer's memory. The layer of the last frame is kept on
the device, so that another view of it needs no second forward pass. What goes wrong here is told
in the Seen and never spoils a prediction.
"""

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segstudio.core.feature_map import Lattice
from segstudio.core.frame import Frame
from segstudio.core.layers import CallFacts, LayerCost, LayerTree
from segstudio.core.look import ClassLook, EvidenceLook, LayerLook, Look, Seen, UnsureLook
from segstudio.core.prediction import Prediction
from segstudio.core.votes import Vote
from segstudio.engine import device as devices
from segstudio.engine.flow import CancelToken, Stopwatch
from segstudio.engine.inside.capture import as_map, capturing
from segstudio.engine.runner import Runner
from segstudio.errors import Cancelled, ModelError, SegStudioError

if TYPE_CHECKING:
    from segstudio.engine.inside.unsure import UnsureReader
    from segstudio.engine.inside.views import LayerReader

log = logging.getLogger("segstudio.engine")

Size = tuple[int, int]

_TREES = 2
"""Layer trees kept: one for each input size, the newest ones."""


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """The layer of the last frame. features: (C, h, w) on the device."""

    layer: tuple[str, int]
    features: Tensor
    lattice: Lattice


class Looking:
    """Belongs to the thread of its predictor.

    look: what is asked for; None: nothing.
    """

    def __init__(self, runner: Runner, model: str, *, is_plain: bool = True) -> None:
        """is_plain: predictions are the net's answer to the whole frame and nothing else."""
        self._runner = runner
        self._model = model
        self._is_plain = is_plain
        self.look: Look | None = None
        self._is_paused = False
        self._progress: Callable[[float], None] | None = None
        self._found: dict[str, Tensor] = {}
        self._trouble = ""
        self._kept: _Kept | None = None
        self._last: tuple[Prediction, Size] | None = None
        self._reader: LayerReader | None = None
        self._unsure: UnsureReader | None = None
        self._trees: dict[Size, LayerTree | ModelError] = {}
        self._voters: tuple[str, ...] | None = None  # stages that answer by class, once known

    def set(self, look: Look | None) -> None:
        """Ask for something else from now on; None frees everything that was kept."""
        if not isinstance(look, LayerLook):
            self._kept = self._reader = None
        if not isinstance(look, UnsureLook | ClassLook):
            self._unsure = None
        if look is None:
            self._last = None
            self._trees.clear()
        self.look = look

    @property
    def is_active(self) -> bool:
        """True while predictions are looked into."""
        return self.look is not None and not self._is_paused

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Predictions inside are about other frames, for other purposes: nobody looks at them."""
        before, self._is_paused = self._is_paused, True
        try:
            yield
        finally:
            self._is_paused = before

    # --- while it predicts

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Put it around the forward pass of a whole picture."""
        look, self._trouble = self.look, ""
        if not (isinstance(look, LayerLook) and self.is_active) or self._runner.net is None:
            yield
            return
        with ExitStack() as stack:
            try:
                names = {look.layer: look.call}
                self._found = stack.enter_context(capturing(self._runner.net, names))
                stack.enter_context(self._runner.eager())
            except SegStudioError as error:
                self._trouble = str(error)
            yield

    def see(self, prediction: Prediction, x: Tensor) -> Seen | None:
        """What was asked for, about a frame that has just been predicted; None for nothing.

        x: float (1, 3, h, w) as the net got it, without its margin.
        """
        found, self._found = self._found, {}
        if self.look is None or not self.is_active:
            return None
        size = (x.shape[2], x.shape[3])
        self._last, self._kept = (prediction, size), None
        return self._seen(self.look, prediction, x, found, CancelToken(), is_live=True)

    def again(
        self,
        frame: Frame,
        token: CancelToken | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Seen | None:
        """The last frame looked at as is asked for now; None when it has to be predicted first.

        Cancelled when the token says so, in looks that take long; progress: told how far they are,
        0..1.
        """
        self._progress = progress
        if self.look is None or self._last is None or self._last[0].frame.id != frame.id:
            return None
        prediction, size = self._last
        look, kept = self.look, self._kept
        if isinstance(look, LayerLook) and (kept is None or kept.layer != (look.layer, look.call)):
            return None
        with torch.inference_mode():
            x = self._runner.prepare(prediction.frame.rgb, size)
            return self._seen(look, prediction, x, {}, token or CancelToken(), is_live=False)

    # --- what is known of the layers

    def tree(self, size: Size) -> LayerTree:
        """Every layer of the net for inputs of (h, w). ModelError when the net cannot say it."""
        if size not in self._trees:
            from segstudio.engine.inside.layers import layer_tree

            while len(self._trees) >= _TREES:
                del self._trees[next(iter(self._trees))]
            try:
                self._trees[size] = layer_tree(self._runner, size, self._model)
            except ModelError as error:
                self._trees[size] = error
        known = self._trees[size]
        if isinstance(known, ModelError):
            raise known
        return known

    def call(self, layer: str, call: int, size: Size) -> CallFacts | None:
        """What is known of one run of a layer for inputs of (h, w); None when nothing is."""
        try:
            facts = self.tree(size).get(layer)
        except ModelError:  # its cells share the frame evenly, then
            return None
        calls = facts.calls if facts is not None else ()
        return calls[call] if -len(calls) <= call < len(calls) else None

    def costs(
        self, rgb: NDArray[np.uint8], size: Size, token: CancelToken | None = None
    ) -> dict[str, LayerCost]:
        """Time and memory of every layer for one picture, uint8 (H, W, 3), seen as (h, w)."""
        from segstudio.engine.inside.costs import layer_costs

        x = self._runner.prepare(rgb, size)
        return layer_costs(self._runner, x, token=token or CancelToken())

    def field(self, layer: str, size: Size, call: int = -1) -> Size | None:
        """(h, w) in input pixels that the middle cell of a layer depends on, by its gradient."""
        from segstudio.engine.inside.layers import measured_field

        return measured_field(self._runner, layer, size, call)

    def votes(self, frame: Frame, size: Size, pixel: tuple[int, int]) -> tuple[Vote, ...]:
        """What every stage that answers by class says at a frame pixel."""
        from segstudio.engine.inside.votes import voters, votes

        if self._voters is None:
            self._voters = voters(self._runner)
        x = self._runner.prepare(frame.rgb, size)
        whole = frame.height, frame.width
        return votes(self._runner, x, whole, pixel, self.tree(size), names=self._voters)

    # --- one look

    def _seen(
        self,
        look: Look,
        prediction: Prediction,
        x: Tensor,
        found: dict[str, Tensor],
        token: CancelToken,
        *,
        is_live: bool,
    ) -> Seen:
        watch = Stopwatch()
        try:
            if isinstance(look, LayerLook | EvidenceLook):  # followed once for each input size
                self.call(look.layer, look.call, (x.shape[2], x.shape[3]))
                watch.lap()
            if isinstance(look, LayerLook):
                seen = self._layer(look, prediction, x, found)
            elif isinstance(look, EvidenceLook):
                seen = self._evidence(look, prediction, x, token, is_live=is_live)
            else:
                seen = self._uncertainty(look, prediction, x)
        except Cancelled:
            raise
        except SegStudioError as error:
            seen = Seen(look, trouble=str(error))
        except Exception as error:
            log.exception("looking inside %s failed", self._model)
            seen = Seen(look, trouble=f"This cannot be shown ({error}); choose another layer.")
        devices.synchronize(self._runner.device)
        return replace(seen, ms=watch.lap())

    def _layer(
        self, look: LayerLook, prediction: Prediction, x: Tensor, found: dict[str, Tensor]
    ) -> Seen:
        from segstudio.engine.inside.views import LayerReader

        if self._trouble:
            raise ModelError(self._trouble)
        size, frame = (x.shape[2], x.shape[3]), prediction.labels.shape
        which, answer = (look.layer, look.call), found.pop(look.layer, None)
        if answer is not None:
            known = self.call(*which, size)
            features = as_map(answer, known)
            cells = features.shape[1], features.shape[2]
            lattice = lattice_of(known, cells, size, (frame[0], frame[1]))
            self._kept = _Kept(which, features, lattice)
        kept = self._kept
        if kept is None or kept.layer != which:
            run = "" if look.call < 0 else f" for the {look.call + 1}. time"
            raise ModelError(
                f"The layer '{look.layer}' did not run{run} on this picture; choose another one."
            )
        if self._reader is None or not self._reader.fits(look):
            self._reader = LayerReader(look)
        found_map, sheet = self._reader.read(kept.features, kept.lattice, look)
        return Seen(look, found_map, sheet, note=self._reader.note)

    def _evidence(
        self,
        look: EvidenceLook,
        prediction: Prediction,
        x: Tensor,
        token: CancelToken,
        *,
        is_live: bool,
    ) -> Seen:
        from segstudio.engine.inside.evidence import evidence
        from segstudio.engine.inside.occlusion import note_on_occlusion

        if look.pixel is None and (look.target != "class" or look.class_id is None):
            return Seen(look, note="Choose a pixel in the picture first.")
        size, frame = (x.shape[2], x.shape[3]), prediction.labels.shape
        note = note_on_occlusion(*size) if look.kind == "occlusion" else ""
        if is_live and note:  # only when asked for, and never while frames wait
            return Seen(look, note=f"Pause to see it: {note}.")

        known = self.call(look.layer, look.call, size)

        def lattice(shape: tuple[int, ...]) -> Lattice:
            return lattice_of(known, (shape[-2], shape[-1]), size, (frame[0], frame[1]))

        made = evidence(
            self._runner, x, prediction.labels, prediction.logits.class_ids, look, lattice, token,
            known, self._progress,
        )  # fmt: skip
        return Seen(look, made, note=f"{note[:1].upper()}{note[1:]}." if note else "")

    def _uncertainty(self, look: ClassLook | UnsureLook, prediction: Prediction, x: Tensor) -> Seen:
        from segstudio.engine.inside.unsure import UnsureReader, class_map

        if isinstance(look, ClassLook):
            return Seen(look, class_map(prediction, look))
        if self._unsure is None:
            self._unsure = UnsureReader()
        made, share = self._unsure.see(
            look.kind, prediction, self._runner, x, is_plain=self._is_plain
        )
        return Seen(look, made, frame_share=share, note=self._unsure.note)


def lattice_of(known: CallFacts | None, cells: Size, size: Size, frame: Size) -> Lattice:
    """Where (h, w) cells lie in a frame of (H, W) that the net sees as `size`.

    Shared evenly where nobody knows, or when the layer has another shape than it is known by.
    """
    if known is None or known.middle is None or known.step is None or known.shape[-2:] != cells:
        return Lattice.even(cells, frame)
    scale = frame[0] / size[0], frame[1] / size[1]
    # The first pixel's middle is 0 in `middle`, and half a pixel from the frame's corner.
    start = tuple(
        (m + 0.5 - s / 2) * k for m, s, k in zip(known.middle, known.step, scale, strict=True)
    )
    step = tuple(s * k for s, k in zip(known.step, scale, strict=True))
    if not all(math.isfinite(v) for v in (*start, *step)) or min(step) <= 0:
        return Lattice.even(cells, frame)
    return Lattice((start[0], start[1]), (step[0], step[1]))
