"""The tools in the Label menu, one command each, made from the tools' own words."""

from functools import partial

from segstudio.ui.commands.registry import COMMANDS, Command, Desk, command
from segstudio.ui.tools.registry import TOOLS, in_tool_box_order


def _choose(desk: Desk, name: str) -> None:
    desk.session.tools.choose(name)


def _is_chosen(desk: Desk, name: str) -> bool:
    return desk.session.editor.options.tool == name


for _order, _name in enumerate(in_tool_box_order()):
    _tool = TOOLS.get(_name)
    COMMANDS.add(f"tool.{_name}")(
        Command(
            f"tool.{_name}",
            _tool.title,
            partial(_choose, name=_name),
            menu="Label/Tool",
            section=8,
            keys=(_tool.key,),
            checked=partial(_is_chosen, name=_name),
            order=_order,
        )
    )


@command("tool.smaller", title="Smaller Brush", menu="Label/Tool", section=8, keys=("[",))
def smaller(desk: Desk) -> None:
    """Shift and the wheel do the same."""
    desk.session.tools.resize(-1)


@command("tool.larger", title="Larger Brush", menu="Label/Tool", section=8, keys=("]",))
def larger(desk: Desk) -> None:
    """Shift and the wheel do the same."""
    desk.session.tools.resize(1)


def _choose_class(desk: Desk, digit: int) -> None:
    """The class on that key; nothing happens when there is none."""
    editor = desk.session.editor
    class_id = editor.classes.keys().get(digit)
    if class_id is not None:
        editor.choose_class(class_id)


for _digit in range(1, 10):
    COMMANDS.add(f"label.class_{_digit}")(
        Command(
            f"label.class_{_digit}",
            f"Paint Class {_digit}",
            partial(_choose_class, digit=_digit),
            menu="Label/Class",
            section=8,
            keys=(str(_digit),),
            order=1000 + _digit,
        )
    )
