"""The workflows that a mesh takes: none whose results could not pass."""

from pathlib import Path

import pytest

from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.settings import PlanSettings
from hybridmesh.infra.workflows import usable_workflows

STEP = """
[[steps]]
id = "one"
title = "One"
instruction = "do"
output = { kind = "json", json_schema = '%s' }
"""


def test_those_that_ship_are_usable() -> None:
    """It runs on what you have."""
    assert "contract-review" in usable_workflows(PlanSettings())


def test_a_form_that_the_verifier_cannot_check_is_said_at_the_start(tmp_path: Path) -> None:
    """Nothing is lost: every task of such a workflow would fail after all its tries."""
    (tmp_path / "mine.toml").write_text(STEP % '{"properties": {"a": {"uniqueItems": true}}}')
    with pytest.raises(UsageError, match=r"workflow mine, step one: .*\$\.a: 'uniqueItems'") as caught:
        usable_workflows(PlanSettings(workflows=tmp_path))
    assert "additionalProperties" in caught.value.remedy
