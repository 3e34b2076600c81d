"""Where a text leaves again: links, images, markup and tool calls, followed character by character; pure.

It takes too much rather than too little for such a place: a surrogate that is not put back blocks a release, a value
inside of an image's address is fetched from a stranger's server by whoever looks at it.
"""

import re

_KEPT = 100  # characters of the present word that a beginning is told by
_LINE = 200
_ENDS_WORD = frozenset(' \t\r\n\f\v<>"`\u00a0\u2028\u2029\u3000')
_TELLS = frozenset(":/.?#(]")
_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]{0,20}://"  # any scheme with an authority
    r"|(?:^|\W)(?:mailto|tel|sms|data|javascript|vbscript|file|blob|callto|skype|cid"
    r"|geo|sips?|xmpp|whatsapp|facetime|magnet|intent|market|maps|msteams|ms-[a-z]{2,20}|view-source):"
    r"|(?:^|\W)www\."
    r"|(?:^|[^\w:])//"  # a scheme is taken from the page
    r"|(?:^|[^\w@.-])(?:[\w-]{1,63}\.)+[a-z]{2,24}(?::\d{1,5})?[/?#])\Z",  # a bare host, which many clients link
    re.IGNORECASE,
)
_STYLE_ADDRESS = re.compile(r"\burl\(\Z", re.IGNORECASE)
_DEFINITION = re.compile(r"[ \t>*+-]{0,12}\[(?!\^)[^\]]{1,150}\]:")
_CALL_KEY = re.compile(
    r"[\"'](?:(?:tool|function)_?calls?|tool_?use|tool_?input)[\"']\s{0,8}:\Z"
    r"|[\"']type[\"']\s{0,8}:\s{0,8}[\"'](?:\w{1,20}_)?(?:tool_use|(?:tool|function)_call)[\"'],\Z"
    r"|[\"']name[\"']\s{0,8}:\s{0,8}[\"'][\w.-]{1,40}[\"'],\s{0,20}[\"'](?:arguments|parameters|input)[\"']\s{0,8}:\Z",
    re.IGNORECASE,
)
_CALL_LINE = re.compile(r"[\s*#>]{0,8}Action[ _]?Input\W{0,4}:", re.IGNORECASE)  # of models that act in plain text
_CALL_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})\s*(?:tool|function)\w*", re.IGNORECASE)
_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})\s*")
_CALL_TAG = re.compile(r"\|?(?:\w+:)?(?:(?:tool|function)s?(?:[_▁-][\w▁-]*)?|invoke|python_tag)\|?", re.IGNORECASE)
_FOR_GOOD = "["  # a call that no mark ends
_PARAGRAPH = ":"  # one that a blank line ends
CALL_KEYS = frozenset({
    "tool_call", "tool_calls", "function_call", "function_calls", "tool_use", "tool_input", "toolcall", "toolcalls",
    "functioncall", "functioncalls", "tooluse", "toolinput",
})  # fmt: skip
CALL_TYPES = frozenset({"tool_use", "server_tool_use", "mcp_tool_use", "tool_call", "function_call"})


class Destinations:
    """Says whether what comes next would leave: part of an address, a link's target, a tag, or a tool call.

    How the text is cut into pieces does not matter.
    """

    def __init__(self) -> None:
        self._last = ""
        self._word = ""
        self._line = ""
        self._recent = ""
        self._address = False
        self._definition = ""  # of a link's target below the text: its label was read, or the target is being read
        self._depth = 0
        self._tag: str | None = None
        self._quote = ""  # around the value of an attribute, in which ">" ends no tag
        self._call: str | None = None

    @property
    def leaving(self) -> bool:
        """Whether the end of what was read stands inside of something that leaves."""
        return bool(self._address or self._definition or self._depth or self._tag is not None or self._call is not None)

    def read(self, text: str) -> None:
        """Go on by a piece of the text."""
        for char in text:
            self._step(char)
            self._last = char

    def _step(self, char: str) -> None:
        self._follow_tag(char)
        self._follow_target(char)
        self._follow_word(char)
        if char == "\n":
            self._end_line()
        elif len(self._line) < _LINE:
            self._line += char
        self._follow_definition(char)

    def _follow_definition(self, char: str) -> None:
        """``[label]:`` begins one; its target is the first word that follows, on that line or the next."""
        if self._definition:
            blank = char.isspace()
            self._definition = "" if blank and self._definition == "target" else self._definition if blank else "target"
        elif char == ":" and self._last == "]" and _DEFINITION.fullmatch(self._line):
            self._definition = "label"

    def _follow_word(self, char: str) -> None:
        self._recent = (self._recent + char)[-_KEPT:]
        if char in ":," and _CALL_KEY.search(self._recent):
            self._call = _FOR_GOOD
        elif char == ":" and self._call is None and _CALL_LINE.fullmatch(self._line + char):
            self._call = _PARAGRAPH
        if char == "\\":  # of an escape, as JSON and Markdown have them
            return
        if char in _ENDS_WORD:
            self._word, self._address = "", False
            return
        self._word = (self._word + char)[-_KEPT:]
        if char in _TELLS:
            self._address = self._address or _ADDRESS.search(self._word) is not None
            if char == "]" and self._word.endswith("[TOOL_CALLS]"):
                self._call = _FOR_GOOD

    def _follow_target(self, char: str) -> None:
        """``](`` begins the target of a link or an image, ``url(`` that of a style; brackets inside are paired."""
        if self._depth:
            self._depth += {"(": 1, ")": -1}.get(char, 0)
        elif char == "(" and (self._last == "]" or _STYLE_ADDRESS.search(self._word + char)):
            self._depth = 1

    def _follow_tag(self, char: str) -> None:
        if self._tag is None:
            if self._last == "<" and (char in "/!?|" or (char.isascii() and char.isalpha())):
                self._tag, self._quote = char, ""
        elif self._quote or (char in "\"'" and self._tag.endswith("=")):
            self._quote = "" if char == self._quote else self._quote or char
        elif char == ">":
            self._end_tag(self._tag)
            self._tag = None
        elif len(self._tag) < _KEPT:
            self._tag += char

    def _end_tag(self, tag: str) -> None:
        name = re.split(r"[\s=/]", tag.removeprefix("/"), maxsplit=1)[0].lower()
        if tag.startswith("/"):
            self._call = None if self._call == name else self._call
        elif self._call is None and _CALL_TAG.fullmatch(name):
            self._call = name

    def _end_line(self) -> None:
        if not self._line.strip():  # a blank line ends a paragraph, and what was left open in it
            self._depth, self._tag, self._definition = 0, None, ""
            self._call = None if self._call == _PARAGRAPH else self._call
        if self._call == "```":
            self._call = None if _FENCE.fullmatch(self._line) else self._call
        elif self._call is None and _CALL_FENCE.fullmatch(self._line):
            self._call = "```"
        self._line = ""
