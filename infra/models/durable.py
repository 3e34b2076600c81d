"""Puts a finished folder where readers look, whole or not at all, also when the power fails."""

import os
import sys
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Flush every file of a flat folder, and its listing, to the disk."""
    for path in folder.iterdir():
        _sync(path)
    _sync(folder)


def put_in_place(finished: Path, target: Path, aside: Path) -> None:
    """Rename ``finished`` to ``target``; what stood there goes to ``aside`` first (same file system)."""
    sync_folder(finished)
    if target.exists():
        target.rename(aside)
    finished.rename(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    if sys.platform == "win32" and path.is_dir():
        return  # folders cannot be opened there
    descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
