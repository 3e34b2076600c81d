"""What the local models were measured at, and which of it each function of an agent relies on. Data, and one question.

The figures are those of ``tests/bench/results/quality.json`` (`make bench-quality`, 224 cases in four languages), over
all languages; a test holds them against it. An agent asks ``relied_on`` and does what ``below`` says where it is not.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_Z = 1.959964
_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s*([bm])(?![a-z0-9])", re.IGNORECASE)
LARGE_B: Final = 3.0
"""From this size on a model that was not measured is relied on; no smaller one is.

The size is the one in its name: `model export` takes no name that says this much of fewer weights.
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """How many answers of how many were right."""

    right: int
    of: int

    @property
    def low(self) -> float:
        """The low end of the 95 % interval (Wilson): what the share is at least."""
        share, square = self.right / self.of, _Z * _Z
        reach = _Z * math.sqrt(share * (1 - share) / self.of + square / (4 * self.of * self.of))
        return (share + square / (2 * self.of) - reach) / (1 + square / self.of)


@dataclass(frozen=True, slots=True)
class Reliance:
    """That a function which asks the model relies on a row of the benchmark, from which share on, and else what.

    ``asks`` words the question and ``decides`` is the module that weighs the answer. The low end of the row's interval
    has to reach ``least``; None where nothing is ever taken on the model's word, whatever it was measured at.
    """

    asks: str
    decides: str
    row: str
    least: float | None
    below: str


REJECTION: Final = Reliance(
    asks="agents/verifier/judgement.py:judge_request",
    decides="agents/verifier/judgement.py",
    row="verification/no",
    least=0.6,
    below="the model's No rejects nothing; deterministic evidence decides",
)
SETTLING: Final = Reliance(
    asks="agents/verifier/judgement.py:judge_request",
    decides="agents/verifier/judgement.py",
    row="verification/yes",
    least=0.6,
    below="the model's Yes settles nothing: free text in which the rules leave a doubt is turned down",
)
CHOICE: Final = Reliance(
    asks="agents/worker/prompts.py:compose",
    decides="agents/worker/drafting.py",
    row="classification/model",
    least=0.6,
    below="the words of the options decide, then their meaning (MiniLM); the model only where neither does",
)
PLAN: Final = Reliance(
    asks="agents/decomposer/model_plan.py:plan_request",
    decides="agents/decomposer/agent.py",
    row="planning/grouping",
    least=0.5,
    below="the model is not asked; the marks of the goal's writer cut it, else it is one step",
)
CHECK: Final = Reliance(
    asks="agents/worker/questions.py:check_request",
    decides="agents/worker/extraction.py",
    row="slots/check",
    least=0.6,
    below="the question is not asked; a framework's lines that need its answer are left out",
)
SLOT: Final = Reliance(
    asks="agents/worker/questions.py:slots_request",
    decides="agents/worker/extraction.py",
    row="slots/by model",
    least=0.33,  # every fifth slot of the cases is empty: who asks nobody has that share right
    below="only what a pattern finds is filled in; the other slots are missing",
)
EXTRACTION: Final = Reliance(
    asks="agents/worker/prompts.py:compose",
    decides="agents/verifier/rules.py",
    row="extraction/field",
    least=None,
    below="the verifier holds the JSON to its form, and each number, date and reference in it to the task's texts",
)
SUMMARY: Final = Reliance(
    asks="agents/worker/summary.py:summary_request",
    decides="agents/worker/abstracts.py",
    row="abstract/kept",
    least=None,
    below="a summary that holds a figure, a name or five words in a row of its source is left out; the rest is stated",
)
FREE_TEXT: Final = Reliance(
    asks="agents/worker/prompts.py:compose",
    decides="agents/verifier/rules.py",
    row="verification/verdict",
    least=None,
    below="no model's text is released before every rule of the verifier has passed it",
)
RELIANCES: Final = (REJECTION, SETTLING, CHOICE, PLAN, CHECK, SLOT, EXTRACTION, SUMMARY, FREE_TEXT)

Figures = Mapping[str, Mapping[str, Figure]]
"""By model and row."""
FIGURES: Final[Figures] = {
    "qwen2.5-coder-0.5b": {
        "verification/no": Figure(27, 53),
        "verification/yes": Figure(2, 3),
        "classification/model": Figure(8, 48),
        "planning/grouping": Figure(4, 32),
        "slots/check": Figure(44, 80),
        "slots/by model": Figure(62, 129),
        "extraction/field": Figure(142, 236),
        "abstract/kept": Figure(26, 40),
        "verification/verdict": Figure(32, 56),
    },
    "qwen2.5-coder-1.5b": {
        "verification/no": Figure(8, 8),
        "verification/yes": Figure(28, 48),
        "classification/model": Figure(23, 48),
        "planning/grouping": Figure(5, 32),
        "slots/check": Figure(54, 80),
        "slots/by model": Figure(102, 129),
        "extraction/field": Figure(196, 236),
        "abstract/kept": Figure(39, 40),
        "verification/verdict": Figure(36, 56),
    },
    "smollm2-135m": {
        "verification/no": Figure(28, 56),
        "classification/model": Figure(8, 48),
        "planning/grouping": Figure(4, 32),
        "slots/check": Figure(40, 80),
        "slots/by model": Figure(30, 129),
        "extraction/field": Figure(49, 236),
        "abstract/kept": Figure(34, 40),
        "verification/verdict": Figure(32, 56),
    },
}


def relied_on(model: str | None, reliance: Reliance, *, figures: Figures | None = None) -> bool:
    """Say whether a model may be taken at its word; None, a model whose name is not known yet, may be asked.

    One that was not measured is relied on by its size alone, where a measured one is asked for a share; ``figures`` are
    an operator's own, with those that ship.
    """
    if reliance.least is None:
        return False
    if model is None:
        return True
    figure = (FIGURES if figures is None else figures).get(model, {}).get(reliance.row)
    return billions(model) >= LARGE_B if figure is None else figure.low >= reliance.least


def billions(model: str) -> float:
    """Return the size in a model's name (``qwen2.5-coder-0.5b``), 0 when it names none."""
    sizes = [float(size) / (1 if unit in "bB" else 1000) for size, unit in _SIZE.findall(model)]
    return max(sizes, default=0.0)
