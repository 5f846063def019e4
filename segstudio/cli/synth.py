"""`segstudio synth`: the synthetic drive, frames with their exact labels."""

import argparse
from contextlib import ExitStack
from pathlib import Path

from segstudio.cli.report import Report, Subparsers, add_report_options
from segstudio.core.classes import CAMVID
from segstudio.errors import UsageError

_EPILOG = """\
Writes images/NNNNNN.png and labels/NNNNNN.png (CamVid's 11 classes); with --video also
drive.mp4. The same seed and size give the same pixels.

example:
  segstudio synth -o drive/ --frames 100 --size 360x480 --seed 3
"""


def add(subparsers: Subparsers) -> None:
    """The options of `synth`."""
    parser = subparsers.add_parser(
        "synth",
        help="render the synthetic drive with its labels",
        description="Render frames of the synthetic drive together with their exact labels.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-o", "--output", required=True, metavar="DIR", type=Path)
    parser.add_argument("--frames", type=int, default=30, metavar="N", help="how many (30)")
    parser.add_argument("--start", type=int, default=0, metavar="N", help="first frame (0)")
    parser.add_argument("--size", default="360x480", metavar="HxW", help="frame size (360x480)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which drive (1)")
    parser.add_argument("--video", action="store_true", help="write drive.mp4 as well")
    add_report_options(parser)
    parser.set_defaults(run_command=run)


def run(arguments: argparse.Namespace) -> int:
    """Renders frame after frame; a second call writes the same files again."""
    from segstudio.media.synthetic.drive import DriveSettings, SyntheticDrive
    from segstudio.media.writer import VideoWriter
    from segstudio.store.masks import write_mask, write_picture

    height, width = parse_size(arguments.size)
    if arguments.frames < 1:
        raise UsageError(f"--frames {arguments.frames} renders nothing; ask for 1 or more.")
    output: Path = arguments.output
    images, labels = output / "images", output / "labels"
    for folder in (images, labels):
        folder.mkdir(parents=True, exist_ok=True)
    drive = SyntheticDrive(DriveSettings(height=height, width=width, seed=arguments.seed))
    report = Report(arguments)
    with ExitStack() as stack:
        bar = stack.enter_context(report.progress("frames", arguments.frames))
        writer = None
        if arguments.video:
            writer = stack.enter_context(VideoWriter(output / "drive.mp4", drive.settings.fps))
        for done in range(arguments.frames):
            index = arguments.start + done
            rgb, truth = drive.frame(index)
            write_picture(images / f"{index:06d}.png", rgb)
            write_mask(labels / f"{index:06d}.png", truth, CAMVID.palette())
            if writer is not None:
                writer.write(rgb)
            bar.show(done + 1)
    report.say(f"{arguments.frames} frames and their labels are in {output}")
    report.write({"frames": arguments.frames, "classes": CAMVID.to_json(), "output": str(output)})
    return 0


def parse_size(text: str) -> tuple[int, int]:
    """(h, w) of "360x480"; UsageError for anything else."""
    height, _, width = text.lower().partition("x")
    if not (height.isdigit() and width.isdigit() and int(height) and int(width)):
        raise UsageError(f"'{text}' is not a size; write height x width in pixels, like 360x480.")
    return int(height), int(width)
