"""The page of evidence: what speaks for a class, where, in which layer."""

from dataclasses import replace

from PySide6.QtWidgets import QVBoxLayout

from segstudio.core.layers import LayerFacts, LayerTree
from segstudio.core.look import ClassLook, EvidenceLook, Scale
from segstudio.ui.panels.inside.choices import Choices, sentence
from segstudio.ui.panels.inside.layer_words import is_map
from segstudio.ui.panels.inside.page import Page
from segstudio.ui.panels.inside.views import titled
from segstudio.ui.panels.parts import Picker, Segments, button, row
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT
from segstudio.ui.zoo import ONNX

CLASS, LEAD = "class", "lead"

KINDS = (
    (
        "gradcam",
        "Seg-Grad-CAM",
        "Where the layer speaks for a class: its channels, weighted by how much they raise the"
        " score of the class.",
    ),
    (
        "gradcam++",
        "Grad-CAM++",
        "The same with weights that favour strong places: better when a class is there several"
        " times.",
    ),
    (
        "hirescam",
        "HiResCAM",
        "Weighted cell by cell: shows only places that really raise the score.",
    ),
    (
        "occlusion",
        "Occlusion (slow)",
        "Covers one patch of the picture after another and measures what the class loses.",
    ),
    (CLASS, "Probability of a class", "How probable the model finds one class, everywhere."),
    (
        LEAD,
        "Lead of one class over another",
        "How far the score of one class is above the other's: the border lies at 0.",
    ),
)

GRADIENTS = ("gradcam", "gradcam++", "hirescam")

NO_GRADIENT = (
    "An ONNX file gives answers but no gradients, which this needs: occlusion and the"
    " probability of a class work."
)

TARGETS = (
    ("pixel", "Pixel", "Evidence for this pixel alone"),
    ("region", "Region", "For all pixels of its class that hang together with it"),
    ("class", "Class", "For all pixels of the class in the frame"),
)


class EvidencePage(Page):
    """Kinds of evidence, and for what."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._last: EvidenceLook | ClassLook | None = None
        self._evidence = EvidenceLook()
        self._class = ClassLook(0)
        self._lead = ClassLook(0, 1, Scale("robust"))
        self._kinds = Choices(KINDS, self._choose, "Kind of evidence")
        self._where = sentence()
        self._free = button("Let go", "link", self._let_go)
        self._free.setToolTip("Forget the chosen pixel")
        self._targets = Segments(TARGETS, lambda v: self._change(target=v))
        self._target = titled("For", self._targets)
        self._class_picker = Picker("Evidence for which class", self._pick_class)
        self._class_line = titled("Class", self._class_picker)
        self._against = Picker("The class it is held against", self._pick_against)
        self._against_line = titled("Against", self._against)
        self._layer = Picker("In which layer", lambda v: self._change(layer=str(v), call=-1))
        self._layer_line = titled("Layer", self._layer)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        column.addWidget(self._kinds)
        column.addSpacing(UNIT // 2)
        for part in (self._target, self._class_line, self._against_line, self._layer_line):
            column.addWidget(part)
        where = row(self._where, self._free)
        where.setStretch(0, 1)
        column.addLayout(where)

    def look(self) -> EvidenceLook | ClassLook:
        """As it was left, on the pixel that is pinned now."""
        if isinstance(self._last, ClassLook):
            return self._last
        return self._placed(self._evidence)

    def follow(self) -> None:
        inside = self._inside
        if isinstance(inside.look, EvidenceLook):
            self._last = self._evidence = inside.look
        elif isinstance(inside.look, ClassLook):
            self._last = inside.look
            if inside.look.against is None:
                self._class = inside.look
            else:
                self._lead = inside.look
        look = self._last or self._evidence
        kind = look.kind if isinstance(look, EvidenceLook) else CLASS
        if isinstance(look, ClassLook) and look.against is not None:
            kind = LEAD
        is_graph = self._is_graph()
        self._kinds.offer(
            [k for k, _, _ in KINDS if not (is_graph and k in GRADIENTS)], NO_GRADIENT
        )
        self._kinds.show_value(kind)
        is_evidence = isinstance(look, EvidenceLook)
        self._target.setVisible(is_evidence)
        self._targets.show_value(look.target if isinstance(look, EvidenceLook) else "")
        self._layer_line.setVisible(is_evidence and kind != "occlusion")
        self._against_line.setVisible(kind == LEAD)
        self._show_classes(look)
        self._show_layers()
        self._show_where(look)

    def _is_graph(self) -> bool:
        """An ONNX file answers, but cannot be differentiated."""
        pane = self._session.comparison.pane(self._inside.letter)
        return pane is not None and pane.card is not None and pane.card.net == ONNX

    def _show_classes(self, look: EvidenceLook | ClassLook) -> None:
        classes: list[tuple[object, str]] = [(c.id, c.name) for c in self.classes()]
        if isinstance(look, EvidenceLook):
            inside = self._inside
            chances = inside.probabilities(inside.letter) if inside.pinned is not None else []
            there = f"Predicted there: {chances[0].name}" if chances else "What is predicted there"
            self._class_picker.fill([(None, there), *classes], look.class_id)
        else:
            self._class_picker.fill(classes, look.class_id)
            self._against.fill(classes, look.against)

    def _show_layers(self) -> None:
        tree, layer = self._inside.tree, self._evidence.layer
        if tree is None:
            self._layer.fill([], None)
            return
        last = default_layer(tree, len(self.classes()))
        entries: list[tuple[object, str]] = []
        if last is not None:
            entries.append((last.name, f"{said(last)} (last before the classes)"))
        taps = [one for one in tree.layers if one.is_tap and is_map(one) and one != last]
        entries += [(one.name, said(one)) for one in taps]
        known = tree.get(layer)
        if known is not None and layer not in [value for value, _ in entries]:
            entries.append((layer, said(known)))
        self._layer.fill(entries, layer)

    def _show_where(self, look: EvidenceLook | ClassLook) -> None:
        pinned = self._inside.pinned
        is_wanted = isinstance(look, EvidenceLook) and needs_pixel(look)
        self._where.setVisible(is_wanted)
        self._free.setVisible(is_wanted and pinned is not None)
        if pinned is None:
            self._where.setText("Click into the picture with Look (H) to choose a pixel.")
        else:
            self._where.setText(f"Pixel x {pinned[1]}, y {pinned[0]}.")

    def _placed(self, look: EvidenceLook) -> EvidenceLook:
        """On the pinned pixel, and in a layer that the model has."""
        tree, layer = self._inside.tree, look.layer
        if self._is_graph() and look.kind in GRADIENTS:
            look = replace(look, kind="occlusion")
        if tree is not None and tree.get(layer) is None:
            last = default_layer(tree, len(self.classes()))
            layer = last.name if last is not None else ""
        return replace(look, pixel=self._inside.pinned, layer=layer)

    def _choose(self, kind: str) -> None:
        if kind in (CLASS, LEAD):
            self._inside.set_look(self._known_classes(kind))
        else:
            look = replace(self._evidence, kind=kind)  # type: ignore[arg-type]  # one of KINDS
            self._inside.set_look(self._placed(look))
        self.follow()

    def _known_classes(self, kind: str) -> ClassLook:
        """The last one, or what is most probable where one points."""
        ids = [c.id for c in self.classes()]
        best = [c.class_id for c in self._inside.probabilities(self._inside.letter)] or ids
        look = self._class if kind == CLASS else self._lead
        is_new = (
            look in (ClassLook(0), ClassLook(0, 1, Scale("robust"))) or look.class_id not in ids
        )
        if is_new and best:
            look = replace(look, class_id=best[0])
        if kind == LEAD and (look.against not in ids or look.against == look.class_id or is_new):
            other = next((c for c in best if c != look.class_id), look.class_id)
            look = replace(look, against=other)
        return look

    def _let_go(self) -> None:
        self._inside.pin(None)
        self._change()

    def _change(self, **fields: object) -> None:
        look: EvidenceLook = replace(self._evidence, **fields)  # type: ignore[arg-type]  # its fields
        self._inside.set_look(self._placed(look))
        self.follow()

    def _pick_class(self, value: object) -> None:
        class_id = value if isinstance(value, int) else None
        if not isinstance(self._last, ClassLook):
            self._change(class_id=class_id)
            return
        look = replace(self._last, class_id=class_id or 0)
        if look.against == look.class_id:
            look = replace(look, against=self._last.class_id)
        self._inside.set_look(look)
        self.follow()

    def _pick_against(self, value: object) -> None:
        if isinstance(self._last, ClassLook) and isinstance(value, int):
            look = replace(self._last, against=value)
            if look.against == look.class_id:
                look = replace(look, class_id=self._last.against or 0)
            self._inside.set_look(look)
            self.follow()


def needs_pixel(look: EvidenceLook) -> bool:
    """Without a pixel nobody knows which class, or which region."""
    return look.target != "class" or look.class_id is None


def said(layer: LayerFacts) -> str:
    """The title, or the name where it must do."""
    return layer.title or layer.name


def default_layer(tree: LayerTree, classes: int) -> LayerFacts | None:
    """Where evidence is looked for at first: the last stage, or else layer, that is no answer.

    classes: of the model. A layer with as many channels says classes already.
    """
    maps = [layer for layer in tree.layers if layer.name and is_map(layer)]
    before = [layer for layer in maps if layer.calls[-1].shape[0] != classes] or maps
    taps = [layer for layer in before if layer.is_tap] or before
    return taps[-1] if taps else None
