"""What people hear while a model is prepared, and the checks before it."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest

from hybridmesh.bus.errors import SetupError
from hybridmesh.infra.models import room
from hybridmesh.infra.models.catalog import CATALOG, DEFAULT
from hybridmesh.infra.models.entry import Entry
from hybridmesh.infra.models.free_memory import free_memory
from hybridmesh.infra.models.progress import Amount, Progress, ProgressLines, silent
from hybridmesh.infra.models.sources import Source, fetch_files

MB = 1_000_000


def test_size_share_and_time_left_are_told() -> None:
    """Nothing is hidden: a long download says how much there is, how much is done and how long it takes."""
    lines: list[str] = []
    seconds = iter([0.0, 1.0, 20.0, 20.1, 21.0, 300.0])
    say = ProgressLines("m", lines.append, clock=lambda: next(seconds))
    say("downloading", Amount(100 * MB, 500 * MB))  # what an earlier process left is no part of the speed
    say("downloading", Amount(110 * MB, 500 * MB))
    say("downloading", Amount(180 * MB, 500 * MB))
    say("downloading", Amount(181 * MB, 500 * MB))
    say("building", Amount(1, 24, is_bytes=False))
    say("load test", None)
    assert lines == [
        "m: downloading, 100 of 500 MB, 20%",
        "m: downloading, 180 of 500 MB, 36%, about 80 s left",
        "m: building, 4%",
        "m: load test",
    ]


def test_a_slow_download_is_heard_of_every_ten_seconds() -> None:
    """Nothing is hidden: minutes without a word look like a program that hangs."""
    lines: list[str] = []
    now = [0.0]
    say = ProgressLines("m", lines.append, clock=lambda: now[0])
    for second in range(31):
        now[0] = float(second)
        say("downloading", Amount(second, 10_000))
    assert len(lines) == 4


def test_too_little_memory_is_told_before_anything_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It runs on what you have: a machine that cannot run the model hears it first, with what it can do."""
    monkeypatch.setattr(room, "free_memory", lambda: 800 * MB)
    with pytest.raises(SetupError, match="MB of memory") as refused:
        room.check_room(CATALOG[DEFAULT], tmp_path, 0)
    assert "smaller model" in refused.value.remedy
    room.check_room(CATALOG["smollm2-135m"], tmp_path, 0)


@dataclass
class Usage:
    free: int


def test_what_is_downloaded_needs_no_second_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It runs on what you have: the second try is not refused for the room that the first one's files take."""
    entry = replace(CATALOG["smollm2-135m"], prepared_bytes=0)
    free = room.SPARE_BYTES + entry.source_bytes - MB
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(free))  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    with pytest.raises(SetupError, match="MB of disk"):
        room.check_room(entry, tmp_path, 0)
    room.check_room(entry, tmp_path, 2 * MB)


def write_group(folder: Path, limit: str, used: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")


def test_a_container_counts_its_own_limit(tmp_path: Path) -> None:
    """It runs on what you have: the memory of the host is not the container's."""
    assert free_memory(tmp_path) <= psutil.virtual_memory().total
    write_group(tmp_path, "1000", 300)
    assert free_memory(tmp_path) == 700
    (tmp_path / "memory.stat").write_text("anon 180\nfile 120\ninactive_file 90\nactive_file 30\n")
    assert free_memory(tmp_path) == 820  # what files left in memory makes room
    write_group(tmp_path, "max", 300)
    assert free_memory(tmp_path) > 1000


def test_a_service_counts_its_own_limit_and_those_above(tmp_path: Path) -> None:
    """It runs on what you have: a limit of systemd holds for what it starts, in the midst of the tree."""
    tree, own = tmp_path / "tree", tmp_path / "cgroup"
    own.write_text("0::/system.slice/mesh.service\n")
    write_group(tree / "system.slice" / "other.service", "1", 1)
    assert free_memory(tree, own) > 5000
    write_group(tree / "system.slice" / "mesh.service", "5000", 1000)
    assert free_memory(tree, own) == 4000
    write_group(tree / "system.slice", "5000", 2500)
    assert free_memory(tree, own) == 2500
    own.write_text("0::/docker/0123\n")  # the host's word for it, in a container that sees its own group only
    write_group(tree, "900", 200)
    assert free_memory(tree, own) == 700


def test_control_groups_of_the_first_version_count_too(tmp_path: Path) -> None:
    """It runs on what you have: an older host bounds memory in a tree of its own, with other names."""
    tree, own = tmp_path / "tree", tmp_path / "cgroup"
    own.write_text("5:devices:/\n4:cpu,memory:/jobs/7\nno line\n0::/\n")
    group = tree / "memory" / "jobs" / "7"
    group.mkdir(parents=True)
    (group / "memory.limit_in_bytes").write_text("8000\n")
    (group / "memory.usage_in_bytes").write_text("3000\n")
    (group / "memory.stat").write_text("inactive_file 1\ntotal_inactive_file 500\ntotal_active_file 100\n")
    (tree / "memory" / "memory.limit_in_bytes").write_text(f"{2**63 - 4096}\n")
    (tree / "memory" / "memory.usage_in_bytes").write_text("9000\n")
    assert free_memory(tree, own) == 5600
    own.unlink()
    assert free_memory(tree, own) > 5600


class Answering:
    """A source that has the files or not, and notes that it was asked."""

    def __init__(self, name: str, asked: list[str], *, has_files: bool) -> None:
        self.name = name
        self._asked, self._has_files = asked, has_files

    def fetch(self, entry: Entry, folder: Path, progress: Progress) -> dict[str, Path] | None:
        self._asked.append(self.name)
        return {"model.gguf": folder / "model.gguf"} if self._has_files else None


def test_the_first_source_that_has_the_files_serves(tmp_path: Path) -> None:
    """It runs on what you have: with the user's own files nobody else is asked."""
    asked: list[str] = []
    sources: list[Source] = [Answering(n, asked, has_files=n != "folder") for n in ("folder", "hub", "index")]
    fetched = fetch_files(sources, CATALOG[DEFAULT], tmp_path, silent)
    assert (fetched.source, asked) == ("hub", ["folder", "hub"])
