"""What an import would do, looked at before anything is written."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from segstudio.core.class_mapping import (
    ClassMapping,
    MappingLoss,
    from_ids,
    listed,
    loss,
    plain,
    remap,
)
from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.engine.exchange.matching import fitting_order, match
from segstudio.errors import FormatError, SegStudioError, UsageError
from segstudio.formats import names
from segstudio.formats.files.source import Source, open_files
from segstudio.formats.options import Values, complete
from segstudio.formats.recognise import recognise
from segstudio.formats.registry import FORMATS, Format, FrameRef, Guess, Reader
from segstudio.media.images import natural_order
from segstudio.store.class_sets import find_mapping
from segstudio.store.project import FrameKey, Project


@dataclass(frozen=True, slots=True)
class Matched:
    """A frame that will get labels. key: media below 0 are of `ImportPlan.new`, -1 the first."""

    ref: FrameRef
    key: FrameKey


@dataclass(frozen=True, slots=True)
class NewPictures:
    """Pictures that come with the files and become a medium. title: of their folder.

    folder: where they lie, None in an archive, from which they are unpacked beside the project.
    files: in the source, by index.
    """

    title: str
    folder: Path | None
    files: tuple[PurePosixPath, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """One frame as it would come in. labels: uint8 (H, W) in the project's classes, None when it
    cannot be read: why says it. key: None for one that fits no frame."""

    name: str
    key: FrameKey | None
    labels: NDArray[np.uint8] | None
    picture: PurePosixPath | None
    why: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ImportPlan:
    """Files that were opened, and where their frames go. Close it.

    guess: as what they were opened. guesses: what else they could be. old: the project's classes
    (of the files, where there is no project yet). classes: the same and those that are added.
    mapping: from the reader's. left_out: names of frames that fit none, with the reason.
    fits_order: title of the medium with as many frames as there are labels, where names fit none.
    unwanted: ids of the files' classes that a person made void.
    """

    source: Source
    reader: Reader
    guess: Guess
    guesses: tuple[Guess, ...]
    old: ClassMap
    classes: ClassMap
    mapping: ClassMapping
    matched: tuple[Matched, ...]
    new: tuple[NewPictures, ...]
    left_out: tuple[tuple[str, str], ...]
    fits_order: str = ""
    unwanted: frozenset[int] = frozenset()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know before: of the files, and of classes that get lost."""
        sentences = []
        gone = [
            self.reader.classes.name_of(i) for i in self._lost.dropped if i not in self.unwanted
        ]
        if gone:
            has = "has no counterpart and becomes" if len(gone) == 1 else "become"
            sentences.append(f"{listed(gone)} {has} void.")
        return (*self.file_notes, *sentences, *self.merged)

    @property
    def file_notes(self) -> tuple[str, ...]:
        """Those of the files alone."""
        told = (*self.source.notes, *self.reader.notes)
        return tuple(dict.fromkeys(told))  # some readers say those of their source too

    @property
    def merged(self) -> tuple[str, ...]:
        """A sentence for each class of the project that several of the files become."""
        name_of = self.reader.classes.name_of
        return tuple(
            f"{listed([name_of(i) for i in old])} become {self.classes.name_of(new)}."
            for new, old in self._lost.merged.items()
        )

    @property
    def _lost(self) -> MappingLoss:
        return loss(self.mapping, self.reader.classes, self.classes)

    @property
    def added(self) -> tuple[ClassDef, ...]:
        """Classes that the project does not have yet."""
        return self.classes.classes[len(self.old.classes) :]

    @property
    def dropped(self) -> tuple[str, ...]:
        """Names of the files' classes that become void."""
        return tuple(self.reader.classes.name_of(i) for i in self._lost.dropped)

    def mapped(self, pairs: Mapping[str, str | None], *, is_adding: bool = True) -> "ImportPlan":
        """With these classes of the files as those of the project; None: void.

        A name that the project does not have is added with the colour of the files' class, or
        refused unless is_adding. UsageError for one that the files do not have.
        """
        classes = self.classes
        unwanted = set(self.unwanted)
        table = list(self.mapping.table)
        for name, wanted in pairs.items():
            known = _class_of(self.reader.classes, name)
            if known is None:
                have = listed([c.name for c in self.reader.classes.classes])
                raise UsageError(f"There is no class '{name}' in the files; they have {have}.")
            target = None
            if wanted is not None:
                target = _class_of(classes, wanted)
                if target is None and not is_adding:
                    raise UsageError(_unknown(classes, wanted))
                if target is None:
                    classes, target = _with(classes, replace(known, name=wanted, key=None))
            table[known.id] = VOID if target is None else target.id
            unwanted = unwanted | {known.id} if target is None else unwanted - {known.id}
        mapping = from_ids(
            self.reader.classes.name,
            classes.name,
            {c.id: table[c.id] for c in self.reader.classes.classes},
        )
        wanted_void = frozenset(unwanted)
        return replace(self, classes=classes, mapping=mapping, unwanted=wanted_void)

    def with_all_classes(self) -> "ImportPlan":
        """With every class of the files that the project does not know added to it."""
        return self.mapped(
            {
                c.name: c.name
                for i in self._lost.dropped
                if i not in self.unwanted
                for c in self.reader.classes.classes
                if c.id == i
            }
        )

    def preview(self, count: int = 4) -> list[Preview]:
        """Some frames from the beginning to the end, those that are matched first."""
        if self.matched:
            picked = self.matched[:: max(1, len(self.matched) // count)][:count]
            return [self._preview(each.ref, each.key) for each in picked]
        frames = self.reader.frames
        return [self._preview(ref, None) for ref in frames[:: max(1, len(frames) // count)][:count]]

    def _preview(self, ref: FrameRef, key: FrameKey | None) -> Preview:
        try:
            return Preview(ref.name, key, self.read(ref), ref.picture)
        except SegStudioError as error:
            return Preview(ref.name, key, None, ref.picture, str(error))

    def read(self, ref: FrameRef) -> NDArray[np.uint8]:
        """uint8 (H, W), ids of `classes`. FormatError when the files are damaged."""
        return remap(np.ascontiguousarray(self.reader.read(ref).labels), self.mapping)

    def close(self) -> None:
        """Let go of the files."""
        self.source.close()


def plan_import(
    path: Path,
    project: Project | None = None,
    *,
    format_name: str | None = None,
    options: Values | None = None,
    matching: str = "name",
    media: int | None = None,
) -> ImportPlan:
    """Open files of another program and see where their frames belong; nothing is written.

    format_name: None recognises them. options: over those of the guess. project: None for one that
    is made of the files. matching, media: see matching.match. SegStudioError when they cannot be
    read.
    """
    source = open_files(path)
    try:
        guess, guesses = _guessed(source, format_name)
        kind = FORMATS.get(guess.format)
        settled = complete(kind.reads_with, {**guess.options, **(options or {})})
        guess = replace(guess, options=settled)
        classes = None if project is None else project.classes
        reader = _opened(kind, source, settled, classes)
        old = classes or reader.classes
        plan = ImportPlan(
            source, reader, guess, guesses, old, old, find_mapping(reader.classes, old), (), (), ()
        )
        return _matched(plan, project, matching, media)
    except BaseException:
        source.close()
        raise


def _guessed(source: Source, format_name: str | None) -> tuple[Guess, tuple[Guess, ...]]:
    if format_name is not None:
        guess = FORMATS.get(format_name).sniff(source)
        return guess or Guess(format_name, 1.0, "it was named", {}), ()
    guesses = tuple(recognise(source))
    if not guesses and source.only is not None:
        raise FormatError(
            f"{source.title} holds no labels that are known; choose a mask, a list of labels (JSON,"
            " XML) or the folder that they lie in."
        )
    if not guesses:
        raise FormatError(
            f"Nobody can tell what {source.title} is: no format recognises its files; name the"
            " format, or check the folder."
        )
    return guesses[0], guesses


def _opened(kind: Format, source: Source, options: Values, classes: ClassMap | None) -> Reader:
    reader = kind.open(source, options, classes)
    if not len(reader.frames):
        raise FormatError(
            f"There is no labelled frame in {source.title} as {kind.title}; check the folder, or"
            " name another format."
        )
    return reader


def _matched(
    plan: ImportPlan, project: Project | None, matching: str, media: int | None
) -> ImportPlan:
    refs = plan.reader.frames
    found: dict[int, FrameKey] = {}
    why_not: dict[int, str] = {}
    nowhere: dict[int, str] = {}
    if project is not None and project.media():
        matches = match(project, plan.source, refs, matching, media)
        found, why_not, nowhere = matches.keys, matches.why_not, matches.nowhere
    new, keys = _new_pictures(plan.source, refs, {*found, *why_not})
    found |= keys
    nameless = "no frame of the project has that name, and no picture comes with it."
    reasons = {**nowhere, **why_not}
    left_out = tuple(
        (ref.name, reasons.get(i, nameless)) for i, ref in enumerate(refs) if i not in found
    )
    fitting = None
    if project is not None and matching == "name" and not found:
        fitting = fitting_order(project, refs, media)
    order = sorted(found, key=lambda i: (found[i].media < 0, abs(found[i].media), found[i].index))
    matched = tuple(Matched(refs[i], found[i]) for i in order)
    fits_order = "" if fitting is None else fitting.title
    return replace(plan, matched=matched, new=new, left_out=left_out, fits_order=fits_order)


def _new_pictures(
    source: Source, refs: Sequence[FrameRef], done: Set[int]
) -> tuple[tuple[NewPictures, ...], dict[int, FrameKey]]:
    """Folder by folder, what comes with the files and belongs to no frame yet."""
    groups: dict[PurePosixPath, dict[PurePosixPath, int]] = {}
    for i, ref in enumerate(refs):
        if i not in done and ref.picture is not None and source.has(ref.picture):
            groups.setdefault(ref.picture.parent, {}).setdefault(ref.picture, i)
    found: list[NewPictures] = []
    keys: dict[int, FrameKey] = {}
    for number, (parent, pictures) in enumerate(groups.items(), start=1):
        # As a folder of pictures is opened, so that indices are those of its frames.
        files = tuple(sorted(pictures, key=lambda file: natural_order(Path(file))))
        place = source.place(files[0])
        title = names.clean(parent.name, PurePosixPath(source.title).stem or "pictures")
        found.append(NewPictures(title, None if place is None else place.parent, files))
        keys |= {pictures[file]: FrameKey(-number, index) for index, file in enumerate(files)}
    return tuple(found), keys


def _class_of(classes: ClassMap, name: str) -> ClassDef | None:
    """By its very name, else by one that differs in blanks and capitals only."""
    exact = next((c for c in classes.classes if c.name == name), None)
    if exact is not None:
        return exact
    alike = [c for c in classes.classes if plain(c.name) == plain(name)]
    return alike[0] if len(alike) == 1 else None


def _unknown(classes: ClassMap, wanted: str) -> str:
    names = [c.name for c in classes.classes]
    folded = {name.casefold(): name for name in names}
    near = [folded[n] for n in get_close_matches(wanted.casefold(), folded, 3)]
    have = f"the nearest is {listed(near)}" if len(near) == 1 else f"it has {listed(near or names)}"
    return (
        f"There is no class '{wanted}' in the project; {have}. Name one of its classes, or add it"
        " with --add-classes."
    )


def _with(classes: ClassMap, wanted: ClassDef) -> tuple[ClassMap, ClassDef]:
    """The set with one more class, under the lowest id that is free behind all others."""
    taken = {c.id for c in classes.classes}
    free = list(range(max(taken) + 1, VOID)) or [i for i in range(VOID) if i not in taken]
    if not free:
        raise UsageError(
            f"The class set '{classes.name}' has 255 classes already, so '{wanted.name}' cannot be"
            " added; map it to one of them."
        )
    made = replace(wanted, id=free[0])
    return ClassMap(classes.name, (*classes.classes, made)), made
