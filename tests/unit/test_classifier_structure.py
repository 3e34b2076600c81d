"""Nothing private leaves, and nothing breaks: JSON, tables and code keep their keys and their syntax."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridmesh.agents.classifier.code_layout import find_code
from hybridmesh.agents.classifier.csv_layout import find_tables
from hybridmesh.agents.classifier.detector import Detector, Tagger
from hybridmesh.agents.classifier.encodings import decode_inline, find_islands
from hybridmesh.agents.classifier.json_layout import find_records
from hybridmesh.agents.classifier.layout import lay_out
from hybridmesh.agents.classifier.normalise import fold_look_alikes, normalise
from hybridmesh.agents.classifier.surrogates import pseudonymise
from hybridmesh.agents.classifier.tags import Tag
from hybridmesh.agents.classifier.terms import TermRecognizer
from hybridmesh.agents.classifier.thresholds import Thresholds
from hybridmesh.bus.errors import Unanswerable
from hybridmesh.schemas.privacy import Span
from hybridmesh.schemas.surrogates import restore

KEY = b"k" * 32
CARD = "4111111111111111"


class NameTagger:
    """Takes every "Ada" and "Müller" for a person, sure of it."""

    def tag(self, text: str, threshold: float, tick: Callable[[], None]) -> list[Tag]:
        tick()
        return sorted(
            (
                Tag(at, at + len(name), "GIVEN_NAME", 0.99, begins=True)
                for name in ("Ada", "Müller")
                for at in range(len(text))
                if text.startswith(name, at)
            ),
            key=lambda tag: tag.start,
        )


def make_detector(tagger: Tagger | None = None) -> Detector:
    return Detector(
        tagger=tagger or NameTagger(), terms=TermRecognizer(), thresholds=Thresholds(0.5), max_chars=100_000,
        timeout_s=30, monotonic=lambda: 0.0,
    )  # fmt: skip


def find(text: str, tagger: Tagger | None = None) -> list[tuple[str, str]]:
    return [(span.type, text[span.start : span.end]) for span in spans_of(text, tagger)]


def spans_of(text: str, tagger: Tagger | None = None) -> list[Span]:
    detector = make_detector(tagger)
    try:
        return asyncio.run(detector.find([text]))[0]
    finally:
        detector.close()


def test_values_of_json_are_found_through_their_escapes() -> None:
    """Nothing private leaves: an escape hides nothing, and none is cut in half."""
    text = r'{"who": "M\u00fcller\nAda", "note": "say \"hi\" to jo@example.org", "é": "\ud83d\ude00 Ada"}'
    assert find(text) == [
        ("PERSON", r"M\u00fcller"), ("PERSON", "Ada"), ("EMAIL", "jo@example.org"), ("PERSON", "Ada"),
    ]  # fmt: skip


def test_keys_speak_for_their_values_and_stay() -> None:
    """Nothing private leaves: what a password is says its key; a key that is a name is no value."""
    assert find('{"password": "correct-horse", "Ada": "x"}') == [("SECRET", "correct-horse")]
    assert find('{"dateOfBirth": "1990-01-01", "shipped": "1990-01-02"}') == [("BIRTH_DATE", "1990-01-01")]
    assert find('{"passport": {"number": "C01X00T47"}}') == [("PASSPORT", "C01X00T47")]


def test_json_stands_anywhere_and_within_itself() -> None:
    """Nothing private leaves: JSON in prose, in lines, and in a string of JSON is read as such."""
    inner = json.dumps({"pin code": "99-777", "who": "Ada"})
    text = f"Take this: {json.dumps({'args': inner})} and\n" + '{"a": "Ada"}\n{"b": "jo@example.org"}'
    assert [value for _, value in find(text)] == ["99-777", "Ada", "Ada", "jo@example.org"]
    assert list(find_records("[1] see [2, 3] and {x} [[[")) == []


def test_a_number_of_json_is_taken_whole_and_comes_back_as_a_number() -> None:
    """Nothing is lost: JSON stays JSON with a surrogate in a number's place, and the number comes back bare."""
    text = f'{{"card": {CARD}, "again": "{CARD}", "n": 12}}'
    spans = spans_of(text)
    assert [(span.bare, text[span.start : span.end]) for span in spans] == [(True, CARD), (False, CARD)]
    result = pseudonymise([text], [spans], KEY, {})
    read: dict[str, Any] = json.loads(result.texts[0])
    assert read["n"] == 12
    assert read["card"].startswith("[CARD_DIGITS_")
    assert read["again"].startswith("[CARD_")
    assert restore(result.texts[0], result.originals).text == text
    assert restore(f"It is {read['card']}.", result.originals).text == f"It is {CARD}."


def test_what_is_private_in_a_key_keeps_the_text_at_home() -> None:
    """Nothing private leaves: a key cannot be replaced, so that a text with such a key is in doubt."""
    for text in ('{"jo@example.org": 1}', '{"Ada Müller": {"role": "x"}}', "Ada Müller;name;city\nx;y;z\n"):
        with pytest.raises(Unanswerable, match="private-key-name"):
            find(text)
    assert find('{"Order Number": 1, "Ada": 2, "Full Name": "x"}') == []


def test_cells_of_a_table_are_values_and_names_are_not() -> None:
    """Nothing private leaves: a column's name speaks for its cells, and no separator or quote is taken."""
    text = 'name;password;Ada\r\nAda;correct-horse;x\r\n"Ada";"say ""Ada"" now";7\r\n'
    assert [value for _, value in find(text)] == ["Ada", "correct-horse", "Ada", "Ada"]
    assert [table.named for table in find_tables(text)] == [True]
    assert find_tables("ada lovelace,berlin,baker\njohn smith,paris,cook\nx,y,z\n")[0].named is False
    assert [value for _, value in find("Ada,Müller,jo@example.org\nx,y,z\nAda,b,c\n")] == [
        "Ada", "Müller", "jo@example.org", "Ada",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "name,email\nhttps://u:pa55@h.example.org/x,+44 7911 123456 10.0.0.1\nAda,jo@example.org\n",
        'phone|notes\r\npassword: Tallow-2291|"say ""hi"""\r\n',
        "a1,https://u:pa55@h.example.org/x\nhttps://u:pa55@h.example.org/x,b2\nAda,c3\n",
    ],
)
def test_a_table_of_two_columns_keeps_its_separators(text: str) -> None:
    """Nothing breaks: no span runs over from one cell into the next, with names over the columns or without."""
    separator = "|" if "|" in text else ","
    result = pseudonymise([text], [spans_of(text)], KEY, {})
    assert [line.count(separator) for line in result.texts[0].splitlines()] == [1] * len(text.splitlines())
    assert result.cuts[0]


@pytest.mark.parametrize(
    "text",
    [
        "Dear Ada, I hope, you are well,\nbut the order, as you know, is late,\nand so, I fear, is this letter,\n",
        "Hello,\nyours,\nAda",
        "One, two.\nThree, four.\nFive, six.",
        "a\nb\nc",
        "Name, place\nAda, Berlin",
        "Yes,\nno",
        "52.52,13.40\n48.85,2.35\n51.50,0.12",
        "Well,no.\nSo,yes.\nHm,what?",
        "",
    ],
)
def test_prose_is_no_table(text: str) -> None:
    """Nothing is lost: sentences with commas are read as sentences."""
    assert find_tables(text) == []


def test_names_in_code_are_found_in_literals_and_comments_only() -> None:
    """Nothing breaks: an identifier stays, what is quoted, assigned or told about it does not."""
    text = 'const Ada = open();\nlet who = "Ada"; // for Müller\nsend(Ada, who);\n'
    assert find(text) == [("PERSON", "Ada"), ("PERSON", "Müller")]
    assert find("send('jo@example.org', {x@example.org})") == [("EMAIL", "jo@example.org"), ("EMAIL", "x@example.org")]
    text = "Here:\n```python\nclass Ada:\n    owner = 'Ada'  # Müller\n```\nAda wrote it."
    assert [value for _, value in find(text)] == ["Ada", "Müller", "Ada"]
    assert [value for _, value in find("OWNER=Ada\nMODE=fast\nPASSWORD=hunter2abc\n")] == ["Ada", "hunter2abc"]


class RunningOnTagger:
    """Takes all from the first "Ada" to the last for one person, through whatever stands between."""

    def tag(self, text: str, threshold: float, tick: Callable[[], None]) -> list[Tag]:
        tick()
        start, end = text.find("Ada"), text.rfind("Ada") + 3
        return [Tag(start, end, "GIVEN_NAME", 0.99, begins=True)] if start >= 0 else []


def test_a_guess_that_runs_out_of_a_literal_is_cut_at_its_end() -> None:
    """Nothing breaks: what the model reads on into the program's signs takes neither quotes nor identifiers."""
    text = "SELECT Bo FROM users WHERE name = 'Ada Lee' AND Ada.id = 5;\n"
    assert [value for _, value in find(text, RunningOnTagger())] == ["Ada Lee"]
    text = 'send("Ada Lee", "Bo", Ada);\n'
    assert [value for _, value in find(text, RunningOnTagger())] == ["Ada Lee", "Bo"]


def test_a_form_is_found_in_code_whatever_the_model_takes_it_for() -> None:
    """Nothing private leaves: what a pattern found outside of literals is not lost to a longer guess around it."""
    text = "send(Ada, jo@example.org, Ada);\nx = 1;\n"
    assert any("jo@example.org" in value for _, value in find(text, RunningOnTagger()))


@pytest.mark.parametrize(
    "text",
    [
        '{name: "Müller", Ada: "Müller", age: 7,}',
        'function Ada(Müller) { return Ada.by("Müller"); }',
        '// user\nconst x = { name: "Müller" };\nx.map(Ada => { send(Ada); })\n',
        'foo(\\"Müller\\", Ada);\nx = Ada;\n',
    ],
)
def test_code_of_one_line_is_code(text: str) -> None:
    """Nothing breaks: an object or a function in one line keeps its names, and lines that close a block go with it."""
    found = find(text)
    assert ("PERSON", "Müller") in found
    assert ("PERSON", "Ada") not in found


def test_nothing_in_braces_is_code_without_quotes() -> None:
    """Nothing private leaves: bare words in braces are read as words."""
    assert find("{name: Ada, id: 5}") == [("PERSON", "Ada")]
    assert find("Dear {Ada}") == [("PERSON", "Ada")]


@pytest.mark.parametrize(
    "text",
    [
        "Sehr geehrte Frau Müller,\n\n- Herr Ada (Berlin);\n- Frau Müller (Bonn);\n\nGrüße",
        "for the record:\nAda came.\nif asked: no.",
        "From: Ada\nTo: Müller\nSubject: lunch",
        "Return the parcel to Ada (London).\nnew customers (Berlin) pay less.\nUPDATE from Ada: all is well.",
        "Ada said: I will come; Müller (the other one) will not;",
        "# Notes\n\n- Ada: likes tea\n- Müller: coffee\n",
        "```\nDear Ada,\n\nsee you.\n\nMüller\n```\nx = 1",
        "x = f(1);\ny = g(2);\nAda wrote it.\nz = h(3);\n",
        "- with Ada\n- for Müller: a cake",
    ],
)
def test_prose_is_no_code(text: str) -> None:
    """Nothing private leaves: names in letters and lists are found, whatever signs stand around them."""
    assert not any(name in text[start:end] for start, end in find_code(text) for name in ("Ada", "Müller"))
    assert sum(value in ("Ada", "Müller") for _, value in find(text)) == text.count("Ada") + text.count("Müller")


def test_encoded_values_are_found_where_they_stand() -> None:
    """Nothing private leaves: percent signs, entities and escapes are read through and cut as they are written."""
    assert find("q=jo%40example.org&x=1") == [("EMAIL", "jo%40example.org")]
    assert find("M&uuml;ller and &#74;o&#x40;example.org") == [
        ("PERSON", "M&uuml;ller"), ("EMAIL", "&#74;o&#x40;example.org"),
    ]  # fmt: skip
    assert find("jo%2540example.org") == [("EMAIL", "jo%2540example.org")]
    assert find(r"M\u00fcller \x4aim@example.org") == [("PERSON", r"M\u00fcller"), ("EMAIL", r"\x4aim@example.org")]
    assert find("100%25 of 50% de 20%ad &nothing; &#99999999; \\uzzzz") == []


def test_what_was_decoded_is_made_plain_too() -> None:
    """Nothing private leaves: blanks, digits and letters that an entity or a percent sign stands for are as others."""
    coded = "DE89&nbsp;3704&nbsp;0044&nbsp;0532&nbsp;0130&nbsp;00"
    assert find(f"IBAN {coded}.") == [("IBAN", coded)]
    coded = "%EF%BC%94%EF%BC%91%EF%BC%91%EF%BC%91 1111 1111 1111"
    assert find(f"{coded} is the card") == [("CARD", coded)]
    assert find(r"j\u043e&#64;e\u0445ample.org") == [("EMAIL", r"j\u043e&#64;e\u0445ample.org")]


def test_what_a_key_calls_a_password_is_one_to_its_end() -> None:
    """Nothing private leaves: a passphrase of several words in a record or a table, but no text about one."""
    assert find('{"adminPassword": "purple horse battery", "n": 1}') == [("SECRET", "purple horse battery")]
    assert find("user;passwort\nmk;purple horse battery\ntb;gr\u00fcner baum\n") == [
        ("SECRET", "purple horse battery"), ("SECRET", "gr\u00fcner baum"),
    ]  # fmt: skip
    note = '{"note": "Tallow!2291 is what he typed"}'
    assert find(note) == [("SECRET", "Tallow!2291")]


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode, bytes.hex, base64.encodebytes])
def test_an_encoded_text_with_something_private_is_an_island(encode: Callable[[bytes], bytes | str]) -> None:
    """Nothing private leaves: what decodes to a private value is cut as a whole, anything else is not."""
    private, clean = b"the card is 4111 1111 1111 1111 " * 3, b"the weather is fine today, is it not? " * 3
    for raw, count in ((private, 1), (clean, 0)):
        coded = encode(raw)
        island = (coded if isinstance(coded, str) else coded.decode()).strip()
        text = f"see {island} there"
        assert [value for _, value in find(text)] == [island] * count
    twice = base64.b64encode(base64.b64encode(private)).decode()
    assert find(twice) == [("CARD", twice)]


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        ("https://x.example.org/unsub?e=", "&k=1"),
        ("Cookie: sid=", "; x=1"),
        ("https://x.example.org/unsub/", ""),
        ("https://x.example.org/unsub/", "/confirm-now"),
        ("u=", " please"),
        ("cfg_", ""),
        ("u-", "-x"),
        ("/a/b/c/d/e/f/", "/g_h"),
        ("q=a+", "=/x"),
    ],
)
@pytest.mark.parametrize("private", ["maria.keller@example.org", "Müller, jo@example.org?~>"])
def test_an_island_stands_in_a_query_a_path_and_an_identifier(before: str, private: str, behind: str) -> None:
    """Nothing private leaves: what stands right before base 64, and may be part of it, hides nothing."""
    island = base64.urlsafe_b64encode(private.encode()).decode().rstrip("=")
    found = find(before + island + behind)
    assert [value.rstrip("=") for kind, value in found if kind in ("EMAIL", "SECRET")] == [island]


def test_look_alikes_hide_nothing() -> None:
    """Nothing private leaves: Cyrillic letters in a Latin word, digits of any script, and blanks of any kind."""
    assert find("write to jо@ехаmple.org") == [("EMAIL", "jо@ехаmple.org")]
    assert find("card ٤١١١ ١١١١ ١١١١ ١١١١")[0] == ("CARD", "٤١١١ ١١١١ ١١١١ ١١١١")
    assert find("536\u201190\u20114399") == [("SSN", "536\u201190\u20114399")]
    assert find("jo\u3164@\ufe0fexample.org") == [("EMAIL", "jo\u3164@\ufe0fexample.org")]
    assert fold_look_alikes("Москва – 5 мая") == "Москва – 5 мая"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
    | st.sampled_from(["Ada", "jo@example.org", int(CARD), CARD, "M\u00fcller\n", '"Ada"', "a%40b"])
    | st.sampled_from(['{"who": "Ada"}', f'{{"card": {CARD}}}']),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=15,
)  # fmt: skip


Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"


def shape(value: Json) -> object:
    """Return a value with its keys and its length, all leaves being alike."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else 0


@settings(max_examples=150, deadline=None)
@given(JSON_VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_json_stays_json_and_comes_back(value: Json, ascii_only: bool, indent: int | None) -> None:
    """Nothing is lost: any JSON has its keys and its shape after replacement, and all of itself when restored."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    try:
        spans = spans_of(text)
    except Unanswerable:
        return
    result = pseudonymise([text], [spans], KEY, {})
    if text[0] in "{[":
        assert shape(json.loads(result.texts[0])) == shape(value)
        assert CARD not in result.texts[0] or not any(map(bool, find_records(text)))
    assert restore(result.texts[0], result.originals).text == text


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(), max_size=80) | st.text('{}[]":,\\un0aA% &;#x\n\t|=()', max_size=80))
def test_every_form_of_a_text_leads_back_into_it(text: str) -> None:
    """Nothing private leaves: places of all views are inside of the text below and never fall."""
    layout = lay_out(text)
    for view, size in (
        (layout.view, len(text)), (normalise(text), len(text)), (decode_inline(text), len(text)),
        (decode_inline(layout.view.text).over(layout.view), len(text)),
    ):  # fmt: skip
        places = [view.place(index, index + 1) for index in range(len(view.text))]
        assert all(0 <= start <= end <= size for start, end in places)
        assert [start for start, _ in places] == sorted(start for start, _ in places)
        assert [end for _, end in places] == sorted(end for _, end in places)
    values = layout.values or ()
    assert all(0 <= value.start < value.end <= len(layout.view.text) for value in values if value.start != value.end)


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_what_was_encoded_is_read_again(text: str) -> None:
    """Nothing private leaves: whatever was encoded by percent signs, entities or base 64 is read as it was."""
    quoted = "".join(f"%{byte:02x}" for byte in text.encode())
    assert decode_inline(quoted).text == decode_inline(text).text
    if len(text) >= 6 and text.isascii() and text.isprintable():
        island = base64.b64encode(text.encode()).decode()
        assert [found.text for found in find_islands(island)][:1] == ([text] if len(island.rstrip("=")) >= 12 else [])
