"""Dates of birth: a date after a word for birth. A date alone is not private."""

import re

from hybridmesh.agents.classifier.recognizers.recognizer import PatternRecognizer, words

_MONTH = (
    r"(?:jan|feb|m[aä]r|apr|ma[ijy]|jun|jul|aug|sep|o[ck]t|nov|de[cz]|janv|f[eé]vr|mars|avr|juin|juil|ao[uû]t|d[eé]c"
    r"|ene|abr|ago|dic|gen|mag|giu|lug|set|ott|mrt|mei|sty|lut|kwi|cze|lip|sie|wrz|pa[zź]|lis|gru|fev|out|dez)"
    r"[a-zéûçäéąęśźż]*\.?"
)
_DATE = re.compile(
    r"(?<![\w])(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.] ?\d{1,2}[-/.] ?(?:\d{4}|\d{2})"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.|er|º)? (?:of |de )?{_MONTH} (?:de |del )?\d{{4}}"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}|(?:19|20)\d{{6}})(?!\w)",
    re.IGNORECASE,
)
_BIRTH = words(
    r"born\b", r"birth", r"d\.?o\.?b\b", r"geb(?:oren|urt|\.)", r"naissance", r"n[eé]e? le\b", r"nacimiento",
    r"nacid[oa]\b", r"nat[oa] il\b", r"nascita", r"nascimento", r"nascid[oa]\b", r"urodz", r"ur\. ", r"b-?day\b",
    r"nat[oa] (?:a|ad|in|nel)\b", r"compleanno", r"cumplea[nñ]os", r"anniversaire", r"verjaardag", r"geboorte",
)  # fmt: skip

# "am 7. Juni 1995 in Stralsund geboren": the verb comes last.
_BORN_LAST = re.compile(
    rf"(?P<value>{_DATE.pattern})"
    r"(?: (?:in|zu|bei|te) [^\W\d_][^\s.,;]{1,40}(?: [^\s.,;]{1,40}){0,3})? (?:geboren|zur Welt)",
    re.IGNORECASE,
)

RECOGNIZERS = (
    PatternRecognizer("BIRTH_DATE", _DATE, context=_BIRTH),
    PatternRecognizer("BIRTH_DATE", _BORN_LAST),
)
