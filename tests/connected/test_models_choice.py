"""People choose the local models while all runs: one command, one record, and every agent that goes by it follows."""

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from command_line import Ran, run_command
from guarded_bus import Guarded
from harness import Bus, eventually
from hybridmesh.agents.worker.onnx_models import LocalModels
from hybridmesh.bus.errors import SetupError
from hybridmesh.bus.followed import Followed
from hybridmesh.bus.model_choice import KEY, LiveChoice, choose
from hybridmesh.bus.settings import ModelSettings
from hybridmesh.bus.terms import Terms
from hybridmesh.bus.topology import Bucket, bucket_subject
from hybridmesh.infra.models.store import ModelStore
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.inference import CompletionRequest
from hybridmesh.schemas.policies import ModelChoice, TermShard

pytestmark = [pytest.mark.connected, pytest.mark.timeout(120)]

SETTINGS = ModelSettings(local="first", max_prompt_tokens=512, prefix_mb=8)
ASKED = CompletionRequest(system="", user="Say yes.", max_tokens=2)


async def command(bus: Bus, data: Path, *words: str) -> Ran:
    place = ["--nats", bus.url, "--keys", str(bus.keys), "--data", str(data)]
    return await asyncio.to_thread(run_command, "model", "use", words, place)


def followed(bus: Bus) -> LiveChoice:
    return LiveChoice(Followed(bus.js, Bucket.POLICY, ModelChoice, KEY), SETTINGS)


async def test_one_command_chooses_and_the_log_says_who_answers(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: a choice is in the audit log by name; made twice, it is made once."""
    choice = followed(bus)
    ran = await command(bus, tmp_path, "smollm2-135m", "--for", "drafts", "--json")
    assert (ran.code, ran.json) == (0, {"name": "smollm2-135m", "for": ["draft"], "changed": True})
    await choice.look()
    assert choice.names() == {"check": "first", "draft": "smollm2-135m"}
    again = await command(bus, tmp_path, "smollm2-135m", "--for", "drafts")
    assert (again.code, again.out, again.err) == (0, "", "smollm2-135m: it was so before\n")
    assert (await command(bus, tmp_path, "qwen2.5-coder-0.5b")).code == 0
    await choice.look()
    assert set(choice.names().values()) == {"qwen2.5-coder-0.5b"}
    assert (await command(bus, tmp_path, "--reset", "--for", "checks")).code == 0
    await choice.look()
    assert choice.names() == {"check": "first", "draft": "qwen2.5-coder-0.5b"}
    events = [AuditEvent.model_validate_json(body) for body in await bus.collect(AuditEvent, 3)]
    assert [event.action for event in events] == [Action.POLICY_CHANGED] * 3
    assert events[0].facts == {"policy": "models", "draft": "smollm2-135m"}
    assert events[2].facts == {"policy": "models", "check": "reset"}


@pytest.mark.parametrize("name", ["no-such-model", "minilm-l6-int8"])
async def test_a_name_that_no_worker_can_use_is_refused(bus: Bus, tmp_path: Path, name: str) -> None:
    """It runs on what you have: a slip of the pen is an error with the names that there are, and changes nothing."""
    ran = await command(bus, tmp_path, name)
    assert ran.code == 2
    assert "qwen2.5-coder-1.5b" in ran.err
    assert await bus.state(Bucket.POLICY, ModelChoice).get(KEY) is None


@pytest.mark.parametrize("words", [(), ("smollm2-135m", "--reset")])
async def test_a_command_that_says_nothing_or_both_is_refused(bus: Bus, tmp_path: Path, words: tuple[str, ...]) -> None:
    """It runs on what you have: one command chooses, one takes back, and neither guesses."""
    ran = await command(bus, tmp_path, *words)
    assert ran.code == 2
    assert "--reset" in ran.err
    assert await bus.state(Bucket.POLICY, ModelChoice).get(KEY) is None


async def test_terms_and_models_do_not_get_into_each_other_s_way(bus: Bus) -> None:
    """Nothing private leaves: who follows the models reads no term, and a list of terms holds no model."""
    await Terms(bus.state(Bucket.POLICY, TermShard)).add(["Projekt Falke"])
    await choose(bus.state(Bucket.POLICY, ModelChoice), {"check": "second"})
    source = Followed(bus.js, Bucket.POLICY, ModelChoice, KEY)
    assert await source.changes() == {KEY: ModelChoice(check="second")}
    assert await source.changes() == {}
    assert await Terms(bus.state(Bucket.POLICY, TermShard)).read() == ["Projekt Falke"]


async def test_what_cannot_be_read_changes_nothing(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is lost: without the record the models that answer go on, and the fault is told once."""
    records, choice = bus.state(Bucket.POLICY, ModelChoice), followed(bus)
    await choose(records, {"check": "second"})
    await choice.look()
    await bus.js.publish(bucket_subject(Bucket.POLICY, KEY), b"{broken")
    for _ in range(2):
        await choice.look()
    assert choice.names()["check"] == "second"
    assert caplog.text.count("not read") == 1
    await records.delete(KEY)
    await choice.look()
    assert choice.names() == SETTINGS.names


@pytest.mark.parametrize("agent", ["worker", "verifier", "decomposer"])
async def test_who_goes_by_the_models_may_read_the_choice(guarded: Guarded, agent: str) -> None:
    """It runs on what you have: each agent follows under its own identity, on a server that lets in no more."""
    people, links = await guarded.links("publisher"), await guarded.links(agent)
    await choose(people.state(Bucket.POLICY, ModelChoice), {"check": f"for-{agent}"})
    choice = LiveChoice(Followed(links.js, Bucket.POLICY, ModelChoice, KEY), SETTINGS)
    await choice.look()
    assert choice.names()["check"] == f"for-{agent}"
    assert not guarded.refused[agent]


@pytest.mark.model
async def test_a_worker_follows_and_tells_what_it_cannot_load(
    bus: Bus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is lost: a choice reaches the models that answer; one that cannot be loaded is told, the old goes on."""
    store = ModelStore(Path.home() / ".cache" / "hybridmesh" / "models")
    folder = store.prepare("smollm2-135m", lambda _words, _share: None).folder
    there = {"first", "second"}

    def find(name: str) -> Path:
        if name not in there:
            raise SetupError(f"{name} is not there", remedy="prepare it")
        return folder

    monkeypatch.setattr("hybridmesh.agents.worker.onnx_models.RETRY_S", 0.5)
    records, choice, models = bus.state(Bucket.POLICY, ModelChoice), followed(bus), LocalModels(find, SETTINGS)
    assert await models.try_to_use(choice.names())
    following = [asyncio.create_task(work) for work in (choice.keep(), models.follow(choice.names))]

    async def wanted(names: Mapping[str, str]) -> bool:
        return models.names == names

    async def told() -> bool:
        return "third is not there" in models.note

    await choose(records, {"draft": "second"})
    await eventually(lambda: wanted({"check": "first", "draft": "second"}), 20)
    await choose(records, {"check": "second", "draft": "third"})
    await eventually(told, 20)
    assert "third is not there" in caplog.text
    assert (await models.complete(ASKED)).model == "first"
    there.add("third")
    await eventually(lambda: wanted({"check": "second", "draft": "third"}), 20)
    assert (await models.complete(ASKED)).model == "second"
    await asyncio.sleep(0.6)
    assert models.note == ""
    for task in following:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await models.close()
