"""The simulated cloud over a real socket, asked by the real SDK and by the consultant's own adapter."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import anthropic
import httpx2
import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from hybridmesh.agents.consultant.claude import ClaudeModel
from hybridmesh.agents.consultant.port import CloudRefusal, CloudReply, Question
from hybridmesh.bus.errors import CloudUnavailable, ModelUnavailable, Unanswerable
from hybridmesh.infra.simulated_cloud.app import build_app
from hybridmesh.infra.simulated_cloud.fitting import fit
from hybridmesh.infra.simulated_cloud.record import Arrival, read_record
from hybridmesh.schemas.consults import Prompt
from hybridmesh.schemas.inference import Completion, CompletionRequest, GuideKind

KEY = "sk-any"
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


class Parrot:
    """A local model whose tokens are words; it says the prompt again, as JSON where a schema asks for it."""

    name = "parrot"

    def __init__(self) -> None:
        self.asked: list[CompletionRequest] = []

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    async def complete(self, request: CompletionRequest) -> Completion:
        self.asked.append(request)
        if request.user == "be busy":
            raise ModelUnavailable(reason="overloaded", retry_after_s=1.5)
        if request.guide is not None and request.guide.pattern == '{"type": "nonsense"}':
            raise Unanswerable(reason="bad-guide")
        words = request.user.split()
        text = " ".join(words[: request.max_tokens])
        return Completion(
            text=json.dumps({"said": text}) if request.guide else text,
            finish="stop" if len(words) <= request.max_tokens else "length",
            prompt_tokens=len(words),
            output_tokens=min(len(words), request.max_tokens),
            duration_s=0.0,
            model=self.name,
        )


class Place:
    """A simulated cloud that runs, and what it has on record."""

    def __init__(self, url: str, record: Path, model: Parrot) -> None:
        self.url = url
        self.model = model
        self._record = record

    @property
    def record(self) -> list[Arrival]:
        return list(read_record(self._record))

    def sdk(self) -> anthropic.AsyncAnthropic:
        return anthropic.AsyncAnthropic(api_key=KEY, base_url=self.url, max_retries=0, _strict_response_validation=True)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncGenerator[Place]:
    """The application in this event loop, on a real port."""
    model = Parrot()
    app = build_app(model, tmp_path / "record.jsonl", lambda: NOW, max_prompt_tokens=164)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Place(f"http://127.0.0.1:{port}", tmp_path / "record.jsonl", model)
    server.should_exit = True
    await serving


@asynccontextmanager
async def adapter_at(url: str) -> AsyncGenerator[ClaudeModel]:
    model = ClaudeModel(api_key=SecretStr(KEY), clock=lambda: NOW, base_url=url, timeout_s=5)
    try:
        yield model
    finally:
        await model.close()


async def ask(place: Place, prompt: Prompt, max_tokens: int = 64) -> tuple[CloudReply | CloudRefusal, list[bytes]]:
    sent: list[bytes] = []

    async def gate(body: bytes) -> None:
        sent.append(body)

    async with adapter_at(place.url) as model:
        return await model.ask(Question(prompt, "claude-sonnet-5-5", max_tokens), gate), sent


async def test_the_record_is_what_the_gate_read(place: Place) -> None:
    """Nothing is hidden: the bytes on record at the far end are the bytes that were audited at home."""
    reply, sent = await ask(place, Prompt(system="Be kind.", user='Grüß [PERSON_7Q2M] \U0001f600\n"x"'))
    assert [arrival.body for arrival in place.record] == sent
    assert isinstance(reply, CloudReply)
    assert reply.text == 'Grüß [PERSON_7Q2M] \U0001f600 "x"'


async def test_the_record_keeps_any_bytes_and_no_key(place: Place) -> None:
    """Nothing private leaves: the oracle of "nothing left" sees also what is no request at all, and no key."""
    body = bytes(range(256))
    async with httpx2.AsyncClient() as client:
        for headers in ({"x-api-key": KEY}, {"authorization": f"Bearer {KEY}"}, {}):
            answer = await client.post(f"{place.url}/anywhere?x=1", content=body, headers=headers)
            assert answer.status_code == 404
    assert [arrival.body for arrival in place.record] == [body] * 3
    assert KEY not in str(place.record)


async def test_every_answer_says_that_it_is_simulated(place: Place) -> None:
    """Nothing is hidden: in the header, in the model's name and in its id, errors included."""
    reply, _ = await ask(place, Prompt(system="", user="hello"))
    assert isinstance(reply, CloudReply)
    assert (reply.simulated, reply.model) == (True, "simulated-claude-sonnet-5-5")
    async with httpx2.AsyncClient() as client:
        for path in ("/v1/messages", "/v1/models", "/nowhere"):
            answer = await client.get(place.url + path)
            assert answer.status_code in (401, 404, 405)
            assert answer.headers["x-simulated"] == "true"
            assert answer.json()["type"] == "error"


async def test_a_schema_guides_the_model(place: Place) -> None:
    """It runs on what you have: structured answers work without a cloud."""
    reply, _ = await ask(place, Prompt(system="", user="hello", json_schema={"type": "object", "properties": {}}))
    assert isinstance(reply, CloudReply)
    assert json.loads(reply.text) == {"said": "hello"}
    guide = place.model.asked[0].guide
    assert guide is not None
    assert guide.kind == GuideKind.JSON_SCHEMA


async def test_the_length_limit_is_told(place: Place) -> None:
    """Nothing is hidden: a cut answer is a cut answer here as well."""
    reply, _ = await ask(place, Prompt(system="", user="one two three"), max_tokens=2)
    assert isinstance(reply, CloudReply)
    assert (reply.text, reply.complete, reply.stop) == ("one two", False, "max_tokens")


async def test_a_long_prompt_is_cut_openly(place: Place) -> None:
    """Nothing is hidden: a small context keeps head and tail, tells the model, and tells the asker."""
    async with place.sdk() as sdk:
        raw = await sdk.messages.with_raw_response.create(
            model="m", max_tokens=64, messages=[{"role": "user", "content": "first " + "word " * 500 + "last"}]
        )
    assert int(raw.headers["x-simulated-cut"]) > 1000
    read = place.model.asked[0].user
    assert read.startswith("first ")
    assert read.endswith("last")
    assert "left out by the simulated cloud" in read
    assert len(read.split()) <= 100


async def test_a_busy_model_is_an_overloaded_cloud(place: Place) -> None:
    """Nothing is lost: the adapter sees the same failure as from the real one."""
    with pytest.raises(CloudUnavailable) as caught:
        await ask(place, Prompt(system="", user="be busy"))
    assert (caught.value.reason, caught.value.retry_after_s) == ("cloud-status-529", 1.5)


async def test_a_schema_that_the_model_cannot_follow_is_a_bad_request(place: Place) -> None:
    """Nothing is lost: what can never work is refused."""
    async with place.sdk() as sdk:
        with pytest.raises(anthropic.BadRequestError):
            await sdk.messages.create(
                model="m",
                max_tokens=1,
                messages=[{"role": "user", "content": "x"}],
                output_config={"format": {"type": "json_schema", "schema": {"type": "nonsense"}}},
            )


@pytest.mark.parametrize(
    "change", [{"temperature": 0.5}, {"max_tokens": 0}, {"max_tokens": None}, {"messages": []}, {"model": ""}]
)
async def test_what_the_real_api_refuses_is_refused(place: Place, change: dict[str, object]) -> None:
    """It runs on what you have: what works here works there."""
    good = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "a private word"}]}
    async with httpx2.AsyncClient(headers={"x-api-key": KEY}) as client:
        assert (await client.post(f"{place.url}/v1/messages", json=good)).status_code == 200
        answer = await client.post(f"{place.url}/v1/messages", json={**good, **change})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert "private" not in answer.text


async def test_streams_counts_and_models_as_the_sdk_reads_them(place: Place) -> None:
    """It runs on what you have: the other calls of the API work too."""
    async with place.sdk() as sdk:
        async with sdk.messages.stream(
            model="m",
            max_tokens=64,
            system=[{"type": "text", "text": "Be brief."}],
            messages=[
                {"role": "user", "content": "one"},
                {"role": "assistant", "content": "two"},
                {"role": "user", "content": [{"type": "text", "text": "three  four"}]},
            ],
        ) as stream:
            final = await stream.get_final_message()
        counted = await sdk.messages.count_tokens(model="m", messages=[{"role": "user", "content": "one two"}])
        models = [model.id async for model in sdk.models.list()]
    assert final.content[0].type == "text"
    assert final.content[0].text == "user: one assistant: two user: three four"
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", 7)
    assert counted.input_tokens == 2
    assert models == ["simulated-parrot"]


@given(st.text(), st.integers(min_value=10, max_value=40))
def test_what_is_cut_fits(text: str, limit: int) -> None:
    """It runs on what you have: whatever comes, the small context is kept to, and the count of the cut is true."""
    fitted, cut = fit(text * 20, limit, lambda piece: len(piece.split()))
    assert len(fitted.split()) <= limit
    assert (cut == 0) == (fitted == text * 20)
    assert cut == 0 or f"({cut} characters" in fitted
