"""The decision: the four checks combined under the profile and under what the step itself asks for."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from hybridmesh.agents.router.complexity import check_complexity
from hybridmesh.agents.router.cost import Offer, amount_to_reserve, check_cost, estimate_tokens
from hybridmesh.agents.router.security import check_security, widest_lane
from hybridmesh.agents.router.speed import Latencies, check_speed
from hybridmesh.bus.settings import ProfileSettings
from hybridmesh.schemas.routing import Check, Decision, Lane
from hybridmesh.schemas.steps import StepClassified


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a decision rests on.

    ``offer`` is None when no cloud is set up; ``refused`` says why a consult of this step was turned down before;
    ``insist`` that a draft was, so that a stronger model should try; ``failed_there`` that the cloud has had its
    chance, so that home takes over.
    """

    profile: ProfileSettings
    offer: Offer | None
    latencies: Latencies
    now: datetime
    insist: bool = False
    failed_there: bool = False
    refused: str = ""


def decide(step: StepClassified, situation: Situation) -> Decision:
    """Return the lane for this attempt, with all four checks and what the other lane would have cost.

    HOLD means: REDACTED once a person has agreed to the text.
    """
    profile, offer = situation.profile, situation.offer
    lane = _candidate(step, situation)
    price = _price(lane, offer)
    checks = _checks(step, situation, lane, price)
    home = _why_home(step, situation, lane, checks)
    if home or offer is None:
        return Decision(lane=Lane.LOCAL, reason=home, checks=checks, other_cost_usd=price)
    asking = _why_ask(step, profile, price)
    return Decision(
        lane=Lane.HOLD if asking else lane,
        reason=asking or _why_cloud(step, situation, checks),
        checks=checks,
        cost_usd=amount_to_reserve(price, profile),
        other_cost_usd=Decimal(0),
        model=offer.model,
    )


def _candidate(step: StepClassified, situation: Situation) -> Lane:
    """Return the lane that would be taken if the cloud is; LOCAL when what the step asks for is not allowed."""
    profile, offer, spec = situation.profile, situation.offer, step.context.spec
    widest = widest_lane(step, profile)
    if widest is Lane.LOCAL:
        return Lane.LOCAL
    if spec.lane == "split":
        return Lane.SPLIT
    if widest is Lane.SPLIT:
        return Lane.LOCAL if spec.lane == "redacted" else Lane.SPLIT
    if spec.lane == "auto" and spec.framework is not None and offer is not None:
        whole = check_cost(offer.answer_usd, offer.left_usd, profile)
        abstract = check_cost(offer.framework_usd, offer.left_usd, profile)
        if whole.binding and not abstract.binding:
            return Lane.SPLIT
    return Lane.REDACTED


def _price(lane: Lane, offer: Offer | None) -> Decimal | None:
    if offer is None:
        return None
    return offer.framework_usd if lane is Lane.SPLIT else offer.answer_usd


def _checks(step: StepClassified, situation: Situation, lane: Lane, price: Decimal | None) -> tuple[Check, ...]:
    profile, context, offer = situation.profile, step.context, situation.offer
    tokens_in = estimate_tokens(context.goal + context.spec.instruction + "".join(doc.text for doc in context.inputs))
    local_s = situation.latencies.local_s(tokens_in, context.spec.max_tokens)
    cloud_s = situation.latencies.cloud_s(context.spec.max_tokens)
    if lane is Lane.SPLIT:
        cloud_s += local_s  # the summary is written here first, and the framework is applied here
    return (
        check_security(step, profile),
        check_complexity(context, profile),
        check_cost(price, Decimal(0) if offer is None else offer.left_usd, profile),
        check_speed(local_s, cloud_s, context.deadline, situation.now),
    )


def _why_home(step: StepClassified, situation: Situation, lane: Lane, checks: tuple[Check, ...]) -> str:
    """Return the first reason to stay at home, strongest first; empty when the step may and should go."""
    security, complexity, cost, speed = checks
    asking = _why_ask(step, situation.profile, _price(lane, situation.offer))
    reasons = (
        ("this step is kept at home by its plan", step.context.spec.lane == "local"),
        (security.reason, security.binding),
        ("no cloud model is set up", situation.offer is None),
        ("the cloud's draft did not pass, so home takes over", situation.failed_there),
        (f"a consult was refused before: {situation.refused}", bool(situation.refused)),
        (security.reason, lane is Lane.LOCAL),
        (cost.reason, cost.binding),
        (speed.reason, speed.binding),
        (complexity.reason, not _why_cloud(step, situation, checks)),
        ("a person must agree to what leaves, and a summary is not written yet", asking and lane is Lane.SPLIT),
    )
    return next((reason for reason, holds in reasons if holds), "")


def _why_cloud(step: StepClassified, situation: Situation, checks: tuple[Check, ...]) -> str:
    _, complexity, _, speed = checks
    if step.context.spec.lane in ("redacted", "split"):
        return "the plan asks for the cloud's reasoning here"
    if situation.insist:
        return "the draft before did not pass, so a stronger model tries"
    if complexity.favours == "cloud":
        return complexity.reason
    return speed.reason if speed.favours == "cloud" else ""


def _why_ask(step: StepClassified, profile: ProfileSettings, price: Decimal | None) -> str:
    if profile.approve_from_label is not None and step.label >= profile.approve_from_label:
        return f"a person must agree before {step.label.name.lower()} text leaves, even without its private values"
    if profile.approve_from_usd is not None and amount_to_reserve(price, profile) >= profile.approve_from_usd:
        return f"a person must agree to calls from {profile.approve_from_usd:.4f} USD"
    return ""
