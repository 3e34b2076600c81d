"""Workflows in TOML: the shipped ones, the user's own, and what a mistake in one says."""

from pathlib import Path

import pytest

from hybridmesh.agents.decomposer.workflows import load_workflows, parse_workflow
from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.settings import PlanSettings

GOOD = """
[[steps]]
id = "one"
title = "One"
instruction = "do"
"""


def test_the_shipped_workflows_can_be_run() -> None:
    """It runs on what you have: three workflows come with the install."""
    shipped = load_workflows(PlanSettings())
    assert set(shipped) == {"support-triage", "meeting-summary", "contract-review"}
    triage = shipped["support-triage"].plan
    assert [step.id for step in triage.steps] == ["categorise", "request", "reply"]
    assert triage.steps[2].framework == "support-triage/reply/{categorise}"
    assert "data-protection" in triage.steps[0].output.options
    assert triage.workflow == "support-triage"


def test_a_meeting_stays_at_home() -> None:
    """Nothing private leaves: no step of a meeting's summary may be routed to the cloud."""
    assert {step.lane for step in load_workflows(PlanSettings())["meeting-summary"].plan.steps} == {"local"}


def test_a_users_workflow_replaces_a_shipped_one(tmp_path: Path) -> None:
    """It runs on what you have: the user's folder has the last word."""
    (tmp_path / "support-triage.toml").write_text(GOOD)
    (tmp_path / "mine.toml").write_text(GOOD)
    loaded = load_workflows(PlanSettings(workflows=tmp_path))
    assert loaded["mine"].plan.results == ("one",)
    assert [step.id for step in loaded["support-triage"].plan.steps] == ["one"]
    assert "contract-review" in loaded


@pytest.mark.parametrize(
    ("text", "words", "remedy"),
    [
        ("title = ", "not valid TOML", "mend"),
        ("title = 'x'", "there are no steps", "[[steps]]"),
        (GOOD.replace("instruction", "instrukction"), "unknown key 'instrukction'", "did you mean 'instruction'?"),
        ("resultz = []" + GOOD, "unknown key 'resultz'", "did you mean 'results'?"),
        (GOOD + "output = { knd = 'text' }", "unknown key 'knd'", "did you mean 'kind'?"),
        (GOOD + "output = { kind = 'choice', options = ['a'] }", "two options", "examples"),
        (GOOD + "output = { kind = 'json', json_schema = '{' }", "not valid JSON", "schema"),
        (GOOD + "lane = 'cloud'", "step 1: lane", "examples"),
        (GOOD.replace('"one"', '"One!"'), "step 1: id", "examples"),
        (GOOD + "uses = ['two']", "'two', which is not a step", "correct"),
        (GOOD + "uses = ['one']", "one → one", "correct"),
        ("results = 3" + GOOD, "results", "list of step ids"),
        ("steps = [1]", "step 1 is not a table", "[[steps]]"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(text: str, words: str, remedy: str) -> None:
    """It runs on what you have: somebody who writes a workflow is told what to change."""
    with pytest.raises(UsageError) as caught:
        parse_workflow("mine", text, PlanSettings())
    assert words in str(caught.value)
    assert remedy in caught.value.remedy


def test_a_faulty_file_is_named(tmp_path: Path) -> None:
    """It runs on what you have: of many files, the one with the mistake is named."""
    (tmp_path / "broken.toml").write_text("title = ")
    with pytest.raises(UsageError, match=r"^broken\.toml: "):
        load_workflows(PlanSettings(workflows=tmp_path))
    with pytest.raises(UsageError, match="does not exist"):
        load_workflows(PlanSettings(workflows=tmp_path / "nowhere"))
