"""What a message may say on the wire without breaking who reads it: anybody who may publish chooses these bytes.

nats-py ends its reading for good over a subject or a status line that is not UTF-8, and takes a stored message whose
headers name a status for an answer of the server: it is never handed to anybody, nor acknowledged.
"""

_PLAIN = b"NATS/1.0\r\n"
_STATUS = b"Status"
_DELIVERED = b"$JS.ACK."  # how the reply subject of what a consumer hands out begins
_LOOKED_UP = b"\r\nNats-Stream:"  # what the server adds to a message that was asked for by its place


def readable(name: bytes) -> bytes:
    """Return a subject as UTF-8; what is none never was one of ours, and is refused as such."""
    return name if name.isascii() else name.decode("utf-8", "replace").encode()


def harmless(headers: bytes, reply: bytes) -> bytes:
    """Return headers of which only the server's own name a status; in others that line has another name."""
    if headers.startswith(_PLAIN) and _STATUS not in headers:
        return headers
    is_stored = reply.startswith(_DELIVERED) or _LOOKED_UP in headers
    is_whole = headers.isascii() and headers.endswith(b"\r\n\r\n")
    return _without_status(headers) if is_stored or not is_whole else headers


def _without_status(headers: bytes) -> bytes:
    _, _, rest = headers.partition(b"\r\n")
    lines = (b"Stored-" + line if line.strip().startswith(_STATUS) else line for line in rest.split(b"\r\n") if line)
    return _PLAIN + b"".join(line + b"\r\n" for line in lines) + b"\r\n"
