"""Nothing private leaves, and nothing is lost: what was cut out comes back byte for byte."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.classifier.surrogates import before_cuts, holes, mint, pseudonymise
from hybridmesh.schemas.privacy import Span
from hybridmesh.schemas.surrogates import SURROGATE, restore

KEY = b"k" * 32
TYPES = ("PERSON", "EMAIL", "BIRTH_DATE")

# Any Unicode, lone surrogates as well, and texts thick with what could be taken for a surrogate.
TRICKY = st.lists(
    st.sampled_from(["[", "]", "_", "PERSON", "person", "[PERSON_7Q2M]", "person_7q2m", "7Q2M", "TEXT", " ", "\\", "x"])
).map("".join)
TEXTS = st.one_of(st.text(st.characters()), TRICKY)


@st.composite
def texts_with_spans(draw: st.DrawFn) -> tuple[list[str], list[list[Span]]]:
    texts = draw(st.lists(TEXTS, min_size=1, max_size=3))
    spans: list[list[Span]] = []
    for text in texts:
        cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
        spans.append([
            Span(start=start, end=end, type=draw(st.sampled_from(TYPES)), score=1, source="test")
            for start, end in zip(cuts[::2], cuts[1::2], strict=False)
        ])  # fmt: skip
    return texts, spans


def find_values(texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> set[str]:
    return {text[span.start : span.end] for text, found in zip(texts, spans, strict=True) for span in found}


@given(texts_with_spans())
def test_restoring_gives_the_text_back(case: tuple[list[str], list[list[Span]]]) -> None:
    """Nothing is lost: restore(pseudonymise(x)) is x for any text and any spans."""
    texts, spans = case
    result = pseudonymise(texts, spans, KEY, {})
    for text, redacted in zip(texts, result.texts, strict=True):
        restored = restore(redacted, result.originals)
        assert restored.text == text
        assert restored.unresolved == ()


@given(texts_with_spans(), texts_with_spans())
def test_a_scope_stays_one_to_one(
    first: tuple[list[str], list[list[Span]]], second: tuple[list[str], list[list[Span]]]
) -> None:
    """Nothing private leaves: over the steps of a scope one value has one surrogate, and one surrogate one value."""
    known = pseudonymise(*first, KEY, {}).originals
    later = pseudonymise(*second, KEY, known)
    scope = {**known, **later.originals}
    assert len(set(scope.values())) == len(scope)
    assert find_values(*second) <= set(later.originals.values())
    for text, redacted in zip(second[0], later.texts, strict=True):
        assert restore(redacted, scope).text == text


@given(st.text(min_size=1), st.sampled_from(TYPES))
def test_a_surrogate_follows_from_key_type_and_value(value: str, kind: str) -> None:
    """Nothing is lost: replicas that share a key mint the same surrogate; another key gives another one."""
    minted = mint(kind, value, KEY, ())
    assert minted == mint(kind, value, KEY, ())
    assert SURROGATE.fullmatch(minted)
    assert mint(kind, value, b"z" * 32, {minted}) != minted


def test_a_taken_surrogate_grows() -> None:
    """Nothing private leaves: two values never share a surrogate."""
    first = mint("PERSON", "Ada", KEY, ())
    second = mint("PERSON", "Ada", KEY, {first})
    assert second.startswith(first[:-1])
    assert len(second) > len(first)


def test_text_that_looks_like_an_issued_surrogate_is_cut_too() -> None:
    """Nothing private leaves: who writes a surrogate into a text does not get its original in the result."""
    span = Span(start=0, end=3, type="PERSON", score=1, source="test")
    issued = pseudonymise(["Ada"], [[span]], KEY, {}).originals
    (surrogate,) = issued
    bare = surrogate.strip("[]").lower()
    later = pseudonymise([f"say {surrogate} and {bare}"], [[]], KEY, issued)
    assert restore(later.texts[0], {**issued, **later.originals}).text == f"say {surrogate} and {bare}"
    assert surrogate not in later.texts[0]


@given(texts_with_spans())
def test_offsets_lead_back_to_the_original(case: tuple[list[str], list[list[Span]]]) -> None:
    """Nothing private leaves: what a second reading finds is cut out of the right place."""
    texts, spans = case
    result = pseudonymise(texts, spans, KEY, {})
    for text, redacted, cuts in zip(texts, result.texts, result.cuts, strict=True):
        covered = {index for start, end in holes(cuts) for index in range(start, end)}
        for index, char in enumerate(redacted):
            if index not in covered:
                assert text[before_cuts(index, cuts)] == char
