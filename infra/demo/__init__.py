"""The demo: private support tickets through the whole mesh, and what came of them."""

from hybridmesh.infra.demo.document import show_json
from hybridmesh.infra.demo.run import run_demo
from hybridmesh.infra.demo.table import show_outcome

__all__ = ["run_demo", "show_json", "show_outcome"]
