"""What the demo reads and where it writes: the user's own tickets, the report, and a folder that is cleared."""

import asyncio
import stat
from pathlib import Path
from typing import Any

import pytest

from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.settings import BusSettings, MeshSettings
from hybridmesh.infra.demo import run
from hybridmesh.infra.demo.report import open_report
from hybridmesh.infra.demo.summary import Summary
from hybridmesh.infra.demo.tickets import Ticket, read_tickets
from hybridmesh.infra.nats.server import take_lock
from hybridmesh.schemas.tasks import TaskFailed


def demo(data: Path, tickets: Path, report: Path | None = None, limit: int = 1024) -> int:
    """Run it; nothing here may come as far as to start a mesh."""
    settings = MeshSettings(data=data, bus=BusSettings(max_input_bytes=limit))
    said: list[str] = []

    def show(_: Summary, __: Path) -> None:
        pytest.fail("a demo came to its end")

    return asyncio.run(
        run.run_demo(settings, (), tickets=tickets, text_column="body", report=report, tell=said.append, show=show)
    )


@pytest.fixture
def no_mesh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts one here has checked too little before."""

    def start(*_: object) -> None:
        pytest.fail("a mesh was started")

    monkeypatch.setattr(run, "mesh_up", start)


@pytest.fixture
def tickets(tmp_path: Path) -> Path:
    """One ticket."""
    file = tmp_path / "tickets.csv"
    file.write_text("id,body\n1,hello\n")
    return file


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_columns_are_told_apart_as_spreadsheets_write_them(tmp_path: Path, mark: str) -> None:
    """It runs on what you have: a table that was saved in Germany has semicolons."""
    file = tmp_path / "tickets.csv"
    file.write_text(f'id{mark}body\n1{mark}"one, two; three"\n')
    assert read_tickets(file, "body") == [Ticket("1", "one, two; three")]


@pytest.mark.usefixtures("no_mesh")
def test_a_demo_leaves_alone_what_one_before_still_works_on(tmp_path: Path, tickets: Path) -> None:
    """Nothing is lost: a mesh that was kept up keeps its data."""
    kept = tmp_path / "demo" / "nats" / "store"
    kept.mkdir(parents=True)
    with take_lock(kept.parent), pytest.raises(UsageError, match="in use"):
        demo(tmp_path, tickets)
    assert kept.is_dir()


@pytest.mark.usefixtures("no_mesh")
def test_a_report_without_a_place_is_said_before_the_work(tmp_path: Path, tickets: Path) -> None:
    """Nothing is half done: minutes of work do not end in an error."""
    with pytest.raises(UsageError, match="is a folder"):
        demo(tmp_path, tickets, report=tmp_path)
    with pytest.raises(OSError, match="File exists"):
        demo(tmp_path, tickets, report=tickets / "report.html")


@pytest.mark.usefixtures("no_mesh")
def test_a_ticket_over_the_limit_is_named_before_the_work(tmp_path: Path) -> None:
    """Nothing is half done."""
    file = tmp_path / "tickets.csv"
    file.write_text(f"id,body\nT-7,{'x' * 2000}\n")
    with pytest.raises(UsageError, match="ticket T-7 has more than 1,024 bytes"):
        demo(tmp_path, file)


def test_a_report_is_its_owners_alone_also_where_a_file_was(tmp_path: Path) -> None:
    """Nothing private leaves: the report holds the tickets."""
    place = tmp_path / "report.html"
    place.touch(mode=0o644)
    place.chmod(0o644)
    open_report(place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


class SlowMesh:
    """Ends some tasks, and counts how many are under way; ``result`` of the ticket ``late`` never comes."""

    def __init__(self) -> None:
        self.under_way = self.most = 0
        self.texts: dict[str, str] = {}

    async def submit(self, _goal: str, *, inputs: dict[str, str], workflow: str) -> str:
        """Take a task on."""
        assert workflow
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        task_id = f"00000000-0000-0000-0000-{len(self.texts):012}"
        self.texts[task_id] = inputs["ticket"]
        return task_id

    async def result(self, task_id: str, *, timeout_s: float) -> TaskFailed:
        """End it."""
        assert timeout_s > 0
        await asyncio.sleep(0)
        self.under_way -= 1
        if self.texts[task_id] == "late":
            raise TimeoutError
        end = {"task_id": task_id, "outcome": "failed", "reason": "x", "finished_at": "2026-01-01T00:00:00Z"}
        return TaskFailed.model_validate(end)


async def test_many_tickets_have_each_their_own_time_and_one_that_is_late_takes_none_along() -> None:
    """Nothing is lost: all are submitted, a few at once, and each has its line."""
    rows = [Ticket(str(number), "late" if number == 40 else "text") for number in range(100)]
    mesh: Any = SlowMesh()
    outcomes, _ = await run.run_tickets(mesh, rows)
    assert [outcome.ticket for outcome in outcomes] == rows
    assert [outcome.why for outcome in outcomes if outcome.why != "x"] == ["no-end: it had not ended after 900 s"]
    assert mesh.most <= 32
