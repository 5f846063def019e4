"""R7: damaged files end in one sentence: no crash, no hang, nothing written elsewhere.

Pictures, videos, what our writers write in every format, the same as zip files, model weights and
cards are damaged (cut off, bits turned, lengths that lie, values of another type, numbers without
end, nesting without end, entities) and opened as a person would: looked at, planned, previewed,
some imported. Each in a child process with 2 GB of memory and ten seconds of a processor, under a
watch that tells of every file written outside of the case's own folder (see guard.py). Whatever is
raised must be a SegStudioError of one sentence. A harness that notices nothing proves nothing:
actions that crash, hang, eat memory, write elsewhere or babble must be caught too.
"""

import io
import json
import logging
import os
import random
import re
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import given
import labelled
import mutations
import numpy as np
import torch
from guard import MOST_RSS, SECONDS, Bad, Outcome, Sandbox, run_all
from sizes import size

from segstudio.engine.exchange.importing import run_import
from segstudio.engine.exchange.planning import plan_import
from segstudio.errors import SegStudioError
from segstudio.formats.masks import rasters
from segstudio.media.images import image_size
from segstudio.media.open import complete_info, open_source
from segstudio.nets.weights import open_weights
from segstudio.store.models import load_card
from segstudio.store.project import Project

INPUTS, LONG_INPUTS = 600, 10_000
SEED = 7
LONGEST_SENTENCE = 1000
SHARES = {"format": 55, "picture": 17, "zip": 10, "model": 9, "card": 4, "video": 5}
"""Of a hundred."""

Case = tuple[str, int]
"""Kind and number: all that a case depends on."""


class Seeds:
    """Whole files, made once."""

    def __init__(self, folder: Path) -> None:
        self.exports = given.exports(folder)
        self.pictures = given.pictures()
        self.videos = given.videos(folder)
        self.models = given.models()
        self.card = given.card()


@cache
def seeds() -> Seeds:
    """Of this process and its children."""
    with labelled.scratch() as folder:
        return Seeds(Path(folder))


class _Babble(logging.Handler):
    """Failures that were swallowed: told to nobody but the log."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self.heard.append(f"swallowed {record.exc_info[1]!r:.100}: {record.getMessage():.100}")


def act(sandbox: Sandbox, case: Case) -> str:
    """The note is the sentence, "" when the file could be read after all."""
    kind, number = case
    rng = random.Random(f"{SEED} {kind} {number}")
    babble = _Babble()
    logger = logging.getLogger("segstudio")
    logger.handlers, logger.propagate = [babble], False
    try:
        KINDS[kind](sandbox, number, rng)
        said = ""
    except SegStudioError as error:
        said = str(error)
        check_sentence(said)
    if babble.heard:
        raise Bad(babble.heard[0])
    return said


def check_sentence(text: str) -> None:
    """Bad when it is not one, with an end."""
    plain = re.sub(r"'[^']*'|\([^()]*\)|[\"“][^\"”]*[\"”]", "", text)
    if not text.rstrip().endswith((".", "?", "!")):
        raise Bad(f"no sentence: {text[:200]}")
    if "\n" in text or len(text) > LONGEST_SENTENCE or "Traceback" in text:
        raise Bad(f"too much: {text[:200]!r}")
    if re.search(r"[.!?]\s+[A-Z][a-z]", plain.rstrip()[:-1]):
        raise Bad(f"more than a sentence: {text[:300]}")


def _format(sandbox: Sandbox, number: int, rng: random.Random) -> None:
    titles = sorted(seeds().exports)
    name, tree = seeds().exports[titles[number % len(titles)]]
    texts = [p for p in tree if not p.endswith((".png", ".jpg"))]
    masks = [p for p in tree if p.endswith(".png")]
    is_text = bool(texts) and rng.random() < 0.75
    path = rng.choice(texts if is_text else masks or texts)
    changed = {**tree, path: mutations.damaged(path, tree[path], rng)}
    if rng.random() < 0.1:
        del changed[rng.choice(sorted(changed))]
    for file, content in changed.items():
        sandbox.put(file, content)
    _imported(sandbox, sandbox.given, name, number, rng)


def _zip(sandbox: Sandbox, number: int, rng: random.Random) -> None:
    titles = sorted(seeds().exports)
    name, tree = seeds().exports[titles[number % len(titles)]]
    file = sandbox.put("files.zip", mutations.zipped(tree, rng))
    _imported(sandbox, file, name, number, rng)


def _imported(sandbox: Sandbox, files: Path, name: str, number: int, rng: random.Random) -> None:
    """Planned and looked at; every third also imported, into a project of its own."""
    plan = plan_import(files, None, format_name=name if rng.random() < 0.7 else None)
    try:
        for preview in plan.preview(2):
            if preview.why:
                check_sentence(preview.why)
        for sentence in (*plan.notes, *(why for _, why in plan.left_out)):
            check_sentence(sentence)
        for ref in plan.reader.frames[:2]:
            try:
                plan.read(ref)
            except SegStudioError as error:
                check_sentence(str(error))
        if number % 3 == 0:
            project = Project.create(sandbox.work / "new.segproj", plan.classes)
            try:
                report = run_import(plan, project, leave_out_bad=rng.random() < 0.8)
                for sentence in (line for _, line in report.left_out):
                    check_sentence(sentence)
            finally:
                project.close(remove_untouched=True)
    finally:
        plan.close()


def _picture(sandbox: Sandbox, number: int, rng: random.Random) -> None:
    names = sorted(seeds().pictures)
    name = names[number % len(names)]
    content = mutations.damaged(name, seeds().pictures[name], rng)
    file = sandbox.put(name, content)
    tries: tuple[Callable[[], object], ...] = (
        lambda: rasters.decode(content, name),
        lambda: image_size(file),
        lambda: _frames(file),
    )
    said = None
    for attempt in tries:
        try:
            attempt()
        except SegStudioError as error:
            check_sentence(str(error))
            said = error
    if said is not None:
        raise said


def _frames(file: Path) -> None:
    source = open_source(file)
    try:
        info = complete_info(source, 30)
        count = info.frames or 0
        for index in {0, count // 2, count - 1}:
            source.read(index)
    finally:
        source.close()


def _video(sandbox: Sandbox, number: int, rng: random.Random) -> None:
    names = sorted(seeds().videos)
    name = names[number % len(names)]
    file = sandbox.put(name, mutations.raw(seeds().videos[name], rng))
    _frames(file)


def _model(sandbox: Sandbox, number: int, rng: random.Random) -> None:
    names = sorted(seeds().models)
    name = names[number % len(names)]
    content = seeds().models[name]
    if content[:2] == b"PK" and rng.random() < 0.6:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            tree = {n: packed.read(n) for n in packed.namelist()}
        inside = rng.choice(sorted(tree))
        if rng.random() < 0.7:
            tree[inside] = mutations.raw(tree[inside], rng)
            content = _packed(tree)
        else:
            content = mutations.zipped(tree, rng)
    elif name.endswith(".safetensors") and rng.random() < 0.6:
        length = int.from_bytes(content[:8], "little")
        head = mutations.in_json(content[8 : 8 + length], rng)
        content = len(head).to_bytes(8, "little") + head + content[8 + length :]
    else:
        content = mutations.raw(content, rng)
    file = sandbox.put(name, content)
    open_weights(file)


def _packed(tree: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, content in tree.items():
            packed.writestr(name, content)
    return out.getvalue()


def _card(sandbox: Sandbox, number: int, rng: random.Random) -> None:  # noqa: ARG001
    sandbox.put("card.json", mutations.damaged("card.json", seeds().card, rng))
    sandbox.put("weights.safetensors", seeds().models["tiny.safetensors"])
    load_card(sandbox.given)


KINDS: dict[str, Callable[[Sandbox, int, random.Random], None]] = {
    "format": _format, "zip": _zip, "picture": _picture, "video": _video, "model": _model,
    "card": _card,
}  # fmt: skip


def cases(wanted: int) -> list[tuple[str, Case]]:
    """So many, of all kinds; the short list is the beginning of each kind in the long one."""
    return [
        (f"{kind} {number}", (kind, number))
        for kind, share in SHARES.items()
        for number in range(round(wanted * share / 100))
    ]


def _crash(_: Sandbox) -> None:
    json.loads('{"images": 3}')["images"][0]["file_name"]  # type: ignore[index]


def _die(_: Sandbox) -> None:
    os.abort()


def _hang(_: Sandbox) -> None:
    while True:
        pass


def _eat(_: Sandbox) -> None:
    np.ones(MOST_RSS // 8 + 10_000_000)


def _stray(sandbox: Sandbox) -> None:
    (sandbox.outside / "stray.txt").write_text("x")


def _litter(sandbox: Sandbox) -> None:
    (sandbox.given / "thumbnails.db").write_text("x")


def _talk(_: Sandbox) -> None:
    raise SegStudioError("This went wrong. Something else did too.")


PLANTED = {f.__name__: f for f in (_crash, _die, _hang, _eat, _stray, _litter, _talk)}


def careless(sandbox: Sandbox, case: str) -> str:
    """A program as one should not write it."""
    try:
        PLANTED[case](sandbox)
    except SegStudioError as error:
        check_sentence(str(error))
    return ""


def quick() -> None:
    """Before the first fork: no threads that only a parent has, and no waiting for the disk."""
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    os.environ["SVT_LOG"] = "1"
    os.sync = os.fsync = lambda *_: None  # type: ignore[assignment]


def measure() -> tuple[str, str, str, bool | None, str]:
    """All of them."""
    claim = "damaged files"
    limit = f"0 crashes, 0 over {SECONDS} s or {MOST_RSS / 1e9:.0f} GB, one sentence"
    if not hasattr(os, "fork"):
        return claim, "", limit, None, "not run: processes cannot be forked here"
    quick()
    seeds()
    start = time.perf_counter()
    with labelled.scratch() as scratch:
        folder = Path(scratch)
        found = run_all(act, cases(size(INPUTS, LONG_INPUTS)), folder)
        seconds = time.perf_counter() - start
        caught = [o for n in PLANTED for o in run_all(
            careless, [(n, n)], folder, seconds=1 if n == "_hang" else SECONDS
        )]  # fmt: skip
    bad = [one for one in found if one.what]
    missed = [one.name for one in caught if not one.what]
    refused = sum(bool(one.note) for one in found)
    return (
        claim,
        f"{len(bad)} bad of {len(found)} files; ≤ {max(o.seconds for o in found):.1f} s,"
        f" {max(o.rss for o in found) / 1e9:.2f} GB",
        limit,
        not bad and not missed and refused > len(found) // 4,
        f"{refused} refused with a sentence, the others could be read; {seconds:.0f} s;"
        f" {len(PLANTED) - len(missed)} of {len(PLANTED)} planted faults caught" + told(bad),
    )


def told(bad: list[Outcome]) -> str:
    """Each way to go wrong once, with how often."""
    ways = Counter(one.what.split(":")[0] + " " + one.note for one in bad)
    first = {one.what.split(":")[0] + " " + one.note: one for one in reversed(bad)}
    return "".join(f"; {n}× {first[w].name}: {first[w].what} {first[w].note}"
                   for w, n in ways.most_common(12))  # fmt: skip
