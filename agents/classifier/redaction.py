"""The texts of a step as a list and back, and their redaction: cut, read again, until nothing private is found."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from hybridmesh.agents.classifier.spans import resolve, subtract
from hybridmesh.agents.classifier.surrogates import Pseudonymised, before_cuts, holes, pseudonymise
from hybridmesh.schemas.privacy import Span
from hybridmesh.schemas.steps import Redacted, StepContext
from hybridmesh.schemas.surrogates import kind_of
from hybridmesh.schemas.tasks import Document

Find = Callable[[Sequence[str], Mapping[str, str]], Awaitable[list[list[Span]]]]

_ROUNDS = 3  # a cut changes what the token classifier sees around it; in practice the second reading is quiet


@dataclass(frozen=True, slots=True)
class Redaction:
    """The private spans of the texts as written, and the texts without them."""

    spans: tuple[tuple[Span, ...], ...]
    result: Pseudonymised


def texts_of(context: StepContext) -> tuple[str, ...]:
    """Return every text of the step that a prompt may carry: goal, instruction, then names and texts of the inputs."""
    pairs = (text for document in context.inputs for text in (document.name, document.text))
    return (context.goal, context.spec.instruction, *pairs)


def plan_words(context: StepContext) -> frozenset[int]:
    """Return which of the step's texts are whole words of the plan (see ``StepContext``), by their place."""
    texts = texts_of(context)
    first = len(texts) - 2 * len(context.inputs)
    return frozenset(place for place in range(first + 1, len(texts), 2) if texts[place] in context.plan_words)


def redacted_of(texts: Sequence[str]) -> Redacted:
    """Return the step's texts in their places, from the order of :func:`texts_of`."""
    goal, instruction, *rest = texts
    inputs = tuple(Document(name=name[:200], text=text) for name, text in zip(rest[::2], rest[1::2], strict=True))
    return Redacted(goal=goal, instruction=instruction, inputs=inputs)


async def redact(
    search: Find, texts: Sequence[str], key: bytes, known: Mapping[str, str], open_texts: Collection[int] = ()
) -> Redaction:
    """Find and replace what is private; ``known`` are the scope's surrogates and originals so far.

    Nothing is looked for in the texts whose places ``open_texts`` names: they hold nothing private.
    """

    async def find(texts: Sequence[str], known: Mapping[str, str]) -> list[list[Span]]:
        return await search(["" if place in open_texts else text for place, text in enumerate(texts)], known)

    spans = await find(texts, {value: kind_of(surrogate) or "TEXT" for surrogate, value in known.items()})
    result = pseudonymise(texts, spans, key, known)
    for _ in range(_ROUNDS - 1):
        found = await find(result.texts, {})
        more = [
            [
                rest.model_copy(update={"start": before_cuts(rest.start, cuts), "end": before_cuts(rest.end, cuts)})
                for rest in subtract(seen, holes(cuts), text)
            ]
            for seen, cuts, text in zip(found, result.cuts, result.texts, strict=True)
        ]
        if not any(more):
            break
        spans = [resolve([*old, *new]) for old, new in zip(spans, more, strict=True)]
        result = pseudonymise(texts, spans, key, known)
    return Redaction(tuple(map(tuple, spans)), result)
