"""Nothing private leaves, and nothing breaks: a program keeps its names, its literals and comments do not."""

import asyncio
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.classifier.detector import Detector, Tagger
from hybridmesh.agents.classifier.tags import Tag
from hybridmesh.agents.classifier.terms import TermRecognizer
from hybridmesh.agents.classifier.thresholds import Thresholds

NAMES = re.compile("Ada|Müller")


class NameTagger:
    """Takes every "Ada" and "Müller" for a person, or the first of them alone."""

    def __init__(self, count: int = 1000) -> None:
        self._count = count

    def tag(self, text: str, threshold: float, tick: Callable[[], None]) -> list[Tag]:
        tick()
        found = list(NAMES.finditer(text))[: self._count]
        return [Tag(*match.span(), "GIVEN_NAME", 0.99, begins=True) for match in found]


def find(text: str, tagger: Tagger | None = None) -> list[str]:
    detector = Detector(
        tagger=tagger or NameTagger(), terms=TermRecognizer(), thresholds=Thresholds(0.5), max_chars=100_000,
        timeout_s=30, monotonic=lambda: 0.0,
    )  # fmt: skip
    try:
        return [text[span.start : span.end] for span in asyncio.run(detector.find([text]))[0]]
    finally:
        detector.close()


PYTHON = '''\
from Ada.billing import Ada

@Ada(frozen=True)
class Ada(Base):
    """Keeps what somebody ordered.

    It was written by Müller; see
    https://example.org
    """

    owner: Ada = 1

    @Ada.setter
    def size(self, Ada: int) -> Ada:
        """Ask Müller."""
        print(Ada("Müller").size)
        Ada(x).run(1)
'''
DOCSTRING = '''\
class Ada:
    """One of Müller, Müller and Müller."""
'''
JAVA = """\
package com.Ada.billing;

import com.Ada.Ada;

/**
 * By Müller.
 */
@Ada
public class Ada extends Ada {
    private final Map<String, Ada> Ada;

    @Ada(1)
    public List<Ada> find(List<Ada> Ada) throws Ada {
        // Müller wants it.
        return new Ada(Ada, "Müller");
    }
}
"""
TYPESCRIPT = """\
import { Ada } from './Ada/service';
import Ada from "@Ada/core"

@Ada({ in: 'root' })
export class Ada implements Ada<Ada> {
  private readonly Ada: Ada;

  constructor(private readonly Ada: Ada) {}

  async load(Ada: number): Promise<Ada> {
    const x = await Ada.get<Ada>(`/x/Müller`); // Müller
    return x ?? { by: 'Müller' };
  }
}

interface Ada {
  name?: Ada[]
  Ada: Ada
}
"""
GO = """\
package ada

import (
\t"fmt"
\t"github.com/Ada/x" // of Müller
)

// By Müller.
type Ada struct {
\tName string `json:"name"`
\tOwner Ada
}

func (m *Ada) Greet(Ada Ada) string {
\tAda := New(Ada)
\tfmt.Println(Ada.Greet(Ada{}))
\treturn "Müller"
}
"""
CSHARP = """\
using Ada.Ada;

namespace Ada.Ada
{
    [Ada]
    public class Ada : Ada
    {
        public Ada Ada { get; set; }

        public async Task<Ada> Load(Ada Ada)
        {
            return await x.Find("Müller", "Müller", "Müller");
        }
    }
}
"""
KOTLIN = """\
package com.Ada

/** See Müller. */
data class Ada(
    val Ada: Ada,
)

@Ada
class Ada(private val Ada: Ada) {
    suspend fun find(Ada: String): Ada? {
        log.info("asked by Müller")
        return Ada.by("Müller")?.let { Ada(it) }
    }
}
"""
PROGRAMS = (PYTHON, DOCSTRING, JAVA, TYPESCRIPT, GO, CSHARP, KOTLIN)


@pytest.mark.parametrize("text", PROGRAMS)
def test_a_program_keeps_its_names(text: str) -> None:
    """Nothing breaks: types, members, imports and annotations stay; what is quoted or told about them does not."""
    assert find(text) == ["Müller"] * 3
    assert find(f"See:\n```\n{text}```\n") == ["Müller"] * 3


@pytest.mark.parametrize("text", PROGRAMS)
def test_a_letter_around_a_program_is_a_letter(text: str) -> None:
    """Nothing private leaves: what stands right above and below program text is read as ever."""
    found = find(f"Dear Ada,\nplease read this:\n{text}Ada wrote it.\nYours, Ada\n")
    assert found == ["Ada", *["Müller"] * 3, "Ada", "Ada"]


@pytest.mark.parametrize(
    "text",
    [
        "x = f(1);\n/* Ada\n came\n*/ and Müller wrote it\ny = 2;\n",
        "x = f(1);\n`\nAda wrote to ` Müller and ` him\n",
        "x = f(1);\n'''\nDear Ada,\nMüller came.\n",
        "[Ada]\nhost = x\n[Müller]\nport = 5\n",
        "@Ada\nMüller came.\n",
        "<b>Ada</b> <i>Müller <Link>x</Link></i>;\n<p>x</p>;\n",
        "<b>Ada (Bonn) <Link>x</Link></b>;\n<p>Müller (Ulm) <Link>x</Link></p>;\n",
        "class of Ada:\nMüller came.\n",
        "f(1);\nKunde(n) Ada (Berlin)\nMüller (Bonn)\n",
        'f(1);\nfrom "Ada"\nfrom "Müller Bo"\n',
    ],
)
def test_sentences_beside_program_text_are_read(text: str) -> None:
    """Nothing private leaves: a stray quote, a section, a mention or an element takes no name out of sight."""
    assert find(text) == ["Ada", "Müller"]


SENTENCES = ("Ada wrote it.", "Yours, Müller", "- Ada (Berlin);", "Müller:", "> Ada came", "Ada Müller", "Dear Ada!")


@given(
    st.lists(st.sampled_from([line for text in PROGRAMS for line in text.splitlines()]) | st.sampled_from(SENTENCES))
)
def test_sentences_between_lines_of_programs_are_read(lines: list[str]) -> None:
    """Nothing private leaves: a sentence is one, whatever torn program text stands around it."""
    text = "\n".join(lines)
    found = find(text)
    told = sum(len(NAMES.findall(line)) for line in lines if line in SENTENCES)
    assert len(NAMES.findall(" ".join(found))) >= told


@pytest.mark.parametrize("program", ["x = f(1);", "from shop.billing import refund"])
@pytest.mark.parametrize("below", ["\n{\n", ",\nand so on\n"])
@pytest.mark.parametrize(
    "line",
    ["Ada asked for a refund", "Yours, Ada", "Ada (Berlin)", "Ada wrote it.", "Ada", "Ada & co at x.org paid $5"],
)
def test_a_sentence_below_a_program_is_none_of_it(program: str, line: str, below: str) -> None:
    """Nothing private leaves: that a line goes on, or that an object follows it, does not make it program text."""
    assert find(f"{program}\n{line}{below}") == ["Ada"]


def test_lists_of_parameters_go_on_below() -> None:
    """Nothing breaks: types and names in the lines of a call or a definition stay."""
    assert find("f(1);\npublic void load(\n    Ada first,\n    Ada second) {\n    f(1);\n}\n") == []
    assert find("public class Ada\n{\n    public Ada Ada\n    {\n        get; set;\n    }\n}\n") == []


def test_a_name_of_the_program_alone_is_not_looked_for_in_its_comments() -> None:
    """Nothing breaks: what the model takes for a name in syntax is no value, so that nothing repeats it."""
    assert find("send(Ada, 1);\nx = 1; // of Ada\n", NameTagger(1)) == []
    assert find('send("Ada", 1);\nx = 1; // of Ada\n', NameTagger(1)) == ["Ada", "Ada"]
