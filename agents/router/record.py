"""What was decided for a step, attempt by attempt: the first decision of an attempt stands, whoever asks again."""

from hybridmesh.schemas.message import Frozen
from hybridmesh.schemas.routing import Decision


class RouteRecord(Frozen):
    """Kept beside the parked step under :func:`route_key`.

    ``complaints`` are what was wrong with the draft before an attempt; they may quote private text.
    ``refused`` is the reason code of the first consult that was turned down: from then on the step stays at home.
    """

    decisions: dict[int, Decision] = {}
    complaints: dict[int, tuple[str, ...]] = {}
    refused: str = ""


def parked_key(task_id: str, step_id: str) -> str:
    """Return the key of the parked private step in bucket PARKED."""
    return f"{task_id}.{step_id}"


def route_key(task_id: str, step_id: str) -> str:
    """Return the key of the step's route record in bucket PARKED."""
    return f"{task_id}.{step_id}.route"


def with_decision(
    record: RouteRecord | None, attempt: int, decision: Decision, complaints: tuple[str, ...] = ()
) -> RouteRecord:
    """Add a decision; the same record when the attempt has one."""
    before = record or RouteRecord()
    if attempt in before.decisions:
        return before
    return before.model_copy(
        update={
            "decisions": {**before.decisions, attempt: decision},
            "complaints": {**before.complaints, attempt: complaints},
        }
    )


def with_refusal(record: RouteRecord | None, reason: str) -> RouteRecord:
    """Note that a consult was refused; the first reason stands."""
    before = record or RouteRecord()
    return before if before.refused else before.model_copy(update={"refused": reason})
