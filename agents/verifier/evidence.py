"""Where a statement stands: in the task, a private record, the advice, or as a computed value."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from hybridmesh.agents.verifier.claims import Statement, text_keys, value_keys
from hybridmesh.agents.verifier.names import folded_words, stands_in
from hybridmesh.schemas.frameworks import Application
from hybridmesh.schemas.memory import Hit, Kind
from hybridmesh.schemas.steps import StepContext
from hybridmesh.schemas.verdicts import Claim

Origin = Literal["task", "record", "advice", "framework", "formula"]

# What a person put in is evidence; what agents or the cloud wrote earlier is not.
_TRUSTED = frozenset({"input", "feedback"})
_ABOUT_ALL = frozenset({Kind.DOCUMENT, Kind.PREFERENCE})


@dataclass(frozen=True, slots=True)
class Source:
    """A text that statements are held against; ``label`` is what a claim names as its evidence."""

    label: str
    origin: Origin
    text: str
    keys: frozenset[str]
    words: tuple[str, ...]


def read_source(label: str, origin: Origin, text: str) -> Source:
    """Index a text."""
    return Source(label, origin, text, text_keys(text), folded_words(text))


def task_sources(context: StepContext) -> list[Source]:
    """Return the texts of the task itself: its inputs, its goal, the step's instruction."""
    inputs = [read_source(f"input:{document.name}", "task", document.text) for document in context.inputs]
    goal = read_source("goal", "task", context.goal)
    return [*inputs, goal, read_source("instruction", "task", context.spec.instruction)]


def record_sources(hits: Iterable[Hit], task: Sequence[Source]) -> list[Source]:
    """Return the memory's items that may speak for this task.

    A record found by likeness alone could be another customer's: it counts only when it shares a reference, a date
    or an amount with the task, or names somebody who is named there. Documents and preferences hold for everyone.
    """
    found: dict[str, Source] = {}
    for hit in hits:
        item = hit.item
        if item.origin not in _TRUSTED or item.kind in (Kind.LESSON, Kind.EPISODE) or item.id in found:
            continue
        values = [str(value) for value in item.data.values() if isinstance(value, str | int | float | Decimal)]
        source = read_source(f"record:{item.id}", "record", "\n".join([item.key or "", item.text, *values]))
        if hit.via == "key" or item.kind in _ABOUT_ALL or _related(source, task):
            found[item.id] = source
    return list(found.values())


def application_sources(application: Application | None) -> list[Source]:
    """Return the values that a framework's formulas computed; confirmed slots stand in the task anyway."""
    if application is None:
        return []
    computed = {name: value for name, value in application.values.items() if name not in application.confirmed}
    return [source for name, value in computed.items() if (source := _computed(name, value)) is not None]


def find_evidence(statement: Statement, sources: Iterable[Source]) -> tuple[str, ...]:
    """Return the labels of the sources that support a statement."""
    if statement.kind == "name":
        return tuple(source.label for source in sources if stands_in(statement.words, source.words))
    return tuple(source.label for source in sources if statement.keys & source.keys)


def make_claim(statement: Statement, evidence: tuple[str, ...]) -> Claim:
    """Return a statement as the verdict names it."""
    return Claim(kind=statement.kind, text=statement.text, evidence=evidence)


def _related(source: Source, task: Sequence[Source]) -> bool:
    telling = {key for key in source.keys if _is_telling(key)}
    return any(telling & text.keys for text in task)


def _is_telling(key: str) -> bool:
    """Say whether sharing a key means sharing a subject: a reference does, a plain small number does not."""
    return key.startswith("r:") and len(key) >= len("r:1234")


def _computed(name: str, value: Any) -> Source | None:  # noqa: ANN401 - a framework's value is any JSON value
    label = f"formula:{name}"
    if isinstance(value, bool) or value is None:
        return None
    try:
        keys = value_keys(Decimal(str(value)))
    except InvalidOperation:
        return read_source(label, "formula", str(value))
    return Source(label, "formula", str(value), keys, ())
