"""A cloud for faults: plays the parts that a test sets, answers well otherwise, and counts what it has answered."""

import contextlib
from collections import Counter, deque
from collections.abc import AsyncGenerator, Sequence

from cloud_double import CloudDouble, Part, Received, answer, walled

CHOICE = "billing"


class ScriptedCloud:
    """``play`` sets what the next requests get; ``answered`` counts good answers by the prompt they were given to."""

    def __init__(self) -> None:
        self.double = CloudDouble(self._part)
        self.answered: Counter[bytes] = Counter()
        self.asked = 0
        self._parts: deque[Part] = deque()
        self._always: Part | None = None

    def play(self, *parts: Part, always: Part | None = None) -> None:
        """Play the parts, then ``always`` or else good answers."""
        self._parts = deque(parts)
        self._always = always
        self.asked = 0
        self.answered.clear()

    def _part(self, request: Received) -> Part:
        self.asked += 1
        part = self._parts.popleft() if self._parts else self._always
        if part is None:
            part = answer(CHOICE)
            self.answered[request.body] += 1
        return part

    @contextlib.asynccontextmanager
    async def unreachable(self) -> AsyncGenerator[None]:
        """Take no connection: what is sent to its port is not even answered, as behind a dead firewall."""
        port = self.double.port
        await self.double.close_door()
        with walled(port):
            yield
        await self.double.open_door(port)

    @contextlib.asynccontextmanager
    async def closed(self) -> AsyncGenerator[None]:
        """Refuse every connection."""
        port = self.double.port
        await self.double.close_door()
        yield
        await self.double.open_door(port)


def twice(counts: Sequence[int]) -> int:
    """Return how many things happened beyond once."""
    return sum(max(0, count - 1) for count in counts)
