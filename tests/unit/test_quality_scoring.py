"""Nothing is hidden: the figures of the quality benchmark mean what its README says."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.quality.answers import Answers
from bench.quality.asking import TASKS, Asker
from bench.quality.cases import read_cases
from bench.quality.scoring import Outcome, judge_value, tally, wilson
from empty_memory import EmptyMemory
from hybridmesh.agents.worker.confirmation import ValueType
from hybridmesh.schemas.inference import Completion, CompletionRequest, GuideKind

TEXT = "The rent is £1,450 a month, due on the first day; Ms Oakes pays by 12 May."


class Parrot:
    """The port ``LocalModel``: Yes, the first option, one step, no values; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def complete(self, request: CompletionRequest) -> Completion:
        self.asked += 1
        pattern = request.guide.pattern if request.guide else ""
        text = "{}" if request.guide and request.guide.kind is GuideKind.JSON_SCHEMA else "Some kind of problem."
        if pattern.startswith("("):
            text = pattern.strip("()").split("|")[0].replace("\\", "")
        elif '"steps"' in pattern:
            text = '{"steps": [1, 1, 1, 1]}'
        return Completion(text=text, finish="stop", prompt_tokens=1, output_tokens=1, duration_s=0.0, model="parrot")


@pytest.mark.parametrize(
    ("given", "gold", "kind", "outcome"),
    [
        ("£1,450", ("£1,450",), "text", "right"),
        ("1450", ("£1,450",), "text", "right"),
        ("€1,450", ("£1,450",), "text", "unconfirmed"),
        ("the first day", ("first day",), "text", "right"),
        ("ms oakes", ("Ms Oakes.",), "text", "right"),
        ("Oakes", ("Ms Oakes",), "text", "wrong"),
        ("12 May", (), "text", "wrong"),
        ("13 May", (), "text", "unconfirmed"),
        (None, (), "text", "absent"),
        (" ", ("12 May",), "text", "missing"),
        ("1,450", ("1450",), "number", "right"),
        ("12", ("1450",), "number", "wrong"),
    ],
)
def test_what_becomes_of_a_value(given: str | None, gold: Sequence[str], kind: ValueType, outcome: str) -> None:
    """Nothing is hidden: a wrong value that stands in the text is told from one that confirmation drops."""
    assert judge_value(given, gold, TEXT, kind) == outcome


@pytest.mark.parametrize(
    ("good", "of", "low", "high"),
    [(0, 0, 0.0, 1.0), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0), (81, 100, 0.722, 0.875)],
)
def test_intervals_are_wilsons(good: int, of: int, low: float, high: float) -> None:
    """Nothing is hidden: ten of ten is not certainty."""
    assert [round(end, 3) for end in wilson(good, of)] == [low, high]


def test_shares_are_counted_by_language_and_over_all() -> None:
    """Nothing is hidden: each answer counts once in its language and once in the whole."""
    outcomes = [Outcome("a", "en", "1", "right"), Outcome("a", "de", "2", "wrong"), Outcome("a", "de", "3", "absent")]
    shares = tally(outcomes)
    assert {key: (share.good, share.of) for key, share in shares.items()} == {
        ("a", "en"): (1, 1),
        ("a", "de"): (1, 2),
        ("a", "all"): (2, 3),
    }


async def test_a_model_that_always_says_yes_is_worth_half() -> None:
    """Nothing is hidden: through the agents' own functions, a Yes to all gets half of the results right."""
    english = next(each for each in read_cases() if each.language == "en")
    asker = Asker(Answers(Parrot()), EmptyMemory(), "parrot")
    outcomes = [outcome for task in TASKS for cases in [english] async for outcome in asker.ask(cases, task)]
    shares = tally(outcomes)
    judged = shares["verification/judgement", "en"]
    assert dict(judged.outcomes) == {"yes-yes": 7, "no-yes": 7}
    assert shares["planning/valid", "en"].of == 8
    assert dict(shares["extraction/field", "en"].outcomes).keys() == {"absent", "missing"}
    assert shares["classification/model", "en"].good <= 2
    assert shares["slots/by pattern", "en"].share == 1.0
    assert shares["abstract/kept", "en"].of == len(english.slots.case)


async def test_a_cut_off_run_goes_on(tmp_path: Path) -> None:
    """Nothing is lost: answers that were given before a run was cut off are not asked for again."""
    path, parrot = tmp_path / "answers.jsonl", Parrot()
    request = CompletionRequest(system="s", user="u", deadline_s=1.0)
    first = await Answers(parrot, path).complete(request)
    path.write_text(path.read_text("utf-8") + '{"request": "cut o', "utf-8")
    again = Answers(parrot, path)
    assert await again.complete(request.model_copy(update={"deadline_s": 9.0})) == first
    await again.complete(request.model_copy(update={"user": "another"}))
    assert parrot.asked == 2
    third = Answers(parrot, path)
    assert await third.complete(request.model_copy(update={"user": "another"}))
    assert (parrot.asked, third.spent()) == (2, (1, 0.0))
