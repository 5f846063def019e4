"""Tools: each a class in a file of its own, found by importing this folder once.

    @TOOLS.add("brush")
    class Brush(Tool):
        title, key, icon = "Brush", "B", "brush"

        def press(self, pointer: Pointer, bench: Workbench) -> None: ...

The file appears in the tool box, the Tool menu, the sheet of keys, and under the tests that walk
the registry. A tool sees mask pixels and the Workbench, never Qt's events or the canvas. Modules
that load OpenCV are imported inside its methods: the window opens without.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import ClassMap
from segstudio.registry import Registry
from segstudio.ui.correcting.options import ToolOptions
from segstudio.ui.tools.preview import Place, Preview

if TYPE_CHECKING:
    from segstudio.core.brush import Area
    from segstudio.engine.flow import CancelToken


Answers = tuple[tuple[str, NDArray[np.uint8]], ...]
"""What models say about one frame: letter of the model, labels uint8 (H, W) in the project's
classes."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the mouse or pen is.

    place: (y, x) in frame coordinates, may lie outside. pressure: of a pen, 0..1; 1 for a mouse.
    """

    place: Place
    pressure: float = 1.0
    shift: bool = False
    ctrl: bool = False
    alt: bool = False

    @property
    def at(self) -> tuple[int, int]:
        """The frame pixel (y, x); outside the frame where the place is."""
        return int(np.floor(self.place[0])), int(np.floor(self.place[1]))


class Workbench(Protocol):
    """What a tool works with: one frame, its labels, and what people chose. UI thread only."""

    @property
    def options(self) -> ToolOptions:
        """Class, size, rules."""
        ...

    @property
    def classes(self) -> ClassMap:
        """The project's class set."""
        ...

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w) of the frame."""
        ...

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """The frame, uint8 (H, W, 3)."""
        ...

    @property
    def labels(self) -> NDArray[np.uint8]:
        """uint8 (H, W) as they are shown: the draft while nothing was painted. Read only."""
        ...

    @property
    def scale(self) -> float:
        """Device pixels per frame pixel."""
        ...

    @property
    def selection(self) -> "Area | None":
        """The selected pixels, None when nothing is selected."""
        ...

    def begin(self, title: str) -> bool:
        """Start a step of undo; False when nothing can be painted now, which people are told."""
        ...

    def paint(self, area: "Area", class_id: int | None = None) -> None:
        """Give the area a class (None: the active one) where rules and locks allow."""
        ...

    def put(self, area: "Area", patch: NDArray[np.uint8], *, origin: int) -> None:
        """Write the labels of a model, uint8 like the mask, because a person asked for it."""
        ...

    def commit(self) -> None:
        """End the step; it goes to the history and the project."""
        ...

    def abort(self) -> None:
        """Take the unfinished step back."""
        ...

    def select(self, area: "Area | None") -> None:
        """Select pixels; None or an empty area selects nothing."""
        ...

    def set_options(self, options: ToolOptions) -> None:
        """What people chose changes with what they did."""
        ...

    def choose_class(self, class_id: int) -> None:
        """Make it the active class."""
        ...

    def draft(self) -> NDArray[np.uint8] | None:
        """The model's labels of this frame in the project's classes, None while there are none."""
        ...

    def second_draft(self) -> NDArray[np.uint8] | None:
        """Those of the model that the model brush reveals; None while they are not there yet."""
        ...

    def answers(self) -> Answers:
        """Of every model that is compared and has said something about this frame. Read only."""
        ...

    def run(
        self, op: "Callable[[CancelToken], Any]", then: Callable[[Any], None], *, name: str
    ) -> None:
        """Slow work in a thread, `then` with its value here; dropped when the frame changes.

        A new one of the same name replaces one that has not ended.
        """
        ...

    def show(self, preview: Preview) -> None:
        """Draw this over the picture from now on."""
        ...

    def tell(self, text: str) -> None:
        """One sentence for people."""
        ...


class Tool:
    """One way to change labels. Every method is called in the UI thread and returns at once.

    title, key, icon: as shown; icon is a drawing in resources/icons. hint: one line that tells
    how it is used. settings: which of ToolOptions' fields the options bar offers for it.
    paints_class: whether the active class matters to it.
    """

    title: ClassVar[str]
    key: ClassVar[str]
    icon: ClassVar[str]
    hint: ClassVar[str]
    settings: ClassVar[tuple[str, ...]] = ()
    paints_class: ClassVar[bool] = True
    order: ClassVar[int] = 100

    def press(self, pointer: Pointer, bench: Workbench) -> None:
        """The left button goes down."""

    def drag(self, pointer: Pointer, bench: Workbench) -> None:
        """The mouse moves with the button down."""

    def release(self, pointer: Pointer, bench: Workbench) -> None:
        """The button comes up."""

    def hover(self, pointer: Pointer, bench: Workbench) -> None:
        """The mouse moves with no button down; shows what a press would do."""

    def double_click(self, pointer: Pointer, bench: Workbench) -> None:
        """The second press of a double click, after a press and a release: a press as well.

        A release follows.
        """
        self.press(pointer, bench)

    def key_pressed(self, key: str, bench: Workbench) -> bool:
        """ "return", "escape", "backspace" or a digit; True when it meant something to this tool.

        Digits come only when the tool `wants` them.
        """
        return False

    def wants(self, key: str) -> bool:
        """Whether a digit, "1" to "9", is for this tool now instead of choosing a class."""
        return False

    def leave(self, bench: Workbench) -> None:
        """The cursor, the frame or the tool goes: forget what is half-done and show nothing."""


TOOLS: Registry[type[Tool]] = Registry("tool", "segstudio.ui.tools")


def in_tool_box_order() -> list[str]:
    """Names of all tools as the tool box shows them."""
    return sorted(TOOLS, key=lambda name: (TOOLS.get(name).order, name))
