"""Which lines are program text: no pattern costs more than the line's length, however long one line is."""

import re

_END_COMMENT = re.compile(r"(?:(?<=[;{}()\]]) *|(?<=[\"'`,]) +)(?://|#)[^\n]*\n?$")
_MODIFIER = (
    r"(?:export|default|declare|async|public|private|protected|internal|static|final|abstract|pub|data|sealed|open"
    r"|override|suspend|partial|readonly|virtual)"
)
# Lines that are hardly ever a sentence. A pattern that looks for a sign anywhere and for another at the line's end
# would try each pair of them in a line of one statement after the other: those are decided by their end first.
_SURE = re.compile(
    r"(?:import|package|using) [\w.*{}, \"'/:-]+;$|import [\w.]+(?: as \w+)?$|from [\w.]+ import [\w*, (]+$"
    r"|(?:import|export) (?:[\w*{}$, ]{1,200} from )?[\"'][^\"'\s]+[\"'];?$|import \($|package [a-z][\w.]*$"
    r"|(?:use|namespace) [\w{}*, ]+(?:::|\\)[\w{}*, :\\]+;$|namespace [\w.\\]+ ?[;{]$"
    r"|#include [<\"]|#!/"
    r"|func \([^()]{1,80}\) \w+\(.*\{$|(?:export |declare )*type [\w<>\[\], ]{1,80} (?:struct|interface|=) ?\{$"
    r"|\w{1,40}(?:, \w{1,40})* := \S.*|[A-Za-z_]\w{0,40}(?:\.\w{1,40})+\(.*\)$"
    r"|(?:(?:export|public|private|protected|static|final) )*(?:const|let|var|val|int|string|String|bool|auto)\b"
    r" ?[\w$:<>, \[\]]{1,80} ?= ?\S.*"
    r"|(?:SELECT\b.*\bFROM|INSERT INTO .*(?:VALUES|SELECT)|UPDATE \w+ SET|DELETE FROM \w+|CREATE TABLE \w+)\b.*"
    r"|[\w.$\[\]\"']{1,60}(?: ?[+*/|&-]?= ?|\().*[\w)\]\"'`];$"
    r"|\{(?: ?[\w$]{1,60} ?: ?(?:\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'|-?[\d.]++|true|false|null),?)++ ?\}[;,)]*$"
    r"|\} ?(?:else|catch|finally)?.{0,60}\{$|(?:if|for|while|switch|catch) ?\(.*\) ?\{?$"
    r"|(?:export )?[A-Z][A-Z0-9_]{2,60}=\S.*|\w{1,40}(?:\.\w{1,40})*\([^()]*\)$|[a-z_][\w.]{0,60} = \S.*"
)
# Between the parameters and the brace may stand what comes back or is thrown: "): Promise<X> {", ") (int, error) {".
_OPENS_BODY = re.compile(
    r"\) ?(?:(?::|->|throws|const) ?)?(?:[\w<>\[\].,|?*&]++ ?|\([\w.*\[\], ]*+\) ?){0,4}(?:=> ?)?\{$"
)
_OPENS_BODY_MOST = 80  # characters of it
_CALL = re.compile(r"\w\(")
_ENDS_BODY = re.compile(r"\}[;,)]{0,3}$")
_ENDS_BODY_MOST = 4
_KEYWORD = r"(?:class|fn|func|function|interface|struct|enum|impl|trait)"
_DEFINES = re.compile(rf"(?:{_MODIFIER} )*{_KEYWORD} [\w<>]{{1,60}} ?(?:\([^(){{}}]{{0,200}}\)[^(){{}}]{{0,60}})?\{{")
_OPENS_DEFINITION = re.compile(
    rf"(?:{_MODIFIER} )*(?:(?:def|{_KEYWORD}) [\w<>.]++ ?(?:[^.!?]{{0,200}}[{{:]|[^!;{{}}]{{0,200}}\{{)"
    rf"|(?:fun|record|object) [\w<>.]++(?:\(.*\))?[\w<>:,. ]{{0,80}}\{{|(?:def|fun|record|{_KEYWORD}) \w{{1,60}}\()$"
)
_CONTROLS = re.compile(r"(?:if|for|while|elif|with|except)\b.*[()=\[\].<>\"']")
# What may be code beside such lines.
_LIKELY = re.compile(
    r"[\]})]++[;,)]*$|//|/\*|(?:\*/|\*|#|--)(?: |$)"
    r"|(?:return|throw|yield|await|raise|pass|break|continue|else:|try:|try \{)"
    rf"|(?:{_MODIFIER} )+(?:[\w$.<>\[\]?]|, ?)++(?: [\w$]++)?(?: ?: ?(?:[\w$.<>\[\]?]|, | \| )++)?(?: ?= .*)?;$"
    r"|[rbufRBUF]{0,2}(?:\"{3}|'{3})|[\"'`][^\"'`\s]{1,200}[\"'`][,;]?$|\.\.\.$|#!?\[.*\]$|\[[A-Z]\w*\(.*\)\]$"
    r"|[\w$.]+\([^()]*\)(?:\.\w+(?:\([^()]*\))?)+;?$|(?:val|var|let|const) \w{1,60} ?[:=] ?\S"
    r"|[\w$.]+\((?:[^()]++|\((?:[^()]++|\([^()]*+\))*+\))*+\);?$"
    r"|@[\w.]+(?:\(.*\))?$|[\w.$\"'-]{1,60} ?[:=] ?\S.*[,;]?$|</?\w[^>]*>|.*\{$|.*\}[;,)]{0,3}$"
)
# In a line that goes on below, what a sentence has not: "Ada (Berlin)," and "Ada <ada@example.org>," are of no program.
_SIGN = re.compile(r"\w(?:\((?!\w{1,2}\))|[\[<])|[={}\]`\\]|[a-z0-9]_[a-z0-9]|::|->|&&|\|\|")
_BLOCK_WORDS = re.compile(
    rf"(?:{_MODIFIER} )*(?:{_KEYWORD}|namespace|record|union|module) \w|(?:else|try|finally|do|get|set|static|unsafe)$"
    r"|(?:(?:public|private|protected|internal|static|readonly|virtual|override|abstract|async) )+\S+(?: \S+)?$"
)
# Comments and literals are values: how many of them there are says nothing of what the other lines are.
_VALUE_ALONE = re.compile(r"//|/\*|[rbufRBUF]{0,2}(?:\"{3}|'{3})|[\"'`][^\"'`\s]{1,200}[\"'`][,;]?$")
# Above a definition: what is said of it.
_DECORATES = re.compile(r"@[\w.]+(?:\(.*\))?$|#!?\[.*\]$|\[[A-Z]\w*(?:\(.*\))?\]$")
# In the body of a type: "Owner Martin", "name: string", "MORGAN(3),"; the tag of a field is a literal of Go.
_FIELD = re.compile(r"[\w$*\[\].<>?,&()]++(?:(?: ?: ?| +)[\w$*\[\].<>?,&|()]++){0,2} *(?:`[^`]*`)?(?<!\.)[;,]?$")
_OPENS_TYPE = re.compile(rf"(?:{_MODIFIER} )*(?:class|interface|struct|enum|trait|record|type) \w[^;]*\{{$")
_DEFINES_ALONE = re.compile(r"(?:async )?(?:def|class) \w+\(.*\)(?: ?-> ?[\w\[\]., |]{1,80})?:$")


def without_comment(line: str) -> str:
    """Return what a line says, without the comment behind a statement and the blanks around it."""
    return _END_COMMENT.sub("", line).rstrip().lstrip(" \t")


def is_surely_code(line: str) -> bool:
    """Say whether a line without its comment is hardly ever a sentence."""
    if _SURE.match(line) is not None or (line.endswith(("{", ":", "(")) and _OPENS_DEFINITION.match(line) is not None):
        return True
    if line.endswith(":"):
        return _CONTROLS.match(line) is not None
    if _ENDS_BODY.search(line, max(0, len(line) - _ENDS_BODY_MOST)) and _DEFINES.match(line):
        return True
    if not line.endswith("{"):
        return False
    body = _OPENS_BODY.search(line, max(0, len(line) - _OPENS_BODY_MOST))
    return body is not None and _CALL.search(line, 0, body.start()) is not None


def is_likely_code(line: str, *, continues: bool) -> bool:
    """Say whether a line without its comment may be code beside lines that surely are.

    ``continues`` says that the line above goes on below: a list of parameters reads as a sentence does.
    """
    if _LIKELY.match(line) is not None:
        return True
    return goes_on(line) and (continues or _SIGN.search(line) is not None)


def goes_on(line: str) -> bool:
    """Say whether a line leaves open what comes below."""
    return line.endswith((",", "(", "[", "{"))


def opens_below(line: str) -> bool:
    """Say whether a brace in the next line may belong to this one, as others write it behind it."""
    return _BLOCK_WORDS.match(line) is not None or _SIGN.search(line) is not None


def defines(line: str) -> bool:
    """Say whether a line that surely is code begins a definition."""
    return any(form.match(line) for form in (_OPENS_DEFINITION, _DEFINES, _OPENS_TYPE)) or line.endswith("{")


def is_value_alone(line: str) -> bool:
    """Say whether a line that may be code is a comment or a literal, or stands above a definition."""
    return _VALUE_ALONE.match(line) is not None or decorates(line)


def decorates(line: str) -> bool:
    """Say whether a line may stand above a definition and belong to it."""
    return _DECORATES.match(line) is not None


def opens_type(line: str) -> bool:
    """Say whether a line begins the body of a type in braces."""
    return line.endswith("{") and _OPENS_TYPE.match(line) is not None


def is_field(line: str) -> bool:
    """Say whether a line in the body of a type may be a member of it."""
    return _FIELD.match(line) is not None


def stands_alone(line: str) -> bool:
    """Say whether a line is program text with no other one beside it."""
    return line.endswith((";", "{", "}")) or (line.endswith(":") and _DEFINES_ALONE.match(line) is not None)
