"""How torch's threads wait for each other. Imports no torch; it must be called before torch is.

OpenMP's threads wait by spinning. On a machine where something else wants a core as well (another
program, a video decoder, the window), a spinning thread keeps the one it waits for from running:
with two cores and two other busy processes, BiSeNet V2 took 1030 ms a frame instead of 82.
Sleeping waits cost nothing measurable on a quiet machine.
"""

import os


def share_cores() -> None:
    """Let waiting threads sleep, unless the person has said otherwise."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
