"""The terminal side of SegStudio: finds the commands, runs one, turns errors into exit codes."""

import argparse
import importlib
import logging
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import segstudio.cli
from segstudio import __version__
from segstudio.errors import Cancelled, SegStudioError

log = logging.getLogger("segstudio.cli")

_EPILOG = """\
Without a command, SegStudio opens its window:
  segstudio                     an empty window
  segstudio drive.mp4           a video
  segstudio pictures/           a folder of pictures

Each command explains itself with an example: segstudio predict --help
Exit codes: 0 done, 1 a bug, 2 wrong use or bad input, 130 interrupted.
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; the usage is one `--help` away."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"segstudio: error: {message} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """One subparser per file of this package that has an `add`."""
    parser = _Parser(
        prog="segstudio",
        description="Segment driving video: a window, and the same work from the terminal.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"segstudio {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in pkgutil.iter_modules(segstudio.cli.__path__, "segstudio.cli."):
        command = importlib.import_module(module.name)
        if hasattr(command, "add"):
            command.add(subparsers)
    return parser


def main(argv: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    from segstudio import log as log_file

    arguments = build_parser().parse_args(argv)
    log_file.start()
    try:
        return int(arguments.run_command(arguments) or 0)
    except SegStudioError as error:
        print(f"segstudio: error: {error}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, Cancelled):
        print("segstudio: interrupted; what was finished stays", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.filename is None:
            log.exception("uncaught")
            traceback.print_exc()
            return 1
        print(f"segstudio: error: {error.filename}: {error.strerror}.", file=sys.stderr)
        return 2
    except Exception:
        log.exception("uncaught")
        traceback.print_exc()
        return 1
