"""Passwords of several words and nothing else on their line: "password: purple horse battery"."""

import re
from collections.abc import Iterator

from hybridmesh.agents.classifier.everyday import SMALL_WORDS
from hybridmesh.agents.classifier.recognizers.credentials import NOT_VALUES, REMARKS, REMEMBERED
from hybridmesh.agents.classifier.recognizers.recognizer import SHAPED
from hybridmesh.agents.classifier.recognizers.shapes import LETTER
from hybridmesh.schemas.privacy import Span

_PHRASE = re.compile(
    rf"(?:^|(?<=[\n;|,(>\"']))[ \t]*(?:[{LETTER}-]{{1,20}} ){{0,2}}(?P<key>{REMEMBERED}) ?[:=] ?"
    rf"(?P<value>[{LETTER}]{{2,20}}(?:[ -][{LETTER}\d]{{2,20}}){{1,9}})(?=[ \t]*(?:$|[\n;|]))",
    re.IGNORECASE,
)
_SEVERAL = ("passphrase", "phrase", "frase", "wachtzin")  # of which everybody knows that it has several words
_SURE = 4  # words: with a small one among them, or whatever the first one is: "correct horse battery staple"


class PhraseRecognizer:
    """Words behind "password:" up to the end of the line that neither a sentence nor a remark would be."""

    def find(self, text: str) -> Iterator[Span]:
        """Yield the passphrases."""
        for match in _PHRASE.finditer(text):
            if match["key"].lower().startswith(_SEVERAL) or _is_phrase(match["value"]):
                yield Span(start=match.start("value"), end=match.end("value"), type="SECRET", score=0.8, source=SHAPED)


def _is_phrase(value: str) -> bool:
    words = re.findall(r"[^\W_]+", value.lower())
    if not REMARKS.isdisjoint(words):
        return False
    small, plain = sum(word in SMALL_WORDS for word in words), words[0] in NOT_VALUES
    return small + plain == 0 or (small + plain == 1 and len(words) >= _SURE)


RECOGNIZERS = (PhraseRecognizer(),)
