"""Surrogates are stable in their scope: over replicas, the turns of a conversation, restarts and a change of keys."""

import secrets
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.doubles import NoTags
from fixed_terms import FixedTerms
from harness import Bus
from hybridmesh.agents.classifier.agent import ClassifierAgent
from hybridmesh.agents.classifier.detector import Detector
from hybridmesh.agents.classifier.terms import TermRecognizer
from hybridmesh.agents.classifier.thresholds import Thresholds
from hybridmesh.agents.worker.restoring import issued_for
from hybridmesh.bus.client import connect
from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.publisher import utc_now
from hybridmesh.bus.secret_files import write_secret
from hybridmesh.bus.topology import Bucket
from hybridmesh.bus.vault import Vault, VaultRecord
from hybridmesh.bus.vault_keys import CURRENT, KeyFolder
from hybridmesh.infra.vault_upkeep import rotate
from hybridmesh.schemas.consults import ConsultProposed, ConsultRefused, Prompt
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.privacy import scope_of
from hybridmesh.schemas.routing import Decision, Lane
from hybridmesh.schemas.steps import Redacted, StepClassified, StepContext, StepReady
from hybridmesh.schemas.tasks import Document, TaskSubmitted

pytestmark = pytest.mark.connected

MAIL = "Write to maria.keller@example.org, please."


async def fresh_classifier(bus: Bus, keys: Path) -> ClassifierAgent:
    """A classifier as it is after a restart, or as another replica: it shares nothing but the bus and the keys."""
    finder = Detector(
        tagger=NoTags(), terms=TermRecognizer(()), thresholds=Thresholds(0.5), max_chars=10_000, timeout_s=30,
        monotonic=time.monotonic,
    )  # fmt: skip
    vault = Vault(bus.state(Bucket.VAULT, VaultRecord), KeyFolder(keys), utc_now, ttl_s=600)
    key = Ed25519PrivateKey.generate()
    return ClassifierAgent(
        finder=finder, terms=FixedTerms(), vault=vault, signing_key=key, clock=utc_now, clearance_s=300
    )


def turn(conversation: str | None, text: str = MAIL) -> StepReady:
    context = StepContext(
        goal="Answer.", profile="balanced", spec=StepSpec(id="a", title="A", instruction="Answer."),
        inputs=(Document(name="mail", text=text),), conversation=conversation,
    )  # fmt: skip
    return StepReady(task_id=new_task_id(), step_id="a", context=context)


async def redacted(agent: ClassifierAgent, ready: StepReady) -> Redacted:
    _, classified = await agent.classify(ready)
    assert isinstance(classified, StepClassified)
    assert classified.redacted is not None
    return classified.redacted


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with a vault key."""
    write_secret(tmp_path / CURRENT, secrets.token_bytes(32))
    return tmp_path


async def test_a_value_keeps_its_surrogate_over_turns_restarts_and_keys(bus: Bus, keys: Path) -> None:
    """Nothing is lost: the cloud reads of the same person in each turn; another conversation has another surrogate."""
    first = await redacted(await fresh_classifier(bus, keys), turn("chat-17"))
    second = await redacted(await fresh_classifier(bus, keys), turn("chat-17"))
    await rotate(await bus.links("publisher"), keys, lambda _: None, settle_s=0)
    third = await redacted(await fresh_classifier(bus, keys), turn("chat-17"))
    assert "[EMAIL_" in first.inputs[0].text
    assert first == second == third
    for other in ("chat-18", None, None):
        assert (await redacted(await fresh_classifier(bus, keys), turn(other))).inputs != first.inputs


async def test_a_value_of_an_earlier_turn_is_found_in_a_later_prompt(bus: Bus, keys: Path) -> None:
    """Nothing private leaves: the door holds a prompt against all values of its conversation."""
    agent = await fresh_classifier(bus, keys)
    await agent.classify(turn("chat-17"))
    prompt = Prompt(system="s", user="m a r i a . k e l l e r @ e x a m p l e . o r g")
    for conversation, reason in (("chat-17", "original-in-prompt"), (None, "vault-missing")):
        proposed = ConsultProposed(
            task_id=new_task_id(), step_id="a", purpose="answer", prompt=prompt, model="m", max_tokens=9,
            decision=Decision(lane=Lane.REDACTED, reason=""), conversation=conversation,
        )  # fmt: skip
        _, refused = await agent.clear(proposed)
        assert isinstance(refused, ConsultRefused)
        assert refused.reason == reason


async def test_who_joins_a_conversation_gets_no_value_by_naming_its_surrogate(bus: Bus, keys: Path) -> None:
    """Nothing private leaves: text that a turn brings along is no surrogate, whatever scope it is in."""
    agent = await fresh_classifier(bus, keys)
    mark = (await redacted(agent, turn("chat-17"))).inputs[0].text.split()[2].rstrip(",")
    later = await redacted(agent, turn("chat-17", f"Say {mark} without spaces, and {mark.strip('[]').lower()}."))
    assert mark not in later.inputs[0].text
    vault = Vault(bus.state(Bucket.VAULT, VaultRecord), KeyFolder(keys), utc_now, ttl_s=600)
    originals = await vault.originals(scope_of("", "chat-17"))
    assert mark in originals
    assert mark not in issued_for(later, originals)


async def test_a_conversation_is_named_at_submission(bus: Bus, tmp_path: Path) -> None:
    """It runs on what you have: the client takes a name; one that is none is refused before anything is sent."""
    async with connect(bus.url, data=tmp_path, keys=bus.keys) as mesh:
        await mesh.submit("Answer.", conversation="chat-17")
        with pytest.raises(UsageError, match="conversation"):
            await mesh.submit("Answer.", conversation="a b")
    (body,) = await bus.collect(TaskSubmitted, 1)
    assert TaskSubmitted.model_validate_json(body).conversation == "chat-17"
    task_id = new_task_id()
    assert scope_of(new_task_id(), task_id) != task_id
