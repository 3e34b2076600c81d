"""The private step as the router parked it: an advice names only a task and a step, what it is about stays here."""

from typing import Protocol

from hybridmesh.bus.errors import PermanentError
from hybridmesh.bus.state import State
from hybridmesh.schemas.approvals import ApprovalRecord, approval_key
from hybridmesh.schemas.consults import ConsultAdvised
from hybridmesh.schemas.message import Frozen, StepMessage
from hybridmesh.schemas.routing import Decision, Lane
from hybridmesh.schemas.steps import StepClassified


class RouteTaken(Frozen):
    """What the worker reads of the router's route record: the decision of each attempt."""

    decisions: dict[int, Decision] = {}


class ParkedSteps(Protocol):
    """Where parked steps are read."""

    async def step(self, about: StepMessage) -> StepClassified:
        """Return the parked step; raises PermanentError (``step-expired``) when its task is over."""
        ...

    async def decision(self, advised: ConsultAdvised) -> Decision | None:
        """Return the decision that led to an advice; None where nothing of the step was to leave, so nobody asked."""
        ...


class ParkedBucket:
    """Bucket PARKED: the step under ``task.step``, its decisions under ``task.step.route``; APPROVALS the answers."""

    def __init__(
        self, steps: State[StepClassified], routes: State[RouteTaken], approvals: State[ApprovalRecord]
    ) -> None:
        self._steps = steps
        self._routes = routes
        self._approvals = approvals

    async def step(self, about: StepMessage) -> StepClassified:
        """Return the parked step."""
        found = await self._steps.get(f"{about.task_id}.{about.step_id}")
        if found is None:
            raise PermanentError("the parked step is gone", reason="step-expired")
        return found

    async def decision(self, advised: ConsultAdvised) -> Decision | None:
        """Return the decision that led to an advice; raises PermanentError (``step-expired``).

        A decision to ask a person first stands as hold, whatever the answer was. One for the cloud stands though it was
        refused there.
        """
        found = await self._routes.get(f"{advised.task_id}.{advised.step_id}.route")
        decision = found.decisions.get(advised.attempt) if found else None
        if decision is None:
            raise PermanentError("the decision is gone", reason="step-expired")
        if decision.lane is Lane.LOCAL or (decision.lane is Lane.HOLD and not await self._is_agreed(advised)):
            return None
        lane = Lane.SPLIT if advised.purpose == "framework" else Lane.REDACTED
        return decision if decision.lane is lane else decision.model_copy(update={"lane": lane})

    async def _is_agreed(self, advised: ConsultAdvised) -> bool:
        asked = await self._approvals.get(approval_key(advised, "egress"))
        return asked is not None and asked.answer is not None and asked.answer.approved
