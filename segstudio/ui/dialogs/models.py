"""The model dialog: what is installed, which networks there are, and what can be done with them."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, QUrl, Slot
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QKeyEvent,
)
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from segstudio.core.catalogue import ModelCard, NetFacts, NetFigures
from segstudio.ui import words
from segstudio.ui.dialogs.model_actions import ModelActions
from segstudio.ui.dialogs.model_details import DetailsPage
from segstudio.ui.dialogs.model_import import ImportPage
from segstudio.ui.dialogs.model_list import ModelList, entries
from segstudio.ui.dialogs.model_work import WorkCard
from segstudio.ui.icons import IconButton
from segstudio.ui.opening import WEIGHTS_FILES
from segstudio.ui.panels.parts import button, label, row, rule
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT
from segstudio.ui.zoo import ONNX, Query

SIZE = (1060, 740)
LIST_WIDTH = 300
COUNT_AFTER_MS = 200
"""A line must stay selected that long before its net is counted."""

PAPER_SIZE = (512, 1024)
"""(h, w) at which a net is counted while no picture is open."""


class ModelsDialog(QDialog):
    """The list on the left; details, or the page of an import, on the right."""

    def __init__(self, parent: QWidget, session: Session) -> None:
        super().__init__(parent)
        self._session = session
        self._zoo = session.zoo
        self._query: tuple[Query, tuple[int, int]] | None = None
        self.setWindowTitle("Models")
        self.setAcceptDrops(True)
        screen = parent.screen().availableGeometry()
        self.resize(min(SIZE[0], screen.width() - 80), min(SIZE[1], screen.height() - 80))
        self.setMinimumSize(720, 440)
        self._search = QLineEdit()
        self._search.setPlaceholderText("Find a model or network")
        self._search.setClearButtonEnabled(True)
        self._search.installEventFilter(self)
        self._list = ModelList()
        self._nothing = label("", tone="faint")
        self._title, self._subtitle = label(look="hero"), label(tone="muted")
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._subtitle.setTextFormat(Qt.TextFormat.PlainText)
        self._details = DetailsPage()
        self._made_import_page: ImportPage | None = None
        self._work = WorkCard(session.background)
        self._actions = ModelActions(self, session, self._work)
        self._pages = QStackedWidget()
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(COUNT_AFTER_MS)
        self._make_buttons()
        self._build()
        self._connect()
        self._zoo.ask_list()
        self.show_lists()
        used = session.models.chosen
        if used is None or not self._list.select("model", used.name):
            self._list.go(0)
        self._search.setFocus()

    def _make_buttons(self) -> None:
        self._use = button("Use in this window", "primary", self._use_model)
        self._bench = button("Measure speed", "", self._measure)
        self._export = button("Export to ONNX…", "", self._ask_export)
        self._bring = button("Import weights…", "primary", self.ask_weights)
        self._more = IconButton("more", "More")
        self._more.clicked.connect(lambda _=False: self._show_menu())

    def _build(self) -> None:
        left = QVBoxLayout()
        left.setContentsMargins(UNIT + 4, UNIT + 4, UNIT + 4, UNIT + 4)
        left.setSpacing(UNIT)
        left.addWidget(self._search)
        self._nothing.setContentsMargins(10, 0, 10, 0)
        self._nothing.setWordWrap(True)
        left.addWidget(self._nothing)
        left.addWidget(self._list, 1)
        left.addWidget(button("Import weights…", "", self.ask_weights))
        side = QWidget()
        side.setFixedWidth(LIST_WIDTH)
        side.setLayout(left)
        line = QFrame()
        line.setProperty("look", "rule")
        line.setFixedWidth(1)
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self._pages, 1)
        self._pages.addWidget(self._details_page())
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(side)
        whole.addWidget(line)
        whole.addLayout(right, 1)

    def _details_page(self) -> QWidget:
        page = QWidget()
        box = QVBoxLayout(page)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        head = QVBoxLayout()
        head.setContentsMargins(3 * UNIT, 2 * UNIT, 3 * UNIT, UNIT + 4)
        head.setSpacing(UNIT // 2)
        self._title.setWordWrap(True)
        head.addWidget(self._title)
        head.addWidget(self._subtitle)
        head.addSpacing(UNIT // 2)
        head.addLayout(row(self._use, self._bring, self._bench, self._export, self._more, 1))
        head.addSpacing(UNIT // 2)
        head.addWidget(self._work)
        box.addLayout(head)
        box.addWidget(rule())
        box.addWidget(self._details, 1)
        box.addWidget(rule())
        foot = row(1, button("Close", "", self.close))
        foot.setContentsMargins(3 * UNIT, UNIT + 4, 3 * UNIT, UNIT + 4)
        box.addLayout(foot)
        return page

    def _connect(self) -> None:
        session, zoo = self._session, self._zoo
        self._search.textChanged.connect(self.show_lists)
        self._list.chosen.connect(self.show_chosen)
        self._list.clicked.connect(self._leave_import)
        self._list.taken.connect(self._take)
        self._work.changed.connect(self._show_buttons)
        self._wait.timeout.connect(self._count)
        session.models.changed.connect(self.show_lists)
        zoo.listed.connect(self.show_lists)
        zoo.listed.connect(self.show_chosen)
        zoo.described.connect(self._show_described)
        zoo.counted.connect(self._show_counted)

    # --- what is shown

    @Slot()
    def show_lists(self, *_: object) -> None:
        """Follow the shelf, the zoo and the search line."""
        shelf, zoo = self._session.models, self._zoo
        found = entries(
            shelf.cards,
            zoo.nets,
            used=shelf.chosen.name if shelf.chosen else "",
            search=self._search.text(),
            waiting=zoo.trouble or "Reading the list…",
        )
        self._list.show_entries(found)
        has_any = any(e.can_be_chosen for e in found)
        self._nothing.setVisible(bool(self._search.text()) and not has_any)
        self._nothing.setText(f"Nothing is called “{self._search.text()}”.")
        if has_any and not self._list.current[1]:
            self._list.go(0)
        if self._made_import_page is not None:
            self._made_import_page.show_nets(zoo.nets)
        self._show_buttons()

    @property
    def card(self) -> ModelCard | None:
        """The selected model."""
        kind, name = self._list.current
        cards = self._session.models.cards
        return next((c for c in cards if c.name == name), None) if kind == "model" else None

    @property
    def net(self) -> NetFacts | None:
        """The selected network."""
        kind, name = self._list.current
        found = next((n for n in self._zoo.nets if n.name == name), None)
        return found if kind == "net" else None

    @Slot()
    def show_chosen(self, *_: object) -> None:
        """Details of the selected line."""
        card, net = self.card, self.net
        self._query = None
        self._work.put_away()
        if card is not None:
            query = Query.of(card)
            facts = self._zoo.facts(query)
            size = card.input.size_for(*self._frame_size())
            self._query = (query, size)
            self._title.setText(card.title)
            where = "comes with SegStudio" if card.bundled else str(card.folder)
            self._subtitle.setText(f"{facts.title if facts else card.net} · {where}")
            self._details.show_model(card, facts, size)
        elif net is not None:
            query = Query(net.name)
            facts = self._zoo.facts(query) or net
            size = facts.size_near(*self._frame_size())
            self._query = (query, size)
            self._title.setText(net.title)
            family = f"{net.family} · " if net.family != net.title else ""
            self._subtitle.setText(f"{family}network of the zoo")
            models = [c for c in self._session.models.cards if c.net == net.name]
            self._details.show_net(facts, models, size)
        else:
            self._title.setText("")
            self._subtitle.setText("")
            self._details.show_nothing("Choose a model or a network on the left.")
        if self._query is not None and self._query[0].net != ONNX:
            self._zoo.ask_facts(self._query[0])
            self._wait.start()
        self._show_buttons()

    def _frame_size(self) -> tuple[int, int]:
        """(h, w) of the picture in the window, else what papers use."""
        result = self._session.result
        return (result.frame.height, result.frame.width) if result is not None else PAPER_SIZE

    def _count(self) -> None:
        if self._query is not None:
            self._zoo.ask_figures(*self._query)

    @Slot(object)
    def _show_described(self, query: Query) -> None:
        if self._query is None or self._query[0] != query:
            return
        facts = self._zoo.facts(query)
        if facts is None:
            return
        if facts.trouble:
            self._wait.stop()
            if self.net is not None:
                models = [c for c in self._session.models.cards if c.net == facts.name]
                self._details.show_net(facts, models, self._query[1])
            self._details.show_figures(NetFigures(*self._query[1]))
        self._details.show_taps(facts, self._query[1])

    @Slot(object)
    def _show_counted(self, found: tuple[Query, tuple[int, int]]) -> None:
        figures = self._zoo.figures(*found)
        if found != self._query or figures is None:
            return
        if figures.parameters is None and self.card is not None:
            figures = replace(figures, parameters=self.card.params)
        self._details.show_figures(figures)

    @Slot()
    def _show_buttons(self) -> None:
        card, shelf = self.card, self._session.models
        is_used = card is not None and shelf.chosen is not None and shelf.chosen.name == card.name
        for widget in (self._use, self._bench, self._export):
            widget.setVisible(card is not None)
            widget.setEnabled(not self._work.is_running)
        self._export.setVisible(card is not None and card.net != ONNX)
        self._use.setEnabled(not is_used)
        self._use.setText("In use" if is_used else "Use in this window")
        self._bring.setVisible(self.net is not None)
        self._more.setVisible(card is not None or self.net is not None)

    # --- actions

    def _use_model(self) -> None:
        if self.card is not None:
            self._session.models.choose(self.card.name)

    @Slot(str, str)
    def _take(self, kind: str, _: str) -> None:
        if kind == "model":
            self._use_model()

    def _measure(self) -> None:
        card, session = self.card, self._session
        if card is None:
            return
        size = None
        if session.result is not None:
            scale = session.models.strategy.input_scale
            size = card.input.size_for(*self._frame_size(), scale)
        session.player.pause()  # what plays meanwhile would be measured too
        self._actions.measure(card, size)

    def _ask_export(self) -> None:
        if self.card is not None:
            self._actions.ask_export(self.card)

    def _show_menu(self) -> None:
        menu = self._actions.menu(self.card, self.details_text)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self._more.mapToGlobal(self._more.rect().bottomLeft()))

    @property
    def details_text(self) -> str:
        """Everything about the selected line, as text."""
        card, net = self.card, self.net
        if self._query is None:
            return ""
        query, size = self._query
        facts, figures = self._zoo.facts(query), self._zoo.figures(query, size)
        if card is not None:
            return words.card_text(card, facts, figures)
        return "" if net is None else words.net_text(facts or net, figures)

    # --- import

    def ask_weights(self) -> None:
        """Which file?"""
        patterns = " ".join(f"*{s}" for s in WEIGHTS_FILES)
        dialog = QFileDialog(self, "Import Weights", str(Path.home()))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([f"Weights ({patterns})", "All files (*)"])
        dialog.fileSelected.connect(lambda name: self.import_file(Path(name)))
        dialog.open()

    @property
    def _import_page(self) -> ImportPage:
        """Made when it is first wanted: the dialog opens sooner without."""
        if self._made_import_page is None:
            models = self._session.models
            page = ImportPage(self._session.background, lambda _: models.scan())
            page.left.connect(self._leave_import)
            page.imported.connect(self._adopt)
            page.show_nets(self._zoo.nets)
            self._pages.addWidget(page)
            self._made_import_page = page
        return self._made_import_page

    def import_file(self, file: Path) -> None:
        """Show what is in a weights file."""
        self._pages.setCurrentWidget(self._import_page)
        self._import_page.open(file)

    @Slot()
    def _leave_import(self, *_: object) -> None:
        if self._made_import_page is not None:
            self._made_import_page.stop()
        self._pages.setCurrentIndex(0)

    @Slot(object)
    def _adopt(self, card: ModelCard) -> None:
        self._session.models.scan()
        self._search.clear()
        self._list.select("model", card.name)
        self._pages.setCurrentIndex(0)
        self._work.show_result(f"{card.title} is imported.", str(card.folder))

    # --- Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
            if step:
                self._leave_import()
                self._list.go(step)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._take(*self._list.current)
                return True
        return False

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(_is_weights(url) for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        found = [Path(u.toLocalFile()) for u in event.mimeData().urls() if _is_weights(u)]
        if found:
            event.acceptProposedAction()
            self.import_file(found[0])

    def done(self, result: int) -> None:
        self._wait.stop()
        self._zoo.stop_counting()
        self._leave_import()
        self._work.cancel()
        super().done(result)


def _is_weights(url: QUrl) -> bool:
    return url.isLocalFile() and Path(url.toLocalFile()).suffix.lower() in WEIGHTS_FILES
