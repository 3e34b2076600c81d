"""When the engine process answers: writes after the flush that covers them, reads at once."""

import queue
from io import BytesIO
from pathlib import Path

import pytest

from hybridmesh.agents.memory.edge_folder import EdgeFolder
from hybridmesh.agents.memory.edge_frames import HEADER, decode, encode, pack_point, pack_where
from hybridmesh.agents.memory.edge_process import GROUP_SIZE, EngineServer, read_requests
from hybridmesh.agents.memory.store import Entry, Json, Point, Sparse, Where

pytestmark = pytest.mark.connected


class Replies(BytesIO):
    """Notes every reply in the log that it shares with the flushes."""

    def __init__(self, log: list[Json]) -> None:
        super().__init__()
        self._log = log

    def write(self, frame: object, /) -> int:
        assert isinstance(frame, bytes)
        self._log.append(decode(frame[HEADER.size :])["n"])
        return len(frame)


def serve(folder: Path, frames: bytes, monkeypatch: pytest.MonkeyPatch) -> list[Json]:
    """Serve the frames and return what happened: numbers of replies, and the word flush."""
    folder.mkdir()
    opened = EdgeFolder(folder, "m", 2)
    log: list[Json] = []
    flush = opened.shard.flush

    def noted() -> None:
        flush()
        log.append("flush")

    monkeypatch.setattr(opened.shard, "flush", noted)
    requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    read_requests(BytesIO(frames), requests)
    EngineServer(opened, Replies(log)).serve(requests)
    return log


def write(number: int) -> bytes:
    entry = Entry(id=f"00000000-0000-4000-8000-{number:012}", tenant="t", kind="k", item="i", created_at=1.0)
    return encode(
        {"n": number, "op": "write", "points": [pack_point(Point(entry, (1.0, 0.0), Sparse()))], "amended": []}
    )


def scan(number: int) -> bytes:
    return encode({"n": number, "op": "scan", "where": pack_where(Where("t")), "after": None, "limit": 9})


def test_writes_are_answered_after_their_flush_and_reads_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost: an acknowledgement is a promise that a power cut cannot break."""
    monkeypatch.setattr("hybridmesh.agents.memory.edge_process.GROUP_AGE_S", 60.0)
    log = serve(tmp_path / "m", write(1) + write(2) + scan(3) + write(4), monkeypatch)
    assert log == [3, "flush", 1, 2, 4]


def test_a_group_is_closed_by_size_and_by_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost: no writer waits for a queue that never empties."""
    monkeypatch.setattr("hybridmesh.agents.memory.edge_process.GROUP_AGE_S", 60.0)
    log = serve(tmp_path / "size", b"".join(write(n) for n in range(GROUP_SIZE + 1)), monkeypatch)
    assert log == ["flush", *range(GROUP_SIZE), "flush", GROUP_SIZE]
    monkeypatch.setattr("hybridmesh.agents.memory.edge_process.GROUP_AGE_S", 0.0)
    assert serve(tmp_path / "age", write(1) + write(2), monkeypatch) == ["flush", 1, "flush", 2]


def test_a_frame_cut_short_by_a_dying_parent_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost: half a request is not carried out, whole ones before it are."""
    assert serve(tmp_path / "m", write(1) + write(2)[:-3], monkeypatch) == ["flush", 1]
