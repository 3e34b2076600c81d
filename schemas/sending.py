"""Text that sends something on once it is run: commands, programs, requests and statements; pure.

It is told by a whole text, as the value may stand before the command: ``WHO=[PERSON_7Q2M]`` and then a ``curl``. What
comes piece by piece is followed by :class:`hybridmesh.schemas.destinations.Destinations`.
"""

import re
from collections.abc import Iterator

from hybridmesh.schemas.orders import words
from hybridmesh.schemas.programs import COMMAND, METHOD, Holds, runs, stays_here, without_remarks

_STATEMENT_OF_CODE = re.compile(  # which no prose has
    r"\bfetch\([\"'`\w]|\.(?:src|href)\s?=\s?[\"'`\w]|\blocation\s?=\s?[\"'`](?:https?:)?//|\bwindow\.open\(|\bdocument\.cookie\s?="
    r"|\b(?:requests|httpx|axios|urllib\.request|http)\.\w{1,20}\(|\baxios\(|\$\.(?:ajax|get|post)\(|[\"'](?:curl|wget|nc)[\"'],"
    r"|\.(?:call|invoke|execute|dispatch|trigger|run_tool)\(\s*[\"'][\w.]+[\"']\s*,",
)
_CARRIES = re.compile(r"\$[\w{(]|<<|@-|%\w+%")  # a command that takes what stands elsewhere
_PLACE = re.compile(
    r"(?:^|[|;&({$`\"':!])[ \t]*"
    r"(?:[-*+$#>%][ \t]+|\w{1,40}=\S{0,40}[ \t]+|(?:sudo|env|time|nohup|xargs|do|then|/c)[ \t]+)*\Z",
    re.IGNORECASE,
)
_ON_A_HOST = re.compile(  # whose name stands elsewhere
    r"(?i:fetch|request|post|put|patch|send\w*|upload|publish|submit)(?:Async)?\([\"'`]/\w.*"
)
_NEAR, _LINES_BACK = 120, 20
_FED = re.compile(r"[|;&]\s{0,9}(?:sudo )?\Z")
_FENCED = re.compile(
    r"^[ \t>]*(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w+.#-]*)[^\n]*\n(?P<body>.*?)(?:^[ \t>]*(?P=fence)|\Z)",
    re.MULTILINE | re.DOTALL,
)
_NO_PROGRAM = words("text txt plain markdown md json jsonl csv tsv html xml toml ini log diff mail email")
_INLINE = re.compile(r"`([^`\n]+)`")
_TO_ITS_END = re.compile(r"(?:[^\n\\'\"]|\\(?s:.)|'[^']*'|\"(?:[^\"\\]|\\(?s:.))*\"|['\"])*+")
_BLANK_LINE = re.compile(r"(?<=\n)[ \t]+$", re.MULTILINE)
_REQUEST = re.compile(
    rf"^(?:{METHOD} https?://\S+(?: HTTP/[\d.]+)?|{METHOD} /\S*(?: HTTP/[\d.]+|(?=[ \t]*\n[\w-]{{1,40}}: )))[ \t]*$",
    re.MULTILINE,
)
_METHOD_LINE = re.compile(
    r"^[\s-]{0,20}method ?[:=] ?[\"']?(?:POST|PUT|PATCH|DELETE)[\"']?[ \t]*$", re.MULTILINE | re.IGNORECASE
)
_ADDRESS_LINE = re.compile(r"^[\s-]{0,20}(?:url|uri|endpoint) ?[:=] ?[\"']?https?://", re.MULTILINE | re.IGNORECASE)
_PAYLOAD_LINE = re.compile(
    r"^[\s-]{0,20}(?:body|data|payload|headers|json|form|params|query) ?[:=]", re.MULTILINE | re.IGNORECASE
)
_PAGE_LINE = re.compile(
    r"^[\s-]{0,20}(?:title|author|published|summary|status|tite?l|auteur|autore?) ?[:=]", re.MULTILINE | re.IGNORECASE
)
_FORM_TAG = re.compile(r"<form\b", re.IGNORECASE)
_FORM_PLACE = re.compile(r"\b(?:form)?action\s*=\s*(?P<place>\"[^\"]*\"|'[^']*'|[^\s>]*)", re.IGNORECASE)
_FORM_PART = re.compile(r"<(?P<tag>form|textarea|select|option)\b.*?(?:</(?P=tag)|\Z)", re.IGNORECASE | re.DOTALL)
_HERE = re.compile(r"\s*(?:[/?#.](?![/\\])[^:&\\]*|[\w-]*)\s*")
_MUTATION = re.compile(r"\bmutation\b(?:\s{1,9}\w{1,80})?\s{0,9}(?:\([^()]{0,500}\))?\s{0,9}\{")
_STATEMENT = re.compile(
    r"\bsp_send_dbmail\s+@|\bxp_(?:cmdshell|sendmail)\s+[@'\"N]|\butl_(?:http|smtp|mail|tcp|inaddr)\.\w"
    r"|\b(?:dblink\w*|openrowset|http_(?:post|get|put)|load_file)\s*\(|\bto\s+program\s+'",
    re.IGNORECASE,
)
_STATEMENT_END = re.compile(r";|\n\s*\n")
# A model that acts in plain text: a thought first, then an action in words or by a tool's name.
_ACTION_INPUT = re.compile(r"\bAction\s{0,99}\d{0,3}\s{0,99}Input\s{0,99}\d{0,3}\s{0,99}:")  # wherever it stands
_THOUGHT = re.compile(r"^[\s*#>]{0,8}Thought(?: ?\d{1,2})?[\s*]{0,4}:", re.MULTILINE)
_ACTION = re.compile(r"^[\s*#>]{0,8}Action(?: ?\d{1,2})?[\s*]{0,4}:(?P<action>[^\n]*)", re.MULTILINE)
_TOOL = re.compile(r"[\s*`]{0,4}(?=[A-Za-z]{0,80}(?:[_.]\w|[a-z][A-Z][a-z]))[\w.]{1,80}[ `]")
_CALL = re.compile(r"\[ ?[a-z][\w.]{0,80}\(")  # "[send(to=…), …]"


def sends(text: str, holds: Holds) -> bool:
    """Say whether the text holds a value in something that would send it if somebody ran it."""
    text = around = _BLANK_LINE.sub("", text.replace("\r\n", "\n"))
    if _leaves_by_form(text, holds):
        return True
    action = _ACTION_INPUT.search(text)
    if action is not None and holds(text[action.end() :]):
        return True
    rest: list[str] = []
    at = 0
    for block in _FENCED.finditer(text):
        rest.append(text[at : block.start()])
        at = block.end()
        no_program = block["language"].lower() in _NO_PROGRAM
        body = block["body"] if no_program else without_remarks(block["body"])
        if _says(body, holds, program=not no_program) or (not no_program and runs(body, holds, around)):
            return True
    return _says("\n\n".join([*rest, text[at:]]), holds) or (_THOUGHT.search(text) is not None and _acts(text, holds))


def _leaves_by_form(text: str, holds: Holds) -> bool:
    """Say whether a form of HTML holds a value, and sends what it holds elsewhere."""
    if not _FORM_TAG.search(text):
        return False
    places = (found["place"].strip("\"'") for found in _FORM_PLACE.finditer(text))
    return not all(map(_HERE.fullmatch, places)) and any(holds(part.group()) for part in _FORM_PART.finditer(text))


def _says(text: str, holds: Holds, *, program: bool = False) -> bool:
    """Say whether text that may be none of a program holds a command, a call, a request or a statement."""
    if text.startswith("#!") and runs(text, holds):
        return True
    commands = filter(COMMAND.search, _INLINE.findall(text))
    return any(
        map(holds, (*commands, *_commands(_INLINE.sub("``", text)), *_requests(text), *_calls(text, program=program)))
    )


def _commands(text: str) -> Iterator[str]:
    """Yield each command to its end, with what feeds it: what stands before it in its line or its paragraph."""
    at = 0
    while command := COMMAND.search(text, at):
        start, at = command.start(), command.end()
        line = _line_start(text, start)
        before = text[max(line, start - _NEAR) : start]
        if _PLACE.search(before) is None:  # where no shell looks for one: prose may speak of it anywhere
            continue
        if rest := _TO_ITS_END.match(text, at):
            at = rest.end()
        if _CARRIES.search(text, start, at):
            everywhere, end = "<<" in text[start:at], text.find("\n\n", at)
            at = len(text) if everywhere or end < 0 else end
            yield text if everywhere else text[max(0, text.rfind("\n\n", 0, start)) : at]
        else:
            yield text[line if _FED.search(before) else start : at]


def _line_start(text: str, at: int) -> int:
    """Return where the line begins that goes on over backslashes at its ends."""
    for _ in range(_LINES_BACK):
        at = text.rfind("\n", 0, at) + 1
        if at < 2 or text[at - 2] not in "\\|":  # noqa: PLR2004 - what stands before the line's end
            break
        at -= 1
    return at


def _calls(text: str, *, program: bool) -> Iterator[str]:
    """Yield lines that are calls, or actions by the name of a tool."""
    yield from (action["action"] for action in _ACTION.finditer(text) if _TOOL.match(action["action"]))
    for line in map(str.strip, text.splitlines()):
        told = _STATEMENT_OF_CODE.search(line) or (not program and _ON_A_HOST.search(line))
        if (told and not (program and stays_here(line))) or (line.endswith(")]") and "=" in line and _CALL.match(line)):
            yield line


def _requests(text: str) -> Iterator[str]:
    """Yield requests as HTTP and GraphQL have them, and statements of SQL that reach out."""
    if request := _REQUEST.search(text):
        yield text[request.start() :]
    if _METHOD_LINE.search(text):  # of YAML
        yield from (part for part in text.split("\n\n") if _METHOD_LINE.search(part) and _ADDRESS_LINE.search(part))
    if _ADDRESS_LINE.search(text):
        yield from (part for part in text.split("\n\n") if _ADDRESS_LINE.search(part) and _asks(part))
    at = 0
    while mutation := _MUTATION.search(text, at):
        at = _closing(text, mutation.end())
        yield text[mutation.start() : at]
    yield from filter(_STATEMENT.search, _STATEMENT_END.split(text))


def _asks(block: str) -> bool:
    """Say whether lines of YAML with an address ask for something, and are no page's or its settings'."""
    return _PAYLOAD_LINE.search(block) is not None and _PAGE_LINE.search(block) is None


def _closing(text: str, at: int) -> int:
    """Return where the brace closes that was opened just before."""
    depth = 1
    while at < len(text) and depth:
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
    return at


def _acts(text: str, holds: Holds) -> bool:
    return any(holds(action["action"]) for action in _ACTION.finditer(text))
