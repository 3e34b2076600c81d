"""The client's outbox: a submission stays on this disk until the bus has acknowledged it."""

import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from hybridmesh.schemas.tasks import TaskSubmitted


class Outbox:
    """A folder with one file a submission that is not acknowledged yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, task: TaskSubmitted) -> None:
        """Write the submission and sync it; raises OSError when the disk takes it not."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self._folder / f".{task.task_id}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(task.model_dump_json().encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path(task))

    def remove(self, task: TaskSubmitted) -> None:
        """Take out a submission that the bus has."""
        self._path(task).unlink(missing_ok=True)

    def waiting(self) -> Iterator[TaskSubmitted]:
        """Yield what was never acknowledged, oldest first; a file that is not whole is passed over."""
        for path in sorted(self._folder.glob("*.json")):
            try:
                yield TaskSubmitted.model_validate_json(path.read_bytes())
            except (ValidationError, OSError):
                continue

    def _path(self, task: TaskSubmitted) -> Path:
        return self._folder / f"{task.task_id}.json"
