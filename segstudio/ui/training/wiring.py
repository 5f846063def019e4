"""Fine-tuning in the program: the open project, the models, and what people want done with a new
one. A training of its own process goes on while its window is closed, as long as the program runs.
"""

from segstudio.core.catalogue import ModelCard
from segstudio.store.project_rows import FrameKey
from segstudio.ui.asking import AskingWindow
from segstudio.ui.session import Session
from segstudio.ui.training.outcome import Place
from segstudio.ui.training.trainer import Sources, Trainer


class LiveOf:
    """The live view of a session, as training wants it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def device(self) -> str:
        """Where its model runs, or would."""
        shelf = self._session.models
        if shelf.status.device:
            return shelf.status.device
        if shelf.device != "auto":
            return shelf.device
        return str(shelf.devices[0].name) if shelf.devices else ""

    def rest(self, *, on: bool) -> None:
        """All models out of memory, or back."""
        self._session.models.rest(on=on)
        self._session.player.rest(on=on)


def trainer_of(owner: AskingWindow, session: Session) -> Trainer:
    """The one trainer of a window; made when it is first wanted."""
    found = owner.findChild(Trainer)
    if found is not None:
        return found
    models = session.models

    def chosen() -> str:
        return "" if models.chosen is None else models.chosen.name

    sources = Sources(
        lambda: session.editor.projects.project, lambda: models.cards, chosen, LiveOf(session)
    )
    made = Trainer(sources, session.background, owner)

    def compare(card: ModelCard, base: str) -> None:
        """The new model beside the one that it began from."""
        models.scan()
        if base and base != chosen():
            models.choose(base)
        session.comparison.add(card)

    def use(card: ModelCard) -> None:
        models.scan()
        models.choose(card.name)
        if made.window is not None:
            made.window.outcome.show_used(card.title)

    def visit(place: Place) -> None:
        fingerprint, index = place
        project = session.editor.projects.project
        records = () if project is None else project.media()
        media = next((m.id for m in records if m.fingerprint == fingerprint), None)
        if media is None:
            session.tell("The clip of that frame is not part of the open project.", "warning")
        else:
            session.visit.visit(FrameKey(media, index), session.comparison.letters[0], None, None)

    made.frame_wanted.connect(visit)
    made.compare_wanted.connect(compare)
    made.use_wanted.connect(use)
    made.models_changed.connect(models.scan)
    made.failed.connect(lambda text: session.tell(text, "error"))
    owner.closed.connect(made.close)
    return made
