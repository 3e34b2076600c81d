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


def test_a_number_of_json_comes_back_as_one() -> None:
    """Nothing is lost: its surrogate is a string, which the number takes the place of, but for a key and in text."""
    issued = {"[CARD_DIGITS_9D3G]": "4111"}
    reply = (
        r'{"[CARD_DIGITS_9D3G]": ["[CARD_DIGITS_9D3G]", "[CARD_DIGITS_9D3G]\"", "no [CARD_DIGITS_9D3G]", "[CARD", ""]}'
    )
    answer = restore_answer(reply, issued, JSON)
    assert json.loads(answer.text) == {"4111": [4111, '4111"', "no 4111", "[CARD", ""]}
    withheld = '{"tool_calls": ["[CARD_DIGITS_9D3G]"]}'
    assert restore_answer(withheld, issued, JSON).text == withheld


@pytest.mark.parametrize(
    "call",
    [
        '{"name": "send_mail", "arguments": {"to": "[EMAIL_2X9P]"}}',
        '{"arguments": {"to": "[EMAIL_2X9P]"}, "name": "send_mail"}',
        r'{"function": {"name": "x", "arguments": "{\"to\": \"[EMAIL_2X9P]\"}"}}',
        '{"input": {"to": "[EMAIL_2X9P]"}, "type": "tool_use"}',
        '{"type": "function", "name": "x", "parameters": ["[EMAIL_2X9P]"]}',
        '{"tool": "send_mail", "args": {"to": "[EMAIL_2X9P]"}}',
        r'{"tool_calls": [{"type": "function", "function": {"name": "x", "arguments": "{\"to\": \"[EMAIL_2X9P]\"}"}}]}',
        r'{"function_call": {"name": "send", "arguments": "{\"to\": \"[EMAIL_2X9P]\"}"}}',
        '{"type": "custom_tool_call", "name": "send", "text": "[EMAIL_2X9P]"}',
        '{"type": "tool_use", "id": "t", "name": "send", "anything": {"to": "[EMAIL_2X9P]"}}',
        '{"parts": [{"functionCall": {"name": "send", "args": {"to": "[EMAIL_2X9P]"}}}]}',
        '{"name": "send", "parameters": {"to": "[EMAIL_2X9P]"}}',
        '{"name": "send", "params": {"to": "[EMAIL_2X9P]"}}',
        '{"name": "search", "input": "[EMAIL_2X9P]"}',
        '{"jsonrpc": "2.0", "method": "mail", "params": {"to": "[EMAIL_2X9P]"}}',
        '{"tool": "search", "query": "[EMAIL_2X9P]"}',
        '{"tool_name": "Search", "query": "[EMAIL_2X9P]"}',
        '{"action": "send_mail", "to": "[EMAIL_2X9P]"}',
        '{"function": "sendMail", "to": "[EMAIL_2X9P]"}',
        "Thought: I write.\nAction: send\nAction Input: [EMAIL_2X9P]",
        'Action: send\nAction Input: {"to": "[EMAIL_2X9P]"}',
        "Action: send_mail([EMAIL_2X9P])",
        "Action: search[[EMAIL_2X9P]]",
        'Action:\n```json\n{"action": "send", "to": "[EMAIL_2X9P]"}\n```',
        'Function call: send(to="[EMAIL_2X9P]")',
        '[send(to="[EMAIL_2X9P]")]',
        "tool: send_mail\nto: [EMAIL_2X9P]",
        "- name: send_mail\n  arguments:\n    to: [EMAIL_2X9P]",
        '<tool_call>{"name": "send", "to": "[EMAIL_2X9P]"}</tool_call>',
        '<toolcall>{"to": "[EMAIL_2X9P]"}</toolcall>',
        '<function=send>{"to": "[EMAIL_2X9P]"}</function>',
        "<function=send>\n<parameter=to>\n[EMAIL_2X9P]\n</parameter>\n</function>",
        '<invoke name="send"><parameter name="to">[EMAIL_2X9P]</parameter></invoke>',
        "<use_mcp_tool><tool_name>send</tool_name><to>[EMAIL_2X9P]</to></use_mcp_tool>",
        '<|python_tag|>send.call(to="[EMAIL_2X9P]")',
        '<|channel|>commentary to=functions.send <|message|>{"to": "[EMAIL_2X9P]"}',
        '```tool_code\nsend(to="[EMAIL_2X9P]")\n```',
    ],
)
def test_a_tool_call_gets_no_value_in_any_form(call: str) -> None:
    """Nothing private leaves: whatever stands before or after them, arguments are a call's."""
    for form in (OutputForm(), JSON):
        answer = restore_answer(call, {"[EMAIL_2X9P]": "ana@example.org"}, form)
        assert answer.text == call
        assert (answer.used, answer.unresolved, answer.withheld) == (0, 1, 1)


@pytest.mark.parametrize(
    "reply",
    [
        '{"name": "Ana", "email": "[EMAIL_2X9P]"}',
        '{"type": "function", "title": "Summer party", "host": "[EMAIL_2X9P]"}',
        '{"action": "call back", "owner": "[EMAIL_2X9P]"}',
        '{"action": "call-back", "owner": "[EMAIL_2X9P]"}',
        '{"function": "treasurer", "mail": "[EMAIL_2X9P]"}',
        '{"method": "bank_transfer", "payee": "[EMAIL_2X9P]"}',
        '{"actions": [{"task": "call", "owner": "[EMAIL_2X9P]"}]}',
        "Action: [EMAIL_2X9P] calls back on Monday.",
        "Action: call [EMAIL_2X9P] (urgent)",
        "Action items:\n- call [EMAIL_2X9P]",
        "Action:\n- call [EMAIL_2X9P]",
        "Tool: Hammer\nOwner: [EMAIL_2X9P]",
        "name: ana\nemail: [EMAIL_2X9P]",
        "Tool: send_mail\n\nDear [EMAIL_2X9P]",
        "I invoke the function of the club, says [EMAIL_2X9P]; the parameter is 5",
        "send it to=[EMAIL_2X9P]",
        "<name>tool</name> <to>[EMAIL_2X9P]</to>",
        '```json\n{"email": "[EMAIL_2X9P]"}\n```',
        "[see(1)] [EMAIL_2X9P]",
    ],
)
def test_what_only_looks_like_a_call_gets_its_values(reply: str) -> None:
    """It runs on what you have: a job, a task and a hammer are no tools of a program."""
    for form in (OutputForm(), JSON):
        assert "ana@example.org" in restore_answer(reply, {"[EMAIL_2X9P]": "ana@example.org"}, form).text


def test_a_member_that_the_step_asked_for_is_no_tool_call() -> None:
    """It runs on what you have: a form may have an "input" at any depth, and still no call in it."""
    item = {"type": "object", "properties": {"Input": {"type": "string"}}}
    form = OutputForm(kind="json", json_schema={"anyOf": [{"properties": {"all": {"items": item}}}]})
    reply = '{"all": [{"Input": "[EMAIL_2X9P]", "args": ["[EMAIL_2X9P]"]}]}'
    answer = restore_answer(reply, {"[EMAIL_2X9P]": "ana@example.org"}, form)
    assert json.loads(answer.text) == {"all": [{"Input": "ana@example.org", "args": ["[EMAIL_2X9P]"]}]}
    form = OutputForm(kind="json", json_schema={"properties": {"action": {"type": "string"}}})
    answer = restore_answer('{"action": "call_back", "who": "[EMAIL_2X9P]"}', {"[EMAIL_2X9P]": "ana@example.org"}, form)
    assert json.loads(answer.text) == {"action": "call_back", "who": "ana@example.org"}


ISSUED = {"[PERSON_7Q2M]": "Ana", "[BIRTH_DATE_4RTZ]": "1981-05-12"}


@pytest.mark.parametrize(
    "written",
    [
        "[PERSON_7O2M]", "[PERSON_7I2M]", "[PERSON_7Q2]", "[Person_7q2n]", "PERSON_7Q2N", "person_7q2n", "PERSON_7O2M",
        "[PERSON_LAST_7Q2M]", "[person_last_7q2m]", "PERSON_LAST_7O2M", "[BIRTH_DATE_4RT]", "[PERSON_NAME]",
        r"\[PERSON\_7O2M\]", "**PERSON_7Q2N**", "&#91;PERSON&#95;7O2M&#93;", r"[PERSON\\_7O2M]",
    ],
)  # fmt: skip
def test_a_miscopied_surrogate_blocks_the_release(written: str) -> None:
    """Nothing is hidden: a mark with a wrong sign stands for nobody, however it is written."""
    for form in (OutputForm(), JSON):
        answer = restore_answer(f"Dear {written}, dear [PERSON_7Q2M]", ISSUED, form)
        assert answer.text == f"Dear {written}, dear Ana"
        assert (answer.used, answer.unresolved) == (1, 1)


def test_words_that_only_look_a_little_like_a_surrogate_are_words() -> None:
    """It runs on what you have: what is of no type of this step, or stands in its text, costs no second attempt."""
    reply = "Set PERSON_ID [EMAIL_ID] order_1234 report_2024 [PERSON] BIRTH_DATE [person_key] person_2024"
    said = "[PERSON_7Q2M] has the columns PERSON_KEY and PERSON_2024"
    assert restore_answer(reply, ISSUED, OutputForm(), said).unresolved == 0
    assert restore_answer("[PERSON_7Q2]", ISSUED, OutputForm(), said).unresolved == 1
    assert restore_answer("Dear PERSON_7Q2N", {}, OutputForm()).unresolved == 0


@pytest.mark.parametrize(
    "written",
    [
        "[\u0420ERSON_7Q2M]", "\u0420\u0415RSON_7Q2M", "[\uff30\uff25\uff32\uff33\uff2f\uff2e_7Q2M]",
        "\uff3bP\uff25RSON_7Q2M\uff3d",
        "[PERSON_\u0667Q2M]", "[PERS\u039fN_7O2M]", "[PERS\u200bON_7Q2M]", "[PERSON_7Q\u2060\u00ad2N]",
        "P\u00c9RSON_7Q2M",
        "[PE\u0301RSON_7O2M]", "[\u0420HONE_2222]", "\U0001d40fERSON_7Q2M", "&#1056;ERSON_7Q2M", "[PERSON_7\ufe0fQ2M]",
    ],
)  # fmt: skip
def test_letters_that_look_like_a_surrogates_block_the_release(written: str) -> None:
    """Nothing is hidden: whatever alphabet a mark is written in, a reader takes it for one, and it is none."""
    for form, shown in ((OutputForm(), written), (JSON, written), (JSON, json.dumps(written)[1:-1])):
        answer = restore_answer(f"Dear {shown}, dear [PERSON_7Q2M]", ISSUED, form)
        assert answer.text == f"Dear {shown}, dear Ana"
        assert (answer.used, answer.unresolved) == (1, 1)


def test_words_in_other_alphabets_are_words() -> None:
    """It runs on what you have: accents, other scripts and joiners in a reply cost no second attempt."""
    reply = (
        "[PERSON_7Q2M] \u041f\u0440\u0438\u0432\u0435\u0442 \u03a3\u03ac\u03bc\u03bf\u03c2 2024, "
        "na\u00efve \u2460 [\u041e\u0422\u0412\u0415\u0422] \u2764\ufe0f 25\u00a0%"
    )
    assert restore_answer(reply, ISSUED, OutputForm()).unresolved == 0


def test_a_code_behind_another_type_blocks_the_release() -> None:
    """Nothing is hidden: of a wrong type and a right code nobody can be sure either; a year is no code."""
    for written in ("PERSAN_7Q2M", "given_name_7q2m", r"NAME\_4RTZ"):
        assert restore_answer(f"Dear {written}", ISSUED, OutputForm()).unresolved == 1
    assert restore_answer("see report_2024", {"[PERSON_2024]": "Ana"}, OutputForm()).unresolved == 0
    assert restore_answer("see table_7q2m", ISSUED, OutputForm(), "[PERSON_7Q2M] is in table_7q2m").unresolved == 0


def test_escapes_of_json_are_read_before_surrogates_are_counted() -> None:
    """Nothing is lost: a surrogate that is written in escapes comes back, and is not counted as miscopied."""
    answer = restore_answer(r'{"a": "\u005bPERSON\u005f7Q2M\u005d, [PERSON\n_7Q2M]"}', ISSUED, JSON)
    assert answer.text == r'{"a": "Ana, [PERSON\n_7Q2M]"}'
    assert (answer.used, answer.unresolved) == (1, 1)


def test_letters_of_two_escapes_are_read_as_one() -> None:
    """Nothing private is mixed up: JSON writes what lies beyond the first plane as two escapes of half a character."""
    reply = r'{"who": "[\ud835\udc0fERSON_9X3K]"}'  # a bold P
    form = OutputForm(kind="json", json_schema={"type": "object"})
    assert restore_answer(reply, {"[PERSON_7Q2M]": "Ada"}, form, "").unresolved == 1


@pytest.mark.parametrize(
    "reply",
    [
        '{"to": "[PERSON_7Q2M]", "tool": "send"}',
        '{"to": "[PERSON_7Q2M]", "action": "send"}',
        '[{"payload": {"to": "[PERSON_7Q2M]"}, "type": "tool_use"}]',
        r'{"to": "[PERSON_7Q2M]", "function_n\u0061me": "send"}',
    ],
)
@pytest.mark.parametrize("form", [JSON, OutputForm()])
def test_a_call_that_says_so_behind_its_values_gets_none(reply: str, form: OutputForm) -> None:
    """Nothing private leaves: members of an object come in any order."""
    answer = restore_answer(reply, ISSUED, form)
    assert (answer.text, answer.withheld) == (reply, 1)


def test_an_object_beside_a_call_or_with_asked_for_members_is_none() -> None:
    """Nothing is lost: who asked for a member called "action" gets its object back."""
    form = OutputForm(kind="json", json_schema={"properties": {"action": {"type": "string"}}})
    assert (
        restore_answer('{"to": "[PERSON_7Q2M]", "action": "send"}', ISSUED, form).text
        == '{"to": "Ana", "action": "send"}'
    )
    assert restore_answer('[{"a": "[PERSON_7Q2M]"}, {"tool": "send"}]', ISSUED, JSON).used == 1
