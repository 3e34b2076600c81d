"""Objects of JSON that are requests and commands to be run, told by all of their members, in whatever order; pure."""

import json
import re
from collections.abc import Collection, Set
from dataclasses import dataclass, field

from hybridmesh.schemas.destinations import TOOL_NAME
from hybridmesh.schemas.nesting import READINGS, is_told_late, read_string
from hybridmesh.schemas.sending import Holds, is_sending_name, runs, sends, without_commands, words

_ADDRESS = re.compile(r"^\s*(?:(?:https?|wss?|ftp)://|//|www\.)", re.IGNORECASE | re.MULTILINE)
_ADDRESS_KEYS = words("url uri endpoint href address target targeturl requesturl baseurl link")
_WEBHOOK_KEYS = words("webhook webhookurl webhookuri hook hookurl incomingwebhook")
_PAYLOAD = words(
    "payload postdata postbody formdata form requestbody requestdata rawbody multipart headers httpheaders json "
    "jsonbody querystring queryparams cookies"
)
_CONTENT = frozenset({"body", "data"})  # of a request, or of a page
_OF_A_PAGE = words("title name author subject user createdat updatedat publishedat published date summary description")
_OF_A_SETTING = words("owner contact name author createdby maintainer responsible admin team description")
_OF_A_FUNCTION = frozenset({"function", "payload"})
_OF_AN_ANSWER = frozenset({"status", "statuscode"})
_PROGRAM = words(
    "command cmd commandline shell bash sh powershell run exec script code source program executable argv python "
    "javascript sql statement"
)
_MUTATION = re.compile(r"\s*mutation\b")
_NAMES_COMMAND = words("command cmd api apiname plugin skill toolid")
_NAMES_ACTION = words("type name nextaction actionname actiontype step")
_BEGINS = re.compile(r"^[ \t]*[{[]", re.MULTILINE)
_DECODER = json.JSONDecoder(strict=False)
_MOST_DOCUMENTS = 20
_DEEPEST = 3  # documents inside of strings


@dataclass(slots=True)
class _Open:
    """An object or a list that is open: its strings by member, and which members hold a value; a list has one, ""."""

    strings: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    held: set[str] = field(default_factory=set[str])
    key: str = ""

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


def _requests(text: str, holds: Holds, members: Collection[str], depth: int) -> bool:
    documents, rest = _split(text)
    asked = frozenset(map(_plain, members))
    if sends(rest, holds) or any(_reads(document, READINGS[0], holds, asked, depth) for document in documents):
        return True
    return documents != [text.strip()] and any(_reads(text, way, holds, asked, depth) for way in READINGS)


def _split(text: str) -> tuple[list[str], str]:
    """Return the documents of JSON that begin on lines of their own, and the text without the commands in those."""
    documents: list[str] = []
    rest: list[str] = []
    at = tries = 0
    while tries < _MOST_DOCUMENTS and (begins := _BEGINS.search(text, at)):
        start = begins.end() - 1
        tries += 1
        try:
            end = _DECODER.raw_decode(text, start)[1]
        except (ValueError, RecursionError):
            rest.append(text[at : begins.end()])
            at = begins.end()
            continue
        documents.append(text[start:end])
        rest += text[at:start], without_commands(text[start:end])
        at = end
    return documents, "".join([*rest, text[at:]])


def _reads(text: str, reading: re.Pattern[str], holds: Holds, asked: frozenset[str], depth: int) -> bool:
    opened: list[_Open] = []
    said: str | None = None
    bare, at = "", 0
    for sign in reading.finditer(text):
        between, at, char = text[at : sign.start()], sign.end(), sign.group()
        if not opened and char not in "{[":
            continue  # a quotation mark in prose opens no string
        if char in "{[":
            opened.append(_Open())
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
            here.key, said, bare = "", None, ""
            if char != "," and _close(opened, holds, asked):
                return True
        elif here.key:  # of an address without quotes
            bare += between + char
        else:
            here.key, said = _plain(between if said is None else said), None
    return any(_close(opened, holds, asked) for _ in range(len(opened)))


def _close(opened: list[_Open], holds: Holds, asked: frozenset[str]) -> bool:
    """Close what was opened last, and say whether it is a request that holds a value."""
    closed = opened.pop()
    if opened:
        opened[-1].add(closed.strings.get("", []), held=bool(closed.held))
    return bool(closed.held - asked) and (_asks(closed, asked) or _is_program(closed, holds, asked))


def _asks(said: _Open, asked: frozenset[str]) -> bool:
    keys = said.strings.keys() - asked
    if any(is_sending_name(said.says(key)) for key in _NAMES_ACTION & keys) and said.held - _OF_A_SETTING:
        return True
    if any(is_sending_name(said.says(key)) for key in _NAMES_COMMAND & keys):
        return True
    if "type" in keys and said.says("type").strip().lower() == "function":
        return not said.held.isdisjoint(_OF_A_FUNCTION) or TOOL_NAME.fullmatch(said.says("name")) is not None
    if "query" in keys and _MUTATION.match(said.says("query")):
        return True
    return _is_request(said, keys, said.held - asked)


def _is_request(said: _Open, keys: Set[str], held: Set[str]) -> bool:
    """Say whether an address is there for what is held: of a webhook all is, of others what requests name so."""
    if any(_ADDRESS.search(said.says(key)) for key in _WEBHOOK_KEYS & keys) and held - _OF_A_SETTING:
        return True
    if not keys.isdisjoint(_OF_AN_ANSWER) or not any(_ADDRESS.search(said.says(key)) for key in _ADDRESS_KEYS & keys):
        return False
    return bool(held & _PAYLOAD) or (bool(held & _CONTENT) and keys.isdisjoint(_OF_A_PAGE))


def _is_program(said: _Open, holds: Holds, asked: frozenset[str]) -> bool:
    keys = [key for key in said.strings if key in _PROGRAM and key not in asked]
    if said.held.isdisjoint(keys):
        return False
    return runs("\n".join(" ".join(said.strings[key]) for key in keys), holds) or runs(
        " ".join(word for key in keys for word in said.strings[key]), holds
    )


def _plain(key: str) -> str:
    return re.sub(r"[\W_]", "", key).lower()
