"""A folder of keys that several programs change, or that one was killed in: whole, and nothing of a key left over."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from command_line import run_command
from hybridmesh.bus.claimed_files import sole_writer
from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.identity import KeyRing, read_keys
from hybridmesh.bus.secret_files import clear_drafts, write_secret
from hybridmesh.infra.cli.exit_codes import ExitCode
from hybridmesh.infra.provision import create_keys

_ROTATE = """
import sys
from pathlib import Path
from hybridmesh.bus.errors import UsageError
from hybridmesh.infra.provision import rotate_keys
done = 0
while done < 5:
    try:
        rotate_keys(Path(sys.argv[1]), [sys.argv[2]])
        done += 1
    except UsageError:
        pass
"""
_KILLED = """
import os, pathlib, signal, sys
from hybridmesh.bus import secret_files
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "before":
    os.link = die
else:
    pathlib.Path.unlink = die
secret_files.write_secret(pathlib.Path(sys.argv[1]), b"k" * 32)
"""


def test_rotations_in_several_processes_leave_a_folder_that_is_whole(tmp_path: Path) -> None:
    """Nothing is lost: no key is missing in the ring, and the cloud's folder has what the other one has."""
    create_keys(tmp_path)
    names = ("worker", "router", "consultant")
    running = [subprocess.Popen([sys.executable, "-c", _ROTATE, str(tmp_path), name]) for name in names]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    for name in names:
        _, ring = read_keys(tmp_path, name)
        assert len(ring.whole()._keys[name]) == 6  # pyright: ignore[reportPrivateUsage]
    for file in ("consultant.key", "consultant.nk", "ring.json"):
        assert (tmp_path / "cloud" / file).read_bytes() == (tmp_path / file).read_bytes()


def test_a_rotation_beside_another_one_is_refused(tmp_path: Path) -> None:
    """Nothing is lost: two in a row would have what the running agents sign count no more."""
    create_keys(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    with sole_writer(tmp_path, within_s=0):
        done = run_command("bus", "keys", "--rotate", "worker", "--keys", str(tmp_path))
    assert done.code == ExitCode.USAGE
    assert "another command is changing" in done.err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
    assert run_command("bus", "keys", "--rotate", "worker", "--keys", str(tmp_path)).code == 0
    assert KeyRing.read(tmp_path)["worker"].public_bytes_raw().hex() not in before["ring.json"].decode()


def test_who_needs_keys_waits_for_who_makes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs on what you have: a start beside a rotation is late by a moment, and one that hangs is named."""
    with sole_writer(tmp_path, within_s=0):
        waiting = threading.Thread(target=create_keys, args=(tmp_path,))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        assert not list(tmp_path.glob("*.key"))
        monkeypatch.setattr("hybridmesh.infra.provision._KEYS_TIMEOUT_S", 0.1)
        with pytest.raises(UsageError, match="another command"):
            create_keys(tmp_path)
    waiting.join(20)
    assert len(list(tmp_path.glob("*.key"))) > 8


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", ["vault.kek", "worker.key.next", ".consultant.key.copy"])
def test_what_a_killed_writer_leaves_goes_with_the_next_write(tmp_path: Path, name: str, when: str) -> None:
    """Nothing private leaves: a draft is a second name of the key, which would outlive the key's destruction."""
    done = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path / name), when], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert [path.read_bytes() for path in tmp_path.glob(f".{name}.*")] == [b"k" * 32]
    write_secret(tmp_path / "other.key", b"x")
    assert {path.name for path in tmp_path.iterdir()} == {"other.key"} | ({name} if when == "after" else set())


def test_the_draft_of_who_still_writes_stays(tmp_path: Path) -> None:
    """Nothing is lost: drafts are cleared beside their writers, and every secret is written whole all the same."""
    over = threading.Event()

    def clear() -> None:
        while not over.is_set():
            clear_drafts(tmp_path)

    clearing = threading.Thread(target=clear)
    clearing.start()
    try:
        for number in range(300):
            write_secret(tmp_path / f"{number}.key", bytes([number % 256]) * 32)
    finally:
        over.set()
        clearing.join()
    assert all((tmp_path / f"{number}.key").read_bytes() == bytes([number % 256]) * 32 for number in range(300))
    assert len(list(tmp_path.iterdir())) == 300


def test_a_file_that_is_no_draft_of_ours_stays(tmp_path: Path) -> None:
    """It runs on what you have: whatever else is in the folder is not ours to remove."""
    for name in (".lock", ".ring.json.12345678", ".profile.personal", "x.key.abcdefgh", ".worker.key.ABCDEFGH"):
        (tmp_path / name).write_bytes(b"")
    clear_drafts(tmp_path)
    assert len(list(tmp_path.iterdir())) == 5
