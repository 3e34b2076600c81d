"""A text as it is read for detection, with the way back to the text that it was made from."""

from dataclasses import dataclass

from hybridmesh.schemas.privacy import Span


@dataclass(frozen=True, slots=True)
class View:
    """Character ``i`` of ``text`` stands for ``starts[i]:ends[i]`` of the text below; both None: it is the same text.

    Starts and ends never fall from one character to the next.
    """

    text: str
    starts: tuple[int, ...] | None = None
    ends: tuple[int, ...] | None = None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return the place below of a stretch that is not empty."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]

    def below(self, span: Span) -> Span:
        """Return the span with offsets in the text below."""
        if self.starts is None:
            return span
        start, end = self.place(span.start, span.end)
        return span.model_copy(update={"start": start, "end": end})

    def over(self, lower: "View") -> "View":
        """Return this view's text with the way back through ``lower``, which this one was made from."""
        if lower.starts is None or lower.ends is None:
            return self
        if self.starts is None or self.ends is None:
            return View(self.text, lower.starts, lower.ends)
        places = [lower.place(start, end) for start, end in zip(self.starts, self.ends, strict=True)]
        return View(self.text, tuple(start for start, _ in places), tuple(end for _, end in places))


class Drawing:
    """A view in the making: pieces in the order of what they stand for."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._starts: list[int] = []
        self._ends: list[int] = []

    def __len__(self) -> int:
        return len(self._starts)

    def keep(self, text: str, at: int) -> None:
        """Add characters that stand for themselves, from ``at`` on."""
        self._pieces.append(text)
        self._starts.extend(range(at, at + len(text)))
        self._ends.extend(range(at + 1, at + len(text) + 1))

    def put(self, text: str, start: int, end: int) -> None:
        """Add characters that each stand for the whole of ``start:end``; it is empty for what stands for nothing."""
        self._pieces.append(text)
        self._starts.extend([start] * len(text))
        self._ends.extend([end] * len(text))

    def lay(self, view: View) -> None:
        """Add a view that has places."""
        self._pieces.append(view.text)
        self._starts.extend(view.starts or ())
        self._ends.extend(view.ends or ())

    def view(self) -> View:
        """Return what was drawn."""
        return View("".join(self._pieces), tuple(self._starts), tuple(self._ends))
