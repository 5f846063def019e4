"""What every test stands on: a home of its own, no display, no stray threads."""

import os
import threading
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYQTGRAPH_QT_LIB", "PySide6")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the program does: share_cores

import pytest

REPO = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings, caches and models of the person who runs the tests stay untouched."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("SEGSTUDIO_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def no_thread_survives():
    """Fail when a test leaves a thread of ours running."""
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("segstudio-") and thread.is_alive():
            thread.join(5)
            assert not thread.is_alive(), f"{thread.name} outlived its test"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The real clips and labels; tests that need them skip where they are absent."""
    named = os.environ.get("SEGSTUDIO_DATA")
    folder = Path(named) if named else REPO.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real data: set SEGSTUDIO_DATA to the folder that holds it")
    return folder


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Slow tests run when asked for (`-m slow`) or on real data, GPU tests where there is one."""
    if "slow" not in config.option.markexpr:
        for item in items:
            if item.get_closest_marker("slow") and not item.get_closest_marker("realdata"):
                item.add_marker(pytest.mark.skip(reason="slow: ask with -m slow"))
    wanted = [item for item in items if item.get_closest_marker("gpu")]
    if not wanted:
        return
    import torch

    if not torch.cuda.is_available():
        for item in wanted:
            item.add_marker(pytest.mark.skip(reason="no CUDA device"))
