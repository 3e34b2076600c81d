"""Which language a text is in, by its stop words: enough to choose a reply's template, None when unsure."""

import re

# The most frequent words that no other language of the list shares, or few do.
_WORDS = {
    "en": "the and is are was were have has had you your my our this that with from not for it at be been would "
    "will can could they she he his her which who what when please been i of to me",
    "de": "der die das und ist nicht ich sie mit von zu ein eine einen den dem des für auf im auch werden wird "
    "haben habe hat wir ihr ihre bei nach oder aber bitte dass daß wurde am zum zur mein meine",
    "es": "el los las una que por con para es está como pero más su sus mi y del al lo muy cuando también ya "
    "sin sobre hay ha han me desde nadie tengo son usted",
    "fr": "le les des est et une dans pour que qui sur avec pas vous nous je mon ma votre notre au aux ce cette "
    "ont été mais plus suis ai bonjour merci du",
    "it": "il gli della che è di non per con sono una mi ho ha questo come anche più nel alla dal lo ci "
    "buongiorno grazie perché vostro mio",
    "nl": "het een van en ik niet dat is op te de voor met zijn aan er maar ook mijn uw wij heb hebben naar bij "
    "deze geen wordt graag",
    "pt": "o os uma não que para com em por do da dos das é eu meu minha seu está mas mais como também já foi "
    "são você obrigado obrigada",
}
_SETS = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_LEAST_HITS = 3
_MARGIN = 1.25


def guess_language(text: str) -> str | None:
    """Return an ISO 639-1 code, or None for a text that is too short or speaks for two languages alike."""
    words = re.findall(r"[^\W\d_]+", text.casefold())
    hits = sorted(((sum(word in known for word in words), language) for language, known in _SETS.items()), reverse=True)
    (best, language), (second, _) = hits[:2]
    return language if best >= _LEAST_HITS and best >= second * _MARGIN else None
