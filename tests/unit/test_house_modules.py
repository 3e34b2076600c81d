"""House rules: the size, name, opening words and manners of a module."""

import ast
import re
from collections.abc import Iterator
from statistics import median

import pytest

from house import Module, Rule, called, modules, violations

CEILING = 400
MEDIAN = 80
VAGUE = re.compile(r"^(utils?|helpers?|common|misc|manager|.*_(utils?|helpers?|manager)|base_.*)$")


def too_long(module: Module) -> Iterator[str]:
    """Yield a module over the ceiling."""
    if (lines := len(module.text.splitlines())) > CEILING:
        yield f"{lines} lines, over {CEILING}"


def undocumented(module: Module) -> Iterator[str]:
    """Yield a module that does not open with what it is for."""
    if not ast.get_docstring(module.tree):
        yield "no docstring"


def vaguely_named(module: Module) -> Iterator[str]:
    """Yield a module or folder whose name says nothing."""
    for part in module.path.removesuffix(".py").split("/"):
        if VAGUE.match(part):
            yield f"{part!r} says nothing"


def reads_environment(module: Module) -> Iterator[str]:
    """Yield what reads the environment outside the settings."""
    if module.stands_in("infra/settings.py"):
        return
    for node in module.nodes:
        match node:
            case ast.Attribute(attr="environ" | "environb" | "getenv" | "getenvb" as name):
                yield f"os.{name} belongs in infra/settings.py"
            case ast.ImportFrom(module="os", names=names):
                yield from (
                    f"os.{alias.name} belongs in infra/settings.py"
                    for alias in names
                    if alias.name.startswith(("environ", "getenv"))
                )
            case _:
                pass


def prints(module: Module) -> Iterator[str]:
    """Yield a print outside infra: what is printed is in no log's hands."""
    if module.stands_in("infra/*"):
        return
    for node in module.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and called(node.func) == "print":
            yield f"line {node.lineno}: print"


@pytest.mark.parametrize("rule", [too_long, undocumented, vaguely_named, reads_environment, prints])
def test_the_program_keeps_the_rule(rule: Rule) -> None:
    """Nothing is hidden: what the design says of every module is true of every module."""
    assert violations(rule) == []


def test_modules_are_small() -> None:
    """Nothing is hidden: most of the program can be read a screen at a time."""
    sizes = [len(module.text.splitlines()) for module in modules() if not module.path.endswith("__init__.py")]
    assert len(sizes) > 50
    assert median(sizes) <= MEDIAN


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (too_long, "bus/a.py", "x = 1\n" * (CEILING + 1)),
        (undocumented, "bus/a.py", "x = 1"),
        (undocumented, "bus/a.py", "x = 1\n'late'"),
        (vaguely_named, "bus/utils.py", ""),
        (vaguely_named, "bus/text_helpers.py", ""),
        (vaguely_named, "agents/common/x.py", ""),
        (vaguely_named, "bus/base_store.py", ""),
        (vaguely_named, "bus/state_manager.py", ""),
        (reads_environment, "bus/a.py", "import os\nos.environ['A']"),
        (reads_environment, "infra/up.py", "import os\nos.getenv('A')"),
        (reads_environment, "infra/up.py", "from os import environ"),
        (prints, "agents/a.py", "print(1)"),
    ],
)
def test_the_rules_can_fail(rule: Rule, path: str, text: str) -> None:
    """Nothing is hidden: each rule sees what it forbids."""
    assert len(list(rule(Module(path, text)))) == 1
