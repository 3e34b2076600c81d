"""The structure of a JSON document as it comes, sign by sign: where a key stands, and what is a tool call; pure."""

from collections.abc import Collection

from hybridmesh.schemas.destinations import CALL_TYPES


class Nesting:
    """Follows a document, also a broken one; ``call_keys`` are the members whose value is a tool call."""

    def __init__(self, call_keys: Collection[str]) -> None:
        self._call_keys = call_keys
        self._longest = max(map(len, (*call_keys, *CALL_TYPES))) + 1
        self._open: list[str] = []
        self._last = ""  # sign of the structure
        self._key = ""  # of the member that is being read
        self._call: int | None = None  # the depth at which a tool call's member began
        self._call_object: int | None = None  # the depth of an object that is one by its "type"
        self.spoken = ""  # the string that was read last: a key, if a colon follows

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
        self.spoken = (self.spoken + text)[: self._longest]

    def place(self, char: str) -> None:
        """Go on by a sign of the structure."""
        spoken = self.spoken.lower()
        if char == ":":
            self._key = spoken
            if self._call is None and spoken in self._call_keys:
                self._call = len(self._open)
        elif self._key == "type" and spoken in CALL_TYPES and self._call_object is None:
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
