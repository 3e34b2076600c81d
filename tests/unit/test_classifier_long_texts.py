"""Nothing is lost: no text holds the classifier up, however long its lines are and whatever they repeat."""

import asyncio
import json
from collections.abc import Callable

import pytest

from hybridmesh.agents.classifier.detector import Detector
from hybridmesh.agents.classifier.encodings import decode_inline, find_islands
from hybridmesh.agents.classifier.layout import lay_out
from hybridmesh.agents.classifier.normalise import normalise
from hybridmesh.agents.classifier.recognizers import RECOGNIZERS
from hybridmesh.agents.classifier.tags import Tag
from hybridmesh.agents.classifier.terms import TermRecognizer
from hybridmesh.agents.classifier.thresholds import Thresholds
from hybridmesh.schemas.privacy import Span


class NoTags:
    """Takes nothing for private."""

    def tag(self, text: str, threshold: float, tick: Callable[[], None]) -> list[Tag]:
        return []


@pytest.mark.parametrize(
    "text",
    ["[" * 50_000, '{"a":' * 20_000, '{"' + "a" * 50_000, "%41" * 20_000, "A" * 80_000, '"' * 50_000, "a,b\n" * 20_000,
     "\\u00" * 20_000, "&amp;" * 20_000, "```\n" * 20_000, "x = (" * 20_000, "1 " * 40_000, "a" * 80_000 + ";",
     "{[" * 30_000,
     '[{"a":1},' * 9_000, '"a";' * 20_000, "aA0" * 26_000, "(" * 50_000, "https://" * 10_000, "-" * 80_000],
    ids=lambda text: text[:9],
)  # fmt: skip
@pytest.mark.timeout(60)
def test_hostile_texts_are_read_in_bounded_time(text: str) -> None:
    """Nothing is lost: no text of a hundred thousand characters holds the reader up."""
    lay_out(text)
    decode_inline(text)
    list(find_islands(text))
    normalise(text)


@pytest.mark.parametrize(
    "unit",
    ["x()", "if(a(b)){c(d());} ", "if (x) ", "for a.b ", "def a ", ") {", ")", " ", "\t", '\\"', "\\'", "/*", "<!--",
     "{a:1,", "a=", '"', "{", "(", "@", ".", "-", "1", "a.b", "key: ", "<a ", "\\", "%41", "&#",
     "QWRh/", " \n", "a,b\n\n"],
)  # fmt: skip
@pytest.mark.timeout(40)
def test_one_long_line_costs_no_more_than_its_length(unit: str) -> None:
    """Nothing is lost: a line of 400,000 characters beside code is read in seconds, whatever it repeats."""
    line = (unit * 400_000)[:400_000]
    lay_out(f"x = 1;\n{line}!\ny = 2;\n")
    lay_out(f"```{line}`")
    list(find_islands(line))


@pytest.mark.parametrize(
    "unit",
    ["x = f(1);\nSome words are here.\n", "x = 1;\n<!--\n", "x = 1;\n/*\nSome words.\n", "x = 1;\n`\nSome words.\n",
     "x = 1;\n'''\nSome words.\n", "class A {\n  b c\n", "@a\n", "import (\n"],
)  # fmt: skip
@pytest.mark.timeout(20)
def test_many_lines_cost_no_more_than_their_number(unit: str) -> None:
    """Nothing is lost: code and sentences in turn are read in seconds, wherever a literal or a comment is left open."""
    lay_out((unit * 300_000)[:300_000])


@pytest.mark.timeout(40)
def test_blank_lines_hold_no_recognizer_up() -> None:
    """Nothing is lost: what looks for the last line of a letter reads each blank line once."""
    assert [span for recognizer in RECOGNIZERS for span in recognizer.find(" \n" * 100_000)] == []


class Clock:
    """Says how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> float:
        self.asked += 1
        return 0.0


def test_the_time_is_looked_at_between_texts() -> None:
    """Nothing is lost: many texts do not hold a classifier up before the first of them is searched."""
    clock, asked = Clock(), list[int]()

    class Spy:
        def find(self, text: str) -> list[Span]:
            asked.append(clock.asked)
            return []

    detector = Detector(
        tagger=NoTags(), terms=TermRecognizer(), thresholds=Thresholds(0.5), max_chars=1000, timeout_s=30,
        monotonic=clock, recognizers=[Spy()],
    )  # fmt: skip
    try:
        asyncio.run(detector.find(["a"] * 50))
    finally:
        detector.close()
    assert asked[0] > 50


@pytest.mark.timeout(40)
def test_many_findings_are_placed_among_many_values() -> None:
    """Nothing is lost: the cost of a table or of JSON grows with its length, not with its square."""
    text = json.dumps([f"u{number}@example.org" for number in range(15_000)])
    layout = lay_out(text)
    found = [
        Span(start=value.start, end=value.end, type="EMAIL", score=1, source="pattern") for value in layout.values or ()
    ]
    assert len(list(layout.spans(found))) == 15_000
