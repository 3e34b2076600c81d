"""Program text: the lines that are code, and where in them values may stand (literals, comments, what is assigned)."""

import re
from collections.abc import Iterator

# A line that is hardly ever a sentence, and one that may be code beside such lines.
_STRONG = re.compile(
    r"[ \t]*(?:"
    r"(?:import|package|using) [\w.*{}, \"'/:-]+;$|import [\w.]+(?: as \w+)?$|from [\w.]+ import [\w*, (]+$"
    r"|#include [<\"]|#!/"
    r"|(?:(?:export|default|async|public|private|protected|static|final|abstract|pub) )*"
    r"(?:def|class|fn|func|function|interface|struct|enum|impl|trait) [\w<>.]+ ?[^.!?]{0,200}[{:]$"
    r"|(?:(?:export|public|private|protected|static|final) )*(?:const|let|var|val|int|string|String|bool|auto)\b"
    r" ?[\w$:<>, \[\]]{1,80} ?= ?\S.*"
    r"|(?:SELECT\b.*\bFROM|INSERT INTO .*(?:VALUES|SELECT)|UPDATE \w+ SET|DELETE FROM \w+|CREATE TABLE \w+)\b.*"
    r"|[\w.$\[\]\"']{1,60}(?: ?[+*/|&-]?= ?|\().*[\w)\]\"'`];$|.*\w\(.*\) ?(?:=> ?)?\{$"
    r"|\} ?(?:else|catch|finally)?.{0,60}\{$"
    r"|(?:if|for|while|elif|with|except)\b.*[()=\[\].<>\"'].*:$|(?:if|for|while|switch|catch) ?\(.*\) ?\{?$"
    r"|(?:export )?[A-Z][A-Z0-9_]{2,60}=\S.*|\w{1,40}(?:\.\w{1,40})*\([^()]*\)$|[a-z_][\w.]{0,60} = \S.*"
    r")"
)
_WEAK = re.compile(
    r"[ \t]*(?:[\]})]+[;,)]*$|(?://|/\*|\*/|\*|#|--)(?: |$)"
    r"|(?:return|throw|yield|await|raise|pass|break|continue|else:|try:|try \{)"
    r"|@[\w.]+(?:\(.*\))?$|[\w.$\"'-]{1,60} ?[:=] ?\S.*[,;]?$|</?\w[^>]*>|.*[,({\[]$)"
)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[ \t]*([\w+#.-]*)[^\n`]*$", re.MULTILINE)
# Fences of these languages are believed; anything else in a fence, a pasted letter above all, is looked at.
_LANGUAGES = frozenset({
    "python", "py", "javascript", "js", "jsx", "typescript", "ts", "tsx", "java", "c", "cpp", "c++", "cs", "csharp",
    "go", "rust", "rs", "ruby", "rb", "php", "kotlin", "swift", "scala", "sql", "css", "perl", "lua",
})  # fmt: skip
_VALUE = re.compile(
    r"(?P<q>\"\"\"|''')(?P<long>[\s\S]*?)(?P=q)|\"(?P<double>(?:[^\"\\\n]|\\.)*)\"|'(?P<single>(?:[^'\\\n]|\\.)*)'"
    r"|`(?P<tick>(?:[^`\\]|\\.)*)`"
    r"|(?P<comment>(?<![:\w])//[^\n]*|(?<![\w&$'\"])#(?!\w*[({])[^\n]*|/\*[\s\S]*?\*/|(?<!-)--[ ][^\n]*"
    r"|<!--[\s\S]*?-->)|>(?P<markup>[^<>\n{}]+)<"
)
_BARE = re.compile(
    r"^(?:export |set |\$env:)?[\w.-]{1,60}[ \t]?[=:][ \t]?(?P<value>[^\s\"'({\[][^\n\"';(){}\[\]=]*)$", re.MULTILINE
)
_END_COMMENT = re.compile(r"(?<=[;{}()\]]) *(?://|#)[^\n]*\n?$")
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
        group = next(
            name for name in ("long", "double", "single", "tick", "comment", "markup") if match[name] is not None
        )
        found.append(match.span(group))
    found += [match.span("value") for match in _BARE.finditer(text, start, end)]
    return sorted(place for place in found if place[0] < place[1])


def _fenced(text: str) -> Iterator[tuple[int, int, str]]:
    fences = list(_FENCE.finditer(text))
    for opening, closing in zip(fences[::2], fences[1::2], strict=False):
        yield opening.end(), closing.start(), opening[1].lower()


def _unfenced(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    block: list[tuple[int, int, bool]] = []
    for match in _LINE.finditer(text, start, end):
        line = _END_COMMENT.sub("", match.group()).rstrip()
        strong = bool(line) and _STRONG.match(line) is not None
        if strong or (line and block and _WEAK.match(line)):
            block.append((*match.span(), strong))
        elif line and block:
            yield from _block(text, block)
            block = []
        if match.end() >= end:
            break
    yield from _block(text, block)


def _block(text: str, lines: list[tuple[int, int, bool]]) -> Iterator[tuple[int, int]]:
    """Yield a block of which a third is surely code, or a line alone that ends as only code does."""
    sure = sum(strong for *_, strong in lines)
    several = len(lines) >= _LINES_LEAST and 3 * sure >= len(lines)
    if several or (lines and re.search(r"[;{}]\s*$", text[lines[0][0] : lines[0][1]])):
        yield lines[0][0], lines[-1][1]
