"""`segstudio`: a picture, a folder, a video or nothing opens the window; a command runs in the
terminal. Imports neither side before it knows which one is meant.
"""

import difflib
import importlib
import importlib.util
import keyword
import pkgutil
import sys
from collections.abc import Sequence
from pathlib import Path

from segstudio.engine.openmp import share_cores


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code: 0 done, 1 a bug, 2 wrong use or bad input, 130 interrupted."""
    share_cores()
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] == "window-picture":  # what `demo --headless` starts as a child
        return _window_picture(words[1:])
    if words and (words[0].startswith("-") or _is_command(words[0])):
        from segstudio.cli.main import build_parser
        from segstudio.cli.main import main as run_command

        if words[0] == "demo":
            arguments = build_parser().parse_args(words)
            if not arguments.headless:
                return _open_window([], model=arguments.model, demo=True)
        return run_command(words)
    unknown = next((word for word in words if not _is_path(word)), None)
    if unknown is not None:
        return _refuse(unknown)
    return _open_window(words)


def _is_command(word: str) -> bool:
    """Whether a file of the command line carries that name and adds a command."""
    module = f"segstudio.cli.{word}{'_' if keyword.iskeyword(word) else ''}"
    if not word.isidentifier() or importlib.util.find_spec(module) is None:
        return False
    return hasattr(importlib.import_module(module), "add")


def _is_path(word: str) -> bool:
    """Whether the window should try to open it: it exists, or nobody means it as a command."""
    return Path(word).exists() or any(mark in word for mark in "/\\.*?%")


def _refuse(word: str) -> int:
    import segstudio.cli

    modules = pkgutil.iter_modules(segstudio.cli.__path__)
    names = [m.name.removesuffix("_") for m in modules if _is_command(m.name)]
    near = difflib.get_close_matches(word, names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else "see segstudio --help."
    return _error(f"'{word}' is neither a file nor a command; {hint}")


def _error(text: str) -> int:
    sys.stderr.write(f"segstudio: error: {text}\n")
    return 2


def _open_window(paths: Sequence[str], *, model: str | None = None, demo: bool = False) -> int:
    """The window; a clear sentence instead of Qt's abort where none can open."""
    from segstudio.engine.qtlibs import window_problem

    problem = window_problem()
    if problem:
        return _error(problem)
    from segstudio.ui import app

    return app.run([Path(p) for p in paths], model=model, demo=demo)


def _window_picture(words: Sequence[str]) -> int:
    """`window-picture SOURCE MODEL FRAME FILE`: the real window, drawn offscreen into a PNG."""
    source, model, frame, file = words
    from segstudio.errors import SegStudioError
    from segstudio.ui.snapshot import save_window_picture

    try:
        save_window_picture(Path(source), Path(file), model=model, frame=int(frame))
    except SegStudioError as error:
        return _error(str(error))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
