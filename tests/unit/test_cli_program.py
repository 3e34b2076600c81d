"""The program as a whole: help of each command, exit codes, errors without a traceback, a light start."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from command_line import run_command
from hybridmesh.bus import errors
from hybridmesh.infra.cli import diagnosis
from hybridmesh.infra.cli.exit_codes import ExitCode
from hybridmesh.infra.cli.invocation import Invocation
from hybridmesh.infra.cli.program import app
from hybridmesh.infra.cli.remedies import exit_code_of, remedy_for

COMMANDS = [
    *(["doctor"], ["demo"], ["up"], ["run"], ["provision"]),
    *(["submit"], ["result"], ["explain"], ["feedback"], ["cancel"], ["agents"], ["ready"], ["detect"]),
    *(["approvals", name] for name in ("ls", "show", "approve", "deny")),
    *(["audit", name] for name in ("tail", "verify", "export", "prove", "verifier")),
    *(["dead-letters", name] for name in ("ls", "show", "replay", "drop")),
    *(["terms", name] for name in ("ls", "add", "remove")),
    *(["memory", name] for name in ("add", "search", "forget")),
    *(["model", name] for name in ("list", "prepare", "use", "export", "verify", "remove")),
    *(["vault", name] for name in ("rotate", "forget")),
    *(["bus", name] for name in ("config", "keys")),
    *(["workflow", name] for name in ("ls", "show")),
]
CASES: list[tuple[errors.MeshError, ExitCode]] = [
    (errors.UsageError("u", remedy="r"), ExitCode.USAGE),
    (errors.UsageError("u"), ExitCode.USAGE),
    (errors.SetupError("s", remedy="r"), ExitCode.SETUP),
    (errors.SetupError("s"), ExitCode.SETUP),
    (errors.MeshUnavailable("m"), ExitCode.UNAVAILABLE),
    (errors.StoreFailed("s"), ExitCode.UNAVAILABLE),
    (errors.MeshBusy("b", retry_after_s=5), ExitCode.UNAVAILABLE),
    (errors.TransientError("t"), ExitCode.UNAVAILABLE),
    (errors.UntrustedMessage("x"), ExitCode.TASK_FAILED),
    (errors.PermanentError("p"), ExitCode.TASK_FAILED),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_each_command_has_help_with_the_shared_options(words: list[str]) -> None:
    """Nothing is hidden: what a command does and takes can be asked."""
    ran = run_command(words, "--help")
    assert ran.code == 0
    assert "--data" in ran.out
    assert "--json" in ran.out
    assert "bool" not in ran.out  # a flag takes no value
    assert not ran.err


LOCAL = [
    *(["doctor"], ["demo"], ["detect"], ["audit", "verifier"]),
    *(["model", *words] for words in (["list"], ["prepare", "x"], ["export", "x", "--as", "x"])),
    *(["model", *words, "x"] for words in (["verify"], ["remove"])),
    *(["workflow", *words] for words in (["ls"], ["show", "x"])),
]


@pytest.mark.parametrize("option", ["--nats", "--keys"])
@pytest.mark.parametrize("words", LOCAL, ids=" ".join)
def test_a_command_that_goes_to_no_bus_takes_none(words: list[str], option: str) -> None:
    """Nothing is hidden: an option that would be ignored is not accepted."""
    ran = run_command(words, option, "x")
    assert ran.code == 2
    assert f"No such option: {option}" in ran.err
    assert option not in run_command(words[:2], "--help").out
    assert option in run_command("terms", "ls", "--help").out


def all_commands(program: object, *words: str) -> Iterator[tuple[list[str], str]]:
    """Yield each command that can be run, with its help."""
    if not isinstance(program, TyperGroup):
        yield list(words), str(getattr(program, "help", ""))
        return
    for name, item in program.commands.items():
        yield from all_commands(item, *words, name)


HELP = list(all_commands(get_command(app)))


def test_the_table_of_commands_is_all_of_them() -> None:
    """Nothing is hidden: no command escapes these tests."""
    assert sorted(words for words, _ in HELP) == sorted(COMMANDS)


@pytest.mark.parametrize(("words", "text"), HELP, ids=[" ".join(words) for words, _ in HELP])
def test_help_breaks_its_lines_where_the_terminal_ends(words: list[str], text: str) -> None:
    """It runs on what you have: a paragraph is one line, whatever the source's width."""
    assert text
    assert all("\n" not in paragraph for paragraph in text.strip().split("\n\n")), words


@pytest.mark.parametrize(("error", "code"), CASES, ids=lambda case: type(case).__name__)
def test_every_error_has_a_code_and_a_remedy(error: errors.MeshError, code: ExitCode) -> None:
    """Nothing is hidden: an error says what to do."""
    assert exit_code_of(error) is code
    assert remedy_for(error)


def test_a_bug_shows_its_type_and_not_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing private leaves: an unforeseen error may hold user text, so only its type is shown."""

    def broken(_: Invocation) -> None:
        raise LookupError("Dana Whitfield")

    monkeypatch.setattr("hybridmesh.infra.doctor_probes.look", broken)
    assert diagnosis.doctor.__name__ == "doctor"
    ran = run_command("doctor")
    assert ran.code == ExitCode.BUG
    assert "LookupError" in ran.err
    assert "report" in ran.err
    assert "Dana" not in ran.err + ran.out
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("where", ["bus config --out {}/no/x", "model prepare smollm2-135m --set cache={}/file"])
def test_a_place_that_cannot_be_used_is_named(tmp_path: Path, where: str) -> None:
    """Nothing is hidden: a path that is none, or of another kind, is the caller's to mend, and is no bug."""
    (tmp_path / "file").touch()
    ran = run_command(where.format(tmp_path).split(), "--data", str(tmp_path / "data"))
    assert ran.code == ExitCode.SETUP
    assert f"error: {tmp_path}/" in ran.err
    assert "remedy: name a file" in ran.err


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "error: No space left on device"),
        (PermissionError(errno.EACCES, "Permission denied", "/there"), "error: /there: Permission denied"),
        (OSError(errno.EIO, "Input/output error", "/there"), "error: /there: Input/output error"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "bug of hybridmesh (ConnectionRefusedError)"),
        (TimeoutError(), "bug of hybridmesh (TimeoutError)"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_the_system_refuses_is_told_from_a_bug(
    monkeypatch: pytest.MonkeyPatch, error: OSError, words: str
) -> None:
    """Nothing is hidden: a full disk is named with a remedy, and what nobody can mend stays a bug."""

    def broken(_: object) -> None:
        raise error

    monkeypatch.setattr("hybridmesh.infra.doctor_probes.look", broken)
    ran = run_command("doctor")
    assert words in ran.err
    assert "remedy: " in ran.err
    assert ran.code == (ExitCode.BUG if "bug" in words else ExitCode.SETUP)


STREAMS = ("stdin", "stdout", "stderr")


@pytest.mark.parametrize(
    ("closed", "words", "code", "told"),
    [
        ("stdout", ["model", "list"], ExitCode.SETUP, "error: standard output: it is closed"),
        ("stdout", ["--help"], ExitCode.SETUP, "error: standard output: it is closed"),
        ("stdin", ["submit", "x", "--input", "-"], ExitCode.SETUP, "error: standard input: it is closed"),
        ("stdin", ["submit", "x"], ExitCode.UNAVAILABLE, "error: no mesh runs"),
        ("stderr", ["submit", "x"], ExitCode.UNAVAILABLE, ""),
    ],
)
def test_a_closed_stream_is_named_by_who_uses_it(
    tmp_path: Path, closed: str, words: list[str], code: ExitCode, told: str
) -> None:
    """Nothing is hidden: what a service that closes its streams gets is a line and a code, where it needs them."""
    program = "import os, sys; os.close(int(sys.argv[1])); os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
    command = ["-c", "from hybridmesh.infra.cli import main; main()", *words]
    ran = subprocess.run(
        [sys.executable, "-c", program, str(STREAMS.index(closed)), *command],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert ran.returncode == code
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
@pytest.mark.parametrize("words", [["model", "list"], ["--version"]])
def test_a_full_output_is_said(words: list[str]) -> None:
    """Nothing is hidden: what cannot be written is no success, and no bug either."""
    command = [sys.executable, "-c", "from hybridmesh.infra.cli import main; main()", *words]
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == ExitCode.SETUP
    assert "No space left on device" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_goes_into_a_pipe_has_every_letter(encoding: str, tmp_path: Path) -> None:
    """It runs on what you have: data is UTF-8 there, whatever the locale, and no letter makes a command fail."""
    keys = tmp_path / "Grüße-北京"
    command = [sys.executable, "-c", "from hybridmesh.infra.cli import main; main()", "bus", "keys"]
    ran = subprocess.run(
        [*command, "--json", "--keys", str(keys)],
        capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": encoding},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout.decode("utf-8"))["folder"] == str(keys)


@pytest.mark.parametrize(("word", "code"), [("M\udcfcller", ExitCode.USAGE), ("Müller", ExitCode.BUG)])
def test_a_word_in_another_encoding_is_told_from_a_bug(
    monkeypatch: pytest.MonkeyPatch, word: str, code: ExitCode
) -> None:
    """Nothing is hidden: what is no text here is the caller's to mend, and so much is said."""

    def broken(_: object) -> None:
        word.encode("ascii")

    monkeypatch.setattr("hybridmesh.infra.doctor_probes.look", broken)
    ran = run_command("doctor", "--data", word)
    assert (ran.code, "a word of the command line is no text" in ran.err) == (code, code is ExitCode.USAGE)


def test_a_reader_that_has_gone_ends_a_command_without_a_word() -> None:
    """Nothing is hidden: what stands before ``| head`` has not failed, and says no more."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", "from hybridmesh.infra.cli import main; main()", "model", "list"]
    ran = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (ran.returncode, ran.stderr) == (ExitCode.READER_GONE, "")


@pytest.mark.parametrize("item", ["worker", "worker=0", "worker=²", "nobody=2", "worker=two"])
def test_a_number_of_replicas_that_is_none_is_named(item: str, tmp_path: Path) -> None:
    """Nothing is hidden: and nothing is started."""
    ran = run_command("up", "--replicas", item, "--data", str(tmp_path / "data"))
    assert (ran.code, f"--replicas {item} is not understood" in ran.err) == (ExitCode.USAGE, True)
    assert "decomposer" in ran.err  # the agents that there are
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "words", [["nonsense"], ["submit"], ["submit", "x", "--nonsense"], ["dead-letters", "show", "x"]]
)
def test_wrong_words_are_a_usage_error(words: list[str]) -> None:
    """Nothing is hidden."""
    assert run_command(words).code == ExitCode.USAGE


def test_an_unknown_setting_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing is hidden."""
    ran = run_command("agents", "--data", str(tmp_path_factory.mktemp("d")), "--set", "bus.max_trys=3")
    assert ran.code == ExitCode.USAGE
    assert "did you mean bus.max_tries?" in ran.err


@pytest.mark.parametrize("option", ["--data", "--keys", "--config", "--nats"])
def test_an_option_of_a_place_is_not_empty(option: str) -> None:
    """Nothing private leaves: a shell's variable that is not set is neither the current folder nor this one's mesh."""
    ran = run_command("bus", "keys", option, "") if option == "--keys" else run_command("agents", option, " ")
    assert (ran.code, "an option has an empty value" in ran.err) == (ExitCode.USAGE, True)


def test_the_start_is_light() -> None:
    """It runs on what you have: help is there at once, as nothing heavy is loaded for it."""
    code = "import sys, hybridmesh.infra.cli.program; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "typer" in loaded
    assert not {"asyncio", "pydantic", "nats", "faststream", "rich", "numpy", "onnxruntime", "cryptography"} & set(
        loaded
    )


@pytest.mark.parametrize("words", [["bus", "config"], ["bus", "keys"], ["provision"], ["doctor"], ["detect"]])
def test_what_speaks_as_no_person_takes_no_role(words: list[str]) -> None:
    """Nothing is hidden: a role that would be ignored is not accepted, and where it counts help tells of it."""
    assert "No such option: --as" in run_command(words, "--as", "publisher").err
    assert "--as" in run_command("audit", "tail", "--help").out


@pytest.mark.parametrize("words", [["bus", "config"], ["bus", "keys"]])
def test_what_goes_to_the_keys_alone_takes_no_bus(tmp_path: Path, words: list[str]) -> None:
    """Nothing is hidden: who names a bus there hears that it plays no part, and no keys are made."""
    ran = run_command(words, "--nats", "nats://127.0.0.1:1", "--keys", str(tmp_path / "keys"))
    assert (ran.code, "--nats" in ran.err, (tmp_path / "keys").exists()) == (ExitCode.USAGE, True, False)


def test_a_mesh_that_is_not_there_is_one_that_does_not_answer(tmp_path: Path) -> None:
    """Nothing is lost: who waits for a mesh to start sees one exit code, whichever way it is not there yet."""
    ran = run_command("result", "0192f0c1-7a5e-7cc3-98f2-3b1d6f0a4e11", "--data", str(tmp_path))
    assert (ran.code, "no mesh runs on this data folder" in ran.err) == (ExitCode.UNAVAILABLE, True)
    assert "remedy: start one with `hybridmesh up`, or name it with --data or --nats" in ran.err
