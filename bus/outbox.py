"""The client's outbox: a submission stays on this disk until the bus has acknowledged it."""

import contextlib
import hashlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from hybridmesh.bus.claimed_files import claim, open_claimed
from hybridmesh.bus.errors import SetupError
from hybridmesh.bus.identity import KeyRing
from hybridmesh.schemas.message import Frozen
from hybridmesh.schemas.tasks import TaskSubmitted

_ADMITTER = "decomposer"
_UNNOTED_ROLE = "publisher"  # whose tasks those are that an earlier version kept without a note
_DRAFT_S = 3600.0  # a draft this old is of a process that died over it


@dataclass(frozen=True, slots=True)
class Sender:
    """By whose key, and to which mesh; ``own`` is the one that runs on the data folder itself.

    A mesh is known by the first key that its ring ever held of who takes tasks on, which outlives rotations, and by the
    address where a person named one. Neither does alone: keys prove the client to a server, and no server to it; and
    at one address there may be another mesh tomorrow. The own mesh has no address here, as its port is a new one with
    each start.
    """

    role: str
    mesh: str
    own: bool

    @classmethod
    def at(cls, address: str | None, role: str, ring: KeyRing) -> Self:
        """Return who sends to the mesh of a ring; ``address`` is None for the data folder's own."""
        place = "" if address is None else ",".join(sorted(part.strip() for part in address.split(",")))
        return cls(role, hashlib.sha256(ring.first(_ADMITTER) + place.encode()).hexdigest(), address is None)


class _Kept(Frozen):
    """A submission as it lies on disk."""

    role: str
    mesh: str
    task: TaskSubmitted


class Outbox:
    """A folder with one file a submission that is not acknowledged yet.

    Several senders share it, and each is given its own alone: a task is private to the mesh that it was meant for. Of
    several processes one at a time sends a task, so that what its submitter is told was refused is sent by nobody.
    """

    def __init__(self, folder: Path, sender: Sender) -> None:
        self._folder = folder
        self._sender = sender
        self._claimed: dict[str, int] = {}

    def put(self, task: TaskSubmitted) -> None:
        """Write the submission and sync it, whole or not at all, and claim it; :meth:`release` lets others send it.

        Raises:
            SetupError: the disk does not take it.

        """
        kept = _Kept(role=self._sender.role, mesh=self._sender.mesh, task=task)
        try:
            if not self._folder.is_dir():
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                _sync(self._folder.parent)
            self._claimed[task.task_id] = self._write(self._path(task), kept.model_dump_json().encode())
        except OSError as error:
            raise SetupError(
                f"the task cannot be kept on this disk until the mesh has it: {error.strerror or type(error).__name__}",
                remedy=f"see to {self._folder}: room on its disk and the right to write, or name another with --data",
            ) from error

    def claim(self, task: TaskSubmitted) -> bool:
        """Take a submission that waits, to send it; say no where another is sending it, or has."""
        if task.task_id in self._claimed or (descriptor := open_claimed(self._path(task))) is None:
            return False
        self._claimed[task.task_id] = descriptor
        return True

    def release(self, task: TaskSubmitted) -> None:
        """Leave a submission, if it is still there, to whoever sends it next."""
        if (descriptor := self._claimed.pop(task.task_id, None)) is not None:
            os.close(descriptor)

    def remove(self, task: TaskSubmitted) -> None:
        """Take out a submission that the bus has, or has refused."""
        self._path(task).unlink(missing_ok=True)
        self.release(task)

    def waiting(self) -> Iterator[TaskSubmitted]:
        """Yield what this sender put there and the bus never acknowledged, oldest first.

        A file that is not whole is passed over, and counted by :meth:`unreadable`. One without a note, of an earlier
        version, is taken for the publisher's and for the data folder's own mesh, and is given to nobody else.
        """
        for kept in self._all():
            if self._is_mine(kept):
                yield kept.task if isinstance(kept, _Kept) else kept

    def foreign(self) -> int:
        """Count what waits for another mesh, or for another identity."""
        return sum(not self._is_mine(kept) for kept in self._all())

    def unreadable(self) -> int:
        """Count the files that hold no task that this process can read, and so wait for a person."""
        return sum(self._read(path) is None for path in self._folder.glob("*.json"))

    def _is_mine(self, kept: _Kept | TaskSubmitted) -> bool:
        if isinstance(kept, _Kept):
            return (kept.role, kept.mesh) == (self._sender.role, self._sender.mesh)
        return self._sender.own and self._sender.role == _UNNOTED_ROLE

    def _all(self) -> Iterator[_Kept | TaskSubmitted]:
        self._clear_drafts()
        yield from filter(None, map(self._read, sorted(self._folder.glob("*.json"))))

    def _read(self, path: Path) -> _Kept | TaskSubmitted | None:
        for kind in (_Kept, TaskSubmitted):
            with contextlib.suppress(ValidationError, OSError):
                found = kind.model_validate_json(path.read_bytes())
                task = found.task if isinstance(found, _Kept) else found
                return found if self._path(task) == path else None  # under another name nobody could claim it
        return None

    def _clear_drafts(self) -> None:
        for path in self._folder.glob(".*"):
            with contextlib.suppress(OSError):  # another process may have cleared it
                if time.time() - path.stat().st_mtime > _DRAFT_S:
                    path.unlink()

    def _write(self, path: Path, content: bytes) -> int:
        """Write a file and return its descriptor, claimed before anybody else could see it."""
        draft = path.with_name(f".{path.stem}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            claim(descriptor)
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                file.write(content)
            os.fsync(descriptor)
            draft.replace(path)
            _sync(self._folder)
        except BaseException:
            for left in (draft, path):
                left.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        return descriptor

    def _path(self, task: TaskSubmitted) -> Path:
        return self._folder / f"{task.task_id}.json"


def _sync(folder: Path) -> None:
    """Have a folder's names on disk too: without that a file may be whole there, and not be found."""
    if sys.platform == "win32":
        return  # folders cannot be opened there
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
