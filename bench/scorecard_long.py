"""The promises about people's work at the length a release needs; half an hour.

    python bench/scorecard_long.py [--json FILE]

The rows of `scorecard.py` that have a long form: R1, R2, R3, R4, R7, R10, R15, R16.
"""

import subprocess
import sys
from pathlib import Path

ROWS = "R1,R2,R3,R4,R7,R10,R15,R16"

if __name__ == "__main__":
    command = [str(Path(__file__).with_name("scorecard.py")), "--long", "--only", ROWS]
    raise SystemExit(subprocess.call([sys.executable, *command, *sys.argv[1:]]))
