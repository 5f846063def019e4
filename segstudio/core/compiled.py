"""Compiled loops, kept on disk where some folder lets itself be written."""

import functools
import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger("segstudio.core")


@functools.cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function as machine code that lets go of the interpreter's lock; made once.

    Numba is imported here: half a second that only who needs it waits for.
    """
    import numba

    try:
        kept: Callable[..., Any] = numba.njit(cache=True, nogil=True)(function)
    except Exception:  # whatever a read-only or damaged cache folder leads to
        log.warning("compiled code cannot be kept on disk", exc_info=True)
        kept = numba.njit(nogil=True)(function)
    return kept
