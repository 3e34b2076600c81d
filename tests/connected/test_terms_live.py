"""Nothing private leaves, mistakes are not repeated: a term added anywhere holds everywhere within a second."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import nats
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from command_line import Ran, run_command
from harness import Bus, eventually
from hybridmesh.agents.classifier.agent import ClassifierAgent
from hybridmesh.agents.classifier.detector import Detector
from hybridmesh.agents.classifier.live_terms import LiveTerms
from hybridmesh.agents.classifier.tags import Tag
from hybridmesh.agents.classifier.terms import TermRecognizer
from hybridmesh.agents.classifier.thresholds import Thresholds
from hybridmesh.bus.cancellation import end_tasks
from hybridmesh.bus.errors import InvalidMessage, MeshUnavailable, Unanswerable
from hybridmesh.bus.followed import Followed
from hybridmesh.bus.provisioner import provision
from hybridmesh.bus.publisher import utc_now
from hybridmesh.bus.terms import KEYS, Terms
from hybridmesh.bus.topology import Bucket, bucket_subject
from hybridmesh.bus.vault import Vault, VaultRecord
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.consults import ConsultProposed, ConsultRefused, Prompt
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.policies import TermShard
from hybridmesh.schemas.routing import Decision, Lane
from hybridmesh.schemas.steps import StepClassified, StepContext, StepReady

pytestmark = pytest.mark.connected

TASK = "0195f0aa-0000-7000-8000-000000000001"
SECOND = 1.0


class NoTags:
    """A token classifier that finds nothing, so that only the terms do."""

    def tag(self, text: str, threshold: float, tick: object) -> list[Tag]:
        return []


class Replica:
    """A classifier's terms, as one process has them."""

    def __init__(self, js: Any, *seed: str) -> None:  # noqa: ANN401 - nats-py's context
        self.terms = TermRecognizer(seed)
        self.live = LiveTerms(Followed(js, Bucket.POLICY, TermShard, KEYS), self.terms, time.monotonic)

    def found(self, text: str) -> list[str]:
        return [text[span.start : span.end] for span in self.terms.find(text)]

    @contextlib.asynccontextmanager
    async def following(self) -> AsyncGenerator[None]:
        task = asyncio.create_task(self.live.keep())
        yield
        await end_tasks({task})

    def agent(self, vault: Vault) -> ClassifierAgent:
        finder = Detector(
            tagger=NoTags(), terms=self.terms, thresholds=Thresholds(0.5), max_chars=10_000, timeout_s=30,
            monotonic=time.monotonic,
        )  # fmt: skip
        key = Ed25519PrivateKey.generate()
        return ClassifierAgent(
            finder=finder, terms=self.live, vault=vault, signing_key=key, clock=utc_now, clearance_s=60
        )


async def shared(bus: Bus) -> Terms:
    return Terms(bus.state(Bucket.POLICY, TermShard))


async def within(limit: float, replica: Replica, text: str, expected: list[str]) -> None:
    start = time.monotonic()

    async def seen() -> bool:
        return replica.found(text) == expected

    await eventually(seen, limit + 2)
    assert time.monotonic() - start <= limit


async def test_a_term_holds_in_every_replica_within_a_second_and_goes_again(bus: Bus) -> None:
    """Mistakes are not repeated: what one person adds, all classifiers find; what is taken away is found no longer."""
    terms = await shared(bus)
    text = "the PROJEKT falke and the seed"
    replicas = [Replica(bus.js, "seed") for _ in range(2)]
    async with contextlib.AsyncExitStack() as stack:
        for replica in replicas:
            await stack.enter_async_context(replica.following())
        assert await terms.add(["Projekt Falke", "X-17"]) == 2
        for replica in replicas:
            await within(SECOND, replica, text, ["PROJEKT falke", "seed"])
        assert await terms.add(["Projekt Falke"]) == 0
        assert await terms.read() == ["Projekt Falke", "X-17"]
        assert await terms.remove(["Projekt Falke", "unknown", "seed"]) == 1
        for replica in replicas:
            await within(SECOND, replica, text, ["seed"])
    late = Replica(bus.js)
    seen = [await replica.live.check() for replica in (late, *replicas)]
    assert late.found("x-17") == ["x-17"]
    assert len(set(seen)) == 1  # the version that a clearance names: the same in every replica
    assert await terms.add(["Y-18"])
    assert await Replica(bus.js).live.check() > seen[0]


async def test_changes_at_once_all_hold(bus: Bus) -> None:
    """Nothing is lost: two people who add terms at the same time do not undo each other."""
    many = [await shared(bus) for _ in range(4)]
    await asyncio.gather(
        *(terms.add([f"term {number}-{at}" for at in range(200)]) for number, terms in enumerate(many))
    )
    assert len(await many[0].read()) == 800


def ready(text: str) -> StepReady:
    spec = StepSpec(id="reply", title="Reply", instruction=text)
    return StepReady(task_id=TASK, step_id="reply", context=StepContext(goal="Help.", profile="balanced", spec=spec))


def proposed(text: str) -> ConsultProposed:
    return ConsultProposed(
        task_id=TASK, step_id="reply", purpose="answer", prompt=Prompt(system="s", user=text), model="m",
        max_tokens=10, decision=Decision(lane=Lane.REDACTED, reason="r"),
    )  # fmt: skip


async def vault_of(bus: Bus) -> Vault:
    vault = Vault(bus.state(Bucket.VAULT, VaultRecord), b"k" * 32, utc_now, ttl_s=600)
    await vault.open(TASK)
    return vault


async def test_terms_that_cannot_be_read_at_the_start_are_a_doubt(bus: Bus) -> None:
    """Nothing private leaves: without its terms the classifier neither clears a step nor signs a prompt."""
    vault = await vault_of(bus)
    await bus.js.delete_key_value(Bucket.POLICY)
    agent = Replica(bus.js).agent(vault)
    _, classified = await agent.classify(ready("hello"))
    assert isinstance(classified, StepClassified)
    assert (classified.doubt, classified.redacted) == ("policy-unreadable", None)
    _, refused = await agent.clear(proposed("hello"))
    assert isinstance(refused, ConsultRefused)
    assert refused.reason == "policy-unreadable"


async def test_terms_that_are_lost_on_the_way_are_a_doubt_until_they_are_back(bus: Bus) -> None:
    """Nothing private leaves: what was read before is no answer; a bucket made anew is read anew."""
    await (await shared(bus)).add(["Projekt Falke"])
    replica = Replica(bus.js)
    agent = replica.agent(await vault_of(bus))
    async with replica.following():
        _, classified = await agent.classify(ready("about Projekt Falke"))
        assert isinstance(classified, StepClassified)
        assert classified.findings.counts == {"TERM": 1}
        await bus.js.delete_key_value(Bucket.POLICY)
        await asyncio.sleep(2 * SECOND)
        _, classified = await agent.classify(ready("about Projekt Falke"))
        assert isinstance(classified, StepClassified)
        assert classified.doubt == "policy-unreadable"
        await provision(bus.js, bus.settings.bus)
        await (await shared(bus)).add(["Projekt Adler"])
        await within(SECOND, replica, "Projekt Falke, Projekt Adler", ["Projekt Adler"])
        _, classified = await agent.classify(ready("about Projekt Adler"))
        assert isinstance(classified, StepClassified)
        assert (classified.doubt, classified.findings.counts) == (None, {"TERM": 1})


async def test_a_server_that_is_gone_is_a_doubt(bus: Bus) -> None:
    """Nothing private leaves: a connection that is cut does not leave the classifier with old terms for long."""
    client = await nats.connect(bus.url, max_reconnect_attempts=-1, reconnect_time_wait=1)
    replica = Replica(client.jetstream(timeout=0.3))
    await replica.live.check()
    bus.server.stop()
    await asyncio.sleep(1.5 * SECOND)
    with pytest.raises(Unanswerable, match="policy-unreadable"):
        await replica.live.check()
    with contextlib.suppress(ConnectionError):  # what a client says that closes on a dead server
        await client.close()


async def test_a_record_that_cannot_be_read_is_a_doubt(bus: Bus) -> None:
    """Nothing private leaves: a broken list is not an empty one, and is read as soon as it is mended."""
    await (await shared(bus)).add(["Projekt Falke"])
    (key,) = await bus.state(Bucket.POLICY, TermShard).records()
    replica = Replica(bus.js)
    await replica.live.check()
    await bus.js.publish(bucket_subject(Bucket.POLICY, key), b"{broken")
    await asyncio.sleep(1.2 * SECOND)
    for _ in range(2):
        with pytest.raises(Unanswerable, match="policy-unreadable"):
            await replica.live.check()
    await bus.state(Bucket.POLICY, TermShard).put(key, TermShard(terms=("Projekt Adler",)))
    await replica.live.check()
    assert replica.found("Projekt Falke, Projekt Adler") == ["Projekt Adler"]


async def test_changes_are_told_once_in_order_and_after_an_error_again(bus: Bus) -> None:
    """Nothing is lost: each look tells what was written since the last one that succeeded."""
    records = bus.state(Bucket.POLICY, TermShard)
    followed = Followed(bus.js, Bucket.POLICY, TermShard)
    assert await followed.changes() == {}
    one, two = TermShard(terms=("one",)), TermShard(terms=("two",))
    await records.put("terms.00", one)
    await records.put("terms.01", one)
    await records.put("terms.00", two)
    assert await followed.changes() == {"terms.01": one, "terms.00": two}
    assert await followed.changes() == {}
    await bus.js.publish(bucket_subject(Bucket.POLICY, "terms.02"), b"[]")
    await records.put("terms.01", two)
    for _ in range(2):
        with pytest.raises(InvalidMessage):
            await followed.changes()
    await records.delete("terms.02")
    assert await followed.changes() == {"terms.01": two, "terms.02": None}
    await records.delete("terms.01")
    assert await followed.changes() == {"terms.01": None}
    await bus.js.delete_key_value(Bucket.POLICY)
    with pytest.raises(MeshUnavailable):
        await followed.changes()
    await provision(bus.js, bus.settings.bus)
    assert await followed.changes() == {"terms.00": None}


async def command(bus: Bus, data: Path, *words: str, stdin: bytes = b"") -> Ran:
    place = ["--nats", bus.url, "--keys", str(bus.keys), "--data", str(data)]
    return await asyncio.to_thread(run_command, "terms", words, place, stdin=stdin)


async def test_the_command_line_changes_the_list(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: terms are data on stdout, and the audit log tells how many changed, never which."""
    lines = "Müller-Lüdenscheidt\n\nX-17\n  Projekt   Falke \n".encode()
    added = await command(bus, tmp_path, "add", "Projekt Adler", "--file", "-", "--json", stdin=lines)
    assert (added.code, added.json) == (0, {"added": 4, "given": 4})
    again = await command(bus, tmp_path, "add", "X-17", "Y-18")
    assert (again.code, again.out, again.err) == (0, "", "added: 1; 1 changed nothing\n")
    listed = await command(bus, tmp_path, "ls")
    assert listed.out.splitlines() == ["Müller-Lüdenscheidt", "Projekt   Falke", "Projekt Adler", "X-17", "Y-18"]
    removed = await command(bus, tmp_path, "remove", "X-17", "Z-19", "--json")
    assert removed.json == {"removed": 1, "given": 2}
    assert (await command(bus, tmp_path, "ls", "--json")).json["terms"][-1] == "Y-18"
    events = [AuditEvent.model_validate_json(body) for body in await bus.collect(AuditEvent, 3)]
    assert [event.action for event in events] == [Action.POLICY_CHANGED] * 3
    assert [event.facts for event in events] == [
        {"policy": "terms", "added": 4}, {"policy": "terms", "added": 1}, {"policy": "terms", "removed": 1},
    ]  # fmt: skip


@pytest.mark.parametrize("words", [(), ("a",), ("x" * 201,), ("two\nlines",), ("--file", "nowhere.txt")])
async def test_what_is_no_term_is_refused(bus: Bus, tmp_path: Path, words: tuple[str, ...]) -> None:
    """Nothing is hidden: a term that would cut every text, or none, is an error with its remedy."""
    ran = await command(bus, tmp_path, "add", *words)
    assert ran.code == 2
    assert "remedy: " in ran.err
    assert (await command(bus, tmp_path, "ls")).out == ""
