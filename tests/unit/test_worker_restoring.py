"""Originals come back byte for byte, in text and inside JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.worker.restoring import restore_answer
from hybridmesh.schemas.plans import OutputForm

JSON = OutputForm(kind="json", json_schema={"type": "object"})


@given(st.text(max_size=40))
def test_an_original_of_any_kind_keeps_json_valid(original: str) -> None:
    """Nothing is lost: quotes, line ends and brackets in a private value do not break the document around it."""
    reply = json.dumps({"a": ["to [PERSON_7Q2M]!", 1, None], "b": {"[PERSON_7Q2M]": "[EMAIL_9999]"}})
    answer = restore_answer(reply, {"[PERSON_7Q2M]": original}, JSON)
    assert json.loads(answer.text) == {"a": [f"to {original}!", 1, None], "b": {original: "[EMAIL_9999]"}}
    assert (answer.used, answer.unresolved) == (1, 1)


def test_text_is_restored_as_it_stands() -> None:
    """Nothing is hidden: a mark that nobody issued is counted, so that the verifier can stop it."""
    answer = restore_answer("Dear [PERSON_7Q2M], [PHONE_2222]", {"[PERSON_7Q2M]": "Ana"}, OutputForm())
    assert answer.text == "Dear Ana, [PHONE_2222]"
    assert (answer.used, answer.unresolved) == (1, 1)


def test_json_that_is_none_is_restored_as_text() -> None:
    """Nothing is lost: a broken document reaches the verifier with its originals, and is judged there."""
    assert restore_answer("{[PERSON_7Q2M]", {"[PERSON_7Q2M]": "Ana"}, JSON).text == "{Ana"


@pytest.mark.parametrize(
    "written", ["PERSON-7Q2M", "[Person 7Q2M]", "person_7q2ms", "[PERSON _7Q2M]", "P.E.R.S.O.N 7Q2M", "[PERSON\n_7Q2M]"]
)
def test_a_surrogate_that_nobody_can_be_sure_of_blocks_the_release(written: str) -> None:
    """Nothing is hidden: a garbled surrogate is neither guessed at nor let out as if it were text."""
    for form in (OutputForm(), JSON):
        answer = restore_answer(f"Dear {written}, dear [PERSON_7Q2M]", {"[PERSON_7Q2M]": "Ana"}, form)
        assert answer.text == f"Dear {written}, dear Ana"
        assert (answer.used, answer.unresolved) == (1, 1)
