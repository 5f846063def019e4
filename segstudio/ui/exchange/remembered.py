"""What was chosen for the last export of a project, kept in the project."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from segstudio.errors import SegStudioError, UsageError
from segstudio.formats.options import Value, complete
from segstudio.ui.exchange.exporter import FormatFacts

if TYPE_CHECKING:
    from segstudio.store.project import Project

SETTING = "export"


@dataclass(frozen=True, slots=True)
class Choices:
    """format: name. options: format → its values. split: as `SplitRow.chosen`. folder: that new
    exports go into. "" and None: nothing was chosen."""

    format: str = ""
    options: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    scope: str = ""
    split: tuple[str, str] = ("", "")
    pictures: str = ""
    zipped: bool = False
    proof: bool = True
    folder: str = ""

    @staticmethod
    def of_json(content: object, formats: Sequence[FormatFacts]) -> "Choices":
        """Of whatever stands in a file; what these formats do not have any more is left out."""
        if not isinstance(content, dict):
            return Choices()
        texts = {k: _text(content.get(k)) for k in ("format", "scope", "pictures", "folder")}
        split = content.get("split")
        given = content.get("options")
        given = given if isinstance(given, dict) else {}
        return Choices(
            **texts,
            options={f.name: _values(f, given[f.name]) for f in formats if f.name in given},
            split=(_text(split[0]), _text(split[1]))
            if isinstance(split, list) and len(split) == 2
            else ("", ""),
            zipped=content.get("zipped") is True,
            proof=content.get("proof") is not False,
        )


def remembered(project: "Project", formats: Sequence[FormatFacts]) -> Choices:
    """Of the last export; nothing chosen where there was none."""
    try:
        return Choices.of_json(project.setting(SETTING), formats)
    except (SegStudioError, ValueError):  # it is closed, or damaged: nothing worth a word
        return Choices()


def remember(project: "Project", choices: Choices) -> None:
    """For the next time; not where nothing can be kept."""
    if project.is_read_only:
        return
    try:
        project.put_setting(SETTING, asdict(choices))
    except SegStudioError:  # it was closed meanwhile
        return


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _values(facts: FormatFacts, given: object) -> dict[str, Any]:
    """Those of the format's options that can still be."""
    found: dict[str, Any] = {}
    for option in facts.options:
        value = given.get(option.name) if isinstance(given, dict) else None
        if isinstance(value, bool | int | float | str):
            try:
                found |= complete((option,), {option.name: value})
            except UsageError:
                continue
    return found
