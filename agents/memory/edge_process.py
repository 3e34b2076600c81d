"""The engine process: owns one memory folder and serves its parent over stdin and stdout.

Writes are answered after the flush that covers them. A flush waits until no request is waiting, 64 writes are
open, or the oldest is 20 ms old, so one flush serves many writers. End of input, also by the parent's death,
ends the process after a last flush.
"""

import argparse
import contextlib
import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO, cast

from hybridmesh.agents.memory.edge_folder import EdgeFolder, FolderOwnedError, own
from hybridmesh.agents.memory.edge_frames import (
    HEADER,
    body_length,
    decode,
    encode,
    pack_entry,
    unpack_dense,
    unpack_entry,
    unpack_point,
    unpack_sparse,
    unpack_where,
)
from hybridmesh.agents.memory.store import Json

GROUP_SIZE = 64
GROUP_AGE_S = 0.02

Request = dict[str, Json]


class EngineServer:
    """Answers one request after the other; errors go back as the name of their type, never with their text."""

    def __init__(self, folder: EdgeFolder, replies: BinaryIO) -> None:
        self._folder = folder
        self._replies = replies
        self._unflushed: list[tuple[Json, Json]] = []
        self._oldest = 0.0

    def serve(self, requests: "queue.SimpleQueue[bytes | None]") -> None:
        """Serve until the end of input."""
        while True:
            try:
                body = requests.get(block=not self._unflushed)
            except queue.Empty:
                self._commit()
                continue
            if body is None:
                self._commit()
                self._folder.shard.close()
                return
            self._answer(decode(body))
            aged = time.monotonic() - self._oldest >= GROUP_AGE_S
            if self._unflushed and (aged or len(self._unflushed) >= GROUP_SIZE):
                self._commit()

    def _answer(self, request: Request) -> None:
        number, op = request["n"], request["op"]
        try:
            if op in ("write", "delete_expired"):
                outcome = self._write(request) if op == "write" else self._delete_expired(request)
                if not self._unflushed:
                    self._oldest = time.monotonic()
                self._unflushed.append((number, outcome))
                return
            if op in ("flush", "erase"):
                self._commit()
            outcome = self._run(request)
        except Exception as error:  # noqa: BLE001  # outermost boundary: the engine raises bare Exception
            self._send({"n": number, "error": type(error).__name__})
        else:
            self._send({"n": number, "ok": outcome})

    def _write(self, request: Request) -> Json:
        points = [unpack_point(p) for p in cast("list[Json]", request["points"])]
        amended = [unpack_entry(e) for e in cast("list[Json]", request["amended"])]
        shard = self._folder.shard
        if amended or (points and shard.holds_any([p.entry.id for p in points])):
            self._folder.note_residue()
        if points:
            shard.upsert(points)
        for entry in amended:
            shard.amend(entry)
        return None

    def _delete_expired(self, request: Request) -> Json:
        shard, at = self._folder.shard, cast("float", request["at"])
        if found := shard.count_expired(at):
            self._folder.note_residue()
            shard.delete_expired(at)
        return found

    def _run(self, request: Request) -> Json:
        op = request["op"]
        if op == "flush":
            return None
        if op == "erase":
            return self._folder.erase(cast("list[str]", request["ids"]))
        return self._read(request)

    def _read(self, request: Request) -> Json:
        shard, op = self._folder.shard, request["op"]
        where, limit = unpack_where(request["where"]), cast("int", request["limit"])
        if op == "newest":
            return [pack_entry(e) for e in shard.newest(where, limit)]
        if op == "scan":
            entries, following = shard.scan(where, cast("str | None", request["after"]), limit)
            return [[pack_entry(e) for e in entries], following]
        if op == "query":
            hits = shard.query(unpack_dense(request["dense"]), unpack_sparse(request["sparse"]), where, limit)
            return [[pack_entry(h.entry), h.score] for h in hits]
        raise ValueError(op)

    def _commit(self) -> None:
        # A flush that fails leaves unknown what is on disk: the process ends, unanswered writes count as lost.
        if self._unflushed:
            self._folder.shard.flush()
            for number, outcome in self._unflushed:
                self._send({"n": number, "ok": outcome})
            self._unflushed.clear()

    def _send(self, reply: dict[str, Json]) -> None:
        self._replies.write(encode(reply))
        self._replies.flush()


def read_requests(source: BinaryIO, requests: "queue.SimpleQueue[bytes | None]") -> None:
    """Put every whole frame into the queue, and None at the end of input."""
    while len(header := source.read(HEADER.size)) == HEADER.size:
        size = body_length(header)
        body = source.read(size)
        if len(body) < size:
            break
        requests.put(body)
    requests.put(None)


def _trouble(error: Exception) -> str:
    # The engine tells its errors apart by their sentences only; they name paths and settings, so none is passed on.
    if "WouldBlock" in str(error):
        return "owned"
    return "incompatible" if "ncompatible" in str(error) else type(error).__name__


def main() -> int:
    """Own the folder, say whether that worked, serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("dense_name")
    parser.add_argument("dense_size", type=int)
    parser.add_argument("lock_wait_s", type=float)
    options = parser.parse_args()
    os.umask(0o077)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # sent to the whole group; the parent drains first, then hangs up
    source = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a stray print of a library cannot break the framing
    with contextlib.ExitStack() as owned:
        try:
            owned.enter_context(own(options.folder, options.lock_wait_s))
            folder = EdgeFolder(options.folder, options.dense_name, options.dense_size)
        except FolderOwnedError:
            trouble: str | None = "owned"
        except Exception as error:  # noqa: BLE001  # outermost boundary: the engine raises bare Exception
            trouble = _trouble(error)
        else:
            trouble = None
            replies.write(encode({"ready": True}))
            replies.flush()
            requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
            threading.Thread(target=read_requests, args=(source, requests), daemon=True).start()
            with contextlib.suppress(BrokenPipeError):
                EngineServer(folder, replies).serve(requests)
        if trouble is not None:
            replies.write(encode({"ready": False, "trouble": trouble}))
            replies.flush()
    return 0 if trouble is None else 1


if __name__ == "__main__":
    sys.exit(main())
