"""The simulated cloud as the process that a demonstration starts, with a real local model."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from hybridmesh.agents.consultant.claude import ClaudeModel
from hybridmesh.agents.consultant.port import CloudReply, Question
from hybridmesh.infra.models.store import ModelStore
from hybridmesh.infra.simulated_cloud.record import read_record
from hybridmesh.schemas.consults import Prompt

pytestmark = [pytest.mark.connected, pytest.mark.model]

SCHEMA = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "blue"]}},
    "required": ["colour"],
    "additionalProperties": False,
}
# Starts the command given to it, says its process id, and waits to be killed.
PARENT = (
    "import subprocess, sys; child = subprocess.Popen(sys.argv[1:]); print(child.pid, flush=True); sys.stdin.read()"
)


@pytest.fixture(scope="module")
def model_folder() -> Path:
    """A small prepared model, in the user's cache."""
    store = ModelStore(Path.home() / ".cache" / "hybridmesh" / "models")
    return store.prepare("smollm2-135m", lambda _words, _share: None).folder


@pytest.fixture
def command(model_folder: Path, tmp_path: Path) -> list[str]:
    """The command line of a simulated cloud."""
    module = [sys.executable, "-m", "hybridmesh.infra.simulated_cloud"]
    return [*module, "--model-folder", str(model_folder), "--record", str(tmp_path / "record.jsonl")]


@pytest.fixture
def process(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A running one."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


async def test_it_answers_records_and_ends(process: subprocess.Popen[str], tmp_path: Path) -> None:
    """It runs on what you have: one command, no key, a real socket; what crossed it is on record, byte for byte."""
    said = json.loads(await asyncio.to_thread(first_line, process))
    assert (said["model"], said["simulated"]) == ("simulated-smollm2-135m", True)
    model = ClaudeModel(api_key=SecretStr("none"), clock=lambda: datetime.now(UTC), base_url=said["url"])
    sent: list[bytes] = []

    async def gate(body: bytes) -> None:
        sent.append(body)

    prompt = Prompt(system="Answer in JSON.", user="What colour is the sky?", json_schema=SCHEMA)
    reply = await model.ask(Question(prompt, "claude-sonnet-5-5", 40), gate)
    await model.close()
    assert isinstance(reply, CloudReply)
    assert reply.simulated
    assert json.loads(reply.text)["colour"] in ("red", "blue")
    assert [arrival.body for arrival in read_record(tmp_path / "record.jsonl")] == sent
    assert (tmp_path / "record.jsonl").stat().st_mode & 0o077 == 0
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 10) == 0


def test_it_does_not_outlive_its_parent(command: list[str]) -> None:
    """Nothing is hidden: no process stays behind when the one that started it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        child = psutil.Process(int(first_line(parent)))
        assert json.loads(first_line(parent))["simulated"]
        parent.kill()
        parent.wait()
        child.wait(10)
