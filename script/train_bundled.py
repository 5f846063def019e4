"""Trains the models that are shipped, with one command, and writes their cards.

    python script/train_bundled.py --data camvid --runs runs

Each model has three stages, each of them a `segstudio train` that is printed as it runs:

heldout  from random weights on CamVid's train without one drive: measured on that drive
train    from there on all of train: measured on val
ship     from there on train and val together: these weights are shipped

The card of a shipped model has the scores of the first two, which say what they were measured on.
A stage whose result lies in the runs folder is skipped and one that was broken off goes on, so the
command may be given again at any time. On a CPU all of it takes hours.
"""

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from segstudio.core.catalogue import InputRule, ModelCard, Score
from segstudio.core.lineage import lasting
from segstudio.core.training import LabelledFolder, TrainRecipe
from segstudio.errors import SegStudioError, UsageError
from segstudio.store.class_sets import load_class_set
from segstudio.store.models import write_card

REPO = Path(__file__).resolve().parent.parent

DRIVE = "0006R0"
"""The drive of CamVid's train that the first stage never sees."""

VAL = "CamVid val, before it was trained on too"

LICENCE = (
    "Weights for research and other non-commercial use: CamVid's labels are CC BY-NC 4.0. Cite"
    " Brostow, Fauqueur, Cipolla 2009 (CamVid)."
)

FLATTERS = "val lies about a second from training frames of the same drives, so it flatters"


@dataclass(frozen=True, slots=True)
class Stage:
    """options: of `segstudio train`, without its data. parts: of CamVid that are trained on.
    hold_out: drives of them that are not.
    """

    name: str
    options: str
    parts: tuple[str, ...] = ("train",)
    hold_out: tuple[str, ...] = ()

    @property
    def is_shipped(self) -> bool:
        """The last one: it sees val, and a figure on val would mean nothing."""
        return "val" in self.parts


@dataclass(frozen=True, slots=True)
class Bundled:
    """A model that is shipped. about: the beginning of its description."""

    title: str
    about: str
    stages: tuple[Stage, ...]


def stages(heldout: str, train: str, ship: str) -> tuple[Stage, ...]:
    """The three, by what they are trained with."""
    return (
        Stage("heldout", heldout, hold_out=(DRIVE,)),
        Stage("train", train),
        Stage("ship", ship, parts=("train", "val")),
    )


MODELS: dict[str, Bundled] = {
    "bisenet_v2_camvid": Bundled(
        "BiSeNet V2 · CamVid",
        "BiSeNet V2 with a segmentation head of 256 channels.",
        stages(
            "--net bisenet_v2 --head-width 256 --synthetic 0.35 --synthetic-pool 600 --steps 2550"
            " --batch 8 --crop 256x320 --scale 0.6 1.8 --lr 0.025 --warm-up 200"
            " --validate-every 850 --ema 0.998",
            "--synthetic 0.15 --synthetic-pool 600 --steps 2200 --batch 8 --crop 288x384"
            " --scale 0.6 1.8 --lr 0.012 --warm-up 100 --validate-every 550 --ema 0.998",
            "--synthetic 0.15 --synthetic-pool 600 --steps 600 --batch 8 --crop 288x384"
            " --scale 0.6 1.8 --augment standard --lr 0.006 --warm-up 50 --validate-every 300"
            " --ema 0.995",
        ),
    ),
    "ddrnet_23_slim_camvid": Bundled(
        "DDRNet-23-slim · CamVid",
        "DDRNet-23-slim, two branches of high and of low resolution.",
        stages(
            "--net ddrnet_23_slim --synthetic 0.25 --synthetic-pool 600 --steps 2600 --batch 8"
            " --crop 288x384 --scale 0.6 1.8 --augment standard --lr 0.025 --warm-up 200"
            " --validate-every 650 --ema 0.998",
            "--synthetic 0.1 --synthetic-pool 600 --steps 500 --batch 8 --crop 288x384"
            " --scale 0.6 1.8 --augment standard --lr 0.01 --warm-up 50 --validate-every 250"
            " --ema 0.995",
            "--synthetic 0.1 --synthetic-pool 600 --steps 200 --batch 8 --crop 288x384"
            " --scale 0.6 1.8 --augment standard --lr 0.004 --warm-up 25 --validate-every 200"
            " --ema 0.99",
        ),
    ),
}

Call = Callable[[Sequence[str]], int]


def main(words: Sequence[str], call: Call | None = None) -> int:
    """call: runs one command of segstudio and returns its exit code; None: in a process."""
    parser = _parser()
    args = parser.parse_args(words)
    if args.finish and not args.only:
        parser.error("--finish is of one model; name it with --only")
    names = [args.only] if args.only else list(MODELS)
    try:
        for name in names:
            if args.finish:
                runs = dict(zip(("heldout", "train", "ship"), args.finish, strict=True))
            else:
                runs = trained(name, args, call or run)
            if len(runs) == len(MODELS[name].stages):
                card = assemble(name, runs, args.data, args.out / name, hardware=args.hardware,
                                device=args.device or "auto")  # fmt: skip
                size = (card.folder / card.weights).stat().st_size / 1e6
                print(f"{card.folder}: {size:.1f} MB, {told(card)}")
    except SegStudioError as error:
        print(f"train_bundled: error: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--data", type=Path, required=True, metavar="DIR",
                   help="CamVid: train/images and train/labels, or trainannot, …")  # fmt: skip
    p.add_argument("--runs", type=Path, default=REPO / "runs" / "bundled", metavar="DIR")
    p.add_argument("--out", type=Path, default=REPO / "models", metavar="DIR",
                   help="where the shipped folders go (default: models)")  # fmt: skip
    p.add_argument("--only", choices=tuple(MODELS), metavar="NAME", help=", ".join(MODELS))
    p.add_argument("--until", choices=("heldout", "train", "ship"), default="ship",
                   help="the last stage to run")  # fmt: skip
    p.add_argument("--threads", type=int, metavar="N", help="CPU threads of the net")
    p.add_argument("--device", help="auto, cpu, cuda, cuda:1, mps")
    p.add_argument("--also", default="", metavar="OPTIONS",
                   help="more options of `segstudio train` for every stage, one text")  # fmt: skip
    p.add_argument("--finish", nargs=3, type=Path, metavar=("HELDOUT", "TRAIN", "SHIP"),
                   help="train nothing: write the folder of --only from these runs")  # fmt: skip
    p.add_argument("--hardware", default="", metavar="TEXT",
                   help="for cards of runs that did not write down where they ran")  # fmt: skip
    return p


def run(command: Sequence[str]) -> int:
    """In a process of its own, which gives all memory back."""
    return subprocess.run([sys.executable, "-m", "segstudio", *command], check=False).returncode


def trained(name: str, args: argparse.Namespace, call: Call) -> dict[str, Path]:
    """Run what is not done yet; the folders of the runs by stage. SegStudioError when one fails."""
    done: dict[str, Path] = {}
    base: Path | None = None
    for stage in MODELS[name].stages:
        folder = args.runs / name / stage.name
        result = args.runs / name / f"{stage.name}-model"
        if (result / "card.json").is_file():
            print(f"{name}, {stage.name}: done, its result is in {result}", flush=True)
        else:
            command = command_of(stage, folder, result, base, args)
            print(f"segstudio {shlex.join(command)}", flush=True)
            code = call(command)
            if code:
                raise SegStudioError(
                    f"The stage {stage.name} of {name} ended with exit code {code}; mend what it"
                    " says and give the same command again."
                )
        done[stage.name], base = folder, result
        if stage.name == args.until:
            break
    return done


def command_of(
    stage: Stage, folder: Path, result: Path, base: Path | None, args: argparse.Namespace
) -> list[str]:
    """The words after `segstudio`."""
    words = ["train", str(folder)]
    if base is not None:
        words += ["-m", str(base)]
    for part in stage.parts:
        found = camvid(args.data, part)
        words += ["--images", found.images, "--labels", found.labels]
    for drive in stage.hold_out:
        words += ["--hold-out", drive]
    judged = camvid(args.data, "val")
    words += ["--val", judged.images, judged.labels, *stage.options.split()]
    if args.threads is not None:
        words += ["--threads", str(args.threads)]
    if args.device:
        words += ["--device", args.device]
    return [*words, *shlex.split(args.also), "--export", str(result)]


def camvid(data: Path, part: str) -> LabelledFolder:
    """A part of CamVid in either of its layouts; UsageError when it is not there."""
    for images, labels in (
        (data / part / "images", data / part / "labels"),
        (data / part, data / f"{part}annot"),
    ):
        if images.is_dir() and labels.is_dir():
            return LabelledFolder(str(images), str(labels))
    raise UsageError(
        f"{data} has no {part}/images and {part}/labels in it; give the folder of CamVid (split of"
        " the SegNet tutorial) with --data."
    )


def assemble(
    name: str,
    runs: dict[str, Path],
    data: Path,
    out: Path,
    *,
    hardware: str = "",
    device: str = "auto",
) -> ModelCard:
    """Write the shipped folder from three finished runs, by the name of their stage.

    The first two are measured by the predictor that people use. hardware: for runs that did not
    write it down. SegStudioError when a run has no weights.
    """
    model = MODELS[name]
    scores: list[Score] = []
    before: ModelCard | None = None
    with tempfile.TemporaryDirectory() as place:
        for stage in model.stages:
            called = name if stage.is_shipped else f"{name}-{stage.name}"
            folder = out if stage.is_shipped else Path(place) / called
            before = exported(
                called, stage, runs[stage.name], data, folder, before, hardware, device
            )
            scores += [_named(stage, score) for score in before.scores]
    assert before is not None
    done = replace(
        before,
        title=model.title,
        scores=tuple(_worth_telling(scores)),
        trained_on=_trained_on(before),
        licence=LICENCE,
        description=(
            f"{model.about} A first draft on streets by day. The scores are those of the weights it"
            " comes from: the shipped ones saw val, and the drive that was held out, as well."
        ),
        command=f"python script/train_bundled.py --data camvid --only {name}",
    )
    write_card(done, out)
    return done


def exported(
    name: str,
    stage: Stage,
    folder: Path,
    data: Path,
    out: Path,
    before: ModelCard | None,
    hardware: str,
    device: str,
) -> ModelCard:
    """The best weights of a run as a model; measured where that means something."""
    from segstudio.train.export import export_model

    try:
        recipe = TrainRecipe.from_json((folder / "recipe.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{folder} is no run: it has no recipe.json; check the path.") from error
    judged = () if stage.is_shipped else (camvid(data, "val"),)
    parts = (replace(camvid(data, part), hold_out=stage.hold_out) for part in stage.parts)
    recipe = replace(recipe, train=tuple(parts), validate=judged, base="", device=device)
    card = ModelCard(
        name=name,
        title=name,
        net=recipe.net,
        classes=load_class_set(recipe.classes),
        input=InputRule(short_side=recipe.short_side),
        folder=out,
        weights="weights.safetensors",
    )
    done = export_model(folder / "best.pt", recipe, card)
    assert done.lineage is not None
    lineage = replace(
        done.lineage,
        base="" if before is None else before.name,
        base_sha256="" if before is None else before.sha256,
        hardware=done.lineage.hardware or hardware,
        seconds=seconds_of(folder, recipe)
        if done.lineage.seconds is None
        else done.lineage.seconds,
        earlier=() if before is None or before.lineage is None else before.lineage.ancestors,
    )
    return replace(done, lineage=lineage)


def seconds_of(folder: Path, recipe: TrainRecipe) -> float | None:
    """About how long a run took that counted no time: by its speed; None without its events."""
    total, last = 0.0, 0
    try:
        rows = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    for row in rows:
        try:
            event = json.loads(row)
        except ValueError:  # torn
            continue
        rate = event.get("samples_per_s")
        if event.get("event") == "step" and rate:
            total += max(0, event["step"] - last) * recipe.batch * recipe.accumulation / rate
            last = event["step"]
    return total or None


def _named(stage: Stage, score: Score) -> Score:
    """What it was measured on, and by which weights."""
    if score.dataset == "held out":
        detail = (
            f"{score.detail}; by the weights of stage heldout, which saw no frame of that drive"
        )
        return replace(score, dataset=f"CamVid drive {DRIVE}, held out", detail=detail)
    detail = (
        f"{score.detail}; by the weights of stage {stage.name}, trained on train only; {FLATTERS}"
    )
    return replace(score, dataset=VAL, detail=detail)


def _worth_telling(scores: Sequence[Score]) -> list[Score]:
    """The last of each name: val of the stage that saw all of train; val first."""
    return sorted({s.dataset: s for s in scores}.values(), key=lambda s: s.dataset != VAL)


def _trained_on(card: ModelCard) -> str:
    data = card.lineage.data if card.lineage is not None else ()
    told_of = "; ".join(f"{part.name}: {part.frames} frames" for part in data)
    return f"CamVid (split of the SegNet tutorial), train and val together. {told_of}."


def told(card: ModelCard) -> str:
    """Its scores and how long it took, on one line."""
    found = [f"mIoU {100 * s.miou:.1f} % on {s.dataset}" for s in card.scores]
    if card.lineage is not None:
        chain = [one.seconds or 0 for one in (card.lineage, *card.lineage.earlier)]
        found.append(f"{lasting(sum(chain))} of training")
    return ", ".join(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
