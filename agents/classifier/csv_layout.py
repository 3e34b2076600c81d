"""Tables in a text: rows of cells with one separator between them, where their cells stand, and the row of names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_SEPARATORS = "\t;|,"
_LOOKED_AT = 30  # rows that show whether it is a table
_NAME = re.compile(r"\"?[^\W\d_][\w .#/()-]{0,39}\"?")
_PART = re.compile(r"[^\W\d_]+")
_PROSE = re.compile(r"[.!?:]\s|[.!?:]$")
_BLOCK = re.compile(r"[^\n]+(?:\n(?![ \t\r]*\n)[^\n]+)*")
_COLUMNS_LEAST = 2
_COLUMNS_SURE = {"\t": 2, ";": 2, "|": 3, ",": 3}  # with fewer, the rows have to say more
_ROWS_LEAST = 2


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its stretch without quotes, its column's name ("" where there is none), and whether it was quoted."""

    start: int
    end: int
    name: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a text; the cells are those below the names."""

    start: int
    end: int
    named: bool
    cells: tuple[Cell, ...]
    names: tuple[str, ...] = ()


def find_tables(text: str) -> list[Table]:
    """Return the tables of a text: the whole of it, or blocks between blank lines."""
    blocks = [match.span() for match in _BLOCK.finditer(text)]
    whole = _table(text, 0, len(text)) if len(blocks) > 1 else None
    if whole is not None:
        return [whole]
    return [table for start, end in blocks if (table := _table(text, start, end)) is not None]


def _table(text: str, start: int, end: int) -> Table | None:
    if text.find("\n", start, end) < 0:
        return None  # a row of names, at least, stands over another
    for separator in _SEPARATORS:
        if text.find(separator, start, end) < 0:
            continue
        rows = _rows(text, start, end, separator)
        if rows is not None and _is_table(text, rows, separator):
            return _named(text, start, end, rows)
    return None


def _rows(text: str, start: int, end: int, separator: str) -> list[list[Cell]] | None:
    """Return the rows, None where quotes do not close."""
    cell = re.compile(rf"\"(?P<quoted>(?:[^\"]|\"\")*)\"(?=[{separator}\r\n]|$)|(?P<plain>[^{separator}\r\n]*)")
    rows: list[list[Cell]] = [[]]
    at = start
    while at < end:
        match = cell.match(text, at, end)
        if match is None:
            return None
        group = "plain" if match["quoted"] is None else "quoted"
        rows[-1].append(Cell(*match.span(group), "", quoted=group == "quoted"))
        at = match.end()
        if at < end and text[at] == separator:
            at += 1
            if at == end or text[at] in "\r\n":
                rows[-1].append(Cell(at, at, ""))
        if at < end and text[at] in "\r\n":
            at += 2 if text.startswith("\r\n", at) else 1
            rows.append([])
    return [row for row in rows if row and (len(row) > 1 or row[0].start < row[0].end)]


def _is_table(text: str, rows: Sequence[Sequence[Cell]], separator: str) -> bool:
    seen = rows[:_LOOKED_AT]
    width = len(seen[0])
    if len(rows) < _ROWS_LEAST or width < _COLUMNS_LEAST or any(len(row) != width for row in seen):
        return False
    if sum(len(row) != width for row in rows) > len(rows) // 50 or all(row[-1].start == row[-1].end for row in seen):
        return False  # lines that all end in the sign: statements, or a list
    if width < _COLUMNS_SURE[separator]:
        return _are_pairs(text, rows)
    if separator in "\t|":
        return True
    # Sentences have commas too, though hardly the same number in each line; they end like sentences, and a space
    # follows the comma.
    plain = [text[cell.start : cell.end] for row in seen for cell in row if not cell.quoted]
    spaced = sum(cell.startswith(" ") for cell in plain)
    return _are_names(text, seen[0]) or (
        len(rows) > _ROWS_LEAST and 3 * spaced < len(plain) and not any(map(_PROSE.search, plain))
    )


def _are_pairs(text: str, rows: Sequence[Sequence[Cell]]) -> bool:
    """Say whether rows of two cells are no sentences: below usual names, or three with words and no blank around."""
    names = [text[cell.start : cell.end] for cell in rows[0]]
    if all(_NAME.fullmatch(name) and set(_PART.findall(name.lower())) <= _USUAL for name in names):
        return names[1] == names[1].strip()
    plain = [text[cell.start : cell.end] for row in rows[:_LOOKED_AT] for cell in row if not cell.quoted]
    odd = any(cell != cell.strip() or _PROSE.search(cell) for cell in plain)
    return len(rows) > _ROWS_LEAST and not odd and any(map(_PART.search, plain))


def _are_names(text: str, row: Sequence[Cell]) -> bool:
    words = [text[cell.start : cell.end].strip().lower() for cell in row]
    return all(map(_NAME.fullmatch, words)) and len(set(words)) == len(words)


def _named(text: str, start: int, end: int, rows: Sequence[Sequence[Cell]]) -> Table:
    first = [text[cell.start : cell.end].strip() for cell in rows[0]]
    named = _are_names(text, rows[0]) and _are_usual(text, rows[0])
    names = first if named else [""] * len(first)
    below = rows[1:] if named else rows
    cells = tuple(
        Cell(cell.start, cell.end, names[column] if column < len(names) else "", cell.quoted)
        for row in below
        for column, cell in enumerate(row)
    )
    return Table(start, end, named, cells, tuple(first) if named else ())


def _are_usual(text: str, row: Sequence[Cell]) -> bool:
    """Say whether at least half of a row's cells are words for columns: a row that is taken for names is not read."""
    words = [set(_PART.findall(text[cell.start : cell.end].lower())) for cell in row]
    return 2 * sum(bool(parts & _USUAL) for parts in words) >= len(words)


_USUAL = frozenset({
    "id", "name", "firstname", "lastname", "first", "last", "surname", "full", "email", "mail", "phone",
    "telephone", "tel", "mobile", "fax", "address", "street", "city", "town", "state", "zip", "postcode", "postal",
    "country", "date", "birth", "dob", "age", "gender", "amount", "total", "sum", "balance", "currency", "status",
    "iban", "bic", "account", "ssn", "passport", "tax", "vat", "company", "customer", "client", "employee", "user",
    "username", "login", "password", "passwort", "secret", "token", "key", "notes", "note", "comment", "subject",
    "body", "text", "message", "type", "category", "product", "item", "quantity", "price", "number", "no", "nr",
    "code", "url", "ip", "host", "order", "invoice", "vorname", "nachname", "telefon", "straße", "strasse", "ort",
    "stadt", "plz", "land", "geburtsdatum", "datum", "betrag", "kunde", "firma", "nummer", "konto", "nom", "prénom",
    "téléphone", "adresse", "ville", "pays", "montant", "nombre", "apellidos", "apellido", "teléfono", "correo",
    "dirección", "ciudad", "fecha", "importe", "nome", "cognome", "telefono", "indirizzo", "città", "data",
    "importo", "naam", "achternaam", "telefoon", "plaats", "bedrag", "imię", "nazwisko", "adres", "miasto", "kwota",
})  # fmt: skip
