"""R18: hide one system library after the other; the doctor must name exactly that one.

The hiding is real: in a mount namespace of its own, an overlay with a whiteout makes the file
vanish for the linker. That takes root and Linux; elsewhere the row is not run.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HIDDEN = {
    "offscreen": ("libgthread-2.0.so.0", "libGL.so.1", "libEGL.so.1", "libxkbcommon.so.0",
                  "libfontconfig.so.1", "libdbus-1.so.3"),
    "xcb": ("libxkbcommon-x11.so.0", "libxcb-cursor.so.0", "libxcb-icccm.so.4",
            "libxcb-keysyms.so.1", "libxcb-shape.so.0"),
}  # fmt: skip

ASK = """
import json, sys
from segstudio.engine import qtlibs
name = sys.argv[1]
missing = qtlibs.missing_libraries(name)
print(json.dumps([missing, qtlibs.packages_for(missing), qtlibs.window_problem()]))
"""


def where(library: str) -> Path | None:
    """The file that the linker takes for this name."""
    listed = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=False)
    machine = {"x86_64": "x86-64", "aarch64": "AArch64"}.get(os.uname().machine, "")
    for row in listed.stdout.splitlines():
        if row.strip().startswith(library + " ") and machine in row:
            return Path(row.split("=>")[1].strip())
    return None


def without(library: str, command: list[str]) -> subprocess.CompletedProcess[str] | None:
    """Runs the command where that library is not there; None when that cannot be done here."""
    file = where(library)
    if file is None:
        return None
    folder = file.resolve().parent
    with tempfile.TemporaryDirectory() as scratch:
        script = f"""
        set -e
        mount -t tmpfs none {scratch}
        mkdir {scratch}/upper {scratch}/work
        for f in {folder}/{library}*; do mknod {scratch}/upper/$(basename $f) c 0 0; done
        cd {scratch}
        mount -t overlay overlay -o lowerdir={folder},upperdir=upper,workdir=work {folder}
        exec "$@"
        """
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, "sh", *command],
            capture_output=True,
            text=True,
            check=False,
        )


def measure() -> tuple[str, str, str, bool | None, str]:
    """Counts the libraries that were named exactly, and the packages for them."""
    claim, limit = "missing library is named", "each one exactly, with its package"
    if sys.platform != "linux" or os.geteuid() != 0:
        return claim, "needs root on Linux", limit, None, ""
    right, tried, notes = 0, 0, []
    for name, libraries in HIDDEN.items():
        environ = "QT_QPA_PLATFORM=offscreen" if name == "offscreen" else "QT_QPA_PLATFORM=xcb"
        for library in libraries:
            ran = without(library, ["env", environ, sys.executable, "-c", ASK, name])
            if ran is None:
                notes.append(f"{library} is not on this machine")
                continue
            if ran.returncode:
                return claim, "cannot hide libraries here", limit, None, ran.stderr.strip()[-200:]
            missing, packages, told = json.loads(ran.stdout)
            tried += 1
            if missing == [library] and len(packages) == 1 and library in told:
                right += 1
            else:
                notes.append(f"{library} hidden: named {missing}, {packages}")
    passed = tried > 0 and right == tried
    return claim, f"{right} of {tried} hidden libraries", limit, passed, "; ".join(notes[:6])
