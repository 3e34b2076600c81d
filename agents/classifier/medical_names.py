"""Illnesses that are called after people: right beside a word for an illness, such a name is nobody's."""

import re
from typing import Final

# Only names that few people have, and only right beside the illness: "la maladie de Marie" tells of Marie, and
# "Mr Wilson has Crohn's disease" of Mr Wilson.
_EPONYMS: Final = frozenset({
    "alzheimer", "basedow", "bechterew", "behçet", "behcet", "chagas", "creutzfeldt", "crohn", "cushing", "dupuytren",
    "guillain", "hashimoto", "hirschsprung", "hodgkin", "kaposi", "kawasaki", "klinefelter", "korsakoff", "lyme",
    "marfan", "menière", "meniere", "ménière", "parkinson", "peyronie", "raynaud", "recklinghausen", "scheuermann",
    "sjögren", "sjogren", "sudeck", "tourette", "waldenström",
    # as Polish has them behind the word
    "alzheimera", "basedowa", "crohna", "cushinga", "gilberta", "gravesa", "hodgkina", "leśniowskiego", "parkinsona",
    "raynauda", "sjögrena", "tourette’a",
})  # fmt: skip
_BEFORE = re.compile(
    r"(?<!\w)(?:morbus|morbo|disease|syndrome?|síndrome|sindrome|maladie|enfermedad|malattia|ziekte|syndroom|chorob[aęąy]"
    r"|zesp[oó]łu?|doença)(?: (?:de|di|van|von|of))?[ \n]$",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"(?:['’]s)?[ -](?:disease|syndrome?|krankheit|thyr[eo]oiditis|lymphoma?|sarcoma)(?!\w)", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_]+")
_HEADS = frozenset({"morbus", "morbo", "disease", "syndrome", "syndrom"})
_LINKS = frozenset({"and", "und", "et", "y", "e", "en", "i", "s"})
_REACH: Final = 24  # characters of the longest word for an illness and its link


def names_illness(text: str, start: int, end: int) -> bool:
    """Say whether a stretch names an illness and nobody."""
    found = [word.casefold() for word in _WORD.findall(text[start:end])]
    names = [word for word in found if word not in _LINKS and word not in _HEADS]
    if not names or not _EPONYMS.issuperset(names):
        return False
    told = not _HEADS.isdisjoint(found) or _BEFORE.search(text[max(0, start - _REACH) : start]) is not None
    return told or _BEHIND.match(text, end) is not None
