"""Whether a summary sums up: a small model that is asked for one sentence may hand the whole letter back."""

import re
from collections.abc import Iterable

_AS_LONG = 0.9
_LEAST = 30  # words: of fewer there is little to leave out
_SUMMARY = re.compile(
    r"\bsummar|\bshorten|\bcondense|\btl;?dr\b|\bin (?:one|a single|two) sentences?\b"
    r"|zusammenfass|\bfass\w*\b[^.!?\n]*\bzusammen\b|\bkürze\b|\bin (?:einem|zwei) s[aä]tz"
    r"|\brésum|\braccourci|\ben (?:une|deux) phrases?\b|\bresum|\ben (?:una|dos) frases?\b|\bacorta"
    r"|\briassum|\bsintetizz|\bin (?:una|due) fras[ei]\b|\bsamenvat|\bvat\b[^.!?\n]*\bsamen\b"
    r"|\bin (?:één|een|twee) zin|\bem (?:uma|duas) frases?\b|\bstreść|\bstreszcz|\bpodsumuj|\bw (?:jednym|dwóch) zdani",
    re.IGNORECASE,
)


def summarises(instruction: str) -> bool:
    """Say whether an instruction, in one of the classifier's languages, asks for less than there is."""
    return _SUMMARY.search(instruction) is not None


def shortens(draft: str, texts: Iterable[str]) -> bool:
    """Say whether the draft is shorter than what it sums up, where that is long enough to be."""
    material = sum(len(text.split()) for text in texts)
    return material < _LEAST or len(draft.split()) < _AS_LONG * material
