"""What the parts of the editor need of the session that owns them."""

from typing import Protocol

from segstudio.core.classes import ClassMap
from segstudio.engine.pipeline import PipelineResult
from segstudio.media.source import SourceInfo
from segstudio.ui.bridge.background import Background
from segstudio.ui.models import ModelShelf
from segstudio.ui.player import Player


class Hands(Protocol):
    """The tools."""

    def leave(self) -> None:
        """End what is half-done."""


class Host(Protocol):
    """The session, as the editor sees it. result: what is on the screen."""

    background: Background
    player: Player
    models: ModelShelf
    result: PipelineResult | None

    @property
    def tools(self) -> Hands:
        """The tools, whose half-done work is ended when the frame changes."""
        ...

    @property
    def info(self) -> SourceInfo | None:
        """What is known about the open source."""
        ...

    @property
    def model_classes(self) -> ClassMap:
        """The class set of the prediction on the screen, else of the chosen model."""
        ...

    def tell(self, text: str, kind: str = "info", detail: str = "", model: str = "") -> None:
        """Show a banner."""
        ...

    def tell_error(self, error: Exception) -> None:
        """Show what went wrong."""
        ...
