"""What follows from a decision: the local step, the proposal to the cloud, or the way back home."""

from decimal import Decimal
from typing import Literal

from hybridmesh.agents.router.cost import SUMMARY_INPUT_TOKENS, Offer, prompt_tokens
from hybridmesh.agents.router.prices import PriceList
from hybridmesh.agents.router.prompts import compose
from hybridmesh.bus.errors import BURIED, Unanswerable
from hybridmesh.bus.settings import CloudSettings, ProfileSettings
from hybridmesh.schemas.consults import ConsultProposed, ConsultRefused, Prompt
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.routing import Decision, Lane
from hybridmesh.schemas.steps import StepClassified, StepFailed, StepLocal, StepRejected

MAX_RETRIES = 2  # after the first try; then a person is asked
_MIN_ANSWER_TOKENS = 256  # a step's limit is meant for the local model; marks are longer than what they stand for


def prompt_of(step: StepClassified, rejected: StepRejected | None) -> Prompt | None:
    """Return what the cloud would read for this step, or None when nothing of it may leave."""
    if step.redacted is None:
        return None
    return compose(step.redacted, step.context.spec, rejected.verdict.codes if rejected else ())


def answer_tokens(spec: StepSpec, cloud: CloudSettings) -> int:
    """Return the limit of the cloud's answer."""
    return min(cloud.max_tokens, max(spec.max_tokens, _MIN_ANSWER_TOKENS))


def offer_for(
    step: StepClassified, cloud: CloudSettings, prices: PriceList, left: Decimal, rejected: StepRejected | None
) -> Offer:
    """Return the prices of this step: with its redacted text as it stands, and with an abstract summary."""
    prompt = prompt_of(step, rejected)
    tokens = 0 if prompt is None else prompt_tokens(prompt)
    return Offer(
        model=cloud.model,
        answer_usd=prices.price(cloud.model, tokens, answer_tokens(step.context.spec, cloud)),
        framework_usd=prices.price(cloud.model, SUMMARY_INPUT_TOKENS, cloud.max_tokens),
        left_usd=left,
    )


def propose(
    step: StepClassified, decision: Decision, cloud: CloudSettings, rejected: StepRejected | None
) -> ConsultProposed:
    """Return the proposal of the redacted lane; raises Unanswerable for a step that has no redacted text."""
    prompt = prompt_of(step, rejected)
    if prompt is None:
        raise Unanswerable("nothing of this step may leave", reason="nothing-redacted")
    return ConsultProposed(
        task_id=step.task_id,
        step_id=step.step_id,
        attempt=step.attempt,
        purpose="answer",
        prompt=prompt,
        model=decision.model,
        max_tokens=answer_tokens(step.context.spec, cloud),
        decision=decision,
        conversation=step.context.conversation,
    )


def failed_there(rejected: StepRejected | None) -> bool:
    """Say whether the cloud has had its chance, so that home takes over.

    That is so once its draft was turned down where a framework may be known at home, else for the last try: the same
    question a third time costs money and brings no other answer.
    """
    if rejected is None or rejected.decision.lane is Lane.LOCAL:
        return False
    return rejected.context.spec.framework is not None or rejected.attempt >= MAX_RETRIES


def complaints_about(rejected: StepRejected | None) -> tuple[str, ...]:
    """Return what the next local draft must mend: nothing, when home takes over, as those faults were the cloud's."""
    return () if rejected is None or failed_there(rejected) else rejected.verdict.reasons


def local_step(
    step: StepClassified,
    decision: Decision,
    complaints: tuple[str, ...] = (),
    mode: Literal["answer", "summarise"] = "answer",
) -> StepLocal:
    """Return the work for the local model, with the verifier's sentences when a draft was turned down."""
    return StepLocal(
        task_id=step.task_id,
        step_id=step.step_id,
        attempt=step.attempt,
        context=step.context,
        label=step.label,
        decision=decision,
        mode=mode,
        complaints=complaints,
    )


def after_refusal(before: Decision, reason: str) -> Decision:
    """Return the decision that replaces one for the cloud: same checks, nothing spent, nothing further to ask."""
    other = before.cost_usd if before.lane is not Lane.LOCAL else before.other_cost_usd
    return before.model_copy(
        update={
            "lane": Lane.LOCAL,
            "reason": f"stays home: {reason}",
            "cost_usd": Decimal(0),
            "other_cost_usd": other,
            "model": "",
        }
    )


def doubt_about(refused: ConsultRefused) -> str | None:
    """Return why one of our guards kept a prompt back; None when the cloud or the worker had no use for it."""
    ours = refused.by in ("classifier", "consultant") and not refused.reason.startswith(("cloud-", BURIED))
    return refused.reason if ours else None


def stop(step: StepClassified, profile: ProfileSettings, doubt: str | None) -> StepFailed | None:
    """Return the end of a step in doubt, where the profile stops then; None where it goes on."""
    if doubt is None or profile.on_doubt != "stop":
        return None
    detail = f"{doubt}, and profile {step.context.profile} stops in doubt"
    return StepFailed(
        task_id=step.task_id, step_id=step.step_id, attempt=step.attempt, reason="in-doubt", detail=detail
    )
