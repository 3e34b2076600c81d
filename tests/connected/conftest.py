"""Servers with accounts and permissions, for the tests that ask who gets in."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from guarded_bus import Guarded, Template
from hybridmesh.infra.nats.server import NatsServer


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """What each of these servers has at its start."""
    return Template.make(tmp_path_factory.mktemp("guarded"))


@pytest.fixture(scope="module")
def one_server(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NatsServer, Path]]:
    """One server for all that do not look at what it keeps."""
    with template.server(tmp_path_factory.mktemp("bus")) as made:
        yield made


@pytest.fixture
def own_server(template: Template, tmp_path: Path) -> Iterator[tuple[NatsServer, Path]]:
    """A server of its own for a test."""
    with template.server(tmp_path) as made:
        yield made


@pytest.fixture
async def visitor(one_server: tuple[NatsServer, Path]) -> AsyncIterator[Guarded]:
    """Connections to the one server."""
    async with contextlib.AsyncExitStack() as stack:
        yield Guarded(*one_server, stack)


@pytest.fixture
async def guarded(own_server: tuple[NatsServer, Path]) -> AsyncIterator[Guarded]:
    """Connections to a server of the test's own."""
    async with contextlib.AsyncExitStack() as stack:
        yield Guarded(*own_server, stack)
