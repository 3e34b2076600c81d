"""Where values stand in program text: inside of literals, in comments, behind the sign of an assignment."""

import re

# An escape outside of a literal opens none, and a comment without an end runs on to the last character: otherwise each
# sign of a long line of them would be tried as the beginning of one.
LITERAL = re.compile(
    r"(?P<q>\"\"\"|''')(?P<long>[\s\S]*?)(?P=q)|\"(?P<double>(?:[^\"\\\n]|\\.)*)\"|'(?P<single>(?:[^'\\\n]|\\.)*)'"
    r"|`(?P<tick>(?:[^`\\]|\\.)*)`|\\\"(?P<escaped>[^\"\\\n]*)\\\"|\\."
    r"|(?P<comment>(?<![:\w])//[^\n]*|(?<![\w&$'\"])#(?!\w*[({])[^\n]*|/\*[\s\S]*?(?:\*/|\Z)|(?<!-)--[ ][^\n]*"
    r"|<!--[\s\S]*?(?:-->|\Z))|>(?P<markup>[^<>\n{}]++(?=</|<[a-z!])|(?:(?!\w\()[^<>\n{}=;&|])++(?=<))"
)
_GROUPS = ("long", "double", "single", "tick", "escaped", "comment", "markup")
_BARE = re.compile(
    r"^(?:export |set |\$env:)?[\w.-]{1,60}[ \t]?[=:][ \t]?(?P<value>[^\s\"'({\[][^\n\"';(){}\[\]=]*)$", re.MULTILINE
)
# What stands before a literal that names a module; it is syntax.
_IMPORTS = re.compile(r"(?:^|[\s};(=,])(?:import|from|require|#include)(?: ?\( ?| +(?:[\w.]+ +)?| ?)$")
_PATH = re.compile(r"[@\w./:~+-]+")
_IMPORT_BLOCK = re.compile(r"^import \([^()]*+\)", re.MULTILINE)
_BEFORE_PATH_MOST = 40


def values_in(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return where values stand in program text: inside of literals, in comments, behind the sign of an assignment."""
    found: list[tuple[int, int]] = []
    imports = [match.span() for match in _IMPORT_BLOCK.finditer(text, start, end)]
    for match in LITERAL.finditer(text, start, end):
        while imports and imports[0][1] <= match.start():
            imports.pop(0)
        if not _is_path(match, listed=bool(imports) and imports[0][0] < match.start()):
            found += [match.span(name) for name in _GROUPS if match[name] is not None]
    found += [match.span("value") for match in _BARE.finditer(text, start, end)]
    return sorted(place for place in found if place[0] < place[1])


def _is_path(literal: re.Match[str], *, listed: bool) -> bool:
    """Say whether a literal says from where something is imported; ``listed`` ones stand in a block of such."""
    said = literal["double"] or literal["single"]
    if not said or not _PATH.fullmatch(said):
        return False
    if listed:
        return True
    line = literal.string.rfind("\n", max(0, literal.start() - _BEFORE_PATH_MOST), literal.start()) + 1
    before = literal.string[max(line, literal.start() - _BEFORE_PATH_MOST) : literal.start()]
    return _IMPORTS.search(before) is not None
