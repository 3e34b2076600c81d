"""Who wrote a message: the name in its self-introduction or under its closing words."""

import re

_WORD = r"[^\W\d_a-zß-öø-ÿ][^\W\d_]*(?:[-'’][^\W\d_]+)*"
_PART = rf"(?:{_WORD}|[A-Z]\.)"
_PARTICLE = r"(?:van|von|der|den|de|del|della|la|le|zu|zur|di|da|dos|bin|al|el|y|ten|ter)"
_NAME = rf"{_PART}(?:[ \u00a0](?:{_PARTICLE}[ \u00a0]){{0,2}}{_PART}){{0,3}}"
_TITLES = r"(?:(?:Mr|Mrs|Ms|Mx|Dr|Prof|Herr|Frau|Sra?|Señora?|Dipl\.-Ing|Mme|M)\.?[ \u00a0]+)*"
_INTRODUCTION = re.compile(
    r"(?:(?i:\b(?:my name is|this is my name:|mein name ist|ich hei(?:ß|ss)e|me llamo|mi nombre es|je m['’]appelle"
    r"|mi chiamo|mijn naam is|o meu nome é|chamo-me))"
    r"|^[ \t]*(?i:(?:full )?name|nombre|nom)[ \t]*:)[ \t]+" + _TITLES + rf"(?P<name>{_NAME})(?!\w)",
    re.MULTILINE,
)
_CLOSING = re.compile(
    r"[ \t]*(?:(?:with )?(?:my |our )?(?:kind(?:est)?|best|warm(?:est)?|many|yours|very|all the)?[ ,]*"
    r"(?:regards|wishes|thanks|sincerely|faithfully|truly|respectfully|best|gratefully|cheers|thx|thank you|love)"
    r"(?: (?:a million|again|in advance|so much|very much|for your [a-z]+|and [a-z ]{2,30}))?"
    r"|yours|mfg|lg|vg|hochachtungsvoll|danke(?: im voraus)?|vielen dank|besten dank"
    r"|(?:mit )?(?:freundlich|viel|best|lieb|herzlich|schön)\w* (?:grüß|gruß|gruss|grüss)\w*(?: aus \w+)?"
    r"|(?:un |muchos |cordiales )?(?:saludos?|abrazo)(?: cordial(?:es)?| y [a-zñáéíóú ]{2,40})?|atentamente"
    r"|(?:muchas )?gracias(?: de antemano| por [a-zñáéíóú ]{2,30})?"
    r"|(?:bien )?cordialement|bien à vous|sincères salutations|merci(?: d['’]avance)?"
    r"|(?:cordiali|distinti) saluti|met vriendelijke groet(?:en)?|(?:com os melhores )?cumprimentos)"
    r"[ \t]*[,.!:–-]*[ \t]*",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(rf"[ \t]*{_TITLES}(?P<name>{_NAME})(?:[ \t]+x{{1,4}})?[ \t]*[,.]?[ \t]*")
_LOWER = re.compile(r"[ \t]*(?P<name>[^\W\d_]{2,}(?: [^\W\d_]{2,}){1,2})[ \t]*")
_NO_NAME = re.compile(
    r"\b(?:thanks?|you|regards|cheers|please|urgent|hello|hi|dear|sorry|help|yes|no|ok|okay|ps|signed|sent|attached"
    r"|enclosures|best|solicitor|manager|director|team|customer|danke|bitte|gruß|grüße|gracias|saludos|merci|support"
    r"|iphone|confidential|end)\b",
    re.IGNORECASE,
)
_LONGEST_TAIL = 6  # lines under the last blank one that can still be a signature with an address


def find_sender(text: str) -> str | None:
    """Return the writer's name as it is written, without titles; None when the text does not say.

    Looked for in this order: a self-introduction, the line under closing words, a last block that starts with a
    name.
    """
    if (introduced := _INTRODUCTION.search(text)) and _is_name(introduced["name"]):
        return introduced["name"]
    lines = [line.strip() for line in text.splitlines()]
    name = _under_closing(lines) or _last_block(lines)
    return _in_full(name, text) if name else None


def _under_closing(lines: list[str]) -> str | None:
    for place in range(len(lines) - 1, -1, -1):
        if lines[place] and _CLOSING.fullmatch(lines[place]):
            following = next((line for line in lines[place + 1 :] if line), "")
            return _signed(following)
    return None


def _last_block(lines: list[str]) -> str | None:
    while lines and not lines[-1]:
        lines = lines[:-1]
    start = max((place + 1 for place, line in enumerate(lines) if not line), default=0)
    block = lines[start:]
    if start == 0 or not block or len(block) > _LONGEST_TAIL:
        return None
    careless = len(block) == 1 and all(line[0].islower() for line in lines if line)  # writes its own name small, too
    found = _LOWER.fullmatch(block[0]) if careless else None
    return _signed(block[0]) or (found["name"] if found and _is_name(found["name"]) else None)


def _in_full(name: str, text: str) -> str:
    """Return the longer form of a first name, where the text has one: "Ana" is "Ana Ruiz" further up."""
    if " " in name:
        return name
    longer = re.search(
        rf"(?<!\w){re.escape(name)}(?:[ \u00a0](?:{_PARTICLE}[ \u00a0]){{0,2}}{_PART}){{1,2}}(?!\w)", text
    )
    return longer.group() if longer else name


def _signed(line: str) -> str | None:
    match = _SIGNATURE.fullmatch(line)
    return match["name"] if match and _is_name(match["name"]) else None


def _is_name(words: str) -> bool:
    return _NO_NAME.search(words) is None
