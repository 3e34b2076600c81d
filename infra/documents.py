"""The generated documents of the contract: ``python -m hybridmesh.infra.documents [--check]``.

Writes ``schemas/json/*.json`` from the registry, ``infra/asyncapi.json`` from the topology and
``infra/fail-closed.md`` from the table of faults, into the checkout that this module stands in. ``--check`` changes
nothing and exits with 1 when a file is not what it should be.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from hybridmesh.bus.asyncapi import document_text
from hybridmesh.infra.fail_closed import matrix
from hybridmesh.schemas.registry import schema_files

COMMAND = "python -m hybridmesh.infra.documents"
ROOT = Path(__file__).resolve().parent.parent
_SCHEMAS = Path("schemas/json")
_ASYNCAPI = Path("infra/asyncapi.json")
_FAULTS = Path("infra/fail-closed.md")


def generated(root: Path = ROOT) -> dict[Path, str]:
    """Return each generated file's text by its path below the root; pages for readers only where it is a checkout."""
    files = {_SCHEMAS / name: text for name, text in schema_files().items()}
    pages = {_FAULTS: matrix()} if (root / "pyproject.toml").is_file() else {}
    return {**files, _ASYNCAPI: document_text(), **pages}


def drift(root: Path, files: Mapping[Path, str]) -> list[str]:
    """Return the paths that are missing, differ, or are left over from a type that is gone; sorted."""
    wrong = [path.as_posix() for path, text in files.items() if _read(root / path) != text]
    return sorted(wrong + [path.as_posix() for path in _left_over(root, files)])


def write(root: Path, files: Mapping[Path, str]) -> None:
    """Make the files what they should be, and remove what is left over."""
    for path in _left_over(root, files):
        (root / path).unlink()
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")


def main(arguments: list[str] | None = None, *, root: Path = ROOT) -> int:
    """Write or check the documents; returns the exit code."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Write the generated documents of the contract.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit with 1 when a file has drifted")
    checking: bool = parser.parse_args(arguments).check
    files = generated(root)
    changed = drift(root, files)
    if not checking:
        write(root, files)
    for path in changed:
        sys.stdout.write(f"{'drifted' if checking else 'written'}: {path}\n")
    if checking and changed:
        sys.stdout.write(f"run: {COMMAND}\n")
        return 1
    return 0


def _left_over(root: Path, files: Mapping[Path, str]) -> list[Path]:
    there = (path.relative_to(root) for path in (root / _SCHEMAS).glob("*.json"))
    return [path for path in there if path not in files]


def _read(path: Path) -> str | None:
    return path.read_text("utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
