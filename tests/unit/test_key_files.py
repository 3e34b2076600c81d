"""Key files and addresses that are none: each is named, and is a matter of set-up and no fault of the program."""

import contextlib
import itertools
import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from command_line import run_command
from hybridmesh.bus.errors import SetupError, UsageError
from hybridmesh.bus.identity import KeyRing, read_identity, read_keys, read_seed, read_vault_key
from hybridmesh.bus.settings import BusSettings
from hybridmesh.bus.tls import servers_of
from hybridmesh.infra.cli.exit_codes import ExitCode
from hybridmesh.infra.provision import create_keys, rotate_keys


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keys folder of a mesh."""
    folder = tmp_path_factory.mktemp("keys")
    create_keys(folder)
    return folder


READERS: dict[str, Callable[[Path], object]] = {
    "ring.json": KeyRing.read,
    "router.key": lambda folder: read_identity(folder, "router"),
    "router.nk": lambda folder: read_identity(folder, "router"),
    "provisioner.nk": lambda folder: read_seed(folder, "provisioner"),
    "vault.kek": read_vault_key,
}
DAMAGE = (b"", b"\xff\xfe", b"{", b"[1]", b'{"router": 3}', b'{"router": ["zz"]}', b"x" * 31)


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", READERS)
def test_a_damaged_key_file_is_named(name: str, damage: bytes, keys: Path, tmp_path: Path) -> None:
    """It runs on what you have: a copy that broke off is said to be damaged, by its path, for each kind of file."""
    for path in keys.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    READERS[name](tmp_path)
    (tmp_path / name).write_bytes(damage)
    with pytest.raises(SetupError, match="is damaged") as caught:
        READERS[name](tmp_path)
    assert str(tmp_path / name) in str(caught.value)
    if name != "vault.kek":
        with pytest.raises(SetupError, match="is damaged"):
            create_keys(tmp_path)


@pytest.mark.parametrize("name", ["ring.json", "router.key", "vault.kek"])
def test_a_key_that_is_missing_is_missed_in_its_folder(name: str, tmp_path: Path) -> None:
    """It runs on what you have: who named the wrong folder sees which one was looked into."""
    with pytest.raises(SetupError) as caught:
        READERS[name](tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("url", ["nats://[::1", "nats://a:b", "nats://", "nats://:4222", "nats://a:0", "a:4222", ""])
def test_what_is_no_address_is_refused(url: str) -> None:
    """It runs on what you have: a mistyped address is a mistyped address."""
    with pytest.raises(UsageError, match="no address of a bus"):
        servers_of(url, BusSettings(clear_text=True))


@pytest.mark.parametrize("damaged", [True, False])
def test_the_command_line_says_so(damaged: bool, keys: Path, tmp_path: Path) -> None:
    """It runs on what you have: neither is called a bug of the program."""
    for name in ("ring.json", "publisher.key"):
        (tmp_path / name).write_bytes((keys / name).read_bytes())
    (tmp_path / "publisher.nk").write_bytes(b"SU" if damaged else (keys / "publisher.nk").read_bytes())
    url = "nats://127.0.0.1:1" if damaged else "nats://[::1"
    done = run_command("result", "00000000-0000-4000-8000-000000000000", "--keys", str(tmp_path), "--nats", url)
    assert done.code == (ExitCode.SETUP if damaged else ExitCode.USAGE)
    assert ("is damaged" if damaged else "no address") in done.err


class _CutOffError(BaseException):
    """A kill, as far as one process can have it."""


@contextlib.contextmanager
def cut_off(monkeypatch: pytest.MonkeyPatch, after: int) -> Generator[list[str]]:
    """End whoever changes the folder, once it has made so many changes; yields what was changed."""
    made: list[str] = []
    with monkeypatch.context() as patch:
        for name in ("link", "replace", "unlink"):
            whole = getattr(os, name)

            def change(*names: object, name: str = name, whole: Callable[..., None] = whole, **how: object) -> None:
                if len(made) == after:
                    raise _CutOffError
                made.append(name)
                whole(*names, **how)

            patch.setattr(os, name, change)
        with contextlib.suppress(_CutOffError):
            yield made


def test_a_rotation_that_is_cut_off_leaves_keys_that_count_and_is_finished_later(
    keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost, no one gets in: after each of its changes to the folder, and the cloud's folder follows."""
    before = KeyRing.read(keys)
    for after in itertools.count():
        folder = tmp_path / str(after)
        shutil.copytree(keys, folder)
        with cut_off(monkeypatch, after) as made:
            rotate_keys(folder, ["consultant", "router"])
            create_keys(folder)
        for name in ("consultant", "router"):
            identity, ring = read_keys(folder, name)
            assert ring.holds(name, identity.sign(b"x"), b"x"), (after, name)
        create_keys(folder)
        ring = KeyRing.read(folder)
        for name in ("consultant", "router"):
            old = read_identity(keys, name)
            identity, _ = read_keys(folder, name)
            assert ring.holds(name, identity.sign(b"x"), b"x"), (after, name)
            assert ring.holds(name, old.sign(b"x"), b"x"), (after, name)
        assert not list(folder.glob("**/*.next"))
        for name in ("consultant.key", "consultant.nk", "ring.json"):
            assert (folder / "cloud" / name).read_bytes() == (folder / name).read_bytes(), (after, name)
        if len(made) < after:  # it came to its end
            assert after > 8
            assert (ring["router"], ring["consultant"]) != (before["router"], before["consultant"])
            return
