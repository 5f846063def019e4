"""Files that may hold the labels of many frames in one."""

from collections import Counter
from pathlib import PurePosixPath

from segstudio.formats.files.source import Source

MOST_IN_A_FOLDER = 64
"""Where more files of a kind lie together, there is one for each frame, and no list."""


def possible_lists(source: Source, suffix: str) -> list[PurePosixPath]:
    """The file that was chosen, if one was; else files with the suffix that lie among few.

    So that to look into each of them is quick, also in a folder of a hundred thousand frames.
    """
    if source.only is not None:
        return [source.only] if source.only.suffix.lower() == suffix else []
    found = [path for path in source.files if path.suffix.lower() == suffix]
    together = Counter(path.parent for path in found)
    return [path for path in found if together[path.parent] <= MOST_IN_A_FOLDER]
