"""The wheel is whole: installed without the checkout it finds its data and segments a picture."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.media.synthetic.drive import DriveSettings, SyntheticDrive

REPO = Path(__file__).resolve().parent.parent

pytestmark = [
    pytest.mark.skipif(not (REPO / "pyproject.toml").is_file(), reason="only in a checkout"),
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=REPO, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The `segstudio` command of an empty environment that holds the wheel and nothing of ours.

    Its dependencies (PyTorch alone is gigabytes) are those of this environment: the folder is
    appended to the path, where the editable installation of the checkout does not take effect.
    """
    venv = tmp_path_factory.mktemp("installed") / "venv"
    with_pip = importlib.util.find_spec("ensurepip") is not None
    pip = [] if with_pip else ["--without-pip"]
    subprocess.run([sys.executable, "-m", "venv", *pip, str(venv)], check=True)
    python = venv / ("Scripts" if os.name == "nt" else "bin") / "python"
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    install = (
        [str(python), "-m", "pip", "install", "--quiet"]
        if with_pip
        else [str(uv), "pip", "install", "--quiet", "--python", str(python)]
    )
    subprocess.run([*install, "--no-deps", "--no-index", str(wheel)], check=True)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([python, "-c", where], check=True, capture_output=True, text=True)
    for number, name in enumerate(("purelib", "platlib")):
        pth = Path(site.stdout.strip()) / f"dependencies{number}.pth"
        pth.write_text(sysconfig.get_path(name) + "\n")
    return python.parent / "segstudio"


def run(command, *words, folder):
    """stdout of the installed command, started away from the checkout."""
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environ |= {"SEGSTUDIO_HOME": str(folder / "home"), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [str(command), *words], cwd=folder, env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_carries_resources_models_and_licence(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert "segstudio/_data/resources/classes/camvid.json" in names
    assert any(n.startswith("segstudio/_data/models/") and n.endswith("card.json") for n in names)
    assert any(n.endswith("licenses/LICENSE") for n in names)
    assert not any(n.startswith(("tests/", "bench/")) for n in names)
    assert wheel.stat().st_size < 20_000_000


def test_doctor_finds_the_installed_data(installed, tmp_path):
    found = json.loads(run(installed, "doctor", "--json", "-", folder=tmp_path))
    assert found["ok"], found["problems"]
    assert "_data" in found["folders"]["resources"]
    assert str(REPO) not in found["folders"]["bundled_models"]
    assert any(model["bundled"] for model in found["models"])


def test_a_picture_is_segmented_headless(installed, tmp_path):
    rgb, _ = SyntheticDrive(DriveSettings(height=180, width=240, seed=2)).frame(0)
    Image.fromarray(rgb).save(tmp_path / "street.png")
    words = ("predict", "street.png", "-o", "out", "--device", "cpu", "--json", "-")
    found = json.loads(run(installed, *words, folder=tmp_path))
    labels = np.asarray(Image.open(tmp_path / "out" / "masks" / "street.png"))
    assert labels.shape == rgb.shape[:2]
    assert set(np.unique(labels)) <= {c["id"] for c in found["classes"]}
    assert found["frames"] == 1
