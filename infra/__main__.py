"""``python -m hybridmesh.infra``: the command line."""

from hybridmesh.infra.cli import main

if __name__ == "__main__":
    main()
