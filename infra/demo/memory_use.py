"""How much memory the mesh's processes take together, sampled while they work."""

import threading
from typing import Self

import psutil

_PAUSE_S = 0.5


class MemoryWatch:
    """Samples this process and all below it; ``peak_bytes`` is the largest sum.

    Counts proportional set size where the system tells it, so that shared pages count once.
    """

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak_bytes = 0

    def __enter__(self) -> Self:
        """Start sampling."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop sampling."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(_PAUSE_S):
            self.peak_bytes = max(self.peak_bytes, self._sample())

    def _sample(self) -> int:
        total = 0
        for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
            try:
                memory = process.memory_full_info()
                total += int(getattr(memory, "pss", memory.rss))
            except psutil.Error:
                continue
        return total
