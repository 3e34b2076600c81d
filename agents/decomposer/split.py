"""The structural split: a goal that brings its own steps is cut where its writer marked them."""

import re

from hybridmesh.agents.decomposer.new_text import asks_for_new_text
from hybridmesh.agents.decomposer.plan import fault
from hybridmesh.bus.settings import PlanSettings
from hybridmesh.schemas.plans import Plan, StepSpec

_ITEM = re.compile(r"^\s*(?:(?P<number>\d{1,2})[.)]|(?P<bullet>[-*•]))\s+(?P<text>\S.*)$")
# "… and then …" in the languages that the classifier reads.
_THEN = re.compile(
    r"(?:[,;.]\s*|\s+)(?:and then|und dann|y luego|y después|et ensuite|et puis|e poi|en dan|en daarna|e depois)\s+",
    re.IGNORECASE,
)
_MIN_PART_CHARS = 8
_MAX_GOAL_CHARS = 1_500  # a longer goal brings its material along, and lists in that are no steps


def structural(goal: str, limits: PlanSettings) -> Plan:
    """Cut a goal at the marks that its writer made: a numbered list, bullets, or "and then"; else keep it whole.

    Numbered items and parts joined by "then" wait for the one before; bullets stand side by side. All items of a
    list are results, of a chain only its end. Titles are numbers, so that nothing of the goal is in them.
    """
    if len(goal) > _MAX_GOAL_CHARS:
        return single(goal)
    listed, numbered = _items(goal)
    parts, chained = (listed, numbered) if listed else (_parts(goal), True)
    if len(parts) < 2:  # noqa: PLR2004 - one part is the goal itself
        return single(goal)
    steps = tuple(
        StepSpec(
            id=f"s{number}",
            title=f"Step {number}",
            instruction=part,
            uses=(f"s{number - 1}",) if chained and number > 1 else (),
            own_words=asks_for_new_text(part),
        )
        for number, part in enumerate(parts, start=1)
    )
    results = tuple(step.id for step in steps) if listed else (steps[-1].id,)
    plan = Plan(source="structural", steps=steps, results=results)
    return single(goal) if fault(plan.steps, plan.results, limits) else plan


def single(goal: str) -> Plan:
    """Return the plan of one step; its instruction is the goal itself."""
    step = StepSpec(id="s1", title="Answer", instruction=goal, own_words=asks_for_new_text(goal))
    return Plan(source="structural", steps=(step,), results=(step.id,))


def _items(goal: str) -> tuple[list[str], bool]:
    """Return the items of the goal's list, each with the lines that continue it, and whether it is numbered."""
    items: list[str] = []
    numbered = False
    for line in goal.splitlines():
        if found := _ITEM.match(line):
            numbered = numbered or found["number"] is not None
            items.append(found["text"].strip())
        elif items and line.strip():
            items[-1] = f"{items[-1]} {line.strip()}"
    return (items, numbered) if len(items) > 1 else ([], False)


def _parts(goal: str) -> list[str]:
    parts = [part.strip(" \t\n,;") for part in _THEN.split(goal)]
    return parts if all(len(part) >= _MIN_PART_CHARS for part in parts) else [goal]
