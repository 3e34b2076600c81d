"""Workflows: plans that somebody wrote down in TOML, those that ship and the user's own."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from hybridmesh.agents.decomposer.plan import fault
from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.settings import PlanSettings
from hybridmesh.schemas.plans import OutputForm, Plan, StepSpec

SHIPPED = Path(__file__).parent / "shipped"

_FILE_KEYS = frozenset({"title", "description", "steps", "results"})
_STEP_KEYS = frozenset(StepSpec.model_fields)
_OUTPUT_KEYS = frozenset(OutputForm.model_fields)


@dataclass(frozen=True, slots=True)
class Workflow:
    """A named plan; its name is the file's."""

    name: str
    title: str
    description: str
    plan: Plan


def load_workflows(limits: PlanSettings) -> dict[str, Workflow]:
    """Return all workflows by name; one in the user's folder (``limits.workflows``) replaces a shipped one.

    Raises:
        UsageError: a file cannot be read, or its plan cannot be run; names the file and the remedy.

    """
    if limits.workflows is not None and not limits.workflows.is_dir():
        raise UsageError("the folder that plans.workflows names does not exist", remedy="create it or unset it")
    folders = [SHIPPED] if limits.workflows is None else [SHIPPED, limits.workflows]
    files = [file for folder in folders for file in sorted(folder.glob("*.toml"))]
    return {file.stem: read_workflow(file, limits) for file in files}


def read_workflow(file: Path, limits: PlanSettings) -> Workflow:
    """Read and check one workflow; raises UsageError."""
    try:
        return parse_workflow(file.stem, file.read_text(encoding="utf-8"), limits)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file.name}: cannot be read ({type(error).__name__})", remedy="check the file") from error
    except UsageError as error:
        raise UsageError(f"{file.name}: {error}", remedy=error.remedy) from error


def parse_workflow(name: str, text: str, limits: PlanSettings) -> Workflow:
    """Return the workflow that a TOML text describes; raises UsageError."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"not valid TOML: {error}", remedy="mend the line that is named") from error
    _known(table, _FILE_KEYS, "a workflow")
    entries = cast("list[object]", table["steps"]) if isinstance(table.get("steps"), list) else []
    if not entries:
        raise UsageError("there are no steps", remedy="add a [[steps]] table with id, title and instruction")
    steps = tuple(_step(entry, number) for number, entry in enumerate(entries, start=1))
    results = table.get("results", [steps[-1].id])
    try:
        plan = Plan(source="workflow", workflow=name, steps=steps, results=results)
    except ValidationError as error:
        raise UsageError(_first(error, "results"), remedy="results is a list of step ids") from None
    if problem := fault(plan.steps, plan.results, limits):
        raise UsageError(problem, remedy="correct the steps' ids, uses and results")
    return Workflow(name, str(table.get("title", name)), str(table.get("description", "")), plan)


def _step(entry: object, number: int) -> StepSpec:
    where = f"step {number}"
    if not isinstance(entry, dict):
        raise UsageError(f"{where} is not a table", remedy="write it as [[steps]]")
    fields = dict(cast("dict[str, Any]", entry))
    _known(fields, _STEP_KEYS, where)
    if isinstance(output := fields.get("output"), dict):
        fields["output"] = _output(cast("dict[str, Any]", output), where)
    try:
        return StepSpec.model_validate(fields)
    except ValidationError as error:
        raise UsageError(_first(error, where), remedy="see the shipped workflows for examples") from None


def _output(output: dict[str, Any], where: str) -> dict[str, Any]:
    """A JSON Schema may be a TOML table, or a string with JSON, which is easier to read when it is deep."""
    _known(output, _OUTPUT_KEYS, f"the output of {where}")
    schema = output.get("json_schema")
    if not isinstance(schema, str):
        return output
    try:
        return {**output, "json_schema": json.loads(schema)}
    except json.JSONDecodeError as error:
        raise UsageError(f"{where}: json_schema is not valid JSON: {error}", remedy="mend the schema") from error


def _known(table: Mapping[str, object], known: frozenset[str], where: str) -> None:
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            remedy = f"did you mean '{near[0]}'?" if near else "known are " + ", ".join(sorted(known))
            raise UsageError(f"{where} has an unknown key '{key}'", remedy=remedy)


def _first(error: ValidationError, where: str) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    return f"{where}: {'.'.join(str(part) for part in problem['loc']) or 'value'}: {problem['msg']}"
