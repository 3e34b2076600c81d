"""The structure of a JSON document as it comes, sign by sign: where a key stands, and what is a tool call; pure."""

from collections.abc import Collection

from hybridmesh.schemas.destinations import CALL_TYPES, TOOL_NAME, TOOL_NAME_ALONE

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
        elif self._call_object is None and self._names_call():
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
        if self._key in self._tool_keys:
            return TOOL_NAME_ALONE.fullmatch(self.spoken) is not None
        return self._key in self._perhaps and TOOL_NAME.fullmatch(self.spoken) is not None
