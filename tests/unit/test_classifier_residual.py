"""Nothing is hidden: the log says how many of the people known here what leaves may still be about."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.classifier.quasi_identifiers import find_generic
from hybridmesh.agents.classifier.residual import Person, people_behind, people_in, residual_of
from hybridmesh.schemas.memory import Kind, MemoryItem


def record(subject: str, text: str = "A customer.", **data: object) -> MemoryItem:
    return MemoryItem(
        kind=Kind.RECORD, text=text, subject=subject, data=data, source="crm", author="import",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


PEOPLE = list(
    people_in(
        [
            record("anna", city="Leeds", job="nurse", employer="St James's Hospital"),
            record("ben", city="Leeds", job="teacher"),
            record("cara", city="York", job="nurse", born="1981-05-12"),
            record("dan", text="A welder of 40 years old."),
            record("anna", text="Called on 3 March 2026."),
        ]
    )
)


@pytest.mark.parametrize(
    ("text", "matching", "left"),
    [
        ("[PERSON_7Q2M] asks for a refund.", 4, {}),
        ("[PERSON_7Q2M] of LEEDS asks.", 3, {"city": 1}),  # anna, ben, and dan, whose city nobody knows
        ("A nurse from Leeds asks.", 1, {"city": 1, "job": 1}),
        ("A nurse of St James's Hospital, Leeds.", 1, {"city": 1, "employer": 1, "job": 1}),
        ("The nurse was born on 12.05.1981.", 1, {"date": 1, "job": 1}),
        ("She is aged 40, a welder", 1, {"age": 1, "job": 1}),
        ("A dentist from York.", 0, {"city": 1, "job": 1}),
        ("A nurse from Leeds or York.", 2, {"city": 2, "job": 1}),
        ("A nurse of St James's\nHospital.", 2, {"employer": 1, "job": 1}),
        ("A nurse of St James's [PERSON_7Q2M] Hospital.", 2, {"job": 1}),
    ],
)
def test_the_people_who_fit_what_is_left_are_counted(text: str, matching: int, left: dict[str, int]) -> None:
    """Nothing is hidden: each thing that is left rules people out, and one who is left can be told."""
    found = residual_of([text], PEOPLE)
    assert (found.known, found.matching, dict(found.left)) == (4, matching, left)


def test_the_people_of_the_vault_count_as_known() -> None:
    """Nothing is hidden: whom the task names is among those that its text may be about; a part of a name is nobody."""
    originals = {"[PERSON_7Q2M]": "Anna Bell", "[PERSON_LAST_7Q2M]": "Bell", "[EMAIL_2X9P]": "a@b.org"}
    assert [person.name for person in people_behind(originals)] == ["Anna Bell"]
    found = residual_of(["A dentist from York."], [*PEOPLE, *people_behind(originals)])
    assert (found.known, found.matching) == (5, 1)


def test_nobody_known_is_no_figure_to_rest_on() -> None:
    """Nothing is hidden: with nobody known, what is left is counted all the same."""
    found = residual_of(["The mayor, on 3 March 2026."], [])
    assert (found.known, found.matching, dict(found.left)) == (0, 0, {"date": 1, "job": 1})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-03-05 and 5.3.2026, 05/03/2026", {("date", "2026/03/05")}),
        ("le 5 mars 2026; am 5. März 2026; March 5th, 2026", {("date", "2026/03/05")}),
        ("on 5 aprıl 2026, 5 APRİL 2026, ſeptember 5, 2026", {("date", "2026/04/05"), ("date", "2026/05/09")}),
        ("aged 34; 34 years old; 34 Jahre alt", {("age", "34")}),
        ("Nurses and a teacher", {("job", "nurse"), ("job", "teacher")}),
        ("works at Brandt Maschinenbau GmbH", {("employer", "brandt maschinenbau")}),
        ("order 4471 of 99 items, version 1.2.3", set[tuple[str, str]]()),
    ],
)
def test_quasi_identifiers_compare_however_they_are_written(text: str, found: set[tuple[str, str]]) -> None:
    """Nothing is hidden: two ways to write a date are one date."""
    assert set(find_generic(text)) == found


@given(st.lists(st.text(max_size=60), max_size=3), st.lists(st.text(min_size=1, max_size=20), max_size=4))
def test_the_figure_is_never_more_than_are_known(texts: list[str], names: list[str]) -> None:
    """Nothing is lost: any text can be judged; who is known by nothing but a name is never ruled out."""
    found = residual_of(texts, [Person(name) for name in names])
    assert found.matching == found.known == len({name.casefold() for name in names})
