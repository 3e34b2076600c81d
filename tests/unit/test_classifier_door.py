"""Nothing private leaves: the door refuses a prompt with an original in any guise, and lets clean ones through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.classifier.door import is_evidence, judge, prompt_texts
from hybridmesh.schemas.consults import Prompt
from hybridmesh.schemas.privacy import Span

ORIGINALS = {
    "[PERSON_7Q2M]": "Zoë Smith-Lee",
    "[PERSON_8WZ1]": "Will",
    "[IBAN_4RTZ]": "DE89 3704 0044 0532 0130 00",
    "[PERSON_2X9P]": "Anna",
    "[SECRET_6HJK]": "tr0ub4dor",
    "[TEXT_9K3N]": "[NAME_1234]",
}
CLEAN = "You will answer the letter of [PERSON_7Q2M] to [PERSON_2X9P]; banana, Annapolis. Pay [IBAN_4RTZ]."


def verdict(text: str, *spans: Span) -> str | None:
    return judge([text], [list(spans)], ORIGINALS).reason


def test_a_prompt_with_surrogates_only_passes() -> None:
    """Nothing private leaves, and work goes on: "will" is no name, and "banana" holds no Anna."""
    judged = judge([CLEAN], [[]], ORIGINALS)
    assert judged.reason is None
    assert judged.kept.counts == {"IBAN": 1, "PERSON": 2}


@pytest.mark.parametrize(
    "planted",
    [
        "Zoë Smith-Lee",
        "zoë smith-lee",
        "Zoe Smith Lee",
        "zoesmithlee",
        "Z o ë S m i t h L e e",
        "Zoë\u200b Smith-Lee",
        "ｗrite Ｚoë Smith-Lee",
        "Will",
        "WILL",
        "DE89370400440532013000",
        "xDE89-3704-0044-0532-0130-00x",
        "Anna",
        "Tr0ub4dor",
        "tr 0ub 4dor",
    ],
)
def test_an_original_in_any_guise_is_refused(planted: str) -> None:
    """Nothing private leaves: case, accents, spaces, width and invisible characters hide no original."""
    assert verdict(f"{CLEAN} {planted}.") == "original-in-prompt"


@given(st.sampled_from(sorted(ORIGINALS)), st.text(), st.text())
def test_a_planted_original_never_passes(surrogate: str, before: str, after: str) -> None:
    """Nothing private leaves: wherever it stands, an original between spaces is seen."""
    if surrogate.startswith("[TEXT"):
        return
    assert verdict(f"{before} {ORIGINALS[surrogate]} {after}") == "original-in-prompt"


def test_a_finding_outside_of_surrogates_is_refused_with_its_type() -> None:
    """Nothing private leaves, nothing is hidden: what was missed before is stopped here, and counted."""
    text = "Dear [PERSON_7Q2M], call Bob Moss"
    judged = judge([text], [[Span(start=5, end=18, type="PERSON", score=1, source="model"),
                             Span(start=25, end=33, type="PERSON", score=0.6, source="model")]], ORIGINALS)  # fmt: skip
    assert judged.reason == "private-value-found"
    assert judged.found.counts == {"PERSON": 1}


def test_a_surrogate_of_another_scope_hides_nothing() -> None:
    """Nothing private leaves: only this scope's surrogates are taken out before the prompt is judged."""
    text = "call [HAYES_2024]"
    assert verdict(text, Span(start=6, end=11, type="PERSON", score=1, source="model")) == "private-value-found"


def test_an_unsure_guess_about_an_everyday_word_is_no_evidence() -> None:
    """Work goes on: only lower-case guesses of the token classifier are forgiven, nothing a recognizer found."""
    guess = Span(start=0, end=6, type="PERSON", score=0.7, source="model")
    assert not is_evidence(guess, "praise")
    assert is_evidence(guess, "Praise")
    assert is_evidence(guess.model_copy(update={"score": 0.99}), "praise")
    assert is_evidence(guess.model_copy(update={"source": "pattern"}), "praise")
    assert is_evidence(guess, "a1b2")


def test_the_schema_is_read_as_well() -> None:
    """Nothing private leaves: an option of a choice goes out with the prompt, so it is judged with it."""
    prompt = Prompt(system="s", user="u", json_schema={"enum": ["Zoë Smith-Lee"]})
    texts = prompt_texts(prompt)
    assert judge(texts, [[] for _ in texts], ORIGINALS).reason == "original-in-prompt"
