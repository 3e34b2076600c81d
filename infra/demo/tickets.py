"""Reads the tickets of a demo from a CSV file: those that ship, or the user's own."""

import csv
import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybridmesh.bus.errors import UsageError

SHIPPED = Path(__file__).parent / "tickets.csv"
PLANTED = Path(__file__).parent / "planted.json"
_LONGEST_FIELD = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ticket:
    """One row: its id (or line number) and its text."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Planted:
    """What a shipped ticket hides: the private values, and the name that a reply should use."""

    values: tuple[str, ...]
    greeting_name: str | None


def read_tickets(path: Path, text_column: str) -> list[Ticket]:
    """Return the tickets of a CSV file with a header; between its columns stand commas, semicolons or tabs.

    Raises:
        UsageError: there is no such file or column, it is not UTF-8, or it has no rows.

    """
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            delimiter = _delimiter(file.readline())
            file.seek(0)
            rows = list(csv.DictReader(file, delimiter=delimiter))
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}", remedy="name a CSV file with --tickets") from None
    except (UnicodeDecodeError, csv.Error, IsADirectoryError) as error:
        raise UsageError(
            f"{path.name} is not a CSV file in UTF-8 ({error})", remedy="export it as CSV, UTF-8"
        ) from None
    if not rows:
        raise UsageError(f"{path.name} has no rows", remedy="give a header and at least one row")
    columns = [name for name in rows[0] if name]
    if text_column not in columns:
        near = difflib.get_close_matches(text_column, columns, n=1, cutoff=0.3) or columns[:1]
        raise UsageError(
            f"{path.name} has no column {text_column!r}; it has {', '.join(columns)}",
            remedy=f"name the one with the text, such as --text-column {near[0]}",
        )
    return [Ticket(row.get("id") or f"row {number}", row[text_column] or "") for number, row in enumerate(rows, 1)]


def _delimiter(header: str) -> str:
    """Return what stands between the columns: where the comma is the decimal sign, spreadsheets write semicolons."""
    return max(",;\t", key=header.count)


def read_planted() -> dict[str, Planted]:
    """Return what each shipped ticket hides, by ticket id."""
    listed: dict[str, list[dict[str, Any]]] = json.loads(PLANTED.read_text("utf-8"))
    return {
        ticket["id"]: Planted(tuple(item["value"] for item in ticket["private"]), ticket["greeting_name"])
        for ticket in listed["tickets"]
    }
