"""The second scan: what it stops, and what it lets pass."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridmesh.agents.consultant.checksums import iban_holds, luhn_holds
from hybridmesh.agents.consultant.egress_scan import scan_body, scan_text
from hybridmesh.agents.router.prompts import SYSTEM
from hybridmesh.schemas.surrogates import SURROGATE

PRIVATE = [
    ("email", "write to maria.sanchez+x@mail.example.org."),
    ("email", "write to maria＠example.org"),
    ("email", "maria\u200b@exam\u00adple.org"),
    ("card", "card 4111 1111 1111 1111 12/27"),
    ("card", "12 4111-1111-1111-1111"),
    ("card", "5500005555555559"),
    ("card", "3782 822463 10005"),
    ("card", "４１１１１１１１１１１１１１１１"),
    ("iban", "pay DE89 3704 0044 0532 0130 00 please"),
    ("iban", "gb82west12345698765432"),
    ("iban", "NL91ABNA0417164300"),
    ("ssn", "ssn 123-45-6789"),
    ("ssn", "123 45 6789 is hers"),
    ("ip", "from 192.168.17.4, twice"),
    ("ip", "host 2001:db8:85a3::8a2e:370:7334"),
    ("ip", "fe80::1ff:fe23:4567:890a"),
    ("phone", "call +34 612 345 678"),
    ("phone", "call,555-123-4567, thanks"),
    ("phone", "(0) 30 / 1234 5678"),
    ("phone", "06.12.34.56.78"),
    ("phone", "0612345678"),
    ("phone", "+1 (555) 123-4567"),
    ("phone", "call 1-800-555-0199"),
    ("phone", "items 1 2 3 555-123-4567"),
    ("phone", "555\u2011123\u20114567"),
    ("phone", "٠٦١٢٣٤٥٦٧٨"),
    ("secret", "key sk-ant-api03-abcdefghijklmnop"),
    ("secret", "AKIAIOSFODNN7EXAMPLE"),
    ("secret", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
    ("secret", "-----BEGIN RSA PRIVATE KEY-----"),
    ("secret", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"),
    ("secret", "password = hunter22butlonger"),
    ("secret", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY4x"),
    ("secret", "Cookie: theme=dark; PHPSESSID=q7f3k2m9x1b4"),
    ("secret", "set-cookie: sid=s%3AqW7-fl9KxT2v; Path=/; HttpOnly"),
    ("secret", 'curl -H "Cookie: visitor=Zk3qLmW9aa"'),
    ("secret", "GET /a;jsessionid=1A2B3C4D5E6F7A8B"),
    ("secret", '{"session_id": "b7Qz19fLw0KxTm4V"}'),
    ("secret", "csrftoken=9aF3kLm2QxZ7"),
    ("secret", "connect.sid = s%3Aabc123def456"),
    ("secret", "remember_me=8f2c1d0e9b7a6543"),
    ("secret", "refresh-token: 1//0gAb3cDe4fGhIj"),
    ("dictated-number", "my card is four one one one, one one one one, one one one one, one one one one"),
    ("dictated-number", "call me: oh seven nine double one two three four five"),
    ("dictated-number", "Four-one-five five-five-five two-two-one-two."),
    ("dictated-number", "five five 5 one two 1 two is it"),
    ("dictated-number", "null eins sieben sechs, zweiundvierzig, siebzehn, neunundachtzig, drei"),
    ("dictated-number", "zéro six douze trente-quatre cinquante-six soixante-dix-huit"),
    ("dictated-number", "seis uno dos, tres cuatro cinco, seis siete uno"),
    ("dictated-number", "tre quattro sette, uno due tre, nove otto sei cinque"),
    ("dictated-number", "nul zes een twee drie vier acht acht negen nul"),
    ("dictated-number", "pięć zero jeden, dwa dwa trzy, siedem osiem dziewięć"),
    ("dictated-number", "nove um dois, três quatro quatro, meia sete oito"),
    ("dictated-number", "**four** four\u00ad three nine nine two one"),
    ("url-credentials", "postgres://admin:s3cr3t@db.internal/x"),
    ("near-surrogate", "ask [PERSON_Maria Sanchez] about it"),
    ("near-surrogate", "ask [PERSON_7q2m] about it"),
    ("near-surrogate", "ask [PERSON_7Q2M"),
]

HARMLESS = [
    "",
    "Summarise the complaint of [PERSON_7Q2M] ([EMAIL_ADDRESS_K3ZZ], [PHONE_4821]) about [IBAN_22AB].",
    "password: [SECRET_AB12] and then 8 more12345 words",
    "The meeting is on 2026-11-23 10:30:00 or 24.12.2026; the old one was 2019-02-03T08:00.",
    "It grew from 12.50 to 13.75, then 1,250,000 in all (99.9 %).",
    "2026-11-23 12.50 2026-11-24 13.75 2026-11-25 14.25 2026-11-26",
    "std::vector<int> a::b; time 10:30:45; ratio 3:4",
    "listen on 127.0.0.1 or ::1",
    "years 2019 2020 2021 2022",
    "Dear [YOUR_NAME], see [RFC_EDITOR] and [see_below]",
    "arr[0], [x], [a-z], [1], [sic] and [MAX]",
    "claude-haiku-4-5-20251001",
    "token = request.headers()",
    "Cookie: SameSite=Strict; theme=lightmode2; Path=/",
    "We set a cookie: it remembers the language=English of a session for 30 days.",
    "session_id = request.cookies.get(name)",
    "sessionId: string; csrfToken: string",
    "sid=[SECRET_AB12]; auth_token=<your token>",
    "session key note, 3 sessions of 45 minutes",
    "Count with me: one, two, three, four, five, six, seven, eight, nine, ten!",
    "zehn, neun, acht, sieben, sechs, fünf, vier, drei, zwei, eins, null",
    "two of three, four in five, one or two",
    "between nineteen eighty-four and twenty twenty-six",
    "the marks were 1 2 1 3 2 2 1 1 2",
    "un homme et une femme, une table et un banc",
    "six seven, eight nine",
    "a-very-long-hyphenated-name-of-a-thing-that-nobody-needs",
    "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    '{"pattern": "^[a-z][a-z0-9_]{0,39}$", "maxLength": 6000}',
]


@pytest.mark.parametrize(("kind", "text"), PRIVATE)
def test_finds_values_with_a_form_of_their_own(kind: str, text: str) -> None:
    """Nothing private leaves: what the classifier missed is stopped at the door."""
    assert scan_text(text)[kind] >= 1


@pytest.mark.parametrize("text", HARMLESS)
def test_lets_pass_what_is_not_private(text: str) -> None:
    """It runs on what you have: a cloud that nothing may be sent to is of no use."""
    assert not scan_text(text)


@pytest.mark.parametrize(("kind", "text"), PRIVATE)
def test_reads_the_body_as_the_far_end_will(kind: str, text: str) -> None:
    """Nothing private leaves: neither escapes, nor keys, nor a repeated key hide a value."""
    escaped = json.dumps({"messages": [{"content": f"first line\n{text}"}]}).encode()
    as_key = json.dumps({"schema": {text: {"type": "string"}}}).encode()
    repeated = b'{"a": ' + json.dumps(text).encode() + b', "a": "nothing"}'
    for body in (escaped, as_key, repeated):
        assert scan_body(body).counts.get(kind, 0) >= 1


@pytest.mark.parametrize("body", [b"", b"not json", b'"\xff"', b"[" * 100_000])
def test_a_body_that_cannot_be_read_is_a_finding(body: bytes) -> None:
    """Nothing private leaves: doubt closes the door."""
    assert scan_body(body).counts == {"unreadable-body": 1}


def test_numbers_are_read_too() -> None:
    """Nothing private leaves: a card number need not be a string."""
    assert scan_body(b'{"const": 4111111111111111}').counts == {"card": 1}
    assert scan_body(b'{"max_tokens": 1024, "stream": false, "x": null, "y": 0.5}').total == 0


@given(st.text(), st.text(alphabet="abc \n", max_size=20))
def test_an_address_is_found_wherever_it_stands(before: str, after: str) -> None:
    """Nothing private leaves: no text around an address hides it."""
    assert scan_text(f"{before} maria@example.org {after}")["email"] >= 1


@settings(max_examples=40)
@given(st.lists(st.from_regex(SURROGATE, fullmatch=True, alphabet=st.characters(codec="ascii")), max_size=3))
def test_every_surrogate_passes(surrogates: list[str]) -> None:
    """It runs on what you have: what the classifier puts in place of a value is not taken for one."""
    assert not scan_text(", ".join(surrogates))


@given(st.text())
def test_any_text_can_be_scanned(text: str) -> None:
    """Nothing is lost: no input makes the scan itself fail."""
    scan_body(json.dumps({"content": text}).encode())


@given(st.from_regex(r"[2-6][0-9]{14}", fullmatch=True), st.sampled_from(["", " ", "-", "."]))
def test_every_card_number_is_found(stem: str, separator: str) -> None:
    """Nothing private leaves: every number that Luhn's sum makes a card's."""
    number = next(stem + str(last) for last in range(10) if luhn_holds(stem + str(last)))
    assert not luhn_holds(stem + str((int(number[-1]) + 1) % 10))
    written = separator.join(number[start : start + 4] for start in range(0, 16, 4))
    assert scan_text(f"it is {written} here").total() >= 1


@given(st.from_regex(r"[0-9]{18}", fullmatch=True))
def test_every_account_number_is_found(account: str) -> None:
    """Nothing private leaves: every number that MOD 97-10 makes an account's."""
    check = next(f"{digits:02}" for digits in range(2, 99) if iban_holds(f"DE{digits:02}{account}"))
    assert scan_text(f"to DE{check}{account} now")["iban"] == 1


@pytest.mark.parametrize("text", ["Placeholders of the form [PERSON_....] or [EMAIL_....].", "about INV-2026-10-4471"])
def test_a_form_and_a_reference_are_let_pass(text: str) -> None:
    """It runs on what you have: a guard that stops every prompt would leave the cloud unused."""
    assert not scan_text(text)


def test_the_prompt_of_the_redacted_lane_passes() -> None:
    """It runs on what you have: our own words never trip the guard."""
    assert not scan_text(SYSTEM)


@given(
    st.lists(
        st.sampled_from(["zero", "two", "six", "nine", "vier", "sieben", "cinq", "nueve"]), min_size=9, max_size=16
    )
)
def test_every_dictated_number_is_found(words: list[str]) -> None:
    """Nothing private leaves: a number in words is one number, in whatever languages it is told."""
    assert scan_text(f"it is {', '.join(words)}, thanks") == {"dictated-number": 1}
