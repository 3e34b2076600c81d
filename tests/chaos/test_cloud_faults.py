"""Every way in which a cloud can fail: the task is completed all the same, and the books say what was spent."""

import contextlib
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

import pytest

from chaos.faults import Row, aftermath, submit
from chaos.hosted_mesh import HostedMesh
from chaos.scripted_cloud import CHOICE, ScriptedCloud
from cloud_double import Part, answer, as_json, cut_short, failure, message, rate_limited, reset, silence, web_page
from hybridmesh.agents.consultant.prices import price_of
from hybridmesh.bus.client import Mesh

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.model,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="session"),
]

TASKS = 2
# What one good answer of the double costs, by its usage; what nobody knows is booked as what was set aside for it.
PRICE = price_of("anthropic", "claude-sonnet-5-5", 12, 7)
Booked = Literal["answer", "nothing", "reservation"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What the cloud plays first and from then on, and what every call is booked as in the end."""

    booked: Booked
    first: Sequence[Part] = ()
    always: Part | None = None
    door: Literal["open", "closed", "walled"] = "open"


def each(part: Part) -> Sequence[Part]:
    """Once for each task."""
    return [part] * TASKS


GOOD = answer(CHOICE)
FAULTS = {
    "429, retry-after 1 s": Fault("answer", each(rate_limited("1"))),
    "429, retry-after an hour": Fault("nothing", each(rate_limited("3600"))),
    "429, no retry-after": Fault("answer", each(rate_limited())),
    "529 storm": Fault("nothing", always=failure(529, "overloaded_error")),
    "529 once": Fault("answer", each(failure(529, "overloaded_error"))),
    "500 with HTML": Fault("nothing", always=web_page(500)),
    "200 with HTML": Fault("reservation", always=web_page()),
    "answer cut": Fault("reservation", always=cut_short(GOOD, 40)),
    "wrong shape": Fault("reservation", always=as_json({"type": "message", "content": "billing"})),
    "refusal": Fault("answer", always=as_json(message("", stop="refusal"))),
    "connection reset": Fault("reservation", always=reset()),
    "no answer": Fault("reservation", always=silence()),
    "silence in mid-answer": Fault("reservation", always=replace(cut_short(GOOD, 40), then="hang")),
    "connection refused": Fault("nothing", door="closed"),
    "connection never taken": Fault("nothing", door="walled"),
}


def door_of(cloud: ScriptedCloud, fault: Fault) -> AbstractAsyncContextManager[None]:
    """Return what holds the cloud's door as the fault wants it."""
    match fault.door:
        case "open":
            return contextlib.nullcontext()
        case "closed":
            return cloud.closed()
        case "walled":
            return cloud.unreachable()


# The rest waits for a cloud that does not come back.
QUICK = FAULTS.keys() - {"429, no retry-after", "529 storm", "500 with HTML", "200 with HTML", "connection refused"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.short] if name in QUICK else []) for name in FAULTS]
)
async def test_a_cloud_that_fails_costs_no_task_and_no_unbooked_money(
    name: str,
    mesh: HostedMesh,
    client: Mesh,
    cloud: ScriptedCloud,
    report: Callable[[Row], None],
) -> None:
    """It runs on what you have: with a cloud that fails, the step is answered at home or a little later."""
    fault = FAULTS[name]
    cloud.play(*fault.first, always=fault.always)
    async with door_of(cloud, fault):
        began = time.monotonic()
        ids = await submit(client, TASKS)
        after = await aftermath(mesh, client, ids, cloud)
    report(after.row(f"cloud: {name}", began, note=f"{cloud.asked} calls, booked: {fault.booked}"))
    after.check()
    assert after.outcomes == {"completed": TASKS}
    booked = {
        "answer": [PRICE] * TASKS,
        "nothing": [Decimal(0)] * TASKS,
        "reservation": [entry.reserved for entry in after.entries],
    }
    assert [entry.settled for entry in after.entries] == booked[fault.booked]
    assert len(after.entries) == TASKS
