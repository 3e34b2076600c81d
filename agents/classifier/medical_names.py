"""Illnesses that are called after people: beside a word for an illness, such a name is nobody's."""

import re
from typing import Final

# Only these: "la maladie de Marie" tells of Marie.
_EPONYMS: Final = frozenset({
    "addison", "alport", "alzheimer", "asperger", "barré", "barre", "basedow", "bechterew", "behçet", "behcet", "bell",
    "chagas", "charcot", "chiari", "creutzfeldt", "crohn", "cushing", "danlos", "down", "duchenne", "dupuytren",
    "ebstein", "ehlers", "fabry", "fallot", "gaucher", "gilbert", "graves", "guillain", "hashimoto", "hirschsprung",
    "hodgkin", "huntington", "jakob", "kaposi", "kawasaki", "klinefelter", "korsakoff", "ledderhose", "lyme", "marfan",
    "menière", "meniere", "ménière", "osgood", "paget", "parkinson", "perthes", "peyronie", "pompe", "raynaud",
    "recklinghausen", "reiter", "rett", "scheuermann", "schlatter", "sheehan", "sjögren", "sjogren", "sudeck",
    "tourette", "turner", "waldenström", "wegener", "wernicke", "whipple", "wilson",
})  # fmt: skip
_ILLNESS = re.compile(
    r"(?<!\w)(?:morbus|morb[oi]|m\.|disease|syndrom\w*|síndrome|sindrome|[\wäöü]*krankheit(?:en)?|maladies?|enfermedad(?:es)?"
    r"|malatti[ae]|ziekten?|syndro[mo]\w*|chorob\w*|zesp[oó]ł\w*|doença|lymphoma?|thyr[eo]\w*itis|dementia|demenz)(?!\w)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
_LINKS = frozenset({
    "and", "und", "et", "y", "e", "en", "i", "de", "di", "van", "von", "disease", "morbus", "morbo", "syndrome", "s",
})  # fmt: skip
_REACH: Final = 60  # characters between an illness and its name: "… de Chagas y el síndrome de …"


def names_illness(text: str, start: int, end: int) -> bool:
    """Say whether a stretch names an illness and nobody."""
    names = [word.casefold() for word in _WORD.findall(text[start:end]) if word.casefold() not in _LINKS]
    known = bool(names) and all(name.removesuffix("s") in _EPONYMS or name in _EPONYMS for name in names)
    return known and _ILLNESS.search(text, max(0, start - _REACH), min(len(text), end + _REACH)) is not None
