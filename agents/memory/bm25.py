"""BM25 weights made on this side, with the engine's own tokenizer, so both back ends hold the same vectors.

The inverse document frequency is the store's part (modifier IDF), because it changes with every write.
"""

from qdrant_edge import Bm25, SparseVector

from hybridmesh.agents.memory.store import Sparse


class Bm25Words:
    """English stemming and stop words, k = 1.2, b = 0.75, as a Qdrant server's own BM25 has them."""

    def __init__(self) -> None:
        self._model = Bm25()

    def document(self, text: str) -> Sparse:
        """Return term weights, saturated and normalised by length."""
        return _sparse(self._model.embed_document(text))

    def query(self, text: str) -> Sparse:
        """Return weight 1 for each distinct term."""
        return _sparse(self._model.embed_query(text))


def _sparse(vector: SparseVector) -> Sparse:
    return Sparse(tuple(vector.indices), tuple(vector.values))
