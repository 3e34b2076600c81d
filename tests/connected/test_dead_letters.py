"""Dead letters on a real server: seen without their bodies, read and sent again with a note in the audit log."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nats.js.api import DiscardPolicy
from nats.js.errors import NotFoundError

from guarded_bus import Guarded
from harness import Bus, eventually
from hybridmesh.bus.bodies import body_name, drop_body, fetch_body, forget_bodies, keep_body, put_body
from hybridmesh.bus.envelope import BODY_REFERENCE
from hybridmesh.bus.errors import BodyMissing
from hybridmesh.bus.graveyard import DIED_ON, LEFT_OUT
from hybridmesh.bus.topology import (
    BODIES,
    DEAD,
    dead_subject,
    queue_stream,
    subject_of,
)
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.steps import StepReady
from letter_bench import SECRET, Classifier, actions, at_work, bury, letters, make_ready

pytestmark = pytest.mark.connected


async def test_letters_are_listed_without_their_bodies(bus: Bus, tmp_path: Path) -> None:
    """Nothing private leaves: not even to a terminal, unless somebody asks for it."""
    step = make_ready()
    await bury(bus, step)
    listed, shown = await letters(bus, tmp_path, "ls", "--json"), await letters(bus, tmp_path, "show", "1")
    (facts,) = listed.json["dead_letters"]
    assert (facts["number"], facts["reason"], facts["buried_by"]) == (1, "unanswerable", "classifier")
    assert facts["id"] == step.identity()
    assert (listed.code, shown.code) == (0, 0)
    assert SECRET not in listed.out + listed.err + shown.out + shown.err
    assert await actions(bus, Action.DEAD_LETTER_READ) == []
    assert "unanswerable" in (await letters(bus, tmp_path, "ls")).out


@pytest.mark.parametrize("number", ["2", str(2**63), str(2**64), "9" * 40])
async def test_a_letter_that_is_not_there_is_said_to_be_none(bus: Bus, tmp_path: Path, number: str) -> None:
    """Nothing is hidden: however large its number is, the mesh is not what is missing."""
    await bury(bus, make_ready())
    ran = await letters(bus, tmp_path, "show", number)
    assert (ran.code, f"there is no dead letter {number}" in ran.err) == (2, True)


async def test_reading_a_body_is_in_the_audit_log(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: who looks into a letter leaves a trace, and the trace holds no text."""
    step = make_ready()
    await bury(bus, step)
    ran = await letters(bus, tmp_path, "show", "1", "--raw", "--json")
    assert StepReady.model_validate_json(ran.json["body"]) == step
    (event,) = await actions(bus, Action.DEAD_LETTER_READ)
    assert (event.task_id, event.facts["number"]) == (step.task_id, 1)
    assert SECRET not in event.model_dump_json()


async def test_a_replayed_letter_is_handled_as_it_was_and_stays(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost: once the fault is mended, the very message is handled, signature and all."""
    step = make_ready("x" * 300_000)  # its body lies in the object store
    await bury(bus, step)
    classifier = Classifier()
    classifier.mended = True
    async with at_work(bus, classifier):
        for _ in range(2):
            assert (await letters(bus, tmp_path, "replay", "1", "--json")).json == {"replayed": [1]}

        async def twice() -> bool:
            return len(classifier.handled) == 2

        await eventually(twice)
    assert classifier.handled == [step, step]
    assert await bus.count("DEAD") == 1
    said = [event.facts["sent"] for event in await actions(bus, Action.DEAD_LETTER_REPLAYED)]
    assert said == [False, True] * 2, "the log knows of it before and after"
    assert (await letters(bus, tmp_path, "ls", "--json")).json["dead_letters"][0]["replays"] == 2


async def test_a_dropped_letter_is_gone_and_the_log_knows_of_it(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: what is erased has been, and says so; one that is not there erases no other."""
    await bury(bus, make_ready(), make_ready())
    assert (await letters(bus, tmp_path, "drop", "1", "7")).code == 2
    assert await bus.count("DEAD") == 2
    assert (await letters(bus, tmp_path, "drop", "1", "--json")).json == {"dropped": [1]}
    assert [row["number"] for row in (await letters(bus, tmp_path, "ls", "--json")).json["dead_letters"]] == [2]
    (event,) = await actions(bus, Action.DEAD_LETTER_DROPPED)
    assert event.facts["number"] == 1
    assert SECRET not in event.model_dump_json()


async def test_all_that_were_not_replayed_are(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost."""
    await bury(bus, make_ready(), make_ready())
    assert (await letters(bus, tmp_path, "replay", "2", "--json")).json == {"replayed": [2]}
    assert (await letters(bus, tmp_path, "replay", "--all", "--json")).json == {"replayed": [1]}
    assert (await letters(bus, tmp_path, "replay", "--all", "--json")).json == {"replayed": []}
    assert await bus.count("WORK_CLASSIFIER") == 2


@pytest.mark.parametrize("words", [["show", "9"], ["show", "0"], ["replay"], ["replay", "1", "--all"], ["replay", "9"]])
async def test_a_letter_that_is_not_there_is_said(bus: Bus, tmp_path: Path, words: list[str]) -> None:
    """Nothing is half done."""
    ran = await letters(bus, tmp_path, *words)
    assert ran.code == 2
    assert not ran.out
    assert await bus.count("AUDIT") == 0


async def test_what_a_full_queue_refused_was_not_replayed(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost: a letter that could not be sent is sent the next time, and those before it are told."""
    await bury(bus, make_ready(), make_ready())
    queue = queue_stream("classifier")
    config = (await bus.js.stream_info(queue)).config
    await bus.js.update_stream(config.evolve(max_msgs=1, discard=DiscardPolicy.NEW))
    full = await letters(bus, tmp_path, "replay", "--all")
    assert (full.code, "replayed: 1\n" in full.err, "remedy: try again" in full.err) == (3, True, True)
    assert (await letters(bus, tmp_path, "replay", "2")).code == 3
    assert [row["replays"] for row in (await letters(bus, tmp_path, "ls", "--json")).json["dead_letters"]] == [1, 0]
    await bus.js.purge_stream(queue)
    assert (await letters(bus, tmp_path, "replay", "--all", "--json")).json == {"replayed": [2]}
    assert await bus.count(queue) == 1


async def test_a_replay_that_an_earlier_version_noted_counts(bus: Bus, tmp_path: Path) -> None:
    """Nothing is done twice: there the log says of a replay that it was, and nothing of its two ends."""
    await bury(bus, make_ready())
    publisher = (await bus.links("publisher")).publisher
    at = datetime.now(UTC)
    await publisher.record(
        AuditEvent(agent="publisher", action=Action.DEAD_LETTER_REPLAYED, at=at, nonce="1", facts={"number": 1})
    )
    assert (await letters(bus, tmp_path, "replay", "--all", "--json")).json == {"replayed": []}


async def test_what_nobody_signed_is_passed_over_in_the_log(bus: Bus, tmp_path: Path) -> None:
    """No one gets in: junk among the audit events neither stops a person nor counts as a replay."""
    await bury(bus, make_ready())
    router = await bus.links("router")
    event = AuditEvent(
        agent="publisher", action=Action.DEAD_LETTER_REPLAYED, at=datetime.now(UTC), nonce="1", facts={"number": 1}
    )
    await bus.js.publish(subject_of(event), b"\xff junk")
    await bus.js.publish(subject_of(event), event.model_dump_json().encode())
    await router.publisher.publish(event)
    assert (await letters(bus, tmp_path, "ls", "--json")).json["dead_letters"][0]["replays"] == 0
    assert (await letters(bus, tmp_path, "replay", "--all", "--json")).json == {"replayed": [1]}


async def stored_bodies(bus: Bus) -> list[str]:
    """The names of what the object store holds."""
    with contextlib.suppress(NotFoundError):  # that is how an empty one is told
        found = await (await bus.js.object_store(BODIES)).list(ignore_deletes=True)
        return [info.name for info in found if info.name]
    return []


async def test_a_letter_keeps_its_body_until_it_is_dropped(bus: Bus, tmp_path: Path) -> None:
    """Nothing is lost: what a task stored goes with the task, but not what a person still has to look at."""
    step = make_ready("x" * 300_000)
    await bury(bus, step)
    await forget_bodies(bus.js, step.task_id)
    assert len(await stored_bodies(bus)) == 1
    ran = await letters(bus, tmp_path, "show", "1", "--raw", "--json")
    assert StepReady.model_validate_json(ran.json["body"]) == step
    classifier = Classifier()
    classifier.mended = True
    assert (await letters(bus, tmp_path, "replay", "1")).code == 0
    assert (await letters(bus, tmp_path, "drop", "1")).code == 0

    async def handled() -> bool:
        return classifier.handled == [step]

    async with at_work(bus, classifier):  # the letter is gone, and the message that was sent again has its own body
        await eventually(handled)
    await forget_bodies(bus.js, step.task_id)
    assert await stored_bodies(bus) == []


async def test_a_letter_without_its_body_is_not_sent_again(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: what cannot be sent again is an error that says so, and stops no other letter."""
    await bury(bus, make_ready("x" * 300_000), make_ready())
    for name in await stored_bodies(bus):
        await (await bus.js.object_store(BODIES)).delete(name)
    rows = (await letters(bus, tmp_path, "ls", "--json")).json["dead_letters"]
    bare, good = (row["number"] for row in sorted(rows, key=lambda row: row["bytes"]))
    for words in (["show", str(bare), "--raw"], ["replay", str(bare)]):
        ran = await letters(bus, tmp_path, *words)
        assert (ran.code, ran.out) == (2, "")
        assert f"the body of dead letter {bare} is gone\nremedy: submit its task again" in ran.err
    every = await letters(bus, tmp_path, "replay", "--all", "--json")
    assert (every.code, every.json, "is gone" in every.err) == (2, {"replayed": [good]}, True)
    assert await bus.count(queue_stream("classifier")) == 1


async def test_a_letter_gets_no_body_of_another_message(bus: Bus) -> None:
    """Nothing private leaves: who names another's body in a message that dies has made no copy of it."""
    victim = make_ready("x" * 300_000)
    name = body_name(victim.identity(), victim.model_dump_json().encode())
    await put_body(bus.js, name, victim.model_dump_json().encode())
    forged = make_ready()
    headers = {"ce-id": forged.identity(), "ce-type": forged.event_type(), BODY_REFERENCE: name}
    await bus.js.publish(subject_of(forged), b"", headers=headers)

    async def dead() -> bool:
        return await bus.count(DEAD.name) == 1

    async with at_work(bus, Classifier()):
        await eventually(dead)
    assert await stored_bodies(bus) == [name]


async def test_who_buries_and_who_drops_may_keep_and_remove_the_copy(guarded: Guarded) -> None:
    """No one gets in, and nobody who has to is kept out: under the permissions of the real server."""
    classifier, publisher = await guarded.links("classifier"), await guarded.links("publisher")
    step = make_ready("x" * 300_000)
    body = step.model_dump_json().encode()
    headers = {"ce-id": step.identity(), BODY_REFERENCE: body_name(step.identity(), body)}
    await put_body(classifier.js, headers[BODY_REFERENCE], body)
    kept = await keep_body(classifier.js, headers, "WORK_CLASSIFIER.1")
    assert kept is not None
    await forget_bodies(classifier.js, step.task_id)
    assert await fetch_body(publisher.js, {BODY_REFERENCE: kept}, b"") == body
    assert await keep_body(classifier.js, headers, "WORK_CLASSIFIER.1") is None
    for _ in range(2):
        await drop_body(publisher.js, kept)
    with pytest.raises(BodyMissing):
        await fetch_body(publisher.js, {BODY_REFERENCE: kept}, b"")


async def test_a_letter_that_was_too_large_to_be_buried_whole_is_not_sent_again(bus: Bus, tmp_path: Path) -> None:
    """Nothing is hidden: what is left of it is shown, and nobody gets a message without its content."""
    step = make_ready()
    headers = {"ce-id": step.identity(), "ce-type": step.event_type(), LEFT_OUT: "9000000", DIED_ON: subject_of(step)}
    await bus.js.publish(dead_subject(subject_of(step)), b"", headers=headers)
    ran = await letters(bus, tmp_path, "replay", "1")
    assert (ran.code, "the body of dead letter 1 is gone" in ran.err) == (2, True)
    assert (await letters(bus, tmp_path, "show", "1")).code == 0
    assert await bus.count(queue_stream("classifier")) == 0
