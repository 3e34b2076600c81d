"""Whether a text that should be new is in its author's own words: small models like to hand the material back."""

from collections.abc import Iterable

_RUN_WORDS = 5
_LEAST_WORDS = 20
_COPIED = 0.5
_LAST_LINES = 4
_LONGEST_SIGNATURE = 40


def _words_of(text: str) -> frozenset[str]:
    return frozenset(text.casefold().split())


# Of lines that close a letter before its name, in the classifier's languages; in some letters all have capitals.
_SIGN_OFF = _words_of(
    "best kind kindest warm warmest many with regards wishes thanks thank you yours sincerely faithfully truly very "
    "cheers mit freundlichen freundliche viele liebe beste grüße grüßen gruß hochachtungsvoll bien cordialement à "
    "vous salutations distinguées meilleures amicalement saludos cordiales atentamente un cordial saludo cordiali "
    "distinti saluti cordialmente met vriendelijke hartelijke groet groeten hoogachtend z poważaniem wyrazami "
    "szacunku pozdrawiam serdecznie serdeczne pozdrowienia atenciosamente com os melhores cumprimentos"
)


def parrots(draft: str, texts: Iterable[str]) -> bool:
    """Say whether half of the draft's runs of five words, or more, are copied from what it answers."""
    words = _words(draft)
    if len(words) < _LEAST_WORDS:
        return False
    known = {run for text in texts for run in _runs(_words(text))}
    own = _runs(words)
    return sum(run in known for run in own) >= _COPIED * len(own)


def signs_as_sender(draft: str, texts: Iterable[str]) -> bool:
    """Say whether the draft closes with the line that closes what it answers: the sender's own name."""
    closing = _closing(draft, 2)
    return any(closing & _closing(text, _LAST_LINES) for text in texts)


def _closing(text: str, count: int) -> set[str]:
    lines = [line.strip(" ,.-–—") for line in text.splitlines() if line.strip()]
    return {line.casefold() for line in lines[-count:] if _is_signature(line)}


def _is_signature(line: str) -> bool:
    words = line.split()
    if _SIGN_OFF.issuperset(line.casefold().replace(",", " ").split()):
        return False
    return len(words) > 1 and len(line) <= _LONGEST_SIGNATURE and all(word[0].isupper() for word in words)


def _words(text: str) -> list[str]:
    return text.casefold().split()


def _runs(words: list[str]) -> list[tuple[str, ...]]:
    return [tuple(words[place : place + _RUN_WORDS]) for place in range(len(words) - _RUN_WORDS + 1)]
