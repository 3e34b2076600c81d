"""Two real models in one thread and under one bound, and models that are exchanged while they answer."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from hybridmesh.agents.worker.onnx_engine import Engine, room_of
from hybridmesh.agents.worker.onnx_memory import ModelMemory, Need
from hybridmesh.agents.worker.onnx_models import LocalModels
from hybridmesh.bus.errors import ModelUnavailable, SetupError, UsageError
from hybridmesh.bus.settings import ModelSettings
from hybridmesh.infra.models.store import ModelStore
from hybridmesh.schemas.inference import Completion, CompletionRequest, Guide, GuideKind, Purpose

pytestmark = [pytest.mark.connected, pytest.mark.model, pytest.mark.timeout(180)]

SMALL, LARGE = "smollm2-135m", "qwen2.5-coder-0.5b"
SYSTEM = "You are a careful assistant of a support team. Use only facts from the text and answer shortly. " * 3
PROMPT_TOKENS = 512
MB = 1_000_000


def ask(purpose: Purpose, user: str, max_tokens: int = 12, deadline_s: float | None = None) -> CompletionRequest:
    return CompletionRequest(system=SYSTEM, user=user, max_tokens=max_tokens, purpose=purpose, deadline_s=deadline_s)


def endless(purpose: Purpose, max_tokens: int = 1500) -> CompletionRequest:
    guide = Guide(kind=GuideKind.REGEX, pattern="[a-z ]{6000}")
    return CompletionRequest(system="", user="Tell a story.", max_tokens=max_tokens, guide=guide, purpose=purpose)


REQUESTS = tuple(
    ask(purpose, user)
    for purpose in ("check", "draft")
    for user in ("What is the capital of France?", "Name three animals.", "What is the capital of France and of Spain?")
)


@pytest.fixture(scope="module")
def folder_of() -> Callable[[str], Path]:
    """The prepared models; any other name is another copy of the small one, but for one that is broken."""
    store = ModelStore(Path.home() / ".cache" / "hybridmesh" / "models")
    folders = {name: store.prepare(name, lambda _words, _share: None).folder for name in (SMALL, LARGE)}

    def find(name: str) -> Path:
        if name == "broken":
            raise SetupError("there is no such model", remedy="see `model list`")
        return folders.get(name, folders[SMALL])

    return find


@pytest_asyncio.fixture
async def models(folder_of: Callable[[str], Path]) -> AsyncIterator[LocalModels]:
    """Models with room for whatever is asked of them, none loaded yet."""
    models = LocalModels(folder_of, settings())
    yield models
    await models.close()


def settings(memory_mb: int | None = None) -> ModelSettings:
    return ModelSettings(max_prompt_tokens=PROMPT_TOKENS, prefix_mb=16, memory_mb=memory_mb, rows=4)


def memory_for(folder: Path, count: float) -> int:
    """Return the bound under which so many copies of a model fit, with the longest request of one, in MB."""
    need = Need.of(folder, room_of(PROMPT_TOKENS))
    return int((16 * MB + count * need.loaded + need.request) / MB) + 1


async def begun(models: LocalModels, name: str) -> None:
    """Return once a model has begun; on a busy machine it may be at its second answer before anybody looks."""
    while not any(load.running or load.latency_s for load in models.loads() if load.model == name):
        await asyncio.sleep(0.01)


async def test_each_request_is_answered_by_its_own_model_as_if_it_were_alone(
    models: LocalModels, folder_of: Callable[[str], Path]
) -> None:
    """It runs on what you have: a small model checks, a large one writes; neither changes a word of the other's."""
    alone: list[Completion] = []
    for name, part in ((SMALL, REQUESTS[:3]), (LARGE, REQUESTS[3:])):
        engine = Engine.load(
            folder_of(name), name=name, rows=1, max_prompt_tokens=PROMPT_TOKENS, memory=ModelMemory(prefix_bytes=0)
        )
        alone += [engine.run(request) for request in part]
        del engine
    await models.use({"check": SMALL, "draft": LARGE})
    for _ in range(2):  # the second time with kept prefixes of both in one memory
        together = await asyncio.gather(*(models.complete(request) for request in REQUESTS))
        assert [answer.model for answer in together] == [SMALL] * 3 + [LARGE] * 3
        assert [(answer.text, answer.finish) for answer in together] == [(one.text, one.finish) for one in alone]
    assert [(load.model, load.purposes) for load in models.loads()] == [(SMALL, ("check",)), (LARGE, ("draft",))]
    assert all(load.kv_bytes for load in models.loads())
    assert 0 < models.memory.prefixes.used_bytes <= 16 * MB


async def test_a_check_is_answered_while_a_draft_is_written(models: LocalModels) -> None:
    """It runs on what you have: busy models take turns, so neither waits for the other to end."""
    await models.use({"check": "one", "draft": "two"})
    draft = asyncio.create_task(models.complete(endless("draft")))
    await begun(models, "two")
    assert (await models.complete(ask("check", "Is Paris in France?", 2))).model == "one"
    assert not draft.done()
    draft.cancel()
    await asyncio.gather(draft, return_exceptions=True)


async def test_two_that_do_not_fit_are_refused_with_the_figures(folder_of: Callable[[str], Path]) -> None:
    """It runs on what you have: a bound that is too small for both is said before either is loaded."""
    bound = memory_for(folder_of(SMALL), 1.9)
    models = LocalModels(folder_of, settings(bound))
    with pytest.raises(SetupError) as refused:
        await models.use({"check": "one", "draft": "two"})
    assert "one and two would take" in str(refused.value)
    assert f"models.memory_mb = {bound}" in str(refused.value)
    assert (models.loads(), models.memory.taken) == ((), 16 * MB)
    await models.close()


async def test_a_request_beyond_the_bound_is_refused_and_its_neighbours_are_not(
    folder_of: Callable[[str], Path],
) -> None:
    """Nothing is lost: what would break the bound is a retry, said at once; what is under way goes on."""
    models = LocalModels(folder_of, settings(memory_for(folder_of(SMALL), 2)))
    await models.use({"check": "one", "draft": "two"})
    draft = asyncio.create_task(models.complete(endless("draft", 2048)))
    await begun(models, "two")
    with pytest.raises(ModelUnavailable) as refused:
        await models.complete(endless("check", 2048))
    assert (refused.value.reason, bool(refused.value.retry_after_s)) == ("overloaded", True)
    assert (await models.complete(ask("check", "Is Paris in France?", 2))).model == "one"
    assert not draft.done()
    draft.cancel()
    await asyncio.gather(draft, return_exceptions=True)
    assert (await models.complete(endless("check", 40))).model == "one"
    await models.close()


async def exchange(models: LocalModels) -> tuple[list[Completion], list[Completion]]:
    """Exchange ``old`` for ``new`` with requests under way, and more that come while it is done; return the answers.

    The first newcomer is there before anything is exchanged, the last one after all was, however long it takes.
    """
    await models.use({"check": "old", "draft": "old"})
    before = [
        asyncio.create_task(models.complete(ask("draft", f"Tell a story of {number} dogs.", 30))) for number in range(6)
    ]
    await begun(models, "old")
    exchanging = asyncio.create_task(models.use({"check": "new", "draft": "new"}))
    meanwhile: list[asyncio.Task[Completion]] = []

    def come() -> None:
        request = ask("check", f"Name {len(meanwhile)} animals.", 8, deadline_s=150)
        meanwhile.append(asyncio.create_task(models.complete(request)))

    while not exchanging.done():
        if sum(not task.done() for task in meanwhile) < 4:
            come()
        await asyncio.sleep(0.1)
    await exchanging
    come()
    return await asyncio.gather(*before), await asyncio.gather(*meanwhile)


async def test_a_model_is_exchanged_without_losing_a_request(models: LocalModels) -> None:
    """Nothing is lost: the old model answers until the new one can, ends what it began, and is gone."""
    await models.use({"check": "old", "draft": "old"})
    engine = weakref.ref(models._models["old"]._engine)
    session = weakref.ref(models._models["old"]._engine._decoder._session)
    before, meanwhile = await exchange(models)
    assert {answer.model for answer in before} == {"old"}
    assert {answer.model for answer in meanwhile} == {"old", "new"}
    assert (await models.complete(ask("draft", "Name three animals."))).model == "new"
    assert models.names == {"check": "new", "draft": "new"}
    assert [load.model for load in models.loads()] == ["new"]
    gc.collect()
    assert (engine(), session()) == (None, None)


async def test_where_there_is_no_room_for_both_newcomers_wait(folder_of: Callable[[str], Path]) -> None:
    """Nothing is lost: the old model goes first, and who comes meanwhile is answered by the new one."""
    models = LocalModels(folder_of, settings(memory_for(folder_of(SMALL), 1.5)))
    before, meanwhile = await exchange(models)
    assert {answer.model for answer in before} == {"old"}
    assert {answer.model for answer in meanwhile} <= {"old", "new"}
    assert meanwhile[-1].model == "new"
    assert [load.model for load in models.loads()] == ["new"]
    await models.close()


async def test_a_waiting_request_keeps_its_deadline(folder_of: Callable[[str], Path]) -> None:
    """Nothing is lost: who waits for a model that is being exchanged is a retry when his time is over."""
    models = LocalModels(folder_of, settings(memory_for(folder_of(SMALL), 1.5)))
    await models.use({"check": "old", "draft": "old"})
    long = asyncio.create_task(models.complete(endless("draft", 120)))
    await begun(models, "old")
    exchanging = asyncio.create_task(models.use({"check": "new", "draft": "new"}))
    while not models._leaving:
        await asyncio.sleep(0.01)
    with pytest.raises(ModelUnavailable) as late:
        await models.complete(ask("check", "Is Paris in France?", 2, deadline_s=0.3))
    assert late.value.reason == "deadline"
    assert not long.done()
    assert (await long).model == "old"
    await exchanging
    await models.close()


Lasting = tuple[LocalModels, dict[str, Path]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lasting(folder_of: Callable[[str], Path]) -> AsyncIterator[Lasting]:
    """Models with room for three, of which the old one outlives each that is no good; and where those are."""
    places: dict[str, Path] = {}
    models = LocalModels(lambda name: places.get(name) or folder_of(name), settings(memory_for(folder_of(SMALL), 3)))
    await models.use({"check": "old", "draft": "old"})
    yield models, places
    await models.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("names", [("broken", "broken"), ("old", "broken"), ("huge", "old")])
async def test_a_model_that_cannot_be_had_leaves_the_old_one(
    names: tuple[str, str], lasting: Lasting, folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    """Nothing is lost: a wrong name, or a model that is too large, is a reason, and the old model goes on."""
    (tmp_path / "model.onnx.data").touch()
    (tmp_path / "genai_config.json").symlink_to(folder_of(SMALL) / "genai_config.json")
    with (tmp_path / "model.onnx.data").open("wb") as sparse:
        sparse.truncate(10**12)
    models, places = lasting
    places["huge"] = tmp_path
    taken = models.memory.taken
    with pytest.raises(SetupError):
        await models.use({"check": names[0], "draft": names[1]})
    assert (models.names, models.memory.taken) == ({"check": "old", "draft": "old"}, taken)
    assert (await models.complete(ask("draft", "Is Paris in France?", 2))).model == "old"


async def test_one_that_does_not_load_after_the_old_one_went_brings_it_back(
    folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    """Nothing is lost: the old model is loaded again, and answers who waited."""
    for file in folder_of(SMALL).iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "tokenizer.json").unlink()
    bound = memory_for(folder_of(SMALL), 1.5)
    models = LocalModels(lambda name: tmp_path if name == "wrecked" else folder_of(name), settings(bound))
    await models.use({"check": "old", "draft": "old"})
    exchanging = asyncio.create_task(models.use({"check": "wrecked", "draft": "wrecked"}))
    await asyncio.sleep(0.05)
    waiting = asyncio.create_task(models.complete(ask("draft", "Is Paris in France?", 2)))
    with pytest.raises(SetupError, match="wrecked"):
        await exchanging
    assert (await waiting).model == "old"
    await models.close()


async def test_a_model_that_is_removed_in_the_middle_of_an_exchange_brings_the_old_one_back(
    folder_of: Callable[[str], Path],
) -> None:
    """Nothing is lost: a folder that was there at the first look and is gone at the next leaves the old model."""
    looked = 0

    def find(name: str) -> Path:
        nonlocal looked
        looked += name == "removed"
        if name == "removed" and looked > 1:
            raise UsageError("there is no such model", remedy="see `model list`")
        return folder_of(name)

    models = LocalModels(find, settings(memory_for(folder_of(SMALL), 1.5)))
    await models.use({"check": "old", "draft": "old"})
    taken = models.memory.taken
    assert not await models.try_to_use({"check": "removed", "draft": "removed"})
    assert (looked, models.memory.taken) == (2, taken)
    assert "there is no such model" in models.note
    assert (await models.complete(ask("draft", "Is Paris in France?", 2, deadline_s=60))).model == "old"
    await models.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("file", ["tokenizer.json", "tokenizer_config.json", "genai_config.json", "model.onnx"])
@pytest.mark.parametrize("content", ["{}", "[]", '{"model": [], "added_tokens": [{}]}', "null"])
async def test_a_damaged_model_leaves_the_old_one(
    file: str, content: str, lasting: Lasting, folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    """Nothing is lost: whatever libraries say of a damaged file, the old model goes on and no memory is held."""
    for path in folder_of(SMALL).iterdir():
        if path.name != file:
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / file).write_text(content, "utf-8")
    models, places = lasting
    places["damaged"] = tmp_path
    taken = models.memory.taken
    with pytest.raises(SetupError) as refused:
        await models.use({"check": "damaged", "draft": "damaged"})
    assert "prepare" in refused.value.remedy
    assert models.memory.taken == taken
    assert (await models.complete(ask("draft", "Is Paris in France?", 2))).model == "old"
