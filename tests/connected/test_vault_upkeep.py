"""Keys of the vault are changed while agents work, and a scope is forgotten with a receipt, whatever is cut off."""

import asyncio
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import run_command
from harness import Bus
from hybridmesh.bus.errors import MeshUnavailable, PermanentError, UntrustedMessage, UsageError
from hybridmesh.bus.identity import KeyRing
from hybridmesh.bus.publisher import utc_now
from hybridmesh.bus.receipts import Receipt, check_receipt
from hybridmesh.bus.secret_files import write_secret
from hybridmesh.bus.state import State
from hybridmesh.bus.topology import Bucket
from hybridmesh.bus.vault import Vault, VaultRecord
from hybridmesh.bus.vault_keys import CURRENT, NEXT, KeyFolder, VaultKey
from hybridmesh.infra.vault_upkeep import forget, rotate
from hybridmesh.schemas.audits import Action, AuditEvent

pytestmark = pytest.mark.connected

SCOPES = [f"0195f0aa-0000-7000-8000-00000000000{number}" for number in range(3)]
VALUES = {"[PERSON_7Q2M]": "Zoë Smith-Lee", "[EMAIL_2X9P]": "zoe@example.org"}


@pytest.fixture
def keys(bus: Bus, tmp_path: Path) -> Path:
    """A folder of keys of the test's own."""
    folder = tmp_path / "own-keys"
    shutil.copytree(bus.keys, folder)
    write_secret(folder / CURRENT, secrets.token_bytes(32))
    return folder


async def vault_of(bus: Bus, keys: KeyFolder | bytes) -> Vault:
    return Vault(bus.state(Bucket.VAULT, VaultRecord), keys, utc_now, ttl_s=600)


async def filled(bus: Bus, folder: Path) -> Vault:
    """A vault as a running agent has it, with some scopes."""
    vault = await vault_of(bus, KeyFolder(folder))
    for scope in SCOPES:
        await vault.open(scope)
        await vault.put(scope, VALUES)
    return vault


async def key_ids(bus: Bus) -> set[str]:
    return {record.key_id for record in (await bus.state(Bucket.VAULT, VaultRecord).records()).values()}


async def events(bus: Bus, action: Action, count: int = 1) -> list[AuditEvent]:
    bodies = await bus.collect(AuditEvent, count)
    found = [AuditEvent.model_validate_json(body) for body in bodies]
    return [event for event in found if event.action is action]


def key_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.kek"))


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def hushed(_: str) -> None:
    """Nobody listens."""


async def test_a_rotation_wraps_all_scopes_anew_and_destroys_the_old_key(bus: Bus, keys: Path) -> None:
    """Nothing private leaves, nothing is lost: the old key opens nothing, agents go on, surrogates stay the same."""
    agent, old = await filled(bus, keys), KeyFolder(keys).current()
    minted_with = [(await agent.open(scope)).surrogate_key for scope in SCOPES]
    done = await rotate(await bus.links("publisher"), keys, hushed, settle_s=0)
    new = KeyFolder(keys).current()
    assert (done.key_id, done.scopes, done.unreadable, done.resumed) == (new.id, 3, 0, False)
    assert await key_ids(bus) == {new.id} != {old.id}
    assert [await agent.originals(scope) for scope in SCOPES] == [VALUES] * 3
    assert [(await agent.open(scope)).surrogate_key for scope in SCOPES] == minted_with
    with pytest.raises(PermanentError, match="vault-unreadable"):
        await (await vault_of(bus, old.secret)).originals(SCOPES[0])
    assert key_files(keys) == [CURRENT]
    assert mode_of(keys / CURRENT) == 0o600
    (event,) = await events(bus, Action.VAULT_ROTATED)
    assert event.facts == {"key": new.id, "scopes": 3, "unreadable": 0, "resumed": False}
    assert new.secret.hex() not in repr(new)


def begun(folder: Path) -> None:
    write_secret(folder / NEXT, secrets.token_bytes(32))


def old_key_kept(folder: Path) -> None:
    begun(folder)
    old = KeyFolder(folder).current()
    write_secret(folder / f"vault-{old.id}.kek", old.secret)


def new_key_current(folder: Path) -> None:
    KeyFolder(folder).advance()


class Dying(State[VaultRecord]):
    """A bucket that is gone after one record was changed."""

    changed = False

    async def change(self, key: str, step: Callable[[VaultRecord | None], VaultRecord | None]) -> VaultRecord | None:
        if self.changed:
            raise MeshUnavailable
        self.changed = True
        return await super().change(key, step)


@pytest.mark.parametrize(
    ("cut", "moved"), [(begun, False), (old_key_kept, False), (new_key_current, False), (new_key_current, True)]
)
async def test_a_rotation_that_is_cut_off_harms_nothing(
    bus: Bus, keys: Path, cut: Callable[[Path], None], moved: bool
) -> None:
    """Nothing is lost: wherever it dies, both keys are read, and the next run finishes it with the same new key."""
    agent = await filled(bus, keys)
    cut(keys)
    if moved:
        dying = Dying(bus.js, Bucket.VAULT, VaultRecord)
        with pytest.raises(MeshUnavailable):
            await Vault(dying, KeyFolder(keys), utc_now, ttl_s=600).rewrap()
    assert [await agent.originals(scope) for scope in SCOPES] == [VALUES] * 3
    await agent.open("while-cut-off")
    await agent.put("while-cut-off", VALUES)
    waiting = (keys / NEXT).read_bytes() if cut is not new_key_current else (keys / CURRENT).read_bytes()
    done = await rotate(await bus.links("publisher"), keys, hushed, settle_s=0)
    assert (done.resumed, done.key_id) == (True, VaultKey(waiting).id)
    assert await key_ids(bus) == {done.key_id}
    assert [await agent.originals(scope) for scope in (*SCOPES, "while-cut-off")] == [VALUES] * 4
    assert not KeyFolder(keys).is_rotating()


async def test_writers_lose_nothing_while_the_key_changes(bus: Bus, keys: Path) -> None:
    """Nothing is lost: scopes that are opened and written during a rotation can be read after it."""
    agent, scopes = await filled(bus, keys), [f"busy-{number}" for number in range(40)]

    async def write() -> None:
        for scope in scopes:
            await agent.open(scope)
            await agent.put(scope, {f"[PERSON_{number}AAA]": f"{scope} {number}" for number in range(3)})

    writing = asyncio.create_task(write())
    done = await rotate(await bus.links("publisher"), keys, hushed, settle_s=1)
    await writing
    assert [len(await agent.originals(scope)) for scope in scopes] == [3] * 40
    assert await key_ids(bus) == {done.key_id}


async def test_a_scope_under_a_foreign_key_is_counted_and_left(bus: Bus, keys: Path) -> None:
    """Nothing is hidden: what no key here reads is said, and stops nothing."""
    await filled(bus, keys)
    stranger = await vault_of(bus, b"x" * 32)
    await stranger.open("foreign")
    done = await rotate(await bus.links("publisher"), keys, hushed, settle_s=0)
    assert (done.scopes, done.unreadable) == (3, 1)


async def test_forgetting_gives_a_signed_receipt_that_is_on_record(bus: Bus, keys: Path) -> None:
    """Nothing private leaves, nothing is hidden: scope, when, how many and which keys; no value, and no way back."""
    agent, key = await filled(bus, keys), KeyFolder(keys).current()
    links = await bus.links("publisher")
    receipt = await forget(links, keys, SCOPES[0])
    check_receipt(receipt, KeyRing.read(keys)["publisher"])
    assert (receipt.scope, receipt.values, receipt.key_id, receipt.signer) == (SCOPES[0], 2, key.id, "publisher")
    with pytest.raises(UntrustedMessage):
        check_receipt(receipt.model_copy(update={"values": 3}), KeyRing.read(keys)["publisher"])
    with pytest.raises(PermanentError, match="vault-missing"):
        await agent.originals(SCOPES[0])
    assert await agent.originals(SCOPES[1]) == VALUES
    (event,) = await events(bus, Action.VAULT_FORGOTTEN)
    assert event.facts["values"] == 2
    assert (event.task_id, event.facts["key"], event.at) == (SCOPES[0], key.id, receipt.at)
    for shown in (event.model_dump_json(), receipt.model_dump_json()):
        assert "Zo" not in shown
        assert "PERSON_" not in shown
    with pytest.raises(UsageError):
        await forget(links, keys, SCOPES[0])


async def test_forgetting_that_is_cut_off_is_finished_by_the_next_run(bus: Bus, keys: Path) -> None:
    """Nothing is hidden: values that went before the receipt was on record are on record later, once."""
    agent = await filled(bus, keys)
    cut = await agent.forget(SCOPES[0])
    stored = (await (await bus.js.key_value(Bucket.VAULT)).get(SCOPES[0])).value or b""
    assert b'"values":{}' in stored
    assert await agent.sweep() == 0
    with pytest.raises(PermanentError, match="vault-missing"):
        await agent.originals(SCOPES[0])
    links = await bus.links("publisher")
    receipt = await forget(links, keys, SCOPES[0])
    assert (receipt.at, receipt.values, receipt.data_key_id) == (cut.at, 2, cut.data_key_id)
    assert len(await events(bus, Action.VAULT_FORGOTTEN)) == 1
    assert SCOPES[0] not in await bus.state(Bucket.VAULT, VaultRecord).records()


async def test_a_forgotten_scope_that_is_opened_again_starts_anew(bus: Bus, keys: Path) -> None:
    """Nothing private leaves: a task that goes on after it was forgotten knows nothing of before."""
    agent = await filled(bus, keys)
    before = await agent.open(SCOPES[0])
    await agent.forget(SCOPES[0])
    assert (await agent.open(SCOPES[0])).surrogate_key != before.surrogate_key
    assert await agent.originals(SCOPES[0]) == {}


async def test_one_value_never_gets_a_second_surrogate(bus: Bus, keys: Path) -> None:
    """Nothing private leaves: two replicas that named a value differently find out; the map stays one to one."""
    agent = await filled(bus, keys)
    with pytest.raises(Exception, match="vault-conflict"):
        await agent.put(SCOPES[0], {"[ORGANISATION_8WZ1]": "Zoë Smith-Lee"})
    assert await agent.originals(SCOPES[0]) == VALUES


async def test_forgetting_from_the_command_line(bus: Bus, keys: Path, tmp_path: Path) -> None:
    """Nothing is hidden: the command prints the receipt, and says plainly when there is nothing to forget."""
    await filled(bus, keys)
    place = ["--nats", bus.url, "--keys", str(keys), "--data", str(tmp_path), "--json"]
    ran = await asyncio.to_thread(run_command, "vault", "forget", SCOPES[0], place)
    check_receipt(Receipt.model_validate(ran.json), KeyRing.read(keys)["publisher"])
    again = await asyncio.to_thread(run_command, "vault", "forget", SCOPES[0], place)
    assert (ran.code, again.code) == (0, 2)
    assert "nothing is kept of that scope" in again.err
    assert (await asyncio.to_thread(run_command, "vault", "forget", "a b", place)).code == 2
