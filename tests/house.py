"""What the house rules read: the program's modules as syntax trees, and where they stand."""

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache, cached_property
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
ROOTS = ("agents", "bus", "infra", "schemas")


@dataclass(frozen=True)
class Module:
    """One file: its path below the checkout, its text and its tree."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed text."""
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of the tree, for each rule looks at all of them."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def imports(self) -> tuple[str, ...]:
        """The dotted names that it imports, at any depth, relative and by ``import_module`` too."""
        return tuple(_imports(self.nodes))

    def stands_in(self, *patterns: str) -> bool:
        """Say whether the path matches one of the patterns (``infra/models/*``; a star crosses folders)."""
        return any(fnmatch(self.path, pattern) for pattern in patterns)


Rule = Callable[[Module], Iterator[str]]


@cache
def modules() -> tuple[Module, ...]:
    """Return every module of the program, by path."""
    paths = sorted(path for root in ROOTS for path in (CHECKOUT / root).rglob("*.py"))
    return tuple(Module(path.relative_to(CHECKOUT).as_posix(), path.read_text("utf-8")) for path in paths)


def violations(rule: Rule) -> list[str]:
    """Return what a rule finds in the program: ``path: finding``."""
    return [f"{module.path}: {finding}" for module in modules() for finding in rule(module)]


def _imports(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=source, level=level, names=names):
                stem = ("." * level) + (source or "")
                yield from (f"{stem}.{alias.name}" for alias in names)
            case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]) if called(function) in (
                "import_module",
                "__import__",
            ):
                yield name
            case _:
                pass


def called(function: ast.expr) -> str:
    """Return the last name of what is called: ``print``, ``key_value``."""
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def literals(module: Module) -> Iterator[str]:
    """Yield the strings of a module, parts of f-strings too, but neither docstrings nor bare strings."""
    bare = {id(node.value) for node in module.nodes if isinstance(node, ast.Expr)}
    for node in module.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node.value
