"""The log file, one logger per room, and the hooks that catch what nobody caught."""

import faulthandler
import logging
import logging.handlers
import sys
import threading
from collections.abc import Callable
from types import TracebackType

from segstudio import paths

log = logging.getLogger("segstudio")


def start(*, verbose: bool = False) -> None:
    """Write warnings and up (everything when verbose) to the log file; never fails."""
    root = logging.getLogger("segstudio")
    if root.handlers:
        return
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    file = paths.log_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = logging.handlers.RotatingFileHandler(
            file, maxBytes=2_000_000, backupCount=2, encoding="utf-8", delay=True
        )
    except OSError:  # a read-only home must not keep the program from starting
        handler = logging.NullHandler()
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)-7s %(threadName)s %(name)s: %(message)s")
    )
    root.addHandler(handler)
    root.propagate = False
    if not faulthandler.is_enabled() and sys.stderr is not None:
        faulthandler.enable()


def catch_all(tell: Callable[[BaseException], None]) -> None:
    """Send uncaught exceptions of every thread to the log and to `tell` (any thread)."""

    def main_hook(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        log.critical("uncaught", exc_info=(kind, error, trace))
        tell(error)

    def thread_hook(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            log.critical(
                "uncaught in %s",
                args.thread.name if args.thread else "a thread",
                exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
            )
            tell(args.exc_value)

    sys.excepthook = main_hook
    threading.excepthook = thread_hook
