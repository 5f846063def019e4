"""How far the labels of this frame are, whether they are saved, and a button to confirm them."""

from PySide6.QtCore import Slot

from segstudio.core.origins import NONE, FrameState, human_share
from segstudio.store.project_rows import StoreNews
from segstudio.ui.panels.parts import Dot, Section, button, label, row, set_tone
from segstudio.ui.session import Session
from segstudio.ui.words import share_text

_TONES = {
    FrameState.TODO: "faint",
    FrameState.DRAFTED: "warn",
    FrameState.IN_PROGRESS: "accent",
    FrameState.CONFIRMED: "good",
}


class LabelStatePanel(Section):
    """Hidden while nothing is open."""

    def __init__(self, session: Session) -> None:
        self._saved = label(look="small", tone="faint")
        super().__init__("Labels", self._saved)
        self._session = session
        self._dot = Dot()
        self._state = label()
        self._confirm = button("Confirm", "primary", session.editor.confirm)
        self._confirm.setToolTip("You stand behind every pixel of this frame (C)")
        self._more = label(look="small", tone="muted")
        self._more.setWordWrap(True)
        self.body.addLayout(row(self._dot, self._state, 1, self._confirm))
        self.body.addWidget(self._more)
        self._trouble = ""
        editor = session.editor
        for signal in (editor.step_finished, editor.document_changed, editor.projects.changed,
                       editor.frames_changed, session.player.source_changed, session.player.changed,
                       session.ranges.changed):  # fmt: skip
            signal.connect(self.follow)
        editor.projects.news.connect(self._hear)
        self.follow()

    @Slot(object)
    def _hear(self, news: StoreNews) -> None:
        self._trouble = news.text if news.kind == "trouble" else ""
        self.follow()

    @Slot()
    def follow(self) -> None:
        """Another frame, another step, something was saved."""
        session, editor = self._session, self._session.editor
        self.setVisible(session.info is not None)
        if session.info is None:
            return
        self._state.setText(self._words())
        self._dot.set_tone(_TONES[editor.state] if editor.held is not None else "faint")
        why = editor.why_not()
        self._confirm.setEnabled(not why and editor.state is not FrameState.CONFIRMED)
        self._confirm.setVisible(editor.held is not None)
        more = self._details(why)
        self._more.setText(more)
        self._more.setVisible(bool(more))
        self._show_saved()

    def _words(self) -> str:
        editor = self._session.editor
        held = editor.held
        if held is None:
            is_playing = self._session.player.playing.is_playing
            return "Pause to correct a frame" if is_playing else "Not ready yet"
        if held.is_blank:
            return "To do" if editor.draft() is None else "To do · draft shown"
        if editor.state is FrameState.IN_PROGRESS:
            return f"In progress · {share_text(human_share(held.counts))} by you"
        return str(editor.state).capitalize()

    def _details(self, why: str) -> str:
        """What matters besides: read-only, a flag, where the draft comes from."""
        editor = self._session.editor
        project, held = editor.projects.project, editor.held
        if project is not None and project.is_read_only:
            return project.why_read_only
        if held is None:
            return "" if self._session.player.playing.is_playing else why
        lines = []
        summary = None if project is None else project.summary(held.key)
        if summary is not None and summary.flag is not None:
            lines.append(f"Flagged: {summary.flag}" if summary.flag else "Flagged")
        if not held.is_blank and held.counts[NONE] and editor.draft() is not None:
            lines.append("Y fills what nobody labelled with the model's draft.")
        if held.about.drafted_by and sum(held.counts[1:]):
            lines.append(f"Drafted by {held.about.drafted_by}")
        elif held.is_blank and editor.draft() is not None:
            lines.append("The first stroke takes the model's draft over; Y takes it as it is.")
        return "\n".join(lines)

    def _show_saved(self) -> None:
        project = self._session.editor.projects.project
        text, tone = "", "faint"
        if project is not None and not project.is_read_only:
            if self._trouble:
                text, tone = f"{project.waiting} not saved", "bad"
            else:
                text = "Saving …" if project.waiting else "Saved"
        self._saved.setText(text)
        self._saved.setToolTip(self._trouble or ("" if project is None else str(project.path)))
        set_tone(self._saved, tone)
