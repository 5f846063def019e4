"""settings.json: only what differs from the defaults.

A broken file costs nobody their start: it is set aside as settings.broken.json, the defaults
apply, and the caller gets a sentence to show.
"""

import json
import logging
import os
import tempfile
from pathlib import Path

from segstudio import paths
from segstudio.core.settings import Settings, changes_of, from_changes

log = logging.getLogger("segstudio.store")


def settings_file() -> Path:
    """Where the settings lie."""
    return paths.user_config() / "settings.json"


def load_settings(file: Path | None = None) -> tuple[Settings, tuple[str, ...]]:
    """The settings, and sentences about what could not be used. Never raises."""
    file = file or settings_file()
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise TypeError("not an object")
    except FileNotFoundError:
        return Settings(), ()
    except OSError as error:
        return Settings(), (f"The settings {file} cannot be read ({error.strerror}).",)
    except (ValueError, TypeError):
        aside = file.with_name("settings.broken.json")
        try:
            file.replace(aside)
        except OSError:
            log.warning("the broken settings file stays where it is")
        return Settings(), (
            f"The settings file was damaged and is kept as {aside.name}; the defaults apply.",
        )
    settings, refused = from_changes(content)
    return settings, refused


def save_settings(settings: Settings, file: Path | None = None) -> None:
    """Write beside, flush to the disk, then replace: whole or not at all. Raises OSError."""
    file = file or settings_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(changes_of(settings), indent=2, ensure_ascii=False) + "\n"
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".settings-", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
