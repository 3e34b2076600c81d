"""Orders hidden in the texts of a task, and drafts that obey them; as far as words can show it."""

import re
from collections.abc import Iterable

_ORDER = re.compile(
    r"(?:ignor\w*|disregard|forget|vergiss|vergessen|missachte\w*|olvid\w*|oubli\w*|dimentica\w*|negeer|vergeet"
    r"|zignoruj|zapomnij|pomiń|esque[çc]\w*)\b[^.!?\n]{0,60}"
    r"\b(?:instructions?|prompts?|rules|above|previous|anweisungen|vorgaben|regeln|instrucciones|reglas|consignes"
    r"|istruzioni|regole|precedenti|instructies|regels|vorige|instrukcje|polecenia|zasady|poprzednie|instruções|regras"
    r"|anteriores)\b"
    r"|\b(?:reply|respond|answer|say|output|write|print) (?:only|just|exactly|with)\b"
    r"|\b(?:antworte|schreibe|sage) (?:nur|genau|mit)\b|\b(?:responde|escribe|di) (?:solo|sólo|exactamente|con)\b"
    r"|\b(?:réponds|répondez|écris|écrivez) (?:seulement|uniquement|exactement|avec)\b"
    r"|\b(?:rispondi|scrivi|di') (?:solo|soltanto|esattamente|con)\b"
    r"|\b(?:antwoord|schrijf|zeg) (?:alleen|enkel|precies|met)\b"
    r"|\b(?:odpowiedz|napisz|powiedz) (?:tylko|dokładnie)\b"
    r"|\b(?:responda|escreva|diga) (?:apenas|só|somente|exatamente|com)\b",
    re.IGNORECASE,
)
_AFTER = 300
_SHARE = 0.8
_QUOTED = re.compile(r"[\"“”„'‘’«»`]([^\"“”„'‘’«»`\n]{2,200})[\"“”„'‘’«»`]")
_WORD = re.compile(r"\w+")


def obeys(draft: str, texts: Iterable[str]) -> bool:
    """Say whether the draft is what an order in one of the texts asked to be said.

    It is when it is a phrase quoted after the order, or when four fifths of its words stand right after it.
    """
    said = _words(draft)
    if not said:
        return False
    for text in texts:
        for match in _ORDER.finditer(text):
            ordered = text[match.start() : match.end() + _AFTER].split("\n\n")[0]
            if any(_words(quoted) == said for quoted in _QUOTED.findall(ordered)):
                return True
            after = set(_words(text[match.end() : match.end() + _AFTER].split("\n")[0]))
            if sum(word in after for word in said) >= _SHARE * len(said):
                return True
    return False


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]
