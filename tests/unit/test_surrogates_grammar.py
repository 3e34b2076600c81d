"""Nothing private leaves: only surrogates of this scope are put back, byte for byte, in one pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.schemas.surrogates import SURROGATE, find_lookalikes, restore

ORIGINALS = {
    "[PERSON_7Q2M]": "Zoë O'Neil",
    "[PERSON_7Q2MA]": "Zoë",
    "[BIRTH_DATE_4RTZ]": "1981-05-12",
    "[TEXT_9K3N]": "[PERSON_7Q2M]",
}


@pytest.mark.parametrize(
    ("written", "restored"),
    [
        ("Dear [PERSON_7Q2M],", "Dear Zoë O'Neil,"),
        ("[PERSON_7Q2M]'s and **[PERSON_7Q2MA]**", "Zoë O'Neil's and **Zoë**"),
        ("[person_7q2m] [Person_7q2m]", "Zoë O'Neil Zoë O'Neil"),
        ("PERSON_7Q2M, (PERSON_7Q2MA)", "Zoë O'Neil, (Zoë)"),
        (r"[PERSON\_7Q2M] BIRTH\_DATE\_4RTZ", "Zoë O'Neil 1981-05-12"),
        ("[[PERSON_7Q2M]]", "[Zoë O'Neil]"),
        ("{'name': '[PERSON_7Q2M]', 'born': '[BIRTH_DATE_4RTZ]'}", "{'name': 'Zoë O'Neil', 'born': '1981-05-12'}"),
        ("[PERSON_7Q2M][PERSON_7Q2MA]", "Zoë O'NeilZoë"),
    ],
)
def test_issued_surrogates_are_put_back_as_models_write_them(written: str, restored: str) -> None:
    """Nothing private leaves: case, brackets and Markdown do not keep an original from coming back at home."""
    result = restore(written, ORIGINALS)
    assert result.text == restored
    assert result.unresolved == ()


def test_what_was_put_in_is_never_read_again() -> None:
    """Nothing private leaves: an original that looks like a surrogate does not become another person's value."""
    result = restore("[TEXT_9K3N]", ORIGINALS)
    assert result.text == "[PERSON_7Q2M]"
    assert result.used == {"[TEXT_9K3N]"}


@pytest.mark.parametrize("text", ["xPERSON_7Q2M", "PERSON_7Q2Mx", "person_7q2ms", "[PERSON_7Q2]", "PERSON-7Q2M"])
def test_parts_of_other_words_stay(text: str) -> None:
    """Nothing private leaves: only what stands alone as a surrogate is one."""
    assert restore(text, ORIGINALS).text == text


def test_unknown_surrogates_are_reported_and_stay() -> None:
    """Nothing is hidden: a surrogate that this scope never issued stays text and is named."""
    result = restore("[EMAIL_2X9P] [YOUR_NAME] email_2x9p [PERSON_7Q2M]", ORIGINALS)
    assert result.text == "[EMAIL_2X9P] [YOUR_NAME] email_2x9p Zoë O'Neil"
    assert result.unresolved == ("[EMAIL_2X9P]",)


def test_lookalikes_tell_exact_ones_from_loose_ones() -> None:
    """Nothing private leaves: whatever restoring could take for a surrogate is seen beforehand."""
    found = [(seen.surrogate, seen.exact) for seen in find_lookalikes("[A_1234] a_1234 [a_1234] [A_ABCD]")]
    assert found == [("[A_1234]", True), ("[A_1234]", False), ("[A_1234]", False)]


@given(st.text(alphabet="[]_\\PERSON7Q2M aé\n"))
def test_restoring_without_originals_changes_nothing(text: str) -> None:
    """Nothing private leaves: with no scope, every text stays as it is."""
    result = restore(text, {})
    assert result.text == text
    assert list(result.unresolved) == [match.group() for match in SURROGATE.finditer(text)]
