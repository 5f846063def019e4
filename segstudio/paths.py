"""Where things are on this computer. The only file that knows."""

import os
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent


def _shipped(name: str) -> Path:
    """A shipped folder: of the checkout when there is one, else of the installed package."""
    beside = _CHECKOUT / name
    if (_CHECKOUT / "pyproject.toml").is_file() and beside.is_dir():
        return beside
    return _PACKAGE / "_data" / name


def resources() -> Path:
    """Icons, class sets and other read-only files that come with SegStudio."""
    return _shipped("resources")


def bundled_models() -> Path:
    """The folder of the models that come with SegStudio."""
    return _shipped("models")


def _user(kind: str, fallback: str) -> Path:
    home = os.environ.get("SEGSTUDIO_HOME")
    return Path(home) / kind if home else Path(fallback)


def user_models() -> Path:
    """The user's own models: one folder each, like the bundled ones."""
    return _user("data", platformdirs.user_data_dir("segstudio", appauthor=False)) / "models"


def user_data() -> Path:
    """Projects that SegStudio made by itself, and other things worth keeping."""
    return _user("data", platformdirs.user_data_dir("segstudio", appauthor=False))


def user_config() -> Path:
    """Settings, window geometry, recent files."""
    return _user("config", platformdirs.user_config_dir("segstudio", appauthor=False))


def user_cache() -> Path:
    """What can be made again: video indexes, the demo clip."""
    return _user("cache", platformdirs.user_cache_dir("segstudio", appauthor=False))


def log_file() -> Path:
    """The log of the running program."""
    return _user("log", platformdirs.user_log_dir("segstudio", appauthor=False)) / "segstudio.log"
