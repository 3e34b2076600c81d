"""Nothing private leaves: a clearance holds for one prompt, one attempt and one time, or not at all."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hybridmesh.bus.clearances import check_clearance, key_id_of, sign_clearance
from hybridmesh.bus.errors import UntrustedMessage
from hybridmesh.schemas.consults import Prompt
from hybridmesh.schemas.privacy import Clearance

KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
TASK = "0195f0aa-0000-7000-8000-000000000001"
PROMPT = Prompt(system="be brief", user="Dear [PERSON_7Q2M]", json_schema={"type": "object"})


def clearance(**changes: object) -> Clearance:
    fields: dict[str, object] = {
        "prompt_sha256": PROMPT.digest(), "task_id": TASK, "step_id": "reply", "attempt": 1, "policy_version": 1,
        "counts": {"PERSON": 1}, "lane": "redacted", "expires_at": NOW + timedelta(minutes=5), "key_id": "",
    }  # fmt: skip
    return sign_clearance(Clearance.model_validate({**fields, **changes}), KEY)


def check(given: Clearance | None, prompt: Prompt = PROMPT, *, now: datetime = NOW, attempt: int = 1) -> None:
    check_clearance(given, prompt, KEY.public_key(), now=now, task_id=TASK, step_id="reply", attempt=attempt)


def test_a_signed_clearance_lets_its_prompt_through_also_after_the_wire() -> None:
    """Nothing private leaves, and what is cleared does: the signature survives JSON."""
    sent = Clearance.model_validate_json(clearance().model_dump_json())
    check(sent)
    assert sent.key_id == key_id_of(KEY.public_key())


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (None, "clearance-missing"),
        (clearance().model_copy(update={"signature": ""}), "clearance-missing"),
        (clearance().model_copy(update={"signature": "zz"}), "clearance-altered"),
        (clearance().model_copy(update={"counts": {}}), "clearance-altered"),
        (clearance().model_copy(update={"expires_at": NOW + timedelta(days=9)}), "clearance-altered"),
        (clearance().model_copy(update={"extra": 1}), "clearance-altered"),
        (sign_clearance(clearance(), OTHER_KEY), "clearance-unknown-key"),
        (clearance(step_id="other"), "clearance-wrong-step"),
        (clearance(expires_at=NOW), "clearance-expired"),
        (clearance(prompt_sha256="00"), "clearance-wrong-prompt"),
    ],
)
def test_anything_else_is_refused(given: Clearance | None, reason: str) -> None:
    """Nothing private leaves: no field of a clearance can be changed, borrowed or used late."""
    with pytest.raises(UntrustedMessage) as caught:
        check(given)
    assert caught.value.reason == reason


def test_the_forged_key_id_of_another_key_does_not_hold() -> None:
    """Nothing private leaves: naming the right key is not signing with it."""
    forged = sign_clearance(clearance(), OTHER_KEY).model_copy(update={"key_id": key_id_of(KEY.public_key())})
    with pytest.raises(UntrustedMessage) as caught:
        check(forged)
    assert caught.value.reason == "clearance-altered"


@pytest.mark.parametrize("part", ["system", "user", "json_schema"])
def test_every_part_of_the_prompt_is_covered(part: str) -> None:
    """Nothing private leaves: one changed part of the prompt needs a new clearance."""
    changed = PROMPT.model_copy(update={part: {} if part == "json_schema" else "other"})
    with pytest.raises(UntrustedMessage) as caught:
        check(clearance(), changed)
    assert caught.value.reason == "clearance-wrong-prompt"


def test_a_second_attempt_needs_its_own_clearance() -> None:
    """Nothing is counted twice: the clearance of one attempt does not serve the next."""
    with pytest.raises(UntrustedMessage):
        check(clearance(), attempt=2)
