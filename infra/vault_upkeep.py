"""What a person does to the vault: a new key-encryption key for all scopes, and forgetting one scope.

Both can be cut off anywhere and run again: every key that a scope may be wrapped by stays in the folder until no
scope is, and a forgotten scope leaves a note until its receipt is on record.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hybridmesh.bus.errors import PermanentError, UsageError
from hybridmesh.bus.identity import read_vault_key
from hybridmesh.bus.links import Links
from hybridmesh.bus.receipts import Receipt, sign_receipt
from hybridmesh.bus.topology import Bucket
from hybridmesh.bus.vault import Vault, VaultRecord
from hybridmesh.bus.vault_keys import KeyFolder
from hybridmesh.infra.models.process_lock import process_lock
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.message import is_task_id

# Longer than the bus lets a write take: an agent that read the old key just before the change has written by then.
SETTLE_S = 12.0


@dataclass(frozen=True, slots=True)
class Rotation:
    """A rotation that has ended: the new key's id, how many scopes it wraps now, how many no key here can read."""

    key_id: str
    scopes: int
    unreadable: int
    resumed: bool


async def rotate(links: Links, folder: Path, tell: Callable[[str], None], *, settle_s: float = SETTLE_S) -> Rotation:
    """Give all scopes a new key-encryption key; finishes a rotation that was cut off instead of beginning another.

    Agents that run on this folder follow by themselves, and read what either key wraps in the meantime.

    Raises:
        SetupError: there is no vault key in the folder.
        MeshUnavailable: the bus stopped answering; run it again.

    """
    await asyncio.to_thread(read_vault_key, folder)
    with process_lock(folder / ".vault.lock", lambda: tell("waiting for another rotation on this folder")):
        keys = KeyFolder(folder)
        resumed = keys.is_rotating()
        await asyncio.to_thread(keys.advance)
        vault = await _vault(links, folder)
        first = await vault.rewrap()
        tell(f"{first.moved} scopes have the new key; waiting {settle_s:.0f} s for writes that were under way")
        await asyncio.sleep(settle_s)
        second = await vault.rewrap()
        done = Rotation(keys.current().id, first.moved + second.moved, second.unreadable, resumed)
        await links.publisher.record(_rotated(links, done))
        await asyncio.to_thread(keys.retire)
        return done


async def forget(links: Links, folder: Path, scope: str) -> Receipt:
    """Drop a scope's key and values, put that on record, and return the signed receipt.

    Raises:
        UsageError: the vault knows no such scope.
        MeshUnavailable: the bus does not answer; run it again.

    """
    vault = await _vault(links, folder)
    try:
        forgotten = await vault.forget(scope)
    except PermanentError as error:
        raise UsageError(str(error), remedy="give the id of a task that the vault still holds") from None
    receipt = sign_receipt(forgotten, links.identity)
    await links.publisher.record(_forgotten(links, receipt))
    await vault.erase(scope)
    return receipt


async def _vault(links: Links, folder: Path) -> Vault:
    records = links.state(Bucket.VAULT, VaultRecord)
    return Vault(records, KeyFolder(folder), links.clock, ttl_s=links.settings.privacy.vault_ttl_s)


def _rotated(links: Links, done: Rotation) -> AuditEvent:
    return AuditEvent(
        agent=links.identity.name,
        action=Action.VAULT_ROTATED,
        at=links.clock(),
        nonce=done.key_id,
        facts={"key": done.key_id, "scopes": done.scopes, "unreadable": done.unreadable, "resumed": done.resumed},
    )


def _forgotten(links: Links, receipt: Receipt) -> AuditEvent:
    """Return the event; its time and id are the note's, so that forgetting again after a crash adds no second one."""
    return AuditEvent(
        agent=links.identity.name,
        action=Action.VAULT_FORGOTTEN,
        at=receipt.at,
        task_id=receipt.scope if is_task_id(receipt.scope) else None,
        nonce=f"{receipt.scope}.{receipt.at.isoformat()}",
        facts={
            "scope": receipt.scope,
            "values": receipt.values,
            "key": receipt.key_id,
            "data_key": receipt.data_key_id,
            "signer_key": receipt.signer_key_id,
        },
    )
