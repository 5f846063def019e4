"""XML of other programs: no document types, no entities, nothing fetched.

A document type is where XML can refer to other files and grow a billion times; label files need
none, so a file that has one is refused before anything of it is looked at.
"""

import xml.parsers.expat
from xml.etree.ElementTree import Element, TreeBuilder
from xml.sax.saxutils import escape, quoteattr

from segstudio.errors import FormatError

_DEEPEST = 200


def parsed(content: bytes, where: str) -> Element:
    """The root of a document. where: what messages call the file. FormatError when it is none."""
    parser = xml.parsers.expat.ParserCreate()
    tree = TreeBuilder()
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise FormatError(f"{where} is nested deeper than label files are; export it again.")
        tree.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        tree.end(name)

    def refuse(*_: object) -> None:
        raise FormatError(
            f"{where} has a document type (DOCTYPE), which label files never need; remove that line"
            " if you trust the file."
        )

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = tree.data
    parser.StartDoctypeDeclHandler = refuse
    parser.buffer_text = True
    try:
        parser.Parse(content, True)
        return tree.close()
    except xml.parsers.expat.ExpatError as error:
        raise FormatError(
            f"{where} is no valid XML (line {error.lineno} cannot be read); export it again."
        ) from error
    except (ValueError, LookupError, AssertionError) as error:  # encodings that nobody knows
        raise FormatError(f"{where} is no valid XML; export it again.") from error


def attribute(value: object) -> str:
    """A value in quotes, as an attribute has it; characters that XML forbids become spaces."""
    return quoteattr(_allowed(str(value)))


def text(value: object) -> str:
    """A value as the text of an element; characters that XML forbids become spaces."""
    return escape(_allowed(str(value)))


def _allowed(value: str) -> str:
    return "".join(
        c if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
        else " "
        for c in value
    )  # fmt: skip
