"""Which stretches of a text are spoken for, so that no place is read twice; linear in the text."""


class Spans:
    """The stretches that were taken."""

    def __init__(self, length: int) -> None:
        self._taken = bytearray(length)

    def take(self, start: int, end: int) -> bool:
        """Take a stretch, or say False when a part of it is taken already."""
        if self.touches(start, end):
            return False
        self._taken[start:end] = b"\x01" * (end - start)
        return True

    def cover(self, start: int, end: int) -> None:
        """Take a stretch, whatever is taken of it already."""
        self._taken[start:end] = b"\x01" * (end - start)

    def touches(self, start: int, end: int) -> bool:
        """Say whether a part of the stretch is taken."""
        return self._taken.find(1, start, end) >= 0
