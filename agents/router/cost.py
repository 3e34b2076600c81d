"""The cost check: the price of a call against what is left of the task's budget and against a call's limit."""

from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from hybridmesh.bus.settings import ProfileSettings
from hybridmesh.schemas.consults import Prompt
from hybridmesh.schemas.routing import Check

# A summary for a split is bounded by what the local model may write; the rest is the framework's own explanation.
SUMMARY_INPUT_TOKENS = 1_600

_BYTES_A_TOKEN = 3


@dataclass(frozen=True, slots=True)
class Offer:
    """What the cloud would take for this step, in USD; a price is None when nobody knows the model's prices.

    ``answer_usd`` is for the redacted text as it stands, ``framework_usd`` for an abstract summary.
    """

    model: str
    answer_usd: Decimal | None
    framework_usd: Decimal | None
    left_usd: Decimal


def estimate_tokens(text: str) -> int:
    """Return an upper guess: a token for each 3 bytes of UTF-8 (English has 4 or more, other scripts about 3)."""
    return ceil(len(text.encode("utf-8", "surrogatepass")) / _BYTES_A_TOKEN)


def prompt_tokens(prompt: Prompt) -> int:
    """Return an upper guess at the tokens of all that is sent."""
    schema = "" if prompt.json_schema is None else str(prompt.json_schema)
    return estimate_tokens(prompt.system) + estimate_tokens(prompt.user) + estimate_tokens(schema)


def budget_limit(profile: ProfileSettings, task_budget: Decimal | None) -> Decimal:
    """Return what a task may spend: its publisher can narrow the profile's budget and not widen it."""
    return profile.budget_usd if task_budget is None else min(task_budget, profile.budget_usd)


def amount_to_reserve(price: Decimal | None, profile: ProfileSettings) -> Decimal:
    """Return the price, or for an unknown one the most that a call may cost: unknown is never free."""
    return profile.max_call_usd if price is None else price


def check_cost(price: Decimal | None, left: Decimal, profile: ProfileSettings) -> Check:
    """Judge one call; score is its price and threshold what it may cost, both in USD."""
    allowed = min(left, profile.max_call_usd)
    amount = amount_to_reserve(price, profile)
    if left <= 0:
        bound, reason = True, "nothing is left of the budget"
    elif price is None and profile.cloud != "preferred":
        bound, reason = True, "the price of the cloud model is not known"
    elif amount > left:
        bound, reason = True, f"{amount:.4f} USD is more than the {left:.4f} USD that are left"
    elif amount > profile.max_call_usd:
        bound, reason = True, f"{amount:.4f} USD is more than the {profile.max_call_usd:.4f} USD a call may cost"
    elif price is None:
        bound, reason = False, f"the price is not known, so it counts as {amount:.4f} USD"
    else:
        bound, reason = False, f"{amount:.4f} USD of the {left:.4f} USD that are left"
    return Check(
        name="cost",
        score=float(amount),
        threshold=float(allowed),
        favours="local" if bound else "either",
        binding=bound,
        reason=reason,
    )
