"""Whether a submitted task can be taken on, and what to tell its publisher when it cannot."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from hybridmesh.schemas.privacy import Sensitivity
from hybridmesh.schemas.tasks import TaskSubmitted

SENSITIVITY = "sensitivity"  # the publisher's own label of a task, among TaskSubmitted.labels

# Nothing that the publisher wrote is repeated in a refusal: it could be private.
_LABELS = tuple(label.name.lower() for label in Sensitivity)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason code, and a sentence for people."""

    reason: str
    detail: str


def refusal(
    task: TaskSubmitted, workflows: Collection[str], profiles: Collection[str], now: datetime
) -> Refusal | None:
    """Return why a task is refused, None when it can begin."""
    return next(_refusals(task, workflows, profiles, now), None)


def floor_of(task: TaskSubmitted) -> Sensitivity:
    """Return the label that the publisher gave the whole task; an unknown one counts as the highest."""
    name = task.labels.get(SENSITIVITY, _LABELS[0]).upper()
    return Sensitivity[name] if name in Sensitivity.__members__ else Sensitivity.SECRET


def _unknown(what: str, name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, n=1)
    if near:
        return f"there is no such {what}; did you mean '{near[0]}'?"
    return f"there is no such {what}; known are: {', '.join(sorted(known)) or 'none'}"


def _refusals(
    task: TaskSubmitted, workflows: Collection[str], profiles: Collection[str], now: datetime
) -> Iterator[Refusal]:
    if not task.goal.strip():
        yield Refusal("empty-goal", "the goal is empty")
    if task.workflow is not None and task.workflow not in workflows:
        yield Refusal("unknown-workflow", _unknown("workflow", task.workflow, workflows))
    if task.profile not in profiles:
        yield Refusal("unknown-profile", _unknown("profile", task.profile, profiles))
    if task.labels.get(SENSITIVITY, _LABELS[0]).lower() not in _LABELS:
        yield Refusal("unknown-label", f"the sensitivity must be one of {', '.join(_LABELS)}")
    if task.deadline is not None and task.deadline.tzinfo is None:
        yield Refusal("bad-deadline", "the deadline has no time zone")
    elif task.deadline is not None and task.deadline <= now:
        yield Refusal("past-deadline", "the deadline had passed when the task arrived")
    if len({document.name for document in task.inputs}) < len(task.inputs):
        yield Refusal("duplicate-input", "two inputs have the same name")
