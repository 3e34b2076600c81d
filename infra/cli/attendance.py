"""``agents``: who is there, how busy they are, and how much waits for them."""

from typing import TYPE_CHECKING, Any

from hybridmesh.infra.cli.console import write_json, write_table
from hybridmesh.infra.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from hybridmesh.bus.client import Mesh


@command
def agents(call: Invocation) -> None:
    """List the agents that are alive, and the queue of each."""
    from hybridmesh.infra.cli.session import on_mesh

    rows = on_mesh(call, _read)
    if call.json:
        write_json({"agents": rows})
        return
    lines: list[tuple[object, ...]] = []
    for row in rows:
        queue = (row["waiting"], row["in_flight"])
        for replica in row["replicas"]:
            work = (replica["pid"], replica["since"], replica["busy"], replica["handled"])
            models = ", ".join(load["model"] for load in replica["loads"])
            lines.append((row["agent"], replica["instance"], *work, *queue, models, replica["note"]))
        if not row["replicas"]:
            lines.append((row["agent"], "not there", "", "", "", "", *queue, "", ""))
    write_table(
        ("agent", "instance", "pid", "since", "busy", "handled", "waiting", "in flight", "models", "note"), lines
    )


async def _read(mesh: "Mesh") -> list[dict[str, Any]]:
    """Return one object an agent: its queue (None where it has none) and its replicas."""
    from hybridmesh.bus.presence import Presence
    from hybridmesh.bus.topology import AGENTS, Account, Bucket, consumers_of

    records = mesh.links.state(Bucket.AGENTS, Presence)
    found = (await records.records()).values()
    rows: list[dict[str, Any]] = []
    for agent in AGENTS:
        # What waits for the consultant lies in its own account, where nobody looks in from here.
        queues = [item for item in consumers_of(agent) if not item.timers and item.account is Account.LOCAL]
        states = [await mesh.links.js.consumer_info(item.stream, item.durable) for item in queues]
        rows.append(
            {
                "agent": agent,
                "waiting": sum(state.num_pending or 0 for state in states) if states else None,
                "in_flight": sum(state.num_ack_pending or 0 for state in states) if states else None,
                "replicas": [record.model_dump(mode="json") for record in found if record.agent == agent],
            }
        )
    return rows
