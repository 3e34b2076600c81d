"""A dense embedder for tests of what stands around the memory's store."""

from collections.abc import Sequence


class Lengths:
    """A dense embedder without a model: a text's length is its direction."""

    generation = "lengths_v1"
    size = 2

    async def embed(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        """Return a vector a text."""
        return [(1.0, float(len(text))) for text in texts]

    async def close(self) -> None:
        """Nothing to free."""
