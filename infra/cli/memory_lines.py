"""The lines that ``memory add`` reads: JSON objects, each an item of the private memory."""

import json
from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, ValidationError

from hybridmesh.bus.errors import UsageError
from hybridmesh.schemas.memory import Kind, MemoryItem
from hybridmesh.schemas.message import Frozen

_FORM = (
    'write each line as {"text": "…"}; "kind" (record, document, preference), "key", "subject" and "data" may follow'
)


class _Line(Frozen):
    """An item as people write it: who wrote it, where it stood and when is not theirs to say."""

    model_config = ConfigDict(extra="forbid")

    text: str
    kind: Literal[Kind.RECORD, Kind.DOCUMENT, Kind.PREFERENCE] = Kind.RECORD
    key: str | None = None
    subject: str | None = None
    data: dict[str, Any] = {}
    expires_at: datetime | None = None


def read_items(content: str, *, source: str, author: str, now: datetime) -> dict[int, MemoryItem]:
    """Return the items by the numbers of their lines, which count from one; blank lines are none.

    Raises:
        UsageError: a line is no item; it is named by its number, and none of its values is.

    """
    told = {number: _read(number, line) for number, line in enumerate(content.split("\n"), 1) if line.strip()}
    if not told:
        raise UsageError("there is nothing to add", remedy=_FORM)
    noted = {"source": source, "author": author, "created_at": now}
    return {number: MemoryItem.model_validate({**line.model_dump(), **noted}) for number, line in told.items()}


def _read(number: int, line: str) -> _Line:
    try:
        value: object = json.loads(line)
        json.dumps(value, ensure_ascii=False).encode()  # escapes may make half a character, which nobody can store
        return _Line.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "it"
        raise UsageError(f"line {number}: {place}: {first['msg']}", remedy=_FORM) from None
    except (ValueError, RecursionError):
        raise UsageError(f"line {number} is not JSON", remedy=_FORM) from None
