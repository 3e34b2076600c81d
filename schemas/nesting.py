"""The structure of a JSON document as it comes, sign by sign: where a key stands, and what is a tool call; pure."""

import json
import re
from collections.abc import Callable, Collection

from hybridmesh.schemas.destinations import (
    ARGUMENT_KEYS,
    CALL_KEYS,
    CALL_TYPES,
    HTTP_METHOD,
    TOOL_KEYS,
    TOOL_KEYS_PERHAPS,
    TOOL_NAME,
    TOOL_NAME_ALONE,
)

# A string that does not end is read once; in a second reading one ends with its line, as in valid JSON, and in a third
# strings have the quotes of Python.
READINGS = tuple(
    re.compile(rf"{quote}(?P<said>(?:[^{quote}\\{line}]|\\.)*+){quote}?|[{{}}\[\]:,]", re.DOTALL)
    for quote, line in (('"', ""), ('"', "\n"), ("'", "\n"))
)

_NAME_MOST = 80  # characters of a tool's name


class Nesting:
    """Follows a document, also a broken one; ``call_keys`` are the members whose value is a tool call.

    An object with one of ``tool_keys`` is one too, and with one of ``perhaps`` whose value is written as a tool's name.
    """

    def __init__(
        self, call_keys: Collection[str], tool_keys: Collection[str] = (), perhaps: Collection[str] = ()
    ) -> None:
        self._call_keys = call_keys
        self._tool_keys = tool_keys
        self._perhaps = perhaps
        self._open: list[str] = []
        self._last = ""  # sign of the structure
        self._key = ""  # of the member that is being read
        self._call: int | None = None  # the depth at which a tool call's member began
        self._call_object: int | None = None  # the depth of an object that is one by its "type" or its tool
        self.spoken = ""  # the string that was read last: a key, if a colon follows

    @property
    def names_call(self) -> bool:
        """Whether the member that ends with the next sign is the first to say that its object is a tool call."""
        return self._call_object is None and self._names_call()

    @property
    def at_key(self) -> bool:
        """Whether a string that begins here is a key."""
        return self._open[-1:] == ["{"] and self._last in ("{", ",")

    @property
    def in_call(self) -> bool:
        """Whether what comes next is part of a tool call."""
        return self._call is not None or self._call_object is not None

    def speak(self, text: str) -> None:
        """Go on by a piece of a string; its beginning is enough."""
        self.spoken = (self.spoken + text)[: _NAME_MOST + 1]

    def place(self, char: str) -> None:
        """Go on by a sign of the structure."""
        spoken = self.spoken.lower()
        if char == ":":
            self._key = spoken
            if self._call is None and spoken in self._call_keys:
                self._call = len(self._open)
        elif self.names_call:
            self._call_object = len(self._open)
        if char in "{[":
            self._open.append(char)
        elif char in "}]" and self._open:
            self._open.pop()
        depth = len(self._open)
        if self._call is not None and (depth < self._call or (depth == self._call and char == ",")):
            self._call = None
        if self._call_object is not None and depth < self._call_object:
            self._call_object = None
        if char != ":":
            self.spoken = self._key = ""
        self._last = char

    def _names_call(self) -> bool:
        """Say whether the member that ends here says that its object is a tool call."""
        if self._key == "type":
            return self.spoken.lower() in CALL_TYPES
        if self._key == "method":
            return HTTP_METHOD.fullmatch(self.spoken) is not None
        if self._key in self._tool_keys:
            return TOOL_NAME_ALONE.fullmatch(self.spoken) is not None
        return self._key in self._perhaps and TOOL_NAME.fullmatch(self.spoken) is not None


def follow_calls(members: Collection[str] = ()) -> Nesting:
    """Return what follows a document for tool calls; ``members`` were asked for by name and are none."""
    asked = {member.lower() for member in members}
    return Nesting(CALL_KEYS | (ARGUMENT_KEYS - asked), TOOL_KEYS - asked, TOOL_KEYS_PERHAPS - asked)


def is_told_late(text: str, holds: Callable[[str], bool], members: Collection[str] = ()) -> bool:
    """Say whether an object says that it is a tool call behind a piece of it that ``holds`` a value.

    Who restores as a reply comes has put the value there by then: "{"to": …, "tool": "send"}".
    """
    return any(_told_late(text, reading, holds, members) for reading in READINGS)


def _told_late(text: str, reading: re.Pattern[str], holds: Callable[[str], bool], members: Collection[str]) -> bool:
    nesting = follow_calls(members)
    held: list[bool] = []  # of each object and list that is open
    at = 0
    for sign in reading.finditer(text):
        between, at = text[at : sign.start()], sign.end()
        if not held and sign.group() not in "{[":
            continue  # a quotation mark in prose opens no string
        if held and between and holds(between):
            held[-1] = True
        if sign["said"] is not None:
            nesting.spoken = ""
            nesting.speak(said := read_string(sign["said"]))
            held[-1:] = [held[-1] or holds(said)] if held else []
            continue
        if held and held[-1] and sign.group() != ":" and nesting.names_call:
            return True
        nesting.place(sign.group())
        if sign.group() in "{[":
            held.append(False)
        elif sign.group() in "}]" and held:
            inner = held.pop()
            held[-1:] = [held[-1] or inner] if held else []
    return False


def read_string(said: str) -> str:
    """Return what stands in a string of JSON, as it is where that is none."""
    try:
        return str(json.loads(f'"{said}"', strict=False))
    except ValueError:
        return said
