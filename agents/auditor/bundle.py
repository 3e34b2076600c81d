"""An exported log as text: one JSON object a line, log entries and checkpoints, byte-exact and readable."""

import base64
import json
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.proofs import LogEntry

_LONGEST = 2**26  # letters of a line: more than an entry could have

Part = Literal["log", "checkpoints"]


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    part: Part
    sequence: int = Field(ge=0, lt=2**63)
    subject: str
    headers: dict[str, str]
    body: str | None = None
    body_base64: str | None = None

    def content(self) -> bytes:
        """Return the body; raises ValueError unless it stands there once."""
        match self.body, self.body_base64:
            case str(text), None:
                return text.encode()
            case None, str(packed):
                return base64.b64decode(packed, validate=True)
            case _:
                raise ValueError


def entry_fields(part: Part, entry: LogEntry) -> dict[str, object]:
    """Return an entry as JSON fields; a body that is not UTF-8 is written as base64."""
    fields: dict[str, object] = {
        "part": part,
        "sequence": entry.sequence,
        "subject": entry.subject,
        "headers": entry.headers,
    }
    try:
        fields["body"] = entry.body.decode("utf-8")
    except UnicodeDecodeError:
        fields["body_base64"] = base64.b64encode(entry.body).decode()
    return fields


def write_line(part: Part, entry: LogEntry) -> str:
    """Return an entry's line."""
    return json.dumps(entry_fields(part, entry), ensure_ascii=False)


def read_file(file: Path) -> Iterator[tuple[Part, LogEntry]]:
    """Yield the entries and the checkpoints of an export in its order; raises UsageError."""
    try:
        with file.open(encoding="utf-8") as lines:
            yield from read_lines(iter(partial(lines.readline, _LONGEST), ""))
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{file} cannot be read", remedy="give a file that `hybridmesh audit export` wrote") from None


def read_lines(lines: Iterable[str]) -> Iterator[tuple[Part, LogEntry]]:
    """Yield the entries of an export in the order of the file.

    Raises:
        UsageError: a line is not of this form.

    """
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            line = _Line.model_validate(json.loads(text, object_pairs_hook=_only_once))
            body = line.content()
        except (ValueError, RecursionError):
            raise UsageError(
                f"line {number} is not an entry of an audit export", remedy="export the log again"
            ) from None
        yield line.part, LogEntry(line.sequence, line.subject, line.headers, body)


def _only_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse a name that stands twice in an object: people read the first, and what is checked is the last."""
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError
    return found
