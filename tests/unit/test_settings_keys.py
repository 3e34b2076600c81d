"""Keys to the outside: who of the mesh's processes may know which."""

from collections.abc import Iterator
from typing import get_args

import pytest
from pydantic import BaseModel, SecretStr

from command_line import run_command
from hybridmesh.bus.settings import CloudSettings, MemorySettings, MeshSettings
from hybridmesh.bus.topology import AGENTS
from hybridmesh.infra.settings import SECRETS, child_environment, settings_of

CLOUD = ("ANTHROPIC_API_KEY", "HYBRIDMESH_CLOUD__API_KEY", "HYBRIDMESH_Cloud__Api_Key")
MEMORY = ("HYBRIDMESH_MEMORY__API_KEY", "HYBRIDMESH_memory__api_key")


def test_a_child_gets_its_own_keys_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing private leaves: the cloud key is the consultant's, and that has no way into the memory."""
    for name in (*CLOUD, *MEMORY, "HYBRIDMESH_MEMORY__URL"):
        monkeypatch.setenv(name, "x")
    for agent in (*AGENTS, None):
        given = child_environment(agent)
        assert [name in given for name in CLOUD] == [agent == "consultant"] * len(CLOUD)
        assert [name in given for name in MEMORY] == [agent == "memory"] * len(MEMORY)
        assert "HYBRIDMESH_MEMORY__URL" in given


def test_an_agent_does_not_keep_what_the_settings_file_says_of_others_keys() -> None:
    """Nothing private leaves: mesh.toml is read by all."""
    key = SecretStr("x")
    settings = MeshSettings(cloud=CloudSettings(api_key=key), memory=MemorySettings(api_key=key, url="http://a"))
    for agent in AGENTS:
        own = settings_of(agent, settings)
        assert (own.cloud.api_key is not None) == (agent == "consultant")
        assert (own.memory.api_key is not None) == (agent == "memory")
        assert own.memory.url == "http://a"


def secret_fields(section: type[BaseModel], path: str = "") -> Iterator[str]:
    """Yield the dotted names of the settings that hold a secret."""
    for name, field in section.model_fields.items():
        kind = field.annotation
        if kind is SecretStr or SecretStr in get_args(kind):
            yield f"{path}{name}"
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from secret_fields(kind, f"{path}{name}.")


def test_every_secret_setting_has_its_owner() -> None:
    """Nothing private leaves: one table says whose a key is, and a new key that is not in it fails here."""
    assert sorted(SECRETS) == sorted(secret_fields(MeshSettings))
    assert {secret.owner for secret in SECRETS.values()} <= set(AGENTS)


@pytest.mark.parametrize("name", SECRETS)
def test_no_key_is_taken_from_a_command_line(name: str) -> None:
    """Nothing private leaves: everybody on the machine can read the words that a process was started with."""
    ran = run_command("doctor", "--set", f"{name}=very-private")
    assert (ran.code, f"remedy: set the variable {SECRETS[name].variable}" in ran.err) == (2, True)
    assert "very-private" not in ran.err
