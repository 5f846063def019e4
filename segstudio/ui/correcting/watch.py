"""What people are told of the project while they work, and whose classes it has.

A project that was made by itself has the classes of the model that was chosen then. While nobody
touched it, it follows when another model is chosen; later the drafts are translated, and what is
lost on the way is told once.
"""

from PySide6.QtCore import QObject, Slot

from segstudio.core.class_mapping import in_words
from segstudio.core.classes import ClassMap
from segstudio.store.project_rows import StoreNews
from segstudio.ui.correcting.current import CurrentFrame
from segstudio.ui.correcting.drafts import mapping_for
from segstudio.ui.correcting.host import Host
from segstudio.ui.correcting.projects import ProjectShelf


class ProjectWatch(QObject):
    """Beside the editor, whose projects and current frame it watches."""

    def __init__(
        self, host: Host, projects: ProjectShelf, current: CurrentFrame, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._host = host
        self._projects = projects
        self._told: set[tuple[str, str]] = set()
        self._last: tuple[str, ClassMap, ClassMap] | None = None
        projects.news.connect(self._tell_news)
        projects.noted.connect(lambda text: host.tell(text, "warning"))
        projects.changed.connect(self._follow_model)
        projects.changed.connect(self._count)
        host.player.source_changed.connect(self._count)
        host.models.wanted.connect(self._follow_model)
        current.changed.connect(self._look)
        current.drafted.connect(self._look)

    @Slot()
    def _count(self) -> None:
        if self._host.player.info is not None:
            self._projects.count(self._host.player.info)

    @Slot(object)
    def _tell_news(self, news: StoreNews) -> None:
        """The disk refuses, or takes everything again. That a stroke is saved is no news."""
        if news.kind == "trouble":
            self._host.tell(news.text, "error")
        elif news.kind == "recovered":
            self._host.tell(news.text)

    @Slot()
    def _follow_model(self) -> None:
        chosen = self._host.models.chosen
        if chosen is not None:
            self._projects.follow_classes(chosen.classes)

    @Slot()
    def _look(self) -> None:
        """A frame is on the workbench: does its draft lose classes in the project's set?"""
        result, project = self._host.result, self._projects.project
        if result is None or result.prediction is None or project is None:
            return
        prediction, chosen = result.prediction, self._host.models.chosen
        if chosen is None or chosen.name != prediction.model:  # the last frame of an earlier one
            return
        sets = (prediction.classes, project.classes)
        key = (str(project.path), prediction.model)
        if sets[0] is sets[1] or key in self._told or (key[0], *sets) == self._last:
            return
        self._last = (key[0], *sets)
        words = in_words(mapping_for(*sets, self._projects.came_from), *sets)
        if words:
            self._told.add(key)
            self._host.tell(
                f"{prediction.model} knows other classes than this project ({sets[1].name}); in its"
                f" drafts {words}", "warning", model=prediction.model,
            )  # fmt: skip
