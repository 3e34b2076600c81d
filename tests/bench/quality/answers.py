"""A model whose answers are kept in a file, so that a run that was cut off goes on and scoring costs no decoding."""

import hashlib
from pathlib import Path

from pydantic import BaseModel

from hybridmesh.bus.ports import LocalModel
from hybridmesh.schemas.inference import Completion, CompletionRequest


class _Kept(BaseModel):
    request: str
    completion: Completion


class Answers:
    """The port ``LocalModel``: each question is asked once, in this run and, where there is a file, ever.

    Decoding is greedy, so a kept answer is the one that would come again; ``path`` is to be another for another build.
    """

    def __init__(self, model: LocalModel, path: Path | None = None) -> None:
        self._model = model
        self._path = path
        self._known: dict[str, Completion] = {}
        self._used: set[str] = set()
        if path is not None and path.is_file():
            self._read(path)

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer from what is known, else ask; deadlines are left out, as a slow machine should change no figure."""
        plain = request.model_copy(update={"deadline_s": None})
        key = hashlib.sha256(plain.model_dump_json().encode()).hexdigest()
        if key not in self._known:
            self._known[key] = await self._model.complete(plain)
            if self._path is not None:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(_Kept(request=key, completion=self._known[key]).model_dump_json() + "\n")
        self._used.add(key)
        return self._known[key]

    def spent(self) -> tuple[int, float]:
        """Return how many questions were put, and the seconds that the model took over them, in whichever run."""
        return len(self._used), sum(self._known[key].duration_s for key in self._used)

    def _read(self, path: Path) -> None:
        lines = path.read_text("utf-8").splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]
        if whole != lines:  # a run was cut off in its last line
            path.write_text("".join(whole), "utf-8")
        for line in whole:
            kept = _Kept.model_validate_json(line)
            self._known[kept.request] = kept.completion
