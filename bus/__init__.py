"""How messages travel: topology, work loop, identities, state, audit and the client."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hybridmesh.bus.client import Mesh, connect

__all__ = ["Mesh", "connect"]


def __getattr__(name: str) -> object:
    """Load the client when it is first asked for: children that only need the errors stay small."""
    if name in __all__:
        from hybridmesh.bus import client

        return getattr(client, name)
    raise AttributeError(name)
