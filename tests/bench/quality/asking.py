"""Puts each case to the functions that the agents use: their prompts, guides, parsing and confirmation.

Nothing here words a question or reads an answer itself. The model comes as the port ``LocalModel``.
"""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, cast

from bench.quality.cases import Cases, ExtractionCase, FrameworkCase, RecordCase
from bench.quality.scoring import Outcome, judge_value
from hybridmesh.agents.decomposer.model_plan import plan_request, read_plan
from hybridmesh.agents.decomposer.workflows import load_workflows
from hybridmesh.agents.verifier.agent import Verifier
from hybridmesh.agents.verifier.judgement import judge_request, read_judgement
from hybridmesh.agents.worker.abstracts import keep_abstract
from hybridmesh.agents.worker.drafting import Drafter
from hybridmesh.agents.worker.extraction import extract
from hybridmesh.agents.worker.forms import read_answer
from hybridmesh.agents.worker.prompts import compose
from hybridmesh.agents.worker.recall import Recall
from hybridmesh.agents.worker.sightings import find_by_pattern
from hybridmesh.agents.worker.summary import summary_request
from hybridmesh.bus.ports import LocalModel, Memory
from hybridmesh.bus.settings import ModelSettings, PlanSettings
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.plans import OutputForm, StepSpec
from hybridmesh.schemas.privacy import Sensitivity
from hybridmesh.schemas.routing import Decision, Lane
from hybridmesh.schemas.steps import Redacted, StepContext, StepDrafted, StepVerified
from hybridmesh.schemas.tasks import Document

LIMITS = ModelSettings()
PLANS = PlanSettings()
TASKS = ("verification", "classification", "planning", "slots", "extraction")
MATERIAL_CHARS = 3000  # more than any case has, so that nothing is left out
_MARK = "[PERSON_{:04}]"


class Asker:
    """Asks one model through the worker, the verifier and the decomposer; ``memory`` compares meanings."""

    def __init__(self, model: LocalModel, memory: Memory, name: str) -> None:
        self._model = model
        self._drafter = Drafter(self._model, Recall(memory), _now, max_prompt_tokens=LIMITS.max_prompt_tokens)
        self._verifier = Verifier(self._model, memory, _now, judge=lambda: name)
        self._triage = next(
            step for step in load_workflows(PLANS)["support-triage"].plan.steps if step.id == "categorise"
        )

    async def ask(self, cases: Cases, task: str) -> AsyncIterator[Outcome]:
        """Yield what became of every case of one language and one of ``TASKS``."""
        asked = {
            "verification": self._verification,
            "classification": self._classification,
            "planning": self._planning,
            "slots": self._slots,
            "extraction": self._extraction,
        }[task]
        async for outcome in asked(cases):
            yield outcome

    async def _extraction(self, cases: Cases) -> AsyncIterator[Outcome]:
        """Ask for the fields as a step with JSON output, and see what the verifier lets pass."""
        for case in cases.extraction.case:
            context = _context(_fields_step(cases.extraction.instruction, case), case.text)
            draft = await self._drafter.by_model(context, ())
            given = _read_fields(draft.text)
            judged = {name: judge_value(given.get(name), gold, case.text) for name, gold in case.gold.items()}
            for name, outcome in judged.items():
                yield Outcome("extraction/field", cases.language, f"{case.id}-{name}", outcome, given.get(name, ""))
            released = await self._passes(context, draft.text, incomplete=draft.incomplete)
            flawless = all(outcome in {"right", "absent"} for outcome in judged.values())
            yield Outcome("extraction/released", cases.language, case.id, _release(released, flawless))

    async def _classification(self, cases: Cases) -> AsyncIterator[Outcome]:
        """Ask the model alone, then the worker, which decides by words and meaning first."""
        own = StepSpec(
            id="sort",
            title="Sort",
            instruction=cases.classification.instruction,
            output=OutputForm(kind="choice", options=cases.classification.options),
            max_tokens=12,
        )
        for case in cases.classification.case:
            context = _context(self._triage if case.set == "triage" else own, case.text)
            request = compose(context, max_prompt_tokens=LIMITS.max_prompt_tokens).request
            alone = read_answer((await self._model.complete(request)).text, context.spec.output)
            yield Outcome("classification/model", cases.language, case.id, _right(alone == case.gold), alone)
            draft = await self._drafter.by_model(context, ())
            right = _right(draft.text == case.gold)
            yield Outcome("classification/worker", cases.language, case.id, right, draft.text)
            yield Outcome(f"classification/worker by {draft.facts['way']}", cases.language, case.id, right, draft.text)

    async def _verification(self, cases: Cases) -> AsyncIterator[Outcome]:
        """Ask for the model's judgement, and for the verifier's verdict, which needs evidence."""
        for record in cases.verification.record:
            for result, truth in ((record.supported, True), (record.missed, False)):
                context = _context(_record_step(record), record.text)
                said = read_judgement(await self._model.complete(judge_request(context, result, 30.0)))
                case = f"{record.id}-{'yes' if truth else f'no-{record.miss}'}"
                yield Outcome("verification/judgement", cases.language, case, _confusion(truth, said=said))
                if said is not None:
                    row = f"verification/{'yes' if said else 'no'}"
                    yield Outcome(row, cases.language, case, _right(said == truth))
                passed = await self._passes(context, result)
                yield Outcome("verification/verdict", cases.language, case, _confusion(truth, said=passed))

    async def _planning(self, cases: Cases) -> AsyncIterator[Outcome]:
        """Ask for a plan: is it one that can be run, of the right number of steps, cut at the right places."""
        for case in cases.planning.case:
            answer = await self._model.complete(plan_request(case.goal, 600.0))
            plan = read_plan(case.goal, answer, PLANS)
            found = tuple(cast("list[int]", json.loads(answer.text)["steps"])) if plan else ()
            count = plan is not None and len(plan.steps) == max(case.steps)
            yield Outcome("planning/valid", cases.language, case.id, _right(plan is not None), answer.text)
            yield Outcome("planning/count", cases.language, case.id, _right(count))
            yield Outcome("planning/grouping", cases.language, case.id, _right(found == case.steps), str(found))

    async def _slots(self, cases: Cases) -> AsyncIterator[Outcome]:
        """Fill a framework's slots and answer its checks, then sum the text up in the abstract."""
        for case in cases.slots.case:
            framework = case.framework()
            found = await extract(framework, case.text, self._model.complete, budget=MATERIAL_CHARS)
            for slot, asked in zip(case.slots, framework.slots, strict=True):
                by_pattern, _ = find_by_pattern(asked, case.text)
                row = "slots/by pattern" if by_pattern else "slots/by model"
                value = found.slots.get(slot.name)
                outcome = judge_value(value, slot.gold, case.text, slot.type)
                yield Outcome(row, cases.language, f"{case.id}-{slot.name}", outcome, value or "")
            for check in case.checks:
                said = found.checks.get(check.name)
                yield Outcome(
                    "slots/check", cases.language, f"{case.id}-{check.name}", _confusion(check.gold, said=said)
                )
            yield await self._abstract(cases.language, case)

    async def _abstract(self, language: str, case: FrameworkCase) -> Outcome:
        marks = {_MARK.format(number): name for number, name in enumerate(case.private)}
        redacted = case.text
        for mark, name in marks.items():
            redacted = redacted.replace(name, mark)
        request = summary_request(
            Redacted(goal="", instruction="Answer the letter.", inputs=(Document(name="text", text=redacted),))
        )
        said = await self._model.complete(request)
        kept = keep_abstract(said.text, (case.text,), marks) if said.finish == "stop" else ""
        return Outcome("abstract/kept", language, case.id, "right" if kept else "not-kept", said.text)

    async def _passes(self, context: StepContext, draft: str, *, incomplete: bool = False) -> bool:
        messages = await self._verifier.verify(
            StepDrafted(
                task_id=new_task_id(),
                step_id=context.spec.id,
                context=context,
                label=Sensitivity.PERSONAL,
                decision=Decision(lane=Lane.LOCAL, reason="bench"),
                draft=draft,
                author="bench",
                incomplete=incomplete,
            )
        )
        return any(isinstance(message, StepVerified) for message in messages)


def _now() -> datetime:
    return datetime.now(UTC)


def _context(spec: StepSpec, text: str) -> StepContext:
    inputs = (Document(name="text", text=text),)
    return StepContext(goal=spec.instruction, profile="balanced", spec=spec, inputs=inputs)


def _fields_step(instruction: str, case: ExtractionCase) -> StepSpec:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: {"anyOf": [{"type": "string", "maxLength": 120}, {"type": "null"}]} for name in case.gold},
        "required": list(case.gold),
        "additionalProperties": False,
    }
    asked = f"{instruction}\n" + ", ".join(name.replace("_", " ") for name in case.gold)
    return StepSpec(
        id="facts", title="Facts", instruction=asked, output=OutputForm(kind="json", json_schema=schema), max_tokens=240
    )


def _record_step(record: RecordCase) -> StepSpec:
    return StepSpec(id="answer", title="Answer", instruction=record.instruction)


def _read_fields(text: str) -> dict[str, str]:
    try:
        found: object = json.loads(text)
    except ValueError:
        return {}
    fields = cast("dict[str, object]", found) if isinstance(found, dict) else {}
    return {name: value for name, value in fields.items() if isinstance(value, str)}


def _right(right: bool) -> str:
    return "right" if right else "wrong"


def _release(released: bool, flawless: bool) -> str:
    """Say what the verifier made of a draft: only a flawed one that passed, or a right one that did not, is bad."""
    if released:
        return "right" if flawless else "flawed-passed"
    return "right-refused" if flawless else "flawed-refused"


def _confusion(truth: bool, *, said: bool | None) -> str:
    """Return truth and word: ``no-yes`` is a wrong one let through."""
    words = {True: "yes", False: "no", None: "none"}
    return f"{words[truth]}-{words[said]}"
