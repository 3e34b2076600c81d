"""Nothing private leaves: what the vault keeps is unreadable without its key, and gone when it is forgotten."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fixed_terms import FixedTerms
from harness import Bus, eventually
from hybridmesh.agents.classifier.agent import ClassifierAgent
from hybridmesh.bus.cancellation import end_tasks
from hybridmesh.bus.errors import PermanentError, TransientError
from hybridmesh.bus.state import State
from hybridmesh.bus.topology import Bucket, bucket_subject
from hybridmesh.bus.trail import Trail
from hybridmesh.bus.vault import Vault, VaultRecord
from hybridmesh.schemas.privacy import Span

pytestmark = pytest.mark.connected

SCOPE = "0195f0aa-0000-7000-8000-000000000001"
OTHER = "0195f0aa-0000-7000-8000-000000000002"
VALUES = {"[PERSON_7Q2M]": "Zoë Smith-Lee", "[TEXT_9K3N]": "[A_1234]\n\u0000"}


class Hands:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


async def make_vault(bus: Bus, *, kek: bytes = b"k" * 32, clock: Hands | None = None) -> Vault:
    return Vault(bus.state(Bucket.VAULT, VaultRecord), kek, clock or Hands(), ttl_s=60)


async def reason_of(vault: Vault, scope: str = SCOPE) -> str:
    with pytest.raises(PermanentError) as caught:
        await vault.originals(scope)
    return caught.value.reason


async def test_values_come_back_and_are_not_stored_readable(bus: Bus) -> None:
    """Nothing private leaves: the bytes on the server hold no value; another replica with the key reads them."""
    vault = await make_vault(bus)
    await vault.open(SCOPE)
    await vault.put(SCOPE, VALUES)
    assert await (await make_vault(bus)).originals(SCOPE) == VALUES
    stored = (await (await bus.js.key_value(Bucket.VAULT)).get(SCOPE)).value or b""
    assert b"Smith" not in stored
    assert "Zo".encode("utf-16-le") not in stored


async def test_replicas_agree_on_the_keys_of_a_scope(bus: Bus) -> None:
    """Nothing is lost: replicas that open a scope at once mint the same surrogates; scopes differ."""
    vaults = [await make_vault(bus) for _ in range(4)]
    keys = await asyncio.gather(*(vault.open(SCOPE) for vault in vaults))
    assert len({key.surrogate_key for key in keys}) == 1
    assert (await vaults[0].open(OTHER)).surrogate_key != keys[0].surrogate_key
    assert str(keys[0].surrogate_key) not in repr(keys[0])


async def test_concurrent_writers_lose_nothing(bus: Bus) -> None:
    """Nothing is lost: writers of the same scope at the same time all keep their values; a repeat changes nothing."""
    vaults = [await make_vault(bus) for _ in range(3)]
    await vaults[0].open(SCOPE)
    parts = [{f"[PERSON_{number}{index}AA]": f"name {number}{index}" for index in range(3)} for number in range(3)]
    await asyncio.gather(*(vault.put(SCOPE, part) for vault, part in zip(vaults, parts, strict=True)))
    await vaults[0].put(SCOPE, parts[1])
    assert await vaults[0].originals(SCOPE) == {name: value for part in parts for name, value in part.items()}


async def test_one_surrogate_never_takes_a_second_value(bus: Bus) -> None:
    """Nothing private leaves: two replicas that minted the same surrogate for two people find out, and try again."""
    vault = await make_vault(bus)
    await vault.open(SCOPE)
    await vault.put(SCOPE, VALUES)
    with pytest.raises(TransientError) as caught:
        await vault.put(SCOPE, {"[PERSON_7Q2M]": "somebody else"})
    assert caught.value.reason == "vault-conflict"
    assert await vault.originals(SCOPE) == VALUES


async def test_a_value_has_a_surrogate_as_text_and_one_as_number(bus: Bus) -> None:
    """Nothing is lost: a card that came in a letter, then as a number of JSON, has two surrogates, and no third."""
    vault = await make_vault(bus)
    await vault.open(SCOPE)
    both = {"[CARD_7Q2M]": "4111111111111111", "[CARD_DIGITS_9D3G]": "4111111111111111"}
    for surrogate, value in both.items():
        await vault.put(SCOPE, {surrogate: value})
    assert await vault.originals(SCOPE) == both
    with pytest.raises(TransientError, match="vault-conflict"):
        await vault.put(SCOPE, {"[CARD_DIGITS_8E4H]": "4111111111111111"})


async def test_a_wrong_key_or_an_altered_record_is_an_error(bus: Bus) -> None:
    """Nothing private leaves: a vault that cannot be read stops the work instead of passing for an empty one."""
    vault = await make_vault(bus)
    await vault.open(SCOPE)
    await vault.put(SCOPE, VALUES)
    assert await reason_of(await make_vault(bus, kek=b"x" * 32)) == "vault-unreadable"
    records: State[VaultRecord] = bus.state(Bucket.VAULT, VaultRecord)
    record = await records.get(SCOPE)
    assert record is not None
    first, second = record.values.values()
    swapped = dict(zip(record.values, (second, first), strict=True))
    await records.put(SCOPE, record.model_copy(update={"values": swapped}))
    assert await reason_of(vault) == "vault-unreadable"
    await records.put(OTHER, record)
    assert await reason_of(vault, OTHER) == "vault-unreadable"


async def test_a_scope_that_was_never_opened_is_missing(bus: Bus) -> None:
    """Nothing private leaves: no record is not the same as nothing private."""
    vault = await make_vault(bus)
    assert await reason_of(vault) == "vault-missing"
    with pytest.raises(PermanentError):
        await vault.put(SCOPE, VALUES)


async def test_forgetting_leaves_no_bytes(bus: Bus) -> None:
    """Nothing private leaves: a forgotten scope has neither key nor values, also not in the history."""
    vault = await make_vault(bus)
    before = await vault.open(SCOPE)
    await vault.put(SCOPE, VALUES)
    await vault.forget(SCOPE)
    assert await reason_of(vault) == "vault-missing"
    assert (await vault.open(SCOPE)).surrogate_key != before.surrogate_key
    assert await vault.originals(SCOPE) == {}


async def test_a_scope_ends_with_its_time(bus: Bus) -> None:
    """Nothing private leaves: an old scope is not read, and swept."""
    clock = Hands()
    vault = await make_vault(bus, clock=clock)
    await vault.open(SCOPE)
    await vault.put(SCOPE, VALUES)
    clock.now += timedelta(seconds=61)
    assert await reason_of(vault) == "vault-missing"
    await vault.open(OTHER)
    assert await vault.sweep() == 1
    assert list(await bus.state(Bucket.VAULT, VaultRecord).records()) == [OTHER]


async def test_a_scope_that_is_opened_again_is_not_swept_away(bus: Bus) -> None:
    """Nothing is lost: a sweep that saw the old record leaves the new one, whoever comes first."""
    clock = Hands()
    vault = await make_vault(bus, clock=clock)
    records = bus.state(Bucket.VAULT, VaultRecord)
    await vault.open(SCOPE)
    clock.now += timedelta(seconds=61)
    seen = await records.get(SCOPE)
    reads: list[str] = []

    class LateTrail(Trail[VaultRecord]):
        async def readable(self) -> AsyncGenerator[tuple[str, VaultRecord | None]]:
            yield SCOPE, seen

    class Late(State[VaultRecord]):
        """Reads what stood there before the scope was opened again."""

        def trail(self) -> Trail[VaultRecord]:
            return LateTrail(bus.js, Bucket.VAULT, VaultRecord)

        async def _read(self, key: str) -> tuple[VaultRecord, int] | None:
            reads.append(key)
            assert seen is not None
            assert key == SCOPE
            return seen, 1

    late = Vault(Late(bus.js, Bucket.VAULT, VaultRecord), b"k" * 32, clock, ttl_s=60)
    await vault.open(SCOPE)
    await vault.put(SCOPE, VALUES)
    assert await late.sweep() == 0
    assert reads == [SCOPE]
    assert await vault.originals(SCOPE) == VALUES


async def test_a_record_that_cannot_be_read_keeps_no_other_alive(bus: Bus) -> None:
    """Nothing private leaves: damage to one scope does not end the sweeping of all that were written after it."""
    clock = Hands()
    vault = await make_vault(bus, clock=clock)
    await bus.js.publish(bucket_subject(Bucket.VAULT, "damaged"), b"[]")
    await vault.open(SCOPE)
    clock.now += timedelta(seconds=61)
    assert await vault.sweep() == 1
    assert (await vault.rewrap()).unreadable == 1


async def test_the_classifier_sweeps_for_as_long_as_it_lives(bus: Bus) -> None:
    """Nothing private leaves: what the vault has kept long enough goes without anybody asking."""

    class Idle:
        async def find(self, texts: Sequence[str], known: Mapping[str, str] | None = None) -> list[list[Span]]:
            raise NotImplementedError

        def close(self) -> None:
            """Nothing is held."""

    clock = Hands()
    vault = await make_vault(bus, clock=clock)
    key = Ed25519PrivateKey.generate()
    classifier = ClassifierAgent(
        finder=Idle(), terms=FixedTerms(), vault=vault, signing_key=key, clock=clock, clearance_s=300, sweep_s=0.05
    )
    await vault.open(SCOPE)
    records = bus.state(Bucket.VAULT, VaultRecord)
    watch, _ = classifier.agent().watches
    running = asyncio.create_task(watch())

    async def swept() -> bool:
        return not await records.records()

    await asyncio.sleep(0.2)
    assert list(await records.records()) == [SCOPE]
    clock.now += timedelta(seconds=61)
    await eventually(swept)
    await end_tasks({running})


async def test_a_full_scope_is_an_error(bus: Bus) -> None:
    """Nothing private leaves: what does not fit is not dropped in silence."""
    vault = await make_vault(bus)
    await vault.open(SCOPE)
    with pytest.raises(PermanentError) as caught:
        await vault.put(SCOPE, {"[TEXT_9K3N]": "x" * 1_000_000})
    assert caught.value.reason == "vault-full"
