"""The decoding loop with a real model, turn by turn: company, drafts and kept prefixes change no answer."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest
from llguidance import LLMatcher

from hybridmesh.agents.worker.onnx_engine import Engine
from hybridmesh.agents.worker.onnx_job import Job
from hybridmesh.agents.worker.onnx_memory import ModelMemory
from hybridmesh.bus.errors import MeshError, ModelUnavailable, SetupError, Unanswerable
from hybridmesh.infra.models.progress import silent
from hybridmesh.infra.models.store import ModelStore
from hybridmesh.schemas.inference import Completion, CompletionRequest, Guide, GuideKind

pytestmark = [pytest.mark.connected, pytest.mark.model, pytest.mark.timeout(180)]  # on a machine that may be busy

SYSTEM = "You are a careful assistant of a support team. Use only facts from the text and answer shortly. " * 3
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 20}, "year": {"type": "integer"}},
    "required": ["city", "year"],
    "additionalProperties": False,
}
JSON = Guide(kind=GuideKind.JSON_SCHEMA, pattern=json.dumps(SCHEMA))
YES_NO = Guide(kind=GuideKind.REGEX, pattern="(Yes|No)")
STEPS = Guide(kind=GuideKind.GRAMMAR, pattern='start: "step " ("one" | "two") ", then " ("three" | "four")')


def ask(user: str, max_tokens: int = 24, guide: Guide | None = None) -> CompletionRequest:
    return CompletionRequest(system=SYSTEM, user=user, max_tokens=max_tokens, guide=guide)


REQUESTS = (
    ask("What is the capital of France?"),
    ask("The office in Oslo opened in 1998.", 40, JSON),
    ask("Name three animals.", 40),
    ask("Is Paris in France?", guide=YES_NO),
    ask("Which steps?", guide=STEPS),
    ask("The shop in Rome opened in 2004.", 40, JSON),
    ask("What is the capital of France and of Spain?", 8),
    ask("Repeat: The office in Oslo opened in 1998 and closed in 2003.", 30),
    ask("What is the capital of France?"),
)


@pytest.fixture(scope="module")
def folder() -> Path:
    """The prepared model, in the user's cache so that one download serves many runs."""
    store = ModelStore(Path.home() / ".cache" / "hybridmesh" / "models")
    return store.prepare("smollm2-135m", lambda _words, _share: None).folder


@pytest.fixture(scope="module")
def plain(folder: Path) -> Engine:
    """An engine that writes one answer at a time, without drafts and without a memory."""
    return Engine.load(folder, name="smollm2-135m", rows=1, lookup=False, memory=ModelMemory(prefix_bytes=0))


@pytest.fixture(scope="module")
def alone(plain: Engine) -> list[Completion]:
    """What it answers to each request."""
    return [plain.run(request) for request in REQUESTS]


@pytest.fixture(scope="module")
def loaded(folder: Path) -> Engine:
    """An engine with all that makes it fast, and fewer rows than there are requests."""
    return Engine.load(folder, name="smollm2-135m", rows=4)


@pytest.fixture
def engine(loaded: Engine) -> Iterator[Engine]:
    """That engine, to which a test leaves neither a request nor what was kept of one."""
    yield loaded
    loaded.stop_all()
    assert (loaded.turn(), loaded.figures.kv_bytes) == (False, 0)


def told(outcome: Completion | MeshError | None) -> tuple[str, str, int, int]:
    assert isinstance(outcome, Completion)
    return outcome.text, outcome.finish, outcome.prompt_tokens, outcome.output_tokens


def of_length(engine: Engine, count: int, seed: int) -> CompletionRequest:
    """Return a request whose prompt has this many tokens."""
    random, words = Random(seed), ("office", "Oslo", "opened", "river", "story", "animals", "France", "shop", "year")
    request = ask("Go on:")
    while (length := len(engine._chat.prompt(request).tokens)) != count:
        request = ask(f"{request.user if length < count else 'Go on:'} {random.choice(words)}")
    return request


def begin(engine: Engine, requests: Sequence[CompletionRequest]) -> list[Job]:
    jobs = [engine.prepare(request) for request in requests]
    for job in jobs:
        engine.begin(job)
    return jobs


def drain(engine: Engine) -> None:
    while engine.turn():
        pass


def turn_until(engine: Engine, job: Job, tokens: int) -> None:
    while len(job.output) < tokens:
        assert engine.turn()


def test_company_changes_no_answer(engine: Engine, alone: list[Completion]) -> None:
    """Nothing private leaves: who is answered beside others, or after them, gets the answer he would get alone."""
    jobs: list[Job] = []
    for request in REQUESTS:
        jobs += begin(engine, [request])
        engine.turn()
    drain(engine)
    assert [told(job.outcome) for job in jobs] == [told(completion) for completion in alone]


def test_drafts_and_kept_prefixes_change_no_answer(engine: Engine, alone: list[Completion]) -> None:
    """Nothing private leaves: what an earlier prompt left behind shows in no later answer."""
    answers = [[told(engine.run(request)) for request in REQUESTS] for _ in range(2)]
    assert answers[0] == answers[1] == [told(completion) for completion in alone]


@pytest.mark.parametrize("count", [129, 257])
def test_a_prompt_of_one_token_more_than_whole_blocks_is_rounded_like_any(
    engine: Engine, plain: Engine, count: int
) -> None:
    """Nothing private leaves: a prompt gets one answer also where its last token stands alone in its block."""
    for seed in range(4):
        request = of_length(plain, count, seed)
        answer = told(plain.run(request))
        assert [told(engine.run(request)) for _ in range(2)] == [answer, answer]


def test_drafts_save_steps(engine: Engine) -> None:
    """It runs on what you have: an extraction takes far fewer steps than it has tokens."""
    (job,) = begin(engine, [REQUESTS[1]])
    turn_until(engine, job, 1)
    turns = 0
    while engine.turn():
        turns += 1
    assert turns < len(job.output) * 0.7


def test_a_known_prefix_is_not_read_again(engine: Engine) -> None:
    """It runs on what you have: of a prompt whose system part is known only the rest is read, in one piece."""
    first = engine.run(REQUESTS[0])
    (job,) = begin(engine, [REQUESTS[2]])
    engine.turn()
    assert len(job.output) >= 1
    assert job.prompt.family > first.prompt_tokens // 2
    drain(engine)


def test_a_newcomer_joins_while_others_write(engine: Engine, alone: list[Completion]) -> None:
    """It runs on what you have: a short prompt gets its answer long before the long ones get theirs."""
    story = ask("Tell a very long story about a river.", 200)
    long = begin(engine, [story])[0]
    turn_until(engine, long, 3)
    short = begin(engine, [REQUESTS[3]])[0]
    while short.outcome is None:
        assert engine.turn()
    assert long.outcome is None
    assert told(short.outcome) == told(alone[3])
    while len(long.output) < 30:
        engine.turn()
    long.stop = lambda: True
    drain(engine)


@pytest.mark.parametrize("leaving", [0, 1, 2])
def test_who_leaves_disturbs_nobody(engine: Engine, alone: list[Completion], leaving: int) -> None:
    """Nothing is lost: a cancelled answer frees its row, and the rest of the batch is written as if it had not been."""
    jobs = begin(engine, [REQUESTS[0], REQUESTS[2], REQUESTS[7], REQUESTS[8]])
    turn_until(engine, jobs[2], 2)
    jobs[leaving].stop = lambda: True
    drain(engine)
    assert jobs[leaving].outcome is None
    expected = [told(alone[index]) for index in (0, 2, 7, 8)]
    assert [told(job.outcome) for job in jobs if job is not jobs[leaving]] == [
        answer for index, answer in enumerate(expected) if index != leaving
    ]


def test_a_guide_that_gives_up_ends_its_own_answer_only(
    engine: Engine, alone: list[Completion], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost: a guide too much for its library is that request's end; the batch is written as ever."""
    words = ask("Tell a story.", 60, Guide(kind=GuideKind.REGEX, pattern="[a-z ]{300}"))
    jobs = begin(engine, [words, REQUESTS[0], REQUESTS[2], REQUESTS[7]])
    turn_until(engine, jobs[3], 2)
    monkeypatch.setattr(jobs[0].guide, "_matcher", LLMatcher(engine._guides._tokenizer, "(", log_level=0))
    drain(engine)
    assert isinstance(jobs[0].outcome, Unanswerable)
    assert [told(job.outcome) for job in jobs[1:]] == [told(alone[index]) for index in (0, 2, 7)]


def test_memory_stays_within_its_bound(folder: Path) -> None:
    """It runs on what you have: rows and kept prefixes never hold more than was set aside for them."""
    memory = ModelMemory(prefix_bytes=8_000_000)
    engine = Engine.load(folder, name="small", rows=2, max_prompt_tokens=256, memory=memory)
    highest = 0
    for number in range(6):
        begin(engine, [ask(f"Number {number}. " * 20, 4)])
        while engine.turn():
            highest = max(highest, engine.figures.kv_bytes)
    token_bytes = 30 * 2 * 3 * 64 * 4
    assert 0 < highest <= 8_000_000 + 2 * 260 * token_bytes
    assert engine.figures.kv_bytes <= memory.taken == 8_000_000
    assert engine.figures.answered == 6
    assert engine.figures.write_tokens_s > 0


def test_what_no_token_has_reached_is_promised(folder: Path) -> None:
    """It runs on what you have: the rest of a request under way is not free for others, and is when it has ended."""
    memory = ModelMemory(prefix_bytes=0, free_bytes=lambda: 10**9)
    memory.take("small", 300_000_000)  # for the weights, which are there once the model is loaded
    engine = Engine.load(folder, name="small", rows=2, memory=memory)
    assert memory.left == 10**9
    (job,) = begin(engine, [ask("Name three animals.", 100)])
    turn_until(engine, job, 3)
    assert memory.left == 10**9 - job.held + job.length * 30 * 2 * 3 * 64 * 4
    drain(engine)
    assert memory.left == 10**9


@pytest.fixture
def short(folder: Path, tmp_path: Path) -> Engine:
    """An engine of a model that says it knows 200 tokens."""
    for file in folder.iterdir():
        if file.name != "genai_config.json":
            (tmp_path / file.name).symlink_to(file)
    config = json.loads((folder / "genai_config.json").read_text("utf-8"))
    config["model"]["context_length"] = 200
    (tmp_path / "genai_config.json").write_text(json.dumps(config), "utf-8")
    return Engine.load(tmp_path, name="short", rows=2)


def test_a_prompt_longer_than_the_models_context_is_refused(short: Engine) -> None:
    """Nothing is lost: it is that request's end, and not that of its neighbours in the batch."""
    with pytest.raises(Unanswerable) as refused:
        short.prepare(of_length(short, 199, 0))
    assert refused.value.reason == "prompt-too-long"
    short.prepare(of_length(short, 198, 0))


@pytest.mark.parametrize(
    "guide",
    [
        Guide(kind=GuideKind.REGEX, pattern="[a-z ]{300}"),
        Guide(kind=GuideKind.JSON_SCHEMA, pattern='{"type": "string", "minLength": 300}'),
    ],
    ids=lambda guide: guide.kind,
)
def test_an_answer_ends_with_the_models_context(short: Engine, guide: Guide) -> None:
    """Nothing is lost: no step goes over the end of the row, also one that checks a draft."""
    request = of_length(short, 180, 0).model_copy(update={"guide": guide, "max_tokens": 100})
    jobs = begin(short, [request, ask("Name three animals.", 4)])
    longest = 0
    while short.turn():
        longest = max(longest, jobs[0].length)
    assert longest <= 200
    (_, finish, _, tokens), (*_, neighbour) = told(jobs[0].outcome), told(jobs[1].outcome)
    assert (finish, tokens, neighbour) == ("length", 19, 4)


def test_a_failing_runtime_ends_only_who_shared_its_step(
    engine: Engine, alone: list[Completion], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost: a step that fails is a retry for those in it; who waits is served."""
    (job,) = begin(engine, [REQUESTS[0]])
    turn_until(engine, job, 1)
    with monkeypatch.context() as broken:
        broken.setattr(engine._decoder, "_session", None)
        broken.setattr(engine._decoder, "step", fail)
        engine.turn()
    assert isinstance(job.outcome, ModelUnavailable)
    assert told(engine.run(REQUESTS[0])) == told(alone[0])


def fail(*_arguments: object, **_more: object) -> None:
    raise ModelUnavailable("the model failed", reason="model-failed:Fail")


def test_what_the_runtime_says_is_kept_in(engine: Engine) -> None:
    """Nothing private leaves: what the runtime says of a step that it refuses goes no further."""
    with pytest.raises(ModelUnavailable) as failed:
        engine._decoder.step(0, np.zeros((2, 2), np.int64), [5, 5])  # several tokens are for one sequence
    assert failed.value.reason.startswith("model-failed:")
    assert failed.value.__cause__ is None


def test_a_model_of_another_version_is_a_setup_error(folder: Path, tmp_path: Path) -> None:
    """It runs on what you have: a graph that cannot give what the loop needs is refused with a remedy."""
    import onnx

    model = onnx.load(str(folder / "model.onnx"), load_external_data=False)
    kept = [value for value in model.graph.input if value.name != "logits_to_keep"]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    for file in folder.iterdir():
        if file.name != "model.onnx":
            (tmp_path / file.name).symlink_to(file)
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(SetupError) as refused:
        Engine.load(tmp_path, name="old", provider="cpu")
    assert "prepare" in refused.value.remedy


@pytest.mark.gpu
def test_it_runs_on_a_gpu(alone: list[Completion], tmp_path: Path) -> None:
    """It runs on what you have: the same loop answers on CUDA, from a session that really got it."""
    from hybridmesh.agents.worker.onnx_runtime import cuda_works

    if not cuda_works():
        pytest.skip("no session gets CUDA on this machine")
    halved = ModelStore(tmp_path, half=True).prepare("smollm2-135m", silent).folder
    engine = Engine.load(halved, name="gpu", provider="cuda")
    assert engine.provider == "cuda"
    assert engine.run(REQUESTS[0]).text == alone[0].text
