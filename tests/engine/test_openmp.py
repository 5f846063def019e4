"""Threads that wait must not keep the ones they wait for from running."""

from segstudio.engine.openmp import share_cores


def test_waiting_threads_sleep_unless_told_otherwise(monkeypatch):
    import os

    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    share_cores()
    assert os.environ["OMP_WAIT_POLICY"] == "passive"
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    share_cores()
    assert os.environ["OMP_WAIT_POLICY"] == "active"


def test_the_program_says_so_before_torch_is_there(monkeypatch):
    import subprocess
    import sys

    code = (
        "import os, sys; os.environ.pop('OMP_WAIT_POLICY', None); sys.argv = ['segstudio', '--version']\n"
        "from segstudio.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "assert os.environ['OMP_WAIT_POLICY'] == 'passive'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
