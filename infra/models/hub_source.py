"""The second source: files of a fixed revision on the model hub, over plain HTTPS.

Answers nothing, and quickly so, where the hub is out of reach. A file that is not the pinned one (say, the page of
a captive portal) is thrown away and counts as no answer, since the next source is pinned just the same.
"""

import errno
import http.client
import re
import socket
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hybridmesh.infra.models.entry import Entry, HubFile, SourceFile
from hybridmesh.infra.models.file_hash import hash_file
from hybridmesh.infra.models.progress import Amount, Progress

HUB: Final = "https://huggingface.co"
CONNECT_S: Final = 3.0
READ_S: Final = 30.0
PAUSE_S: Final = 1.0  # before a broken download goes on
CHUNK: Final = 1 << 20
PARTIAL_CONTENT: Final = 206
# What our own disk says while we write: to ask another source would not help, and would hide the reason.
OF_THE_DISK: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM}
)
Told = Callable[[int], None]
CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+)")


class _QuickConnection(http.client.HTTPSConnection):
    """Gives up soon on a host that does not accept, but is patient once it talks."""

    def connect(self) -> None:
        self.timeout = CONNECT_S
        super().connect()
        sock: socket.socket = self.sock
        sock.settimeout(READ_S)


class _QuickHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_QuickConnection, req)


class HubSource:
    """The hub at ``base``; only models whose every file has a hub address are asked for."""

    name = "hub"

    def __init__(self, base: str = HUB) -> None:
        self._base = base.rstrip("/")
        self._opener = urllib.request.build_opener(_QuickHandler)

    def fetch(self, entry: Entry, folder: Path, progress: Progress) -> dict[str, Path] | None:
        """Download all files into ``folder``; None at the first one that does not come or does not fit."""
        before = 0
        for file in entry.files:

            def told(done: int, before: int = before) -> None:
                progress("downloading from the model hub", Amount(before + done, entry.source_bytes))

            if not self._download(file, folder, told):
                progress("the model hub does not serve this model here", None)
                return None
            before += file.size
        return {file.filename: folder / file.filename for file in entry.files}

    def _download(self, file: SourceFile, folder: Path, told: Told) -> bool:
        """Get one file, going on with what an earlier process left, as long as each try brings something."""
        # The unfinished file is named by what it shall become, so that a new pin never goes on with an old file.
        part, target = folder / f"{file.sha256}.part", folder / file.filename
        if file.hub is None:
            return False
        if target.is_file() and hash_file(target) == file.sha256:
            return True
        while (had := _size(part)) < file.size:
            told(had)
            self._read_on(file.hub, file.size, part, told)
            if _size(part) <= had:
                return False
            if _size(part) < file.size:
                time.sleep(PAUSE_S)
        if hash_file(part) != file.sha256:
            part.unlink()
            return False
        part.replace(target)
        return True

    def _read_on(self, place: HubFile, size: int, part: Path, told: Told) -> None:
        """Add to ``part`` what comes in one answer about a file of this size; raises what the disk does."""
        request = urllib.request.Request(  # noqa: S310 - the base is ours
            f"{self._base}/{place.repository}/resolve/{place.revision}/{place.path}"
        )
        done = _size(part)
        if done:
            request.add_header("Range", f"bytes={done}-")
        try:
            with self._opener.open(request) as response:
                start = _start_of(response, size)
                if start not in (0, done):
                    return
                with part.open("r+b" if start else "wb") as out:
                    done = out.seek(start)
                    while (chunk := response.read1(CHUNK)) and done + len(chunk) <= size:
                        out.write(chunk)
                        done += len(chunk)
                        told(done)
        except http.client.HTTPException:
            return
        except OSError as error:
            if error.errno in OF_THE_DISK:
                raise


def _start_of(response: http.client.HTTPResponse, size: int) -> int | None:
    """Return at which byte of the file an answer starts; None when it is of a file of another size."""
    if response.status == PARTIAL_CONTENT:
        found = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        return int(found[1]) if found and int(found[2]) == size else None
    return 0 if response.length in (None, size) else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
