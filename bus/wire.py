"""NATS' own words, written and read in one go each: nats-py goes through them letter by letter, for every message.

Only what has the usual form is read here. All else is left to nats-py, so that it means what it always meant.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any

import nats.errors
from nats.protocol.parser import AWAITING_CONTROL_LINE, Parser

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_LINE = re.compile(rb"([!-9;-~]+): ([!-~](?:[ -~]*[!-~])?)\r\n")
_IN_A_LINE = len(b": " + b"\r\n")
_FIRST, _END = b"NATS/1.0\r\n", b"\r\n"
_BROKEN = str.maketrans("\r\n", "  ")


@lru_cache(256)
def _name_of(name: str) -> str:
    """Return the name of a header as it is sent, empty where none is sent; raises BadHeaderError."""
    bare = name.strip()
    if bare and not _NAME.fullmatch(bare):
        raise nats.errors.BadHeaderError(bare)
    return bare


def header_block(headers: Mapping[str, Any]) -> bytes:
    """Return headers as they are sent: a value is one line, whatever it holds.

    Raises:
        BadHeaderError: a name is none.

    """
    lines = [_FIRST.decode()]
    for name, value in headers.items():
        if bare := _name_of(name):
            text: str = value.strip()
            lines.append(f"{bare}: {text.translate(_BROKEN) if chr(10) in text or chr(13) in text else text}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode()


def publication(subject: str, reply: str, headers: bytes | None, body: bytes) -> bytes:
    """Return the command that publishes a message."""
    if headers is None:
        return b"%b %d\r\n%b\r\n" % (f"PUB {subject} {reply}".encode(), len(body), body)
    size = len(headers)
    return b"%b %d %d\r\n%b%b\r\n" % (f"HPUB {subject} {reply}".encode(), size, size + len(body), headers, body)


def read_headers(block: bytes) -> dict[str, str] | None:
    """Return headers of the usual form: ASCII, a name and a value in each line; None for any others."""
    if not block.startswith(_FIRST) or not block.isascii():
        return None
    lines = _LINE.findall(block, len(_FIRST))
    read = sum([len(name) + len(value) + _IN_A_LINE for name, value in lines])
    if not read or len(_FIRST) + read + len(_END) != len(block):
        return None  # there is a line of another form
    return {name.decode(): value.decode() for name, value in lines}


Taker = Callable[[int, bytes, bytes, bytes, bytes | None], Awaitable[None]]
"""Takes a message: its subscription, subject, reply subject, body and headers."""


class Reader(Parser):
    """Reads whole messages out of what came; the rest, and what is anything else, nats-py's parser reads."""

    def __init__(self, client: object, take: Taker) -> None:
        super().__init__(client)
        self._take = take

    async def parse(self, data: bytes = b"") -> None:
        """Pass on each message that has come whole."""
        if self.state != AWAITING_CONTROL_LINE:
            missing = self.needed + len(_END) - len(self.buf)
            await super().parse(data[:missing])
            data = data[missing:]
        elif self.buf:
            data = bytes(self.buf) + data
            self.buf.clear()
        if data and not self.buf:
            data = data[await self._read_messages(data) :]
        if data:
            await super().parse(data)

    async def _read_messages(self, data: bytes) -> int:
        """Return how much was read."""
        at = 0
        while (end := data.find(_END, at)) >= 0:
            match data[at:end].split(b" "):
                case [b"MSG", subject, sid, *reply, size]:
                    head = b"0"
                case [b"HMSG", subject, sid, *reply, head, size]:
                    pass
                case _:
                    break
            if len(reply) > 1 or not (sid.isdigit() and head.isdigit() and size.isdigit()):
                break
            start = end + len(_END)
            body, stop = start + int(head), start + int(size)
            if stop + len(_END) > len(data):
                break
            at = stop + len(_END)
            await self._take(int(sid), subject, reply[0] if reply else b"", data[body:stop], data[start:body] or None)
        return at
