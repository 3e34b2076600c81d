"""The complexity check: does a step need high-level reasoning, judged from its form, its words and its size."""

import re
from dataclasses import dataclass

from hybridmesh.bus.settings import ProfileSettings
from hybridmesh.schemas.routing import Check
from hybridmesh.schemas.steps import StepContext

# Word stems (English, German, Spanish, French, Italian, Dutch, Portuguese) of work that small models do badly.
# Copying values out and sorting are not here: patterns, words and meaning do those beside the model; how well, says
# schemas/measured.
_JUDGEMENT = re.compile(
    r"\b(analy[sz]|anal[ií]s|anális|argu|assess|beurteil|bewert|compar|vergleich|vergelijk|evalu|valut|implicat|legal"
    r"|jur[ií]di|rechtlich|giuridic|liabilit|haftung|negotiat|verhand|plan\b|planen|planif|propos|recomm?[ae]nd"
    r"|empfehl|aanbevel|risk|risik|riesg|risqu|rischi|risico|risco|strat[eé]g|trade-?off|weigh|why\b|warum|por qu[eé]"
    r"|pourquoi|perch[eé]|waarom)",
    re.IGNORECASE,
)
_DRAFTING = re.compile(
    r"\b(answer to|antwort|compose|draft|entwurf|entwirf|e-?mail|essay|formulier|letter|carta|lettre|lettera"
    r"|redactar?\b|r[eé]dige|reply|replies|respond|risposta|r[eé]ponse|rewrite|schreib|schrijf|scriv|escrev|escrib"
    r"|speech|story|[eé]cri[stv]|write)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Weights:
    """What each feature adds to the score; the sum is cut at 1. Learning replaces these numbers, not the features."""

    choice: float = 0.0
    json: float = 0.05
    text: float = 0.15
    judgement: float = 0.25
    second_judgement: float = 0.1
    drafting: float = 0.25
    long_output: float = 0.2
    long_input: float = 0.2
    upstream: float = 0.05


LONG_OUTPUT_TOKENS = 600
LONG_INPUT_CHARS = 8_000
MANY_RESULTS = 3


def complexity(context: StepContext, weights: Weights = Weights()) -> tuple[float, tuple[str, ...]]:
    """Return a score from 0 (mechanical) to 1 (needs a strong model) and the features that raised it most."""
    spec = context.spec
    judgements = len({match.lower() for match in _JUDGEMENT.findall(spec.instruction)})
    chars = sum(len(document.text) for document in context.inputs)
    free = spec.output.kind == "text"
    parts = {
        "free text": weights.text if free else 0.0,
        "a fixed form": {"choice": weights.choice, "json": weights.json, "text": 0.0}[spec.output.kind],
        "judgement": weights.judgement * (judgements > 0) + weights.second_judgement * (judgements > 1),
        "drafting": weights.drafting if free and _DRAFTING.search(spec.instruction) else 0.0,
        "a long answer": weights.long_output * min(1.0, spec.max_tokens / LONG_OUTPUT_TOKENS) if free else 0.0,
        "a long input": weights.long_input * min(1.0, chars / LONG_INPUT_CHARS),
        "several earlier results": weights.upstream * min(len(spec.uses), MANY_RESULTS),
    }
    named = tuple(name for name, part in sorted(parts.items(), key=lambda item: -item[1]) if part > 0)
    return min(1.0, sum(parts.values())), named


def check_complexity(context: StepContext, profile: ProfileSettings) -> Check:
    """Compare the score with the profile's threshold; never binding, as it is only a guess at the difficulty."""
    score, features = complexity(context)
    hard = score >= profile.complexity
    why = " and ".join(features[:2]) or "a fixed form"
    return Check(
        name="complexity",
        score=round(score, 3),
        threshold=profile.complexity,
        favours="cloud" if hard else "local",
        reason=f"{'calls for a strong model' if hard else 'within reach of the local model'}: {why}",
    )
