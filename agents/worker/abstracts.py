"""A split step as the cloud may know it: the kind of problem, never the text it is about."""

import re
from collections.abc import Iterable, Mapping, Sequence

from hybridmesh.agents.worker.forms import language_name
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.steps import Redacted, StepContext
from hybridmesh.schemas.surrogates import SURROGATE, kind_of_type

_SHARED_RUN = 5  # words in a row that a summary may not share with its source
_LONGEST_SUMMARY = 600
_LONGEST_WORDING = 1200
_KINDS = {
    "PERSON": "a person's name",
    "EMAIL": "an e-mail address",
    "PHONE": "a telephone number",
    "ADDRESS": "an address",
    "CARD": "a payment card",
    "IBAN": "a bank account",
    "BANK_ACCOUNT": "a bank account",
    "DATE_OF_BIRTH": "a date of birth",
    "NATIONAL_ID": "an identity number",
    "ORGANISATION": "an organisation's name",
    "LOCATION": "a place",
    "SECRET": "a secret",
}


def state_problem(
    context: StepContext, redacted: Redacted | None, kinds: Iterable[str], *, language: str | None, summary: str = ""
) -> str | None:
    """Return the abstract statement, or None when nothing about the step may be said.

    It is made of the instruction (a workflow's own words, else its redacted form) with its marks turned into words,
    the form of the result, and the kinds of private values that the text holds.
    """
    wording = _wording(context, redacted)
    if wording is None:
        return None
    parts = [f"# The kind of step\n{wording}"]
    if context.workflow:
        parts.insert(0, f"# The workflow\n{context.workflow}")
    if summary:
        parts.append(f"# The case in the abstract\n{summary}")
    held = sorted({say_kind(kind) for kind in kinds})
    if held:
        parts.append("# Values that the text is known to hold\n" + ", ".join(held))
    parts.append(f"# The result\n{_result(context.spec, language)}")
    return "\n\n".join(parts)


def say_kind(kind: str) -> str:
    """Return a type of private value in words."""
    return _KINDS.get(kind, "a " + kind.lower().replace("_", " "))


def without_marks(text: str) -> str:
    """Return a redacted text with words for its marks: they are one task's, a framework is for all of its kind."""
    return SURROGATE.sub(lambda mark: say_kind(kind_of_type(mark["type"])), text)


def keep_abstract(summary: str, sources: Sequence[str], private: Mapping[str, str]) -> str:
    """Return a summary if it is one: no digits, no original, no run of words and no name from its sources."""
    flat = " ".join(summary.split())
    said, read = _words(flat), _words("\n".join(sources))
    runs = {tuple(read[place : place + _SHARED_RUN]) for place in range(len(read) - _SHARED_RUN + 1)}
    copied = any(tuple(said[place : place + _SHARED_RUN]) in runs for place in range(len(said) - _SHARED_RUN + 1))
    telling = (
        not flat
        or len(flat) > _LONGEST_SUMMARY
        or any(char.isdigit() or char in "@[]" for char in flat)
        or copied
        or bool(_names(flat) & frozenset(word for source in sources for word in re.findall(r"[^\W\d_]+", source)))
        or any(original.casefold() in flat.casefold() for original in private.values() if original.strip())
    )
    return "" if telling else flat


def _wording(context: StepContext, redacted: Redacted | None) -> str | None:
    if context.workflow is not None:
        return context.spec.instruction.strip()[:_LONGEST_WORDING]
    if redacted is None:
        return None
    return without_marks(redacted.instruction).strip()[:_LONGEST_WORDING]


def _result(spec: StepSpec, language: str | None) -> str:
    if spec.output.kind == "choice":
        return "One of: " + ", ".join(spec.output.options)
    tongue = language_name(language) if language else "English"
    return f"A text of at most {max(20, spec.max_tokens * 2 // 3)} words in {tongue}."


def _names(text: str) -> set[str]:
    """Return words with a capital that do not start a sentence."""
    return set(re.findall(r"(?<=[^.!?\s]\s)[^\W\d_a-zß-öø-ÿ][^\W\d_]+", text))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
