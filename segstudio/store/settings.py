"""settings.json: only what differs from the defaults.

A broken file costs nobody their start: it is set aside as settings.broken.json, the defaults
apply, and the caller gets a sentence to show.
"""

import json
import logging
from pathlib import Path

from segstudio import paths
from segstudio.core.settings import Settings, changes_of, from_changes
from segstudio.store.atomic import atomic_write

log = logging.getLogger("segstudio.store")


def settings_file() -> Path:
    """Where the settings lie."""
    return paths.user_config() / "settings.json"


def load_settings(file: Path | None = None) -> tuple[Settings, tuple[str, ...]]:
    """The settings, and sentences about what could not be used. Never raises."""
    file = file or settings_file()
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings(), ()
    except OSError as error:
        return Settings(), (
            f"The settings {file} cannot be read ({error.strerror}); the defaults apply until the"
            " file can be read again.",
        )
    except (ValueError, RecursionError):
        content = None
    if isinstance(content, dict):
        return from_changes(content)
    aside = file.with_name("settings.broken.json")
    try:
        file.replace(aside)
    except OSError:
        log.warning("the broken settings file stays where it is")
    return Settings(), (
        f"The settings file was damaged and is kept as {aside.name}; the defaults apply.",
    )


def save_settings(settings: Settings, file: Path | None = None) -> None:
    """Write the file, whole or not at all. SegStudioError when it cannot be."""
    file = file or settings_file()
    text = json.dumps(changes_of(settings), indent=2, ensure_ascii=False) + "\n"
    atomic_write(file, text.encode("utf-8"))
