"""Rules of the house that linters cannot see."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

REPO = Path(__file__).resolve().parent.parent
TEXT = (".py", ".md", ".toml", ".txt", ".json", ".svg", ".sh", "")
OURS = ("segstudio", "script", "bench", "docs", "tests", "resources", "models", ".ci")

pytestmark = pytest.mark.skipif(
    not (REPO / "constraints.txt").is_file(), reason="only in a checkout"
)


def texts():
    """(path, content) of every text file of the project."""
    top = [p for p in REPO.iterdir() if p.is_file() and p.suffix in TEXT and p.name[0] != "."]
    inside = [p for name in OURS for p in (REPO / name).rglob("*") if p.is_file()]
    for path in top + inside:
        if path.suffix in TEXT and "__pycache__" not in path.parts:
            try:
                yield path, path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


def pins():
    """name -> [(marker or None, version)] of constraints.txt."""
    found = {}
    for row in (REPO / "constraints.txt").read_text().splitlines():
        if row.strip() and not row.startswith("#"):
            requirement = Requirement(row)
            (specifier,) = requirement.specifier
            assert specifier.operator == "==", f"{row} is not pinned"
            found.setdefault(requirement.name.lower().replace("_", "-"), []).append(
                (requirement.marker, Version(specifier.version))
            )
    return found


def test_the_window_module_leaves_torch_and_opencv_alone():
    code = (
        "import sys\nimport segstudio.ui.app\n"
        "print([m for m in ('torch', 'torchvision', 'cv2', 'numba') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_constraints_carry_versions_and_nothing_else():
    content = (REPO / "constraints.txt").read_text()
    assert not re.search(r"://|@|--|\bfile:", content)
    assert {"torch", "torchvision", "pyside6-essentials", "uv", "pytest", "onnx"} <= set(pins())


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_declared_ranges_admit_the_pins(python, system):
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    here = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": system,
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "extra": "",
    }
    known = pins()
    for row in [*project["dependencies"], *(r for extra in extras for r in extra)]:
        wanted = Requirement(row)
        if wanted.marker is not None and not wanted.marker.evaluate(here):
            continue
        versions = [
            version
            for marker, version in known[wanted.name.lower().replace("_", "-")]
            if marker is None or marker.evaluate(here)
        ]
        assert len(versions) == 1, f"{wanted.name} has {len(versions)} pins on {python}, {system}"
        assert versions[0] in wanted.specifier, f"{row} does not admit {versions[0]}"


def test_no_file_names_a_place_of_one_machine_or_a_registry():
    place = re.compile(r"(?<![\w.])/(?:home|root|work|Users)/\w|[A-Z]:\\\\?Users")
    host = re.compile(r"files\.pythonhosted|pypi\.(?:org|python)|download\.pytorch\.org")
    found = [
        f"{path.relative_to(REPO)}: {hit.group()}"
        for path, content in texts()
        for hit in [*place.finditer(content), *host.finditer(content)]
        if path.name != "test_house.py"
    ]
    assert not found


def test_no_file_of_the_package_outgrows_400_lines():
    long = {
        str(path.relative_to(REPO)): content.count("\n")
        for path, content in texts()
        if path.suffix == ".py"
        and path.is_relative_to(REPO / "segstudio")
        and content.count("\n") > 400
    }
    assert not long


def test_pickles_are_never_trusted():
    """A `.pth` file is a program until proved otherwise: weights_only=True, everywhere."""
    banned = re.compile(
        r"weights_only\s*=\s*False|\bpickle\.load|torch\.hub|torch\.jit\.load|\bdill\b|joblib"
    )
    found = [
        f"{path.relative_to(REPO)}: {hit.group()}"
        for path, content in texts()
        for hit in banned.finditer(content)
        if path.suffix == ".py" and path.is_relative_to(REPO / "segstudio")
    ]
    loads = [
        str(path.relative_to(REPO))
        for path, content in texts()
        if path.suffix == ".py" and path.is_relative_to(REPO / "segstudio")
        for call in re.finditer(r"torch\.load\((?P<inside>[^)]*)\)", content)
        if "weights_only=True" not in call["inside"]
    ]
    assert not found
    assert not loads


def test_only_the_headless_opencv_is_installed():
    """The other one brings a second Qt and, on fresh machines, needs libraries of its own."""
    from importlib.metadata import distributions

    names = {str(d.metadata["Name"]).lower() for d in distributions()}
    assert {n for n in names if n.startswith("opencv-")} == {"opencv-python-headless"}
