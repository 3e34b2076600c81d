"""Quasi-identifiers with a form of their own: dates, ages, trades and firms, as a kind and a comparable value."""

import re
from collections.abc import Iterator

from hybridmesh.schemas.letter_case import small

_MONTHS = (
    "january januar enero janvier gennaio januari janeiro",
    "february februar febrero février febbraio februari fevereiro",
    "march märz marzo mars maart março",
    "april abril avril aprile",
    "may mai mayo maggio mei maio",
    "june juni junio juin giugno junho",
    "july juli julio juillet luglio julho",
    "august agosto août augustus",
    "september septiembre septembre settembre setembro",
    "october oktober octubre octobre ottobre outubro",
    "november noviembre novembre novembro",
    "december dezember diciembre décembre dicembre dezembro",
)
_MONTH_OF = {
    form: number for number, names in enumerate(_MONTHS, 1) for name in names.split() for form in (name[:3], name)
}
_NAMES = "|".join(sorted(_MONTH_OF, key=len, reverse=True))
_DATE = re.compile(
    r"(?<![\w.])(?:(?P<y1>\d{4})-(?P<m1>\d{1,2})-(?P<d1>\d{1,2})"
    r"|(?P<d2>\d{1,2})[./-](?P<m2>\d{1,2})[./-](?P<y2>(?:19|20)\d{2})"
    rf"|(?P<d3>\d{{1,2}})(?:st|nd|rd|th|\.|er|º)?(?: de| of)? (?P<n3>{_NAMES})\.?(?: de|,)? (?P<y3>(?:19|20)\d{{2}})"
    rf"|(?P<n4>{_NAMES})\.? (?P<d4>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y4>(?:19|20)\d{{2}}))(?!\w)",
    re.IGNORECASE,
)
_AGE = re.compile(
    r"(?<!\w)(?:aged |age |alter |edad |âge |età )(?P<told>\d{1,3})(?!\w)"
    r"|(?<![\w.,])(?P<years>\d{1,3})(?:[- ]years?[- ]old| jahre alt| años| ans| anni| jaar| anos)(?!\w)",
    re.IGNORECASE,
)
_FIRM = re.compile(
    r"(?<!\w)(?P<name>[A-ZÀ-Þ][\w&.-]{1,40}(?: [A-ZÀ-Þ&][\w&.-]{0,40}){0,3}) "
    r"(?:GmbH|AG|KG|SE|Ltd|Limited|LLC|LLP|Inc|Corp|PLC|plc|S\.?A\.?|SARL|SAS|S\.?p\.?A\.?|S\.?r\.?l\.?|B\.?V\.?|N\.?V\.?)(?!\w)"
)
_TRADES = frozenset({
    "accountant", "actor", "actress", "ambassador", "architect", "baker", "banker", "barber", "bishop", "builder",
    "butcher", "captain", "carpenter", "caterer", "ceo", "cfo", "chef", "chemist", "cto", "dancer", "dentist",
    "detective", "diplomat", "director", "doctor", "driver", "economist", "editor", "electrician", "engineer",
    "farmer", "firefighter", "fisherman", "florist", "gardener", "geologist", "hairdresser", "headmaster",
    "headmistress", "historian", "janitor", "journalist", "judge", "lawyer", "librarian", "locksmith",
    "magistrate", "mayor", "mechanic", "midwife", "minister", "musician", "notary", "nun", "nurse", "optician",
    "painter", "paramedic", "pastor", "pharmacist", "photographer", "physician", "physicist", "pilot", "plumber",
    "policeman", "policewoman", "priest", "principal", "prosecutor", "professor", "programmer", "psychiatrist",
    "psychologist", "rabbi", "imam", "receptionist", "sailor", "sculptor", "secretary", "senator", "sergeant",
    "shepherd", "singer", "soldier", "solicitor", "surgeon", "surveyor", "tailor", "teacher", "therapist",
    "translator", "vet", "veterinarian", "waiter", "waitress", "welder", "anwalt", "anwältin", "arzt", "ärztin",
    "bäcker", "bürgermeister", "bürgermeisterin", "dachdecker", "elektriker", "erzieherin", "friseur", "hebamme",
    "ingenieur", "ingenieurin", "klempner", "krankenpfleger", "krankenschwester", "landwirt", "lehrer",
    "lehrerin", "maurer", "notar", "notarin", "pfarrer", "pilotin", "richter", "richterin", "schreiner", "soldat",
    "tischler", "zahnarzt", "zahnärztin", "abogado", "abogada", "alcalde", "enfermera", "enfermero", "ingeniero",
    "maestra", "médico", "profesora", "avocat", "avocate", "infirmière", "infirmier", "maire", "médecin",
    "notaire", "professeur", "avvocato", "avvocata", "infermiera", "ingegnere", "medico", "sindaco", "advocaat",
    "burgemeester", "dokter", "leraar", "verpleegster",
})  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")


def find_generic(text: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and value of each; day and month of a date in numbers are not told apart, as writers differ."""
    for match in _DATE.finditer(text):
        yield "date", _date(match)
    for match in _AGE.finditer(text):
        yield "age", str(int(match["told"] or match["years"]))
    for match in _FIRM.finditer(text):
        yield "employer", match["name"].casefold()
    for match in _WORD.finditer(text):
        word = match.group().casefold()
        if word in _TRADES or word.removesuffix("s") in _TRADES:
            yield "job", word if word in _TRADES else word.removesuffix("s")


def _date(match: re.Match[str]) -> str:
    parts = match.groupdict()
    year = next(parts[name] for name in ("y1", "y2", "y3", "y4") if parts[name])
    day = next(int(parts[name]) for name in ("d1", "d2", "d3", "d4") if parts[name])
    named = parts["n3"] or parts["n4"]
    month = _MONTH_OF[small(named)] if named else int(parts["m1"] or parts["m2"])
    low, high = sorted((day, month))
    return f"{year}/{low:02}/{high:02}"
