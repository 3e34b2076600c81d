"""What corrections ask of a draft, held against it."""

import pytest

from hybridmesh.agents.verifier.lessons import Lesson, find_breaches


@pytest.mark.parametrize(
    ("forbidden", "draft", "breaks"),
    [
        ("free", "It is free.", True),
        ("free", "Dear Mr Freeman, your freezer is on its way.", False),
        ("AI", "Please wait for our email.", False),
        ("AI", "Our AI says so.", True),
        ("kostenlos", "Eine kostenlose Lieferung.", True),
        ("free of charge", "It is FREE  of\ncharge.", True),
        ("%", "You save 10 %.", True),
        ("Zoë", "Dear Zoe,", True),
    ],
)
def test_a_forbidden_phrase_is_found_where_words_begin(forbidden: str, draft: str, *, breaks: bool) -> None:
    """Mistakes are not repeated, and a short word does not turn down all that its letters are in."""
    assert bool(list(find_breaches(draft, [Lesson("1", (), (forbidden,))]))) is breaks
