"""What people type and give: files, deadlines, names; each bad one is named with its remedy."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.bus.errors import UsageError
from hybridmesh.infra.cli.console import printable
from hybridmesh.infra.cli.deadlines import parse_deadline
from hybridmesh.infra.cli.inputs import read_inputs, read_list
from hybridmesh.infra.cli.names import check_known, read_step_id, read_task_id

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LIMIT = 1000


def test_files_and_stdin_are_read_by_name(tmp_path: Path) -> None:
    """Nothing is lost: every character of a text arrives, and a byte order mark is none of them."""
    (tmp_path / "a.txt").write_text("Zoë 🙂\r\nend", "utf-8", newline="")
    (tmp_path / "b.txt").write_bytes(b"\xef\xbb\xbfmarked")
    texts = read_inputs([str(tmp_path / "a.txt"), "-", str(tmp_path / "b.txt")], LIMIT, io.BytesIO(b"piped"))
    assert texts == {"a.txt": "Zoë 🙂\r\nend", "stdin": "piped", "b.txt": "marked"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF\0\1", "binary"),
        (b"caf\xe9", "not UTF-8 text (byte 3)"),
        (b"x" * (LIMIT + 1), "more than 1,000 bytes"),
        ("x".encode("utf-16"), "binary"),
    ],
)
def test_a_file_that_is_no_text_is_named_with_its_remedy(tmp_path: Path, content: bytes, words: str) -> None:
    """Nothing is half done."""
    (tmp_path / "odd.dat").write_bytes(content)
    for name, stdin in ((str(tmp_path / "odd.dat"), b""), ("-", content)):
        with pytest.raises(UsageError) as caught:
            read_inputs([name], LIMIT, io.BytesIO(stdin))
        assert words in str(caught.value)
        assert caught.value.remedy


def test_missing_files_folders_and_twins_are_refused(tmp_path: Path) -> None:
    """Nothing is lost: of two inputs with one name, none hides the other."""
    (tmp_path / "in").mkdir()
    for place in (tmp_path, tmp_path / "in"):
        (place / "a.txt").write_text("a")
    twins = [str(tmp_path / "a.txt"), str(tmp_path / "in" / "a.txt")]
    for files in ([str(tmp_path / "none.txt")], [str(tmp_path / "in")], twins, [str(tmp_path / "bad\udc80.txt")]):
        with pytest.raises(UsageError) as caught:
            read_inputs(files, LIMIT, io.BytesIO())
        assert caught.value.remedy
        str(caught.value).encode()


def test_a_list_is_read_as_an_input_is(tmp_path: Path) -> None:
    """Nothing is hidden: and what is wrong with it is told in words that fit a list."""
    (tmp_path / "terms.txt").write_text("a\nb", "utf-8")
    assert read_list(str(tmp_path / "terms.txt"), io.BytesIO()) == ("terms.txt", "a\nb")
    assert read_list("-", io.BytesIO(b"c")) == ("stdin", "c")
    for place, remedy in ((str(tmp_path), "name a file in it"), ("/dev/zero", "split it")):
        with pytest.raises(UsageError) as caught:
            read_list(place, io.BytesIO())
        assert caught.value.remedy == remedy


def test_an_endless_file_is_read_only_to_the_limit() -> None:
    """It runs on what you have: no input eats the memory."""
    with pytest.raises(UsageError, match="more than"):
        read_inputs(["/dev/zero"], LIMIT, io.BytesIO())


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", NOW + timedelta(seconds=90)),
        ("5m", NOW + timedelta(minutes=5)),
        (" 1.5H ", NOW + timedelta(minutes=90)),
        ("2d", NOW + timedelta(days=2)),
        ("2030-02-01", datetime(2030, 2, 1, tzinfo=UTC)),
        ("2030-02-01T10:00+02:00", datetime(2030, 2, 1, 8, tzinfo=UTC)),
    ],
)
def test_deadlines_are_understood(text: str, moment: datetime) -> None:
    """It runs on what you have."""
    assert parse_deadline(text, NOW) == moment


@given(st.text())
def test_any_other_deadline_is_refused_with_a_remedy(text: str) -> None:
    """Nothing is half done: no text is a crash."""
    found: datetime | UsageError
    try:
        found = parse_deadline(text, NOW)
    except UsageError as error:
        found = error
    assert found.tzinfo if isinstance(found, datetime) else found.remedy


def test_an_endless_deadline_is_refused() -> None:
    """Nothing is half done."""
    with pytest.raises(UsageError):
        parse_deadline("9" * 400 + "d", NOW)


def test_the_nearest_name_is_offered() -> None:
    """It runs on what you have, and says what that is."""
    with pytest.raises(UsageError) as near:
        check_known("profile", "secure-reserch", ["balanced", "secure-research"])
    with pytest.raises(UsageError) as far:
        check_known("profile", "xyz", ["balanced", "secure-research"])
    assert near.value.remedy == "did you mean secure-research?"
    assert far.value.remedy == "known are balanced, secure-research"


@pytest.mark.parametrize("text", ["", "*", ">", "01975f0a-0000-7000-8000-00000000000", "a.b", "x" * 36])
def test_what_is_no_id_never_becomes_a_subject(text: str) -> None:
    """Nothing private leaves: a wildcard for an id would read other people's tasks."""
    with pytest.raises(UsageError) as caught:
        read_task_id(text)
    assert caught.value.remedy


def test_ids_are_read_as_they_stand_on_the_bus() -> None:
    """Nothing is lost."""
    assert read_task_id(" 01975F0A-0000-7000-8000-000000000000\n") == "01975f0a-0000-7000-8000-000000000000"
    assert read_step_id("draft-1") == "draft-1"
    with pytest.raises(UsageError):
        read_step_id("Draft 1")


@given(st.text())
def test_no_text_steers_the_terminal(text: str) -> None:
    """Nothing is hidden: a document cannot paint over what the command line says."""
    shown = printable(text)
    assert not any(ord(char) < 32 and char not in "\t\n" for char in shown)
    assert not any(0x7F <= ord(char) <= 0x9F for char in shown)
    assert printable(shown) == shown
