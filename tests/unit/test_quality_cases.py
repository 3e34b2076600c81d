"""Nothing is hidden: the cases of the quality benchmark are many, balanced, and right by their own texts."""

from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

from bench.quality import cases as module
from bench.quality.cases import LANGUAGES, Cases, read_cases
from hybridmesh.agents.decomposer.model_plan import MAX_MODEL_STEPS, sentences_of, worth_asking
from hybridmesh.agents.decomposer.split import structural
from hybridmesh.agents.decomposer.workflows import load_workflows
from hybridmesh.agents.worker.confirmation import stands_in
from hybridmesh.agents.worker.language import guess_language
from hybridmesh.bus.settings import PlanSettings

EACH = {"extraction": 12, "classification": 12, "verification": 14, "planning": 8, "slots": 10}


@pytest.fixture(scope="module")
def all_cases() -> list[Cases]:
    return read_cases()


def test_there_are_enough_in_each_language(all_cases: list[Cases]) -> None:
    """Nothing is hidden: at least 200 cases, as many of each task in every language, each with an id of its own."""
    assert [each.language for each in all_cases] == list(LANGUAGES)
    assert [each.counts() for each in all_cases] == [EACH] * len(LANGUAGES)
    assert len(LANGUAGES) * sum(EACH.values()) >= 200
    ids = [name for each in all_cases for name in each.ids()]
    assert [name for name, times in Counter(ids).items() if times > 1] == []
    assert all(f"-{each.language}-" in name for each in all_cases for name in each.ids())


def test_every_gold_value_stands_in_its_source(all_cases: list[Cases]) -> None:
    """Nothing is hidden: a right answer is one that the text holds, by the worker's own rule."""
    for each in all_cases:
        for case in each.extraction.case:
            missing = [right for gold in case.gold.values() for right in gold if not stands_in(right, case.text)]
            assert missing == [], case.id
        for letter in each.slots.case:
            values = [(slot, right) for slot in letter.slots for right in slot.gold]
            assert [right for slot, right in values if not stands_in(right, letter.text, slot.type)] == [], letter.id
            assert [name for name in letter.private if name not in letter.text] == [], letter.id


def test_some_values_are_absent(all_cases: list[Cases]) -> None:
    """Nothing is hidden: a model that always names something is found out, in each language and both tasks."""
    for each in all_cases:
        fields = [gold for case in each.extraction.case for gold in case.gold.values()]
        assert len(fields) >= 50
        assert 0.15 <= sum(not gold for gold in fields) / len(fields) <= 0.4
        slots = [slot.gold for case in each.slots.case for slot in case.slots]
        assert sum(not gold for gold in slots) >= 4


def test_yes_and_no_are_balanced(all_cases: list[Cases]) -> None:
    """Nothing is hidden: a model that always says yes, or always no, gets half of the checks right."""
    for each in all_cases:
        answers = Counter(check.gold for case in each.slots.case for check in case.checks)
        assert 0.4 <= answers[True] / answers.total() <= 0.6
        misses = Counter(record.miss for record in each.verification.record)
        assert {"role", "negation"} < set(misses)


def test_every_option_is_asked_for(all_cases: list[Cases]) -> None:
    """Nothing is hidden: no option is right so often that naming it always would do."""
    steps = {step.id: step for step in load_workflows(PlanSettings())["support-triage"].plan.steps}
    options = {"triage": steps["categorise"].output.options}
    for each in all_cases:
        options["own"] = each.classification.options
        for kind, allowed in options.items():
            gold = Counter(case.gold for case in each.classification.case if case.set == kind)
            assert set(gold) <= set(allowed)
            assert len(gold) >= len(allowed) - 1
            assert max(gold.values()) == 1


def test_goals_are_those_that_the_model_is_asked_about(all_cases: list[Cases]) -> None:
    """Nothing is hidden: each goal comes to the model in the decomposer too, and its gold is a plan that can be run."""
    for each in all_cases:
        for case in each.planning.case:
            assert worth_asking(case.goal), case.id
            assert len(structural(case.goal, PlanSettings()).steps) == 1, case.id
            assert len(case.steps) == len(sentences_of(case.goal)), case.id
            assert sorted(case.steps) == list(case.steps), case.id
            assert set(case.steps) == set(range(1, len(case.kinds) + 1)), case.id
            assert len(case.kinds) <= MAX_MODEL_STEPS
        lengths = Counter(len(case.kinds) for case in each.planning.case)
        assert len(lengths) >= 3
        assert max(lengths.values()) <= len(each.planning.case) // 2


def test_texts_are_in_their_language(all_cases: list[Cases]) -> None:
    """Nothing is hidden: a file of a language holds texts of that language."""
    for each in all_cases:
        guessed = [guess_language(case.text) for case in each.slots.case]
        assert guessed.count(each.language) >= 8, guessed


@pytest.mark.parametrize(
    "line", ['gold = ""', 'id = "x"\nset = "triage"\ntext = "long enough for a text"\ngold = "a"\nmore = 1']
)
def test_a_case_that_has_not_its_form_is_refused(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is hidden: a key that is missing or misspelt is an error, not a case that is always right."""
    for path in module.FOLDER.glob("*.toml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "classification.de.toml").write_text(f'instruction = ""\noptions = ["a"]\n[[case]]\n{line}\n', "utf-8")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    with pytest.raises(ValidationError):
        read_cases()
