"""What makes a plan sound: known steps, no cycle, within the limits."""

from collections.abc import Iterator, Sequence

from hybridmesh.agents.decomposer.choices import framework_faults, option_faults
from hybridmesh.bus.settings import PlanSettings
from hybridmesh.schemas.message import StepId
from hybridmesh.schemas.plans import StepSpec


def fault(steps: Sequence[StepSpec], results: Sequence[StepId], limits: PlanSettings) -> str | None:
    """Return what is wrong with a plan in one sentence, or None when it can be run."""
    return next(_faults(steps, results, limits), None)


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


def _faults(steps: Sequence[StepSpec], results: Sequence[StepId], limits: PlanSettings) -> Iterator[str]:
    """Yield faults; each check relies on the ones before it having found nothing."""
    ids = [step.id for step in steps]
    if not steps or not results:
        yield "a plan needs at least one step and one result"
    if len(steps) > limits.max_steps:
        yield f"{len(steps)} steps are more than the {limits.max_steps} that plans.max_steps allows"
    for twice in sorted({name for name in ids if ids.count(name) > 1}):
        yield f"the step id '{twice}' is used twice"
    named = [(f"step '{step.id}' uses", name) for step in steps for name in step.uses]
    for where, name in (*named, *(("results name", name) for name in results)):
        if name not in ids:
            yield f"{where} '{name}', which is not a step of this plan"
    yield from option_faults(steps)
    yield from framework_faults({step.id: step for step in steps})
    if cycle := find_cycle(steps):
        yield "the steps wait for each other: " + " → ".join(cycle)
    if (deep := depth(steps)) > limits.max_depth:
        yield f"{deep} steps in a row are more than the {limits.max_depth} that plans.max_depth allows"


def _without_sources(uses: dict[StepId, set[StepId]]) -> dict[StepId, set[StepId]]:
    """Take away steps that wait for nothing, again and again (Kahn's algorithm); what is left holds every cycle."""
    while free := {name for name, needed in uses.items() if not needed}:
        uses = {name: needed - free for name, needed in uses.items() if name not in free}
    return uses
