"""A plan from the local model: it groups the goal's own sentences into steps, and writes none of them itself.

Asked to write instructions, the default model lost most of a goal or repeated its prompt. Numbers for sentences
cannot lose or invent anything: each step's instruction is the goal's own words, and every sentence is in one step.
"""

import json
import re
from itertools import pairwise
from typing import Any, cast

from hybridmesh.agents.decomposer.new_text import asks_for_new_text
from hybridmesh.agents.decomposer.plan import fault
from hybridmesh.bus.settings import PlanSettings
from hybridmesh.schemas.inference import Completion, CompletionRequest, Guide, GuideKind
from hybridmesh.schemas.plans import Plan, StepSpec

MAX_MODEL_STEPS = 4
_SHORT_GOAL = 160
_MOST_SENTENCES = 10  # more than that is material, which no plan should cut through

# A full stop after a digit ("1. May") or before a small letter ("e.g. this") ends no sentence.
_SENTENCE_END = re.compile(r"(?<=\D[.!?])\s+(?=[^\s\d(a-z])|(?<=[。！？])|\n+")
_SYSTEM = """\
A task is given as numbered sentences. Group the sentences that belong together into steps, in their order. The \
answer is one step number for each sentence: sentences of the same step get the same number, a new piece of work \
starts the next number. A sentence that only introduces the next one gets the number of the next one."""
_EXAMPLE = """\
Task:
1. Here is a report.
2. List the costs it names.
3. Use euros.
4. Then write a letter to the supplier.
5. Keep it short.
6. Last, suggest a date for a call.
Steps: {"steps": [1, 1, 1, 2, 2, 3]}"""


def sentences_of(goal: str) -> list[str]:
    """Return the goal's sentences and lines, without loss of a word."""
    return [part.strip() for part in _SENTENCE_END.split(goal) if part.strip()]


def worth_asking(goal: str) -> bool:
    """Say whether a goal has anything to cut: a short one or a single sentence is one step, without a call."""
    return len(goal) > _SHORT_GOAL and 1 < len(sentences_of(goal)) <= _MOST_SENTENCES


def plan_request(goal: str, deadline_s: float) -> CompletionRequest:
    """Return the prompt, held to one number for each sentence."""
    sentences = sentences_of(goal)
    numbered = "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(sentences, start=1))
    return CompletionRequest(
        system=_SYSTEM,
        user=f"{_EXAMPLE}\n\nTask:\n{numbered}\nSteps:",
        max_tokens=24 + 4 * len(sentences),
        guide=Guide(kind=GuideKind.JSON_SCHEMA, pattern=json.dumps(grouping_schema(len(sentences)))),
        deadline_s=deadline_s,
    )


def grouping_schema(sentences: int) -> dict[str, Any]:
    """Return the JSON Schema of the answer: a step number for each sentence."""
    numbers = {
        "type": "array",
        "items": {"type": "integer", "minimum": 1, "maximum": MAX_MODEL_STEPS},
        "minItems": sentences,
        "maxItems": sentences,
    }
    return {
        "type": "object",
        "properties": {"steps": numbers},
        "required": ["steps"],
        "additionalProperties": False,
    }


def read_plan(goal: str, answer: Completion, limits: PlanSettings) -> Plan | None:
    """Return the plan in the answer, or None when it is no grouping, or one that cannot be run.

    The numbers must start at 1 and rise by at most one; each step reads the result of the one before, and all are
    results, so that nothing that was asked for is left out.
    """
    sentences = sentences_of(goal)
    numbers = _numbers(answer)
    if len(numbers) != len(sentences) or numbers[:1] != [1]:
        return None
    if any(after - before not in (0, 1) for before, after in pairwise(numbers)):
        return None
    steps = tuple(_step(step, numbers, sentences) for step in range(1, numbers[-1] + 1))
    results = tuple(step.id for step in steps)
    return None if fault(steps, results, limits) else Plan(source="model", steps=steps, results=results)


def _step(number: int, numbers: list[int], sentences: list[str]) -> StepSpec:
    own = [sentence for sentence, step in zip(sentences, numbers, strict=True) if step == number]
    instruction = " ".join(own)
    return StepSpec(
        id=f"s{number}",
        title=f"Step {number}",
        instruction=instruction,
        own_words=asks_for_new_text(instruction),
        uses=(f"s{number - 1}",) if number > 1 else (),
    )


def _numbers(answer: Completion) -> list[int]:
    if answer.finish != "stop":
        return []
    try:
        body: object = json.loads(answer.text)
    except (ValueError, RecursionError):
        return []
    found = cast("dict[str, object]", body).get("steps") if isinstance(body, dict) else None
    numbers = cast("list[object]", found) if isinstance(found, list) else []
    return [number for number in numbers if isinstance(number, int) and not isinstance(number, bool)]
