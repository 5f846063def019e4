"""What the frames of a project are called outside of it, and which frame a name from outside means.

A frame of a video is <clip>_<index, six digits>; a picture keeps the stem of its file while no
other picture of the project has it, else its clip stands before it. Names do not depend on what is
exported, so that files which were written once find their frames again.
"""

import re
from collections import Counter
from pathlib import PurePosixPath

from segstudio.formats import names
from segstudio.store.project import FrameKey, MediaRecord, Project


def frame_name(clip: str, index: int) -> str:
    """Of a frame without a name of its own: in a video."""
    return f"{clip}_{index:06d}"


def clip_title(record: MediaRecord) -> str:
    """What a medium is called, not yet unique: single pictures of a folder are one clip."""
    if record.kind == "image":
        return names.clean(record.path.parent.name, "pictures")
    is_file = record.kind == "video"
    return names.clean(PurePosixPath(record.title).stem if is_file else record.title, "clip")


class FrameNames:
    """The names of all frames of a project as it is when this is made."""

    def __init__(self, project: Project) -> None:
        self._clips: dict[int, str] = {}
        self._videos: dict[str, MediaRecord] = {}
        self._of: dict[tuple[int, str], str] = {}  # medium and picture → name
        self._keys: dict[str, FrameKey] = {}
        unique = names.Unique()
        folders: dict[str, str] = {}
        pictures: list[tuple[MediaRecord, int, str]] = []
        self._pictures = {r.id: _pictures(project, r) for r in project.media()}
        for record in project.media():
            folder = str(record.path.parent if record.kind == "image" else record.path)
            if record.kind == "video":
                clip = unique.name(clip_title(record))
            elif folder in folders:
                clip = folders[folder]
            else:
                clip = folders[folder] = unique.name(clip_title(record))
            self._clips[record.id] = clip
            if record.kind == "video":
                self._videos[clip.casefold()] = record
            pictures += [(record, i, name) for i, name in enumerate(self._pictures[record.id])]
        self._name(pictures)

    def _name(self, pictures: list[tuple[MediaRecord, int, str]]) -> None:
        stems = Counter(names.clean(PurePosixPath(p).stem).casefold() for _, _, p in pictures)
        unique = names.Unique()
        for record, index, picture in pictures:
            name = names.clean(PurePosixPath(picture).stem)
            if stems[name.casefold()] > 1 or self._video_frame(name) is not None:
                name = f"{self._clips[record.id]}_{name}"
            name = unique.name(name)
            self._of[record.id, picture] = name
            self._keys[name.casefold()] = FrameKey(record.id, index)

    def clip(self, media: int) -> str:
        """Clean and unique, but for pictures of one folder, which share it: single ones, and lists
        of which each has some of them."""
        return self._clips[media]

    def pictures(self, media: int) -> tuple[str, ...]:
        """File names by frame; none for a video."""
        return self._pictures[media]

    def of(self, key: FrameKey, picture: str) -> str:
        """picture: file name as the project knows it; "" in a video."""
        known = self._of.get((key.media, picture))
        return known if known is not None else frame_name(self._clips[key.media], key.index)

    def find(self, name: str) -> FrameKey | None:
        """The frame of that very name, capitals aside."""
        return self._keys.get(name.casefold()) or self._video_frame(name)

    def _video_frame(self, name: str) -> FrameKey | None:
        found = re.fullmatch(r"(.+)_(\d{6,9})", name, re.ASCII)
        record = self._videos.get(found[1].casefold()) if found else None
        if record is None or found is None:
            return None
        index = int(found[2])
        is_it = index < record.frames and found[2] == f"{index:06d}"
        return FrameKey(record.id, index) if is_it else None


def _pictures(project: Project, record: MediaRecord) -> tuple[str, ...]:
    """File names by frame; none for a video."""
    if record.kind == "image":
        return (record.path.name,)
    known = project.pictures(record.id)
    return () if known is None else known.names
