"""Objects of JSON that are requests and commands to be run, told by all of their members, in whatever order; pure."""

import json
import re
from collections.abc import Collection, Set
from dataclasses import dataclass, field

from hybridmesh.schemas.destinations import TOOL_NAME
from hybridmesh.schemas.nesting import READINGS, is_told_late, read_string
from hybridmesh.schemas.orders import is_action, is_sending_name, is_verb, orders, orders_by_key, plain, words
from hybridmesh.schemas.programs import Holds, runs, without_commands
from hybridmesh.schemas.sending import sends

_ADDRESS = re.compile(r"^\s*(?:(?:https?|wss?|ftp)://|//|www\.)", re.IGNORECASE | re.MULTILINE)
_ADDRESS_KEYS = words("url uri endpoint href address target targeturl requesturl baseurl link")
_WEBHOOK_KEYS = words("webhook webhookurl webhookuri hook hookurl incomingwebhook")
_PAYLOAD = words(
    "payload postdata postbody formdata form requestbody requestdata rawbody multipart headers httpheaders json "
    "jsonbody querystring queryparams cookies"
)
_CONTENT = frozenset({"body", "data"})  # of a request, or of a page
_CONTENTS = frozenset({"content", "contents"})
_QUERY = frozenset({"query"})
_HEADERS = frozenset({"headers", "httpheaders"})  # of an answer too
_OF_A_PAGE = words(
    "title name author subject user createdat updatedat publishedat published date summary description "
    "titel titre titulo titolo autor auteur autore"
)
_OF_A_SETTING = words(
    "owner contact name author createdby maintainer responsible admin team description help usage example"
)
# What no page and no answer has, but a request.
_OF_A_REQUEST = _PAYLOAD | words(
    "method httpmethod verb timeout auth authorization contenttype params retries callback followredirects useragent"
)
# What is called an action, in six languages, and the members that name one; an address behind a request is one's.
_ACTS = words(
    "action actions call calls invoke invocation execute run do command tool function op aktion aufruf befehl appel "
    "accion acciones llamada azione azioni chiamata actie acties aanroep opdracht "
    "funktion fonction funcion funzione functie werkzeug outil herramienta strumento gereedschap"
)
_NO_ACTS = words("call calls appel llamada chiamata")  # of a telephone, perhaps
_VERB_KEYS = words("post put patch fetch submit sendto")  # with an address for their value
_NAMING = words("name type kind id tool fn function method verb nom nombre nome naam typ tipo")
_SAYS_WHAT = _ACTS | words("operation verb method type kind task intent")
_METHODS = words("method httpmethod verb methode metodo")
_METHOD = re.compile(r"\s*(?:get|post|put|patch|delete)\s*", re.IGNORECASE)
_REQUESTS = words("request httprequest")
_OF_A_FUNCTION = frozenset({"function", "payload"})
_OF_AN_ANSWER = frozenset({"status", "statuscode"})
_STATUS = re.compile(r"\s*[1-5]\d\d\s*")
_PROGRAM = words(
    "command cmd commandline shell bash sh powershell run exec script code source program executable argv python "
    "javascript sql statement"
)
_MUTATION = re.compile(r"\s*mutation\b")
_NAMES_COMMAND = words("command cmd api apiname plugin skill toolid fn func do run call invoke execute use uses")
_NAMES_ACTION = words(
    "type name nextaction actionname actiontype step aktion funktion werkzeug outil fonction herramienta accion "
    "funcion azione strumento funzione actie functie gereedschap"
)
_BEGINS = re.compile(r"^[ \t]*[{[]", re.MULTILINE)
_APART = re.compile(r"\n[ \t]*\n\s*\Z")
_BLANKS = 100  # between a line and a document below it
_DECODER = json.JSONDecoder(strict=False)
_MOST_DOCUMENTS = 20
_DEEPEST = 3  # documents inside of strings


@dataclass(slots=True)
class _Open:
    """An object or a list that is open: its strings by member, and which members hold a value; a list has one, ""."""

    under: str = ""  # the member that it is in, as it is written
    strings: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    held: set[str] = field(default_factory=set[str])
    nested: set[str] = field(default_factory=set[str])  # members whose value is an object or a list
    key: str = ""
    named: str = ""  # the same member, as it is written
    acts: bool = False  # whether one of its members is an action

    def add(self, strings: list[str], *, held: bool = False) -> None:
        """Add to the member that is being read."""
        self.strings.setdefault(self.key, []).extend(strings)
        if held:
            self.held.add(self.key)

    def says(self, key: str) -> str:
        """Return what a member says, line by line where it is there more than once."""
        return "\n".join(self.strings.get(key, ()))


def would_leave(text: str, holds: Holds, members: Collection[str] = ()) -> bool:
    """Say whether a whole text would send a value that it ``holds``, if somebody ran it or a call in it.

    ``members`` of JSON were asked for by name and make neither a call nor a request.
    """
    return is_told_late(text, holds, members) or _requests(text, holds, members, 0)


def without_documents(text: str) -> str:
    """Return a text without the documents of JSON that begin on lines of their own."""
    return _split(text)[2]


def _requests(text: str, holds: Holds, members: Collection[str], depth: int) -> bool:
    documents, rest, prose = _split(text)
    asked = frozenset(map(plain, members))
    if (
        sends(rest, holds)
        or orders(prose, holds)
        or any(_reads(document, READINGS[0], holds, asked, depth) for document in documents)
    ):
        return True
    return documents != [text.strip()] and any(_reads(text, way, holds, asked, depth) for way in READINGS)


def _split(text: str) -> tuple[list[str], str, str]:
    """Return the documents of JSON that begin on lines of their own, the text without the commands in those, and prose.

    A document right below a line is part of what that says.
    """
    documents: list[str] = []
    rest: list[str] = []
    prose: list[str] = []
    at = tries = 0
    while tries < _MOST_DOCUMENTS and (begins := _BEGINS.search(text, at)):
        start = begins.end() - 1
        tries += 1
        try:
            end = _DECODER.raw_decode(text, start)[1]
        except (ValueError, RecursionError):
            rest.append(text[at : begins.end()])
            prose.append(rest[-1])
            at = begins.end()
            continue
        documents.append(text[start:end])
        rest += text[at:start], without_commands(text[start:end])
        between = text[at:start]
        apart = not between.strip() or _APART.search(between[-_BLANKS:])
        prose += between, "" if apart else " ".join(text[start:end].split())
        at = end
    return documents, "".join([*rest, text[at:]]), "".join([*prose, text[at:]])


def _reads(text: str, reading: re.Pattern[str], holds: Holds, asked: frozenset[str], depth: int) -> bool:
    opened: list[_Open] = []
    said: str | None = None
    bare, at = "", 0
    for sign in reading.finditer(text):
        between, at, char = text[at : sign.start()], sign.end(), sign.group()
        if not opened and char not in "{[":
            continue  # a quotation mark in prose opens no string
        if char in "{[":
            around = opened[-1] if opened else None
            opened.append(_Open("" if around is None else around.named or around.under))
            said, bare = None, ""
            continue
        here = opened[-1]
        here.add([], held=holds(between))
        if sign["said"] is not None:
            said = read_string(sign["said"])
            here.add([], held=holds(said))
            if depth < _DEEPEST and holds(said) and _requests(said, holds, asked, depth + 1):
                return True
        elif char != ":":
            here.add([bare + between if said is None else said])
            here.key = here.named = bare = ""
            said = None
            if char != "," and _close(opened, holds, asked):
                return True
        elif here.key:  # of an address without quotes
            bare += between + char
        else:
            here.named = between if said is None else said
            here.key, said = plain(here.named), None
    return any(_close(opened, holds, asked) for _ in range(len(opened)))


def _close(opened: list[_Open], holds: Holds, asked: frozenset[str]) -> bool:
    """Close what was opened last, and say whether it is a request that holds a value."""
    closed = opened.pop()
    under = plain(closed.under)
    acts = under in _ACTS - asked and any(
        is_verb(name) or is_sending_name(name) or (under not in _NO_ACTS and is_action(name))
        for name in (closed.says(key).strip() for key in _NAMING & closed.strings.keys())
    )
    if opened and plain(opened[-1].under) in _ACTS - asked and opened[-1].key:  # {"action": {"send": {…
        acts = acts or is_verb(closed.under)
    if opened:
        opened[-1].add(closed.strings.get("", []), held=bool(closed.held))
        opened[-1].nested.add(opened[-1].key)
        opened[-1].acts = opened[-1].acts or (acts and opened[-1].key != "")
    if not closed.held - asked:
        return False
    if (acts or closed.acts) and closed.held - _OF_A_SETTING:
        return True
    if (under not in asked and orders_by_key(closed.under)) or is_sending_name("".join(closed.strings.get("", [])[:1])):
        return True
    return _asks(closed, asked, under) or _is_program(closed, holds, asked)


def _asks(said: _Open, asked: frozenset[str], under: str) -> bool:
    keys = said.strings.keys() - asked
    if any(is_sending_name(said.says(key)) for key in _NAMES_ACTION & keys) and said.held - _OF_A_SETTING:
        return True
    if any(is_sending_name(said.says(key)) for key in _NAMES_COMMAND & keys):
        return True
    if "type" in keys and said.says("type").strip().lower() == "function":
        return not said.held.isdisjoint(_OF_A_FUNCTION) or TOOL_NAME.fullmatch(said.says("name")) is not None
    if "query" in keys and _MUTATION.match(said.says("query")):
        return True
    return _is_request(said, keys, said.held - asked, under)


def _is_request(said: _Open, keys: Set[str], held: Set[str], under: str) -> bool:
    """Say whether an address is there for what is held: of a webhook all is, of others what requests name so.

    A page has a title or an author, and prose for its body; an answer has a status. A member that only a request has
    makes one of both.
    """
    addressed = {key for key in keys if _ADDRESS.search(said.says(key))}
    verbs = any(is_verb(said.says(key)) for key in _SAYS_WHAT & keys) or any(
        _METHOD.fullmatch(said.says(key)) for key in _METHODS & keys
    )
    if addressed & (_WEBHOOK_KEYS | _VERB_KEYS) or (addressed & _ADDRESS_KEYS and verbs):
        return bool(held - _OF_A_SETTING)
    if not addressed & _ADDRESS_KEYS:
        return False
    asks = bool((_OF_A_REQUEST - _HEADERS) & keys) or under in _REQUESTS
    if not asks and any(_STATUS.fullmatch(said.says(key)) for key in _OF_AN_ANSWER & keys):
        return False
    if held & _PAYLOAD or held & said.nested & (_CONTENT | _QUERY):
        return True
    asks = asks or bool(keys & _HEADERS) or keys.isdisjoint(_OF_A_PAGE)
    return asks and bool(held & _CONTENT or held & said.nested & _CONTENTS)


def _is_program(said: _Open, holds: Holds, asked: frozenset[str]) -> bool:
    keys = [key for key in said.strings if key in _PROGRAM and key not in asked]
    if said.held.isdisjoint(keys):
        return False
    return runs("\n".join(" ".join(said.strings[key]) for key in keys), holds) or runs(
        " ".join(word for key in keys for word in said.strings[key]), holds
    )
