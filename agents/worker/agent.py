"""The worker: drafts at home, states a split step in the abstract, and applies advice to the private data.

Consumes step.local and consult.advised. Publishes step.drafted, consult.proposed, consult.refused and audit events,
and step.failed when a step is buried. Answers model.complete. Asks the memory for frameworks, lessons and knowledge;
needs the local model, the vault (read only), the parked steps and the budgets' ledger.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from hybridmesh.agents.worker import events
from hybridmesh.agents.worker.abstracts import keep_abstract, state_problem
from hybridmesh.agents.worker.drafting import Draft, Drafter, Known, source_of
from hybridmesh.agents.worker.forms import read_answer
from hybridmesh.agents.worker.framework import keys_for, parse_framework
from hybridmesh.agents.worker.framework_prompt import ask_for_framework
from hybridmesh.agents.worker.language import guess_language
from hybridmesh.agents.worker.parked import ParkedSteps
from hybridmesh.agents.worker.recall import Recall
from hybridmesh.agents.worker.restoring import issued_for, restore_answer, said_in
from hybridmesh.agents.worker.summary import summary_request
from hybridmesh.bus.agent import Agent, Clock, Service
from hybridmesh.bus.budgets import spend_key
from hybridmesh.bus.errors import PermanentError, Unanswerable
from hybridmesh.bus.ports import LocalModel, Memory
from hybridmesh.bus.settings import CloudSettings, ModelSettings
from hybridmesh.bus.topology import Ask
from hybridmesh.schemas.audits import Fact
from hybridmesh.schemas.consults import ConsultAdvised, ConsultProposed, ConsultRefused
from hybridmesh.schemas.frameworks import Framework
from hybridmesh.schemas.inference import CompletionRequest, ModelLoad, Purpose
from hybridmesh.schemas.measured import Figures
from hybridmesh.schemas.memory import Kind, MemoryItem
from hybridmesh.schemas.message import Message, StepMessage
from hybridmesh.schemas.privacy import Sensitivity, scope_of
from hybridmesh.schemas.routing import Decision, Lane
from hybridmesh.schemas.steps import Redacted, StepClassified, StepContext, StepDrafted, StepFailed, StepLocal


class Originals(Protocol):
    """The vault as the worker needs it."""

    async def originals(self, scope: str) -> dict[str, str]:
        """Return every surrogate of a scope with its original; raises PermanentError when the scope is gone."""
        ...


class Ledger(Protocol):
    """The budgets as the worker needs them; all calls are idempotent for a key."""

    async def settle(self, task_id: str, key: str, actual: Decimal | None) -> None:
        """Book what a call came to."""
        ...

    async def release(self, task_id: str, key: str) -> None:
        """Give back what a call that was not made had set aside."""
        ...

    async def spent_on(self, task_id: str, step_id: str) -> Decimal:
        """Return what all settled calls of a step have cost."""
        ...


class WorkerAgent:
    """The handlers; what they decide stands in this folder's pure modules.

    ``names`` says which model answers what at this moment; else it is those of the settings. ``figures`` are those to
    go by instead of the shipped.
    """

    def __init__(
        self,
        *,
        model: LocalModel,
        memory: Memory,
        vault: Originals,
        parked: ParkedSteps,
        ledger: Ledger,
        models: ModelSettings,
        cloud: CloudSettings,
        clock: Clock,
        close: Callable[[], Awaitable[None]] | None = None,
        names: Callable[[], Mapping[Purpose, str]] | None = None,
        figures: Figures | None = None,
        loads: Callable[[], Sequence[ModelLoad]] = tuple,
        note: Callable[[], str] = str,
        watches: tuple[Callable[[], Coroutine[None, None, None]], ...] = (),
    ) -> None:
        self._model = model
        self._close = close
        self._loads = loads
        self._note = note
        self._watches = watches
        self._recall = Recall(memory)
        self._drafter = Drafter(
            model,
            self._recall,
            clock,
            max_prompt_tokens=models.max_prompt_tokens,
            names=names or (lambda: models.names),
            figures=figures,
        )
        self._vault = vault
        self._parked = parked
        self._ledger = ledger
        self._cloud = cloud
        self._clock = clock

    def agent(self) -> Agent:
        """Return the wiring."""
        return Agent(
            name="worker",
            handlers={StepLocal: self.work, ConsultAdvised: self.follow},
            services=(Service(subject=Ask.COMPLETE, request=CompletionRequest, answer=self._model.complete),),
            close=self._close,
            loads=self._loads,
            note=self._note,
            watches=self._watches,
        )

    async def work(self, step: StepLocal) -> Sequence[Message]:
        """Answer a step at home, or say what a framework is needed for; a step whose time is over is not begun."""
        deadline = step.context.deadline
        if deadline is not None and deadline <= self._clock():
            return [StepFailed(task_id=step.task_id, step_id=step.step_id, attempt=step.attempt, reason="deadline")]
        if step.mode == "summarise":
            return await self._split(step)
        # What was turned down would come out of the framework once more.
        known = None if step.complaints else await self._drafter.known(step.context)
        draft = None if known is None else await self._drafter.by_framework(step.context, known)
        if draft is None:
            draft = await self._drafter.by_model(step.context, step.complaints)
        return await self._drafted(step, step.context, step.label, step.decision, draft)

    async def follow(self, advised: ConsultAdvised) -> Sequence[Message]:
        """Apply the cloud's advice to the private step; paid for first, whatever becomes of it."""
        step = await self._parked.step(advised)
        decision = await self._parked.decision(advised)
        if decision is None:  # whoever has the consultant's key pays with nobody's budget, and ends no step
            return [events.unasked(advised, self._clock())]
        await self._ledger.settle(advised.task_id, spend_key(advised), advised.usage.cost_usd)
        paid = events.settled(advised, self._clock())
        if advised.purpose == "framework":
            return [paid, *await self._apply(advised, step, decision)]
        return [paid, *await self._restore(advised, step, decision)]

    async def _restore(self, advised: ConsultAdvised, step: StepClassified, decision: Decision) -> Sequence[Message]:
        try:
            originals = await self._vault.originals(scope_of(advised.task_id, step.context.conversation))
        except PermanentError as error:  # in doubt the step is answered at home
            return [_refused(advised, error.reason)]
        output = step.context.spec.output
        issued = issued_for(step.redacted, originals)
        answer = restore_answer(read_answer(advised.advice, output), issued, output, said_in(step.redacted))
        draft = Draft(
            text=await self._drafter.taught(answer.text, step.context),
            author=advised.model,
            incomplete=not advised.complete,
            facts={"way": "advice", "model": advised.model, "simulated": advised.simulated},
        )
        restored = events.restored(advised, self._clock(), answer)
        made = await self._drafted(
            advised, step.context, step.label, decision, draft, advice=advised.advice, unresolved=answer.unresolved
        )
        return [restored, *made]

    async def _apply(self, advised: ConsultAdvised, step: StepClassified, decision: Decision) -> Sequence[Message]:
        framework = parse_framework(advised.advice)
        if framework is None or not advised.complete:
            return [_refused(advised, "bad-framework")]
        keys = keys_for(step.context.spec.framework, guess_language(source_of(step.context)))
        known = Known(framework, keys[0] if keys else "unnamed", "advised")
        draft = await self._drafter.by_framework(step.context, known)
        if draft is None:
            return [_refused(advised, "bad-framework")]
        if keys:
            await self._recall.keep(self._item(framework, keys[0], advised.task_id))
        return await self._drafted(advised, step.context, step.label, decision, draft, advice=advised.advice)

    async def _split(self, step: StepLocal) -> Sequence[Message]:
        """Use a framework that was bought before; else propose to ask for one."""
        known = await self._drafter.remembered(step.context) if step.attempt == 1 else None
        draft = None if known is None else await self._drafter.by_framework(step.context, known)
        if draft is not None:
            await self._ledger.release(step.task_id, spend_key(step))
            made = await self._drafted(step, step.context, step.label, _spared(step.decision), draft)
            return [events.released(step, self._clock()), *made]
        parked = await self._parked.step(step)
        if step.context.spec.output.kind == "json":
            return [_refused(step, "no-framework-for-json")]
        language = guess_language(source_of(step.context))
        summary = await self._summarise(step, parked.redacted)
        problem = state_problem(
            step.context, parked.redacted, parked.findings.counts, language=language, summary=summary
        )
        if problem is None:
            return [_refused(step, "nothing-abstract")]
        return [
            ConsultProposed(
                task_id=step.task_id,
                step_id=step.step_id,
                attempt=step.attempt,
                purpose="framework",
                prompt=ask_for_framework(problem),
                model=step.decision.model,
                max_tokens=self._cloud.max_tokens,
                decision=step.decision,
                conversation=step.context.conversation,
            )
        ]

    async def _summarise(self, step: StepLocal, redacted: Redacted | None) -> str:
        """Return an abstract summary of a step outside any workflow; empty when there is none fit to send."""
        if step.context.workflow is not None or redacted is None or not redacted.inputs:
            return ""
        try:
            said = await self._model.complete(summary_request(redacted))
            originals = await self._vault.originals(scope_of(step.task_id, step.context.conversation))
        except (Unanswerable, PermanentError):
            return ""
        sources = (step.context.goal, *(document.text for document in step.context.inputs))
        return keep_abstract(said.text, sources, originals) if said.finish == "stop" else ""

    async def _drafted(
        self,
        cause: StepMessage,
        context: StepContext,
        label: Sensitivity,
        decision: Decision,
        draft: Draft,
        *,
        advice: str | None = None,
        unresolved: int = 0,
    ) -> Sequence[Message]:
        facts: Mapping[str, Fact] = {"lane": decision.lane.value, "incomplete": draft.incomplete, **draft.facts}
        return [
            events.drafted(cause, self._clock(), facts),
            StepDrafted(
                task_id=cause.task_id,
                step_id=cause.step_id,
                attempt=cause.attempt,
                context=context,
                label=label,
                decision=decision,
                draft=draft.text,
                author=draft.author,
                advice=advice,
                application=draft.application,
                unresolved=unresolved,
                incomplete=draft.incomplete,
                cost_usd=await self._ledger.spent_on(cause.task_id, cause.step_id),
            ),
        ]

    def _item(self, framework: Framework, key: str, task_id: str) -> MemoryItem:
        return MemoryItem(
            kind=Kind.FRAMEWORK,
            text=framework.title,
            key=key,
            data={"framework": framework.model_dump(mode="json")},
            source=f"task:{task_id}",
            author="consultant",
            origin="cloud",
            created_at=self._clock(),
        )


def _refused(about: StepMessage, reason: str) -> ConsultRefused:
    return ConsultRefused(
        task_id=about.task_id, step_id=about.step_id, attempt=about.attempt, reason=reason, by="worker"
    )


def _spared(decision: Decision) -> Decision:
    """Return the decision of a split that needed no call: the reasoning was bought before."""
    return decision.model_copy(
        update={
            "lane": Lane.LOCAL,
            "reason": "a remembered framework answers it without a call",
            "cost_usd": Decimal(0),
            "other_cost_usd": decision.cost_usd,
            "model": "",
        }
    )
