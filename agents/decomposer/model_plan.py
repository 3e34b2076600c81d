"""A plan from the local model: what it is asked, and how much of its answer is believed."""

import json
import re
from typing import Any, cast

from hybridmesh.agents.decomposer.plan import fault
from hybridmesh.bus.settings import PlanSettings
from hybridmesh.schemas.inference import Completion, CompletionRequest, Guide, GuideKind
from hybridmesh.schemas.plans import Plan, StepSpec

MAX_MODEL_STEPS = 4  # small models pad a list to whatever length it may have
_MAX_INSTRUCTION = 300
_SHORT_GOAL = 200

_SYSTEM = """\
You cut a task into a few steps. Each step is one short instruction to a colleague who sees the same material. \
"uses" lists the numbers of earlier steps whose results the step needs. Use as few steps as possible; one is fine. \
Do not do the task."""


def worth_asking(goal: str) -> bool:
    """Say whether a goal has anything to cut: a short one or a single sentence is one step, without a call."""
    sentences = [part for part in re.split(r"[.!?。]\s+|\n+", goal.strip()) if part.strip()]
    return len(goal) > _SHORT_GOAL and len(sentences) > 1


def plan_request(goal: str, limits: PlanSettings, deadline_s: float) -> CompletionRequest:
    """Return the prompt, held to the schema of a plan."""
    schema = plan_schema(min(limits.max_steps, MAX_MODEL_STEPS))
    return CompletionRequest(
        system=_SYSTEM,
        user=f"Task:\n{goal}",
        max_tokens=320,
        guide=Guide(kind=GuideKind.JSON_SCHEMA, pattern=json.dumps(schema)),
        deadline_s=deadline_s,
    )


def plan_schema(max_steps: int) -> dict[str, Any]:
    """Return the JSON Schema that the answer is decoded under."""
    step = {
        "type": "object",
        "properties": {
            "instruction": {"type": "string", "minLength": 8, "maxLength": _MAX_INSTRUCTION},
            "uses": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": max_steps}, "maxItems": 3},
        },
        "required": ["instruction", "uses"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"steps": {"type": "array", "items": step, "minItems": 1, "maxItems": max_steps}},
        "required": ["steps"],
        "additionalProperties": False,
    }


def read_plan(answer: Completion, limits: PlanSettings) -> Plan | None:
    """Return the plan in the answer, or None when there is none that can be run.

    Only instructions and references to earlier steps are taken; references that point forward or nowhere are
    dropped, so there can be no cycle. The steps that no other step uses are the results.
    """
    if answer.finish != "stop":
        return None
    try:
        body: object = json.loads(answer.text)
    except ValueError:
        return None
    entries = cast("dict[str, object]", body).get("steps") if isinstance(body, dict) else None
    if not isinstance(entries, list):
        return None
    steps: list[StepSpec] = []
    for number, entry in enumerate(cast("list[object]", entries)[:MAX_MODEL_STEPS], start=1):
        step = _step(entry, number)
        if step is None or step.instruction.casefold() in {other.instruction.casefold() for other in steps}:
            return None
        steps.append(step)
    used = {name for step in steps for name in step.uses}
    results = tuple(step.id for step in steps if step.id not in used)
    if fault(steps, results, limits):
        return None
    return Plan(source="model", steps=tuple(steps), results=results)


def _step(entry: object, number: int) -> StepSpec | None:
    if not isinstance(entry, dict):
        return None
    fields = cast("dict[str, object]", entry)
    instruction, uses = fields.get("instruction"), fields.get("uses")
    if not isinstance(instruction, str) or not instruction.strip():
        return None
    wanted = cast("list[object]", uses) if isinstance(uses, list) else []
    earlier = sorted({use for use in wanted if isinstance(use, int) and 1 <= use < number})
    return StepSpec(
        id=f"s{number}",
        title=f"Step {number}",
        instruction=instruction.strip()[:_MAX_INSTRUCTION],
        uses=tuple(f"s{use}" for use in earlier),
    )
