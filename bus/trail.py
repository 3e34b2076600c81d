"""The records of a bucket one by one, in the order in which they were written, by the numbers of its stream.

nats-py's watcher is not used for what others rely on: it does not say when its consumer is gone, so that a list that is
no longer followed looks like one that does not change. Here each look is an answer of the server, or an error.
"""

from collections.abc import AsyncGenerator
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


def read_record(model: type[T], stored: bytes) -> T:
    """Return a record of a bucket.

    One that has none of the model's fields is none, even where all have defaults: it may be an answer of the server,
    which stores what it answers wherever a reply subject says.

    Raises:
        InvalidMessage: it is no such record (``bad-record``).

    """
    try:
        record = model.model_validate_json(stored)
    except ValidationError as error:
        raise InvalidMessage(f"record of {model.__name__} cannot be read", reason="bad-record") from error
    if record.model_fields_set.isdisjoint(model.model_fields):
        raise InvalidMessage(f"record of {model.__name__} has nothing of one", reason="bad-record")
    return record


class Trail(Generic[T]):
    """The records of one pydantic model in one bucket, of the ``keys`` that match, in the order of their writing.

    However many there are, one is in memory at a time, and none is missed: what is written meanwhile comes at the end.
    """

    def __init__(self, js: JetStreamContext, name: Bucket, model: type[T], keys: str = ">") -> None:
        self._js = js
        self._stream = bucket_stream(name)
        self._prefix, self._wanted = bucket_subject(name, ""), bucket_subject(name, keys)
        self._model = model
        self._made: datetime | None = None
        self.seen = 0
        self.unreadable = 0

    async def begins_anew(self) -> bool:
        """Say whether the bucket was made since one last looked: it is read from its start then.

        Raises:
            MeshUnavailable: the bucket cannot be read.

        """
        try:
            info = await self._js.stream_info(self._stream)
        except (nats.errors.Error, OSError) as error:  # a time-out is one too
            raise MeshUnavailable(f"bucket cannot be followed: {type(error).__name__}") from error
        if info.created == self._made and info.state.last_seq >= self.seen:
            return False
        self._made, self.seen = info.created, 0
        return True

    async def news(self) -> AsyncGenerator[tuple[str, T | None]]:
        """Yield key and record (None: removed) of what was written after ``seen``, which moves on with each.

        Raises:
            MeshUnavailable: the bucket cannot be read.
            InvalidMessage: so a record, behind which one may go on.

        """
        while (message := await self._next()) is not None:
            self.seen = message.seq or self.seen + 1
            yield self._read(message)

    async def readable(self) -> AsyncGenerator[tuple[str, T | None]]:
        """Yield what ``news`` does but for records that cannot be read, which are counted in ``unreadable``.

        Raises:
            MeshUnavailable: the bucket cannot be read.

        """
        at_end = False
        while not at_end:
            try:
                async for found in self.news():
                    yield found
                at_end = True
            except InvalidMessage:
                self.unreadable += 1

    async def _next(self) -> RawStreamMsg | None:
        try:
            # From the leader, not by direct get: a follower that lags has fewer messages than there are.
            return await self._js.get_msg(self._stream, seq=self.seen + 1, subject=self._wanted, next=True)
        except NotFoundError:
            return None
        except (nats.errors.Error, OSError) as error:
            raise MeshUnavailable(f"bucket cannot be followed: {type(error).__name__}") from error

    def _read(self, message: RawStreamMsg) -> tuple[str, T | None]:
        key = (message.subject or "").removeprefix(self._prefix)
        if any(name in (message.headers or {}) for name in _REMOVED):
            return key, None
        return key, read_record(self._model, message.data or b"")
