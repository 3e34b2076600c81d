"""The texts that ``detect`` reads on standard input: one document, a document a line, or JSON lines."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, cast

_ENCODING = "utf-8"


class Form(StrEnum):
    """How standard input is read; AUTO takes JSON lines for what they are, and anything else for one text."""

    AUTO = "auto"
    TEXT = "text"
    LINES = "lines"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Text:
    """A document with the name that it is answered under."""

    id: str | int
    text: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A line, counted from one, that is no document, and no more than that one unless the ``whole`` text is none.

    ``problem`` holds nothing of what it says.
    """

    line: int
    problem: str
    whole: bool = False


def read_texts(stdin: BinaryIO, form: Form) -> Iterator[Text | Fault]:
    """Yield each document as soon as it is there; a line that is none is yielded as a fault, and the rest is read.

    Under AUTO the first line that is not blank decides: one that opens as an object with ``id`` or ``text`` is a JSON
    line. Blank lines are skipped where lines are documents.
    """
    number, line = _first_line(stdin)
    if form is Form.AUTO:
        form = Form.JSON if _opens_record(line) else Form.TEXT
    if form is Form.TEXT:
        yield _decoded(b"\n" * (number - 1) + line + stdin.read())
        return
    while line:
        if line.strip():
            yield _record(line, number) if form is Form.JSON else _plain(line, number)
        line = stdin.readline()
        number += 1


def _first_line(stdin: BinaryIO) -> tuple[int, bytes]:
    """Return the number and the bytes of the first line that is not blank, without a byte order mark."""
    number, line = 1, stdin.readline().removeprefix(b"\xef\xbb\xbf")
    while line and not line.strip() and line.endswith(b"\n"):
        number, line = number + 1, stdin.readline()
    return number, line


def _opens_record(line: bytes) -> bool:
    squeezed = b"".join(line[:200].split())
    return squeezed.startswith((b'{"id":', b'{"text":'))


def _decoded(content: bytes) -> Text | Fault:
    try:
        return Text("stdin", content.decode(_ENCODING))
    except UnicodeDecodeError as error:
        return Fault(1 + content.count(b"\n", 0, error.start), "not UTF-8", whole=True)


def _plain(line: bytes, number: int) -> Text | Fault:
    try:
        return Text(number, line.decode(_ENCODING).rstrip("\r\n"))
    except UnicodeDecodeError:
        return Fault(number, "not UTF-8")


def _record(line: bytes, number: int) -> Text | Fault:
    try:
        value: object = json.loads(line.decode(_ENCODING))
    except UnicodeDecodeError:
        return Fault(number, "not UTF-8")
    except json.JSONDecodeError as error:
        return Fault(number, f"not JSON: {error.msg} at column {error.colno}")
    except (ValueError, RecursionError):
        return Fault(number, "not JSON that can be read")
    record = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    text, name = record.get("text"), record.get("id", number)
    if not isinstance(text, str):
        return Fault(number, 'not an object with a string "text"')
    if isinstance(name, bool) or not isinstance(name, (str, int)):
        return Fault(number, '"id" is neither a string nor a whole number')
    return Text(name, text)
