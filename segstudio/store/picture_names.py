"""Which pictures a medium is made of: what tells a folder that changed from another folder."""

import json
from dataclasses import dataclass

SETTING = "pictures."
"""Of the medium whose id follows."""


@dataclass(frozen=True, slots=True)
class PictureNames:
    """names: by frame. may_change: a folder or a pattern; a list of files is what it is."""

    names: tuple[str, ...]
    may_change: bool

    def is_continued_by(self, other: "PictureNames") -> bool:
        """Whether both can be the same pictures at two times, when they lie in the same place.

        A folder with pictures more or less is still that folder; a list with others is another.
        """
        if self.may_change or other.may_change:
            return self.may_change and other.may_change
        return sorted(self.names) == sorted(other.names)

    def to_json(self) -> str:
        """What the project keeps."""
        return json.dumps({"names": self.names, "may_change": self.may_change})

    @staticmethod
    def from_json(text: str | None) -> "PictureNames | None":
        """None for what was never kept, and for nonsense."""
        try:
            content = json.loads(text or "")
            return PictureNames(tuple(map(str, content["names"])), bool(content["may_change"]))
        except (ValueError, KeyError, TypeError):
            return None
