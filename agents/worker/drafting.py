"""Makes drafts at home: by a framework where one is known for the kind of step, else by the local model."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from hybridmesh.agents.worker.application import apply
from hybridmesh.agents.worker.extraction import extract
from hybridmesh.agents.worker.forms import read_answer
from hybridmesh.agents.worker.framework import Origin, keys_for
from hybridmesh.agents.worker.language import guess_language
from hybridmesh.agents.worker.lessons import Lesson, obey
from hybridmesh.agents.worker.options import choose_option, descriptions, nearest_option
from hybridmesh.agents.worker.prompts import compose
from hybridmesh.agents.worker.recall import Recall
from hybridmesh.agents.worker.shipped import shipped_frameworks
from hybridmesh.bus.agent import Clock
from hybridmesh.bus.errors import Unanswerable
from hybridmesh.bus.ports import LocalModel
from hybridmesh.schemas.audits import Fact
from hybridmesh.schemas.frameworks import Application, Framework
from hybridmesh.schemas.inference import Completion, CompletionRequest, Purpose
from hybridmesh.schemas.measured import CHOICE, Figures, relied_on
from hybridmesh.schemas.steps import StepContext

T = TypeVar("T")

_RESULT_PREFIX = "result:"  # how the decomposer names the result of an earlier step
_CHARS_A_TOKEN = 3
_QUESTION_CHARS = 900  # room for a framework's questions beside the text
_SHORTEST_DEADLINE_S = 1.0


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft and how it came about; ``facts`` are for the audit log."""

    text: str
    author: str
    incomplete: bool
    application: Application | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict[str, Fact])


@dataclass(frozen=True, slots=True)
class Known:
    """A framework, the key it was found under, and where."""

    framework: Framework
    key: str
    origin: Origin


def source_of(context: StepContext) -> str:
    """Return the private text that slots are copied from: the task's inputs, else the results of earlier steps."""
    given = [document.text for document in context.inputs if not document.name.startswith(_RESULT_PREFIX)]
    return "\n\n".join(given or [document.text for document in context.inputs])


class Drafter:
    """Frameworks and the local model, with what the memory knows; ``names`` are the models', where they are known.

    ``figures`` are what the models were measured at, instead of those that ship.
    """

    def __init__(
        self,
        model: LocalModel,
        recall: Recall,
        clock: Clock,
        *,
        max_prompt_tokens: int,
        names: Callable[[], Mapping[Purpose, str]] = dict,
        figures: Figures | None = None,
    ) -> None:
        self._model = model
        self._names = names
        self._figures = figures
        self._recall = recall
        self._clock = clock
        self._max_prompt_tokens = max_prompt_tokens

    async def remembered(self, context: StepContext) -> Known | None:
        """Return the remembered framework for this kind of step and language."""
        for key in self._keys(context):
            if framework := await self._recall.framework(key):
                return Known(framework, key, "remembered")
        return None

    async def known(self, context: StepContext) -> Known | None:
        """Return the framework to use: of one key a remembered one before a shipped one, the language's key first."""
        for key in self._keys(context):
            if framework := await self._recall.framework(key):
                return Known(framework, key, "remembered")
            if framework := shipped_frameworks().get(key):
                return Known(framework, key, "shipped")
        return None

    async def by_framework(self, context: StepContext, known: Known) -> Draft | None:
        """Fill a framework with what stands in the step's texts; asks the model only for what patterns cannot find.

        None where the framework would carry a value out of the finished text.
        """
        source = source_of(context)
        found = await self._within_limit(
            lambda tokens: extract(
                known.framework,
                source,
                self._completer(context),
                budget=max(200, tokens * _CHARS_A_TOKEN - _QUESTION_CHARS),
                model=self._names().get("check"),
                figures=self._figures,
            )
        )
        filled = apply(known.framework, known.key, known.origin, found.slots, found.checks)
        if filled is None:
            return None
        lessons = await self._recall.lessons(context)
        return Draft(
            text=read_answer(obey(filled.text, lessons), context.spec.output),
            author=f"framework:{known.key}",
            incomplete=not filled.complete,
            application=filled.application,
            facts={
                "way": "framework",
                "origin": known.origin,
                "confirmed": len(filled.application.confirmed),
                "missing": len(filled.application.missing),
                "unconfirmed": found.unconfirmed,
                "model_calls": found.calls,
                "left_out_chars": found.left_out,
                "lessons": len(lessons),
            },
        )

    async def by_model(self, context: StepContext, complaints: Sequence[str]) -> Draft:
        """Have the local model answer the step; a choice that its words decide needs no model."""
        output, source = context.spec.output, source_of(context)
        if output.kind == "choice" and not complaints and (decided := await self._choose(context)):
            return decided
        text_wanted = output.kind == "text"
        lessons = await self._recall.lessons(context)
        knowledge = await self._recall.knowledge(f"{context.goal}\n{source}") if text_wanted else ()
        language = guess_language(source) if text_wanted else None

        async def attempt(tokens: int) -> tuple[Completion, int]:
            prompt = compose(
                context,
                max_prompt_tokens=tokens,
                lessons=[lesson.text for lesson in lessons],
                knowledge=knowledge,
                complaints=complaints,
                language=language,
            )
            return await self._completer(context)(prompt.request), prompt.left_out

        completion, left_out = await self._within_limit(attempt)
        return Draft(
            text=self.finish(read_answer(completion.text, context.spec.output), context, lessons),
            author=completion.model,
            incomplete=completion.finish != "stop",
            facts={
                "way": "model",
                "model": completion.model,
                "finish": completion.finish,
                "prompt_tokens": completion.prompt_tokens,
                "output_tokens": completion.output_tokens,
                "left_out_chars": left_out,
                "lessons": len(lessons),
                "knowledge": len(knowledge),
            },
        )

    async def _choose(self, context: StepContext) -> Draft | None:
        """Decide a choice by the words of its options, else by their meaning; None leaves it to the model.

        A model that was measured to choose well is asked before meaning; smaller ones take the first option.
        """
        options, instruction = context.spec.output.options, context.spec.instruction
        source = source_of(context)
        if decided := choose_option(source, instruction, options):
            return Draft(text=decided, author="rule:options", incomplete=False, facts={"way": "words"})
        chooser = self._names().get("draft")
        if chooser is not None and relied_on(chooser, CHOICE, figures=self._figures):
            return None
        described = descriptions(instruction, options)
        scores = await self._recall.closeness(source, described) if described else None
        nearest = nearest_option(options, scores) if scores else None
        if nearest is None:
            return None
        return Draft(text=nearest, author="rule:closeness", incomplete=False, facts={"way": "meaning"})

    async def taught(self, text: str, context: StepContext) -> str:
        """Return a text that came from elsewhere, held to this kind of step's lessons."""
        return self.finish(text, context, await self._recall.lessons(context))

    @staticmethod
    def finish(text: str, context: StepContext, lessons: Sequence[Lesson]) -> str:
        """Hold free text to the rules of its lessons; other forms have no sentences to take out."""
        return obey(text, lessons) if context.spec.output.kind == "text" else text

    def _keys(self, context: StepContext) -> tuple[str, ...]:
        if context.spec.output.kind == "json":  # a template is text: it cannot promise to be valid JSON
            return ()
        return keys_for(context.spec.framework, guess_language(source_of(context)))

    def _completer(self, context: StepContext) -> Callable[[CompletionRequest], Awaitable[Completion]]:
        async def complete(request: CompletionRequest) -> Completion:
            return await self._model.complete(
                request.model_copy(update={"deadline_s": seconds_left(context.deadline, self._clock())})
            )

        return complete

    async def _within_limit(self, attempt: Callable[[int], Awaitable[T]]) -> T:
        """Run ``attempt`` with a smaller prompt when a dense text has more tokens than its length lets expect."""
        for part in (1, 2, 4):
            try:
                return await attempt(self._max_prompt_tokens // part)
            except Unanswerable as error:
                if error.reason != "prompt-too-long":
                    raise
        raise Unanswerable("the step does not fit into a prompt", reason="prompt-too-long")


def seconds_left(deadline: datetime | None, now: datetime) -> float | None:
    """Return how long the model may take; a deadline that has passed still leaves a moment to fail in."""
    return None if deadline is None else max(_SHORTEST_DEADLINE_S, (deadline - now).total_seconds())
