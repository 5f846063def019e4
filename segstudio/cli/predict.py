"""`segstudio predict`: pictures, folders and videos through a model, onto disk."""

import argparse
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from segstudio.cli.report import Json, Report, Subparsers, add_report_options, save_json, to_json
from segstudio.cli.strategy import add_strategy_options, strategy_of, told_strategy
from segstudio.core.catalogue import ModelCard
from segstudio.engine.ranks import ALONE, Rank, gathered, met, own_device
from segstudio.errors import UsageError

if TYPE_CHECKING:  # torch comes when the work starts
    from segstudio.engine.run import Done, Labeller, RunFigures
    from segstudio.media.source import FrameSource

STATE = "predict.json"
"""Lies in the output folder and says what its masks were made with."""

_EPILOG = """\
Masks are indexed PNG files of the frame's size: masks/<stem>/NNNNNN.png for a video or folder,
masks/<stem>.png for a picture. The value of a pixel is the class id of the model's class set.
Interrupted, the same command goes on where it stopped.

example:
  segstudio predict drive.mp4 -m bisenet_v2_camvid -o out/ --overlay
  segstudio predict pictures/ -m models/mine -o out/ --every 10 --json out/report.json
"""


def add(subparsers: Subparsers) -> None:
    """The options of `predict`."""
    parser = subparsers.add_parser(
        "predict",
        help="segment pictures, folders and videos",
        description="Segment every frame of pictures, folders and videos.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", metavar="PATH", nargs="+", type=Path)
    parser.add_argument("-m", "--model", metavar="MODEL", help="name or folder of a model")
    parser.add_argument("-o", "--output", required=True, metavar="DIR", type=Path)
    parser.add_argument(
        "--overlay", action="store_true", help="also write overlay/<stem>.mp4 (pictures: .png)"
    )
    parser.add_argument(
        "--probs",
        action="store_true",
        help="also write probs/<stem>/NNNNNN.npy: float16 (classes, h, w) at the net's stride",
    )
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each N-th frame only")
    add_model_options(parser)
    add_report_options(parser)
    parser.set_defaults(run_command=run)


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """How the model is run; shared with `eval` and `demo`."""
    parser.add_argument(
        "--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:1, mps (auto)"
    )
    add_strategy_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Predicts what is not there yet; 0 also when some frames were damaged (they are told)."""
    if arguments.every < 1:
        raise UsageError(f"--every {arguments.every} makes no sense; 1 takes every frame.")
    report = Report(arguments)
    card = choose_model(arguments.model)
    rank = Rank.here()
    job = Job(
        paths=arguments.paths,
        output=arguments.output,
        every=arguments.every,
        overlay=arguments.overlay,
        probs=arguments.probs,
        rank=rank,
    )
    if arguments.overlay and not rank.is_alone:
        raise UsageError(
            "An overlay needs all frames in one process; leave --overlay out here, and run the same"
            " command with it once more in one process: the masks are there then."
        )
    arguments.device = own_device(arguments.device, rank)
    with met(rank):
        found = _merged(gathered(predict(job, card, arguments, report), rank))
    if found is None:  # the first process tells what all did
        return 0
    for sentence in found["missing"]:
        report.warn(sentence)
    report.say(summary(found, job.output))
    report.write(found)
    return 0


def choose_model(name: str | None) -> ModelCard:
    """The model of that name or path; the best bundled one for None."""
    from segstudio.store.models import default_model, find_model

    if name is not None:
        return find_model(name)
    card = default_model()
    if card is None:
        raise UsageError("No model is installed; name the folder of one with -m.")
    return card


@dataclass(frozen=True, slots=True)
class Job:
    """What to predict and where to. overlay_file: for a single video, instead of overlay/…. rank:
    of several processes each takes its turn of the frames."""

    paths: list[Path]
    output: Path
    every: int = 1
    overlay: bool = False
    probs: bool = False
    overlay_file: Path | None = None
    rank: Rank = ALONE
    on_done: "Callable[[Done], None] | None" = None


def predict(job: Job, card: ModelCard, arguments: argparse.Namespace, report: Report) -> Json:
    """Runs the job; returns the report of `predict`."""
    state = settings_of(card, arguments)
    known = _agree(job.output, state)
    labeller = load_labeller(card, arguments)  # before anything is written
    from segstudio.engine.run import RunFigures

    figures = RunFigures()
    sources: dict[str, str] = dict(known)
    for turn, (path, stem) in enumerate(zip(job.paths, _stems(job.paths), strict=True)):
        with ExitStack() as stack:
            source = _open(path, stack)
            if known.get(stem, source.info.id) != source.info.id:
                raise UsageError(
                    f"{job.output} holds masks of another '{stem}' than {path}; choose another"
                    " folder with -o, or remove the old masks."
                )
            sources[stem] = source.info.id
            save_json(job.output / STATE, to_json({**state, "sources": sources}))
            # the first frame of each source goes to another process: they may be single pictures
            rank = replace(job.rank, number=(job.rank.number + turn) % job.rank.of)
            _run_one(replace(job, rank=rank), source, stem, labeller, report, figures)
    found = _report(card, labeller, figures)
    found["strategy"] = strategy_of(arguments).to_json()
    labeller.close()
    return found


def load_labeller(card: ModelCard, arguments: argparse.Namespace) -> "Labeller":
    """The predictor that the options describe."""
    from segstudio.engine.strategies import labeller

    return labeller(card, arguments.device, strategy_of(arguments))


def _run_one(
    job: Job,
    source: "FrameSource",
    stem: str,
    labeller: "Labeller",
    report: Report,
    figures: "RunFigures",
) -> None:
    """One source, with its overlay and probabilities."""
    from segstudio.engine.run import predict_all

    is_single = source.info.kind == "image"
    masks = job.output / "masks"

    def mask_file(index: int) -> Path:
        return masks / f"{stem}.png" if is_single else masks / stem / f"{index:06d}.png"

    with ExitStack() as stack:
        receivers: list[Callable[[Done], None]] = []
        if job.overlay or job.overlay_file is not None:
            from segstudio.cli.overlay import overlay_receiver

            receivers.append(
                overlay_receiver(job.output, stem, source, labeller, job.overlay_file, stack)
            )
        if job.probs:
            receivers.append(lambda done: _save_probs(job.output / "probs", stem, done, is_single))
        if job.on_done is not None:
            receivers.append(job.on_done)
        bar = stack.enter_context(report.progress(stem, None))

        def on_frame(done: "Done") -> None:
            for receive in receivers:
                receive(done)

        def on_progress(through: int, total: int | None) -> None:
            bar.total = total
            bar.show(through)

        predict_all(
            source,
            labeller,
            mask_file,
            figures,
            every=job.every,
            rank=job.rank,
            on_frame=on_frame,
            on_progress=on_progress,
        )


def _save_probs(folder: Path, stem: str, done: "Done", is_single: bool) -> None:  # noqa: FBT001
    """float16 (C, h, w), softmax of the logits at the net's stride; a finished file stays."""
    import io

    import numpy as np

    from segstudio.store.atomic import atomic_write

    if done.prediction is None:
        return
    values = done.prediction.logits.values
    e = np.exp(values - values.max(0))
    buffer = io.BytesIO()
    np.save(buffer, (e / e.sum(0)).astype(np.float16))
    name = f"{stem}.npy" if is_single else f"{stem}/{done.frame.id.index:06d}.npy"
    atomic_write(folder / name, buffer.getvalue())


def _open(path: Path, stack: ExitStack) -> "FrameSource":
    """Decoding ahead, with room for a few frames: each is read once."""
    from segstudio.media.open import open_source
    from segstudio.media.readahead import ReadAhead

    source = ReadAhead(open_source(path), limit_bytes=128_000_000)
    stack.callback(source.close)
    return source


def _stems(paths: list[Path]) -> list[str]:
    stems = [path.stem or path.resolve().name for path in paths]
    twice = next((s for s in stems if stems.count(s) > 1), None)
    if twice is not None:
        raise UsageError(
            f"Two of the paths are called '{twice}', so their masks would mix; predict them into"
            " different folders."
        )
    return stems


def settings_of(card: ModelCard, arguments: argparse.Namespace) -> Json:
    """What must be the same for masks to belong together."""
    return {
        "format": 1,
        "model": card.name,
        "sha256": card.sha256,
        "size": arguments.size,
        "tile": arguments.tile,
        "tta": arguments.tta,
        "strategy": told_strategy(arguments),
    }


def _agree(output: Path, state: Json) -> dict[str, str]:
    """Sources that the folder already knows; UsageError when its masks were made otherwise."""
    file = output / STATE
    if not file.is_file():
        # looked for once more: another process of the same job may have begun just now
        if any((output / "masks").rglob("*.png")) and not file.is_file():
            raise UsageError(
                f"{output / 'masks'} holds masks of unknown origin; choose another folder with -o."
            )
        return {}
    old = read_state(output)
    if old is None:
        raise UsageError(
            f"{file} cannot be read, so what its masks were made with is unknown; choose another"
            " folder with -o."
        )
    sources = old.pop("sources")
    differing = [key for key in state if old.get(key) != state[key]]
    if differing:
        raise UsageError(
            f"{output} holds masks made with another {' and '.join(differing)}"
            f" ({', '.join(str(old.get(key)) for key in differing)}); choose another folder with"
            " -o, or remove the old masks."
        )
    return dict(sources)


def read_state(output: Path) -> Json | None:
    """What the masks in `output` were made with; None when nothing readable says so."""
    try:
        state = json.loads((output / STATE).read_text(encoding="utf-8"))
        state["sources"] = {str(k): str(v) for k, v in state["sources"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return dict(state)


def _report(card: ModelCard, labeller: "Labeller", figures: "RunFigures") -> Json:
    import statistics

    from segstudio.engine.run import percentiles

    return {
        "model": card.name,
        "device": labeller.device,
        "precision": labeller.precision,
        "classes": card.classes.to_json(),
        "frames": figures.predicted + figures.resumed,
        "predicted": figures.predicted,
        "resumed": figures.resumed,
        "seconds": round(figures.seconds, 3),
        "fps": round(figures.fps, 3),
        "latency_ms": percentiles(figures.latencies),
        "stages_ms": {
            name: round(statistics.median(values), 3) if values else None
            for name, values in figures.stages.items()
        },
        "missing": figures.missing,
        "notes": figures.notes,
        "files": [str(file) for file in figures.files],
    }


def _merged(reports: list[Json]) -> Json | None:
    """One report of what several processes did; None from none.

    Counts, speeds, files and sentences are those of all together, medians those of the first.
    """
    if not reports:
        return None
    whole = dict(reports[0])
    for key in ("frames", "predicted", "resumed", "fps"):
        whole[key] = round(sum(each[key] for each in reports), 3)
    whole["seconds"] = max(each["seconds"] for each in reports)
    whole["files"] = sorted(file for each in reports for file in each["files"])
    for key in ("missing", "notes"):
        whole[key] = list(dict.fromkeys(one for each in reports for one in each[key]))
    return whole if len(reports) > 1 else reports[0]


def summary(found: Json, output: Path) -> str:
    """The last line for people."""
    if not found["predicted"]:
        return f"{found['frames']} masks were already in {output}"
    p50 = found["latency_ms"]["p50"]
    kept = f" ({found['resumed']} were there already)" if found["resumed"] else ""
    return (
        f"{found['frames']} masks{kept} in {output}: {found['fps']:.1f} frames/s on"
        f" {found['device']}, {p50:.0f} ms a frame"
    )
