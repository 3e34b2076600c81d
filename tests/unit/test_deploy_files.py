"""The files that deploy a mesh of containers agree with the program: with its topology, settings and command line."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from command_line import read_options
from house import CHECKOUT
from hybridmesh.bus.identity import KeyRing, read_identity, read_vault_key
from hybridmesh.bus.settings import BusSettings, MeshSettings
from hybridmesh.bus.topology import AGENTS, TOPOLOGY, Account
from hybridmesh.infra.model_setup import needed_models
from hybridmesh.infra.nats.access import accounts_block
from hybridmesh.infra.nats.binary import MINIMUM, find_binary
from hybridmesh.infra.provision import create_keys
from hybridmesh.infra.settings import load_settings

DEPLOY = CHECKOUT / "infra" / "deploy"
SERVERS = {"nats", "qdrant"}
CLOUD_AGENTS = {row.agent for row in TOPOLOGY if row.account is Account.CLOUD}
KEY = re.compile(r"ANTHROPIC|CLOUD__API_KEY")
VARIABLE = re.compile(r"\$\{\w+(?::-(?P<default>[^}]*)|:\?[^}]*)\}")
PINNED = re.compile(r"[\w./-]+:(?P<version>v?\d+\.\d+\.\d+[\w.-]*)")

Table = dict[str, Any]


def load_compose() -> Table:
    """Return the compose file with its anchors laid out and its variables as they stand."""
    return cast("Table", yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8")))


COMPOSE = load_compose()
SERVICES: dict[str, Table] = COMPOSE["services"]
ONE_SHOTS = {name for name in SERVICES if name in ("access", "provision") or name.startswith("model-")}
OURS = set(SERVICES) - SERVERS


def environment_of(service: Table) -> dict[str, str]:
    """Return a service's environment with every variable at its default; what only ``.env`` may have is left out."""
    given: dict[str, str | None] = service.get("environment", {})
    return {name: VARIABLE.sub(lambda found: found["default"] or "", value) for name, value in given.items() if value}


def sources_of(service: Table) -> dict[str, bool]:
    """Return the volumes that a service mounts, and whether it may write."""
    return {volume["source"]: not volume.get("read_only", False) for volume in service["volumes"]}


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions: name and arguments, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.split()[0], " ".join(line.split()[1:])) for line in lines if line.strip()]


def check_schema(path: Path) -> subprocess.CompletedProcess[str]:
    """Hold a file against the Compose specification's own schema, which comes with the checker."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_compose_file_is_one(tmp_path: Path) -> None:
    """It runs on what you have."""
    assert check_schema(DEPLOY / "compose.yaml").returncode == 0
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(yaml.safe_dump({**COMPOSE, "services": {"nats": {"ports": 4222}}}), "utf-8")
    assert check_schema(wrong).returncode == 1


def test_every_role_is_one_service_and_there_are_no_others() -> None:
    """It runs on what you have: the topology's table, and what it stands on."""
    assert set(SERVICES) == {*AGENTS, *SERVERS, *ONE_SHOTS}
    for agent in AGENTS:
        assert read_options(SERVICES[agent]["command"])["agent"] == agent


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_program_understands_each_command(name: str) -> None:
    """It runs on what you have: no service waits for an option that is gone."""
    assert "entrypoint" not in SERVICES[name]
    assert read_options(SERVICES[name]["command"])


def test_what_the_program_does_not_understand_is_seen() -> None:
    """Nothing is hidden."""
    with pytest.raises(Exception, match="No such option"):
        read_options(["run", "worker", "--natz", "nats://nats:4222"])
    with pytest.raises(KeyError):
        read_options(["walk", "worker"])


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_environment_is_settings_that_exist(name: str, tmp_path: Path) -> None:
    """It runs on what you have: an unknown setting stops an agent at its start."""
    none = tmp_path / "mesh.toml"
    none.touch()
    settings = load_settings(file=none, environment=environment_of(SERVICES[name]))
    assert (settings.memory.url is not None) == (name == "memory")


def test_the_models_are_those_that_the_settings_need() -> None:
    """It runs on what you have: an agent without a way out finds its model prepared."""
    prepared = {read_options(SERVICES[name]["command"])["name"] for name in ONE_SHOTS if name.startswith("model-")}
    assert prepared == set(needed_models(MeshSettings()))
    for agent, field in (("memory", "embedder"), ("worker", "local")):
        waits: Table = SERVICES[agent]["depends_on"]
        assert waits[f"model-{field}"] == {"condition": "service_completed_successfully"}
        model = read_options(SERVICES[f"model-{field}"]["command"])["name"]
        assert model == MeshSettings().models.model_dump()[field]


def test_own_figures_reach_those_who_go_by_them(tmp_path: Path) -> None:
    """It runs on what you have: the page puts the file where it is both written from outside and read by the agents."""
    page = (DEPLOY / "README.md").read_text("utf-8")
    (service, place) = re.findall(r" cp figures\.json ([\w-]+):(\S+)", page)[0]
    (variable, told) = re.findall(r'echo "(HYBRIDMESH_\w+FIGURES)=(\S+)"', page)[0]
    assert told == place
    (volume,) = (item for item in SERVICES[service]["volumes"] if place.startswith(f"{item['target']}/"))
    assert not volume.get("read_only")
    (tmp_path / "mesh.toml").touch()
    for agent in ("decomposer", "worker", "verifier"):
        assert {**volume, "read_only": True} in SERVICES[agent]["volumes"]
        given = SERVICES[agent]["environment"]
        assert given.get(variable, "not there") is None  # compose takes it from .env, and leaves it out where it is not
        settings = load_settings(file=tmp_path / "mesh.toml", environment={variable: told})
        assert settings.models.figures == Path(place)


def test_the_program_understands_each_command_of_the_page() -> None:
    """It runs on what you have: no option that is gone is told."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (DEPLOY / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    told = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    own = [words[1:] for words in told if words[0] == "hybridmesh"]
    assert len(own) >= 4
    for words in own:
        assert read_options(words)


def test_only_the_consultant_has_the_cloud_key_and_a_way_out() -> None:
    """Nothing private leaves: of all that hold anything private, one has a way out."""
    assert {name for name, service in SERVICES.items() if KEY.search(json.dumps(service))} == CLOUD_AGENTS
    networks: dict[str, Table] = COMPOSE["networks"]
    inner = {name for name, network in networks.items() if network.get("internal")}
    closed = {"com.docker.network.bridge.enable_ip_masquerade": "false"}
    doors = {name for name, network in networks.items() if network.get("driver_opts") == closed}
    outward = {name for name, service in SERVICES.items() if set(service["networks"]) - inner - doors}
    assert outward == CLOUD_AGENTS | (ONE_SHOTS - {"access", "provision"})
    assert {name for name, service in SERVICES.items() if set(service["networks"]) & doors} == {"nats"}


def test_what_fetches_models_sees_nothing_else() -> None:
    """Nothing private leaves: a way out, and nothing to send."""
    for name in ONE_SHOTS - {"access", "provision"}:
        assert SERVICES[name]["networks"] == ["outside"]
        assert sources_of(SERVICES[name]) == {"models": True}


def test_the_consultant_sees_no_memory_and_no_keys_but_its_own() -> None:
    """Nothing private leaves."""
    for agent in CLOUD_AGENTS:
        assert sources_of(SERVICES[agent]) == {"cloud-keys": False}
        assert not set(SERVICES[agent]["networks"]) & set(SERVICES["qdrant"]["networks"])
    assert {name for name, item in SERVICES.items() if "store" in item["networks"]} == {"memory", "qdrant"}


def test_only_the_one_shots_of_the_bus_write_keys() -> None:
    """Nothing is hidden: nobody else can name itself anew."""
    writers = {
        name
        for name, item in SERVICES.items()
        for source, writes in sources_of(item).items()
        if writes and source.endswith("keys")
    }
    assert writers == {"access", "provision"}


def test_ports_are_published_on_loopback_only() -> None:
    """Nothing private leaves: the bus is not offered to the neighbourhood."""
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == {"nats"}
    for ports in published.values():
        assert all(str(port).startswith("127.0.0.1:") for port in ports)


@pytest.mark.parametrize("name", sorted(AGENTS))
def test_each_role_can_be_scaled_drained_and_started_again(name: str) -> None:
    """Nothing is lost: ``--scale worker=4`` works, and a stopping agent finishes what it has begun."""
    service = SERVICES[name]
    assert not {"container_name", "ports", "hostname"} & set(service)
    assert service["restart"] == "unless-stopped"
    assert float(service["stop_grace_period"].removesuffix("s")) > BusSettings().drain_s
    assert service["depends_on"]["provision"] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_container_is_shut_in(name: str) -> None:
    """Nothing private leaves: a taken container can write nowhere and gain nothing."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "/tmp" in service["tmpfs"]  # noqa: S108 - a path in the container


@pytest.mark.parametrize("name", sorted(SERVERS | set(AGENTS)))
def test_whoever_stays_has_a_health_check(name: str) -> None:
    """Nothing is lost: what hangs is seen."""
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


def test_the_agents_health_check_looks_at_the_port_of_the_bus_and_at_the_agents_file() -> None:
    """Nothing is lost: the kernel writes ports in hexadecimal, and the agent its file in a place of its own."""
    text = (DEPLOY / "nats.conf").read_text("utf-8")
    listen = re.search(r'^listen: "0\.0\.0\.0:(\d+)"$', text, re.MULTILINE)
    assert listen is not None
    for agent in AGENTS:
        probe, told = SERVICES[agent]["healthcheck"]["test"][-1], read_options(SERVICES[agent]["command"])
        assert f":{int(listen[1]):04X} 01 " in probe
        assert f"test -e {told['ready_file']} " in probe
        assert told["nats"] == f"nats://nats:{listen[1]}"


def test_images_are_pinned() -> None:
    """It runs on what you have: tomorrow's build is today's."""
    tags = {name: PINNED.fullmatch(service["image"]) for name, service in SERVICES.items()}
    assert all(tags.values())
    nats = tags["nats"]
    assert nats is not None
    assert tuple(map(int, nats["version"].removesuffix("-alpine").split("."))) >= MINIMUM
    bases = [value.partition("=")[2] for name, value in instructions() if name == "ARG"]
    assert len(bases) == 1
    assert PINNED.fullmatch(bases[0])
    assert all(value.split()[0] == "${PYTHON}" for name, value in instructions() if name == "FROM")


def test_the_image_carries_the_version_of_the_program() -> None:
    """Nothing is hidden."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    assert {SERVICES[name]["image"] for name in OURS} == {f"hybridmesh:{project['version']}"}


def test_the_bus_syncs_before_it_acknowledges(tmp_path: Path) -> None:
    """Nothing is lost, and no one gets in: the server takes the configuration with the accounts that it includes."""
    path = DEPLOY / "nats.conf"
    jetstream = re.search(r"jetstream \{(.*?)\}", path.read_text("utf-8"), re.DOTALL)
    assert jetstream is not None
    assert re.search(r"^\s*sync_interval: always$", jetstream[1], re.MULTILINE)
    access = SERVICES["access"]["command"]
    assert read_options(access)["accounts_only"] is True
    (tmp_path / "access").mkdir()
    (tmp_path / "access" / "accounts.conf").write_text(accounts_block(create_keys(tmp_path / "keys")), "utf-8")
    copied = shutil.copy(path, tmp_path)
    command = [str(find_binary(None)), "-t", "-c", str(copied)]
    assert subprocess.run(command, capture_output=True, check=False, env={}).returncode != 0  # nothing in the clear
    given = dict.fromkeys(SERVICES["nats"]["environment"], "test")
    checked = subprocess.run(command, capture_output=True, text=True, check=False, env=given)
    assert checked.returncode == 0, checked.stderr
    assert {"source": "nats", "target": "/etc/nats/nats.conf"} in SERVICES["nats"]["configs"]
    assert DEPLOY / COMPOSE["configs"]["nats"]["file"] == path


def owned_folders() -> set[str]:
    """Return the folders that the image makes for the user that it runs as."""
    made = [part for name, value in instructions() if name == "RUN" for part in value.split("&&")]
    return {word for part in made if "install -d -o 65532" in part for word in part.split() if word.startswith("/")}


@pytest.mark.parametrize("name", sorted(OURS))
def test_what_a_container_writes_to_is_its_users(name: str) -> None:
    """It runs on what you have: a new volume over a folder that the image does not have is root's alone."""
    targets = {volume["target"] for volume in SERVICES[name]["volumes"] if not volume.get("read_only")}
    assert targets <= owned_folders()


def test_no_container_runs_as_root() -> None:
    """Nothing private leaves: the bus runs as the user to whom one of ours hands its volume."""
    nats = SERVICES["nats"]
    assert nats["user"] == "65532:65532"
    store = {"type": "volume", "source": "bus", "target": "/data"}
    assert {**store, "volume": {"nocopy": True}} in nats["volumes"]
    assert store in SERVICES["access"]["volumes"]
    assert nats["depends_on"]["access"] == {"condition": "service_completed_successfully"}
    assert SERVICES["qdrant"]["image"].endswith("-unprivileged")
    assert not any("user" in SERVICES[name] for name in OURS)  # the image's own


def test_the_image_runs_the_program_as_nobody() -> None:
    """Nothing private leaves: not as root, from hashed packages, with the program as its entry."""
    final = instructions()
    last = max(place for place, (name, _) in enumerate(final) if name == "FROM")
    users = [value for name, value in final[last:] if name == "USER"]
    assert users[-1] == "65532:65532"
    assert ("ENTRYPOINT", '["hybridmesh"]') in final[last:]
    scripts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert "hybridmesh" in scripts
    installs = [value for name, value in final if name == "RUN" and "pip install" in value]
    assert any("--require-hashes -r requirements.lock" in value for value in installs)
    variables = dict(pair.split("=", 1) for name, value in final[last:] if name == "ENV" for pair in value.split())
    assert load_settings(environment=variables).cache == Path("/models")
    assert not re.search(r"(?i)api_key|secret|token|password", (DEPLOY / "Dockerfile").read_text("utf-8"))


def test_the_build_sees_what_it_copies_and_nothing_else() -> None:
    """Nothing private leaves: a key or a data folder in the checkout gets into no layer."""
    ignore = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in ignore if line and not line.startswith("#")]
    assert rules[0] == "*"
    seen = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {
        word
        for name, value in instructions()
        if name == "COPY" and not value.startswith("--from")
        for word in value.split()[:-1]
    }
    assert copied == seen
    assert all((CHECKOUT / name).exists() for name in seen)
    assert {"**/*.key", "**/*.nk", "**/.env", "**/.hybridmesh"} <= set(rules)


def test_the_keys_folder_is_whole_and_the_clouds_part_holds_no_vault_key(tmp_path: Path) -> None:
    """Nothing private leaves: what the consultant's container mounts is its own key and the public ring."""
    keys = tmp_path / "keys"
    create_keys(keys)
    first = {path.relative_to(keys): path.read_bytes() for path in keys.rglob("*") if path.is_file()}
    create_keys(keys)
    assert {path.relative_to(keys): path.read_bytes() for path in keys.rglob("*") if path.is_file()} == first
    assert len(read_vault_key(keys)) == 32
    cloud = keys / "cloud"
    held = {f"{agent}.{kind}" for agent in CLOUD_AGENTS for kind in ("key", "nk")}
    assert {path.name for path in cloud.iterdir()} == {"ring.json", *held}
    for agent in CLOUD_AGENTS:
        signed = read_identity(cloud, agent).sign(b"x")
        assert KeyRing.read(keys).holds(agent, signed, b"x")
        assert all((cloud / f"{agent}.{kind}").stat().st_mode & 0o077 == 0 for kind in ("key", "nk"))


def test_the_page_counts_the_services_that_fetch_models() -> None:
    """Nothing is hidden: who has a way out is told in full, and no more than that."""
    fetching = [name for name in load_compose()["services"] if name.startswith("model-")]
    number = {"two": 2, "three": 3, "four": 4}
    (said,) = re.findall(r"The (\w+) `model-\*` one-shots", (DEPLOY / "README.md").read_text("utf-8"))
    assert number[said] == len(fetching)
