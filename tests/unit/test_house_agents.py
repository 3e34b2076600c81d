"""House rules: every agent of the table has its folder, and says in words what its row says."""

import ast
from collections.abc import Iterator

import pytest

import hybridmesh.bus
from house import CHECKOUT, Module
from hybridmesh.bus.topology import AGENTS, TOPOLOGY, MessageType, Row
from hybridmesh.schemas.audits import AuditEvent
from hybridmesh.schemas.steps import StepClassified, StepReady

# What a program outside may import from hybridmesh.bus; a change here is a change for every user.
PUBLIC_BUS = ["Mesh", "connect"]
ROWS = [row for row in TOPOLOGY if row.agent in AGENTS]


def docstrings(module: Module) -> str:
    """Return the words at the head of a module and of its classes."""
    classes = [node for node in module.tree.body if isinstance(node, ast.ClassDef)]
    nodes: list[ast.Module | ast.ClassDef] = [module.tree, *classes]
    return "\n".join(ast.get_docstring(node) or "" for node in nodes)


def unsaid(module: Module, row: Row) -> Iterator[str]:
    """Yield what the row names and the docstrings do not: each type by its class name or its wire name."""
    words = docstrings(module)

    def said(kind: MessageType) -> bool:
        return kind.__name__ in words or kind.NAME in words

    yield from (f"consumes {kind.__name__}" for kind in (*row.consumes, *row.timers) if not said(kind))
    published = (kind for kind in row.publishes if kind is not AuditEvent)
    yield from (f"publishes {kind.__name__}" for kind in published if not said(kind))
    yield from (f"answers {ask}" for ask in row.answers if ask.rpartition(".")[2] not in words.lower())


def test_the_public_names_of_the_bus_are_these() -> None:
    """It runs on what you have: a program that uses the client works with the next version too."""
    assert sorted(hybridmesh.bus.__all__) == PUBLIC_BUS
    for name in PUBLIC_BUS:
        assert callable(getattr(hybridmesh.bus, name))
    with pytest.raises(AttributeError):
        _ = hybridmesh.bus.nothing_of_this_name


def test_each_agent_is_one_folder_and_one_row() -> None:
    """Nothing is hidden: the listing of ``agents`` is the list of agents."""
    folders = {path.name for path in (CHECKOUT / "agents").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(AGENTS)


@pytest.mark.parametrize("row", ROWS, ids=[row.agent for row in ROWS])
def test_each_agent_has_the_same_rooms_and_says_what_it_does(row: Row) -> None:
    """Nothing is hidden: whoever opens an agent reads at its head what it takes and what it gives."""
    folder = CHECKOUT / "agents" / row.agent
    assert [name for name in ("__init__.py", "agent.py") if not (folder / name).is_file()] == []
    path = folder / "agent.py"
    module = Module(path.relative_to(CHECKOUT).as_posix(), path.read_text("utf-8"))
    assert list(unsaid(module, row)) == [], f"say it in the docstring of {module.path} or of its class"


def test_the_rule_on_docstrings_can_fail() -> None:
    """Nothing is hidden: the rule sees what it asks for."""
    row = Row("classifier", consumes=(StepReady,), publishes=(StepClassified, AuditEvent))
    silent = Module("agents/classifier/agent.py", '"""The classifier."""\nSTEP = "StepReady step.classified"')
    assert list(unsaid(silent, row)) == ["consumes StepReady", "publishes StepClassified"]
    telling = Module("agents/classifier/agent.py", 'class A:\n    """Consumes StepReady, publishes step.classified."""')
    assert list(unsaid(telling, row)) == []
