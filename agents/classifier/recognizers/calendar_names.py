"""People who are called like a month or a day: behind an honorific, or before a surname that no list knows."""

import re
from collections.abc import Iterator

from hybridmesh.agents.classifier.calendar_words import CALENDAR_WORDS
from hybridmesh.agents.classifier.recognizers.person_cues import is_unknown
from hybridmesh.agents.classifier.recognizers.recognizer import SHAPED, Recognizer
from hybridmesh.agents.classifier.recognizers.shapes import LETTER, UPPER
from hybridmesh.schemas.privacy import Span

_WORD = re.compile(r"[^\W\d_]+")
_CALENDAR = "|".join(sorted(CALENDAR_WORDS, key=len, reverse=True))
_HONORIFIC = (
    r"mr|mrs|ms|miss|mx|dr|prof|herrn?|frau|mme|mlle|madame|monsieur|señora?|srta|signora?|sig\.ra|dhr|mevr(?:ouw)?|mw"
    r"|meneer|familie|famille"
)
_DEGREE = r"(?: ?(?:med|jur|rer|phil|nat|pol|ing)\.){0,3}"
# No number beside it: "Dr. med. 3. Mai", "Frau kommt Mai 2024"; nor a day, as "Mme lundi" has one.
_TITLED = re.compile(
    rf"(?<![\w.])(?:{_HONORIFIC})\.?{_DEGREE} "
    rf"(?P<value>(?:{_CALENDAR})(?: [{UPPER}][{LETTER}'’-]{{2,30}})?)(?!\w| ?\d)",
    re.IGNORECASE,
)
_WITH_SURNAME = re.compile(
    rf"(?:^|(?<=[\n.!?:;,(\"“„«] )|(?<=[\n(\"“„«])|(?<= and )|(?<= und )|(?<= et )|(?<= y )|(?<= e )|(?<= en ))"
    rf"(?P<given>[{UPPER}][{LETTER}]{{2,12}}) (?P<surname>[{UPPER}][{LETTER}'’-]{{3,30}})(?![\w'’-]| [{UPPER}])"
)


class CalendarNameRecognizer:
    """A month or a day that dates nothing: "mr april", "Frau Mai", "Avril Lavoisin"."""

    def find(self, text: str) -> Iterator[Span]:
        """Yield the names."""
        if CALENDAR_WORDS.isdisjoint(_WORD.findall(text.lower())):
            return
        for match in _TITLED.finditer(text):
            words = match["value"].split(" ")
            end = match.end("value") if words[-1][0].isupper() else match.start("value") + len(words[0])
            yield Span(start=match.start("value"), end=end, type="PERSON", score=0.85, source=SHAPED)
        for match in _WITH_SURNAME.finditer(text):
            if match["given"].lower() in CALENDAR_WORDS and is_unknown(match["surname"]):
                yield Span(start=match.start(), end=match.end(), type="PERSON", score=0.6, source=SHAPED)


RECOGNIZERS: tuple[Recognizer, ...] = (CalendarNameRecognizer(),)
