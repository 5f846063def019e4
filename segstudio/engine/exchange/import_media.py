"""The pictures that imported labels belong to: media of the project, and new ones."""

import contextlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from segstudio.engine.exchange.planning import ImportPlan, NewPictures
from segstudio.engine.project_sources import files_of
from segstudio.errors import FormatError, SegStudioError
from segstudio.formats import names
from segstudio.media.open import complete_info, open_source
from segstudio.media.source import FrameSource
from segstudio.store.importing import NewMedium
from segstudio.store.picture_names import PictureNames
from segstudio.store.project import FrameAbout, FrameKey, MediaRecord, Project

_CACHE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Used:
    """media: that must be added. ids: negative number in the plan → in `media`."""

    media: tuple[NewMedium, ...]
    ids: dict[int, int]


@dataclass(slots=True)
class ImportMedia:
    """One medium open at a time, as the frames of a plan come medium by medium.

    What was unpacked of an archive goes again, unless `settled` was called.
    """

    plan: ImportPlan
    project: Project
    _source: FrameSource | None = None
    _open: int = 0
    _places: dict[str, int] = field(default_factory=dict)
    _new: dict[int, NewMedium] = field(default_factory=dict)
    _unpacked: list[Path] = field(default_factory=list)
    _titles: tuple[str, ...] = ()
    _is_settled: bool = False

    def __enter__(self) -> "ImportMedia":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()
        if not self._is_settled:
            for folder in self._unpacked:
                shutil.rmtree(folder, ignore_errors=True)
                with contextlib.suppress(OSError):  # others lie there too
                    folder.parent.rmdir()

    def about(self, key: FrameKey) -> FrameAbout:
        """What is kept of a frame that has no labels yet. SegStudioError when its picture is not
        there or cannot be read."""
        if self._source is None or self._open != key.media:
            self._close()
            self._source = self._opened(key.media)
            self._open = key.media
            self._places = {name: at for at, name in enumerate(self._source.info.names)}
        at = self._place(key)
        frame = self._source.read(at)
        known = self._source.info.names
        name = known[at] if known else ""
        size = frame.height, frame.width
        return FrameAbout(frame.id.time_us, frame.id.fingerprint, name, *size)

    def _place(self, key: FrameKey) -> int:
        """The number that a frame of the project has in the source as it is now: in a folder,
        pictures may have come and gone since the project saw it."""
        pictures = self.project.pictures(key.media) if key.media >= 0 else None
        if pictures is None or not pictures.may_change:
            return key.index
        name = pictures.names[key.index]
        if name not in self._places:
            raise FormatError(
                f"{name} is not in its folder any more, so it cannot be told whether labels fit it;"
                " put it back, or leave it out."
            )
        return self._places[name]

    def _opened(self, media: int) -> FrameSource:
        if media < 0:
            return self._opened_new(media)
        record = next(r for r in self.project.media() if r.id == media)
        files = files_of(self.project, record)
        if not files:
            raise FormatError(
                f"{record.title} is not at {record.path} any more, so it cannot be told whether"
                " labels fit its frames; open the project in the window and say where it lies."
            )
        source = open_source(files, cache_bytes=_CACHE_BYTES)
        complete_info(source)
        return source

    def _opened_new(self, media: int) -> FrameSource:
        """The pictures as a person would open them: the folder where they are all that is in it."""
        pictures = self.plan.new[-1 - media]
        folder = pictures.folder
        if folder is None:
            folder = self._unpack(pictures)
        wanted = tuple(file.name for file in pictures.files)
        source = open_source(folder)
        if source.info.names != wanted:
            source.close()
            source = open_source([folder / name for name in wanted])
        info = source.info
        record = MediaRecord(
            0, info.id, info.title, info.kind, info.path.absolute(), info.width, info.height,
            info.frames,
        )  # fmt: skip
        is_folder = info.kind == "sequence"
        listed = PictureNames(info.names, info.may_change) if is_folder else None
        self._new[media] = NewMedium(record, listed)
        return source

    def _unpack(self, pictures: NewPictures) -> Path:
        """Beside the project, in a folder that nobody has yet."""
        project = self.project.path
        top = project.with_name(f"{project.stem} pictures")
        folder, number = top / pictures.title, 1
        while folder.exists():
            number += 1
            folder = top / f"{pictures.title}_{number}"
        self._unpacked.append(folder)
        try:
            folder.mkdir(parents=True)
            for file in pictures.files:
                name = names.clean(file.name)
                if name != file.name:
                    raise FormatError(
                        f"{file} cannot be unpacked under that name; rename it and pack it again."
                    )
                with (folder / name).open("xb") as out:
                    out.write(self.plan.source.read(file))
        except OSError as error:
            raise SegStudioError(
                f"The pictures cannot be unpacked to {folder} ({error.strerror}); make room there,"
                " or unpack them yourself and import the folder."
            ) from error
        return folder

    def used(self, wanted: set[int]) -> Used:
        """Of these media, those that are new; some may be left over when frames were bad."""
        found = [media for media in self._new if media in wanted]
        ids = {media: -1 - place for place, media in enumerate(found)}
        self._titles = tuple(self._new[media].record.title for media in found)
        return Used(tuple(self._new[media] for media in found), ids)

    def titles(self) -> tuple[str, ...]:
        """Of the new media."""
        return self._titles or tuple(new.record.title for new in self._new.values())

    def settled(self) -> None:
        """The project has them now."""
        self._is_settled = True

    def _close(self) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None
