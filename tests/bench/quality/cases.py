"""The quality benchmark's cases: read from ``cases/<task>.<language>.toml`` and checked; see README.md."""

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from hybridmesh.schemas.frameworks import Framework, Name, Slot, YesNo

FOLDER = Path(__file__).parent / "cases"
LANGUAGES = ("en", "de", "fr", "es")


def _several(gold: object) -> object:
    """Take one value as a list of one, and the empty one as none: the text does not hold it."""
    return ((gold,) if gold else ()) if isinstance(gold, str) else gold


Text = Annotated[
    str, Field(min_length=20), BeforeValidator(lambda text: text.strip() if isinstance(text, str) else text)
]
# The ways in which the right value may be written; none where the text does not hold it.
Gold = Annotated[tuple[str, ...], BeforeValidator(_several)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExtractionCase(_Row):
    """A text and the fields to be copied from it."""

    id: str
    source: str
    text: Text
    gold: dict[Name, Gold] = Field(min_length=3)


class ClassificationCase(_Row):
    """A message and its one right option, of the shipped triage or of the file's own step."""

    id: str
    set: Literal["triage", "own"]
    text: Text
    gold: str


class RecordCase(_Row):
    """A record, an instruction, a result that it supports and a near miss, which is wrong in one way."""

    id: str
    text: Text
    instruction: str
    supported: str
    missed: str
    miss: Literal["number", "date", "role", "negation"]


class PlanningCase(_Row):
    """A goal, the step that each of its sentences belongs to, and what kind of work each step is."""

    id: str
    goal: Text
    steps: tuple[int, ...]
    kinds: tuple[str, ...]


class SlotCase(_Row):
    """A slot and its right values."""

    name: Name
    question: str
    type: Literal["text", "number", "date", "money"] = "text"
    gold: Gold


class CheckCase(_Row):
    """A yes/no question and its answer."""

    name: Name
    question: str
    gold: bool


class FrameworkCase(_Row):
    """A private text with a framework's questions; ``private`` are the names that a redacted copy has marks for."""

    id: str
    private: tuple[str, ...]
    text: Text
    slots: tuple[SlotCase, ...]
    checks: tuple[CheckCase, ...]

    def framework(self) -> Framework:
        """Return the framework that asks these questions."""
        return Framework(
            title=self.id,
            slots=tuple(Slot(name=slot.name, type=slot.type, question=slot.question) for slot in self.slots),
            checks=tuple(YesNo(name=check.name, question=check.question) for check in self.checks),
            template="filled",
        )


class _Extractions(_Row):
    instruction: str
    case: tuple[ExtractionCase, ...]


class _Classifications(_Row):
    instruction: str
    options: tuple[str, ...]
    case: tuple[ClassificationCase, ...]


class _Records(_Row):
    record: tuple[RecordCase, ...]


class _Plannings(_Row):
    case: tuple[PlanningCase, ...]


class _Frameworks(_Row):
    case: tuple[FrameworkCase, ...]


@dataclass(frozen=True, slots=True)
class Cases:
    """All cases of one language."""

    language: str
    extraction: _Extractions
    classification: _Classifications
    verification: _Records
    planning: _Plannings
    slots: _Frameworks

    def counts(self) -> dict[str, int]:
        """Return how many cases there are of each task; a record makes two."""
        return {
            "extraction": len(self.extraction.case),
            "classification": len(self.classification.case),
            "verification": 2 * len(self.verification.record),
            "planning": len(self.planning.case),
            "slots": len(self.slots.case),
        }

    def ids(self) -> Iterator[str]:
        """Yield the id of every case, and of every record once."""
        yield from (case.id for case in self.extraction.case)
        yield from (case.id for case in self.classification.case)
        yield from (record.id for record in self.verification.record)
        yield from (case.id for case in self.planning.case)
        yield from (case.id for case in self.slots.case)


def read_cases() -> list[Cases]:
    """Return the cases of every language; raises ValidationError where a file has not its form."""
    return [
        Cases(
            language=language,
            extraction=_Extractions.model_validate(_read("extraction", language)),
            classification=_Classifications.model_validate(_read("classification", language)),
            verification=_Records.model_validate(_read("verification", language)),
            planning=_Plannings.model_validate(_read("planning", language)),
            slots=_Frameworks.model_validate(_read("slots", language)),
        )
        for language in LANGUAGES
    ]


def fingerprint() -> str:
    """Return a hash over all case files: figures of different cases do not compare."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(FOLDER.glob("*.toml")))).hexdigest()


def _read(task: str, language: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{task}.{language}.toml").read_text("utf-8"))
