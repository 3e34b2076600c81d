"""A bus provisioned from outside: on the server that comes with the install, and on the image that compose runs."""

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import cast

import nats
import pytest
import yaml
from nats.js import JetStreamContext

from harness import eventually
from house import CHECKOUT
from hybridmesh.bus.agent import Agent
from hybridmesh.bus.borders import inbox_of
from hybridmesh.bus.errors import MeshUnavailable, SetupError
from hybridmesh.bus.identity import KeyRing, read_identity
from hybridmesh.bus.links import Links, make_links
from hybridmesh.bus.settings import BusSettings, MeshSettings
from hybridmesh.bus.stores import account_of
from hybridmesh.bus.topology import BODIES, Account, Bucket, bucket_stream, consumers, queue_stream, streams
from hybridmesh.bus.work import WorkLoop
from hybridmesh.infra.nats.access import accounts_block
from hybridmesh.infra.nats.server import NatsServer
from hybridmesh.infra.provision import connect_provisioner, create_keys, provision_bus
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.privacy import Findings, Sensitivity
from hybridmesh.schemas.steps import StepClassified, StepContext, StepReady

DEPLOY = CHECKOUT / "infra" / "deploy"
SETTINGS = MeshSettings(bus=BusSettings(ack_wait_s=2, retry_base_s=0.05, retry_cap_s=1, drain_s=5))

pytestmark = [pytest.mark.connected, pytest.mark.timeout(180)]


@cache
def engine_problem() -> str | None:
    """Return why no container can run here; None where one can."""
    if shutil.which("docker") is None:
        return "no container engine: there is no docker client"
    try:
        asked = subprocess.run(["docker", "version"], capture_output=True, check=False, timeout=5)
    except subprocess.TimeoutExpired:
        return "no container engine: it does not answer"
    return None if asked.returncode == 0 else "no container engine: a docker client, but nothing that it reaches"


@contextlib.contextmanager
def container_server(folder: Path, keys: Path) -> Generator[str]:
    """Run the image and the configuration that compose runs."""
    from testcontainers.community.nats import NatsContainer

    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    image = cast("str", compose["services"]["nats"]["image"])
    container = NatsContainer(image).with_command("-c /etc/nats/nats.conf").with_env("JS_KEY", "test")
    (folder / "access").mkdir()
    (folder / "access" / "accounts.conf").write_text(accounts_block(create_keys(keys)), "utf-8")
    container.with_volume_mapping(str(DEPLOY / "nats.conf"), "/etc/nats/nats.conf", "ro")
    container.with_volume_mapping(str(folder / "access"), "/etc/nats/access", "ro")
    with container:
        yield container.nats_uri()


@pytest.fixture(params=["embedded", pytest.param("container", marks=pytest.mark.container)])
def server_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Each of the two servers, empty."""
    if request.param == "embedded":
        with NatsServer(tmp_path / "nats", access=accounts_block(create_keys(tmp_path / "keys"))) as server:
            yield server.url
        return
    if problem := engine_problem():
        pytest.skip(problem)
    with container_server(tmp_path, tmp_path / "keys") as url:
        yield url


@contextlib.asynccontextmanager
async def connected(url: str, keys: Path, agent: str) -> AsyncGenerator[Links]:
    """Connect as one agent."""
    identity = read_identity(keys, agent)
    client = await nats.connect(url, nkeys_seed_str=identity.seed, inbox_prefix=inbox_of(agent))
    try:
        yield await make_links(client, identity, KeyRing.read(keys), SETTINGS)
    finally:
        await client.close()


async def held(js: JetStreamContext, agent: str) -> int:
    """Return how many messages wait for an agent."""
    return (await js.stream_info(queue_stream(agent))).state.messages


async def test_a_provisioned_bus_carries_work(server_url: str, tmp_path: Path) -> None:
    """Nothing is lost: what one agent publishes, another's work loop takes, answers and acknowledges."""
    keys = tmp_path / "keys"
    await provision_bus(server_url, SETTINGS, replicas=1, keys=keys)
    seen: list[str] = []

    async def classify(ready: StepReady) -> Sequence[Message]:
        seen.append(ready.task_id)
        return (
            StepClassified(
                task_id=ready.task_id,
                step_id=ready.step_id,
                context=ready.context,
                label=Sensitivity.PUBLIC,
                findings=Findings(),
            ),
        )

    async with (
        connected(server_url, keys, "decomposer") as decomposer,
        connected(server_url, keys, "classifier") as classifier,
        connect_provisioner(server_url, keys, Account.LOCAL, SETTINGS.bus) as provisioner,
    ):
        js = provisioner.jetstream()
        agent = Agent("classifier", handlers={StepReady: classify})
        durable = next(item for item in consumers() if item.durable == "classifier")
        loop = WorkLoop(classifier.js, durable, agent, classifier.publisher, classifier.ring, SETTINGS.bus, slots=4)
        work = asyncio.create_task(loop.run())
        context = StepContext(goal="g", profile="balanced", spec=StepSpec(id="a", title="A", instruction="do it"))
        sent = [StepReady(task_id=new_task_id(), step_id="a", context=context) for _ in range(10)]
        for ready in sent:
            await decomposer.publisher.publish(ready)

        async def passed_on() -> bool:
            waiting = [await held(js, agent) for agent in ("classifier", "router")]
            return waiting == [0, len(sent)]

        await eventually(passed_on, timeout=30)
        loop.stop()
        await work
    assert sorted(seen) == sorted(ready.task_id for ready in sent)


async def test_provisioning_again_changes_nothing_and_loses_nothing(server_url: str, tmp_path: Path) -> None:
    """Nothing is lost: a deployment may provision at every start."""
    keys = tmp_path / "keys"
    await provision_bus(server_url, SETTINGS, replicas=1, keys=keys)
    async with (
        connected(server_url, keys, "decomposer") as links,
        connect_provisioner(server_url, keys, Account.LOCAL, SETTINGS.bus) as provisioner,
    ):
        js = provisioner.jetstream()
        context = StepContext(goal="g", profile="balanced", spec=StepSpec(id="a", title="A", instruction="do it"))
        await links.publisher.publish(StepReady(task_id=new_task_id(), step_id="a", context=context))
        await provision_bus(server_url, SETTINGS, replicas=1, keys=keys)
        assert await held(js, "classifier") == 1
        made = {info.config.name for info in await js.streams_info()}
        assert made == {
            *(item.name for item in streams() if item.account is Account.LOCAL),
            *(bucket_stream(bucket) for bucket in Bucket if account_of(bucket) is Account.LOCAL),
            f"OBJ_{BODIES}",
        }


async def test_one_server_cannot_hold_three_replicas(server_url: str, tmp_path: Path) -> None:
    """Nothing is hidden: the server's refusal is told with its remedy."""
    with pytest.raises(SetupError) as caught:
        await provision_bus(server_url, SETTINGS, replicas=3, keys=tmp_path / "keys")
    assert "cluster" in caught.value.remedy


@pytest.mark.usefixtures("impatient")
async def test_a_server_that_is_not_there_is_named_so(tmp_path: Path) -> None:
    """Nothing is hidden: nothing hangs and no key is made when the address is wrong."""
    with pytest.raises(MeshUnavailable):
        await provision_bus("nats://127.0.0.1:9", SETTINGS, replicas=1, keys=tmp_path / "keys")
    assert not (tmp_path / "keys").exists()
