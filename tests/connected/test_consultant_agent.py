"""The consultant with the real SDK, real clearances and a cloud on a real socket: what leaves, what is on record."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_double import (
    Part,
    Received,
    answer,
    as_json,
    cut_short,
    failure,
    message,
    rate_limited,
    reset,
    web_page,
)
from consultant_bench import CLEARANCE_S, START, Book, Desk, Log, consultant_over, requested, split
from hybridmesh.agents.consultant.calls import CallRecord, Calls
from hybridmesh.agents.consultant.prices import price_of
from hybridmesh.bus.clearances import sign_clearance
from hybridmesh.bus.errors import CloudUnavailable, MeshUnavailable
from hybridmesh.schemas.audits import Action
from hybridmesh.schemas.consults import UNKNOWN_OUTCOME, ConsultAdvised, ConsultRefused, ConsultRequested, Prompt
from hybridmesh.schemas.message import Message


async def test_what_is_audited_is_what_left() -> None:
    """Nothing is hidden: the egress is on record before it happens, by the hash of its bytes, and so is its end."""
    log = Log()
    at_arrival: list[Action] = []

    def look(request: Received) -> Part:
        at_arrival.extend(event.action for event in log.events)
        return answer("Grant it.")

    async with Desk(look, audit=log) as desk:
        request = requested()
        ended, advised = split(await desk.consultant.consult(request))
    assert at_arrival == [Action.EGRESS_STARTED]
    body = desk.cloud.bodies[0]
    started = log.events[0].facts
    assert (started["sent_sha256"], started["bytes"]) == (hashlib.sha256(body).hexdigest(), len(body))
    assert [(copy.body.encode(), copy.sha256) for copy in log.copies] == [(body, started["sent_sha256"])]
    assert started["model"] == "claude-sonnet-5-5"
    assert isinstance(advised, ConsultAdvised)
    assert advised.sent_sha256 == started["sent_sha256"]
    assert (advised.advice, advised.complete, advised.provider, advised.simulated) == (
        "Grant it.",
        True,
        "anthropic",
        False,
    )
    assert advised.usage.cost_usd == Decimal("0.000094")  # 12 tokens at 2 and 7 at 10 USD a million
    assert ended.action == Action.EGRESS_ENDED
    assert (ended.facts["outcome"], ended.facts["cost_usd"]) == ("advised", "0.000094")
    assert ended.nonce == log.events[0].nonce


async def test_no_audit_event_holds_text() -> None:
    """Nothing private leaves: hashes, counts and codes only, also when the answer echoes everything."""
    async with Desk(answer("[PERSON_7Q2M] asks about a refund.")) as desk:
        ended, _ = split(await desk.consultant.consult(requested()))
    shown = "".join(event.model_dump_json() for event in (*desk.audit.events, ended))
    for word in ("refund", "PERSON_7Q2M", "req_double", "sk-test"):
        assert word not in shown


LEAKS = [
    Prompt(system="Advise.", user="maria@example.org asks about a refund."),
    Prompt(system="Her card is 4111 1111 1111 1111.", user="Advise."),
    Prompt(system="", user="x", json_schema={"type": "string", "description": "call +34 612 345 678"}),
    Prompt(system="", user="x", json_schema={"enum": ["DE89370400440532013000"]}),
    Prompt(system="", user="ask [PERSON_Maria]"),
]


@pytest.mark.parametrize("prompt", LEAKS)
async def test_the_second_scan_stops_what_was_cleared_by_mistake(prompt: Prompt) -> None:
    """Nothing private leaves: a signature does not make a private value public; not one byte is sent."""
    async with Desk(answer("x")) as desk:
        blocked, refused = split(await desk.consultant.consult(requested(prompt)))
        assert (desk.cloud.received, desk.cloud.connections) == (b"", 0)
    assert desk.audit.events == []
    assert blocked.action == Action.EGRESS_BLOCKED
    assert blocked.facts["reason"] == "second-scan"
    assert sum(1 for fact in blocked.facts if fact.startswith("found.")) == 1
    assert isinstance(refused, ConsultRefused)
    assert refused.reason == "second-scan"


def unsigned(request: ConsultRequested) -> ConsultRequested:
    return request.model_copy(update={"clearance": request.clearance.model_copy(update={"signature": ""})})


def altered(request: ConsultRequested) -> ConsultRequested:
    later = request.clearance.model_copy(update={"expires_at": START + timedelta(days=9)})
    return request.model_copy(update={"clearance": later})


def by_a_stranger(request: ConsultRequested) -> ConsultRequested:
    strange = sign_clearance(request.clearance, Ed25519PrivateKey.generate())
    return request.model_copy(update={"clearance": strange})


def with_another_prompt(request: ConsultRequested) -> ConsultRequested:
    return request.model_copy(update={"prompt": Prompt(system="", user="Something else.")})


def for_another_attempt(request: ConsultRequested) -> ConsultRequested:
    return request.model_copy(update={"attempt": 2})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (unsigned, "clearance-missing"),
        (altered, "clearance-altered"),
        (by_a_stranger, "clearance-unknown-key"),
        (with_another_prompt, "clearance-wrong-prompt"),
        (for_another_attempt, "clearance-wrong-step"),
    ],
)
async def test_nothing_is_sent_without_a_clearance_that_holds(
    change: Callable[[ConsultRequested], ConsultRequested], reason: str
) -> None:
    """Nothing private leaves: what the classifier did not sign as it stands is refused, and that is on record."""
    async with Desk(answer("x")) as desk:
        blocked, refused = split(await desk.consultant.consult(change(requested())))
        assert (desk.cloud.received, desk.cloud.connections) == (b"", 0)
    assert (blocked.action, blocked.facts["reason"]) == (Action.EGRESS_BLOCKED, reason)
    assert isinstance(refused, ConsultRefused)
    assert refused.reason == reason


async def test_a_clearance_ends() -> None:
    """Nothing private leaves: what was cleared under yesterday's policy is not sent today."""
    async with Desk(answer("x")) as desk:
        request = requested()
        desk.clock.turn(CLEARANCE_S)
        _, refused = split(await desk.consultant.consult(request))
        assert desk.cloud.received == b""
    assert isinstance(refused, ConsultRefused)
    assert refused.reason == "clearance-expired"


async def test_no_audit_no_egress() -> None:
    """Nothing is hidden: while the log is down nothing leaves; later the step goes on at home."""
    async with Desk(answer("x"), audit=Log(down=True)) as desk:
        request = requested()
        with pytest.raises(MeshUnavailable) as caught:
            await desk.consultant.consult(request)
        assert caught.value.retry_after_s == pytest.approx(2)
        desk.clock.turn(40)
        outcome = await desk.consultant.consult(request)
        assert (desk.cloud.received, desk.cloud.connections) == (b"", 0)
        desk.audit.down = False
        again = await desk.consultant.consult(request)
        assert (desk.cloud.received, desk.cloud.connections) == (b"", 0)
    for blocked, refused in (split(outcome), split(again)):  # the log may take the first one no more than the egress
        assert (blocked.action, blocked.facts["reason"]) == (Action.EGRESS_BLOCKED, "audit-unavailable")
        assert isinstance(refused, ConsultRefused)
        assert refused.reason == "audit-unavailable"


async def test_without_the_record_of_calls_nobody_knows_whether_one_was_made() -> None:
    """Nothing is lost: an earlier delivery may have been answered, so what was set aside for it stays booked."""
    async with Desk(answer("x")) as desk:
        request = requested()
        _, advised = split(await desk.consultant.consult(request))
        desk.calls.down = True
        desk.clock.turn(40)
        with pytest.raises(MeshUnavailable) as caught:
            await desk.consultant.consult(request)
        assert caught.value.retry_after_s == pytest.approx(CLEARANCE_S - 40 + 10)  # then nobody makes it any more
        desk.clock.turn(CLEARANCE_S - 40 + 10)
        ended, refused = split(await desk.consultant.consult(request))
        assert ended.facts["outcome"] == "unknown"
        assert isinstance(refused, ConsultRefused)
        assert refused.reason == UNKNOWN_OUTCOME
        desk.calls.down = False
        assert split(await desk.consultant.consult(request))[1] == advised
        assert len(desk.cloud.bodies) == 1


async def test_a_call_that_was_refused_is_not_made_by_another_replica() -> None:
    """Nothing is lost: a bill that comes after the refusal was told would be booked by nobody."""
    book = Book()
    async with Desk(answer("x"), audit=Log(down=True), calls=book) as first, Desk(answer("x"), calls=book) as second:
        request = requested()
        with pytest.raises(MeshUnavailable):
            await first.consultant.consult(request)
        first.clock.turn(40)
        told = await first.consultant.consult(request)
        assert await second.consultant.consult(request) == told  # as when the acknowledgement was lost
        assert (second.cloud.received, second.cloud.connections) == (b"", 0)


async def test_a_refusal_that_cannot_be_put_on_record_waits_for_the_end_of_the_clearance() -> None:
    """Nothing is lost: until then another replica may make the call, whose record this one cannot see."""
    async with Desk(answer("x"), audit=Log(down=True)) as desk:
        request = requested()
        desk.clock.turn(40)
        desk.calls.down = True
        with pytest.raises(MeshUnavailable):
            await desk.consultant.consult(request)
        desk.clock.turn(CLEARANCE_S)
        desk.calls.down = False
        _, refused = split(await desk.consultant.consult(request))
    assert isinstance(refused, ConsultRefused)
    assert refused.reason == "clearance-expired"


async def test_no_copy_no_egress() -> None:
    """Nothing is hidden: what could not be kept beside the log is not sent, and the log says that it was not."""
    async with Desk(answer("x"), audit=Log(copies_down=True)) as desk:
        with pytest.raises(MeshUnavailable):
            await desk.consultant.consult(requested())
        assert (desk.cloud.received, desk.cloud.connections) == (b"", 0)
    started, ended = desk.audit.events
    assert (started.action, ended.action) == (Action.EGRESS_STARTED, Action.EGRESS_ENDED)
    assert (ended.facts["outcome"], ended.facts["sent_sha256"]) == ("not-sent", None)


async def test_an_outage_ends_in_a_refusal_within_the_patience() -> None:
    """Nothing is lost: a cloud that stays away sends the step to the local lane before the tries are used up."""
    async with Desk(failure(529)) as desk:
        request = requested()
        for pause in (2, 6, 24):
            with pytest.raises(CloudUnavailable) as caught:
                await desk.consultant.consult(request)
            assert caught.value.retry_after_s == pause
            desk.clock.turn(pause)
        ended, refused = split(await desk.consultant.consult(request))
    assert isinstance(refused, ConsultRefused)
    assert (refused.reason, refused.detail) == ("cloud-unavailable", "cloud-status-529")
    events = [*desk.audit.events, ended]
    # Each try is on record by itself: none hides behind the id of another.
    assert [event.action for event in events] == [Action.EGRESS_STARTED, Action.EGRESS_ENDED] * 4
    assert len({event.identity() for event in events}) == 8
    assert len(desk.cloud.requests) == 4


async def test_a_second_try_may_succeed() -> None:
    """Nothing is lost: after the pause that the cloud asked for, the answer comes."""
    async with Desk([rate_limited("7"), answer("Grant it.")]) as desk:
        request = requested()
        with pytest.raises(CloudUnavailable) as caught:
            await desk.consultant.consult(request)
        assert caught.value.retry_after_s == 7
        desk.clock.turn(7)
        _, advised = split(await desk.consultant.consult(request))
    assert isinstance(advised, ConsultAdvised)


async def test_an_answer_that_nobody_heard_of_is_not_bought_twice() -> None:
    """Nothing is lost, effects once: a process that dies after the answer leaves it to the next delivery."""
    async with Desk([answer("Grant it."), failure(500)]) as desk:
        request = requested()
        first = await desk.consultant.consult(request)
        again = await consultant_over(desk.model, desk.audit, desk.clock, desk.calls).consult(request)
    assert [item.model_dump() for item in again] == [item.model_dump() for item in first]
    assert len(desk.cloud.requests) == 1


async def test_a_call_that_was_begun_and_never_ended_is_unknown_and_not_made_again() -> None:
    """Effects once: killed between the call and its answer, nobody knows; the record says so, and home takes over."""
    async with Desk(answer("Grant it.")) as desk:
        request = requested()
        await Calls(desk.calls, request).begin()
        ended, refused = split(await desk.consultant.consult(request))
    assert desk.cloud.requests == []
    assert (ended.action, ended.facts["outcome"]) == (Action.EGRESS_ENDED, "unknown")
    assert isinstance(refused, ConsultRefused)
    assert refused.reason == UNKNOWN_OUTCOME


class Slow(Book):
    """A book whose reader stands still until another delivery of the message is done."""

    def __init__(self, book: Book, meanwhile: Callable[[], Awaitable[object]]) -> None:
        super().__init__()
        self.records = book.records
        self._meanwhile = meanwhile

    async def get(self, key: str) -> CallRecord | None:
        found = await super().get(key)
        await self._meanwhile()
        return found


async def test_a_replica_that_stood_still_does_not_make_the_call_of_another_again() -> None:
    """Effects once: between a look at the record and the call, the message may have gone to another replica."""
    async with Desk([answer("Grant it."), answer("Grant it.")]) as desk:
        request = requested()
        said: list[Message] = []

        async def other() -> None:
            said.extend(await desk.consultant.consult(request))

        slow = consultant_over(desk.model, desk.audit, desk.clock, Slow(desk.calls, other))
        assert [item.model_dump() for item in await slow.consult(request)] == [item.model_dump() for item in said]
        assert len(desk.cloud.requests) == 1


@pytest.mark.parametrize(
    "script", [reset(), cut_short(answer("a long answer"), 60), web_page(200)], ids=["reset", "cut", "page"]
)
async def test_a_question_that_may_have_been_answered_is_not_asked_again(script: Part) -> None:
    """Effects once: a connection that breaks after the question left says nothing about the bill."""
    async with Desk([script, answer("Grant it.")]) as desk:
        request = requested()
        for _ in range(2):
            ended, refused = split(await desk.consultant.consult(request))
            assert ended.facts["outcome"] == "unknown"
            assert isinstance(refused, ConsultRefused)
            assert refused.reason == UNKNOWN_OUTCOME
    assert len(desk.cloud.requests) == 1


async def test_without_the_record_of_calls_nothing_is_sent() -> None:
    """Effects once: where nobody can write down that a call begins, it does not begin."""
    async with Desk(answer("Grant it.")) as desk:
        desk.calls.down = True
        with pytest.raises(MeshUnavailable):
            await desk.consultant.consult(requested())
    assert desk.cloud.requests == []


async def test_nobody_waits_an_hour() -> None:
    """Nothing is lost: a cloud that asks for an hour is not waited for."""
    async with Desk(rate_limited("3600")) as desk:
        _, refused = split(await desk.consultant.consult(requested()))
    assert isinstance(refused, ConsultRefused)
    assert refused.reason == "cloud-unavailable"


async def test_a_refusal_of_the_provider_takes_the_local_lane() -> None:
    """Nothing is lost: a refused key ends no step."""
    async with Desk(failure(401, "authentication_error")) as desk:
        ended, refused = split(await desk.consultant.consult(requested()))
    assert (ended.action, ended.facts["outcome"]) == (Action.EGRESS_ENDED, "cloud-key-refused")
    assert isinstance(refused, ConsultRefused)
    assert (refused.reason, refused.usage) == ("cloud-key-refused", None)


async def test_a_refusal_of_the_model_is_billed() -> None:
    """Nothing is lost: what the provider bills for an answer that the model declined to give is told to the router."""
    async with Desk(answer("I began, but", stop="refusal")) as desk:
        request = requested()
        ended, refused = split(await desk.consultant.consult(request))
        assert split(await desk.consultant.consult(request)) == (ended, refused)  # once, however often it is asked for
        assert len(desk.cloud.bodies) == 1
    assert isinstance(refused, ConsultRefused)
    assert refused.usage is not None
    assert (refused.usage.cost_usd, ended.facts["cost_usd"]) == (Decimal("0.000094"), "0.000094")


async def test_half_an_answer_is_advice_that_says_so() -> None:
    """Nothing is hidden: what the length limit cut is passed on as cut."""
    async with Desk(answer("Grant", stop="max_tokens")) as desk:
        _, advised = split(await desk.consultant.consult(requested()))
    assert isinstance(advised, ConsultAdvised)
    assert not advised.complete


async def test_an_unknown_price_is_none() -> None:
    """Nothing is hidden: a call of unknown price is not free."""
    async with Desk(as_json(message("x", model="claude-of-tomorrow"))) as desk:
        ended, advised = split(await desk.consultant.consult(requested(model="claude-of-tomorrow")))
    assert isinstance(advised, ConsultAdvised)
    assert advised.usage.cost_usd is None
    assert ended.facts["cost_usd"] is None


async def test_a_simulated_cloud_costs_the_list_price_and_is_called_simulated() -> None:
    """Nothing is hidden: nobody takes a simulated answer for a paid one."""
    async with Desk(answer("x"), simulated=True) as desk:
        ended, advised = split(await desk.consultant.consult(requested()))
    assert isinstance(advised, ConsultAdvised)
    assert (advised.simulated, advised.provider) == (True, "simulated")
    assert advised.usage.cost_usd == price_of(
        "anthropic", "claude-sonnet-5-5", advised.usage.input_tokens, advised.usage.output_tokens
    )
    assert desk.audit.events[0].facts["simulated"] is True
    assert ended.facts["simulated"] is True
