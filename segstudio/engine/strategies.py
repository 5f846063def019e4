"""From a model, a device and a strategy to what labels frames."""

from segstudio.core.catalogue import ModelCard
from segstudio.core.strategy import Strategy
from segstudio.engine.predictor import Predictor
from segstudio.engine.run import Labeller


def labeller(card: ModelCard, device: str = "auto", strategy: Strategy | None = None) -> Labeller:
    """The model on that device, with that strategy; the frame as a whole without one.

    ModelError when the net cannot take the strategy's size (the sentence names those that work),
    DeviceError or OutOfMemory while loading.
    """
    return Predictor(card, device, strategy=strategy or Strategy())
