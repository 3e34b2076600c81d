"""What changed in a bucket since one last looked, by the sequence numbers of its stream.

nats-py's watcher is not used for what others rely on: it does not say when its consumer is gone, so that a list that is
no longer followed looks like one that does not change. Here each look is an answer of the server, or an error.
"""

from datetime import datetime
from typing import Generic, TypeVar

import nats.errors
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError
from pydantic import BaseModel, ValidationError

from hybridmesh.bus.errors import InvalidMessage, MeshUnavailable
from hybridmesh.bus.topology import Bucket, bucket_stream, bucket_subject

T = TypeVar("T", bound=BaseModel)

_REMOVED = ("KV-Operation", "Nats-Marker-Reason")  # headers of a mark that a record has gone


class Followed(Generic[T]):
    """The records of one pydantic model in one bucket, of the ``keys`` that match."""

    def __init__(self, js: JetStreamContext, name: Bucket, model: type[T], keys: str = ">") -> None:
        self._js = js
        self._stream = bucket_stream(name)
        self._prefix, self._wanted = bucket_subject(name, ""), bucket_subject(name, keys)
        self._model = model
        self._keys: set[str] = set()
        self._seen = 0
        self._made: datetime | None = None

    async def changes(self) -> dict[str, T | None]:
        """Return the records that were written (None: removed) since the last call that returned; at first all.

        A bucket that was made anew is read from its start, and what it no longer has counts as removed.

        Raises:
            MeshUnavailable: the bucket cannot be read; nothing counts as seen.
            InvalidMessage: so a record.

        """
        try:
            info = await self._js.stream_info(self._stream)
            anew = info.created != self._made or info.state.last_seq < self._seen
            if not anew and info.state.last_seq == self._seen:
                return {}
            found: dict[str, T | None] = dict.fromkeys(self._keys) if anew else {}
            seen = 0 if anew else self._seen
            while seen < info.state.last_seq and (message := await self._next(seen + 1)) is not None:
                key, record = self._read(message)
                found[key] = record
                seen = message.seq or seen + 1
        except (nats.errors.Error, OSError) as error:  # a time-out is one too
            raise MeshUnavailable(f"bucket cannot be followed: {type(error).__name__}") from error
        self._keys = {key for key in self._keys | found.keys() if found.get(key, ...) is not None}
        self._seen, self._made = max(seen, info.state.last_seq), info.created
        return found

    async def _next(self, sequence: int) -> RawStreamMsg | None:
        try:
            # From the leader, not by direct get: a follower that lags has fewer messages than the count said.
            return await self._js.get_msg(self._stream, seq=sequence, subject=self._wanted, next=True)
        except NotFoundError:
            return None

    def _read(self, message: RawStreamMsg) -> tuple[str, T | None]:
        key = (message.subject or "").removeprefix(self._prefix)
        if any(name in (message.headers or {}) for name in _REMOVED):
            return key, None
        try:
            return key, self._model.model_validate_json(message.data or b"")
        except ValidationError as error:
            raise InvalidMessage(f"record of {self._model.__name__} cannot be read", reason="bad-record") from error
