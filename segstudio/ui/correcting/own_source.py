"""The open source once more, for a job that reads frames in its own thread."""

from pathlib import Path

from segstudio.errors import MediaError
from segstudio.media.source import FrameSource


class OwnSource:
    """A source of a job's own: reading belongs to one thread at a time.

    MediaError when what lies at the path is not what was opened.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self._path, self._fingerprint = path, fingerprint

    def __enter__(self) -> FrameSource:
        from segstudio.media.open import complete_info, open_source

        self._source = open_source(self._path, cache_bytes=64 << 20)
        if complete_info(self._source).id != self._fingerprint:
            self._source.close()
            raise MediaError(
                f"{self._path} has changed since it was opened; open it again and go on."
            )
        return self._source

    def __exit__(self, *_: object) -> None:
        self._source.close()
