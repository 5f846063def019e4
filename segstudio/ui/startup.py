"""Importing torch beside a window that people already use.

`import torch` maps about a gigabyte of libraries. The interpreter holds its lock while the
dynamic linker works, and nothing else moves: the window stood still for 270 to 420 ms. So the
libraries are mapped first through ctypes, which lets go of the lock during a foreign call, and
the import then finds them mapped. The garbage collector, whose full passes grow with the number
of objects that torch creates, is off meanwhile and forgets those objects afterwards.
"""

import ctypes
import gc
import importlib
import importlib.util
import logging
import sys
import threading
from pathlib import Path

log = logging.getLogger("segstudio.ui")

_WANTED = "segstudio.engine.predictor"
# Imports torch and everything that a prediction needs.

_LIBRARIES = ("torch_global_deps", "c10", "torch_cpu", "c10_cuda", "torch_cuda", "torch_python")
# In the order in which they depend on each other; those that a build lacks are passed over.

_lock = threading.Lock()


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
