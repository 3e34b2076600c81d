"""The router: parks each classified step, decides where it runs, and takes back what was refused or rejected.

Consumes step.classified, step.rejected, consult.refused and approval.given, and its own timer approval.requested.
Publishes step.local, consult.proposed, approval.requested, step.verified (a person's), step.failed and audit events.
Needs the buckets PARKED, APPROVALS and BUDGETS; asks nobody.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from decimal import Decimal

from hybridmesh.agents.router import events
from hybridmesh.agents.router.contradictions import contradiction, unheeded
from hybridmesh.agents.router.cost import Offer, budget_limit
from hybridmesh.agents.router.decide import Situation, decide
from hybridmesh.agents.router.follow import (
    MAX_RETRIES,
    after_refusal,
    complaints_about,
    doubt_about,
    failed_there,
    local_step,
    offer_for,
    propose,
    stop,
)
from hybridmesh.agents.router.prices import PriceList
from hybridmesh.agents.router.questions import answered, ask_egress, ask_review, lapsed, review_end
from hybridmesh.agents.router.record import RouteRecord, parked_key, route_key, with_decision, with_refusal
from hybridmesh.agents.router.speed import Latencies
from hybridmesh.bus.agent import Agent, Clock
from hybridmesh.bus.budgets import Budgets, spend_key
from hybridmesh.bus.errors import Deferred, Unanswerable
from hybridmesh.bus.settings import CloudSettings, ProfileSettings
from hybridmesh.bus.state import State
from hybridmesh.schemas.approvals import ApprovalGiven, ApprovalRecord, ApprovalRequested, approval_key
from hybridmesh.schemas.consults import UNKNOWN_OUTCOME, ConsultRefused, Usage
from hybridmesh.schemas.message import Message, StepMessage
from hybridmesh.schemas.routing import Decision, Lane
from hybridmesh.schemas.steps import StepClassified, StepRejected

LOOK_AGAIN_S = 5.0  # how long an answered question's timer may linger


class RouterAgent:
    """Every decision is a pure function; what is here reads state, calls one, and keeps the first outcome."""

    def __init__(
        self,
        *,
        parked: State[StepClassified],
        routes: State[RouteRecord],
        approvals: State[ApprovalRecord],
        budgets: Budgets,
        prices: PriceList,
        profiles: Mapping[str, ProfileSettings],
        cloud: CloudSettings,
        over: Callable[[str], Awaitable[bool]],
        clock: Clock,
        latencies: Callable[[], Latencies] = Latencies,
        watches: tuple[Callable[[], Coroutine[None, None, None]], ...] = (),
    ) -> None:
        self._parked = parked
        self._routes = routes
        self._approvals = approvals
        self._budgets = budgets
        self._prices = prices
        self._profiles = profiles
        self._cloud = cloud
        self._over = over
        self._clock = clock
        self._latencies = latencies
        self._watches = watches

    def agent(self) -> Agent:
        """Return the wiring."""
        return Agent(
            name="router",
            handlers={
                StepClassified: self.route,
                StepRejected: self.reconsider,
                ConsultRefused: self.take_home,
                ApprovalGiven: self.proceed,
                ApprovalRequested: self.wait,
            },
            watches=self._watches,
        )

    async def route(self, step: StepClassified) -> Sequence[Message]:
        """Park the raw step, decide, and send it on."""
        await self._parked.put(parked_key(step.task_id, step.step_id), step)
        return self._stop(step, step.doubt) or await self._send(step, None)

    async def reconsider(self, rejected: StepRejected) -> Sequence[Message]:
        """Try again with the complaints, on a stronger lane where that is allowed; in the end ask a person."""
        if rejected.attempt > MAX_RETRIES:
            return await self._ask(ask_review(rejected, self._profile(rejected.context.profile), self._clock()))
        step = await self._parked_step(rejected)
        if step is None:
            return ()
        return await self._send(step.model_copy(update={"attempt": rejected.attempt + 1}), rejected)

    async def take_home(self, refused: ConsultRefused) -> Sequence[Message]:
        """Answer locally what the cloud will not: never proposed again for this step."""
        step = await self._parked_step(refused)
        if step is None:
            return ()
        again = step.model_copy(update={"attempt": refused.attempt})
        home = await self._stay_home(again, refused.reason, refused.usage)
        stopped = self._stop(again, doubt_about(refused))
        return [*home[:-2], *stopped] if stopped else home  # what was set aside for the call comes back either way

    async def proceed(self, given: ApprovalGiven) -> Sequence[Message]:
        """Follow a person's answer; the first one counts, and one that says otherwise is on record."""
        record = await self._approvals.change(
            approval_key(given, given.purpose), lambda found: found and answered(found, given)
        )
        if record is None or record.answer != given:
            reason = contradiction(record, given)
            return [unheeded(given, reason, self._clock())] if reason else ()
        return [events.answered(record, self._clock()), *await self._conclude(record)]

    async def wait(self, asked: ApprovalRequested) -> Sequence[Message]:
        """Look whether the question was answered; once its time is over, or its task, silence is the answer."""
        record = await self._approvals.get(approval_key(asked, asked.purpose))
        if record is None or record.answer is not None:
            return ()
        left = (asked.due_at - self._clock()).total_seconds()
        over = await self._over(asked.task_id)
        if left > 0 and not over:
            raise Deferred(min(left, LOOK_AGAIN_S))
        record = await self._approvals.change(approval_key(asked, asked.purpose), lambda found: found and lapsed(found))
        if record is None or not record.lapsed:
            return ()
        told = events.answered(record, self._clock())
        return [told] if over else [told, *await self._conclude(record)]

    def _stop(self, step: StepClassified, doubt: str | None) -> Sequence[Message]:
        """Return the end of a step in doubt where its profile stops then, else nothing."""
        failed = stop(step, self._profile(step.context.profile), doubt)
        return [] if failed is None else [events.stopped(step, doubt or "", self._clock()), failed]

    async def _send(self, step: StepClassified, rejected: StepRejected | None) -> Sequence[Message]:
        profile = self._profile(step.context.profile)
        decision = await self._decision(step, profile, rejected)
        decided = events.decided(step, decision, self._clock())
        complaints = complaints_about(rejected)
        if decision.lane is Lane.LOCAL:
            return [decided, local_step(step, decision, complaints)]
        spent = events.reserved(step, decision, self._clock())
        if decision.lane is Lane.SPLIT:
            return [decided, spent, local_step(step, decision, complaints, mode="summarise")]
        proposal = propose(step, decision, self._cloud, rejected)
        if decision.lane is Lane.REDACTED:
            return [decided, spent, proposal]
        question = ask_egress(proposal, profile, step.context.deadline, self._clock())
        return [decided, spent, *await self._ask(question)]

    async def _decision(
        self, step: StepClassified, profile: ProfileSettings, rejected: StepRejected | None
    ) -> Decision:
        """Decide once an attempt: what was decided before stands, and money is set aside before it is."""
        key = route_key(step.task_id, step.step_id)
        record = await self._routes.get(key) or RouteRecord()
        if step.attempt in record.decisions:
            return record.decisions[step.attempt]
        limit = budget_limit(profile, step.context.budget_usd)
        left = await self._budgets.left(step.task_id, limit, except_key=spend_key(step))
        situation = Situation(
            profile=profile,
            offer=self._offer(step, left, rejected),
            latencies=self._latencies(),
            now=self._clock(),
            insist=rejected is not None,
            failed_there=failed_there(rejected),
            refused=record.refused,
        )
        decision = decide(step, situation)
        if decision.lane is not Lane.LOCAL and not await self._budgets.reserve(
            step.task_id, spend_key(step), decision.cost_usd, limit
        ):
            decision = after_refusal(decision, "other steps of the task have taken the budget")
        complaints = complaints_about(rejected)
        after = await self._routes.change(key, lambda found: with_decision(found, step.attempt, decision, complaints))
        stands = decision if after is None else after.decisions[step.attempt]
        if stands.lane is Lane.LOCAL:
            await self._budgets.release(step.task_id, spend_key(step))
        return stands

    def _offer(self, step: StepClassified, left: Decimal, rejected: StepRejected | None) -> Offer | None:
        return None if self._cloud.provider == "none" else offer_for(step, self._cloud, self._prices, left, rejected)

    async def _stay_home(self, step: StepClassified, reason: str, usage: Usage | None = None) -> Sequence[Message]:
        if usage is not None or reason == UNKNOWN_OUTCOME:
            await self._budgets.settle(step.task_id, spend_key(step), usage.cost_usd if usage else None)
        else:
            await self._budgets.release(step.task_id, spend_key(step))
        spared = await self._budgets.came_to(step.task_id, spend_key(step)) == 0
        record = await self._routes.change(
            route_key(step.task_id, step.step_id), lambda found: with_refusal(found, reason)
        )
        before = record.decisions.get(step.attempt) if record else None
        complaints = record.complaints.get(step.attempt, ()) if record else ()
        decision = after_refusal(before or Decision(lane=Lane.LOCAL, reason=""), reason)
        now = self._clock()
        told = [events.released(step, now)] if spared else [events.billed(step, usage, now)] if usage else []
        return [*told, events.decided(step, decision, now, nonce="refused"), local_step(step, decision, complaints)]

    async def _ask(self, question: ApprovalRecord) -> Sequence[Message]:
        """Store the question, then publish it; asked again after a crash, it is the one that was stored."""
        key = approval_key(question.request, question.request.purpose)
        stored = await self._approvals.change(key, lambda found: found or question)
        request = question.request if stored is None else stored.request
        return [events.asked(request), request]

    async def _conclude(self, record: ApprovalRecord) -> Sequence[Message]:
        if record.rejected is not None:
            return [review_end(record, record.rejected)]
        if record.proposal is None:
            raise Unanswerable("a question without its subject", reason="bad-record")
        if record.answer is not None and record.answer.approved:
            decision = record.proposal.decision.model_copy(update={"lane": Lane.REDACTED})
            return [record.proposal.model_copy(update={"decision": decision})]
        step = await self._parked_step(record.request)
        if step is None:
            return ()
        told = "nobody agreed in time" if record.lapsed else "a person did not agree"
        return await self._stay_home(step.model_copy(update={"attempt": record.request.attempt}), told)

    async def _parked_step(self, message: StepMessage) -> StepClassified | None:
        """Return the step as it was classified; None means that its task is over and its data forgotten."""
        return await self._parked.get(parked_key(message.task_id, message.step_id))

    def _profile(self, name: str) -> ProfileSettings:
        profile = self._profiles.get(name)
        if profile is None:
            raise Unanswerable("the task's profile is not set up here", reason="unknown-profile")
        return profile
