"""What is read and written in one go says what nats-py's own way says, wherever the bytes are cut."""

import asyncio
import itertools

import nats.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.protocol.parser import Parser

from hybridmesh.bus.replies import Replies
from hybridmesh.bus.wire import Reader, header_block, publication, read_headers

FIRST = b"NATS/1.0\r\n"
STREAM = (
    b"MSG a.b 1 3\r\nxyz\r\n"
    b"HMSG a.c 2 $JS.ACK.x 21 23\r\nNATS/1.0\r\nName: v\r\n\r\n\r\n\r\n"
    b"PING\r\n"
    b"MSG a.d 3 back 0\r\n\r\n"
    b"PONG\r\n"
    b"MSG  a.e\t4  2\r\nhi\r\n"
    b"HMSG a.f 5 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"
)


class Taken:
    """Notes what a parser hands on."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    async def _process_msg(self, *message: object) -> None:
        self.seen.append(message)

    async def _process_ping(self) -> None:
        self.seen.append("ping")

    async def _process_pong(self) -> None:
        self.seen.append("pong")


async def _read(parser: Parser, pieces: list[bytes]) -> None:
    for piece in pieces:
        await parser.parse(piece)


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_messages_are_the_same_wherever_the_bytes_are_cut(cuts: list[int]) -> None:
    """Nothing is lost: what comes in pieces is what nats-py reads in one."""
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in itertools.pairwise(edges)]
    plain, ours = Taken(), Taken()
    asyncio.run(_read(Parser(plain), [STREAM]))
    reader = Reader(ours, ours._process_msg)
    asyncio.run(_read(reader, pieces))
    assert ours.seen == plain.seen
    assert len(ours.seen) == 7
    assert not reader.buf


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=12),
            st.sampled_from([b"Name: v", b"bad name: v", b"x:y", b": v", b"N:", b"A: b c", b"A: \t", b"\xc3\xa4: b"]),
        ),
        max_size=6,
    )
)
def test_headers_are_read_as_nats_py_reads_them_or_left_to_it(lines: list[bytes]) -> None:
    """No one gets in: no bytes are a header to us that are none, or another one, to nats-py."""
    rest = b"".join(line + b"\r\n" for line in lines)
    found = read_headers(FIRST + rest + b"\r\n")
    assert found is None or found == Client._parse_header_lines(rest + b"\r\n")


def test_usual_headers_are_read_in_one_go() -> None:
    """Nothing is lost: names, values with spaces, and the later of two of a name."""
    assert read_headers(FIRST + b"ce-id: a/b\r\nA: b c: d\r\nA: e\r\n\r\n") == {"ce-id": "a/b", "A": "e"}


async def _sent(headers: dict[str, str] | None) -> bytes:
    client = Client()
    client._status = Client.CONNECTED
    client._flush_queue = None
    await client._send_publish("s", "r", b"body", 4, headers)
    return b"".join(client._pending)


@given(st.none() | st.dictionaries(st.sampled_from(["ce-id", " A ", "", "x"]), st.text(max_size=9), max_size=4))
def test_what_is_published_is_written_as_nats_py_writes_it(headers: dict[str, str] | None) -> None:
    """No one gets in: a value is one line, whatever it holds."""
    block = None if headers is None else header_block(headers)
    assert publication("s", "r", block, b"body") == asyncio.run(_sent(headers))


@pytest.mark.parametrize("name", ["a b", "a:b", "a\r\nb", "ä"])
def test_what_is_no_name_is_refused(name: str) -> None:
    """No one gets in: a name cannot end its line."""
    with pytest.raises(nats.errors.BadHeaderError):
        header_block({name: "v"})


async def test_each_reply_has_its_own_time() -> None:
    """Nothing is lost: a short wait behind a long one is told in time, and the long one goes on."""
    replies = Replies()
    long, waits = replies.expect("p.", 30)
    _, gives_up = replies.expect("p.", 0.05)
    async with asyncio.timeout(5):
        assert await gives_up is None
    assert replies.awaiting(long.encode()) is waits
    replies.forget(long)
    assert replies.awaiting(long.encode()) is None
