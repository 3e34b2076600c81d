"""Flags in the help: they take no value, and so are shown without a type of one."""

from collections.abc import Callable

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.main import get_command


def program_of(app: typer.Typer) -> Callable[[list[str] | None], object]:
    """Return the program that an application makes."""
    program = get_command(app)
    _show_no_type(program)
    return program


def _show_no_type(command: object) -> None:
    if not isinstance(command, TyperCommand | TyperGroup):
        return
    for option in command.get_params(typer.Context(command)):
        if isinstance(option, TyperOption) and option.is_flag:
            option.metavar = ""
    if isinstance(command, TyperGroup):
        for part in command.commands.values():
            _show_no_type(part)
