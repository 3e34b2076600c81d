"""One word of a name says whose it is, comes back exactly, and never stands for anybody else."""

import re

from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.classifier.surrogates import Pseudonymised, pseudonymise
from hybridmesh.agents.router.prompts import PARTS, SYSTEM, compose
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.privacy import Span
from hybridmesh.schemas.steps import Redacted
from hybridmesh.schemas.surrogates import SURROGATE, kind_of, restore

KEY = b"k" * 32
WORDS = ["Smith", "SMITH", "smith", "John", "Mary", "Anne-Lise", "van", "Ó", "John Smith", "Mary Smith", "Ann Mary Lee"]


def cut(text: str, names: list[str], known: dict[str, str] | None = None) -> Pseudonymised:
    """Pseudonymise every occurrence of the names, the longest first."""
    pattern = re.compile("|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)))
    spans = [
        Span(start=found.start(), end=found.end(), type="PERSON", score=1, source="test")
        for found in pattern.finditer(text)
    ]
    return pseudonymise([text], [spans], KEY, known or {})


def by_value(result: Pseudonymised) -> dict[str, str]:
    return {value: surrogate for surrogate, value in result.originals.items()}


def test_a_part_carries_the_code_of_the_whole_and_says_which_word_it_is() -> None:
    """Nothing is lost: the cloud can tell who Smith is; Smith comes back as Smith, and not as John Smith."""
    text = "Smith wrote. John Smith is cross: Smith, John, and SMITH."
    result = cut(text, ["John Smith", "Smith", "John", "SMITH"])
    found = by_value(result)
    match = SURROGATE.fullmatch(found["John Smith"])
    assert match is not None
    code = match["body"].removeprefix("PERSON_")
    assert found["Smith"] == f"[PERSON_LAST_{code}]"
    assert found["John"] == f"[PERSON_FIRST_{code}]"
    assert found["SMITH"].startswith(f"[PERSON_LAST_{code}")
    assert len(set(found.values())) == 4
    assert {kind_of(surrogate) for surrogate in found.values()} == {"PERSON"}
    assert restore(result.texts[0], result.originals).text == text


def test_a_middle_word_is_called_so() -> None:
    """Nothing is lost: three words, three places."""
    found = by_value(cut("Ann Mary Lee, Mary", ["Ann Mary Lee", "Mary"]))
    assert found["Mary"].startswith("[PERSON_MIDDLE_")


def test_a_word_of_two_names_is_nobodys_part() -> None:
    """Nothing is lost: where there are two Smiths, the surrogate does not say which of them it is."""
    found = by_value(cut("John Smith, Mary Smith, Smith", ["John Smith", "Mary Smith", "Smith"]))
    assert SURROGATE.fullmatch(found["Smith"])
    assert "LAST" not in found["Smith"]


def test_a_later_step_knows_the_name_of_an_earlier_one_and_keeps_what_was_issued() -> None:
    """Nothing is lost: stable over the steps of a scope, also when a second Smith turns up."""
    first = cut("John Smith", ["John Smith"]).originals
    second = cut("Smith", ["Smith"], first).originals
    assert by_value(cut("Smith", ["Smith"], first))["Smith"].startswith("[PERSON_LAST_")
    third = cut("Mary Smith and Smith", ["Mary Smith", "Smith"], {**first, **second})
    assert by_value(third)["Smith"] in second


def test_the_cloud_is_told_of_parts_only_where_there_are_some() -> None:
    """Nothing private leaves: a model that is not told of such placeholders does not make them up."""
    spec = StepSpec(id="a", title="t", instruction="i")
    assert compose(Redacted(goal="[PERSON_7Q2M]", instruction="i"), spec).system == SYSTEM
    with_parts = compose(Redacted(goal="[PERSON_LAST_7Q2M]", instruction="i"), spec).system
    assert with_parts == SYSTEM + PARTS
    assert SURROGATE.search(with_parts) is None


@given(st.lists(st.sampled_from([*WORDS, " ", ", ", "x", "[PERSON_LAST_7Q2M]", "person_last_7q2m"]), max_size=12))
def test_names_and_their_parts_come_back_in_any_order(words: list[str]) -> None:
    """Nothing is lost: one value, one surrogate; every word comes back as it was written."""
    text = " ".join(words)
    first = cut(text, WORDS)
    assert restore(first.texts[0], first.originals).text == text
    assert len(set(first.originals.values())) == len(first.originals)
    again = cut(text, WORDS, first.originals)
    assert again == first
