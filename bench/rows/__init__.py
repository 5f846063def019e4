"""How each row of the scorecard is measured."""

from collections.abc import Callable
from importlib import import_module

Measured = tuple[str, str, str, bool | None, str]
"""claim, value, limit, passed (None: cannot be run here), detail."""


def _later(module: str) -> Callable[[], Measured]:
    return lambda: import_module(f"rows.{module}").measure()


MEASURES = {
    "R1": _later("kills"),
    "R2": _later("powercut"),
    "R3": _later("io_faults"),
    "R4": _later("undo_walk"),
    "R5": _later("exact_frames"),
    "R7": _later("bad_inputs"),
    "R8": _later("hostile"),
    "R9": _later("latency"),
    "R10": _later("stroke_latency"),
    "R12": _later("backpressure"),
    "R13": _later("quits"),
    "R15": _later("two_windows"),
    "R16": _later("exports"),
    "R17": _later("figures"),
    "R18": _later("libraries"),
}
