"""The Anthropic adapter through the real SDK, against a cloud that misbehaves over a real socket."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from cloud_double import (
    CloudDouble,
    Part,
    Received,
    Script,
    answer,
    as_json,
    cut_short,
    echo,
    failure,
    message,
    rate_limited,
    reset,
    silence,
    stream,
    truncated_json,
    walled,
    web_page,
)
from hybridmesh.agents.consultant.claude import ClaudeModel
from hybridmesh.agents.consultant.port import CloudRefusal, CloudReply, Question
from hybridmesh.bus.errors import CloudUnavailable, MeshUnavailable, PermanentError, SetupError
from hybridmesh.schemas.consults import Prompt

KEY = "sk-test-key-that-must-not-show"
QUESTION = Question(Prompt(system="Be brief.", user="What is [TERM_AB12]?"), "claude-sonnet-5-5", 64)

Ask = Callable[[Script], Awaitable[CloudReply | CloudRefusal]]


async def open_gate(body: bytes) -> None:
    """Let everything pass."""


def model_at(url: str, *, timeout_s: float = 5.0, max_answer_bytes: int = 20_000) -> ClaudeModel:
    return ClaudeModel(
        api_key=SecretStr(KEY),
        clock=lambda: datetime(2026, 11, 23, 10, tzinfo=UTC),
        base_url=url,
        timeout_s=timeout_s,
        max_answer_bytes=max_answer_bytes,
    )


@asynccontextmanager
async def opened(url: str, *, timeout_s: float = 5.0) -> AsyncGenerator[ClaudeModel]:
    model = model_at(url, timeout_s=timeout_s)
    try:
        yield model
    finally:
        await model.close()


async def ask_once(script: Script, *, timeout_s: float = 5.0) -> CloudReply | CloudRefusal:
    async with CloudDouble(script) as cloud, opened(cloud.url, timeout_s=timeout_s) as model:
        try:
            return await model.ask(QUESTION, open_gate)
        finally:
            assert len(cloud.requests) == 1, "one question is one request"


async def test_a_good_answer_comes_back_whole() -> None:
    """Nothing is lost: the answer, its tokens and its ids arrive."""
    reply = await ask_once(answer("the answer"))
    assert isinstance(reply, CloudReply)
    assert (reply.text, reply.complete, reply.stop) == ("the answer", True, "end_turn")
    assert (reply.input_tokens, reply.output_tokens, reply.request_id) == (12, 7, "req_double")
    assert not reply.simulated


async def test_the_hash_is_that_of_the_bytes_that_arrived() -> None:
    """Nothing is hidden: gate, reply and far end agree on what was sent, to the byte."""
    seen: list[bytes] = []

    async def gate(body: bytes) -> None:
        seen.append(body)

    async with CloudDouble() as cloud, opened(cloud.url) as model:
        reply = await model.ask(QUESTION, gate)
    assert isinstance(reply, CloudReply)
    assert cloud.bodies == seen
    assert reply.sent_sha256 == hashlib.sha256(cloud.bodies[0]).hexdigest()


async def test_only_the_allowed_headers_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing private leaves: no fingerprint of the machine, no trace context, nothing from the environment."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-from-the-environment")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "x-employee: maria")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with CloudDouble() as cloud, opened(cloud.url) as model:
        await model.ask(QUESTION, open_gate)
    headers = dict(cloud.requests[0].headers)
    assert headers.pop("authorization") == f"Bearer {KEY}"
    assert headers.pop("host").startswith("127.0.0.1:")
    assert headers.pop("content-length") == str(len(cloud.bodies[0]))
    assert headers == {
        "accept": "application/json",
        "accept-encoding": "identity",
        "anthropic-version": headers["anthropic-version"],
        "connection": "keep-alive",
        "content-type": "application/json",
        "user-agent": "hybridmesh",
    }


async def test_the_body_is_the_prompt_and_settings_only() -> None:
    """Nothing private leaves: no user id, no metadata, nothing that nobody asked to send."""
    async with CloudDouble() as cloud, opened(cloud.url) as model:
        await model.ask(QUESTION, open_gate)
    assert cloud.requests[0].json == {
        "model": "claude-sonnet-5-5",
        "max_tokens": 64,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "What is [TERM_AB12]?"}],
    }


async def test_a_schema_is_sent_as_the_output_format() -> None:
    """Nothing is lost: a framework comes back as data, asked for without a forced tool."""
    schema = {"type": "object", "properties": {"title": {"type": "string", "maxLength": 9}}, "required": ["title"]}
    question = Question(Prompt(system="", user="Go.", json_schema=schema), "claude-sonnet-5-5", 64)
    async with CloudDouble(answer('{"title": "x"}')) as cloud, opened(cloud.url) as model:
        reply = await model.ask(question, open_gate)
    assert isinstance(reply, CloudReply)
    sent = cloud.requests[0].json
    assert sent["output_config"]["format"]["type"] == "json_schema"
    assert sent["output_config"]["format"]["schema"]["additionalProperties"] is False
    assert "system" not in sent
    assert "tools" not in sent


async def test_a_schema_that_the_api_does_not_take_is_no_try() -> None:
    """Nothing is lost: what can never be asked is refused at once."""
    question = Question(Prompt(system="", user="Go.", json_schema={"type": ["string", "null"]}), "m", 64)
    async with CloudDouble() as cloud, opened(cloud.url) as model:
        with pytest.raises(PermanentError) as caught:
            await model.ask(question, open_gate)
    assert caught.value.reason == "cloud-bad-schema"
    assert cloud.received == b""


@pytest.mark.parametrize("error", [PermanentError(reason="second-scan"), MeshUnavailable()])
async def test_a_closed_gate_lets_no_byte_out(error: Exception) -> None:
    """Nothing private leaves: what the gate raises comes out as it is, and no connection is made."""

    async def closed_gate(body: bytes) -> None:
        raise error

    async with CloudDouble() as cloud, opened(cloud.url) as model:
        with pytest.raises(type(error)) as caught:
            await model.ask(QUESTION, closed_gate)
    assert caught.value is error
    assert (cloud.received, cloud.connections) == (b"", 0)


TRY_AGAIN = [
    (rate_limited("3"), "cloud-status-429", 3.0),
    (rate_limited("3600"), "cloud-status-429", 3600.0),
    (rate_limited(), "cloud-status-429", None),
    (rate_limited("Mon, 23 Nov 2026 10:00:30 GMT"), "cloud-status-429", 30.0),
    (failure(529, "overloaded_error"), "cloud-status-529", None),
    (failure(503), "cloud-status-503", None),
    (failure(408), "cloud-status-408", None),
    (failure(409), "cloud-status-409", None),
    (failure(500), "cloud-status-500", None),
    (web_page(500), "cloud-status-500", None),
    (web_page(502), "cloud-status-502", None),
    (web_page(200), "cloud-garbled", None),
    (as_json({"hello": "world"}), "cloud-garbled", None),
    (as_json([]), "cloud-garbled", None),
    (as_json(message("x") | {"usage": None}), "cloud-garbled", None),
    (truncated_json(answer("a long answer"), 60), "cloud-garbled", None),
    (Part(200, b"", {"content-type": "application/json"}), "cloud-garbled", None),
    (Part(200, b'{"a": "\xff\xfe"}', {"content-type": "application/json"}), "cloud-garbled", None),
    (cut_short(answer("a long answer"), 60), "cloud-unreachable", None),
    (stream("an answer that was to be no stream", events=5), "cloud-garbled", None),
    (stream("an answer that was to be no stream"), "cloud-garbled", None),
    (reset(), "cloud-unreachable", None),
]


@pytest.mark.parametrize(("script", "reason", "wait_s"), TRY_AGAIN)
async def test_a_failure_that_may_pass_is_worth_another_try(script: Part, reason: str, wait_s: float | None) -> None:
    """Nothing is lost: each is told apart, none is taken for an answer, and nobody sleeps inside the SDK."""
    with pytest.raises(CloudUnavailable) as caught:
        await ask_once(script)
    assert (caught.value.reason, caught.value.retry_after_s) == (reason, wait_s)
    assert caught.value.__suppress_context__, "an error that may quote the prompt is not carried along"


@pytest.mark.parametrize("script", [silence(), Part(200, b"{", {"content-length": "9"}, then="hang")])
async def test_a_cloud_that_hangs_is_left(script: Part) -> None:
    """Nothing is lost: before the head or in the middle of the body, the time is bounded."""
    with pytest.raises(CloudUnavailable) as caught:
        await ask_once(script, timeout_s=0.3)
    assert caught.value.reason == "cloud-timeout"


async def test_nobody_there() -> None:
    """Nothing is lost: no network is a transient failure."""
    async with CloudDouble() as cloud:
        url = cloud.url
    async with opened(url) as model:
        with pytest.raises(CloudUnavailable) as caught:
            await model.ask(QUESTION, open_gate)
    assert caught.value.reason == "cloud-unreachable"


REFUSED = [
    (failure(400, "invalid_request_error"), "cloud-bad-request"),
    (failure(401, "authentication_error"), "cloud-key-refused"),
    (failure(402, "billing_error"), "cloud-payment-required"),
    (failure(403, "permission_error"), "cloud-forbidden"),
    (failure(404, "not_found_error"), "cloud-model-unknown"),
    (failure(413, "request_too_large"), "cloud-prompt-too-large"),
    (failure(422, "invalid_request_error"), "cloud-bad-request"),
    (rate_limited(code="enforced_spend_limit_reached"), "cloud-spend-limit"),
    (Part(307, b"", {"location": "http://127.0.0.1:9/v1/messages"}), "cloud-redirected"),
    (answer("", stop="refusal"), "cloud-model-refused"),
    (answer("I began, but", stop="refusal"), "cloud-model-refused"),
    (answer(""), "cloud-no-answer"),
    (answer("x", stop="tool_use"), "cloud-no-answer"),
    (answer("x", stop="pause_turn"), "cloud-no-answer"),
]


@pytest.mark.parametrize(("script", "reason"), REFUSED)
async def test_a_failure_that_will_not_pass_is_a_refusal(script: Part, reason: str) -> None:
    """Nothing is lost: what another try cannot mend takes the local lane at once."""
    result = await ask_once(script)
    assert isinstance(result, CloudRefusal)
    assert result.reason == reason


@pytest.mark.parametrize("stop", ["max_tokens", "model_context_window_exceeded"])
async def test_an_answer_that_was_cut_is_not_complete(stop: str) -> None:
    """Nothing is hidden: half an answer says that it is half."""
    reply = await ask_once(answer("half an", stop=stop))
    assert isinstance(reply, CloudReply)
    assert not reply.complete


async def test_an_answer_too_large_is_not_read() -> None:
    """It runs on what you have: no answer fills the memory."""
    with pytest.raises(PermanentError) as caught:
        await ask_once(answer("x" * 30_000))
    assert caught.value.reason == "cloud-answer-too-large"


async def test_a_compressed_answer_is_not_unpacked() -> None:
    """It runs on what you have: a small answer cannot unpack into a large one."""
    part = answer("x")
    with pytest.raises(PermanentError) as caught:
        await ask_once(Part(200, part.body, {**part.headers, "content-encoding": "gzip"}))
    assert caught.value.reason == "cloud-bad-encoding"


async def test_a_simulated_cloud_is_called_so() -> None:
    """Nothing is hidden: an answer that says it is simulated is marked, whatever the settings say."""
    part = answer("x")
    reply = await ask_once(Part(200, part.body, {**part.headers, "x-simulated": "true"}))
    assert isinstance(reply, CloudReply)
    assert reply.simulated


async def test_neither_key_nor_prompt_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing private leaves: not into a log either, at any level."""
    with caplog.at_level(logging.DEBUG):
        async with CloudDouble([echo, failure(500)]) as cloud, opened(cloud.url) as model:
            await model.ask(QUESTION, open_gate)
            with pytest.raises(CloudUnavailable):
                await model.ask(QUESTION, open_gate)
            shown = f"{model!r} {QUESTION!r} {caplog.text}"
    assert KEY not in shown
    assert "TERM_AB12" not in shown


async def test_a_call_that_reached_nobody_is_known_as_such() -> None:
    """Nothing is lost: a connection that is never taken is no call that may have been answered, and paid for."""
    with walled() as port:
        async with opened(f"http://127.0.0.1:{port}", timeout_s=1) as model:
            with pytest.raises(CloudUnavailable) as caught:
                await model.ask(QUESTION, open_gate)
    assert (caught.value.reason, caught.value.uncertain) == ("cloud-timeout", False)


async def test_questions_at_the_same_time_keep_their_own_gates() -> None:
    """Nothing private leaves: no question slips through another one's gate."""

    async def closed_gate(body: bytes) -> None:
        await asyncio.sleep(0.01)
        raise PermanentError(reason="second-scan")

    def judge(request: Received) -> Part:
        assert b"open" in request.body
        return answer("fine")

    async with CloudDouble(judge) as cloud, opened(cloud.url) as model:

        async def ask(number: int) -> CloudReply | CloudRefusal:
            kind, gate = ("open", open_gate) if number % 2 else ("closed", closed_gate)
            return await model.ask(Question(Prompt(system="", user=kind), "m", 8), gate)

        results = await asyncio.gather(*map(ask, range(12)), return_exceptions=True)
    assert [type(result) for result in results] == [PermanentError, CloudReply] * 6
    assert len(cloud.requests) == 6


@pytest.mark.parametrize("url", ["http://api.example.com", "ftp://127.0.0.1", "api.example.com"])
def test_the_key_travels_under_tls_only(url: str) -> None:
    """Nothing private leaves: an address without https is refused when the agent starts."""
    with pytest.raises(SetupError):
        model_at(url)


@pytest.mark.parametrize("key", ["", " \n", "sk\tx", "sk x", "sk-\u00e9", "sk\x00"])
async def test_a_key_that_no_header_can_carry_is_refused_at_once(key: str) -> None:
    """Nothing is hidden: it would fail behind the gate, and count as a call that may have been answered and paid."""
    with pytest.raises(SetupError) as caught:
        ClaudeModel(api_key=SecretStr(key), clock=lambda: datetime.now(UTC))
    assert "ANTHROPIC_API_KEY" in caught.value.remedy


async def test_the_line_end_of_a_key_is_not_sent() -> None:
    """It runs on what you have: a key that was read from a file is the key."""
    async with CloudDouble() as cloud:
        model = ClaudeModel(api_key=SecretStr(f"{KEY}\n"), clock=lambda: datetime.now(UTC), base_url=cloud.url)
        await model.ask(QUESTION, open_gate)
        await model.close()
    assert cloud.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("url", ["https://", "https://[", "http://127.0.0.1:port", "https://a:99999", "nowhere"])
async def test_an_address_that_is_none_is_refused_with_its_remedy(url: str) -> None:
    """It runs on what you have: a mistyped address is a setting to mend, and no bug."""
    with pytest.raises(SetupError) as caught:
        model_at(url)
    assert "cloud.base_url" in caught.value.remedy


async def test_half_a_character_in_an_answer_is_replaced() -> None:
    """Nothing is lost: an answer that was paid for can be passed on, whatever escapes its JSON holds."""
    reply = await ask_once(answer("so \ud800 it is"))
    assert isinstance(reply, CloudReply)
    assert reply.text == "so ? it is"
