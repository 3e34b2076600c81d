"""Shared state: a typed view of a key-value bucket, changed by compare-and-swap."""

from collections.abc import Callable
from typing import Generic, TypeVar

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import APIError, KeyWrongLastSequenceError, NotFoundError
from nats.js.kv import KV_OP, KeyValue
from pydantic import BaseModel

from hybridmesh.bus.errors import MeshUnavailable, TransientError
from hybridmesh.bus.store_answers import unavailable
from hybridmesh.bus.topology import Bucket, bucket_stream, bucket_subject
from hybridmesh.bus.trail import Trail, read_record

T = TypeVar("T", bound=BaseModel)

_CONFLICT_TRIES = 20
NO_MESSAGE = 10037  # the server's error code where the stream is there and the message is not
_WRONG_LAST_SEQUENCE = 10071  # the server's error code for a lost compare-and-swap


class State(Generic[T]):
    """Records of one pydantic model in one bucket, as JSON.

    Keys are ids and dots only, never user text. Every call raises MeshUnavailable when the bus does not answer.
    """

    def __init__(self, js: JetStreamContext, name: Bucket, model: type[T]) -> None:
        self._js = js
        self._name = name
        # Not asked of the server, as nats-py would: who may write a record need not see the bucket.
        self._bucket = KeyValue(
            name=name, stream=bucket_stream(name), pre=bucket_subject(name, ""), js=js, direct=False
        )
        self._model = model

    async def get(self, key: str) -> T | None:
        """Return the record, or None."""
        found = await self._read(key)
        return None if found is None else found[0]

    async def put(self, key: str, record: T) -> None:
        """Write the record, whatever was there: only for records with one writer."""
        try:
            await self._bucket.put(key, record.model_dump_json().encode())
        except (nats.errors.Error, TimeoutError) as error:
            raise unavailable("bucket write failed", error) from error

    async def change(self, key: str, step: Callable[[T | None], T | None]) -> T | None:
        """Replace the record by ``step(record)`` with compare-and-swap, and return what was written.

        ``step`` is pure and may run several times; returning None, or the record it was given, writes nothing.

        Raises:
            TransientError: too many writers at once.

        """
        for _ in range(_CONFLICT_TRIES):
            found = await self._read(key)
            before = None if found is None else found[0]
            after = step(before)
            if after is None or after is before:
                return after
            body = after.model_dump_json().encode()
            try:
                if found is None:
                    await self._bucket.create(key, body)
                else:
                    await self._bucket.update(key, body, last=found[1])
            except KeyWrongLastSequenceError:
                continue
            except (nats.errors.Error, TimeoutError) as error:
                raise unavailable("bucket write failed", error) from error
            return after
        raise TransientError("too many writers", reason="state-conflict")

    async def delete(self, key: str) -> None:
        """Remove the record, whoever changed it since; what stays is the bucket's marker alone."""
        try:
            await self._bucket.delete(key)
        except (nats.errors.Error, TimeoutError) as error:
            raise unavailable("bucket delete failed", error) from error

    async def discard(self, key: str, outdated: Callable[[T], bool]) -> bool:
        """Remove the record if ``outdated`` says so and nobody has changed it since; return whether it was removed.

        What stays is the bucket's marker alone, as every bucket keeps one version a key.
        """
        found = await self._read(key)
        if found is None or not outdated(found[0]):
            return False
        try:
            await self._bucket.delete(key, last=found[1])
        except APIError as error:
            if error.err_code == _WRONG_LAST_SEQUENCE:
                return False
            raise unavailable("bucket delete failed", error) from error
        except (nats.errors.Error, TimeoutError) as error:
            raise unavailable("bucket delete failed", error) from error
        return True

    async def keys(self) -> list[str]:
        """Return the key of every record, sorted; some may be marks of deletion.

        They come from the stream's own index: a watcher, which nats-py's ``keys`` listens to, misses a record that is
        written again while it is listed (seen in a tenth of all listings under steady writing). The server lists at
        most 100,000 keys at once.
        """
        everything = bucket_subject(self._name, ">")
        try:
            info = await self._js.stream_info(bucket_stream(self._name), subjects_filter=everything)
        except (nats.errors.Error, TimeoutError) as error:
            raise MeshUnavailable(f"bucket read failed: {type(error).__name__}") from error
        return sorted(subject.removeprefix(everything[:-1]) for subject in info.state.subjects or {})

    def trail(self) -> Trail[T]:
        """Return what reads every record, however many there are, and what is written from then on."""
        return Trail(self._js, self._name, self._model)

    async def records(self) -> dict[str, T]:
        """Return every record by its key, sorted."""
        found = {key: await self.get(key) for key in await self.keys()}  # None for a mark of deletion
        return {key: record for key, record in found.items() if record is not None}

    async def _read(self, key: str) -> tuple[T, int] | None:
        try:
            entry = await self._js.get_msg(bucket_stream(self._name), subject=bucket_subject(self._name, key))
        except NotFoundError as error:
            if error.err_code == NO_MESSAGE:
                return None
            raise MeshUnavailable("there is no such bucket") from error
        except (nats.errors.Error, TimeoutError) as error:
            raise MeshUnavailable(f"bucket read failed: {type(error).__name__}") from error
        if entry.data is None or entry.seq is None or KV_OP in (entry.headers or {}):
            return None
        return read_record(self._model, entry.data), entry.seq
