"""What a folder, a zip file or a single file seems to be, over all formats."""

import logging

from segstudio.errors import SegStudioError
from segstudio.formats.files.pairing import RASTERS
from segstudio.formats.files.source import Source
from segstudio.formats.masks.mask_folder import guesses
from segstudio.formats.registry import FORMATS, Guess

log = logging.getLogger("segstudio.formats")

_MASKS = "index_png"
_MOST = 8


def recognise(source: Source) -> list[Guess]:
    """Guesses, the best first, each with its sentence; empty when nothing can be read.

    Formats that know folders or files as theirs come before what masks look like. One mask that was
    chosen is only that mask, whatever folder it lies in.
    """
    found = []
    is_mask = source.only is not None and source.only.suffix.casefold() in RASTERS
    for name in FORMATS:
        if name != _MASKS and not is_mask:
            found += _asked(name, source)
    try:
        found += guesses(source, _MASKS)
    except SegStudioError as error:
        log.info("%s was not looked at as masks: %s", source.title, error)
    return sorted(found, key=lambda g: -g.sure)[:_MOST]


def _asked(name: str, source: Source) -> list[Guess]:
    """What one format says of it; a format that fails says nothing."""
    try:
        guess = FORMATS.get(name).sniff(source)
    except SegStudioError as error:
        log.info("%s cannot tell what %s is: %s", name, source.title, error)
        return []
    # A plug-in may raise anything, and the others are still to be asked.
    except Exception:
        log.exception("the format %s failed to look at %s", name, source.title)
        return []
    return [guess] if guess is not None else []
