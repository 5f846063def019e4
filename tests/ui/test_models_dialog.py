"""The model dialog on a real window, with an engine that needs no torch."""

import sys
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel

from segstudio import paths
from segstudio.core.catalogue import InputRule, ModelCard, NetFacts, NetFigures, Score, TapFacts
from segstudio.core.classes import CAMVID, ClassDef, ClassMap
from segstudio.core.lineage import DataPart, Lineage
from segstudio.errors import ModelError
from segstudio.store.models import write_card
from segstudio.ui import startup
from segstudio.ui.dialogs import model_work
from segstudio.ui.dialogs.model_details import NO_WEIGHTS
from segstudio.ui.dialogs.models import ModelsDialog
from segstudio.ui.panels.class_figures import ClassFigures

TAPS = (TapFacts("stage1", 2, 16), TapFacts("stage2", 8, 64))
NETS = (
    NetFacts("fake", "Fake Net", "https://arxiv.org/abs/1234.5678", "Fake Net", TAPS),
    NetFacts("unet", "U-Net", "https://arxiv.org/abs/1505.04597", "U-Net", multiple_of=16),
    NetFacts("fcn8s", "FCN-8s", "https://arxiv.org/abs/1411.4038", "FCN", multiple_of=8),
    NetFacts("fcn32s", "FCN-32s", "https://arxiv.org/abs/1411.4038", "FCN"),
)
TWO = ClassMap("two", (ClassDef(0, "road", (1, 2, 3)), ClassDef(1, "sky", (4, 5, 6))))


@dataclass
class FakeInspection:
    """As engine.inspecting.Inspection: two tensors that fit, one that is left out."""

    file: Path
    net: str = "unet"
    foreign: tuple[str, ...] = ("builtins.eval",)
    missing: tuple[str, ...] = ()
    dialect_title: str = "Pytorch-UNet"
    num_classes: int = 2
    class_names: tuple[str, ...] = ()
    beside: tuple[str, ...] = ("optimizer",)
    notes: tuple[str, ...] = ("Trained on squares.",)
    fit: SimpleNamespace = field(init=False)
    spec: SimpleNamespace = field(init=False)

    def __post_init__(self):
        self.spec = SimpleNamespace(name=self.net, title="U-Net")
        self.fit = SimpleNamespace(
            matched=("a", "b"), renamed=(), missing=self.missing, unexpected=(), misshapen=(),
            ignored={"loss.weight": "belongs to the loss"}, is_whole=not self.missing,
        )  # fmt: skip


class Engine:
    """What the fake engine answers, and what it was asked."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.error = None
        self.asked, self.options = [], []
        self.missing = ()
        self.trouble = {}

    def describe_zoo(self):
        return NETS

    def describe_net(self, name, net_args, classes):
        facts = next(n for n in NETS if n.name == name)
        trouble = self.trouble.get(name, "")
        return NetFacts(
            name, facts.title, facts.paper, facts.family, facts.taps or TAPS, trouble=trouble
        )

    def measure_net(self, name, net_args, classes, height, width):
        self.gate.wait(20)
        return NetFigures(height, width, 1_234_567, 12.345, 8, 715)

    def inspect_weights(self, path, net=""):
        self.gate.wait(20)
        self.asked.append((path, net))
        if self.error is not None:
            raise self.error
        return FakeInspection(path, net or "unet", missing=self.missing)

    def import_weights(self, inspection, options):
        if self.error is not None:
            raise self.error
        self.options.append(options)
        folder = paths.user_models() / options.name
        folder.mkdir(parents=True)
        card = ModelCard(
            options.name, "Brought", "unet", options.classes, InputRule(), folder, "w.safetensors"
        )
        (folder / card.weights).touch()
        write_card(card, folder)
        return card


@pytest.fixture
def engine(monkeypatch):
    """In place of every engine module that needs torch."""
    made = Engine()
    monkeypatch.setattr(startup, "import_engine", lambda: None)
    catalogue = SimpleNamespace(
        describe_zoo=made.describe_zoo, describe_net=made.describe_net,
        measure_net=made.measure_net,
    )  # fmt: skip
    importing = SimpleNamespace(
        suggested_classes=lambda _: TWO, suggested_name=lambda found: found.file.stem,
        import_weights=made.import_weights, ImportOptions=SimpleNamespace,
    )  # fmt: skip
    modules = {
        "catalogue": catalogue,
        "importing": importing,
        "inspecting": SimpleNamespace(inspect_weights=made.inspect_weights),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, f"segstudio.engine.{name}", module)
    return made


@pytest.fixture
def home(monkeypatch, tmp_path):
    """A user's folder of this test alone."""
    monkeypatch.setenv("SEGSTUDIO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def dialog(qtbot, engine, home, window, session):
    """The dialog as the menu opens it, with the list of nets."""
    window.show_dialog("models")
    made = window.findChild(ModelsDialog)
    qtbot.waitUntil(lambda: bool(session.zoo.nets), timeout=5000)
    yield made
    engine.gate.set()
    for left in window.findChildren(ModelsDialog):
        left.close()


@pytest.fixture
def weights(tmp_path):
    """A file whose content only the fake engine knows."""
    path = tmp_path / "somewhere" / "net.pth"
    path.parent.mkdir()
    path.write_bytes(b"weights")
    return path


def lines(dialog):
    return [(e.kind, e.title) for e in dialog._list.entries]


def test_models_come_first_and_networks_by_family(dialog):
    assert lines(dialog) == [
        ("head", "Your models"), ("model", "Fake Net"),
        ("head", "Networks"), ("subhead", "FCN"), ("net", "FCN-8s"), ("net", "FCN-32s"),
        ("subhead", "Others"), ("net", "Fake Net"), ("net", "U-Net"),
    ]  # fmt: skip
    assert dialog._list.current == ("model", "fake")


def test_a_search_keeps_what_has_every_word(dialog):
    QTest.keyClicks(dialog._search, "fcn 8")
    assert lines(dialog)[-1] == ("net", "FCN-8s")
    assert dialog._list.current == ("net", "fcn8s")
    dialog._search.setText("zzz")
    assert lines(dialog) == []
    assert "zzz" in dialog._nothing.text()
    assert not dialog._nothing.isHidden()


def test_arrows_in_the_search_line_move_through_the_list(dialog):
    QTest.keyClick(dialog._search, Qt.Key.Key_Down)
    assert dialog._list.current == ("net", "fcn8s")
    QTest.keyClick(dialog._search, Qt.Key.Key_Up)
    assert dialog._list.current == ("model", "fake")


def test_details_are_there_at_once_and_figures_when_they_are_counted(qtbot, dialog, engine):
    engine.gate.clear()
    dialog._list.select("net", "unet")
    assert dialog._details.facts["Models"] == NO_WEIGHTS
    assert dialog._details.facts["Parameters"] == "…"
    engine.gate.set()
    qtbot.waitUntil(lambda: dialog._details.facts["Parameters"] == "1.23 M", timeout=5000)
    facts = dialog._details.facts
    assert facts["GMACs"] == "12.35 at 1024 × 512"
    assert facts["Receptive field"] == "715 × 715 px"
    assert "arxiv.org/abs/1505.04597" in facts["Paper"]
    assert facts["Input"] == "Sides of multiples of 16, from 32 px."
    assert [b.tap for b in dialog._details.diagram.boxes[1:]] == list(TAPS)


def test_a_model_shows_its_scores_class_by_class_and_where_it_comes_from(dialog, session, card):
    score = Score("val", 0.5, "", {"Road": 0.9, "Sky": 0.95, "Odd": 0.1})
    lineage = Lineage(base="town", step=40, recipe={"steps": 60}, data=(DataPart("a/images", 3),))
    other = replace(card, name="other", scores=(score,), lineage=lineage)
    session.models.cards = (card, other)
    session.models.changed.emit()
    dialog._list.select("model", "other")
    (figures,) = dialog._details.findChildren(ClassFigures)
    assert [row[0] for row in figures.rows] == ["Sky", "Road", "Odd"]
    assert "Road 90.0 %" in figures.accessibleName()
    facts = dialog._details.facts
    assert (facts["Began from"], facts["Kept"]) == ("town", "step 40 of 60")
    assert facts["Data"] == "a/images: 3 frames"
    assert figures.grab().toImage().width() > 0


def test_a_net_that_cannot_be_built_says_why(qtbot, dialog, engine):
    engine.trouble["unet"] = "U-Net needs the package timm; install it."
    dialog._list.select("net", "unet")
    seen = dialog._details.findChildren(QLabel)

    def is_told():
        return any("needs the package" in w.text() for w in dialog._details.findChildren(QLabel))

    assert seen
    qtbot.waitUntil(is_told, timeout=5000)
    assert dialog._details.facts["Parameters"] == "–"


def test_using_another_model_applies_at_once(qtbot, dialog, session, card):
    other = ModelCard("other", "Other", "unet", TWO, InputRule(), card.folder, "w.safetensors")
    session.models.cards = (card, other)
    session.models.changed.emit()
    dialog._list.select("model", "other")
    assert dialog._use.isEnabled()
    QTest.mouseClick(dialog._use, Qt.MouseButton.LeftButton)
    assert session.models.chosen is other
    assert not dialog._use.isEnabled()
    assert next(e for e in dialog._list.entries if e.name == "other").is_used


def test_details_can_be_copied(dialog):
    menu = dialog._actions.menu(dialog.card, dialog.details_text)
    assert [a.text() for a in menu.actions()] == ["Copy details", "Show folder", "Remove…"]
    assert not menu.actions()[2].isEnabled()
    menu.actions()[0].trigger()
    text = QGuiApplication.clipboard().text()
    assert "Fake Net" in text
    assert "ImageNet's mean" in text


# --- import


def is_ready(dialog):
    return lambda: dialog._import_page.is_ready


def test_weights_become_a_model_that_is_selected(qtbot, dialog, engine, session, weights):
    dialog.import_file(weights)
    qtbot.waitUntil(is_ready(dialog), timeout=5000)
    page = dialog._import_page
    assert "Pytorch-UNet" in page.message
    assert page.form.name.text() == "net"
    page.form.name.setText("mine")
    page.run_import()
    qtbot.waitUntil(lambda: dialog._list.current == ("model", "mine"), timeout=5000)
    assert engine.options[0].classes is TWO
    assert not engine.options[0].rehead
    assert (paths.user_models() / "mine" / "card.json").is_file()
    assert dialog.card.title == "Brought"


def test_the_page_accounts_for_every_tensor(qtbot, dialog, weights):
    dialog.import_file(weights)
    qtbot.waitUntil(is_ready(dialog), timeout=5000)
    told = " ".join(w.text() for w in dialog._import_page.findChildren(QLabel))
    for words in ("match by name", "belongs to the loss", "foreign objects", "Trained on squares"):
        assert words in told


def test_a_class_set_of_another_size_needs_a_new_classifier(qtbot, dialog, engine, weights):
    dialog.import_file(weights)
    qtbot.waitUntil(is_ready(dialog), timeout=5000)
    page = dialog._import_page
    page.form.pick_set("camvid")
    assert not page._import.isEnabled()
    assert "another size" in page.form.problem
    page.form.rehead.setChecked(True)
    assert page._import.isEnabled()
    page.run_import()
    qtbot.waitUntil(lambda: bool(engine.options), timeout=5000)
    assert engine.options[0].rehead
    assert len(engine.options[0].classes) == len(CAMVID)
    qtbot.waitUntil(lambda: dialog._list.current == ("model", "net"), timeout=5000)


def test_an_import_that_ends_after_the_dialog_is_on_the_shelf(
    qtbot, dialog, engine, session, weights, monkeypatch
):
    dialog.import_file(weights)
    qtbot.waitUntil(is_ready(dialog), timeout=5000)
    gate, write = threading.Event(), engine.import_weights

    def slow(inspection, options):
        gate.wait(20)
        return write(inspection, options)

    monkeypatch.setattr(sys.modules["segstudio.engine.importing"], "import_weights", slow)
    dialog._import_page.run_import()
    dialog.close()
    gate.set()
    qtbot.waitUntil(lambda: "net" in [c.name for c in session.models.cards], timeout=5000)


def test_weights_that_do_not_fit_cannot_be_imported(qtbot, dialog, engine, weights):
    engine.missing = ("head.weight",)
    dialog.import_file(weights)
    qtbot.waitUntil(lambda: "does not fit" in dialog._import_page.message, timeout=5000)
    assert not dialog._import_page._import.isEnabled()


def test_a_file_nobody_knows_can_be_given_its_net(qtbot, dialog, engine, weights):
    engine.error = ModelError("No known program names that; say the net with --net (--net-arg).")
    dialog.import_file(weights)
    qtbot.waitUntil(lambda: "No known program" in dialog._import_page.message, timeout=5000)
    assert "say the net." in dialog._import_page.message
    engine.error = None
    dialog._import_page._pick_net("fcn8s")
    qtbot.waitUntil(is_ready(dialog), timeout=5000)
    assert engine.asked == [(weights, ""), (weights, "fcn8s")]


def test_a_failed_import_is_told_and_can_be_tried_again(qtbot, dialog, engine, weights):
    dialog.import_file(weights)
    qtbot.waitUntil(is_ready(dialog), timeout=5000)
    engine.error = ModelError("There is a model 'net' already; choose another name.")
    dialog._import_page.run_import()
    qtbot.waitUntil(lambda: "already" in dialog._import_page.message, timeout=5000)
    assert dialog._import_page._import.isEnabled()


def test_going_back_forgets_what_is_still_being_read(qtbot, dialog, engine, session, weights):
    engine.gate.clear()
    dialog.import_file(weights)
    dialog._import_page.leave()
    assert dialog._pages.currentIndex() == 0
    engine.gate.set()
    qtbot.waitUntil(lambda: not session.background._jobs, timeout=5000)
    assert not dialog._import_page.is_ready


def test_weights_dropped_on_the_window_lead_to_the_import_page(
    qtbot, engine, home, window, session, weights
):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(weights))])
    window.dropEvent(
        QDropEvent(
            QPointF(5, 5),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )
    qtbot.waitUntil(lambda: window.findChild(ModelsDialog) is not None, timeout=5000)
    dialog = window.findChild(ModelsDialog)
    qtbot.waitUntil(is_ready(dialog), timeout=5000)
    assert engine.asked == [(weights, "")]
    dialog.close()


# --- work


def test_work_can_be_cancelled_and_its_result_goes_nowhere(qtbot, dialog, session, monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(model_work, "measuring", lambda *_: lambda _: gate.wait(20))
    QTest.mouseClick(dialog._bench, Qt.MouseButton.LeftButton)
    assert dialog._work.is_running
    assert not dialog._bench.isEnabled()
    QTest.mouseClick(dialog._work._cancel, Qt.MouseButton.LeftButton)
    assert dialog._work.isHidden()
    gate.set()
    qtbot.waitUntil(lambda: not session.background._jobs, timeout=5000)
    assert dialog._work.isHidden()
    assert dialog._bench.isEnabled()


def test_what_goes_wrong_is_one_sentence_on_the_card(qtbot, dialog, monkeypatch, tmp_path):
    def failing(*_):
        def op(_):
            raise ModelError("The package onnx is missing; install segstudio[onnx].")

        return op

    monkeypatch.setattr(model_work, "exporting", failing)
    dialog._actions.export(dialog.card, tmp_path / "x.onnx")
    qtbot.waitUntil(lambda: "onnx is missing" in dialog._work.message, timeout=5000)
    assert not dialog._work.is_running


def test_a_removed_model_leaves_the_list_and_the_window(
    qtbot, dialog, engine, session, weights, monkeypatch
):
    monkeypatch.setattr(model_work, "QFile", FakeTrash)
    FakeTrash.files = []
    dialog.import_file(weights)
    qtbot.waitUntil(is_ready(dialog), timeout=5000)
    dialog._import_page.run_import()
    qtbot.waitUntil(lambda: dialog._list.current == ("model", "net"), timeout=5000)
    session.models.choose("net")
    box = dialog._actions.ask_remove(dialog.card)
    remove = next(b for b in box.buttons() if "Trash" in b.text())
    QTest.mouseClick(remove, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "in the trash" in dialog._work.message, timeout=5000)
    assert FakeTrash.files == [str(paths.user_models() / "net")]
    assert "net" not in [e.name for e in dialog._list.entries if e.kind == "model"]
    assert session.models.chosen is None or session.models.chosen.name != "net"


class FakeTrash:
    """A trash that removes at once."""

    files: list = []  # noqa: RUF012

    @staticmethod
    def moveToTrash(path):  # noqa: N802  Qt's name
        import shutil

        FakeTrash.files.append(path)
        shutil.rmtree(path)
        return True


def test_a_model_that_is_an_onnx_file_has_no_diagram_and_no_export(qtbot, dialog, session, card):
    other = ModelCard("o", "O", "onnx", TWO, InputRule(), card.folder, "model.onnx")
    session.models.cards = (card, other)
    session.models.changed.emit()
    dialog._list.select("model", "o")
    assert dialog._export.isHidden()
    assert "Parameters" not in dialog._details.facts
    assert dialog._details.facts["Network"] == "ONNX file"
    dialog._list.select("model", "fake")
    assert not dialog._export.isHidden()


def test_a_click_on_the_list_leaves_the_import_page(qtbot, dialog, weights):
    dialog.import_file(weights)
    qtbot.waitUntil(is_ready(dialog), timeout=5000)
    index = dialog._list.currentIndex()
    place = dialog._list.visualRect(index).center()
    QTest.mouseClick(dialog._list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert dialog._pages.currentIndex() == 0


def test_a_result_goes_when_something_else_is_looked_at(dialog):
    dialog._work.show_result("Done.")
    assert not dialog._work.isHidden()
    dialog._list.select("net", "unet")
    assert dialog._work.isHidden()


def test_what_a_card_says_is_plain_text(qtbot, dialog, session, card):
    nasty = ModelCard(
        "n", "<b>Title</b>", "fake", TWO, InputRule(), card.folder, "w.safetensors",
        licence="<a href='https://example.org'>CamVid's</a>", trained_on="a < b & c",
    )  # fmt: skip
    session.models.cards = (card, nasty)
    session.models.changed.emit()
    dialog._list.select("model", "n")
    facts = dialog._details.facts
    assert facts["Licence"] == nasty.licence
    assert facts["Trained on"] == "a < b & c"
    plain = Qt.TextFormat.PlainText
    shown = [w for w in dialog.findChildren(QLabel) if w.text() in (nasty.title, nasty.licence)]
    assert len(shown) == 2
    assert all(w.textFormat() == plain for w in shown)


def test_the_menu_asks_for_weights_at_once(qtbot, engine, home, window):
    window.show_dialog("import")
    dialog = window.findChild(ModelsDialog)
    qtbot.waitUntil(lambda: bool(dialog.findChildren(QFileDialog)), timeout=5000)
    dialog.findChildren(QFileDialog)[0].close()
    dialog.close()
