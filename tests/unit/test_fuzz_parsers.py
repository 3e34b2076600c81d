"""Whatever comes in from outside or from disk: parsers answer or say that they cannot, and never fail otherwise."""

import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridmesh.agents.classifier.door import judge
from hybridmesh.agents.classifier.normalise import normalise
from hybridmesh.agents.classifier.quasi_identifiers import find_generic
from hybridmesh.agents.consultant.egress_scan import scan_body
from hybridmesh.agents.worker.forms import read_answer
from hybridmesh.agents.worker.framework import parse_framework
from hybridmesh.agents.worker.restoring import restore_answer
from hybridmesh.bus.clearances import check_clearance
from hybridmesh.bus.errors import PermanentError, UntrustedMessage
from hybridmesh.bus.identity import Identity
from hybridmesh.bus.receipts import check_receipt, sign_receipt
from hybridmesh.bus.vault import Forgotten, open_sealed
from hybridmesh.schemas.consults import Prompt
from hybridmesh.schemas.destinations import Destinations
from hybridmesh.schemas.plans import OutputForm
from hybridmesh.schemas.privacy import Clearance
from hybridmesh.schemas.surrogates import find_lookalikes

KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
FORMS = [
    OutputForm(),
    OutputForm(kind="choice", options=("yes", "no")),
    OutputForm(kind="json", json_schema={"type": "object"}),
]
BITS = [
    "[PERSON_7Q2M]", "[PERSON_", "7Q2M]", "\\", "\\u00", '"', "{", "}", "[", "]", ":", ",", "```json\n", "\n```",
    "null", "&#91;", "%5B", "](", "<a", ">", "://", "www.", "\ud800", "\x00", "1e999", "-0", "12.05.1981", "aged 34",
    "GmbH",     '"template"', '"slots"', "{who}", "{?", "\u202e", "\u200b", "ﬁ",
]  # fmt: skip
REPLIES = st.one_of(st.text(st.characters(), max_size=60), st.lists(st.sampled_from(BITS), max_size=20).map("".join))


@settings(max_examples=200)
@given(REPLIES, st.sampled_from(FORMS))
def test_a_reply_of_any_kind_is_read_and_restored(reply: str, form: OutputForm) -> None:
    """Nothing is lost: no reply of a model can end its handler."""
    answer = restore_answer(read_answer(reply, form), {"[PERSON_7Q2M]": 'O"Neil'}, form)
    assert 0 <= answer.withheld <= answer.unresolved
    parse_framework(reply)
    list(find_lookalikes(reply))


@settings(max_examples=200)
@given(REPLIES)
def test_a_text_of_any_kind_is_judged(text: str) -> None:
    """Nothing is lost: the door, the look at what is left, and the watch over destinations take any text."""
    judge([text], [[]], {"[PERSON_7Q2M]": text or "x"})
    list(find_generic(text))
    assert len(normalise(text).text) >= 0
    watch = Destinations()
    watch.read(text)
    cut = Destinations()
    for char in text:
        cut.read(char)
    assert watch.leaving == cut.leaving


@given(st.one_of(st.binary(max_size=80), REPLIES.map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_a_body_of_any_bytes_is_scanned(body: bytes) -> None:
    """Nothing private leaves: what cannot be read is itself a finding, and not an error that somebody could miss."""
    try:
        json.loads(body)
    except ValueError:
        assert scan_body(body).total == 1
    else:
        scan_body(body)


@given(st.one_of(st.text(max_size=60), st.binary(max_size=60).map(lambda body: b64encode(body).decode())))
def test_a_record_of_the_vault_that_was_touched_does_not_open(sealed: str) -> None:
    """Nothing private leaves: bytes that the vault did not seal are one plain error, whatever they are."""
    with pytest.raises(PermanentError) as caught:
        open_sealed(b"k" * 32, sealed, b"scope")
    assert caught.value.reason == "vault-unreadable"


@given(st.text(max_size=140), st.text(max_size=20))
def test_a_forged_signature_of_any_form_does_not_hold(signature: str, reason: str) -> None:
    """Nothing private leaves: no text passes for a clearance's or a receipt's signature."""
    prompt = Prompt(system="s", user="u")
    clearance = Clearance(
        prompt_sha256=prompt.digest(), task_id="t", step_id="s", attempt=1, policy_version=1, counts={}, lane=reason,
        expires_at=NOW, key_id="", signature=signature,
    )  # fmt: skip
    with pytest.raises(UntrustedMessage):
        check_clearance(clearance, prompt, KEY.public_key(), NOW, "t", "s", 1)
    note = Forgotten(scope=reason, at=NOW, values=1, key_id="", data_key_id="")
    receipt = sign_receipt(note, Identity("publisher", KEY))
    check_receipt(receipt, KEY.public_key())
    with pytest.raises(UntrustedMessage):
        check_receipt(receipt.model_copy(update={"signature": signature}), KEY.public_key())
