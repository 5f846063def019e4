"""The page of layers: which one, what is known of it, and how it is shown."""

from dataclasses import replace
from functools import partial

from PySide6.QtWidgets import QVBoxLayout, QWidget

from segstudio.core.layers import LayerFacts, LayerTree
from segstudio.core.look import LayerLook, Scale
from segstudio.ui.panels.inside.choices import sentence
from segstudio.ui.panels.inside.details import FieldKey, LayerDetails
from segstudio.ui.panels.inside.layer_tree import LayerBrowser
from segstudio.ui.panels.inside.layer_words import call_of, is_map
from segstudio.ui.panels.inside.page import Page
from segstudio.ui.panels.inside.views import ViewControls
from segstudio.ui.panels.parts import Spinner, button, row
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT


class LayersPage(Page):
    """The tree and the views, and below them what can be told to a view and is known of the layer.

    top: what keeps its height whatever is chosen, so that nothing moves under the mouse.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._last: LayerLook | None = None
        self._known: LayerTree | None = None
        self._chosen = ""
        self._browser = LayerBrowser(self._go_to, self._step, session.player.toggle)
        self._views = ViewControls(self._change)
        self._measure = button("Measure cost", "link", self._inside.measure_costs)
        self._measure.setToolTip("Run the model a few times and see where its time and memory go")
        self._details = LayerDetails(self._pick_run, self._measure_field, self._measure)
        self._spinner, self._busy = Spinner(), sentence("Measuring…")
        self._working = QWidget()
        busy = row(self._spinner, self._busy)
        busy.setStretch(1, 1)
        self._working.setLayout(busy)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        column.addWidget(self._views)
        column.addWidget(self._details)
        column.addWidget(self._working)
        self.top = QWidget()
        above = QVBoxLayout(self.top)
        above.setContentsMargins(0, 0, 0, 0)
        above.setSpacing(UNIT)
        above.addWidget(self._browser, 1)
        above.addWidget(self._views.block)

    def look(self) -> LayerLook | None:
        """The last one, if its layer is still there; else the first stage."""
        tree = self._inside.tree
        if tree is None:
            return self._last
        if self._last is not None and tree.get(self._last.layer) is not None:
            return self._last
        first = first_layer(tree)
        if first is None:
            return None
        return replace(self._last or LayerLook(""), layer=first.name, call=-1, channel=0)

    def follow(self) -> None:
        inside, tree = self._inside, self._inside.tree
        if isinstance(inside.look, LayerLook):
            last, self._last = self._last, inside.look
            if last is None or inside.look.layer != last.layer:
                self._chosen = inside.look.layer
                if last is not None and inside.look.scale == last.scale:
                    self._change(scale=_own_scale(last.scale))
        look = self._last
        if tree is not self._known:
            self._known = tree
            self._browser.show_tree(tree, self._chosen)
        if tree is not None and tree.get(self._chosen) is None:
            self._chosen = look.layer if look is not None else ""
        self._browser.setVisible(tree is not None)
        self._browser.mark(self._chosen)
        layer = tree.get(self._chosen) if tree is not None else None
        self._details.setVisible(layer is not None)
        if tree is not None and layer is not None:
            call = look.call if look is not None and look.layer == layer.name else -1
            still = look.layer if look is not None and look.layer != layer.name else ""
            title = self._browser.model.title_of(still) if still else ""
            self._details.show_layer(tree, layer, call, title)
        self._measure.setVisible(tree is not None and not tree.costs and not inside.is_reading)
        self._working.setVisible(tree is not None and inside.is_reading)
        for part in (self._views, self._views.block):
            part.setVisible(tree is not None and look is not None)
        if look is not None:
            shown = tree.get(look.layer) if tree is not None else None
            run = call_of(shown, look.call) if shown is not None else None
            has_selection = self._session.editor.selection is not None
            self._views.show_look(look, run, inside.pinned, has_selection=has_selection)

    def follow_selection(self) -> None:
        """Channels are ordered by what is selected in the picture."""
        look = self._inside.look
        if isinstance(look, LayerLook) and look.show == "grid" and look.order == "region":
            self._change()
            self.follow()

    def _go_to(self, layer: LayerFacts) -> None:
        """A layer without a map is explained; the picture keeps showing the last one that has."""
        self._chosen = layer.name
        if is_map(layer):
            self._inside.set_look(self._other(layer))
        self.follow()

    def _step(self, by: int) -> None:
        """The next layer that has a map, or the one before."""
        tree = self._inside.tree
        if tree is None:
            return
        maps = [one for one in tree.layers if one.name and is_map(one)]
        names = [one.name for one in tree.layers]
        at = names.index(self._chosen) if self._chosen in names else -1
        there = [one for one in maps if (names.index(one.name) - at) * by > 0]
        if there:
            self._go_to(there[0 if by > 0 else -1])

    def _other(self, layer: LayerFacts) -> LayerLook:
        """The same view of another layer, as far as it has that channel."""
        before = self._last or LayerLook("")
        run = call_of(layer, -1)
        channels = run.shape[0] if run is not None and run.is_map else 1
        return replace(
            before,
            layer=layer.name,
            call=-1,
            channel=min(before.channel, channels - 1),
            scale=before.scale if layer.name == before.layer else _own_scale(before.scale),
        )

    def _pick_run(self, call: int) -> None:
        self._change(call=call)

    def _change(self, **fields: object) -> None:
        now = self._inside.look
        before = now if isinstance(now, LayerLook) else self._last
        if before is None:
            return
        look: LayerLook = replace(before, **fields)  # type: ignore[arg-type]  # its fields
        if look.show == "similar" or (look.show == "grid" and look.order == "pixel"):
            look = replace(look, pixel=self._inside.pinned or self._inside.pixel or look.pixel)
        if look.show == "grid" and look.order == "region":
            area = self._session.editor.selection
            look = replace(look, region=None if area is None else (*area.rect,))
        self._inside.set_look(look)

    def _measure_field(self, key: FieldKey) -> None:
        self._inside.measure_field(key[2], partial(self._details.take_field, key))


def _own_scale(scale: Scale) -> Scale:
    """Of another layer: numbers of the last one mean nothing there."""
    return Scale() if scale.kind == "fixed" else scale


def first_layer(tree: LayerTree) -> LayerFacts | None:
    """What is shown before anybody chose: the first stage, or the first layer with a map."""
    maps = [layer for layer in tree.layers if layer.name and is_map(layer)]
    return next((layer for layer in maps if layer.is_tap), maps[0] if maps else None)
