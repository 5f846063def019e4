"""How much a row does: enough for every push, or for a release."""

import os

LONG = "SEGSTUDIO_LONG"


def size(short: int, long: int) -> int:
    """The scorecard's `--long` chooses."""
    return long if os.environ.get(LONG) else short
