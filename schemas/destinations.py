"""Where a text leaves again: links, images, markup and tool calls, followed character by character; pure.

It takes too much rather than too little for such a place: a surrogate that is not put back blocks a release, a value
inside of an image's address is fetched from a stranger's server by whoever looks at it.
"""

import re
from collections.abc import Mapping
from typing import Literal

_KEPT = 100  # characters of the present word that a beginning is told by
_LINE = 200
_BLANK = frozenset(" \t\r\n\f")  # to Markdown and HTML; other blanks end neither a paragraph nor an attribute
_ENDS_WORD = frozenset(' \t\r\n\f\v<>"`\u00a0\u2028\u2029\u3000')
_TELLS = frozenset(":/.?#(]")
_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]{0,20}://"  # any scheme with an authority
    r"|(?:^|\W)(?:mailto|tel|sms|data|javascript|vbscript|file|blob|callto|skype|cid"
    r"|geo|sips?|xmpp|whatsapp|facetime|magnet|intent|market|maps|msteams|ms-[a-z]{2,20}|view-source):"
    r"|(?:^|\W)www\."
    r"|(?:^|[^\w:])//"  # a scheme is taken from the page
    r"|(?:^|\W)(?:https?|ftp|wss?|matrix):"  # browsers need no slashes behind it
    r"|(?:^|[^\w@.-])(?:[\w-]{1,63}[.\u3002\uff0e\uff61])+"
    r"(?:[^\W\d_]{2,24}|xn--[\w-]{2,59})(?::\d{1,5})?[/?#]"  # a bare host is linked
    r"|(?:^|[^\w@.-])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?[/?#])\Z",
    re.IGNORECASE,
)
_STYLE_ADDRESS = re.compile(r"\burl\(\Z", re.IGNORECASE)
_BEFORE_LABEL = re.compile(r"[ \t>*+\d.)-]*")  # of a quotation or a list around a link's definition
# What takes a value out.
_SENDS = (
    r"(?:send|post|put|patch|e?mail|sendmail|upload|publish|forward|submit|notify|transfer|fetch|request|browse|navigate"
    r"|search|tweet|curl|wget|urlopen|webhook)"
)
# What a tool is called: "send_mail", "sendMail", "mail.send"; another word alone may be a person's job, or a hammer.
_TOOL = rf"(?-i:[a-z][a-z0-9]{{0,40}}(?:(?:[_.][A-Za-z0-9]{{1,40}}){{1,8}}|(?:[A-Z][a-z0-9]{{1,40}}){{1,8}})|{_SENDS})"
_HTTP = r"(?-i:GET|POST|PUT|PATCH|DELETE)"
_TOOL_ALONE = r"(?-i:[A-Za-z][\w.:-]{0,80})"  # behind a key that nothing else has
_ARGUMENT = r"(?:(?:tool|function|action)_?)?(?:arguments|param(?:eter)?s|input|args|kwargs)"
_TOOL_NAMED = r"(?:tool|function)_?name|recipient_name"
_TOOL_PERHAPS = r"tool|function|action"
_OTHER_CALLS = (
    "mcp_call|computer_call|shell_call|local_shell_call|web_search_call|file_search_call|code_interpreter_call"
    "|image_generation_call|apply_patch_call|mcp_approval_request"
)
_CALL_KEY = re.compile(
    r"[\"'](?:(?:tool|function)_?calls?|tool_?use|tool_?input|executable_?code)[\"']\s{0,8}:\Z"
    r"|[\"']type[\"']\s{0,8}:\s{0,8}[\"'](?:(?:\w{1,20}_)?(?:tool_?use|(?:tool|function)[_-]?call)"
    rf"|{_OTHER_CALLS})[\"'],\Z"
    rf"|[\"'](?:tool|{_TOOL_NAMED})[\"']\s{{0,8}}:\s{{0,8}}[\"']{_TOOL_ALONE}[\"']\s{{0,8}},\Z"
    rf"|[\"'](?:{_TOOL_PERHAPS})[\"']\s{{0,8}}:\s{{0,8}}[\"']{_TOOL}[\"']\s{{0,8}},\Z"
    rf"|[\"']method[\"']\s{{0,8}}:\s{{0,8}}[\"']{_HTTP}[\"']\s{{0,8}},\Z"
    rf"|[\"']{_ARGUMENT}[\"']\s{{0,8}}:\Z",
    re.IGNORECASE,
)
# Keys without quotes, as YAML and some models have them: "{name: send, args: {to: …", "tool_calls: [{". None of them is
# told by a word alone: the first need a mapping around them and one or a list behind, the others are no words of prose.
_BARE_CALL_KEY = re.compile(
    rf"(?:[{{,]\s{{0,8}}{_ARGUMENT}\s{{0,8}}:\s{{0,8}}[{{\[]"
    r"|(?:^|[{,\n])[\s-]{0,8}(?:(?:tool|function)_calls?|tool_use|tool_input)\s{0,8}:)\Z",
    re.IGNORECASE,
)
# "tool: send" on a line of its own; then "args:" begins the call's block, up to a blank line.
_TOOL_LINE = re.compile(
    r"[\s-]{0,8}(?:(?:tool|function|action)(?:_?name)?|recipient_name)\s?:\s?[\"'`]?[\w.-]{1,60}[\"'`]?\s{0,8}"
    rf"|[\s-]{{0,8}}name\s?:\s?[\"'`]?{_TOOL}[\"'`]?\s{{0,8}}",
    re.IGNORECASE,
)
_BLOCK_LINE = re.compile(rf"[\s-]{{0,8}}{_ARGUMENT}\s?:", re.IGNORECASE)
# "tool: send_mail", which begins it at once.
_NAMED_TOOL_LINE = re.compile(
    rf"[\s-]{{0,8}}(?:(?:{_TOOL_NAMED})\s?:\s?[\"'`]?{_TOOL_ALONE}"
    rf"|(?:{_TOOL_PERHAPS})\s?:\s?[\"'`]?{_TOOL})[\"'`]?\s{{0,8}}",
    re.IGNORECASE,
)
_LETTER_CODE = re.compile(r"u00(?P<code>[2-7][0-9A-Fa-f])")  # of an escape in a key, its backslash left out
_FORMULA = re.compile(  # of a table, which fetches what it names
    r"=.{0,40}\b(?:HYPERLINK|WEBSERVICE|IMAGE|IMPORT(?:XML|DATA|HTML|FEED|RANGE))\(\Z", re.IGNORECASE
)
_CALL_LINE = re.compile(  # of models that act in plain text
    r"[\s*#>]{0,8}(?:Action[ _]?Input|(?:tool|function)[ _]?(?:calls?|input|request))(?: ?\d{1,2})?\W{0,4}:",
    re.IGNORECASE,
)
_ACTION_LINE = re.compile(  # with the call fenced there or below it
    r"[\s*#>]{0,8}Action(?: ?\d{1,2})?\W{0,4}:[\s*]{0,8}(?P<fence>`{3,}\w*)?[\s*`]{0,8}", re.IGNORECASE
)
_ACTION_CALL = re.compile(  # "Action: search[", "Function call: send(", "[send(to="
    r"[\s*#>-]{0,8}(?:Act(?:ion)?(?: ?\d{1,2})?|tool|(?:tool|function)[ _]?calls?)[\s*]{0,4}:[\s*`]{0,4}"
    r"(?-i:[A-Za-z][\w.]{0,80})(?P<open>[(\[])?"
    r"|\s{0,8}\[(?-i:[a-z][\w.]{0,80})\((?-i:[a-z]\w{0,40})(?P<named>=)",
    re.IGNORECASE,
)
# "requests.post(", "sendMail(", "print(api.send_mail(": program text that sends; where it is defined nothing is sent.
_TAIL = r"(?:_\w{1,60}|(?-i:[A-Z])\w{0,60}|\.\w{1,60})"
_SENDING = re.compile(
    rf"(?:[a-z0-9][._]{_SENDS}{_TAIL}?|(?:^|[^\w.]){_SENDS}{_TAIL}"
    rf"|[a-z0-9](?-i:Send|Post|Put|E?[Mm]ail|Upload|Publish|Submit|Fetch){_TAIL}?)\(\Z",
    re.IGNORECASE,
)
_SENDING_ALONE = re.compile(rf"(?:^|[^\w.]){_SENDS}\((?:\w{{1,30}}=|[\"'{{])\Z", re.IGNORECASE)  # no "mail(s)"
_DEFINES = re.compile(
    r"\s*(?:(?:export|public|private|protected|static|async|pub) )*(?:def|function|func|fn|sub|void) "
)
_OF_THIS_HOST = re.compile(r"\([\"'`](?:/[\w$]|https?://(?:localhost|127\.0\.0\.1)[:/])\Z")
_FETCHED = re.compile(r"(?:\[(?:img|url)\]|\[(?:img|url)=|\\?(?:href|url|includegraphics)\{)\Z", re.IGNORECASE)
_SHARE = re.compile(r"(?:^|[\s\"'(<])\\{2,4}[\w.-]{3,60}\\\Z")  # of a server, which Windows logs in to
_MARKED = re.compile(r"(?:\[TOOL_(?:CALLS?|REQUEST|USE)\]|to=functions\.)\Z", re.IGNORECASE)
_BLOCK_NAME = re.compile(
    r"\[{1,2}(?:tool|function)(?:[_.]\w{1,40})?s?\]{1,2}\s*|>>>(?P<good>[a-z][\w.]{1,60})", re.IGNORECASE
)
_CALL_FENCE = re.compile(r"[\s>*+\d.)-]*(?:`{3,}|~{3,})\s*(?:tool|function)\w*\s*", re.IGNORECASE)
_FENCE = re.compile(r"[\s>]*(?:`{3,}|~{3,})\s*")
_OPEN_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})\s*\w*\s*")
_CALL_TAG = re.compile(
    r"[|\uff5c]?(?:\w+:)?(?:(?:tool|function)s?(?:[_▁-][\w▁-]*|calls?|use)?|invoke|python_tag|call_?tool"
    rf"|use_(?:\w+_)?tool|execute(?:_\w+)?|action(?:_?(?:input|start))?|plugin|api_call|arg_(?:key|value)|parameter"
    rf"|{_SENDS}_\w{{1,60}}|script|style)[|\uff5c]?",
    re.IGNORECASE,
)
_TOOL_TAGS = frozenset({"tool", "tool_name", "function_name"})
_FOR_GOOD = "["  # a call that no mark ends
_PARAGRAPH = ":"  # one that a blank line ends
_BRACKETS = "("  # one of a program, which its closing bracket ends, or a blank line
CALL_KEYS = frozenset({
    "tool_call", "tool_calls", "function_call", "function_calls", "tool_use", "tool_input", "toolcall", "toolcalls",
    "functioncall", "functioncalls", "tooluse", "toolinput", "executable_code", "executablecode",
})  # fmt: skip
_ARGUMENTS = ("arguments", "parameters", "params", "input", "args", "kwargs")
ARGUMENT_KEYS = frozenset(
    prefix + key for prefix in ("", "tool_", "function_", "action_", "tool", "function", "action") for key in _ARGUMENTS
)
CALL_TYPES = frozenset({
    "tool_use", "server_tool_use", "mcp_tool_use", "tool_call", "function_call", "custom_tool_call", "custom_tool_use",
    "toolcall", "functioncall", "tool-call", "tooluse", *_OTHER_CALLS.split("|"),
})  # fmt: skip
# Members whose value names a tool: the first say so by themselves, the others where it is written as no word is.
TOOL_KEYS = frozenset({"tool", "tool_name", "toolname", "function_name", "functionname", "recipient_name"})
TOOL_KEYS_PERHAPS = frozenset(_TOOL_PERHAPS.split("|"))
TOOL_NAME = re.compile(_TOOL)
HTTP_METHOD = re.compile(_HTTP)
TOOL_NAME_ALONE = re.compile(_TOOL_ALONE)

_ENCLOSING = {"<": ">", '"': '"', "'": "'"}
_Definition = Literal["label", "labelled", "before", "enclosed", "target"]
_Tag = Literal["name", "between", "attribute", "named", "value", "bare", '"', "'", "mark"]
_Tags = frozenset[_Tag]
_NAME: _Tags = frozenset({"name"})
_MARK: _Tags = frozenset({"mark"})
_QUOTED: _Tags = frozenset({'"', "'"})
# Where a character leads in a tag, as HTML reads it: " " is any blank, "" any other than those that are named.
_IN_TAG: Mapping[_Tag, Mapping[str, _Tag]] = {
    "name": {" ": "between", "/": "between", "": "name"},
    "between": {" ": "between", "/": "between", "": "attribute"},
    "attribute": {" ": "named", "/": "between", "=": "value", "": "attribute"},
    "named": {" ": "named", "/": "between", "=": "value", "": "attribute"},
    "value": {" ": "value", '"': '"', "'": "'", "": "bare"},
    "bare": {" ": "between", "": "bare"},
    '"': {'"': "between", "": '"'},
    "'": {"'": "between", "": "'"},
    "mark": {"": "mark"},  # a comment or a declaration
}


class Destinations:
    """Says whether what comes next would leave: part of an address, a link's target, a tag, or a tool call.

    How the text is cut into pieces does not matter.
    """

    def __init__(self) -> None:
        self._last = ""
        self._escapes = False  # whether the last character is a backslash that escapes the next one
        self._word = ""
        self._line = ""
        self._blank_line = True
        self._tool_line = False  # whether the line before names a tool
        self._action_line = False  # whether it says that an action comes
        self._recent = ""
        self._address = False
        self._definition: _Definition | None = None
        self._depth = 0
        self._enclosed = ""  # what closes the target where it is enclosed; "(" before its first character
        self._tags: _Tags = frozenset()
        self._name = ""  # of the tag that began last
        self._call: str | None = None
        self._brackets = 0  # of a program's call that are open
        self._quote = ""  # of the string in it that is open

    @property
    def leaving(self) -> bool:
        """Whether the end of what was read stands inside of something that leaves."""
        target = self._depth or self._definition in ("before", "enclosed", "target")
        called = self._call is not None or _ACTION_CALL.fullmatch(self._line) is not None
        return bool(self._address or target or self._tags or called)

    @property
    def calling(self) -> bool:
        """Whether it stands inside of a tool call, which no mark of JSON ends."""
        return self._call is not None

    def read(self, text: str) -> None:
        """Go on by a piece of the text."""
        for char in text:
            self._step(char)
            self._escapes = char == "\\" and not self._escapes
            self._last = char

    def _step(self, char: str) -> None:
        self._follow_tags(char)
        self._follow_target(char)
        self._follow_definition(char)
        self._follow_word(char)
        if char == "\n":
            self._end_line()
        else:
            self._blank_line = self._blank_line and char in _BLANK
            if len(self._line) < _LINE:
                self._line = _joined(self._line, char)

    def _follow_definition(self, char: str) -> None:
        """``[label]:`` at a line's beginning, then ``<target>`` or a target without blanks, there or on the next."""
        state, bracket = self._definition, "" if self._escapes else char
        if state in (None, "label", "labelled") and bracket == "[" and _BEFORE_LABEL.fullmatch(self._line):
            self._definition = "label"
        elif state == "label":
            footnote = char == "^" and self._last == "["
            self._definition = "labelled" if bracket == "]" else None if bracket == "[" or footnote else state
        elif state == "labelled":
            self._definition = "before" if char == ":" else None
        elif state == "before":
            self._definition = state if char.isspace() else "enclosed" if char == "<" else "target"
        elif state == "enclosed":
            self._definition = "target" if bracket in (">", "\n") else state
        elif char.isspace():
            self._definition = None

    def _follow_word(self, char: str) -> None:
        if char == "\\":  # of an escape, as JSON and Markdown have them
            self._address = self._address or _SHARE.search(self._line + char) is not None
            return
        self._recent = _joined(self._recent, char)[-_KEPT:]
        self._word = "" if char in _ENDS_WORD else (self._word + char)[-_KEPT:]
        self._follow_call(char)
        if not self._word:
            self._address = False
        elif char in _TELLS:
            self._address = self._address or _ADDRESS.search(self._word) is not None
        if char in "]={" and _FETCHED.search(self._word):
            self._address = True

    def _follow_call(self, char: str) -> None:
        marked = char in "].:" and (_MARKED.search(self._word) or "\u273f" in self._word)
        if marked or (char in ":,{[" and self._names_call(char)):
            self._call = _FOR_GOOD
        elif self._call == _BRACKETS:
            self._follow_brackets(char)
        elif self._call is None and char in ":([={\"'" and self._begins_call(self._line + char):
            self._call = _PARAGRAPH
            if self._sends() or _SENDING_ALONE.search(self._recent):
                self._call, self._brackets, self._quote = _BRACKETS, 1, char.strip("({=")

    def _follow_brackets(self, char: str) -> None:
        if self._quote and _OF_THIS_HOST.search(self._recent):
            self._call = None  # a path on whatever host the program is for, which the whole reply tells
        elif self._quote or char in "\"'`":
            closes = char == self._quote and not self._escapes
            self._quote = "" if closes else self._quote or char
        else:
            self._brackets += {"(": 1, ")": -1}.get(char, 0)
            self._call = self._call if self._brackets else None

    def _sends(self) -> bool:
        return _SENDING.search(self._word) is not None and _DEFINES.match(self._line) is None

    def _names_call(self, char: str) -> bool:
        if char in ":," and _CALL_KEY.search(_LETTER_CODE.sub(_letter, self._recent)):
            return True
        # Most brackets stand behind no colon, and most colons behind no underscore.
        told = "_" in self._recent if char == ":" else self._recent[:-1].rstrip().endswith(":")
        return char != "," and told and _BARE_CALL_KEY.search(self._recent) is not None

    def _begins_call(self, line: str) -> bool:
        if line[-1] == "(" and (_FORMULA.search(self._word) or self._sends()):
            return True
        if line[-1] in "\"'={" and _SENDING_ALONE.search(self._recent):
            return True
        if line[-1] != ":":
            found = _ACTION_CALL.fullmatch(line)
            return found is not None and (found["open"] or found["named"]) is not None
        return _CALL_LINE.fullmatch(line) is not None or (self._tool_line and _BLOCK_LINE.fullmatch(line) is not None)

    def _follow_target(self, char: str) -> None:
        """``](`` begins the target of a link or an image, ``url(`` that of a style.

        It ends with its bracket: those inside are paired, but not where they are escaped or the target is enclosed,
        which ``<>`` does for a link and quotes do for a style.
        """
        if not self._depth:
            if char == "(" and (self._last == "]" or _STYLE_ADDRESS.search(self._word + char)):
                self._depth, self._enclosed = 1, "("
        elif self._enclosed == "(" and char in _BLANK:
            pass
        elif self._enclosed == "(" and char in _ENCLOSING:
            self._enclosed = _ENCLOSING[char]
        elif self._enclosed not in ("", "("):
            closes = char == "\n" or (char == self._enclosed and not self._escapes)
            self._enclosed = "" if closes else self._enclosed
        else:
            self._enclosed = ""
            self._depth += 0 if self._escapes else {"(": 1, ")": -1}.get(char, 0)

    def _follow_tags(self, char: str) -> None:
        """Any "<" may begin a tag, as what stands before it may be none; so all that may be open are followed."""
        if "name" in self._tags:
            self._follow_name(char)
        self._tags = frozenset(after for tag in self._tags if (after := _in_tag(tag, char)) is not None)
        if self._last == "<" and (char in "/!?|\uff5c" or (char.isascii() and char.isalpha())):
            self._tags |= _MARK if char in "!?" else _NAME
            self._name = char

    def _follow_name(self, char: str) -> None:
        name = self._name.removeprefix("/").lower()
        if char not in _BLANK and char not in "/>=":
            self._name = (self._name + char)[:_KEPT]
        elif self._name.startswith("/"):
            if self._call == name:  # "<tool>send</tool><to>": what the tool gets comes behind its name
                self._call = _PARAGRAPH if name in _TOOL_TAGS else None
        elif self._call is None and _CALL_TAG.fullmatch(name):
            self._call = name

    def _end_line(self) -> None:
        if self._blank_line:  # it ends a paragraph, and what was left open in it but for an attribute of HTML
            self._depth, self._definition = 0, None
            self._tags &= _QUOTED
            self._call = None if self._call in (_PARAGRAPH, _BRACKETS) else self._call
        if self._call == "```":
            self._call = None if _FENCE.fullmatch(self._line) else self._call
        elif self._call is None and (_CALL_FENCE.fullmatch(self._line) or self._is_fenced_action()):
            self._call = "```"
        elif self._call is None and _NAMED_TOOL_LINE.fullmatch(self._line):
            self._call = _PARAGRAPH
        elif self._call is None and (block := _BLOCK_NAME.fullmatch(self._line)):
            self._call = _FOR_GOOD if block["good"] else _PARAGRAPH
        self._tool_line = _TOOL_LINE.fullmatch(self._line) is not None
        self._action_line = _ACTION_LINE.fullmatch(self._line) is not None
        self._line, self._blank_line = "", True

    def _is_fenced_action(self) -> bool:
        here = _ACTION_LINE.fullmatch(self._line)
        return bool(here and here["fence"]) or (self._action_line and _OPEN_FENCE.fullmatch(self._line) is not None)


def _joined(text: str, char: str) -> str:
    """Go on by a character, with one blank for many: else they would lead past what a pattern reaches."""
    if char in _BLANK and text[-1:] in _BLANK:
        return text[:-1] + char if char == "\n" else text
    return text + char


def _letter(code: re.Match[str]) -> str:
    return chr(int(code["code"], 16))


def _in_tag(tag: _Tag, char: str) -> _Tag | None:
    """Return where a character leads in a tag; None is the tag's end."""
    if char == ">" and tag not in _QUOTED:
        return None
    leads = _IN_TAG[tag]
    return leads.get(" " if char in _BLANK else char, leads[""])
