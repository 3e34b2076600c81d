"""People of whom somebody speaks in small letters: "frag mal tjorven", "kwame said its fine", "mon pote gwen"."""

import re
from collections.abc import Iterator

from hybridmesh.agents.classifier.everyday import LANGUAGES, SMALL_WORDS, words_of
from hybridmesh.agents.classifier.recognizers.introduction_words import NOBODY
from hybridmesh.agents.classifier.recognizers.person_cues import is_unknown
from hybridmesh.agents.classifier.recognizers.recognizer import SHAPED, Recognizer
from hybridmesh.agents.classifier.recognizers.shapes import LETTER, UPPER
from hybridmesh.schemas.privacy import Span

_SMALL = "".join(letter for letter in LETTER if letter not in UPPER)
_NAME = rf"(?P<value>[{_SMALL}]{{4,20}})"
_SPEAKS = (  # what a person alone does, by language
    r"(?:said|says|told (?:me|us)|texted|phoned|asked (?:me|us|for|if|whether))"
    r"|(?:meinte?|sagte?|fragte?|hat (?:gesagt|gemeint|angerufen|geschrieben|gefragt))"
    r"|(?:m['’])?a (?:dit|appelé|demandé|écrit|répondu)"
    r"|(?:me )?(?:dijo|dice que|llamó|preguntó|escribió|ha dicho)"
    r"|(?:mi )?ha (?:detto|chiamato|chiesto|scritto)"
    r"|(?:zei|zegt|belde|vroeg|heeft (?:gezegd|gebeld|gevraagd))"
)
_SAID = re.compile(
    rf"(?:^|(?<=[\n.!?,;:(] )|(?<=[\n(])|(?<= and )|(?<= und )|(?<= et )|(?<= y )|(?<= e )|(?<= en )"
    rf"|(?<= que )|(?<= che )|(?<= dat )|(?<= dass )|(?<= because )){_NAME} (?:{_SPEAKS})(?!\w)"
)
_ASKED = re.compile(
    r"(?<![\w'’-])(?:(?:ask|tell|my (?:friend|mate|colleague|neighbou?r|boyfriend|girlfriend))"
    r"|(?:frage?|sage?)(?: (?:mal|doch|bitte)){0,2}"
    r"|mein(?:e[nm]?)? (?:freund(?:in)?|kolleg(?:e[n]?|in)|nachbar(?:in|n)?)"
    r"|(?:demande|dis|écris|téléphone) à|(?:mon|ma) (?:pote|ami|amie|copain|copine|collègue|voisine?)"
    r"|(?:dile|pregúntale|preguntale|escríbele|escribele) a|mi (?:amig[oa]|compañer[oa]|vecin[oa]|novi[oa])"
    r"|(?:chiedi|dillo|scrivi|telefona) a|(?:il mio|la mia) (?:amic[oa]|colleg[ah]|vicin[oa])"
    r"|(?:vraag|zeg|geef)(?: (?:het|maar|even)){0,2} (?:aan|tegen)|mijn (?:vriend(?:in)?|collega|buur(?:man|vrouw)))"
    rf" {_NAME}(?![\w@'’-]|\.\w)"
)


class MentionRecognizer:
    """A word in small letters that no language knows, where somebody is asked, told, or has said something."""

    def find(self, text: str) -> Iterator[Span]:
        """Yield the names."""
        for pattern in (_SAID, _ASKED):
            for match in pattern.finditer(text):
                if _is_unknown(match["value"]):
                    start, end = match.span("value")
                    yield Span(start=start, end=end, type="PERSON", score=0.6, source=SHAPED)


def _is_unknown(word: str) -> bool:
    if word in SMALL_WORDS or word in NOBODY or any(word in words_of(language) for language in LANGUAGES):
        return False
    return is_unknown(word.capitalize())


RECOGNIZERS: tuple[Recognizer, ...] = (MentionRecognizer(),)
