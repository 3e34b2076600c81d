"""The README's commands and examples, run as they stand there: what it tells a newcomer to type works."""

import contextlib
import re
import shlex
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Generator, Sequence
from pathlib import Path

import psutil
import pytest
import yaml

from harness import eventually
from house import CHECKOUT
from hybridmesh.bus.endpoint import Endpoint
from hybridmesh.bus.settings import MeshSettings
from hybridmesh.infra.settings import load_settings
from mesh_process import MeshProcess, present

pytestmark = [pytest.mark.e2e, pytest.mark.model, pytest.mark.timeout(180)]

README = (CHECKOUT / "README.md").read_text("utf-8")
TICKET = "Hello,\n\nmy line has been down since Monday.\n\nKind regards,\nMargaret Oyelaran\n"
_SHELL = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_EXAMPLE = re.compile(r"^<!-- example: (\w+) -->\n```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(program: str) -> list[list[str]]:
    """Return the words of each command of a program in the README's ``sh`` blocks."""
    lines = [line for block in _SHELL.findall(README) for line in block.splitlines() if line.strip()]
    found = [shlex.split(line, comments=True) for line in lines]
    return [words for words in found if words[0] == program]


def example(name: str) -> str:
    """Return a marked Python example."""
    return {str(found): str(code) for found, code in _EXAMPLE.findall(README)}[name]


@pytest.fixture
def home(mesh: MeshProcess, tmp_path: Path) -> Path:
    """A folder where a newcomer stands: the mesh's data in its usual place, a ticket, and a record."""
    (tmp_path / ".hybridmesh").symlink_to(mesh.data, target_is_directory=True)
    (tmp_path / "ticket.txt").write_text(TICKET, "utf-8")
    (tmp_path / "records.jsonl").write_text('{"text": "Margaret Oyelaran, line 7", "key": "C-4711"}\n', "utf-8")
    return tmp_path


def typed(words: Sequence[str], home: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as it is typed, with the program of this environment."""
    program = str(Path(sys.executable).with_name(words[0]))
    return subprocess.run([program, *words[1:]], cwd=home, capture_output=True, text=True, timeout=150, check=False)


def test_every_command_is_of_a_program_that_is_checked_here() -> None:
    """It runs on what you have: no command of the README escapes these tests."""
    known = sum(len(commands(program)) for program in ("make", "hybridmesh", "docker"))
    assert known == sum(len(block.strip().splitlines()) for block in _SHELL.findall(README))


@pytest.mark.parametrize("words", commands("make"), ids=" ".join)
def test_make_knows_the_target(words: list[str]) -> None:
    """It runs on what you have: the verbs that the README names are there."""
    dry = subprocess.run(["make", "-n", *words[1:]], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert dry.returncode == 0, dry.stderr


def test_the_program_does_what_the_readme_says(mesh: MeshProcess, home: Path) -> None:
    """It runs on what you have: each command of the README, in its order, against a mesh that is up."""
    task = ""
    ran: list[str] = []
    for words in commands("hybridmesh"):
        if words[1] in ("up", "run"):
            continue  # each has a test of its own
        done = typed([task if word == "TASK" else word for word in words], home)
        assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}\n{done.stderr}"
        ran.append(words[1])
        if words[1] == "submit":
            assert "Margaret Oyelaran" in done.stdout
            task = next(line.split()[1] for line in done.stderr.splitlines() if line.startswith("task "))
        if words[1] == "explain":
            assert task in done.stdout
            assert all(check in done.stdout for check in ("security", "complexity", "cost", "speed"))
    on_a_task = ["memory", "submit", "result", "explain", "approvals", "feedback", "audit", "audit", "audit"]
    assert ran == ["doctor", *on_a_task, "vault", "vault", "bus", "bus"]


def test_the_settings_of_the_readme_are_settings(tmp_path: Path) -> None:
    """It runs on what you have: what it says to write into ``mesh.toml`` is understood, and is no default."""
    [block] = re.findall(r"^```toml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    (tmp_path / "mesh.toml").write_text(block, "utf-8")
    told = load_settings(file=tmp_path / "mesh.toml", environment={})
    for section in tomllib.loads(block):
        assert getattr(told, section) != getattr(MeshSettings(), section)


@contextlib.contextmanager
def running(words: Sequence[str], home: Path) -> Generator[psutil.Process]:
    """Run a command that goes on until it is asked to stop, and see that it then ends well."""
    log = home / "run.log"
    program = str(Path(sys.executable).with_name(words[0]))
    with log.open("wb") as out:
        process = subprocess.Popen([program, *words[1:]], cwd=home, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        assert process.wait(30) == 0, log.read_text("utf-8")


async def test_up_and_run_take_the_words_that_the_readme_gives_them(mesh: MeshProcess, home: Path) -> None:
    """It runs on what you have: ``up`` is what started this mesh, and ``run`` starts replicas by URL."""
    assert ["hybridmesh", "up"] in commands("hybridmesh")
    [words] = [words for words in commands("hybridmesh") if words[1] == "run"]
    url = Endpoint.read(mesh.data).url
    shown = [url if word.startswith("nats://") else "2" if word.isdigit() else word for word in words]
    async with mesh.client() as client:
        with running([*shown, *mesh.sets], home) as process:

            async def two_more() -> bool:
                return len({child.pid for child in process.children()} & (await present(client)).keys()) == 2

            await eventually(two_more, 60)


@pytest.mark.parametrize("words", commands("docker"), ids=" ".join)
def test_the_compose_file_has_what_the_readme_scales(words: list[str]) -> None:
    """It runs on what you have: the file is there, and each service that is scaled is one of its own."""
    assert words[1] == "compose"
    file = CHECKOUT / words[words.index("-f") + 1]
    if not file.exists():
        pytest.skip(f"{file.name} is not there")
    services = yaml.safe_load(file.read_text("utf-8"))["services"]
    scaled = [word.partition("=") for word in words[words.index("--scale") + 1 :]]
    assert scaled
    assert all(name in services and number.isdigit() for name, _, number in scaled)


@pytest.mark.parametrize("words", commands("docker"), ids=" ".join)
def test_docker_compose_reads_the_file(words: list[str]) -> None:
    """It runs on what you have: where there is a client with compose, it finds nothing to complain of."""
    asked = ["docker", "compose", "version"]
    if shutil.which("docker") is None or subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("no docker client with compose")
    place = words[words.index("-f") + 1]
    done = subprocess.run(
        ["docker", "compose", "-f", place, "config", "--quiet"],
        cwd=CHECKOUT,
        env={
            "PATH": str(Path(str(shutil.which("docker"))).parent),
            **dict.fromkeys(("NATS_STORE_KEY", "QDRANT_API_KEY"), "test"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_example_of_a_client_runs(mesh: MeshProcess, home: Path) -> None:
    """Nothing is hidden: the program of the README prints a result, and then the log of how it came about."""
    program = [sys.executable, "-u", "-c", example("client")]
    with subprocess.Popen(program, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines = lines_until(process, "task.ended", seconds=120)
    assert lines[0].startswith("task_id=")
    assert any(line.startswith("decomposer task.accepted") for line in lines)
    assert lines[-1].startswith("decomposer task.ended")


def test_lines_that_come_at_once_are_all_read() -> None:
    """Nothing is hidden: a line that waits in a buffer is seen, though the pipe below it is empty."""
    program = [sys.executable, "-c", "import time; print('first\\nlast', flush=True); time.sleep(60)"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert lines_until(process, "last", seconds=30) == ["first", "last"]


def lines_until(process: "subprocess.Popen[str]", word: str, seconds: float) -> list[str]:
    """Return the lines that a program prints, up to one that holds a word, and end the program."""
    assert process.stdout is not None
    assert process.stderr is not None
    lines: list[str] = []
    bound = threading.Timer(seconds, process.kill)  # which ends the loop below
    bound.start()
    try:
        for line in process.stdout:
            lines.append(line.rstrip())
            if word in line:
                return lines
    finally:
        bound.cancel()
        process.kill()
    raise AssertionError(f"{word} was not printed: {lines}\n{process.stderr.read()}")


def test_the_example_without_our_library_runs(mesh: MeshProcess, tmp_path: Path) -> None:
    """It runs on what you have: a program that only speaks NATS submits a task and reads its end and its log."""
    program = [
        sys.executable,
        "-c",
        example("plain"),
        Endpoint.read(mesh.data).url,
        str(mesh.data / "keys" / "publisher.nk"),
    ]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    end, event = done.stdout.splitlines()[0], done.stdout.splitlines()[-1]
    assert end.startswith("mesh.task.completed."), end
    assert event.startswith("mesh.audit.recorded."), event
