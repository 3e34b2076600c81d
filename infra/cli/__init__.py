"""The command line: ``hybridmesh``."""

from hybridmesh.infra.cli.main import main

__all__ = ["main"]
