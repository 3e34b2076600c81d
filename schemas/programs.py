"""Programs and command lines that send once they are run, told by whether a value reaches what sends; pure.

A value goes on by what it is assigned to, by what it is put into, through functions of the program and through files;
what only stands beside (an author, a docstring, a printed line) does not leave.
"""

import re
from collections.abc import Callable, Iterator, Set

Holds = Callable[[str], bool]

_ARGUMENT = r"(?:\.exe)?[ \t]+(?=[-\"'`$%]|\S*\w[.:@/]\w)"  # no word of prose: "curl your hair"
METHOD = r"(?:GET|POST|PUT|PATCH|DELETE)"
COMMAND = re.compile(
    r"(?<![\w.-])(?:(?:curl|wget|aria2c|lynx|sendmail|msmtp|mutt|swaks|scp|sftp|ssh|rsync|ncat|netcat|nc|socat|telnet"
    r"|tftp|nslookup|dig|iwr|irm|Invoke-WebRequest|Invoke-RestMethod|Send-MailMessage|Start-BitsTransfer|bitsadmin"
    rf"|certutil|mosquitto_pub|kcat){_ARGUMENT}"
    rf"|mailx?[ \t]+-\w|(?:https?|xhs?)[ \t]+(?:-\S+[ \t]+)*{METHOD}\b"
    r"|gh[ \t]+(?:(?:issue|pr|gist|release)[ \t]+(?:create|comment|edit|upload)|api)\b"
    r"|aws[ \t]+(?:s3|s3api|sns|sqs|ses|sesv2|lambda)[ \t]|gcloud[ \t]+pubsub|nats[ \t]+pub|openssl[ \t]+s_client)"
    r"|(?:sendmail|msmtp|mutt|swaks)[ \t]+\[|/dev/(?:tcp|udp)/",
)
_TOOL = r"\b(?:web_?search|search_web|visit_(?:web)?page|browse\w*|send_\w+|post_\w+|notify\w*)\s*\("
_PROGRAM = re.compile(  # text that sends: the names of what does in half a dozen languages
    r"\b(?:smtplib|XMLHttpRequest|XMLHTTP|BodyPublishers|UrlFetchApp|Net::HTTP|HttpClient|curl_exec|file_get_contents|WebSocket|net/http)\b"
    r"|\bhttp\.client\b|\bsocket\.(?:create_connection|socket)\b|\b(?:fetch|urlopen|urlretrieve|sendBeacon)\s*\("
    r"|[\"'](?:curl|wget|nc|ssh|scp|mail)[\"']\s*,"
    r"|(?:\.|->|::)(?i:post|put|patch|send|sendmail|send_?message|send_?mail|upload\w*|publish)(?:Async)?(?:<[^<>()]{0,80}>)?\s*\("
    r"|\b(?:mail|axios|window\.open)\s*\(|\$\.(?:ajax|get|post)\s*\(|\.(?:src|href)\s*=|\blocation\s*=\s*[\"'`](?:https?:)?//"
    r"|\b(?:requests|httpx|axios|session|client|http)\.(?:get|head|request)\s*\(\s*(?:[fr]+[\"']|[a-z]|[\"'][^\"']*[\"']\s*[+%,])"
    r"|\bhttp\.(?:Get|Post|PostForm|NewRequest\w*)\(|\b(?:HttpURLConnection|openConnection|openStream)\b"
    r"|[a-z]://[^\"'`\s]*[\"'`]\s*(?:\+|&(?!&)|\.{1,2}\s?[$\w]|%)"
    r"|[a-z]://[^\"'`\s]*(?:\$[\w{]|#?\{\w)"  # an address made of parts
    rf"|{_TOOL}",
)
_CALLS_TOOL = re.compile(rf"(?<![.>:\w]){_TOOL}")
_MODULE = re.compile(r"\s*(?:import|from|use|using|require|#include|const \w+ = require)\b")
_DEFINES = re.compile(
    r"\s*(?:(?:export|default|public|private|static|async|pub) )*(?:def|function|func|fn|sub|void) +(?P<name>\w+)"
)
_CLASS = re.compile(r"(?:export |public |data |abstract )*class +(?P<name>\w+)")
_COMMENT = re.compile(r"\s*(?:#(?!!)|//|--[ \t]|/\*|\*[ \t/])")
_COMMENT_BEHIND = re.compile(r"[ \t](?:#|//)[ \t][^\"'`\n]*$")
_DOCSTRING = re.compile(r"[ \t]*[rR]?(?P<quotes>\"\"\"|''')(?:(?!(?P=quotes)).)*(?P=quotes)[ \t]*", re.DOTALL)
_LONG_QUOTES = re.compile(r"\"\"\"|'''|`")
_SHOWS = re.compile(
    r"\s*(?:(?:await|return) )?"
    r"(?:print\w*|puts|echo|log(?:ger|ging)?|console|assert\w*|fmt\.Print\w*|System\.out)\b(?!.*(?:>|\bfile\s*=|:=))"
)
_FILE = re.compile(r"\bopen\s*\(|>|\btee\b|write|\bdump|\bsave")
_TARGETS = re.compile(
    r"(?P<left>[^=(\n]{1,200}|[\w.\[\]\"' ,]{1,200})(?::|[+|.])?=(?![=>])"
    r"|\bas\s+(?P<as>\w+)|\bfor\s*\(?(?P<each>[^\n]{1,80}?)\s(?:in|of)\b"
)
_RECEIVER = re.compile(r"\s*(?:await )?\$?(?P<name>\w+)(?=(?:\.|->|\[|::|\())")
_ARGUMENTS = re.compile(r"\((?P<said>[^\n]*)")
_MEMBER = re.compile(r"[\s-]*[\"']?(?P<key>[A-Za-z_][\w-]*)[\"']?\s*:\s")  # of YAML, of an object
_STAYS = re.compile(  # commands that keep what they take on this host
    r"\s*(?:\$ )?(?:sudo )?"
    r"(?:git (?:config|log|commit|blame|shortlog)|grep|rg|ls|cd|mkdir|touch|ssh-keygen|useradd|chown|id"
    r"|finger|passwd)\b(?!.*[|>])"
)
_RETURNS = re.compile(r"\s*(?:return|yield|echo)\b")
_WORD = re.compile(r"[^\W\d]\w*(?:\.(?:txt|csv|json|log|dat|tmp|md|html|xml|ya?ml|pdf|bin|zip|gz))?")
_NO_NAMES = frozenset({
    "self", "this", "const", "let", "var", "final", "export", "local", "my", "if", "in", "of", "for", "await",
})  # fmt: skip
_HEREDOC = re.compile(r"<<-?\s*[\"']?[A-Za-z]")
_MOST_STATEMENTS = 400
_OWN_PLACE = re.compile(
    r"\b(?:os\.environ|getenv|process\.env|sys\.argv|argparse|ENV\[|(?:localhost|127\.0\.0\.1)(?::\d{1,5})?(?=[/\"'`]))|\([\"'`]/(?![/\\])",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}:\\?/\\?/(?!(?:localhost|127\.0\.0\.1)(?::\d{1,5})?(?:[/\"'`]|$))"
    r"|[\"'`@/](?![\w.-]*\.(?:txt|csv|json|log|py|js|ts|html|xml|ya?ml|pdf|md|png)\b)(?:[\w-]{1,63}\.)+[a-z]{2,24}(?::\d+)?[\"'`/\\]"
    r"|@(?:[\w-]{1,63}\.)+[a-z]{2,24}|(?<!127\.0)\b(?!127\.0\.0\.1)\d{1,3}(?:\.\d{1,3}){3}\b",
    re.IGNORECASE,
)
_HERE = re.compile(r"\([\"'`]https?://(?:localhost|127\.0\.0\.1)(?::\d{1,5})?[/\"'`]")
_HOST_IN_PROSE = re.compile(r"(?<![\w.])(?:[a-z0-9-]{1,63}\.)+[a-z]{2,24}\b(?!\()", re.IGNORECASE)
_HIDES = re.compile(  # what a place may be made of
    r"b(?:ase)?64|\batob\b|fromhex|unhex|CharCode|\bchr\(|decode|\\x[0-9a-f]{2}|\\u00|rot13|revers|::-1|join\(|concat"
    r"|[\"'`]\s*(?:\+|\.{1,2}|\|\|)\s*[\"'`]|replace\(|\beval\b|\bexec\(",
    re.IGNORECASE,
)


def runs(program: str, holds: Holds, around: str | None = None) -> bool:
    """Say whether a program, or a command line, sends something and a value reaches it.

    ``around`` is the whole text that a program stands in, where its reader is told where it sends: one that names no
    place of its own, but takes it from its reader's settings, this host or its own page, sends nothing to a stranger.
    """
    lines = [line for line in without_remarks(program).splitlines() if not _COMMENT.match(line)]
    if not any(map(_sends, lines)) or not any(map(holds, lines)):
        return False
    statements = [statement for statement in _statements(lines) if _DOCSTRING.fullmatch(statement) is None]
    if len(statements) < _MOST_STATEMENTS and not _reaches(statements, holds):
        return False
    return around is None or not _is_for_its_reader(program, statements, holds, around)


def without_remarks(program: str) -> str:
    """Return a program without the comments behind its statements."""
    lines = program.split("\n")
    return "\n".join(line if COMMAND.search(line) else _COMMENT_BEHIND.sub("", line) for line in lines)


def stays_here(line: str) -> bool:
    """Say whether a line of a program has an address of this host, and no other."""
    return _HERE.search(line) is not None and _ELSEWHERE.search(line) is None and _HIDES.search(line) is None


def without_commands(text: str) -> str:
    """Return a text without the names of commands and programs in it, which are read elsewhere."""
    return _PROGRAM.sub("", COMMAND.sub("", text))


def _sends(line: str) -> bool:
    return COMMAND.search(line) is not None or (_PROGRAM.search(line) is not None and _DEFINES.match(line) is None)


def _statements(lines: list[str]) -> list[str]:
    """Return lines joined where brackets are open or a line goes on; a here-document is one with what follows."""
    joined: list[str] = []
    depth = 0
    goes_on = False
    quotes = ""  # of a string of many lines that is open
    for at, line in enumerate(lines):
        if _HEREDOC.search(line):
            return [*joined, "\n".join(lines[at:])]
        if quotes and joined:
            joined[-1] += "\n" + line
        elif (depth > 0 or goes_on) and joined:
            joined[-1] += " " + line.strip()
        else:
            joined.append(line)
            depth = 0
        for mark in _LONG_QUOTES.findall(line):
            quotes = mark if not quotes else "" if mark == quotes else quotes
        body = line.rstrip()
        depth += sum({"(": 1, "[": 1, ")": -1, "]": -1}.get(char, 0) for char in body)
        depth += body.endswith(("({", "= {", "={", ": {"))
        depth -= body.lstrip().startswith("}") and not body.lstrip().startswith("})")
        goes_on = body.endswith(("\\", "|", "&&"))
    return joined


def _reaches(statements: list[str], holds: Holds) -> bool:
    """Say whether a value reaches what sends; so it may where nothing but a module's name says that it sends."""
    told = [statement for statement in statements if _sends(statement) and _MODULE.match(statement) is None]
    if not told:
        return True
    names = {name for statement in statements for name in _bound(statement)}
    functions = {found["name"]: set(_WORD.findall(line)) for line in statements if (found := _DEFINES.match(line))}
    sending = _spread(statements, _sends, names, functions)
    holding = _spread(statements, holds, names, functions)
    for statement in statements:
        if _SHOWS.match(statement) and not _sends(statement):
            continue
        words = set(_WORD.findall(statement))
        if (_sends(statement) or words & sending) and (holds(statement) or words & holding):
            return True
        if holds(statement) and not _is_followed(statement):
            return True
    return False


def _is_followed(statement: str) -> bool:
    """Say whether it is known where a statement with a value in it puts it; else it may be anywhere."""
    return bool(
        next(_bound(statement), None)
        or _DEFINES.match(statement)
        or _RETURNS.match(statement)
        or _STAYS.match(statement)
    )


def _spread(
    statements: list[str], begins: Callable[[str], bool], names: Set[str], functions: dict[str, set[str]]
) -> set[str]:
    """Return the names that something goes on by, from statement to statement until there are no more."""
    reached: set[str] = set()
    grown = True
    while grown:
        grown = False
        inside = kind = ""
        for statement in statements:
            inside = found["name"] if (found := _DEFINES.match(statement)) else inside
            if statement[:1].strip():
                kind = found["name"] if (found := _CLASS.match(statement)) else ""
            words = set(_WORD.findall(statement))
            if not (begins(statement) or words & reached) or (
                _SHOWS.match(statement) and not _RETURNS.match(statement)
            ):
                continue
            goes_to = _goes_to(statement, words, names) | ({kind} - {""})
            for called in words & functions.keys():
                goes_to |= functions[called]
            if inside and _RETURNS.match(statement):
                goes_to.add(inside)
            grown = grown or not goes_to <= reached
            reached |= goes_to
    return reached


def _bound(statement: str) -> Iterator[str]:
    """Yield the names that a statement binds; of one that writes a file, its words too."""
    for target in _TARGETS.finditer(statement):
        yield from set(_WORD.findall(target["left"] or target["as"] or target["each"])) - _NO_NAMES
    if member := _MEMBER.match(statement):
        yield member["key"]
    if _FILE.search(statement):
        yield from (word for word in _WORD.findall(statement) if "." in word)


def _goes_to(statement: str, words: set[str], names: Set[str]) -> set[str]:
    """Return where a statement puts what is in it: what it binds or writes, its object and that call's arguments."""
    to = set(_bound(statement))
    if receiver := _RECEIVER.match(statement):
        to.add(receiver["name"])
    if "=" not in statement and (said := _ARGUMENTS.search(statement)):
        to |= set(_WORD.findall(said["said"])) & names
    if _FILE.search(statement):
        to |= words & names
    return to


def _is_for_its_reader(program: str, statements: list[str], holds: Holds, around: str) -> bool:
    """Say whether all that sends has its place from its reader, or is this host's own, and no other place is told."""
    if COMMAND.search(program) or _CALLS_TOOL.search(program) or _HIDES.search(around) or _ELSEWHERE.search(around):
        return False
    if _HOST_IN_PROSE.search(around.replace(program, "")):
        return False
    names = {name for statement in statements for name in _bound(statement)}
    own = _spread(statements, lambda statement: _OWN_PLACE.search(statement) is not None, names, {})
    sending = [line for line in statements if _sends(line) and _MODULE.match(line) is None]
    carried = [line for line in statements if line not in sending and _OWN_PLACE.search(line) and holds(line)]
    reached = [line for line in sending if _OWN_PLACE.search(line) or not own.isdisjoint(_WORD.findall(line))]
    return bool(sending) and reached == sending and not carried
