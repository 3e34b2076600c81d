"""What a fault did to the tasks that were under way: counted from the streams, kept as a row of the table."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.hosted_mesh import HostedMesh
from chaos.scripted_cloud import ScriptedCloud, twice
from harness import eventually
from hybridmesh.bus.budgets import Entry, Spending
from hybridmesh.bus.client import Mesh
from hybridmesh.bus.state import State
from hybridmesh.bus.topology import Bucket
from hybridmesh.infra.audit_check import verify_log
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.tasks import TaskCompleted
from mesh_kills import attempt_of, end_of, ends_of, quiet

# One step each, which words decide where it is answered at home: a fault is seen, not the speed of a model.
ASKS, STAYS = "asks-the-cloud", "stays-at-home"
_WORKFLOW = """
title = "Sort"
[[steps]]
id = "sort"
title = "Category"
instruction = "What is the mail about? billing: invoices, charges, refunds. outage: line, offline, disconnected."
lane = "{lane}"
max_tokens = 12
output = {{ kind = "choice", options = ["billing", "outage"] }}
"""


# No words decide this one, and the option that the model will choose takes it seconds to write.
WRITES = "writes-at-home"
_COLOURS = ("red", "green", "blue", "black", "white", "brown", "grey", "yellow", "pink", "orange")
_THINGS = ("chair", "table", "lamp", "door", "book", "cup", "box", "coat", "shoe", "bag", "hat", "ball")
LONG_OPTION = " ".join(f"the {colour} {thing}" for colour in _COLOURS for thing in _THINGS)
_LONG_WORKFLOW = f"""
title = "Write"
[[steps]]
id = "write"
title = "Text"
instruction = "Which text fits the mail?"
lane = "local"
max_tokens = 2048
output = {{ kind = "choice", options = ["{LONG_OPTION}", "the red chair the red ~"] }}
"""


def write_workflows(folder: Path) -> Path:
    """Write the workflows; returns the folder for ``plans.workflows``."""
    folder.mkdir(parents=True)
    for name, lane in ((ASKS, "redacted"), (STAYS, "local")):
        (folder / f"{name}.toml").write_text(_WORKFLOW.format(lane=lane), "utf-8")
    (folder / f"{WRITES}.toml").write_text(_LONG_WORKFLOW, "utf-8")
    return folder


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of results."""

    fault: str
    tasks: int
    ended: int
    lost: int
    twice: int
    recovery_s: float | None = None
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        """Return what is printed."""
        recovery = "" if self.recovery_s is None else f"{self.recovery_s:.1f}"
        return self.fault, str(self.tasks), str(self.ended), str(self.lost), str(self.twice), recovery, self.note


HEADINGS = ("fault", "tasks", "ended", "lost", "twice", "recovery s", "note")


def table(rows: Sequence[Row]) -> str:
    """Return the rows in columns."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What the streams say of a set of tasks once everything is quiet."""

    tasks: int
    ends: dict[str, int]
    outcomes: Counter[str]
    settled: Counter[tuple[str | None, str | None, int]]
    answered: Counter[bytes]
    entries: tuple[Entry, ...]
    findings: int
    ended_at: float

    @property
    def lost(self) -> int:
        """How many tasks have no end."""
        return sum(count == 0 for count in self.ends.values())

    @property
    def twice(self) -> int:
        """How many ends, bookings and answers of the cloud there are beyond one of each."""
        counts = (*self.ends.values(), *self.settled.values(), *self.answered.values())
        return twice(counts)

    @property
    def booked(self) -> int:
        """How many calls of the cloud are in the books as made."""
        return sum(bool(entry.settled) for entry in self.entries)

    def row(self, fault: str, began: float | None = None, note: str = "") -> Row:
        """Return the line of the table; recovery is from ``began`` (monotonic) to the last task's end."""
        recovery_s = None if began is None else self.ended_at - began
        told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items()))
        notes = "; ".join(filter(None, (told, note)))
        return Row(fault, self.tasks, self.tasks - self.lost, self.lost, self.twice, recovery_s, notes)

    def check(self) -> None:
        """Hold it to the promises that no fault may break."""
        assert self.lost == 0
        assert self.twice == 0
        assert all(entry.settled is not None for entry in self.entries)
        assert self.booked >= self.answered.total()
        assert self.findings == 0


def mail(number: int) -> dict[str, str]:
    """Return inputs with something private, different for each number."""
    return {"mail": f"The invoice {number} charges me twice, I ask for a refund.\nWrite to jane{number}@example.com.\n"}


async def submit(client: Mesh, count: int, workflow: str = ASKS) -> list[str]:
    """Submit tasks of one workflow."""
    return [await client.submit("Sort this mail.", inputs=mail(number), workflow=workflow) for number in range(count)]


async def aftermath(
    mesh: HostedMesh, client: Mesh, ids: Sequence[str], cloud: ScriptedCloud, patience_s: float = 90
) -> Aftermath:
    """Wait for every end, or the end of the patience, and for quiet; then count."""
    outcomes: Counter[str] = Counter()
    until = time.monotonic() + patience_s
    for task_id in ids:
        try:
            end = await end_of(client, task_id, max(1.0, until - time.monotonic()))
        except TimeoutError:
            continue
        outcomes["completed" if isinstance(end, TaskCompleted) else end.reason] += 1
    ended_at = time.monotonic()
    await eventually(lambda: quiet(client), 60)
    events = [event for task_id in ids for event in await client.history(AuditEvent, f"*.{task_id}")]
    async with mesh.insight() as js:
        ledger = State(js, Bucket.BUDGETS, Spending)
        spendings = [await ledger.get(task_id) or Spending() for task_id in ids]
    return Aftermath(
        tasks=len(ids),
        ends={task_id: await ends_of(client, task_id) for task_id in ids},
        outcomes=outcomes,
        settled=Counter(attempt_of(event) for event in events if event.action is Action.SPEND_SETTLED),
        answered=cloud.answered.copy(),
        entries=tuple(entry for spending in spendings for entry in spending.entries.values()),
        findings=len((await verify_log(client.links.js, client.links.ring)).findings),
        ended_at=ended_at,
    )
