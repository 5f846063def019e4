"""The pixel inspector: what every model, and every stage of one, says about one pixel."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QShowEvent

from segstudio.ui.panels.inside.answer_tables import (
    RGB,
    ClassTable,
    StageRow,
    StageTable,
    class_rows,
)
from segstudio.ui.panels.parts import Section, button, label
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT, tabular

TOP, TOP_OF_TWO = 5, 7
"""Classes of one model, or of several below each other, and of two together."""

EMPTY = "Point at the picture to see what the models say there."
UNSEEN = "No model has said anything about this frame yet."
ASK = "Click into the picture with Look (H) to ask every stage."
ASKING = "Asking every stage…"
PAUSE = "Pause to ask every stage."
ALONE = "This model has no other stage that answers by class."

UNKNOWN: RGB = (128, 128, 128)


class PixelPanel(Section):
    """Follows the cursor until a pixel is pinned; hidden while nobody looks inside."""

    def __init__(self, session: Session) -> None:
        self._where = label(look="small", tone="muted")
        self._where.setFont(tabular(self._where.font()))
        self._unpin = button("Let go", "link", lambda: session.inside.pin(None))
        self._unpin.setToolTip("Forget the chosen pixel and follow the cursor again")
        super().__init__("Pixel", self._where, self._unpin)
        self._session, self._inside = session, session.inside
        # As high as the button, so that a pin does not move what is below.
        self.title.setFixedHeight(self._unpin.sizeHint().height())
        self._is_alone: dict[str, bool] = {}  # by model: whether it has no other stage
        self._hint = label(EMPTY, look="small", tone="muted")
        self._hint.setWordWrap(True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.classes = ClassTable()
        self._stages_title = label("Stages", look="section")
        self._stages_title.setContentsMargins(0, UNIT // 2, 0, 0)
        self._stages_hint = label(ASK, look="small", tone="muted")
        self._stages_hint.setWordWrap(True)
        self.stages = StageTable()
        for part in (self._hint, self.classes, self._stages_title, self._stages_hint, self.stages):
            self.body.addWidget(part)
        self._unpin.hide()
        inside = self._inside
        inside.changed.connect(self.follow)
        inside.pointed.connect(self._show_all)
        inside.votes_changed.connect(self._show_stages)
        session.shown_changed.connect(self._show_classes)
        session.comparison.changed.connect(self._show_all)
        session.player.changed.connect(self._show_stages)
        self.follow()

    @Slot()
    def follow(self) -> None:
        """Looking inside began or ended."""
        self.setVisible(self._inside.is_on)
        self._show_all()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_all()

    @Slot()
    def _show_all(self) -> None:
        self._show_classes()
        self._show_stages()

    @Slot()
    def _show_classes(self) -> None:
        """The classes at the pixel, as far as they are known."""
        if not self.isVisible():
            return
        inside = self._inside
        pixel = inside.pinned or inside.pixel
        self._unpin.setVisible(inside.pinned is not None)
        self._where.setText("" if pixel is None else f"x {pixel[1]}  y {pixel[0]}")
        letters = inside.letters
        answers = [] if pixel is None else [inside.probabilities(letter) for letter in letters]
        has_any = any(answers)
        self._hint.setText(EMPTY if pixel is None else UNSEEN)
        if self.classes.rows:  # the sentence takes as much room: nothing below jumps
            self._hint.setMinimumHeight(self.classes.height())
        self._hint.setVisible(not has_any)
        self.classes.setVisible(has_any)
        if has_any:
            rows = class_rows(answers, TOP_OF_TWO if len(letters) == 2 else TOP)
            titles = tuple(self._session.comparison.title(letter) for letter in letters)
            self.classes.show_rows(rows, titles)

    @Slot()
    def _show_stages(self) -> None:
        """What the stages say about the pinned pixel, or how to ask them."""
        if not self.isVisible():
            return
        inside = self._inside
        votes = inside.votes if inside.pinned is not None else ()
        model = self._session.comparison.title(inside.letter)
        if votes:
            self._is_alone[model] = len(votes) == 1
        is_playing = self._session.player.playing.is_playing
        hint = ASK
        if len(votes) > 1:
            hint = ""
        elif inside.pinned is not None and inside.trouble:
            hint = inside.trouble
        elif self._is_alone.get(model):
            hint = ALONE
        elif inside.pinned is not None:
            hint = PAUSE if is_playing else ASKING
        self._stages_hint.setText(hint)
        self._stages_hint.setVisible(bool(hint))
        self.stages.setVisible(len(votes) > 1)
        self.stages.show_rows(self._stage_rows() if len(votes) > 1 else ())

    def _stage_rows(self) -> tuple[StageRow, ...]:
        """In the order in which the net passes them; the net's own answer is the last word."""
        votes = self._inside.votes
        final = next((vote for vote in votes if not vote.layer), votes[-1])
        answer = int(final.probabilities.argmax())
        rows = []
        for vote in votes:
            best = int(vote.probabilities.argmax())
            name, color = self._class_of(best)
            share = float(vote.probabilities[best])
            rows.append(StageRow(vote.title, name, color, share, differs=best != answer))
        return tuple(rows)

    def _class_of(self, channel: int) -> tuple[str, RGB]:
        """Name and colour of the class that a channel of the net stands for."""
        prediction = self._session.comparison.prediction(self._inside.letter)
        if prediction is None or channel >= len(prediction.logits.class_ids):
            return f"channel {channel}", UNKNOWN
        class_id = int(prediction.logits.class_ids[channel])
        one = prediction.classes.by_id(class_id)
        return prediction.classes.name_of(class_id), UNKNOWN if one is None else one.color
