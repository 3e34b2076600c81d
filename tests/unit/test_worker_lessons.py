"""Lessons hold on every text, whoever wrote it."""

from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.worker.lessons import Lesson, obey, read_lesson
from hybridmesh.schemas.memory import lesson_keys

REPLY = "Dear Ana,\n\nWe are sorry. We will refund you at once. A person will call.\n\nKind regards,\nYour team"


def test_a_forbidden_phrase_goes_with_its_sentence() -> None:
    """Mistakes are not repeated: a promise that a person has forbidden is not made again."""
    lesson = Lesson("Never promise.", forbidden=("will refund",))
    assert obey(REPLY, [lesson]) == REPLY.replace("We will refund you at once. ", "")


def test_a_forbidden_word_is_not_found_inside_others() -> None:
    """Nothing is lost: who must not say "AI" may say that he waits for an e-mail."""
    text = "We wait for your email. AI wrote this. Kind regards"
    assert obey(text, [Lesson("", forbidden=("AI",))]) == "We wait for your email. Kind regards"


def test_a_required_phrase_stands_before_the_sign_off() -> None:
    """Mistakes are not repeated: what a person has asked for is there from the next reply on, once."""
    lesson = Lesson("Say it.", required=("You can also call us.",))
    taught = obey(REPLY, [lesson, lesson])
    assert taught.count("You can also call us.") == 1
    assert taught.index("You can also call us.") < taught.index("Kind regards")
    assert obey(taught, [lesson]) == taught
    assert obey("One paragraph.", [lesson]) == "One paragraph.\n\nYou can also call us."


def test_a_text_is_never_emptied() -> None:
    """Nothing is lost: a text that is nothing but forbidden is left for the verifier to turn down."""
    assert obey("We will refund you", [Lesson("", forbidden=("refund",))]) == "We will refund you"


def test_rules_that_are_none_are_left_out() -> None:
    """Nothing is lost: a lesson of another shape is read for its words alone."""
    assert read_lesson("text", {"must_contain": "x", "must_not_contain": [1, " ", "y"]}) == Lesson("text", (), ("y",))


def test_keys_go_from_narrow_to_wide() -> None:
    """Mistakes are not repeated: a lesson holds for its kind of step, and one without a kind for all."""
    assert lesson_keys("triage", "reply") == (
        "lesson/triage/reply", "lesson/triage/any", "lesson/any/reply", "lesson/any/any",
    )  # fmt: skip
    assert lesson_keys(None, "reply") == ("lesson/any/reply", "lesson/any/any")


sentences = st.lists(st.sampled_from(["We are sorry.", "No refund!", "Call us?", "Bye."]), min_size=1, max_size=6)


@given(st.lists(sentences.map(" ".join), min_size=1, max_size=4).map("\n\n".join))
def test_no_forbidden_phrase_is_left_unless_there_is_nothing_else(text: str) -> None:
    """Mistakes are not repeated: the rule holds on any text."""
    taught = obey(text, [Lesson("", required=("Thank you.",), forbidden=("refund",))])
    others = any(word in text for word in ("sorry", "Call", "Bye"))
    assert ("refund" not in taught) == (others or "refund" not in text)
    assert "Thank you." in taught
