"""Another class set for the project: labels, histories and what was chosen follow."""

from dataclasses import replace
from typing import TYPE_CHECKING

from segstudio.core.classes import VOID, ClassMap
from segstudio.ui.correcting.editor import Editor

if TYPE_CHECKING:
    from segstudio.core.class_mapping import ClassMapping


def change_classes(editor: Editor, classes: ClassMap, mapping: "ClassMapping | None") -> None:
    """mapping: what becomes of each old id; None when all keep their meaning."""
    if mapping is not None:
        table, chosen = mapping.table, editor.options
        locked = frozenset(table[c] for c in chosen.locked) - {VOID}
        active, only = table[chosen.class_id], table[chosen.only]
        editor.set_options(replace(chosen, locked=locked, class_id=active, only=only))
    editor.projects.reclass(classes, mapping)
