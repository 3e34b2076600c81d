"""Program text: the lines that are code, and where in them values may stand (literals, comments, what is assigned)."""

import re
from collections.abc import Iterator

from hybridmesh.agents.classifier.code_lines import is_likely_code, is_surely_code, without_comment

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[ \t]*+([\w+#.-]*+)[^\n`]*$", re.MULTILINE)
# Fences of these languages are believed; anything else in a fence, a pasted letter above all, is looked at.
_LANGUAGES = frozenset({
    "python", "py", "javascript", "js", "jsx", "typescript", "ts", "tsx", "java", "c", "cpp", "c++", "cs", "csharp",
    "go", "rust", "rs", "ruby", "rb", "php", "kotlin", "swift", "scala", "sql", "css", "perl", "lua",
})  # fmt: skip
# An escape outside of a literal opens none, and a comment without an end runs on to the last character: otherwise each
# sign of a long line of them would be tried as the beginning of one.
_VALUE = re.compile(
    r"(?P<q>\"\"\"|''')(?P<long>[\s\S]*?)(?P=q)|\"(?P<double>(?:[^\"\\\n]|\\.)*)\"|'(?P<single>(?:[^'\\\n]|\\.)*)'"
    r"|`(?P<tick>(?:[^`\\]|\\.)*)`|\\\"(?P<escaped>[^\"\\\n]*)\\\"|\\."
    r"|(?P<comment>(?<![:\w])//[^\n]*|(?<![\w&$'\"])#(?!\w*[({])[^\n]*|/\*[\s\S]*?(?:\*/|\Z)|(?<!-)--[ ][^\n]*"
    r"|<!--[\s\S]*?(?:-->|\Z))|>(?P<markup>[^<>\n{}]+)<"
)
_GROUPS = ("long", "double", "single", "tick", "escaped", "comment", "markup")
_BARE = re.compile(
    r"^(?:export |set |\$env:)?[\w.-]{1,60}[ \t]?[=:][ \t]?(?P<value>[^\s\"'({\[][^\n\"';(){}\[\]=]*)$", re.MULTILINE
)
_LINE = re.compile(r"[^\n]*(?:\n|$)")
_LINES_LEAST = 2


def find_code(text: str) -> list[tuple[int, int]]:
    """Return the stretches of a text that are program text: fenced blocks, and lines that look like code."""
    fenced = list(_fenced(text))
    found = [(start, end) for start, end, language in fenced if language in _LANGUAGES]
    at = 0
    for start, end in (*list(found), (len(text), len(text))):
        found += _unfenced(text, at, start)
        at = end
    return sorted(found)


def values_in(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return where values stand in program text: inside of literals, in comments, behind the sign of an assignment."""
    found: list[tuple[int, int]] = []
    for match in _VALUE.finditer(text, start, end):
        found += [match.span(name) for name in _GROUPS if match[name] is not None]
    found += [match.span("value") for match in _BARE.finditer(text, start, end)]
    return sorted(place for place in found if place[0] < place[1])


def _fenced(text: str) -> Iterator[tuple[int, int, str]]:
    fences = list(_FENCE.finditer(text))
    for opening, closing in zip(fences[::2], fences[1::2], strict=False):
        yield opening.end(), closing.start(), opening[1].lower()


def _unfenced(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    block: list[tuple[int, int, bool]] = []
    for match in _LINE.finditer(text, start, end):
        line = without_comment(match.group())
        sure = bool(line) and is_surely_code(line)
        if sure or (line and block and is_likely_code(line)):
            block.append((*match.span(), sure))
        elif line and block:
            yield from _block(text, block)
            block = []
        if match.end() >= end:
            break
    yield from _block(text, block)


def _block(text: str, lines: list[tuple[int, int, bool]]) -> Iterator[tuple[int, int]]:
    """Yield a block of which a third is surely code, or a line alone that ends as only code does."""
    surely = sum(sure for *_, sure in lines)
    several = len(lines) >= _LINES_LEAST and 3 * surely >= len(lines)
    if several or (lines and re.search(r"[;{}]\s*$", text[lines[0][0] : lines[0][1]])):
        yield lines[0][0], lines[-1][1]
