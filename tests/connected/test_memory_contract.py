"""One suite for every back end: the embedded engine, the client's local mode, and a server in a container.

The local mode proves the server adapter's request models without a server; the container proves the server.
"""

import asyncio
import hashlib
import random
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from qdrant_client import AsyncQdrantClient

from hybridmesh.agents.memory.bm25 import Bm25Words
from hybridmesh.agents.memory.edge_store import EdgeStore
from hybridmesh.agents.memory.library import Library
from hybridmesh.agents.memory.scoped import ScopedMemory
from hybridmesh.agents.memory.server_store import ServerStore
from hybridmesh.agents.memory.store import VectorStore
from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.ports import Memory
from hybridmesh.schemas.memory import (
    Forget,
    Hits,
    Kind,
    Lookup,
    MemoryItem,
    Remember,
    Scope,
    Search,
)
from stored_rows import items_of

SERVER_IMAGE = "qdrant/qdrant:v1.20.0"
START = datetime(2026, 3, 1, tzinfo=UTC)
HOME, OTHER = Scope(tenant="home"), Scope(tenant="other")

pytestmark = [
    pytest.mark.connected,
    # The client's local mode keeps no indexes, and says so for each one asked for.
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning"),
]


class HashedWords:
    """A dense embedder without a model: each word is a fixed random direction, a text is their sum."""

    generation = "hashed_words_v1"
    size = 64

    async def embed(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        return [self._vector(text) for text in texts]

    async def close(self) -> None:
        """Nothing to free."""

    def _vector(self, text: str) -> tuple[float, ...]:
        total = np.full(self.size, 1e-6)
        for word in text.lower().split():
            seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest())
            total += np.random.default_rng(seed).standard_normal(self.size)
        unit: list[float] = (total / np.linalg.norm(total)).tolist()
        return tuple(unit)


class Clock:
    """The time that the library sees."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    ping = "import docker; docker.from_env(timeout=3).ping()"
    probe = subprocess.run([sys.executable, "-c", ping], capture_output=True, check=False, timeout=30)
    if probe.returncode != 0:
        pytest.skip("no container engine answers: the server back end was NOT tested")
    from testcontainers.community.qdrant import QdrantContainer

    with QdrantContainer(SERVER_IMAGE) as container:
        yield f"http://{container.rest_host_address}"


@pytest.fixture(params=["edge", "local", pytest.param("server", marks=pytest.mark.container)])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[VectorStore]:
    name, size = HashedWords.generation, HashedWords.size
    collection = f"test-{uuid.uuid4()}"
    opened: VectorStore
    if request.param == "edge":
        opened = await EdgeStore.open(tmp_path / "memory", dense_name=name, dense_size=size)
    elif request.param == "local":
        client = AsyncQdrantClient(":memory:")
        opened = await ServerStore.open(client, collection=collection, dense_name=name, dense_size=size)
    else:
        url: str = request.getfixturevalue("server_url")
        opened = await ServerStore.connect(url, api_key=None, collection=collection, dense_name=name, dense_size=size)
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def library(store: VectorStore, clock: Clock) -> Library:
    return Library(store, HashedWords(), Bm25Words(), clock)


def make_item(text: str, *, day: int = 0, **fields: object) -> MemoryItem:
    values: dict[str, object] = {
        "kind": Kind.RECORD,
        "source": "test:source",
        "author": "test",
        "created_at": START + timedelta(days=day),
    }
    return MemoryItem.model_validate({**values, "text": text, **fields})


async def keep(library: Library, scope: Scope, *items: MemoryItem) -> list[str]:
    """Remember and return the ids, none refused."""
    results = (await library.remember(scope, Remember(items=items))).results
    assert all(result.outcome != "refused" for result in results)
    return [result.id for result in results]


def texts(hits: Hits) -> list[str]:
    return [hit.item.text for hit in hits.hits]


async def test_an_item_comes_back_as_it_was_given(library: Library, store: VectorStore) -> None:
    """Nothing is lost: every field survives, unknown ones of a newer version too."""
    item = make_item(
        "Zürich 東京 \N{SNOWMAN} ends\tin May\n",
        key="contract/end",
        subject="person:7",
        data={"amount": 12.5, "nested": {"list": [1, None, True], "big": 2**70}},
        expires_at=START + timedelta(days=30),
        origin="work",
        derived_from=("x",),
        from_the_future="kept",
    )
    (item_id,) = await keep(library, HOME, item)
    expected = item.model_copy(update={"id": item_id})
    (found,) = (await library.lookup(HOME, Lookup(kind=Kind.RECORD, key="contract/end"))).hits
    assert (found.item, found.via) == (expected, "key")
    (found,) = (await library.search(HOME, Search(query="may ends"))).hits
    assert (found.item, found.via) == (expected, "hybrid")
    assert await items_of(store, HOME) == [expected]


async def test_search_ranks_words_and_meaning_and_keeps_to_kinds_and_limit(library: Library) -> None:
    """It runs on what you have: the same question finds the same items on every back end."""
    await keep(
        library,
        HOME,
        make_item("the delivery to the harbour is late"),
        make_item("invoices are paid within thirty days"),
        make_item("invoices in the harbour office are paid late", kind=Kind.DOCUMENT),
    )
    assert texts(await library.search(HOME, Search(query="invoices paid thirty days", limit=1))) == [
        "invoices are paid within thirty days"
    ]
    only = Search(query="invoices harbour", kinds=(Kind.DOCUMENT, Kind.LESSON))
    assert texts(await library.search(HOME, only)) == ["invoices in the harbour office are paid late"]
    scores = [hit.score for hit in (await library.search(HOME, Search(query="harbour late"))).hits]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 3


async def test_equal_ranks_are_ordered_newest_first_every_time(library: Library) -> None:
    """Nothing is hidden: the same question gives the same answer, so a verdict can be checked later."""
    await keep(library, HOME, *(make_item(f"alpha beta {'!' * n}", day=n) for n in range(3)), make_item("alpha"))
    question = Search(query="alpha beta", limit=2)
    answers = [await library.search(HOME, question) for _ in range(10)]
    assert answers == answers[:1] * 10
    for hits in answers:
        keys = [(-hit.score, -hit.item.created_at.timestamp()) for hit in hits.hits]
        assert keys == sorted(keys)


@pytest.mark.parametrize("query", ["the of and", "?!", "\N{SNOWMAN}", "   "])
async def test_a_query_without_words_is_no_error(library: Library, query: str) -> None:
    """Nothing is lost: odd input from outside ends in an answer."""
    await keep(library, HOME, make_item("the and of"), make_item("\N{SNOWMAN}"))
    hits = await library.search(HOME, Search(query=query))
    assert len(hits.hits) == (2 if query.strip() else 0)


async def test_a_repeated_item_is_one_item(library: Library, store: VectorStore) -> None:
    """Nothing is lost: redelivery, also inside one request, changes nothing; new fields of the newest win."""
    item = make_item("a fact", data={"v": 1}, key="k")
    first = await library.remember(HOME, Remember(items=(item, item)))
    again = await library.remember(HOME, Remember(items=(item,)))
    assert [r.outcome for r in (*first.results, *again.results)] == ["created", "duplicate", "duplicate"]
    newer = item.model_copy(update={"data": {"v": 2}, "created_at": START + timedelta(days=1)})
    await library.remember(HOME, Remember(items=(newer,)))
    await library.remember(HOME, Remember(items=(item,)))
    (found,) = (await library.lookup(HOME, Lookup(kind=Kind.RECORD, key="k"))).hits
    assert found.item.data == {"v": 2}
    assert len(await items_of(store, HOME)) == 1


async def test_recalled_and_unsourced_items_alone_are_refused(library: Library, store: VectorStore) -> None:
    """Mistakes are not repeated: what came from the memory is never stored again."""
    request = Remember(items=(make_item("from recall", origin="recall"), make_item("kept"), make_item(" ", author="x")))
    results = (await library.remember(HOME, request)).results
    assert [(r.outcome, r.reason) for r in results] == [
        ("refused", "from-memory"),
        ("created", ""),
        ("refused", "empty-text"),
    ]
    assert len(await items_of(store, HOME)) == 1


async def test_superseded_items_are_kept_but_never_found(library: Library, store: VectorStore) -> None:
    """Mistakes are not repeated: the corrected version answers, in search and in lookup."""
    (wrong,) = await keep(library, HOME, make_item("the fee is 100", key="fee"))
    outcome = await library.remember(
        HOME, Remember(items=(make_item("the fee is 120", day=1, key="fee", supersedes=wrong),))
    )
    assert outcome.results[0].outcome == "superseded"
    assert texts(await library.search(HOME, Search(query="the fee is 100"))) == ["the fee is 120"]
    assert texts(await library.lookup(HOME, Lookup(kind=Kind.RECORD, key="fee"))) == ["the fee is 120"]
    assert len(await items_of(store, HOME)) == 2


async def test_the_newest_preference_wins_also_within_one_request(library: Library) -> None:
    """Nothing is lost: the order of arrival does not decide, the time of the preference does."""
    versions = [make_item(f"tone {n}", day=n, kind=Kind.PREFERENCE, key="tone") for n in (1, 3, 2)]
    await keep(library, HOME, *versions)
    await keep(library, HOME, make_item("tone 0", kind=Kind.PREFERENCE, key="tone"))
    assert texts(await library.lookup(HOME, Lookup(kind=Kind.PREFERENCE, key="tone"))) == ["tone 3"]


async def test_versions_that_arrive_at_the_same_moment_leave_one_living(library: Library) -> None:
    """Nothing is lost: twenty writers of one preference at once, and the newest is the one that answers."""
    versions = [make_item(f"tone {n}", day=n, kind=Kind.PREFERENCE, key="tone") for n in range(20)]
    random.Random(3).shuffle(versions)
    await asyncio.gather(*(keep(library, HOME, version) for version in versions))
    assert texts(await library.lookup(HOME, Lookup(kind=Kind.PREFERENCE, key="tone"))) == ["tone 19"]


async def test_expired_items_are_never_found_and_swept(library: Library, store: VectorStore, clock: Clock) -> None:
    """Nothing private leaves: what had an end is gone from every answer at that moment."""
    await keep(library, HOME, make_item("short", key="k", expires_at=START + timedelta(hours=1)))
    await keep(library, OTHER, make_item("short too", expires_at=START + timedelta(hours=1)))
    await keep(library, HOME, make_item("long", key="k", expires_at=START + timedelta(days=9)))
    assert len((await library.lookup(HOME, Lookup(kind=Kind.RECORD, key="k"))).hits) == 2
    clock.now = START + timedelta(hours=1)
    assert texts(await library.lookup(HOME, Lookup(kind=Kind.RECORD, key="k"))) == ["long"]
    assert texts(await library.search(HOME, Search(query="short"))) == ["long"]
    assert await library.sweep() == 2
    assert [len(await items_of(store, s)) for s in (HOME, OTHER)] == [1, 0]


async def test_a_lesson_is_found_by_its_key_after_300_unrelated_items(library: Library) -> None:
    """Mistakes are not repeated: what was learnt on day 10 is found on day 100, newest first, by key alone."""
    key = "extract:iban:amount-without-currency"
    await keep(
        library,
        HOME,
        make_item("write the currency beside the amount", day=10, kind=Kind.LESSON, key=key),
        make_item("ask when no currency is named", day=11, kind=Kind.LESSON, key=key),
    )
    words = random.Random(7)
    noise = [
        make_item(
            f"write the amount {words.random()} and the currency of case {n}",
            day=12 + n % 80,
            kind=words.choice([Kind.LESSON, Kind.EPISODE, Kind.RECORD]),
            key=f"{key}:{n}" if n % 2 else key.upper(),
        )
        for n in range(300)
    ]
    for start in range(0, len(noise), 100):
        await keep(library, HOME, *noise[start : start + 100])
    hits = await library.lookup(HOME, Lookup(kind=Kind.LESSON, key=key))
    assert texts(hits) == ["ask when no currency is named", "write the currency beside the amount"]


async def test_forgetting_cascades_to_what_was_made_and_replaced(library: Library, store: VectorStore) -> None:
    """Nothing private leaves: no summary, no copy and no old version of a forgotten person's data stays."""
    (raw,) = await keep(library, HOME, make_item("Ada's contract ends in May", subject="person:ada"))
    (summary,) = await keep(library, HOME, make_item("a contract ends in May", derived_from=(raw,)))
    await keep(library, HOME, make_item("something ends", derived_from=(summary,), kind=Kind.EPISODE))
    (old,) = await keep(library, HOME, make_item("version one"))
    await keep(library, HOME, make_item("version two", supersedes=old, subject="person:ada"))
    await keep(library, HOME, make_item("Bob's contract ends in June", subject="person:bob"))
    receipt = await library.forget(HOME, Forget(subject="person:ada"))
    assert receipt.removed == 5
    assert [item.text for item in await items_of(store, HOME)] == ["Bob's contract ends in June"]
    assert (await library.forget(HOME, Forget(subject="person:ada"))).removed == 0


async def test_forgetting_by_source_finds_every_item_the_source_ever_brought(library: Library) -> None:
    """Nothing private leaves: an item that two sources brought goes with either of them."""
    await keep(library, HOME, make_item("shared", source="mail"), make_item("only file", source="file"))
    await keep(library, HOME, make_item("shared", source="file", day=-1))
    assert (await library.forget(HOME, Forget(source="file"))).removed == 2


async def test_forgetting_takes_any_text_for_an_id_but_not_nothing(library: Library, store: VectorStore) -> None:
    """Nothing is lost: a malformed request removes nothing and does not jam the queue."""
    ids = await keep(library, HOME, make_item("one"), make_item("two"))
    assert (await library.forget(HOME, Forget(ids=("nonsense", "7", str(uuid.uuid4()))))).removed == 0
    assert (await library.forget(HOME, Forget(ids=(ids[0], "nonsense")))).removed == 1
    with pytest.raises(UsageError):
        await library.forget(HOME, Forget(ids=()))
    await keep(library, HOME, make_item("three", supersedes="nonsense"))
    assert sorted([item.text for item in await items_of(store, HOME)]) == ["three", "two"]


async def test_forgetting_more_than_a_page_leaves_nothing(library: Library, store: VectorStore) -> None:
    """Nothing private leaves: what does not fit one page of a scan is forgotten too."""
    for start in range(0, 600, 200):
        await keep(library, HOME, *(make_item(f"note {n}", subject="s") for n in range(start, start + 200)))
    assert (await library.forget(HOME, Forget(subject="s"))).removed == 600
    assert len(await items_of(store, HOME)) == 0


async def test_another_tenants_words_do_not_shift_the_ranking(library: Library) -> None:
    """Nothing private leaves: not even how often a word stands in someone else's memory."""
    await keep(library, HOME, make_item("alpha"), make_item("beta"), make_item("beta gamma"))
    question = Search(query="alpha beta gamma")
    before = await library.search(HOME, question)
    await keep(library, OTHER, *(make_item(f"alpha {n}") for n in range(60)))
    assert await library.search(HOME, question) == before


facts = st.tuples(
    st.integers(0, 1),
    st.sampled_from(["red fox", "blue fox", "red owl"]),
    st.sampled_from(["k1", "k2", None]),
    st.sampled_from(["s1", None]),
    st.sampled_from([Kind.RECORD, Kind.PREFERENCE]),
)


@given(st.lists(facts, min_size=2, max_size=10))
@settings(
    max_examples=8,
    phases=(Phase.generate,),  # an engine keeps what an example wrote, so shrinking would take minutes
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_no_request_reaches_another_tenant(
    library: Library, store: VectorStore, drawn: list[tuple[int, str, str | None, str | None, Kind]]
) -> None:
    """Nothing private leaves: equal texts, keys, subjects and even ids of another tenant are out of reach."""
    scopes = [Scope(tenant=str(uuid.uuid4())) for _ in range(2)]
    ids: list[set[str]] = [set(), set()]
    for day, (whose, text, key, subject, kind) in enumerate(drawn):
        item = make_item(
            text,
            day=day,
            key=key,
            subject=subject,
            kind=kind,
            author=scopes[whose].tenant,
            supersedes=next(iter(ids[1 - whose]), None),
            derived_from=tuple(ids[1 - whose]),
        )
        ids[whose] |= set(await keep(library, scopes[whose], item))
    assert not ids[0] & ids[1]
    for scope in scopes:
        found = list((await library.search(scope, Search(query="red fox owl", limit=100))).hits)
        for kind in (Kind.RECORD, Kind.PREFERENCE):
            for key in ("k1", "k2"):
                found += (await library.lookup(scope, Lookup(kind=kind, key=key))).hits
        assert {hit.item.author for hit in found} <= {scope.tenant}
    kept = await items_of(store, scopes[1])
    assert {item.id for item in kept} == ids[1]
    await library.forget(scopes[0], Forget(subject="s1", source="test:source", ids=(*ids[0], *ids[1])))
    assert await items_of(store, scopes[0]) == []
    assert await items_of(store, scopes[1]) == kept


async def test_the_scoped_memory_is_the_bus_port(library: Library) -> None:
    """It runs on what you have: agents see the port, whatever stands behind it."""
    port: Memory = ScopedMemory(library, HOME)
    (written,) = (await port.remember(Remember(items=(make_item("a fact", key="k"),)))).results
    assert texts(await port.search(Search(query="fact"))) == ["a fact"]
    assert texts(await port.lookup(Lookup(kind=Kind.RECORD, key="k"))) == ["a fact"]
    assert (await port.forget(Forget(ids=(written.id,)))).removed == 1
