"""R8: files made to run a program, or to read or write outside of their folder, do neither.

Pickles in every way that calls a function, whole nets, TorchScript, weights without end; archives
with names that lead out, links, devices and bombs; annotations whose pictures lie elsewhere; XML
and YAML with entities, anchors and objects; folders with links, pipes and devices; cards of models
and names of classes and clips that are paths. Each is opened as a person would and imported, in a
child process under a watch (guard.py): the neighbours' folder must stay as it is, and neither be
read, and no program or connection may be started. A careless program goes through the same files
and must be caught, or they prove nothing.
"""

import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import given
import hostile_files
import hostile_models
import labelled
import torch
from guard import SECONDS, Bad, Sandbox, run_all

from rows.bad_inputs import check_sentence, quick
from segstudio.core.classes import ClassDef, ClassMap
from segstudio.engine.exchange.exporting import export_project
from segstudio.engine.exchange.importing import run_import
from segstudio.engine.exchange.planning import plan_import
from segstudio.errors import SegStudioError
from segstudio.formats.registry import FORMATS
from segstudio.media.open import open_source
from segstudio.nets.weights import open_weights
from segstudio.store.models import load_card
from segstudio.store.project import Project

LEAST = 60
COMPILED = ("cityscapes", "coco", "label_studio", "labelme", "yolo")
"""Formats with code that is compiled when it is first used, which takes its time."""

ENDLESS = ("pipe", "device", "laughs", "view", "timeit")
NAMES = (
    "../../../outside/pwned",
    "/tmp/pwned",
    "CON",
    "a\x00b",
    "\x1b[31mred",
    "..",
    "a/b\\c",
    "\u202egnp",
)


def weights(sandbox: Sandbox, name: str) -> None:
    """The first thing that is done with every model."""
    file, made = hostile_models.MODELS[name]
    path = sandbox.put(file, made(sandbox.outside))
    open_weights(path)


def files(sandbox: Sandbox, name: str) -> None:
    """Looked at and imported; also as each format that could be meant."""
    path = hostile_files.FILES[name](sandbox)
    if path.is_dir() or path.suffix != ".zip":
        tried(lambda: open_source(path).close())
    for number, kind in enumerate((None, *FORMATS)):
        tried(lambda k=kind, n=number: imported(sandbox, path, k, n))


def tried(action: Callable[[], object]) -> None:
    """A sentence is an answer too."""
    try:
        action()
    except SegStudioError as error:
        check_sentence(str(error))


def imported(sandbox: Sandbox, path: Path, kind: str | None, number: int) -> None:
    """Into a new project, whose pictures must be of the folder or unpacked beside it."""
    plan = plan_import(path, None, format_name=kind)
    try:
        plan.preview(3)
        project = Project.create(sandbox.work / f"{number}.segproj", plan.classes)
        try:
            run_import(plan, project, leave_out_bad=True)
            for record in project.media():
                place = Path(os.path.realpath(record.path))
                if not any(place.is_relative_to(f) for f in (sandbox.given, sandbox.work)):
                    raise Bad(f"the project shows {place}")
        finally:
            project.close()
    finally:
        plan.close()


CARDS = ("../../outside/secret.txt", "/etc/passwd", "..", "weights.safetensors\x00.txt")


def card(sandbox: Sandbox, name: str) -> None:
    """Weights of a card that lie elsewhere."""
    from segstudio import paths
    from segstudio.engine.loading import build_net

    content = json.loads(next(paths.bundled_models().glob("*/card.json")).read_bytes())
    sandbox.put("model/card.json", json.dumps({**content, "weights": name}).encode())
    build_net(load_card(sandbox.given / "model"))


def exported(sandbox: Sandbox, kind: str) -> None:
    """Classes and a folder of pictures with such names, exported."""
    colors = ((10 * i + 1, 99, 7) for i in range(len(NAMES)))
    rows = (ClassDef(i, n, c) for i, (n, c) in enumerate(zip(NAMES, colors, strict=True)))
    try:
        classes = ClassMap("../../outside/pwned", tuple(rows))
    except ValueError as error:
        raise SegStudioError(f"There can be no such classes: {error}.") from error
    folder = sandbox.given / ".. .. outside"
    sandbox.put(f"{folder.name}/\x1b[31m \u202egnp.png", hostile_files.PICTURE)
    sandbox.put(f"{folder.name}/CON.png", hostile_files.PICTURE)
    filled = labelled.Filled(sandbox.work / "from.segproj", classes)
    try:
        for index in range(2):
            filled.confirm(folder, index, lambda shape: labelled.np.ones(shape, "uint8"))
        target = sandbox.work / "out"
        export_project(filled.project, target, kind)
        for file in target.rglob("*"):
            if any(c < " " or c in ':*?"<>|\\' for c in file.name) or file.stem.upper() == "CON":
                raise Bad(f"a file is called {file.name!r}")
    finally:
        filled.project.close()


def act(sandbox: Sandbox, case: tuple[str, str]) -> str:
    """The note is the sentence."""
    kind, name = case
    try:
        {"weights": weights, "files": files, "card": card, "export": exported}[kind](sandbox, name)
    except SegStudioError as error:
        check_sentence(str(error))
        return str(error)
    return ""


def cases() -> list[tuple[str, tuple[str, str]]]:
    """All of them."""
    kinds = [("weights", hostile_models.MODELS), ("files", hostile_files.FILES), ("card", CARDS),
             ("export", [n for n in FORMATS if FORMATS.get(n).can_write])]  # fmt: skip
    return [(f"{kind}: {name}", (kind, name)) for kind, names in kinds for name in names]


def careless(sandbox: Sandbox, case: tuple[str, str]) -> str:
    """What programs do that trust files."""
    kind, name = case
    try:
        if kind == "weights":
            file, made = hostile_models.MODELS[name]
            path = sandbox.put(file, made(sandbox.outside))
            try:
                torch.load(path, weights_only=False)
            except Exception:
                with path.open("rb") as stream:
                    pickle.load(stream)
        else:
            path = hostile_files.FILES[name](sandbox)
            _trusting(sandbox, path)
    except Exception as error:
        return str(error)
    return ""


def _trusting(sandbox: Sandbox, path: Path) -> None:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as packed:
            for member in packed.namelist():
                (sandbox.given / member).write_bytes(packed.read(member))
        return
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.suffix == ".json":
            content = json.loads(file.read_text())
            (file.parent / content["imagePath"]).read_bytes()
        elif file.suffix == ".xml":
            where = ElementTree.fromstring(file.read_text()).find("image")
            (file.parent / where.get("name", "")).read_bytes()  # type: ignore[union-attr]
        elif file.suffix in (".png", ".txt") and file.is_symlink():
            file.read_bytes()


def measure() -> tuple[str, str, str, bool | None, str]:
    """All of them."""
    claim, limit = "hostile files", f"0 of at least {LEAST}"
    if not hasattr(os, "fork"):
        return claim, "", limit, None, "not run: processes cannot be forked here"
    quick()
    hostile_models.prepare()
    with labelled.scratch() as folder:
        given.exports(Path(folder), COMPILED)
    everything = cases()
    with labelled.scratch() as scratch:
        found = run_all(act, everything, Path(scratch))
        trusted = [c for c in everything if c[1][0] in ("weights", "files")]
        # What waits for ever or fills the memory is known to do so.
        trusted = [c for c in trusted if not any(word in c[0] for word in ENDLESS)]
        caught = run_all(careless, trusted, Path(scratch), seconds=SECONDS)
    bad = [one for one in found if one.what]
    seen = {
        k: sum(bool(o.what) for o in caught if o.name.startswith(k)) for k in ("weights", "files")
    }
    refused = sum(bool(one.note) for one in found)
    return (
        claim,
        f"{len(bad)} of {len(found)} run code or escape",
        limit,
        not bad and len(found) >= LEAST and seen["weights"] >= 15 and seen["files"] >= 5,
        f"{refused} refused, the others harmless; a careless program: {seen['weights']} weights and"
        f" {seen['files']} files caught of {len(caught)}"
        + "".join(f"; {one.name}: {one.what} {one.note}" for one in bad[:12]),
    )
