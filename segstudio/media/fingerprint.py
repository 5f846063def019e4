"""Which file is it? The same answer for a copy, a renamed or a moved file."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from segstudio.errors import MediaError

_EDGE = 1 << 20
"""Bytes of the beginning and of the end that are looked at: 1 MiB each."""


def of_file(path: Path) -> str:
    """32 hex digits from the size, the first and the last MiB; MediaError when unreadable."""
    digest = hashlib.sha256()
    try:
        size = path.stat().st_size
        digest.update(size.to_bytes(8, "little"))
        with path.open("rb") as file:
            digest.update(file.read(_EDGE))
            file.seek(max(_EDGE, size - _EDGE))
            digest.update(file.read(_EDGE))
    except OSError as error:
        raise MediaError(
            f"{path.name} cannot be read ({error.strerror}); check its name and permissions."
        ) from error
    return digest.hexdigest()[:32]


def of_files(paths: Sequence[Path]) -> str:
    """32 hex digits from every name and size, and the content of the first and last file.

    Reading thousands of pictures whole only to open a folder would take minutes.
    """
    digest = hashlib.sha256()
    for path in paths:
        try:
            size = path.stat().st_size
        except OSError:  # gone since the folder was listed; reading it will say so
            size = -1
        digest.update(f"{path.name}\0{size}\0".encode("utf-8", "surrogateescape"))
    for path in dict.fromkeys((paths[0], paths[-1])) if paths else ():
        digest.update(of_file(path).encode())
    return digest.hexdigest()[:32]
