"""What a person changed from the command line, written to the audit log: counts and codes, never the words."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hybridmesh.bus.client import Mesh
    from hybridmesh.schemas.audits import Action, Fact


async def record(mesh: "Mesh", action: "Action", facts: "dict[str, Fact]") -> None:
    """Return when the log has it; raises MeshUnavailable."""
    from hybridmesh.schemas.audits import AuditEvent

    now = mesh.links.clock()
    agent = mesh.links.identity.name
    await mesh.links.publisher.record(
        AuditEvent(agent=agent, action=action, at=now, nonce=now.isoformat(), facts=facts)
    )
