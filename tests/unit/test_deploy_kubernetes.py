"""The manifests for Kubernetes agree with its schemas, and with the program: topology, settings, command line, keys."""

import base64
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, cast

import kubernetes_validate  # type: ignore[import-untyped] # its types are there, its py.typed is not
import pytest
import yaml

from command_line import read_options
from house import CHECKOUT
from hybridmesh.bus.settings import BusSettings, MeshSettings
from hybridmesh.bus.topology import AGENTS, TOPOLOGY, Account, Bucket
from hybridmesh.infra.model_setup import needed_models
from hybridmesh.infra.nats.access import accounts_block
from hybridmesh.infra.nats.binary import find_binary
from hybridmesh.infra.provision import create_keys
from hybridmesh.infra.settings import SECRETS, load_settings

DEPLOY = CHECKOUT / "infra" / "deploy"
FOLDER = DEPLOY / "kubernetes"
VERSIONS = ("1.30", "1.37")  # the oldest and the newest whose schemas the manifests are held against
CLOUD_AGENTS = {row.agent for row in TOPOLOGY if row.account is Account.CLOUD}
VAULT_AGENTS = {row.agent for row in TOPOLOGY if Bucket.VAULT in (*row.keeps, *row.reads) and not row.outside}

Table = dict[str, Any]


def load(name: str) -> list[Table]:
    """Return the documents of one file."""
    return [cast("Table", document) for document in yaml.safe_load_all((FOLDER / name).read_text("utf-8"))]


KUSTOMIZATION = load("kustomization.yaml")[0]
MANIFESTS = [document for name in KUSTOMIZATION["resources"] for document in load(name)]


def of_kind(*kinds: str) -> dict[str, Table]:
    """Return the specs of the manifests of some kinds, by name."""
    return {item["metadata"]["name"]: item["spec"] for item in MANIFESTS if item["kind"] in kinds}


PODS = {name: cast("Table", spec["template"]["spec"]) for name, spec in of_kind("Deployment", "StatefulSet").items()}
POLICIES = of_kind("NetworkPolicy")


def container_of(name: str) -> Table:
    """Return the one container of a pod."""
    (container,) = PODS[name]["containers"]
    return cast("Table", container)


def environment_of(name: str) -> dict[str, str]:
    """Return a container's variables with what it takes from the settings; a secret is named by its key."""
    container = container_of(name)
    taken: dict[str, str] = {}
    if any("configMapRef" in source for source in container.get("envFrom", ())):
        (settings,) = (item["data"] for item in MANIFESTS if item["kind"] == "ConfigMap")
        taken.update(settings)
    for variable in container.get("env", ()):
        taken[variable["name"]] = variable.get("value", "secret")
    return taken


def secrets_of(name: str) -> set[str]:
    """Return the secrets that a pod gets anything of, by the names that they are generated under."""
    return set(re.findall(r"'secret(?:Name|Ref|KeyRef)': (?:\{.*?'name': )?'([\w-]+)'", str(PODS[name])))


def generated(kind: str) -> dict[str, Table]:
    """Return what the kustomization generates of a kind, by name."""
    return {item["name"]: item for item in KUSTOMIZATION[f"{kind}Generator"]}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", KUSTOMIZATION["resources"])
def test_each_manifest_is_one(name: str, version: str) -> None:
    """It runs on what you have: held against the schemas of Kubernetes, which come with the checker."""
    for document in load(name):
        assert kubernetes_validate.validate(document, version, strict=True) == version


def test_a_misspelt_field_is_seen() -> None:
    """Nothing is hidden: the schemas are the strict ones."""
    wrong: dict[str, object] = {**load("namespace.yaml")[0], "specs": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_every_file_is_applied() -> None:
    """Nothing is hidden: no manifest lies beside the kustomization unread, and none that it names is missing."""
    files = {path.name for path in FOLDER.iterdir()}
    config = {name for item in generated("configMap").values() for name in item["files"]} - {"accounts.conf"}
    assert files == {"kustomization.yaml", *KUSTOMIZATION["resources"], *config}


def test_each_agent_is_exactly_one_deployment() -> None:
    """It runs on what you have: the topology's table, and nothing beside it but what it stands on."""
    assert [item["metadata"]["name"] for item in MANIFESTS if item["kind"] == "Deployment"] == list(AGENTS)
    assert of_kind("StatefulSet").keys() == {"nats", "qdrant"}
    for name, spec in of_kind("Deployment", "StatefulSet").items():
        labels = {"app": name, **({"role": "agent"} if name in AGENTS else {})}
        assert spec["template"]["metadata"]["labels"] == labels
        assert spec["selector"]["matchLabels"] == {"app": name}
    for agent in AGENTS:
        told = read_options(container_of(agent)["args"])
        assert (told["agent"], told["keys"]) == (agent, Path("/keys"))


def test_agents_differ_in_nothing_that_is_not_meant() -> None:
    """Nothing private leaves: what is hardened in one is hardened in all."""
    plain = {name: str(PODS[name]).replace(name, "AGENT") for name in AGENTS}
    for name in AGENTS:
        container = container_of(name)
        varied = (container["resources"], container["envFrom"][1:], container.get("env"))
        for part in filter(None, varied):
            plain[name] = plain[name].replace(str(part).replace(name, "AGENT"), "")
        plain[name] = re.sub(r", \]|'env': , |\{'configMapRef': \{'name': 'settings'\}\}[^]]*", "", plain[name])
    assert len(set(plain.values())) == 1, plain


@pytest.mark.parametrize("name", AGENTS)
def test_each_environment_is_settings_that_exist(name: str, tmp_path: Path) -> None:
    """It runs on what you have: an unknown setting stops an agent at its start."""
    none = tmp_path / "mesh.toml"
    none.touch()
    settings = load_settings(file=none, environment=environment_of(name))
    mounts = {mount["mountPath"] for mount in container_of(name)["volumeMounts"]}
    assert settings.bus.tls_ca == Path("/tls/ca.crt")
    assert {"/keys", "/tls", "/own", "/data", "/tmp"} == mounts  # noqa: S108 - a path in the container
    assert (settings.memory.url is not None) == (name == "memory")


def test_secrets_are_in_no_manifest_and_each_is_its_owners() -> None:
    """Nothing private leaves: to each agent its own keys, the cloud's key to the consultant, the vault's to two."""
    assert not any(item["kind"] == "Secret" for item in MANIFESTS)
    variables = {secret.variable for secret in SECRETS.values()} | {"JS_KEY", "QDRANT_API_KEY"}
    for item in MANIFESTS:
        assert item["kind"] != "ConfigMap" or not variables & item["data"].keys()
    readable = {name for item in generated("configMap").values() for name in item["files"]}
    assert readable == {"nats.conf", "accounts.conf"}
    made = generated("secret")
    for agent in AGENTS:
        keys = {f"keys/{agent}.key", f"keys/{agent}.nk", "keys/ring.json"}
        assert set(made[f"keys-{agent}"]["files"]) == keys | ({"keys/vault.kek"} if agent in VAULT_AGENTS else set())
        assert {name for name in secrets_of(agent) if name.startswith("keys-")} == {f"keys-{agent}"}
    assert {name for name in PODS if "cloud" in secrets_of(name)} == CLOUD_AGENTS
    assert {name for name in PODS if "qdrant" in secrets_of(name)} == {"qdrant", "memory"}
    assert {name for name in PODS if "nats-store" in secrets_of(name)} == {"nats"}
    assert set().union(*map(secrets_of, PODS)) == made.keys()


def test_an_agent_sees_the_authority_and_not_the_servers_key() -> None:
    """Nobody gets in who is not let in."""
    for agent in AGENTS:
        (ca,) = (volume["secret"] for volume in PODS[agent]["volumes"] if volume["name"] == "ca")
        assert ca["items"] == [{"key": "ca.crt", "path": "ca.crt"}]


def test_the_keys_that_are_asked_for_are_those_that_are_made(tmp_path: Path) -> None:
    """It runs on what you have: what the page says to make is what the kustomization reads; public it is not secret."""
    users = create_keys(tmp_path / "keys")
    files = [file for item in generated("secret").values() for file in item.get("files", ()) if "keys/" in file]
    assert all((tmp_path / file).is_file() for file in files)
    accounts = accounts_block(users)
    for path in (tmp_path / "keys").glob("[!.]*.*k*"):  # a lock is nobody's key
        content = path.read_bytes()
        assert base64.b64encode(content).decode() not in accounts
        assert content.decode("latin-1").strip() not in accounts


@pytest.mark.parametrize("name", sorted(PODS))
def test_every_pod_is_shut_in(name: str) -> None:
    """Nothing private leaves: a taken container can write nowhere and gain nothing."""
    pod, container = PODS[name], container_of(name)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    dropped = {"capabilities": {"drop": ["ALL"]}, "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True}
    assert container["securityContext"] == dropped
    assert {"requests", "limits"} <= container["resources"].keys()
    assert {"livenessProbe", "readinessProbe"} <= container.keys()


def test_an_agents_probe_looks_at_the_port_of_the_bus_and_its_grace_is_longer_than_its_drain() -> None:
    """Nothing is lost: what hangs is seen, and what was begun is finished; the kernel writes ports in hexadecimal."""
    listen = re.search(r'^listen: "0\.0\.0\.0:(\d+)"$', (FOLDER / "nats.conf").read_text("utf-8"), re.MULTILINE)
    assert listen is not None
    for agent in AGENTS:
        container = container_of(agent)
        for probe in ("livenessProbe", "readinessProbe"):
            assert f":{int(listen[1]):04X} 01 " in " ".join(container[probe]["exec"]["command"])
        told = read_options(container["args"])
        assert told["nats"] == f"tls://nats:{listen[1]}"
        assert f"test -e {told['ready_file']} " in container["readinessProbe"]["exec"]["command"][-1]
        assert PODS[agent]["terminationGracePeriodSeconds"] > BusSettings().drain_s


def outward(spec: Table) -> bool:
    """Say whether a policy lets anything out of the cluster, or to any pod of it."""
    ends = [end for rule in spec.get("egress", ()) for end in rule.get("to", ({},))]
    return any("ipBlock" in end or not end for end in ends)


def test_only_the_consultant_gets_out_and_only_agents_reach_the_bus() -> None:
    """Nothing private leaves: all is shut but what is named."""
    assert POLICIES["nothing-else"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    out = [spec["podSelector"] for spec in POLICIES.values() if outward(spec)]
    assert out == [{"matchLabels": {"app": agent}} for agent in sorted(CLOUD_AGENTS)]
    into: dict[tuple[str, int], list[Table]] = {}
    for spec in POLICIES.values():
        for rule in spec.get("ingress", ()):
            for port in rule["ports"]:
                into[spec["podSelector"]["matchLabels"]["app"], port["port"]] = rule["from"]
    only: dict[str, list[Table]] = {name: [{"podSelector": {"matchLabels": label}}] for name, label in LABELS.items()}
    assert into == {("nats", 4222): only["agents"], ("nats", 6222): only["nats"], ("qdrant", 6333): only["memory"]}
    reaches_store = [spec for spec in POLICIES.values() if "'app': 'qdrant'" in str(spec.get("egress"))]
    assert [spec["podSelector"] for spec in reaches_store] == [{"matchLabels": {"app": "memory"}}]


LABELS = {"agents": {"role": "agent"}, "nats": {"app": "nats"}, "memory": {"app": "memory"}}


def test_nodes_can_be_emptied_without_losing_the_quorum() -> None:
    """Nothing is lost: one server of three at a time, and no budget that keeps a node from being emptied."""
    budgets = of_kind("PodDisruptionBudget")
    assert budgets.keys() == PODS.keys()
    for name, spec in budgets.items():
        assert spec == {"maxUnavailable": 1, "selector": {"matchLabels": {"app": name}}}
    servers = of_kind("StatefulSet")["nats"]
    routes = re.findall(r"tls://nats-(\d)\.(\S+):6222", (FOLDER / "nats.conf").read_text("utf-8"))
    assert routes == [(str(place), servers["serviceName"]) for place in range(servers["replicas"])]


def test_who_is_scaled_by_its_cpu_asks_for_no_number_of_replicas() -> None:
    """It runs on what you have: an apply does not undo what the autoscaler chose."""
    deployments = of_kind("Deployment")
    for name, spec in of_kind("HorizontalPodAutoscaler").items():
        assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        assert "replicas" not in deployments[name]
        assert "cpu" in container_of(name)["resources"]["requests"]


def test_images_are_those_of_compose() -> None:
    """It runs on what you have: one version of each server is known to work, and ours carries the models it needs."""
    services: Table = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    for server in ("nats", "qdrant"):
        assert container_of(server)["image"] == services[server]["image"]
    (ours,) = KUSTOMIZATION["images"]
    assert f"hybridmesh:{ours['newTag']}" == services["worker"]["image"]
    assert {container_of(agent)["image"] for agent in AGENTS} == {ours["name"]}
    recipe = (DEPLOY / "Dockerfile.models").read_text("utf-8")
    assert set(re.findall(r"hybridmesh model prepare (\S+)", recipe)) == set(needed_models(MeshSettings()))
    assert recipe.rstrip().endswith("USER 65532:65532")


def test_the_server_takes_its_configuration(tmp_path: Path) -> None:
    """Nothing is lost, and no one gets in: it syncs before it acknowledges, encrypts, and includes the accounts."""
    text = (FOLDER / "nats.conf").read_text("utf-8")
    assert re.search(r"^\s*sync_interval: always$", text, re.MULTILINE)
    certificate = tmp_path / "tls.crt"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    if shutil.which(make[0]) is None:
        pytest.skip("no openssl to make a certificate with")
    named = ["-subj", "/CN=nats", "-keyout", str(tmp_path / "tls.key"), "-out", str(certificate)]
    subprocess.run([*make, *named], check=True, capture_output=True)
    shutil.copy(certificate, tmp_path / "ca.crt")
    (tmp_path / "accounts.conf").write_text(accounts_block(create_keys(tmp_path / "keys")), "utf-8")
    (tmp_path / "nats.conf").write_text(text.replace('"/tls/', f'"{tmp_path}/'), "utf-8")
    command = [str(find_binary(None)), "-t", "-c", str(tmp_path / "nats.conf")]
    assert subprocess.run(command, capture_output=True, check=False, env={}).returncode != 0  # nothing in the clear
    variables = {variable["name"]: "test" for variable in container_of("nats")["env"]}
    checked = subprocess.run(command, capture_output=True, text=True, check=False, env=variables)
    assert checked.returncode == 0, checked.stderr
