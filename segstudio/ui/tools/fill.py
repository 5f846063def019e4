"""Give a region of one class another class."""

from segstudio.ui.tools.preview import NOTHING, Preview
from segstudio.ui.tools.registry import TOOLS, Pointer, Tool, Workbench


@TOOLS.add("fill")
class Fill(Tool):
    """The connected region under the cursor, or every pixel of its class."""

    title, key, icon, order = "Fill", "F", "fill", 40
    hint = "Click a region to give it the active class"
    settings = ("is_joined", "rule")

    def press(self, pointer: Pointer, bench: Workbench) -> None:
        """One click is one step."""
        from segstudio.core.brush import flood

        area = flood(bench.labels, pointer.at, connected=bench.options.is_joined)
        if not area.rect.is_empty and bench.begin(self.title):
            bench.paint(area)
            bench.commit()
            bench.show(Preview(text_at=pointer.place))

    def hover(self, pointer: Pointer, bench: Workbench) -> None:
        """A click needs no preview."""
        bench.show(NOTHING)

    def leave(self, bench: Workbench) -> None:
        """Nothing was shown."""
        bench.show(NOTHING)
