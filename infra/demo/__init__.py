"""The demo: private support tickets through the whole mesh, and what came of them."""

from hybridmesh.infra.demo.run import run_demo

__all__ = ["run_demo"]
