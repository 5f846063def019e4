"""Importing torch beside a window that people already use.

`import torch` maps about a gigabyte of libraries. The interpreter holds its lock while the
dynamic linker works, and nothing else moves: the window stood still for 270 to 420 ms. So the
libraries are mapped first through ctypes, which lets go of the lock during a foreign call, and
the import then finds them mapped. A thread that imports a compiled module or starts a decoder
meanwhile waits for the dynamic linker with the interpreter's lock in its hand (170 to 200 ms
measured), so opening a file and mapping the libraries take turns, and what drawing a picture
needs is imported before. The garbage collector, whose full passes grow with the number of
objects that torch creates, is off meanwhile and forgets those objects afterwards.
"""

import ctypes
import gc
import importlib
import importlib.util
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger("segstudio.ui")

_WANTED = "segstudio.engine.predictor"
# Imports torch and everything that a prediction needs.

_BEFORE = ("segstudio.media.video", "segstudio.media.readahead", "segstudio.core.compose")
# PyAV, OpenCV and Pillow: wanted at once when a file is opened.

_LIBRARIES = ("torch_global_deps", "c10", "torch_cpu", "c10_cuda", "torch_cuda", "torch_python")
# In the order in which they depend on each other; those that a build lacks are passed over.

TURN_S = 2.0
"""Nobody waits longer for a turn: a file on a dead network drive must not keep torch away."""

_lock = threading.Lock()
_linker = threading.Lock()


@contextmanager
def linker_turn() -> Iterator[None]:
    """Held while compiled code is loaded or mapped. Any thread but the window's."""
    has_turn = _linker.acquire(timeout=TURN_S)
    try:
        yield
    finally:
        if has_turn:
            _linker.release()


def import_engine() -> None:
    """Import torch and the predictor without stopping other threads; later calls are free.

    Any thread but the window's.
    """
    with _lock:
        if _WANTED in sys.modules:
            return
        was_collecting = gc.isenabled()
        gc.disable()
        try:
            with linker_turn():
                for name in _BEFORE:
                    importlib.import_module(name)
                _map_libraries()
            importlib.import_module(_WANTED)
            gc.freeze()
        finally:
            if was_collecting:
                gc.enable()


def _map_libraries() -> None:
    """Let the dynamic linker map torch's libraries while other threads run. Linux only."""
    spec = importlib.util.find_spec("torch")
    if not sys.platform.startswith("linux") or spec is None or spec.origin is None:
        return
    try:
        dlopen = ctypes.CDLL(None).dlopen
    except (OSError, AttributeError):
        return
    dlopen.argtypes, dlopen.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
    lazy = 1
    for name in _LIBRARIES:
        file = Path(spec.origin).parent / "lib" / f"lib{name}.so"
        is_for_all = ctypes.RTLD_GLOBAL if name == "torch_global_deps" else ctypes.RTLD_LOCAL
        if file.is_file() and dlopen(str(file).encode(), lazy | is_for_all) is None:
            log.info("%s was not mapped ahead", file.name)
            return
