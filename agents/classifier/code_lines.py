"""Which lines are program text: no pattern costs more than the line's length, however long one line is."""

import re

_END_COMMENT = re.compile(r"(?<=[;{}()\]]) *(?://|#)[^\n]*\n?$")
# Lines that are hardly ever a sentence. A pattern that looks for a sign anywhere and for another at the line's end
# would try each pair of them in a line of one statement after the other: those are decided by their end first.
_SURE = re.compile(
    r"(?:import|package|using) [\w.*{}, \"'/:-]+;$|import [\w.]+(?: as \w+)?$|from [\w.]+ import [\w*, (]+$"
    r"|#include [<\"]|#!/"
    r"|(?:(?:export|default|async|public|private|protected|static|final|abstract|pub) )*"
    r"(?:def|class|fn|func|function|interface|struct|enum|impl|trait) [\w<>.]++ ?[^.!?]{0,200}[{:]$"
    r"|(?:(?:export|public|private|protected|static|final) )*(?:const|let|var|val|int|string|String|bool|auto)\b"
    r" ?[\w$:<>, \[\]]{1,80} ?= ?\S.*"
    r"|(?:SELECT\b.*\bFROM|INSERT INTO .*(?:VALUES|SELECT)|UPDATE \w+ SET|DELETE FROM \w+|CREATE TABLE \w+)\b.*"
    r"|[\w.$\[\]\"']{1,60}(?: ?[+*/|&-]?= ?|\().*[\w)\]\"'`];$"
    r"|\{(?: ?[\w$]{1,60} ?: ?(?:\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'|-?[\d.]++|true|false|null),?)++ ?\}[;,)]*$"
    r"|\} ?(?:else|catch|finally)?.{0,60}\{$|(?:if|for|while|switch|catch) ?\(.*\) ?\{?$"
    r"|(?:export )?[A-Z][A-Z0-9_]{2,60}=\S.*|\w{1,40}(?:\.\w{1,40})*\([^()]*\)$|[a-z_][\w.]{0,60} = \S.*"
)
_OPENS_BODY = re.compile(r"\) ?(?:=> ?)?\{$")
_OPENS_BODY_MOST = 7  # characters of it
_CALL = re.compile(r"\w\(")
_ENDS_BODY = re.compile(r"\}[;,)]{0,3}$")
_ENDS_BODY_MOST = 4
_DEFINES = re.compile(
    r"(?:(?:export|default|async|public|private|protected|static|final|abstract|pub) )*"
    r"(?:class|fn|func|function|interface|struct|enum|impl|trait) [\w<>]{1,60} ?(?:\([^(){}]{0,200}\)[^(){}]{0,60})?\{"
)
_CONTROLS = re.compile(r"(?:if|for|while|elif|with|except)\b.*[()=\[\].<>\"']")
# What may be code beside such lines.
_LIKELY = re.compile(
    r"[\]})]++[;,)]*$|(?://|/\*|\*/|\*|#|--)(?: |$)"
    r"|(?:return|throw|yield|await|raise|pass|break|continue|else:|try:|try \{)"
    r"|@[\w.]+(?:\(.*\))?$|[\w.$\"'-]{1,60} ?[:=] ?\S.*[,;]?$|</?\w[^>]*>|.*[,({\[]$|.*\}[;,)]{0,3}$"
)


def without_comment(line: str) -> str:
    """Return what a line says, without the comment behind a statement and the blanks around it."""
    return _END_COMMENT.sub("", line).rstrip().lstrip(" \t")


def is_surely_code(line: str) -> bool:
    """Say whether a line without its comment is hardly ever a sentence."""
    if _SURE.match(line) is not None:
        return True
    if line.endswith(":"):
        return _CONTROLS.match(line) is not None
    if _ENDS_BODY.search(line, max(0, len(line) - _ENDS_BODY_MOST)) and _DEFINES.match(line):
        return True
    body = _OPENS_BODY.search(line, max(0, len(line) - _OPENS_BODY_MOST))
    return body is not None and _CALL.search(line, 0, body.start()) is not None


def is_likely_code(line: str) -> bool:
    """Say whether a line without its comment may be code beside lines that surely are."""
    return _LIKELY.match(line) is not None
