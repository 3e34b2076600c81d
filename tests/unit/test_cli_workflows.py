"""The plans that a person can choose from, and what is wrong with one before anything is started."""

import json
from pathlib import Path

import pytest

from command_line import run_command

OWN = """
title = "Greeting"
[[steps]]
id = "greet"
title = "Greeting"
instruction = "Greet the customer."
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a workflow of the user's own."""
    (tmp_path / "greeting.toml").write_text(OWN)
    return tmp_path


def test_own_workflows_stand_beside_those_that_ship(folder: Path) -> None:
    """Nothing is hidden: what ``submit --workflow`` takes can be asked, as a table and as JSON."""
    words = ("--set", f"plans.workflows={folder}")
    found = json.loads(run_command("workflow", "ls", "--json", *words).out)["workflows"]
    assert {"name": "greeting", "title": "Greeting", "steps": ["greet"]} in found
    assert {"contract-review", "meeting-summary", "support-triage"} < {item["name"] for item in found}
    assert "greeting\tGreeting\tgreet\n" in run_command("workflow", "ls", *words).out
    shown = run_command("workflow", "show", "greeting", *words)
    assert (shown.code, shown.err) == (0, "")
    assert "greet  text, lane auto, reads the task's inputs  result of the task\n  Greet the customer." in shown.out
    plan = json.loads(run_command("workflow", "show", "greeting", "--json", *words).out)
    assert [step["id"] for step in plan["steps"]] == ["greet"]


def test_a_plan_that_cannot_be_run_is_named_before_anything_starts(folder: Path) -> None:
    """Nothing is half done: the file, the fault and the remedy, with no mesh anywhere."""
    (folder / "broken.toml").write_text(OWN.replace("id =", "idd ="))
    ran = run_command("workflow", "ls", "--set", f"plans.workflows={folder}")
    assert ran.code == 2
    assert "broken.toml" in ran.err
    assert "idd" in ran.err


def test_a_name_that_nobody_has_gets_the_nearest() -> None:
    """Nothing is hidden."""
    ran = run_command("workflow", "show", "suport-triage")
    assert ran.code == 2
    assert "did you mean support-triage?" in ran.err
