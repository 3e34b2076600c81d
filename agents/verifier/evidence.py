"""Where a statement stands: in the task, a private record, the advice, or as a computed value."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from hybridmesh.agents.verifier.claims import Statement, find_statements, reference_key, text_keys, value_keys
from hybridmesh.agents.verifier.names import folded_words, stands_in
from hybridmesh.agents.verifier.private_values import contains, find_private
from hybridmesh.schemas.frameworks import Application
from hybridmesh.schemas.memory import Hit, Kind
from hybridmesh.schemas.steps import StepContext
from hybridmesh.schemas.verdicts import Claim

Origin = Literal["task", "record", "advice", "framework", "formula"]

# What a person put in is evidence; what agents or the cloud wrote earlier is not.
_TRUSTED = frozenset({"input", "feedback"})
_SPEAKING = frozenset({Kind.RECORD, Kind.DOCUMENT, Kind.PREFERENCE})
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

    A record that was found could be another customer's: it counts only when the task names its key, or it shares a
    reference, a contact or a full name with the task. Documents and preferences hold for everyone.
    """
    found: dict[str, Source] = {}
    for hit in hits:
        item = hit.item
        if item.origin not in _TRUSTED or item.kind not in _SPEAKING or item.id in found:
            continue
        values = [str(value) for value in item.data.values() if isinstance(value, str | int | float | Decimal)]
        source = read_source(f"record:{item.id}", "record", "\n".join([item.key or "", item.text, *values]))
        if item.kind in _ABOUT_ALL or _named(item.key, task) or _related(source, task):
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
        names = {statement.words, (*statement.words[:-1], statement.words[-1].removesuffix("s"))}  # a German genitive
        return tuple(source.label for source in sources if any(stands_in(name, source.words) for name in names))
    return tuple(source.label for source in sources if statement.keys & source.keys)


def make_claim(statement: Statement, evidence: tuple[str, ...]) -> Claim:
    """Return a statement as the verdict names it."""
    return Claim(kind=statement.kind, text=statement.text, evidence=evidence)


def _named(key: str | None, task: Sequence[Source]) -> bool:
    return key is not None and any(reference_key(key) in text.keys for text in task)


def _related(source: Source, task: Sequence[Source]) -> bool:
    """Say whether a record is about the task: it shares a reference, a contact or a full name with it."""
    for statement in find_statements(source.text):
        telling = statement.kind == "reference" or (statement.kind == "name" and len(statement.words) > 1)
        if telling and find_evidence(statement, task):
            return True
    return any(contains(text.text, value) for value in find_private(source.text) for text in task)


def _computed(name: str, value: Any) -> Source | None:  # noqa: ANN401 - a framework's value is any JSON value
    label = f"formula:{name}"
    if isinstance(value, bool) or value is None:
        return None
    try:
        keys = value_keys(Decimal(str(value)))
    except InvalidOperation:
        return read_source(label, "formula", str(value))
    return Source(label, "formula", str(value), keys, ())
