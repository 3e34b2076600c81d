"""Dates of birth: a date after a word for birth, in figures or in words. A date alone is not private."""

import re

from hybridmesh.agents.classifier.recognizers.recognizer import DIGIT, Gated, Hinted, PatternRecognizer, words

_MONTH = (
    r"(?:jan|feb|m[aä]r|maart|apr|ma[ijy]|jun|jul|aug|sep|o[ck]t|nov|de[cz]|janv|f[eé]vr|mars|avr|juin|juil|ao[uû]t|d[eé]c"
    r"|ene|abr|ago|dic|gen|mag|giu|lug|set|ott|mrt|mei|sty|lut|kwi|cze|lip|sie|wrz|pa[zź]|lis|gru|fev|out|dez)"
    r"[a-zéûçäéąęśźż]*\.?"
)
_DATE = re.compile(
    r"(?<![\w])(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.] ?\d{1,2}[-/.] ?(?:\d{4}|\d{2})"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.|er|º)?[ .-]{{0,2}}(?:of |de )?{_MONTH}[ -]{{0,2}}(?:de |del )?"
    r"(?:\d{4}|['’]?\d{2})"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}|(?:19|20)\d{{6}})(?!\w)",
    re.IGNORECASE,
)
_BIRTH = words(
    r"n[ée]e? (?:à )?[^\W\d_][^\s,;]{1,30} le\b",  # "née Kerguelen le"
    r"born\b", r"birth", r"d\.?o\.?b\b", r"geb(?:oren|urt|\.)", r"naissance", r"n[eé](?:e|\(e\))? le\b", r"nacimiento",
    r"nacid[oa]\b", r"nat[oa] il\b", r"nascita", r"nascimento", r"nascid[oa]\b", r"urodz", r"ur\. ", r"b-?day\b",
    r"nat[oa] (?:a|ad|in|nel)\b", r"compleanno", r"cumplea[nñ]os", r"anniversaire", r"verjaardag", r"geboorte",
    r"f(?:echa)?[_ .-]{1,2}(?:de[_ ])?nac", r"data[_ -](?:ur|nasc)",
    r"(?:date|dt|dat)[_ -](?:naiss|nasc|geb)", r"geb[_ -]?dat",
)  # fmt: skip

# "PATIENTE : MME VANDER LÉO, 12/01/1952": right behind a patient's name.
_OF_PATIENT = re.compile(
    r"(?<!\w)(?:patient(?:e|in)?|paciente|paziente|pacjent(?:ka)?|pati[ëe]nte?) ?: ?[^\n,;:]{3,48}, ?"
    r"(?P<value>\d{4}-\d{2}-\d{2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}))(?!\w)",
    re.IGNORECASE,
)
# "*08.11.1969": how registers and hospitals write it in German; without a blank, as a list would have one.
_STAR = re.compile(
    rf"(?:(?<![\w*])\*|\(\* ?)(?P<value>\d{{1,2}}\.(?:\d{{1,2}}\.(?:\d{{4}}|\d{{2}})| ?{_MONTH} ?\d{{4}}))(?![\w*])",
    re.IGNORECASE,
)
# "born on the second of November nineteen fifty-eight": a number, a month and a year in words, up to where or a stop.
_NUMBER = (
    r"(?:fi?rst|second|third|[a-z]{2,10}th|twenty-[a-z]{3,8}|thirty-first|[a-zäöü]{2,30}ten"
    r"|premier|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize|vingt|trente"
    r"|primer[oa]?|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|trece|catorce|quince"
    r"|dieci[a-zé]{3,6}|veinti?[a-zé]{0,6}|treinta"
    r"|primo|due|tre|quattro|cinque|sei|sette|otto|nove|dieci|[a-z]{2,8}dici|dicia[a-z]{4,6}|vent[a-zé]{1,7}|trent[a-z]{1,3}"
    r"|een|twee|drie|vier|vijf|zes|zeven|acht|negen|tien|elf|twaalf|[a-z]{3,6}tien|[a-zë]{0,12}twintig|[a-zë]{0,8}dertig"
    r"|[a-ząćęłńóśźż]{4,16}ego)"
)
_YEAR = (
    r"(?:mil|mille[a-zé]{0,24}|nineteen|two thousand|twenty|neunzehn[a-zäöü]{3,30}|zweitausend[a-zäöü]{0,30}"
    r"|negentien[a-zë]{3,30}|tweeduizend[a-zë]{0,30}|tysiąc|dwa tysiące|duemila[a-z]{0,20}|deux mille|dos mil)"
)
_IN_WORDS = re.compile(
    r"(?<!\w)(?:born|geboren|n[ée]e?|nac[ií]|nacid[oa]|nat[oa]|urodził[ae]?m? się|urodzon[aye])"
    r"(?: (?:on|the|am|le|el|il|op|den|dnia)){0,2}"
    rf" (?P<value>{_NUMBER}(?: (?:of|de|y|et|[a-z]{{3,8}})){{0,2}} {_MONTH},?(?: (?:de|del))? {_YEAR}"
    r"(?:[ -](?!(?:in|à|a|ad|en|w|te|zu|im|roku|as|and lives)\b)[a-zà-ž]+){0,8})(?!\w)",
    re.IGNORECASE,
)

# "am 7. Juni 1995 in Stralsund geboren": the verb comes last.
_BORN_LAST = re.compile(
    rf"(?P<value>{_DATE.pattern})"
    r"(?: (?:in|zu|bei|te) [^\W\d_][^\s.,;]{1,40}(?: [^\s.,;]{1,40}){0,3})? (?:geboren|zur Welt)",
    re.IGNORECASE,
)

RECOGNIZERS = (
    Gated(re.compile("geboren|zur Welt", re.IGNORECASE), (PatternRecognizer("BIRTH_DATE", _BORN_LAST),)),
    Gated(
        DIGIT,
        (
            PatternRecognizer("BIRTH_DATE", _DATE, context=_BIRTH),
            PatternRecognizer("BIRTH_DATE", _STAR),
            Hinted(("pati", "pac", "paz"), (PatternRecognizer("BIRTH_DATE", _OF_PATIENT),)),
        ),
    ),
    PatternRecognizer("BIRTH_DATE", _IN_WORDS),
)
