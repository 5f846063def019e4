"""What correcting frames and fine-tuning on them brings: mIoU, and strokes that are still needed

A base model meets a domain it never saw (see loop_domains.py). A simulated person goes round the
loop as people do: corrects some frames, trains, corrects more, trains on with all of them. After
each round the model is judged on a part of the domain that is never trained on: mIoU, and the brush
strokes that each frame would still take (see annotator.py). By lot: the frames are drawn from the
pool at random. Ranking: they are what `segstudio suggest` offers with the model of the round before
and the frames corrected so far. Both train alike: each round as many steps of the everyday recipe,
a share of them earlier data, nothing held out and the weights of the last step taken, so that the
test decides nothing.

    python bench/loop_pays.py [--base MODEL] [--work DIR] [--json FILE] [--plot FILE.svg]

Without --base, DDRNet 23 slim is trained first, on CamVid without the drive that is held out: two
CPU hours. Everything that is finished is kept in --work (default build/loop_pays), and an
interrupted run goes on there.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the program does
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch
from annotator import work_of
from loop_domains import DRIVE, Domain, Picture, camvid, camvid_folder, halts, mixed, night
from loop_picture import drawn, table

from models import random_model
from segstudio.atomic import atomic_write
from segstudio.core.catalogue import ModelCard
from segstudio.core.confusion import ConfusionMatrix
from segstudio.core.frame import Frame, FrameId
from segstudio.core.metrics import scores_of
from segstudio.core.training import LabelledFolder, TrainRecipe
from segstudio.engine.predictor import Predictor
from segstudio.engine.project_sources import Medium, opened
from segstudio.engine.suggest import Looker, suggest
from segstudio.store.models import find_model
from segstudio.train.export import export_model
from segstudio.train.loop import fit
from segstudio.train.presets import preset
from segstudio.train.sources import read_pair

HERE = Path(__file__).resolve().parent
WORK = HERE.parent / "build" / "loop_pays"


MOST = 0.95
"""Of the labelled pixels: a frame of which so much is right is good enough to learn from."""


@dataclass(frozen=True, slots=True)
class Plan:
    """counts: frames corrected, growing. randoms, rankings: repetitions, each with a seed of its
    own for the lot and the training. recipe, steps and what follows: of every round.
    """

    counts: tuple[int, ...] = (5, 10, 20, 40)
    randoms: int = 3
    rankings: int = 3
    recipe: str = "standard"
    steps: int = 300
    batch: int = 4
    crop: tuple[int, int] = (256, 320)
    threads: int = 1


def recipe_for(plan: Plan, base: ModelCard, domain: Domain, folder: Path, seed: int) -> TrainRecipe:
    """Fine-tuning on the pictures in `folder`."""
    heads = ("boosters", "aux")  # that only training has: they are built anew, as the program does
    return preset(
        plan.recipe,
        base.net,
        net_args={k: v for k, v in base.net_args.items() if k not in heads},
        base=str(base.folder),
        short_side=base.input.short_side,
        train=(LabelledFolder(str(folder / "images"), str(folder / "labels")),),
        replay=(LabelledFolder(str(domain.earlier / "images"), str(domain.earlier / "labels")),),
        steps=plan.steps,
        validate_every=plan.steps,
        batch=plan.batch,
        crop=plan.crop,
        seed=seed,
        workers=0,
        threads=plan.threads,
        synthetic_share=0.0,
    )


def tuned(recipe: TrainRecipe, base: ModelCard, folder: Path) -> ModelCard:
    """The model in folder/model, trained when it is not there."""
    model = folder / "model"
    if (model / "card.json").is_file():
        return find_model(str(model))
    run = folder / "run"
    run.mkdir(parents=True, exist_ok=True)
    for _event in fit(recipe, run, base.classes, base.input):
        pass
    card = replace(base, name="model", folder=folder / "new", scores=(), sha256="")
    shutil.rmtree(card.folder, ignore_errors=True)
    export_model(run / "best.pt", recipe, card)
    shutil.rmtree(run)
    card.folder.replace(model)  # whole or not there
    return find_model(str(model))


def judged(card: ModelCard, test: tuple[Picture, ...]) -> dict[str, Any]:
    """On frames that nobody trained on. strokes: of each; wrong, left: shares of all pixels."""
    predictor = Predictor(card, "cpu")
    matrix, works = ConfusionMatrix.of(card.classes), []
    try:
        for picture in test:
            rgb, truth = read_pair(picture.pair, len(card.classes))
            frame = Frame(FrameId(picture.image.name, 0, None, 0), rgb, 0.0)
            said = predictor.predict(frame).labels
            matrix.add(truth, said)
            works.append(work_of(said, truth))
    finally:
        predictor.close()
    scores = scores_of(matrix.full)
    labelled = sum(w.labelled for w in works)
    return {
        "miou": round(float(scores.miou), 4),
        "iou": {
            c.name: round(float(scores.iou[c.id]), 4) if scores.iou[c.id] >= 0 else None
            for c in card.classes.classes
        },
        "strokes": [w.strokes for w in works],
        "mean_strokes": round(statistics.mean(w.strokes for w in works), 2),
        "strokes_to_most": round(statistics.mean(w.strokes_to(MOST) for w in works), 2),
        "wrong": round(sum(w.wrong for w in works) / labelled, 5),
        "left": round(sum(w.left for w in works) / labelled, 5),
    }


def by_lot(domain: Domain, count: int, seed: int) -> list[Picture]:
    """The first of an order of the pool that depends on the seed alone."""
    order = np.random.default_rng((seed, len(domain.pool))).permutation(len(domain.pool))
    return [domain.pool[i] for i in order[:count]]


def by_ranking(
    domain: Domain, card: ModelCard, taken: list[Picture], count: int, seed: int
) -> tuple[list[Picture], int]:
    """`taken` and what `segstudio suggest` offers beyond, and how many it did not offer.

    Those are filled up by lot: a person who wants 40 frames takes 40.
    """
    places = {p.image: p for p in domain.pool}
    pixels = np.zeros(256, np.int64)
    for picture in taken:
        mask = read_pair(picture.pair, len(card.classes))[1]
        pixels += np.bincount(mask.ravel(), minlength=256)
    predictor = Predictor(card, "cpu")
    try:
        with ExitStack() as stack:
            media = [
                _with_confirmed(stack.enter_context(opened(folder, number=i)), taken)
                for i, folder in enumerate(domain.clips)
            ]
            offered = suggest(
                media, Looker([predictor], card.classes), count - len(taken), corrected=pixels
            )
    finally:
        predictor.close()
    picked = [*taken, *(places[domain.clips[s.media] / s.name] for s in offered)]
    rest = [p for p in by_lot(domain, len(domain.pool), seed) if p not in picked]
    missing = count - len(picked)
    return picked + rest[:missing], missing


def _with_confirmed(medium: Medium, taken: list[Picture]) -> Medium:
    names = {p.image.name for p in taken if p.image.parent == medium.path}
    known = frozenset(i for i, name in enumerate(medium.info.names) if name in names)
    return replace(medium, confirmed=known)


class Experiment:
    """One domain. rows: all that was measured, kept in work/<domain>/rows.json as it grows."""

    def __init__(self, plan: Plan, base: ModelCard, domain: Domain, work: Path) -> None:
        self._plan, self._base, self._domain = plan, base, domain
        self._work = work / domain.name
        key = {**asdict(plan), "base": base.sha256, "test": [p.image.name for p in domain.test]}
        for name in ("counts", "randoms", "rankings", "threads"):  # more of the same is the same
            key.pop(name)
        self._key = json.dumps(key, sort_keys=True)
        self.rows: list[dict[str, Any]] = []

    def run(self) -> None:
        """Everything, the seeds one after the other, so that what is there first is balanced."""
        self._row("base", 0, 0, [], lambda _: self._base)
        for seed in range(1, max(self._plan.randoms, self._plan.rankings) + 1):
            if seed <= self._plan.rankings:
                self._ranking(seed)
            if seed <= self._plan.randoms:
                card = self._base
                for count in self._plan.counts:
                    picked = by_lot(self._domain, count, seed)
                    card = self._corrected("random", seed, card, picked)

    def read(self) -> None:
        """What earlier runs measured, without measuring anything."""
        for file in sorted((self._work / "runs").glob("*/result.json")):
            known = json.loads(file.read_text(encoding="utf-8"))
            if known["key"] == self._key:
                self.rows.append(known["row"])

    def _ranking(self, seed: int) -> None:
        card, taken = self._base, []
        for count in self._plan.counts:
            file = self._folder("ranking", seed, count) / "picked.json"
            known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
            if known.get("key") == self._key:
                names = {str(p.image): p for p in self._domain.pool}
                taken, missing = [names[n] for n in known["picked"]], known["missing"]
            else:
                taken, missing = by_ranking(self._domain, card, taken, count, seed)
                document = {
                    "key": self._key,
                    "picked": [str(p.image) for p in taken],
                    "missing": missing,
                }
                file.parent.mkdir(parents=True, exist_ok=True)
                atomic_write(file, json.dumps(document).encode())
            card = self._corrected("ranking", seed, card, taken, not_offered=missing)

    def _corrected(
        self, arm: str, seed: int, card: ModelCard, picked: list[Picture], **told: int
    ) -> ModelCard:
        """A round, from the model of the round before."""

        def make(folder: Path) -> ModelCard:
            return self._tuned(folder, card, picked, seed)

        return self._row(arm, seed, len(picked), picked, make, **told)

    def _tuned(self, folder: Path, card: ModelCard, picked: list[Picture], seed: int) -> ModelCard:
        for kind in ("images", "labels"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
        for number, picture in enumerate(picked):
            stem = f"{number:03d}"  # of several clips, whose names may be the same
            shutil.copyfile(picture.image, folder / "images" / f"{stem}{picture.image.suffix}")
            shutil.copyfile(picture.labels, folder / "labels" / f"{stem}.png")
        recipe = recipe_for(self._plan, card, self._domain, folder, 100 * seed + len(picked))
        return tuned(recipe, card, folder)

    def _folder(self, arm: str, seed: int, count: int) -> Path:
        return self._work / "runs" / f"{arm}-{seed}-{count}"

    def _row(self, arm: str, seed: int, count: int, picked: list, make: Any, **told: int) -> Any:
        """The figures of one model, measured when they are not there; returns the model."""
        folder = self._folder(arm, seed, count)
        file, names = folder / "result.json", [p.image.name for p in picked]
        key = {"key": self._key, "frames": [str(p.image) for p in picked]}
        known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        if {name: known.get(name) for name in key} == key:
            self.rows.append(known["row"])
            return make(folder)
        for stale in ("images", "labels", "run", "model"):
            shutil.rmtree(folder / stale, ignore_errors=True)
        start = time.process_time()
        card = make(folder)
        cpu_s = round(time.process_time() - start, 1)
        row = {"domain": self._domain.name, "arm": arm, "seed": seed, "frames": count}
        row |= {**judged(card, self._domain.test), **told, "train_cpu_s": cpu_s, "picked": names}
        folder.mkdir(parents=True, exist_ok=True)
        atomic_write(file, json.dumps({**key, "row": row}, indent=1).encode())
        self.rows.append(row)
        print(
            f"{self._domain.name} {arm} {seed}: {count} frames, mIoU {row['miou']:.3f},"
            f" {row['mean_strokes']:.1f} strokes a frame, {cpu_s:.0f} s",
            file=sys.stderr,
            flush=True,
        )
        return card


def base_model(work: Path, source: Path) -> ModelCard:
    """work/base; trained first when it is not there."""
    folder = work / "base"
    if not (folder / "card.json").is_file():
        validation = source.parent / "val"
        command = (
            f"-m segstudio train {work / 'base_run'} --net ddrnet_23_slim"
            f" --images {source / 'images'} --labels {source / 'labels'} --hold-out {DRIVE}"
            f" --val {validation / 'images'} {validation / 'labels'} --synthetic 0.25"
            " --synthetic-pool 600 --steps 2600 --batch 8 --crop 288x384 --scale 0.6 1.8"
            " --augment standard --lr 0.025 --warm-up 200 --validate-every 650 --ema 0.998"
            f" --threads 1 --workers 1 --export {folder}"
        )
        subprocess.run([sys.executable, *command.split()], check=True, stdout=sys.stderr)
    return find_model(str(folder))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    usual = Plan()
    parser.add_argument("--base", help="model to begin at; it must not have seen the domains")
    parser.add_argument("--domains", default="night,halts,mixed,camvid", help="comma between")
    parser.add_argument("--counts", default="5,10,20,40", help="frames corrected")
    parser.add_argument("--randoms", type=int, default=usual.randoms)
    parser.add_argument("--rankings", type=int, default=usual.rankings)
    parser.add_argument("--recipe", default=usual.recipe)
    parser.add_argument("--steps", type=int, default=usual.steps)
    parser.add_argument("--threads", type=int, default=usual.threads)
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--json", type=Path, help="all figures")
    parser.add_argument("--plot", type=Path, help="the picture, as SVG")
    parser.add_argument("--known", action="store_true", help="only tell what is measured already")
    parser.add_argument("--quick", action="store_true", help="tiny, by night, means nothing")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    counts = tuple(int(c) for c in options.counts.split(","))
    plan = Plan(counts, options.randoms, options.rankings, options.recipe, options.steps)
    plan = replace(plan, threads=options.threads)
    if options.quick:
        plan = replace(plan, counts=(1, 2), randoms=2, rankings=1, steps=2, batch=2, crop=(64, 64))
        base = random_model(options.work / "base", 96, net="enet")
        domains = [night(options.work / "night", pool=3, test=1, earlier=2)]
    else:
        source = camvid_folder()
        if source is None:
            print("There is no CamVid: set SEGSTUDIO_DATA to a folder with camvid/train in it.")
            return 1
        base = find_model(options.base) if options.base else base_model(options.work, source)
        makers = {
            "camvid": lambda: camvid(source, options.work / "camvid"),
            "night": lambda: night(options.work / "night"),
            "halts": lambda: halts(options.work / "halts"),
            "mixed": lambda: mixed(options.work / "mixed"),
        }
        domains = [makers[name]() for name in options.domains.split(",")]
    rows: list[dict[str, Any]] = []
    for domain in domains:
        experiment = Experiment(plan, base, domain, options.work)
        if options.known:
            experiment.read()
        else:
            experiment.run()
        rows += experiment.rows
    titles = {d.name: f"{d.title} ({len(d.pool)} to choose from, {len(d.test)} test frames)"
              for d in domains}  # fmt: skip
    print(table(rows, titles))
    print(f"\nBase: {base.net}; {plan.recipe}, {plan.steps} steps of {plan.batch} crops a round.")
    if not options.quick:
        print("\n![mIoU and strokes over the frames corrected](pictures/loop_pays.svg)")
    if options.json:
        document = {"base": {"net": base.net, "sha256": base.sha256}, "plan": asdict(plan)}
        text = json.dumps({**document, "titles": titles, "rows": rows}, indent=1)
        atomic_write(options.json, text.encode())
    if options.plot:
        atomic_write(options.plot, drawn(rows, titles).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
