"""Plans: what makes one sound, and the structural split of a goal that brings its own steps."""

import re
from collections.abc import Mapping, Sequence

from hybridmesh.bus.settings import PlanSettings
from hybridmesh.schemas.message import StepId
from hybridmesh.schemas.plans import Plan, StepSpec

PLACEHOLDER = re.compile(r"\{([a-z0-9_-]+)\}")

_ITEM = re.compile(r"^\s*(?:(?P<number>\d{1,2})[.)]|(?P<bullet>[-*•]))\s+(?P<text>\S.*)$")
# "… and then …" in the languages that the classifier reads.
_THEN = re.compile(
    r"(?:[,;.]\s*|\s+)(?:and then|und dann|y luego|y después|et ensuite|et puis|e poi|en dan|en daarna|e depois)\s+",
    re.IGNORECASE,
)
_MIN_PART_CHARS = 8


def fault(steps: Sequence[StepSpec], results: Sequence[StepId], limits: PlanSettings) -> str | None:
    """Return what is wrong with a plan in one sentence, or None when it can be run."""
    ids = [step.id for step in steps]
    if not steps or not results:
        return "a plan needs at least one step and one result"
    if len(steps) > limits.max_steps:
        return f"{len(steps)} steps are more than the {limits.max_steps} that plans.max_steps allows"
    for twice in sorted({name for name in ids if ids.count(name) > 1}):
        return f"the step id '{twice}' is used twice"
    for step in steps:
        if unknown := [name for name in step.uses if name not in ids]:
            return f"step '{step.id}' uses '{unknown[0]}', which is not a step of this plan"
        if problem := _framework_fault(step, {other.id: other for other in steps}):
            return problem
    if missing := [name for name in results if name not in ids]:
        return f"the result '{missing[0]}' is not a step of this plan"
    if cycle := find_cycle(steps):
        return "the steps wait for each other: " + " → ".join(cycle)
    if (deep := depth(steps)) > limits.max_depth:
        return f"{deep} steps in a row are more than the {limits.max_depth} that plans.max_depth allows"
    return None


def find_cycle(steps: Sequence[StepSpec]) -> tuple[StepId, ...]:
    """Return the ids of one cycle, the first one repeated at the end; empty when there is none."""
    waiting = _without_sources({step.id: set(step.uses) for step in steps})
    if not waiting:
        return ()
    path = [min(waiting)]
    while True:
        following = min(name for name in waiting[path[-1]] if name in waiting)
        if following in path:
            return (*path[path.index(following) :], following)
        path.append(following)


def depth(steps: Sequence[StepSpec]) -> int:
    """Return the number of steps in the longest chain; the plan must have no cycle."""
    uses = {step.id: step.uses for step in steps}
    found: dict[StepId, int] = {}
    while len(found) < len(uses):
        for name, needed in uses.items():
            if name not in found and all(other in found for other in needed):
                found[name] = 1 + max((found[other] for other in needed), default=0)
    return max(found.values(), default=0)


def structural(goal: str, limits: PlanSettings) -> Plan:
    """Cut a goal at the marks that its writer made: a numbered list, bullets, or "and then"; else keep it whole.

    Numbered items and parts joined by "then" wait for the one before; bullets stand side by side. All items of a
    list are results, of a chain only its end. Titles are numbers, so that nothing of the goal is in them.
    """
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
        )
        for number, part in enumerate(parts, start=1)
    )
    results = tuple(step.id for step in steps) if listed else (steps[-1].id,)
    plan = Plan(source="structural", steps=steps, results=results)
    return single(goal) if fault(plan.steps, plan.results, limits) else plan


def single(goal: str) -> Plan:
    """Return the plan of one step; its instruction is the goal itself."""
    return Plan(source="structural", steps=(StepSpec(id="s1", title="Answer", instruction=goal),), results=("s1",))


def _without_sources(uses: dict[StepId, set[StepId]]) -> dict[StepId, set[StepId]]:
    """Take away steps that wait for nothing, again and again (Kahn's algorithm); what is left holds every cycle."""
    while free := {name for name, needed in uses.items() if not needed}:
        uses = {name: needed - free for name, needed in uses.items() if name not in free}
    return uses


def _framework_fault(step: StepSpec, steps: Mapping[StepId, StepSpec]) -> str | None:
    """Only a choice may stand in a framework's key: its options are the plan's words, other results are private."""
    for name in PLACEHOLDER.findall(step.framework or ""):
        if name not in step.uses:
            return f"the framework of step '{step.id}' names '{name}', which the step does not use"
        if steps[name].output.kind != "choice":
            return f"the framework of step '{step.id}' names '{name}', which is not a choice"
    return None


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
