"""The second source: files of a fixed revision on the model hub, over plain HTTPS.

Answers nothing, and quickly so, where the hub is out of reach. A file that is not the pinned one (say, the page of
a captive portal) is thrown away and counts as no answer, since the next source is pinned just the same.
"""

import hashlib
import http.client
import socket
import urllib.request
from pathlib import Path
from typing import Final

from hybridmesh.infra.models.entry import Entry, SourceFile
from hybridmesh.infra.models.sources import Progress

HUB: Final = "https://huggingface.co"
CONNECT_S: Final = 3.0
READ_S: Final = 30.0
CHUNK: Final = 1 << 20


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
        for number, file in enumerate(entry.files, 1):
            label = f"downloading {number} of {len(entry.files)} from the model hub"
            if not self._download(file, folder / file.filename, label, progress):
                progress("the model hub does not serve this model here", None)
                return None
        return {file.filename: folder / file.filename for file in entry.files}

    def _download(self, file: SourceFile, target: Path, label: str, progress: Progress) -> bool:
        if file.hub is None:
            return False
        url = f"{self._base}/{file.hub.repository}/resolve/{file.hub.revision}/{file.hub.path}"
        digest, done = hashlib.sha256(), 0
        progress(label, 0.0)
        try:
            with self._opener.open(url) as response, target.open("wb") as out:
                while (chunk := response.read(CHUNK)) and done <= file.size:
                    out.write(chunk)
                    digest.update(chunk)
                    done += len(chunk)
                    progress(label, min(1.0, done / file.size))
        except (OSError, http.client.HTTPException):
            return False
        return done == file.size and digest.hexdigest() == file.sha256
