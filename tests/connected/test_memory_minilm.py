"""The real embedding model: what it must tell apart, and that a vector is a property of its text alone."""

import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from hybridmesh.agents.memory.minilm import WINDOW_TOKENS, MiniLm
from hybridmesh.agents.memory.opening import EmbeddedMemory, open_library
from hybridmesh.bus.errors import SetupError
from hybridmesh.schemas.memory import Kind, MemoryItem, Remember, Scope, Search

pytestmark = [pytest.mark.connected, pytest.mark.model]


@pytest.fixture(scope="session")
def minilm_folder() -> Path:
    folder = Path.home() / ".cache" / "hybridmesh" / "models" / "minilm-l6-int8"
    if not (folder / "model.onnx").is_file():
        pytest.skip("minilm-l6-int8 is not prepared: the embedding model was NOT tested")
    return folder


@pytest.fixture
async def minilm(minilm_folder: Path) -> AsyncIterator[MiniLm]:
    model = MiniLm.load(minilm_folder)
    yield model
    await model.close()


def cosine(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


async def test_related_texts_are_nearer_than_unrelated_ones(minilm: MiniLm) -> None:
    """It runs on what you have: meaning is found without a word in common."""
    cat, kitten, report = await minilm.embed(
        ["A cat sleeps on the sofa.", "The kitten naps on a couch.", "The quarterly report is due on Friday."]
    )
    assert cosine(cat, kitten) > 0.6
    assert cosine(cat, report) < 0.2
    assert len(cat) == minilm.size
    assert math.isclose(cosine(cat, cat), 1.0, rel_tol=1e-9)


async def test_a_vector_does_not_depend_on_its_neighbours(minilm: MiniLm) -> None:
    """Nothing is lost: a text embedded alone finds itself as embedded in a batch."""
    (alone,) = await minilm.embed(["short text"])
    batch = await minilm.embed(["a much longer text " * 60, "short text", ""])
    assert batch[1] == alone
    assert all(math.isfinite(value) for value in batch[2])


async def test_the_end_of_a_long_text_counts(minilm: MiniLm) -> None:
    """Nothing is lost: text beyond the first window is read, and weighs as much as what stands before it."""
    filler = "the weather was fine and the road was dry. " * (WINDOW_TOKENS // 10 + 4)
    question, plain, ended = await minilm.embed(
        ["interest rates of the mortgage", filler, filler + "interest rates of the mortgage rose. " * 30]
    )
    assert cosine(question, ended) > cosine(question, plain) + 0.1


def test_a_missing_model_is_named_with_its_remedy(tmp_path: Path) -> None:
    """It runs on what you have: what is missing, and the command that gets it."""
    with pytest.raises(SetupError) as caught:
        MiniLm.load(tmp_path)
    assert caught.value.remedy


async def test_the_whole_memory_finds_by_meaning_and_by_rare_words(minilm_folder: Path, tmp_path: Path) -> None:
    """It runs on what you have: model, word weights and engine together, again after a restart."""
    sentences = [
        "The tenant may end the lease with three months of notice.",
        "Error code ZX-4711 means that the pump has lost pressure.",
        "Our customers in Lyon prefer to be called in the morning.",
        "Refunds over 500 euros need the approval of two people.",
        "The night shift starts at ten and ends at six.",
    ]
    questions = [
        "how can I cancel my rental agreement?",
        "ZX-4711",
        "when should I phone French clients?",
        "who must agree before we give much money back?",
        "working hours after dark",
    ]
    items = tuple(
        MemoryItem(kind=Kind.RECORD, text=text, source="test", author="test", created_at=datetime.now(UTC))
        for text in sentences
    )
    place, scope = EmbeddedMemory(folder=tmp_path / "memory"), Scope()
    library = await open_library(place, minilm_folder)
    await library.remember(scope, Remember(items=items))
    await library.close()
    library = await open_library(place, minilm_folder)
    for question, answer in zip(questions, sentences, strict=True):
        hits = (await library.search(scope, Search(query=question, limit=3))).hits
        assert hits[0].item.text == answer, question
        assert all(a.score >= b.score for a, b in pairwise(hits))
    await library.close()
