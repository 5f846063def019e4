"""Look without touching: the left button moves the picture."""

from segstudio.ui.tools.preview import NOTHING
from segstudio.ui.tools.registry import TOOLS, Tool, Workbench


@TOOLS.add("pan")
class Pan(Tool):
    """The canvas itself moves the picture while this tool is chosen."""

    title, key, icon, order = "Look", "H", "hand", 0
    paints_class = False
    hint = "Drag to move the picture · wheel: zoom"

    def leave(self, bench: Workbench) -> None:
        """Nothing was shown."""
        bench.show(NOTHING)
