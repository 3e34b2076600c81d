"""Nothing private leaves: ``detect`` finds what is private without any server, and answers line by line."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from command_line import run_command

pytestmark = [pytest.mark.connected, pytest.mark.model]


def test_offsets_are_of_the_given_text() -> None:
    """Nothing private leaves: code points are counted, also behind characters that take two units elsewhere."""
    text = "😀 née: write to jo@example.org 👩‍👧 or +49 151 23456789"
    ran = run_command("detect", stdin=text.encode())
    assert ran.code == 0
    assert ran.json["id"] == "stdin"
    found = {text[span["start"] : span["end"]] for span in ran.json["spans"]}
    assert {"jo@example.org", "+49 151 23456789"} <= found
    assert all(set(span) == {"start", "end", "type", "score", "source"} for span in ran.json["spans"])


def test_good_lines_are_answered_and_bad_ones_named() -> None:
    """Nothing is lost: a bad line costs no other its answer, and the exit code says so."""
    lines = [b'{"id": "a", "text": "jo@example.org"}', b"{broken", b'{"id": 9, "text": "nothing"}']
    ran = run_command("detect", "--json", stdin=b"\n".join(lines))
    answers = [json.loads(line) for line in ran.out.splitlines()]
    assert [answer["id"] for answer in answers] == ["a", 9]
    assert [span["type"] for span in answers[0]["spans"]] == ["EMAIL"]
    assert answers[1]["spans"] == []
    assert "line 2: not JSON" in ran.err
    assert ran.code == 65


def test_a_text_that_is_no_text_is_said_as_a_whole() -> None:
    """Nothing is hidden: nothing was answered, and what helps is another encoding, not another form."""
    ran = run_command("detect", stdin=b"jo@example.org\ncaf\xe9")
    assert (ran.code, ran.out) == (65, "")
    assert "error: the text could not be read: line 2 is not UTF-8\n" in ran.err
    assert "iconv" in ran.err
    assert "other line" not in ran.err


def test_the_organisations_terms_of_the_settings_are_found(tmp_path: Path) -> None:
    """Nothing private leaves: without a server the terms of the settings hold."""
    (tmp_path / "mesh.toml").write_text('[privacy]\nterms = ["Projekt Falke"]\n')
    ran = run_command("detect", "--lines", "--config", str(tmp_path / "mesh.toml"), stdin=b"x\nder projekt falke")
    answers = [json.loads(line) for line in ran.out.splitlines()]
    assert [(answer["id"], [span["type"] for span in answer["spans"]]) for answer in answers] == [
        (1, []),
        (2, ["TERM"]),
    ]


def test_one_interrupt_ends_it_while_it_waits_for_input() -> None:
    """Nothing is half done: Ctrl-C is heard at once, and not after the next line."""
    words = (sys.executable, "-m", "hybridmesh.infra", "detect", "--lines")
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"jo@example.org\n")
        process.stdin.flush()
        assert b"EMAIL" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


def test_an_unread_text_is_private_as_a_whole() -> None:
    """Nothing private leaves: a text that nobody here reads is one span."""
    text = "Меня зовут Иван Петров, я живу в Москве на улице Ленина, дом пять." * 2
    ran = run_command("detect", stdin=text.encode())
    assert [(span["start"], span["end"], span["type"]) for span in ran.json["spans"]] == [(0, len(text), "UNREAD")]


UNKNOWN = "Igama lami nguSipho, ngicela ungithumelele incwadi yami ngokushesha ngoba ngiyayidinga kusasa ekuseni."


def test_texts_in_unknown_languages_are_counted_once() -> None:
    """Nothing is hidden: what is found in them is answered as ever, and that names are missed there is said."""
    texts = [UNKNOWN, "Please send it to the old address, the new one is not ready.", UNKNOWN]
    lines = [json.dumps({"id": number, "text": text}) for number, text in enumerate(texts)]
    ran = run_command("detect", stdin="\n".join(lines).encode())
    assert [json.loads(line)["id"] for line in ran.out.splitlines()] == [0, 1, 2]
    assert all(set(json.loads(line)) == {"id", "spans"} for line in ran.out.splitlines())
    assert (ran.code, ran.err.count("2 of 3 texts are in no language that is known")) == (0, 1)


def test_one_text_in_an_unknown_language_is_said() -> None:
    """Nothing is hidden: one text is told of as many are, and one in a known language is not."""
    ran = run_command("detect", "--text", stdin=UNKNOWN.encode())
    assert (ran.code, ran.err.count("the text is in no language that is known")) == (0, 1)
    ran = run_command("detect", stdin=b"Please send it to the old address, the new one is not ready, Ada.")
    assert (ran.code, ran.err) == (0, "")


def test_two_forms_at_once_are_refused() -> None:
    """Nothing is hidden: contradicting options are an error with its remedy."""
    assert run_command("detect", "--lines", "--text", stdin=b"x").code == 2


def test_each_line_is_answered_before_the_next_is_written() -> None:
    """Nothing is lost: a program may talk to it line by line, and may leave at any time."""
    command = [str(Path(sys.executable).parent / "hybridmesh"), "detect"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        stop = threading.Timer(50, child.kill)
        stop.start()
        for number in range(3):
            child.stdin.write(json.dumps({"id": number, "text": "jo@example.org"}).encode() + b"\n")
            child.stdin.flush()
            assert json.loads(child.stdout.readline())["id"] == number
        child.stdout.close()
        child.stdin.write(b'{"id": 4, "text": "x"}\n' * 3)
        child.stdin.close()
        assert child.wait(30) == 0
        assert child.stderr.read() == b""
        stop.cancel()
