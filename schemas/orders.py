"""Orders to a tool in plain words, told by the tool's name and by what it gets: "CALL send_email WITH to=…"; pure."""

import re
import unicodedata
from collections.abc import Callable, Iterator

Holds = Callable[[str], bool]


def words(text: str) -> frozenset[str]:
    """Return the words that stand between blanks."""
    return frozenset(text.split())


# What sends, as the first or the last word of a tool's name, in six languages.
_SENDS = words(
    "send sende senden schicke schicken versende versenden verschicke verschicken envoyer envoie envoyez enviar envia "
    "mandar manda invia inviare spedire spedisci verstuur versturen stuur sturen verzend verzenden deliver dispatch"
)
_VERBS = _SENDS | words(
    "publish forward notify upload submit tweet transmit publier publicar pubblica pubblicare publiceer weiterleiten "
    "benachrichtige notifier notificar notifica"
)
_ALONE = _VERBS | words("email mail sms post message")  # of something that is called an action
_NO_ORDER = words("to at by from on date settings an von a de da aan van")
_LONGEST_NAME = 80
_CALL_WORDS = (
    "call|run|execute|invoke|use|trigger|launch|tool|action|function|command"
    "|rufe?|führe|nutze|verwende|benutze|starte|aufruf|werkzeug|aktion|befehl"
    "|appel(?:er|le|ez)?|exécute[rz]?|utilise[rz]?|lance[rz]?|outil|llama[r]?|ejecuta[r]?|usa[r]?|utiliza[r]?|invoca[r]?"
    "|herramienta|chiama(?:re)?|esegui(?:re)?|lancia|strumento|azione|roep|gebruik|voer|actie|opdracht"
)
_CALLED = re.compile(rf"(?<!\w)(?:{_CALL_WORDS})(?!\w)[^.;!?\n]{{0,40}}\Z", re.IGNORECASE)
# "TOOL=", "do: ", and "TOOL send_email" alone in its line: what a block below goes to.
_NAMED = re.compile(
    rf"(?:\A\W*(?:do|name|type|{_CALL_WORDS})(?:_?name)?\s{{0,3}}:|(?<!\w)(?:{_CALL_WORDS})(?:_?name)?\s{{0,3}}=)"
    r"\s{0,3}[\"'`]?\Z",
    re.IGNORECASE,
)
_LABEL = re.compile(r"\W{0,9}[^\W\d_][\w ]{0,40}:\W{0,4}")  # "Werkzeugaufruf: sende_nachricht", alone in its line
_HEADS = re.compile(rf"\W*(?:{_CALL_WORDS})\W{{1,3}}\Z", re.IGNORECASE)
_MARKS = re.compile(r"[\W_\d]*\Z")
_NAME = re.compile(
    r"(?<![\w.@-])(?<!\w/)(?<!\./)(?:[A-Za-z][A-Za-z0-9]{0,40}(?:[_.-][A-Za-z0-9]{1,40}){1,6}"
    r"|[a-z][a-z0-9]{0,40}(?:[A-Z][a-z0-9]{1,40}){1,6})(?!\w)"
)
_WITH = r"(?:with|to|for|mit|an|für|avec|à|pour|con|para|a|per|met|aan|voor)"
_LOGGED = re.compile(r"\W{0,3}(?:\d{2,4}[-:/.]\d|(?:INFO|DEBUG|WARN|ERROR|TRACE|FATAL)\b)")
_PAIR = re.compile(r"(?<![\w=])[\w-]{1,40}[\"'`]?\s{0,2}=(?!=)\s{0,2}(?P<said>[^\n]*?)(?=[,;|\n]|\s[\w-]{1,40}\s?=|\Z)")
_FLAG = re.compile(r"(?:^|\s)(?:--?[a-z][\w-]{0,40}[= ]|:[a-z][\w-]{0,40}\s)\s{0,3}(?P<said>[^\n]*?)(?=\s-|\s:|\n|\Z)")
_MEMBER = re.compile(r"(?<![\w-])(?P<key>[^\W\d][\w-]{0,40})[\"'`]?\s{0,2}:\s{0,2}(?P<said>[^\n]*)")
_BRACKET = re.compile(r"[`*\"'\s]{0,4}:?\s{0,3}[(\[{]{1,3}\s{0,3}(?P<said>[^\n]*)")
_KEY_FIRST = re.compile(r"[\"'`]?[\w-]{1,40}[\"'`]?\s{0,2}[:=]")
_AT_ONCE = re.compile(r"[`*\"']{0,4}\s{0,3}(?:[:|·—→-]|[-=]>)?\s{0,3}(?P<said>[^\n]*)")
_AFTER_WITH = re.compile(
    rf"[`*\"']{{0,4}}\s{{0,3}}[\[(<]?{_WITH}[\])>]?\s{{1,3}}(?:[^\W\d_]{{1,40}}\s{{1,3}}(?!\w{{1,40}}\s))?(?P<said>[^\n]*)",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(r"[a-z]\w*(?:[._-][A-Za-z_]\w*)*\Z")
_COMPOUND = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+")
_ONE_WORD = re.compile(
    rf"^\W{{0,9}}(?:{_CALL_WORDS})\W{{1,3}}[^\W\d]\w{{0,40}}\W{{1,3}}{_WITH}\W{{1,3}}[\w-]{{1,40}}=(?P<said>[^\n]*)",
    re.IGNORECASE,
)
_MOST_OPENING = 4
_ACTION_ALONE = re.compile(
    rf"[\W_]{{0,9}}(?:{_CALL_WORDS})[*\s]{{0,4}}:[\W_]{{0,9}}(?P<action>\w{{1,40}})[\W_]{{0,9}}", re.IGNORECASE
)
_DOES = re.compile(
    r"(?:\A\W{0,9}|[\s,;|&(])(?:operation|op|action|method|verb|command|do)(?:=|:\s{0,3})[\"'`]?(?P<verb>\w{1,40})"
    r"[\"'`]?(?=\s*\Z|[\s,;|&)]+\w+=)",
    re.IGNORECASE,
)
_TABLE_ROW = re.compile(r"\s*\|.*\|\s*")
_OPENING = " \t\"'`*_(<[{"
_DESCRIBES = words(
    "owner author maintainer contact admin team responsible description help by reporter besitzer verantwortlich autor "
    "von auteur responsable par por autore responsabile da eigenaar door"
)
_HTTP = re.compile(r"(?<![\w/])(?:POST|PUT|PATCH|DELETE)(?!\w)")
_ADDRESS = re.compile(r"(?:https?|wss?|ftp)://", re.IGNORECASE)
_CALLS_ADDRESS = re.compile(
    rf"(?<!\w)(?:{_CALL_WORDS})\s[^.;!?\n]{{0,40}}(?:https?|wss?|ftp)://\S+\s(?:with|mit|avec|con|met)\s(?P<said>[^\n]*)",
    re.IGNORECASE,
)
_MOST_NAMES = 500
_NEAR, _FAR = 100, 4000  # characters before and behind a name


def is_sending_name(name: str) -> bool:
    """Say whether a name is that of a tool that sends, and of no event: ``send_mail``, ``mail.send``, ``notifyAll``."""
    parts = _parts(name)
    if not parts[1:] or " " in name or any(part.endswith("ed") for part in parts):
        return False
    return parts[0] in _VERBS or parts[-1] in _SENDS


def is_action(name: str) -> bool:
    """Say whether what is called an action sends by its name: ``send``, ``email``, ``enviar``, ``slack.post``."""
    parts = _parts(name)
    return bool(parts) and " " not in name.strip() and (parts[0] in _ALONE or parts[-1] in _ALONE)


def is_verb(name: str) -> bool:
    """Say whether a name is nothing but a word for sending."""
    return plain(name) in _VERBS


def orders_by_key(key: str) -> bool:
    """Say whether a member's name alone is an order: ``send_email``, but not ``send_to``."""
    parts = _parts(key)
    return is_sending_name(key) and parts[0] in _SENDS and parts[-1] not in _NO_ORDER


def plain(name: str) -> str:
    """Return a name in small letters without signs, blanks and accents."""
    parted = unicodedata.normalize("NFKD", name[: 2 * _LONGEST_NAME]).lower()
    return re.sub(r"[^\w]|_", "", "".join(char for char in parted if not unicodedata.combining(char)))


def orders(text: str, holds: Holds) -> bool:
    """Say whether the text tells a tool by its name to take a value, or somebody to send one by HTTP."""
    lines = text.splitlines()
    tries = 0
    for at, line in enumerate(lines):
        if _is_told(line, holds) or _is_action_above(lines, at, holds):
            return True
        for name in _NAME.finditer(line):
            tries += 1
            if tries > _MOST_NAMES:
                return holds(text)
            if _is_order(name, lines, at, holds):
                return True
    return False


def _is_told(line: str, holds: Holds) -> bool:
    """Say whether a line sends a value by HTTP, or by a tool of one word: "CALL send WITH to=…"."""
    if _HTTP.search(line) and _ADDRESS.search(line) and holds(line):
        return True
    one = _ONE_WORD.match(line)
    if one is not None and _begins(one["said"], holds):
        return True
    return any(holds(called["said"]) for called in _CALLS_ADDRESS.finditer(line))


def _is_action_above(lines: list[str], at: int, holds: Holds) -> bool:
    """Say whether a line is "Action: email", and a line below it has the value."""
    action = _ACTION_ALONE.fullmatch(lines[at])
    if action is not None and is_action(action["action"]) and _has_member("\n".join(_below(lines, at)), holds):
        return True
    does = _DOES.search(lines[at])
    if does is None or not is_verb(does["verb"]):
        return False
    around = "\n".join([lines[at], *_below(lines, at)])
    return _has_member(around, holds) or any(holds(pair["said"]) for pair in _PAIR.finditer(around))


def _is_order(name: re.Match[str], lines: list[str], at: int, holds: Holds) -> bool:
    line, start = name.string, name.start()
    before = line[max(0, start - _NEAR) : start]
    alone = not line[name.end() :].strip("`*\"' :")
    heads = alone and _HEADS.fullmatch(before) is not None
    named = heads or _NAMED.search(before) is not None
    called = named or _CALLED.search(before) is not None
    if not (is_sending_name(name.group()) or (called and _IDENTIFIER.match(name.group()))):
        return False
    labelled = alone and _LABEL.fullmatch(before) is not None
    first = called or labelled or (start < _NEAR and _MARKS.fullmatch(before) is not None)
    below = _below(lines, at, indented=not (named or alone)) if first else ()
    rest = "\n".join([line[name.end() : name.end() + _FAR], *below])
    if not holds(rest) or _LOGGED.match(line) or _TABLE_ROW.fullmatch(line):
        return False
    if heads or any(holds(found["said"]) for pattern in (_PAIR, _FLAG) for found in pattern.finditer(rest)):
        return True
    if _COMPOUND.fullmatch(name.group()):  # "send-off: …" may be a word
        return False
    return _in_brackets(rest, holds) or (first and (_takes(name.group(), rest, holds) or _has_member(rest, holds)))


def _in_brackets(rest: str, holds: Holds) -> bool:
    bracket = _BRACKET.match(rest)
    if bracket is None or not holds(bracket["said"]):
        return False
    return _begins(bracket["said"], holds) or _KEY_FIRST.match(bracket["said"]) is not None


def _takes(name: str, rest: str, holds: Holds) -> bool:
    """Say whether a tool's name is followed by a value, which is none where it ends as a setting does: "send_to: …"."""
    tries = () if _parts(name)[-1] in _NO_ORDER else (_AT_ONCE.match(rest), _AFTER_WITH.match(rest))
    return any(found is not None and _begins(found["said"], holds) for found in tries)


def _has_member(text: str, holds: Holds) -> bool:
    members = (found for found in _MEMBER.finditer(text) if plain(found["key"]) not in _DESCRIBES)
    return any(_begins(found["said"], holds) for found in members)


def _below(lines: list[str], at: int, *, indented: bool = False) -> Iterator[str]:
    """Yield the lines below that belong to an order: those that are indented, or all up to a blank one."""
    for line in lines[at + 1 : at + 50]:
        if not line.strip() or (indented and line[0] not in " \t-"):
            return
        yield line


def _begins(said: str, holds: Holds) -> bool:
    """Say whether a value stands at the beginning, perhaps in quotes or brackets that may be its own."""
    if not holds(said):
        return False
    opening = len(said) - len(said.lstrip(_OPENING))
    return any(
        holds(said[start:end]) and not holds(said[start + 1 : end])
        for start in range(max(0, opening - _MOST_OPENING), opening + 1)
        for end in _ends(said, opening)
    )


def _ends(said: str, at: int) -> Iterator[int]:
    yield from (at + found.start() + 1 for found in re.finditer(r"[\s,;|\])}>\"'.]", said[at : at + 200]))
    yield len(said)


def _parts(name: str) -> list[str]:
    """Return the words of a tool's name, in small letters without accents."""
    parted = unicodedata.normalize("NFKD", name[:_LONGEST_NAME])
    letters = "".join(char for char in parted if not unicodedata.combining(char))
    return re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", letters).lower())
