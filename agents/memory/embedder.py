"""The two ports that turn text into vectors: dense for meaning, sparse for words."""

from collections.abc import Sequence
from typing import Protocol

from hybridmesh.agents.memory.store import Sparse


class Embedder(Protocol):
    """Dense vectors of unit length.

    ``generation`` names the model and its form. It is the name of the stored vector, so vectors of two models
    can never be compared by accident.
    """

    @property
    def generation(self) -> str:
        """Return the name under which its vectors are stored."""
        ...

    @property
    def size(self) -> int:
        """Return the number of dimensions."""
        ...

    async def embed(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        """Return one vector a text, in order; a text's vector does not depend on the others'."""
        ...

    async def close(self) -> None:
        """Free the model."""
        ...


class WordEmbedder(Protocol):
    """Sparse vectors; documents are weighted by term frequency, queries are not."""

    def document(self, text: str) -> Sparse:
        """Return the vector to store."""
        ...

    def query(self, text: str) -> Sparse:
        """Return the vector to search with."""
        ...
