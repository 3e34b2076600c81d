"""What a correction says of the phrases that it quotes: forbidden, asked for, or only told of. Pure."""

import re

# Two of them say yes: "don't forget to say …", "never close without …".
_FORBIDDING = re.compile(
    r"\b(?:never|not|no|don['’]?t|mustn['’]t|can['’]?t|cannot|avoid|without|drop|omit|remove|delete|replace"
    r"|forget|instead of|rather than|nie|niemals|nicht|kein\w*|ohne|vermeid\w*|streich\w*|ersetz\w*|vergiss"
    r"|vergessen|statt|anstatt|nunca|jamás|sin|evit\w*|quit\w*|olvid\w*|en (?:vez|lugar) de|jamais|sans|ne"
    r"|oubli\w*|au lieu de|remplac\w*)\b|\bn['’]",
    re.IGNORECASE,
)
_REQUIRING = re.compile(
    r"\b(?:always|must|should|shall|say|use|write|put|add|include|mention|name|call|close|end|begin|start|open|sign"
    r"|greet|address|but|with|only|immer|stets|muss|soll\w*|sag\w*|verwend\w*|nutz\w*|schreib\w*|füg\w*|nenn\w*|sondern"
    r"|mit|nur|siempre|debe\w*|di|diga|usa\w*|use|escrib\w*|sino|con|toujours|doit|dites?|utilis\w*|écri\w*|mais|avec)\b",
    re.IGNORECASE,
)
_NOT_ONLY = re.compile(r"\b(?:not only|nicht nur|no s[oó]lo|pas seulement)\b", re.IGNORECASE)
_ONE_NEGATION = re.compile(r"\b(?:no\b.*\b(?:nunca|jamás)|(?:ne\b|n['’]).*\bjamais)\b", re.IGNORECASE)  # of two words
_WRONG = re.compile(r"\b(?:wrong|forbidden|banned|falsch|verboten|prohibid\w*|interdit\w*)\b", re.IGNORECASE)
_MISSING = re.compile(r"\b(?:missing|lacking|fehlt\w*|falta\w*|manqu\w*)\b", re.IGNORECASE)
_ENDED = re.compile(r"[.!?;](?=\s|$)|\n")
_QUOTED = re.compile(r"[\"“„«]([^\"”“„«»\n]{1,200})[\"”“»]")


def quoted_rules(correction: str) -> tuple[list[str], list[str]]:
    """Return the phrases that a correction forbids, and those that it asks for."""
    forbidden: list[str] = []
    required: list[str] = []
    rules: list[str] | None = None
    quotes = list(_QUOTED.finditer(correction))
    ends = [0, *(quote.end() for quote in quotes)]
    starts = [*(quote.start() for quote in quotes), len(correction)]
    between = [_ENDED.split(correction[end:start]) for end, start in zip(ends, starts, strict=True)]
    for quote, (*ended, before), after in zip(quotes, between, between[1:], strict=False):
        said = _said(before)
        if said is None and (ended or rules is None):  # in one sentence, what follows a comma is said of the same
            is_last = len(after) > 1 or quote is quotes[-1]
            said = _said_after(after[0]) if is_last else None
            rules = None
        if said is not None:
            rules = required if said else forbidden
        if rules is not None and (phrase := quote[1].strip()):
            rules.append(phrase)
    return forbidden, required


def _said(words: str) -> bool | None:
    """Say whether the words before a quote ask for it or forbid it; None when they do neither."""
    words = _NOT_ONLY.sub("with", words)
    against = len(_FORBIDDING.findall(words)) - bool(_ONE_NEGATION.search(words))
    if against:
        return against % 2 == 0
    return True if _REQUIRING.search(words) else None


def _said_after(words: str) -> bool | None:
    """Say the same of the words behind a quote, up to the end of its sentence."""
    if _WRONG.search(words) or len(_FORBIDDING.findall(words)) % 2:
        return False
    return True if _MISSING.search(words) else None
