"""The Model menu. Its lists of models and devices are made from what is there, see ui/menus.py."""

from segstudio import paths
from segstudio.ui.commands.registry import Desk, command


def _no_model(desk: Desk) -> str:
    return "" if desk.session.models.chosen is not None else "Choose a model first."


@command("model.models", title="Models…", menu="Model", section=2, keys=("Ctrl+Shift+M",))
def models(desk: Desk) -> None:
    """What is installed, every network of the zoo, importing, exporting and measuring."""
    desk.show_dialog("models")


@command("model.import", title="Import Weights…", menu="Model", section=2)
def import_weights(desk: Desk) -> None:
    """A model from a .pth, .safetensors or .onnx file of any program that is known."""
    desk.show_dialog("import")


@command("model.train", title="Fine-Tune…", menu="Model", section=2, keys=("Ctrl+T",))
def train(desk: Desk) -> None:
    """Train a model on the frames that were corrected, in a process of its own."""
    desk.show_dialog("train")


@command("model.reload", title="Reload Model", menu="Model", section=3, keys=("Ctrl+R",),
         unless=_no_model)  # fmt: skip
def reload(desk: Desk) -> None:
    """Load the model again, as after a failure or when its files were replaced."""
    desk.session.models.scan()
    desk.session.models.reload()


@command("model.none", title="No Model", menu="Model", section=3,
         checked=lambda desk: desk.session.models.chosen is None)  # fmt: skip
def none(desk: Desk) -> None:
    """Pictures without masks."""
    desk.session.models.choose(None)


@command("model.open", title="Add Model Folder…", menu="Model", section=4)
def add(desk: Desk) -> None:
    """A folder with card.json and weights, from anywhere."""
    desk.ask_folder("Add Model Folder", desk.session.add_model)


@command("model.rescan", title="Look for New Models", menu="Model", section=4)
def rescan(desk: Desk) -> None:
    """Read the model folders again."""
    desk.session.models.scan()
    for sentence in desk.session.models.broken:
        desk.session.tell(sentence, "warning")


@command("model.folder", title="Show Model Folder", menu="Model", section=4)
def folder(desk: Desk) -> None:
    """Where models of one's own belong."""
    place = paths.user_models()
    place.mkdir(parents=True, exist_ok=True)
    desk.show_folder(place)
