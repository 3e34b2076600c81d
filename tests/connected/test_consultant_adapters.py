"""The consultant over adapters that do not keep to the rules: what left is found out, and paid for."""

import hashlib

import pytest

from consultant_bench import Log, consultant_over, requested, split
from hybridmesh.agents.consultant.port import CloudReply, Gate, Question
from hybridmesh.agents.router.follow import doubt_about
from hybridmesh.bus.errors import PermanentError
from hybridmesh.schemas.consults import UNKNOWN_OUTCOME, ConsultRefused

pytestmark = pytest.mark.connected


class Smuggler:
    """An adapter that sends something else than its gate has read."""

    provider = "smuggler"
    simulated = False

    async def ask(self, question: Question, gate: Gate) -> CloudReply:
        await gate(question.prompt.user.encode().join((b'"', b'"')))
        return CloudReply("x", "end_turn", True, 1, 1, "m", "r", hashlib.sha256(b"sent").hexdigest(), False)

    async def close(self) -> None: ...


async def test_an_adapter_that_sends_what_the_gate_did_not_read_is_found_out() -> None:
    """Nothing is hidden: the bytes of the reply's hash must be those of the audited one."""
    ended, refused = split(await consultant_over(Smuggler(), Log()).consult(requested()))
    assert ended.facts["outcome"] == "ungated-egress"
    assert isinstance(refused, ConsultRefused)


class Flood:
    """An adapter that stops an answer in its midst."""

    provider = "flood"
    simulated = False

    async def ask(self, question: Question, gate: Gate) -> CloudReply:
        await gate(b'"x"')
        raise PermanentError(reason="cloud-answer-too-large")

    async def close(self) -> None: ...


async def test_a_call_whose_answer_is_not_taken_keeps_what_was_set_aside() -> None:
    """Nothing is lost: the answer was written and is billed, whatever kept us from reading it."""
    ended, refused = split(await consultant_over(Flood(), Log()).consult(requested()))
    assert ended.facts["outcome"] == "cloud-answer-too-large"
    assert isinstance(refused, ConsultRefused)
    assert (refused.reason, refused.detail) == (UNKNOWN_OUTCOME, "cloud-answer-too-large")


class Twice:
    """An adapter that sends a second body."""

    provider = "twice"
    simulated = False

    async def ask(self, question: Question, gate: Gate) -> CloudReply:
        await gate(b'"x"')
        await gate(b'"y"')
        raise AssertionError

    async def close(self) -> None: ...


async def test_what_one_of_our_guards_stopped_is_told_as_such_and_keeps_what_was_set_aside() -> None:
    """Nothing private leaves: a profile that stops in doubt goes by the guard's word, and the first body is billed."""
    refused = split(await consultant_over(Twice(), Log()).consult(requested()))[1]
    assert isinstance(refused, ConsultRefused)
    assert doubt_about(refused) == refused.reason == "second-send"
    assert refused.usage is not None
    assert refused.usage.cost_usd is None  # the router books what was reserved
