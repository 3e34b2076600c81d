"""How the server adapter fails: nobody listens, the key is refused, the collection is another model's."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from qdrant_client import AsyncQdrantClient

from hybridmesh.agents.memory.server_store import ServerStore
from hybridmesh.bus.errors import MemoryUnavailable, SetupError

KEY = "a-very-private-key"

pytestmark = [
    pytest.mark.connected,
    pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection:UserWarning"),
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning"),
]


async def connect(url: str) -> ServerStore:
    return await ServerStore.connect(
        url, api_key=SecretStr(KEY), collection="c", dense_name="m", dense_size=4, timeout_s=2
    )


@pytest.fixture
async def refusing_url() -> AsyncIterator[str]:
    """A listener that answers every request with 403."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert KEY.encode() in head
        writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port: int = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"


async def test_a_server_that_does_not_answer_is_transient() -> None:
    """Nothing is lost: work waits for the store and is not thrown away."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    with pytest.raises(MemoryUnavailable) as caught:
        await connect(f"http://127.0.0.1:{port}")
    assert KEY not in str(caught.value)


async def test_a_refused_key_is_named_with_its_remedy_and_never_shown(refusing_url: str) -> None:
    """Nothing private leaves: the error says which setting to mend, without its value."""
    with pytest.raises(SetupError) as caught:
        await connect(refusing_url)
    assert "key" in caught.value.remedy
    assert KEY not in f"{caught.value!r}{caught.value.remedy}"


async def test_a_collection_of_another_model_is_refused_and_an_own_one_reopened() -> None:
    """Nothing is hidden: comparing vectors of two models would answer, and wrongly."""
    client = AsyncQdrantClient(":memory:")
    await ServerStore.open(client, collection="c", dense_name="m", dense_size=4)
    for name, size in (("other", 4), ("m", 8)):
        with pytest.raises(SetupError, match="another embedding model"):
            await ServerStore.open(client, collection="c", dense_name=name, dense_size=size)
    store = await ServerStore.open(client, collection="c", dense_name="m", dense_size=4)
    await store.close()


@pytest.mark.parametrize(
    ("url", "key", "setting"),
    [
        ("http://127.0.0.1:port", None, "memory.url"),
        ("http://[::1", None, "memory.url"),
        ("ftp://127.0.0.1", None, "memory.url"),
        ("http://127.0.0.1:6333", "k\u00e9y", "memory.api_key"),
    ],
)
async def test_an_address_or_a_key_that_is_none_is_named(url: str, key: str | None, setting: str) -> None:
    """It runs on what you have: a mistyped setting is one to mend, and no bug."""
    secret = None if key is None else SecretStr(key)
    with pytest.raises(SetupError) as caught:
        await ServerStore.connect(url, api_key=secret, collection="c", dense_name="m", dense_size=4)
    assert setting in caught.value.remedy
