"""The verifier: consumes step.drafted, publishes step.verified or step.rejected; needs memory and the local model.

A draft that cannot be read or weighed is buried, which publishes step.failed.

Neither is needed to decide: without memory a draft is held against the task alone, without the model nobody gives
a second opinion. What accepts a draft is deterministic evidence.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace

from hybridmesh.agents.verifier.claims import find_statements
from hybridmesh.agents.verifier.evidence import (
    Source,
    application_sources,
    make_claim,
    read_source,
    record_sources,
    task_sources,
)
from hybridmesh.agents.verifier.judgement import judge_request, read_judgement, rejects, settles
from hybridmesh.agents.verifier.lessons import read_lessons
from hybridmesh.agents.verifier.rules import DOUBTS, Case, Finding, Weighed, stated, weigh
from hybridmesh.bus.agent import Agent, Clock
from hybridmesh.bus.errors import MemoryUnavailable, MeshUnavailable, ModelUnavailable
from hybridmesh.bus.ports import LocalModel, Memory
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.frameworks import Framework
from hybridmesh.schemas.inference import Completion
from hybridmesh.schemas.measured import Figures
from hybridmesh.schemas.memory import Hit, Kind, Lookup, Search, lesson_keys
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.steps import StepDrafted, StepRejected, StepVerified
from hybridmesh.schemas.verdicts import Verdict

logger = logging.getLogger("hybridmesh")

_SEARCHED = (Kind.RECORD, Kind.DOCUMENT, Kind.PREFERENCE)
_QUERY_CHARS = 500
_HITS = 8
_KEYS = 8
_JUDGE_S = 30.0  # how long to wait for a second opinion


class Verifier:
    """Holds each draft against the task, private records, the advice and earlier lessons.

    ``shipped`` are the frameworks that come with the mesh, by key: the constants of their templates need no other
    evidence. ``judge`` says the local model's name, if known; ``figures`` are those to go by instead of the shipped.
    """

    def __init__(
        self,
        model: LocalModel,
        memory: Memory,
        clock: Clock,
        *,
        shipped: Mapping[str, Framework] | None = None,
        judge: Callable[[], str | None] = lambda: None,
        figures: Figures | None = None,
        watches: tuple[Callable[[], Coroutine[None, None, None]], ...] = (),
    ) -> None:
        self._model = model
        self._memory = memory
        self._clock = clock
        self._shipped = dict(shipped or {})
        self._judge_name = judge
        self._figures = figures
        self._watches = watches

    def agent(self) -> Agent:
        """Return the agent, wired."""
        return Agent("verifier", handlers={StepDrafted: self.verify}, watches=self._watches)

    async def verify(self, message: StepDrafted) -> Sequence[Message]:
        """Decide on one draft."""
        notes: list[Finding] = []
        try:
            hits = await self._remembered(message)
        except (MemoryUnavailable, MeshUnavailable):
            hits = []
            notes.append(Finding("no-records", "the private records could not be asked", fatal=False))
        # Reading long texts takes a while; the loop must stay free to keep the message alive.
        findings, evidence = await asyncio.to_thread(self._weigh, message, hits)
        findings += notes
        judgement = await self._judge(message, findings)
        verdict = Verdict(
            passed=not any(finding.fatal for finding in findings),
            reasons=tuple(finding.reason for finding in findings if finding.fatal),
            codes=tuple(dict.fromkeys(finding.code for finding in findings)),
            claims=tuple(make_claim(statement, labels) for statement, labels in evidence),
            judgement=judgement,
        )
        return [self._audit(message, verdict), _outcome(message, verdict)]

    def _weigh(self, message: StepDrafted, hits: Sequence[Hit]) -> Weighed:
        task = task_sources(message.context)
        case = Case(
            draft=message.draft,
            context=message.context,
            sources=(*task, *record_sources(hits, task), *self._other_sources(message, hits)),
            lessons=tuple(read_lessons(hits, message.context)),
            unresolved=message.unresolved,
            incomplete=message.incomplete,
            filled=message.application is not None,
        )
        return weigh(case)

    async def _remembered(self, message: StepDrafted) -> list[Hit]:
        """Return lessons and records by key, the framework by key, and what is like the task."""
        context = message.context
        asked = [context.goal, *(document.text for document in context.inputs)]
        statements = [item for text in asked for item in find_statements(text)]
        statements += stated(message.draft, context.spec.output)
        references = [item.text.lstrip("#") for item in statements if item.kind == "reference"]
        keys = list(dict.fromkeys(references))[:_KEYS]
        query = " ".join([context.goal, *keys])[:_QUERY_CHARS]
        requests = [Lookup(kind=Kind.LESSON, key=key) for key in lesson_keys(context.workflow, context.spec.id)]
        requests += [Lookup(kind=Kind.RECORD, key=key) for key in keys]
        if message.application is not None:
            requests.append(Lookup(kind=Kind.FRAMEWORK, key=message.application.key))
        answers = await asyncio.gather(
            *(self._memory.lookup(request) for request in requests),
            self._memory.search(Search(query=query, kinds=_SEARCHED, limit=_HITS)),
        )
        return [hit for answer in answers for hit in answer.hits]

    def _other_sources(self, message: StepDrafted, hits: Sequence[Hit]) -> list[Source]:
        sources = application_sources(message.application)
        if message.advice:
            sources.append(read_source("advice", "advice", message.advice))
        if message.application is not None:
            key = message.application.key
            texts = [f"{hit.item.text}\n{json.dumps(hit.item.data)}" for hit in hits if hit.item.kind is Kind.FRAMEWORK]
            if key in self._shipped:
                texts.append(self._shipped[key].template)
            sources += [read_source(f"framework:{key}", "framework", text) for text in texts[:1]]
        return sources

    async def _judge(self, message: StepDrafted, findings: list[Finding]) -> bool | None:
        """Ask the local model, where its word counts; its No is a finding, and without its Yes a doubt is one too.

        A framework's text is a person's or was checked when it was bought, and its values stand in the source:
        there is nothing left to judge.
        """
        form = message.context.spec.output
        if message.application is not None or any(finding.fatal for finding in findings):
            return None
        judge = self._judge_name()
        asked = rejects(judge, form, self._figures) or settles(judge, form, self._figures)
        completion = await self._second_opinion(message) if asked else None
        judgement = read_judgement(completion) if completion else None
        model = completion.model if completion else ""
        if judgement is False and rejects(model, form, self._figures):
            findings.append(Finding("judged-unfit", "the result does not do what the instruction asks for"))
        elif form.kind == "text" and not (judgement and settles(model, form, self._figures)):
            findings[:] = [replace(finding, fatal=finding.code in DOUBTS) for finding in findings]
        return judgement

    async def _second_opinion(self, message: StepDrafted) -> Completion | None:
        try:
            return await self._model.complete(judge_request(message.context, message.draft, _JUDGE_S))
        except (ModelUnavailable, MeshUnavailable) as error:
            logger.info("no second opinion: %s", error.reason)
            return None

    def _audit(self, message: StepDrafted, verdict: Verdict) -> AuditEvent:
        return AuditEvent(
            agent="verifier",
            action=Action.DRAFT_VERIFIED if verdict.passed else Action.DRAFT_REJECTED,
            at=self._clock(),
            task_id=message.task_id,
            step_id=message.step_id,
            attempt=message.attempt,
            facts={
                "codes": ",".join(verdict.codes),
                "claims": len(verdict.claims),
                "proven": sum(bool(claim.evidence) for claim in verdict.claims),
                "records": len(_records(verdict)),
                "judgement": verdict.judgement,
                "lane": message.decision.lane,
            },
        )


def _records(verdict: Verdict) -> set[str]:
    return {label for claim in verdict.claims for label in claim.evidence if label.startswith("record:")}


def _outcome(message: StepDrafted, verdict: Verdict) -> Message:
    if not verdict.passed:
        return StepRejected(
            task_id=message.task_id,
            step_id=message.step_id,
            attempt=message.attempt,
            context=message.context,
            label=message.label,
            decision=message.decision,
            draft=message.draft,
            verdict=verdict,
            cost_usd=message.cost_usd,
        )
    choice = message.context.spec.output.kind == "choice"
    return StepVerified(
        task_id=message.task_id,
        step_id=message.step_id,
        attempt=message.attempt,
        result=message.draft.strip() if choice else message.draft,
        label=message.label,
        lane=message.decision.lane,
        decision=message.decision,
        verdict=verdict,
        cost_usd=message.cost_usd,
    )
