"""The classes: colour, name, share of the frame; which is painted, which is locked, which is seen.

While origins are looked at, it is their legend instead.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt, QTimer, Slot
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QMenu, QSizePolicy

from segstudio.core.classes import VOID
from segstudio.core.origins import COLORS, NAMES
from segstudio.ui.correcting.drafts import mapping_for
from segstudio.ui.icons import IconButton
from segstudio.ui.panels.class_rows import EYE, LOCK, ROW, ClassDelegate, ClassModel, ClassRow
from segstudio.ui.panels.parts import Section, button, label
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT

COUNT_MS = 200
"""How long after a stroke its pixels are counted; strokes that follow each other are one."""

SHARES_MS = 250
"""How often shares change while it plays."""

COMMANDS = ("classes.edit", "classes.safe_colors", "classes.lock_others", "classes.unlock",
            "view.all_classes")  # fmt: skip
"""What the button at the head offers, by name."""

_TIP = "Click: paint with it · Alt+click: only this class is shown"
_VOID_TIP = "Pixels without a class; never drawn, never counted."


class ClassList(QListView):
    """As high as its rows: the panel around it scrolls."""

    def __init__(self, session: Session, model: ClassModel) -> None:
        super().__init__()
        self._session = session
        self._model = model
        self.setModel(model)
        self.setItemDelegate(ClassDelegate(self))
        self.setMouseTracking(True)
        self.setAccessibleName("Classes")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if not index.isValid() or event.button() != Qt.MouseButton.LeftButton:
            return
        row, session = self._model.rows[index.row()], self._session
        if row.is_fixed:
            return
        from_right = self.visualRect(index).right() - event.position().x()
        view = session.view
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            session.set_view(view.soloed(row.class_id, session.classes))
        elif from_right < EYE:
            session.set_view(view.toggled(row.class_id))
        elif from_right < LOCK:
            options = session.editor.options
            locked = options.locked ^ {row.class_id}
            session.editor.set_options(replace(options, locked=locked))
        else:
            session.editor.choose_class(row.class_id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return) and index.isValid():
            self._act(index, shows=event.key() == Qt.Key.Key_Space)
        else:
            super().keyPressEvent(event)

    def _act(self, index: QModelIndex, *, shows: bool) -> None:
        """Space shows or hides, Enter chooses."""
        row = self._model.rows[index.row()]
        if row.is_fixed:
            return
        if shows:
            self._session.set_view(self._session.view.toggled(row.class_id))
        else:
            self._session.editor.choose_class(row.class_id)


class ClassesPanel(Section):
    """The list with its head. Listens to the session; keeps nothing but the last count."""

    def __init__(self, session: Session) -> None:
        self._set = label(look="small", tone="faint")
        self._all = button("Show all", "link", self._show_all)
        self._more = IconButton("more", "What can be done with classes")
        super().__init__("Classes", self._set, self._all, self._more)
        self._session = session
        self._counted: NDArray[np.int64] | None = None
        self._model = ClassModel()
        self._list = ClassList(session, self._model)
        # What is hovered reaches out to both sides of the text.
        self.body.setContentsMargins(UNIT, UNIT + 4, UNIT, 2 * UNIT)
        self.head.setContentsMargins(UNIT, 0, UNIT, 0)
        self.body.addWidget(self._list)
        self._more.clicked.connect(self._show_menu)
        self._soon = QTimer(self, singleShot=True, interval=COUNT_MS)
        self._soon.timeout.connect(self._count)
        editor = session.editor
        self._later = QTimer(self, singleShot=True, interval=SHARES_MS)
        self._later.timeout.connect(self.show_rows)
        session.shown_changed.connect(self._follow_frame)
        for signal in (session.view_changed, session.models.changed, editor.options_changed,
                       editor.projects.changed, session.settings_changed):  # fmt: skip
            signal.connect(self.show_rows)
        editor.document_changed.connect(self._count)
        editor.step_finished.connect(self._count_soon)
        self.show_rows()

    @Slot()
    def _follow_frame(self) -> None:
        """While it plays, shares change as often as people can read them: a repaint takes 3 ms."""
        if not self._session.player.playing.is_playing:
            self._later.stop()
            self.show_rows()
        elif not self._later.isActive():
            self._later.start()

    @Slot()
    def _count_soon(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    @Slot()
    def _count(self) -> None:
        """Pixels of every class in the labels that are shown."""
        labels = self._session.shown_labels("labels")
        self._counted = None
        if labels is not None:
            from segstudio.core.labels import pixels_by_class  # OpenCV is there by now

            self._counted = pixels_by_class(labels)
        self.show_rows()

    @Slot()
    def show_rows(self) -> None:
        """Follow the session."""
        session = self._session
        shows_origins = session.view.layer == "origin" and session.editor.held is not None
        rows = self._origin_rows() if shows_origins else self._class_rows()
        self._model.show_rows(rows)
        self._list.setFixedHeight(ROW * len(rows) + 2)
        self._set.setText("by origin" if shows_origins else f"{len(session.classes)}")
        self._set.setToolTip(f"Class set: {session.classes.name}")
        self._all.setVisible(bool(session.view.hidden) and not shows_origins)

    def _class_rows(self) -> list[ClassRow]:
        session = self._session
        classes, options = session.shown_classes, session.editor.options
        digits = {class_id: digit for digit, class_id in classes.keys().items()}
        shares = _shares(self._pixels())
        is_editing = session.classes is session.editor.classes or session.editor.held is not None

        def share(class_id: int) -> float | None:
            return None if shares is None else round(float(shares[class_id]), 4)

        rows = [
            ClassRow(
                c.name[:1].upper() + c.name[1:],
                c.color,
                c.id,
                share(c.id),
                is_hidden=c.id in session.view.hidden,
                is_locked=c.id in options.locked,
                is_active=is_editing and c.id == options.class_id and options.tool != "pan",
                digit=digits.get(c.id),
                tip=_TIP,
            )
            for c in classes.classes
        ]
        void = ClassRow("Void", (0, 0, 0), VOID, share(VOID), is_fixed=True, tip=_VOID_TIP)
        return [*rows, void]

    def _origin_rows(self) -> list[ClassRow]:
        held = self._session.editor.held
        shares = None if held is None else _shares(np.asarray(held.document.origin_counts))
        return [
            ClassRow(
                name.capitalize(), color, number,
                None if shares is None else round(float(shares[number]), 4), is_fixed=True,
            )
            for number, (name, color) in enumerate(zip(NAMES, COLORS, strict=True))
        ]  # fmt: skip

    def _pixels(self) -> NDArray[np.int64] | None:
        session = self._session
        if session.editor.held is not None and session.view.layer != "prediction":
            return self._counted
        prediction = None if session.result is None else session.result.prediction
        if prediction is None or session.view.layer == "prediction":
            return None if prediction is None else prediction.class_pixels
        if prediction.classes is session.editor.classes:
            return prediction.class_pixels
        table = mapping_for(prediction.classes, session.editor.classes,
                            session.editor.projects.came_from).table  # fmt: skip
        return np.bincount(table, prediction.class_pixels, minlength=256).astype(np.int64)

    def _show_all(self) -> None:
        self._session.set_view(replace(self._session.view, hidden=frozenset()))

    @Slot()
    def _show_menu(self) -> None:
        """The same commands as in the Label menu."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        actions = getattr(self.window(), "menus").actions  # noqa: B009 - the window's, by its role
        for name in COMMANDS:
            menu.addAction(actions[name])
        corner = QPoint(self._more.width() - menu.sizeHint().width(), self._more.height())
        menu.popup(self._more.mapToGlobal(corner))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self.update()
        super().changeEvent(event)


def _shares(pixels: NDArray[np.int64] | None) -> NDArray[np.float64] | None:
    """Share of the frame of each of 256 ids, 0..1."""
    return None if pixels is None else pixels / max(1, int(pixels.sum()))
