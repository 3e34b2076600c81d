"""The model hub as a source: pinned, and quick to give up; against a real HTTP server on this machine."""

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hybridmesh.infra.models.entry import Entry, HubFile, Part, SourceFile, Wheel
from hybridmesh.infra.models.hub_source import HubSource
from hybridmesh.infra.models.progress import Amount, silent

CONTENT = b"weights" * 1000


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
        """Keep the test's output clean."""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[str]:
    served = tmp_path / "hub" / "owner" / "model" / "resolve" / "abc" / "deep"
    served.mkdir(parents=True)
    (served / "model.gguf").write_bytes(CONTENT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(tmp_path / "hub")))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))  # how soon it sees its end
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def entry(content: bytes = CONTENT, size: int = len(CONTENT), *, hub: bool = True) -> Entry:
    file = SourceFile(
        "model.gguf",
        hashlib.sha256(content).hexdigest(),
        size,
        (Part(Wheel("none", "1", "0" * 64), "none"),),
        HubFile("owner/model", "abc", "deep/model.gguf") if hub else None,
    )
    return Entry("m", "causal", "", "", "", (file,), 0)


def test_the_pinned_file_is_fetched(hub: str, tmp_path: Path) -> None:
    """It runs on what you have: the hub serves where it can be reached."""
    told: list[Amount | None] = []
    found = HubSource(hub).fetch(entry(), tmp_path, lambda _words, amount: told.append(amount))
    assert found == {"model.gguf": tmp_path / "model.gguf"}
    assert (tmp_path / "model.gguf").read_bytes() == CONTENT
    assert told[-1] == Amount(len(CONTENT), len(CONTENT))


@pytest.mark.parametrize(
    "wanted", [entry(b"other"), entry(size=10), entry(hub=False)], ids=["other bytes", "too long", "no address"]
)
def test_anything_else_is_no_answer(wanted: Entry, hub: str, tmp_path: Path) -> None:
    """Nothing private leaves: a page of a captive portal, or an exchanged file, is not taken for a model."""
    assert HubSource(hub).fetch(wanted, tmp_path, silent) is None


def test_a_missing_file_is_no_answer(hub: str, tmp_path: Path) -> None:
    """It runs on what you have: a file that the hub dropped lets the next source serve."""
    assert HubSource(f"{hub}/elsewhere").fetch(entry(), tmp_path, silent) is None


def test_a_hub_that_is_away_costs_no_time(tmp_path: Path) -> None:
    """It runs on what you have: without a way to the hub, the next source is asked at once."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    started = time.monotonic()
    assert HubSource(f"https://127.0.0.1:{port}").fetch(entry(), tmp_path, silent) is None
    assert time.monotonic() - started < 5
