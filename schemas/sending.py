"""Text that sends something on once it is run: commands, programs, requests and statements; pure.

It is told by a whole text, as the value may stand before the command: ``WHO=[PERSON_7Q2M]`` and then a ``curl``. What
comes piece by piece is followed by :class:`hybridmesh.schemas.destinations.Destinations`.
"""

import re
from collections.abc import Callable, Iterator

Holds = Callable[[str], bool]


def words(text: str) -> frozenset[str]:
    """Return the words that stand between blanks."""
    return frozenset(text.split())


_ARGUMENT = r"(?:\.exe)?[ \t]+(?=[-\"'`$%]|\S*\w[.:@/]\w)"  # no word of prose: "curl your hair"
_METHOD = r"(?:GET|POST|PUT|PATCH|DELETE)"
_COMMAND = re.compile(
    r"(?<![\w.-])(?:(?:curl|wget|aria2c|lynx|sendmail|msmtp|mutt|swaks|scp|sftp|ssh|rsync|ncat|netcat|nc|socat|telnet"
    r"|tftp|nslookup|dig|iwr|irm|Invoke-WebRequest|Invoke-RestMethod|Send-MailMessage|Start-BitsTransfer|bitsadmin"
    rf"|certutil|mosquitto_pub|kcat){_ARGUMENT}"
    rf"|mailx?[ \t]+-\w|(?:https?|xhs?)[ \t]+(?:-\S+[ \t]+)*{_METHOD}\b"
    r"|gh[ \t]+(?:(?:issue|pr|gist|release)[ \t]+(?:create|comment|edit|upload)|api)\b"
    r"|aws[ \t]+(?:s3|s3api|sns|sqs|ses|sesv2|lambda)[ \t]|gcloud[ \t]+pubsub|nats[ \t]+pub|openssl[ \t]+s_client)"
    r"|/dev/(?:tcp|udp)/",
)
_PROGRAM = re.compile(  # text that sends: the names of what does in half a dozen languages
    r"\b(?:smtplib|XMLHttpRequest|XMLHTTP|BodyPublishers|UrlFetchApp|Net::HTTP|HttpClient|curl_exec|file_get_contents|WebSocket|net/http)\b"
    r"|\bhttp\.client\b|\bsocket\.(?:create_connection|socket)\b|\b(?:fetch|urlopen|urlretrieve|sendBeacon)\s*\("
    r"|[\"'](?:curl|wget|nc|ssh|scp|mail)[\"']\s*,"
    r"|(?:\.|->|::)(?i:post|put|patch|send|sendmail|send_?message|send_?mail|upload\w*|publish)(?:Async)?\s*\("
    r"|\b(?:mail|axios|window\.open)\s*\(|\$\.(?:ajax|get|post)\s*\(|\.(?:src|href)\s*=|\blocation\s*=\s*[\"'`](?:https?:)?//"
    r"|\b(?:requests|httpx|axios|session|client|http)\.(?:get|head|request)\s*\(\s*(?:[fr]+[\"']|[a-z]|[\"'][^\"']*[\"']\s*[+%,])"
    r"|\b(?:web_?search|search_web|visit_(?:web)?page|browse\w*|send_\w+|post_\w+|notify\w*)\s*\(",
)
_STATEMENT_OF_CODE = re.compile(  # which no prose has
    r"\bfetch\([\"'`\w]|\.(?:src|href)\s?=\s?[\"'`\w]|\blocation\s?=\s?[\"'`](?:https?:)?//|\bwindow\.open\(|\bdocument\.cookie\s?="
    r"|\b(?:requests|httpx|axios|urllib\.request|http)\.\w{1,20}\(|\baxios\(|\$\.(?:ajax|get|post)\(|[\"'](?:curl|wget|nc)[\"'],",
)
_DEFINES = re.compile(r"(?:export |public |private |static |async |pub )*(?:def|function|func|fn|sub|void) ")
_CARRIES = re.compile(r"\$[\w{(]|<<|@-|%\w+%")  # a command that takes what stands elsewhere
_COMMENT = re.compile(r"\s*(?:#(?!!)|//|--|/?\*)")
_PLACE = re.compile(
    r"(?:^|[|;&({$`\"':!])[ \t]*"
    r"(?:[-*+$#>%][ \t]+|\w{1,40}=\S{0,40}[ \t]+|(?:sudo|env|time|nohup|xargs|do|then|/c)[ \t]+)*\Z",
    re.IGNORECASE,
)
_NEAR, _LINES_BACK = 120, 20
_FED = re.compile(r"[|;&]\s{0,9}(?:sudo )?\Z")
_VERBS = words("send publish forward notify upload submit tweet")
_LONGEST_NAME = 80
_FENCED = re.compile(
    r"^[ \t>]*(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w+.#-]*)[^\n]*\n(?P<body>.*?)(?:^[ \t>]*(?P=fence)|\Z)",
    re.MULTILINE | re.DOTALL,
)
_NO_PROGRAM = words("text txt plain markdown md json jsonl csv tsv html xml toml ini log diff mail email")
_INLINE = re.compile(r"`([^`\n]+)`")
_TO_ITS_END = re.compile(r"(?:[^\n\\'\"]|\\(?s:.)|'[^']*'|\"(?:[^\"\\]|\\(?s:.))*\"|['\"])*+")
_BLANK_LINE = re.compile(r"(?<=\n)[ \t]+$", re.MULTILINE)
_REQUEST = re.compile(
    rf"^(?:{_METHOD} https?://\S+(?: HTTP/[\d.]+)?|{_METHOD} /\S*(?: HTTP/[\d.]+|(?=[ \t]*\n[\w-]{{1,40}}: )))[ \t]*$",
    re.MULTILINE,
)
_METHOD_LINE = re.compile(r"^[\s-]{0,20}method: ?[\"']?(?:POST|PUT|PATCH|DELETE)\b", re.MULTILINE)
_ADDRESS_LINE = re.compile(r"^[\s-]{0,20}(?:url|uri|endpoint): ?[\"']?https?://", re.MULTILINE)
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
    text = _BLANK_LINE.sub("", text.replace("\r\n", "\n"))
    action = _ACTION_INPUT.search(text)
    if action is not None and holds(text[action.end() :]):
        return True
    rest: list[str] = []
    at = 0
    for block in _FENCED.finditer(text):
        rest.append(text[at : block.start()])
        at = block.end()
        no_program = block["language"].lower() in _NO_PROGRAM
        if _says(block["body"], holds) or (not no_program and runs(block["body"], holds)):
            return True
    return _says("\n\n".join([*rest, text[at:]]), holds) or (_THOUGHT.search(text) is not None and _acts(text, holds))


def runs(program: str, holds: Holds) -> bool:
    """Say whether a program, or a command line, sends something and holds a value outside of its comments."""
    lines = [line for line in program.splitlines() if not _COMMENT.match(line)]
    sending = any(
        _COMMAND.search(line) or (_PROGRAM.search(line) and not _DEFINES.match(line.strip())) for line in lines
    )
    return sending and any(map(holds, lines))


def without_commands(text: str) -> str:
    """Return a text without the names of commands and programs in it, which are read elsewhere."""
    return _PROGRAM.sub("", _COMMAND.sub("", text))


def is_sending_name(name: str) -> bool:
    """Say whether a name is that of a tool that sends, and of no event: ``send_mail``, ``mail.send``, ``notifyAll``."""
    parts = re.findall(r"[a-z0-9]+", re.sub(r"([A-Z])", r"_\1", name[:_LONGEST_NAME]).lower())
    if len(parts) < 2 or " " in name or any(part.endswith("ed") for part in parts):  # noqa: PLR2004 - of one word
        return False
    return parts[0] in _VERBS or parts[-1] == "send"


def _says(text: str, holds: Holds) -> bool:
    """Say whether text that may be none of a program holds a command, a call, a request or a statement."""
    if text.startswith("#!") and runs(text, holds):
        return True
    commands = filter(_COMMAND.search, _INLINE.findall(text))
    return any(map(holds, (*commands, *_commands(_INLINE.sub("``", text)), *_requests(text), *_calls(text))))


def _commands(text: str) -> Iterator[str]:
    """Yield each command to its end, with what feeds it: what stands before it in its line or its paragraph."""
    at = 0
    while command := _COMMAND.search(text, at):
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


def _calls(text: str) -> Iterator[str]:
    """Yield lines that are calls, or actions by the name of a tool."""
    yield from (action["action"] for action in _ACTION.finditer(text) if _TOOL.match(action["action"]))
    for line in map(str.strip, text.splitlines()):
        if _STATEMENT_OF_CODE.search(line) or (line.endswith(")]") and "=" in line and _CALL.match(line)):
            yield line


def _requests(text: str) -> Iterator[str]:
    """Yield requests as HTTP and GraphQL have them, and statements of SQL that reach out."""
    if request := _REQUEST.search(text):
        yield text[request.start() :]
    if _METHOD_LINE.search(text):  # of YAML
        yield from (part for part in text.split("\n\n") if _METHOD_LINE.search(part) and _ADDRESS_LINE.search(part))
    at = 0
    while mutation := _MUTATION.search(text, at):
        at = _closing(text, mutation.end())
        yield text[mutation.start() : at]
    yield from filter(_STATEMENT.search, _STATEMENT_END.split(text))


def _closing(text: str, at: int) -> int:
    """Return where the brace closes that was opened just before."""
    depth = 1
    while at < len(text) and depth:
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
    return at


def _acts(text: str, holds: Holds) -> bool:
    return any(holds(action["action"]) for action in _ACTION.finditer(text))
