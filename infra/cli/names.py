"""Names that people type: held against what there is, with the nearest one in the remedy."""

import re
from collections.abc import Collection
from difflib import get_close_matches

from hybridmesh.bus.errors import UsageError

_STEP = re.compile(r"[a-z0-9_-]{1,40}")


def check_known(kind: str, name: str, known: Collection[str]) -> None:
    """Raise UsageError unless ``name`` is known; its remedy names the nearest, or all."""
    if name in known:
        return
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    remedy = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
    raise UsageError(f"there is no {kind} {name!r}", remedy=remedy)


def read_task_id(text: str) -> str:
    """Return the id as it is written on the bus; raises UsageError when it is none."""
    from hybridmesh.schemas.message import is_task_id

    task_id = text.strip().lower()
    if not is_task_id(task_id):
        raise UsageError("that is no task id", remedy="`hybridmesh submit` prints the id of a task")
    return task_id


def read_step_id(text: str) -> str:
    """Return a step's id; raises UsageError when it is none."""
    if not _STEP.fullmatch(text):
        raise UsageError("that is no step id", remedy="`hybridmesh explain TASK` shows the ids of a task's steps")
    return text


def read_tenant(text: str) -> str:
    """Return a tenant's name; raises UsageError when it is none."""
    from hybridmesh.schemas.message import is_tenant

    if not is_tenant(text):
        raise UsageError(
            "that is no name of a tenant", remedy="use 1 to 32 small letters, digits and hyphens, none at its ends"
        )
    return text
