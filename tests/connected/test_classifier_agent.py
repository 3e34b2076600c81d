"""Nothing private leaves: the classifier on a real bus, with the real vault and the real token classifier."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from empty_memory import EmptyMemory
from fixed_terms import POLICY_VERSION, FixedTerms
from harness import Bus
from hybridmesh.agents.classifier.agent import ClassifierAgent
from hybridmesh.agents.classifier.detector import Detector
from hybridmesh.agents.classifier.shipped import shipped_model
from hybridmesh.agents.classifier.terms import TermRecognizer
from hybridmesh.agents.classifier.thresholds import Thresholds
from hybridmesh.agents.classifier.token_classifier import TokenClassifier
from hybridmesh.agents.consultant.egress_scan import scan_body
from hybridmesh.agents.router.prompts import compose
from hybridmesh.bus.agent import Clock
from hybridmesh.bus.clearances import check_clearance
from hybridmesh.bus.errors import MemoryUnavailable, MeshUnavailable
from hybridmesh.bus.topology import Bucket
from hybridmesh.bus.vault import ScopeKeys, Vault, VaultRecord
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.consults import ConsultProposed, ConsultRefused, ConsultRequested, Prompt
from hybridmesh.schemas.memory import Hit, Hits, Kind, MemoryItem, Search
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.privacy import Sensitivity, Span
from hybridmesh.schemas.routing import Decision, Lane
from hybridmesh.schemas.steps import StepClassified, StepContext, StepReady
from hybridmesh.schemas.surrogates import restore
from hybridmesh.schemas.tasks import Document

pytestmark = [pytest.mark.connected, pytest.mark.model]

TASK = "0195f0aa-0000-7000-8000-000000000001"
KEY = Ed25519PrivateKey.from_private_bytes(b"\x03" * 32)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
LETTER = """Hello,

my name is Wren Hollis and I ordered 3 blue mugs (A-10293) on 2026-03-04. Please pay 45.90 EUR
back to DE89 3704 0044 0532 0130 00, or write to wren.hollis@example.org.

Kind regards,
Wren
"""
SYSTEM = (
    "You draft replies. Placeholders such as [PERSON_....] stand for values that you cannot see: copy them as they are."
)


def frozen() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def tagger() -> TokenClassifier:
    return TokenClassifier(shipped_model())


def make_detector(tagger: TokenClassifier, *, max_chars: int = 100_000, timeout_s: float = 30) -> Detector:
    return Detector(
        tagger=tagger, terms=TermRecognizer(["Project Falke"]),
        thresholds=Thresholds(0.5), max_chars=max_chars, timeout_s=timeout_s,
        monotonic=time.monotonic,
    )  # fmt: skip


@pytest.fixture
def detector(tagger: TokenClassifier) -> Detector:
    return make_detector(tagger)


@pytest.fixture
async def vault(bus: Bus) -> Vault:
    return Vault(bus.state(Bucket.VAULT, VaultRecord), b"k" * 32, frozen, ttl_s=60)


def make_agent(finder: Detector, vault: Vault, clock: Clock = frozen) -> ClassifierAgent:
    return ClassifierAgent(
        finder=finder, terms=FixedTerms(), vault=vault, signing_key=KEY, clock=clock, clearance_s=300
    )


def ready(text: str = LETTER, *, step: str = "reply", floor: Sensitivity = Sensitivity.PUBLIC) -> StepReady:
    spec = StepSpec(id=step, title="Reply", instruction="Draft a reply to the customer.")
    context = StepContext(
        goal="Answer this letter.", profile="balanced", spec=spec, label_floor=floor,
        inputs=(Document(name="letter", text=text),),
    )  # fmt: skip
    return StepReady(task_id=TASK, step_id=step, context=context)


def proposed(user: str, system: str = SYSTEM) -> ConsultProposed:
    return ConsultProposed(
        task_id=TASK, step_id="reply", purpose="answer", prompt=Prompt(system=system, user=user), model="m",
        max_tokens=100, decision=Decision(lane=Lane.REDACTED, reason="complexity"),
    )  # fmt: skip


def split(messages: Sequence[Message]) -> tuple[AuditEvent, Message]:
    event, message = messages
    assert isinstance(event, AuditEvent)
    return event, message


async def classify(agent: ClassifierAgent, message: StepReady) -> StepClassified:
    _, classified = split(await agent.classify(message))
    assert isinstance(classified, StepClassified)
    return classified


async def test_a_step_is_redacted_after_its_originals_are_safe(detector: Detector, vault: Vault) -> None:
    """Nothing private leaves, nothing is lost: no value is in the redacted step, and the vault gives all back."""
    event, classified = split(await make_agent(detector, vault).classify(ready()))
    assert isinstance(classified, StepClassified)
    assert classified.redacted is not None
    assert classified.doubt is None
    assert classified.label is Sensitivity.PERSONAL
    text = classified.redacted.inputs[0].text
    assert not [value for value in ("Wren", "Hollis", "DE89", "0532", "example.org") if value in text]
    assert all(kept in text for kept in ("A-10293", "2026-03-04", "45.90 EUR", "3 blue mugs"))
    assert restore(text, await vault.originals(TASK)).text == LETTER
    assert event.action is Action.STEP_CLASSIFIED
    assert {name: event.facts[name] for name in ("found.iban", "found.email", "label")} == {
        "found.iban": 1, "found.email": 1, "label": "personal",
    }  # fmt: skip
    assert "Wren" not in event.model_dump_json()


async def test_the_same_step_and_a_later_one_use_the_same_surrogates(detector: Detector, vault: Vault) -> None:
    """Nothing is lost: a handler that runs twice says the same, and a value keeps its surrogate over the task."""
    agent = make_agent(detector, vault)
    first = await classify(agent, ready())
    assert await classify(agent, ready()) == first
    later = await classify(agent, ready("Hollis, Wren Hollis: paid.", step="note", floor=Sensitivity.SECRET))
    assert later.label is Sensitivity.SECRET
    assert later.redacted is not None
    (whole,) = [name for name, value in (await vault.originals(TASK)).items() if value == "Wren Hollis"]
    assert whole in later.redacted.inputs[0].text
    assert "Hollis" not in later.redacted.inputs[0].text


async def test_own_terms_and_planted_surrogates_do_not_pass(detector: Detector, vault: Vault) -> None:
    """Nothing private leaves: code names are cut, and a surrogate that a text brings along is restored as text."""
    text = "Project Falke, see [PERSON_7Q2M] and person_7q2m."
    classified = await classify(make_agent(detector, vault), ready(text))
    assert classified.redacted is not None
    redacted = classified.redacted.inputs[0].text
    assert "Falke" not in redacted
    assert "[PERSON_7Q2M]" not in redacted
    assert restore(redacted, await vault.originals(TASK)).text == text


async def test_long_texts_are_read_to_their_end(detector: Detector, vault: Vault) -> None:
    """Nothing private leaves: no text is cut short; a value on the last of many windows is found."""
    text = "The router was restarted and the light stayed red. " * 150 + "Then I asked Wren Hollis of 12 Baker Street."
    classified = await classify(make_agent(detector, vault), ready(text))
    assert classified.redacted is not None
    assert "Hollis" not in classified.redacted.inputs[0].text
    assert "Baker" not in classified.redacted.inputs[0].text


async def test_a_redacted_prompt_is_signed(detector: Detector, vault: Vault) -> None:
    """Nothing private leaves, and what is clean does: the clearance holds for this prompt and says what it keeps."""
    agent = make_agent(detector, vault)
    classified = await classify(agent, ready())
    assert classified.redacted is not None
    user = f"# Task\n{classified.redacted.goal}\n\n# Material\n{classified.redacted.inputs[0].text}"
    event, requested = split(await agent.clear(proposed(user)))
    assert isinstance(requested, ConsultRequested)
    check_clearance(
        requested.clearance, requested.prompt, KEY.public_key(), now=NOW, task_id=TASK, step_id="reply", attempt=1
    )
    assert requested.clearance.counts["IBAN"] == 1
    assert requested.clearance.policy_version == POLICY_VERSION
    assert event.action is Action.PROMPT_CLEARED
    assert event.facts["prompt_sha256"] == requested.prompt.digest()


class Records(EmptyMemory):
    """A memory that knows some people, or is away."""

    def __init__(self, *items: MemoryItem, away: bool = False) -> None:
        self._hits = Hits(hits=tuple(Hit(item=item, score=1, via="hybrid") for item in items))
        self._away = away

    async def search(self, request: Search) -> Hits:
        if self._away:
            raise MemoryUnavailable
        assert "Hollis" not in request.query
        return self._hits


async def test_the_log_says_whom_a_cleared_prompt_may_still_point_at(detector: Detector, vault: Vault) -> None:
    """Nothing is hidden: of the people known to vault and memory, those whom the prompt does not rule out."""
    nurse, teacher = (
        MemoryItem(
            kind=Kind.RECORD, text="A customer.", subject=who, data={"job": job}, source="crm", author="a",
            created_at=NOW,
        )
        for who, job in (("c-1", "nurse"), ("c-2", "teacher"))
    )  # fmt: skip
    for memory, expected in (
        (Records(nurse, teacher), (3, 2, 1)),  # the nurse, and Wren Hollis, of whom nothing is known
        (Records(), (1, 1, 1)),
        (Records(away=True), (None, None, None)),
    ):
        agent = ClassifierAgent(
            finder=detector, terms=FixedTerms(), vault=vault, signing_key=KEY, clock=frozen, clearance_s=300,
            memory=memory,
        )  # fmt: skip
        classified = await classify(agent, ready(LETTER.replace("3 blue mugs", "as a nurse 3 mugs")))
        assert classified.redacted is not None
        event, requested = split(await agent.clear(proposed(classified.redacted.inputs[0].text)))
        assert isinstance(requested, ConsultRequested)
        facts = event.facts
        assert (facts["residual.known"], facts["residual.matching"], facts.get("residual.job")) == expected
        assert not any(isinstance(fact, str) and "nurse" in fact for fact in facts.values())


async def test_a_prompt_with_a_part_of_a_name_is_signed(detector: Detector, vault: Vault) -> None:
    """Nothing private leaves, and work goes on: what the cloud is told of parts is no finding at any door."""
    agent = make_agent(detector, vault)
    classified = await classify(agent, ready("I am Wren Hollis of Leeds. Tell Mr Hollis by letter. Regards,\nWren\n"))
    assert classified.redacted is not None
    text = classified.redacted.inputs[0].text
    assert "[PERSON_LAST_" in text
    assert "[PERSON_FIRST_" in text
    prompt = compose(classified.redacted, StepSpec(id="a", title="t", instruction="Answer."))
    _, requested = split(await agent.clear(proposed(prompt.user, prompt.system)))
    assert isinstance(requested, ConsultRequested), requested
    assert requested.clearance.counts["PERSON"] == 3
    assert scan_body(prompt.model_dump_json().encode()).total == 0


@pytest.mark.parametrize(
    ("leak", "reason"),
    [
        ("Dear Wren Hollis, thank you.", "original-in-prompt"),
        ("Dear w r e n h o l l i s, thank you.", "original-in-prompt"),
        ("Her account is DE89370400440532013000.", "original-in-prompt"),
        ("Please call Imogen Blackwood, 14 Garden Lane, Leeds.", "private-value-found"),
        ("The key is sk-" + "a1B2c3D4" * 4, "private-value-found"),
    ],
)
async def test_a_planted_value_is_refused(detector: Detector, vault: Vault, leak: str, reason: str) -> None:
    """Nothing private leaves: neither a known original nor a new private value passes the door."""
    agent = make_agent(detector, vault)
    await agent.classify(ready())
    for prompt in (proposed(leak), proposed("Answer.", system=leak)):
        event, refused = split(await agent.clear(prompt))
        assert isinstance(refused, ConsultRefused)
        assert (refused.reason, refused.by) == (reason, "classifier")
        assert event.action is Action.PROMPT_REFUSED
        assert not any(
            word in refused.model_dump_json() + event.model_dump_json() for word in ("Wren", "Imogen", "DE89")
        )


async def test_a_prompt_of_a_task_without_vault_is_refused(detector: Detector, vault: Vault) -> None:
    """Nothing private leaves: without the originals nobody can say that none is in the prompt."""
    _, refused = split(await make_agent(detector, vault).clear(proposed("Answer.")))
    assert isinstance(refused, ConsultRefused)
    assert refused.reason == "vault-missing"


@pytest.mark.parametrize(
    ("broken", "doubt"),
    [("missing", "detector-missing"), ("long", "text-too-long"), ("slow", "detector-timeout")],
)
async def test_detection_that_fails_is_a_doubt(
    tagger: TokenClassifier, vault: Vault, tmp_path: Path, broken: str, doubt: str
) -> None:
    """Nothing private leaves: no model, too long a text and too little time all keep the step at home."""
    finder = {
        "missing": make_detector(TokenClassifier(tmp_path)),
        "long": make_detector(tagger, max_chars=50),
        "slow": make_detector(tagger, timeout_s=-1),
    }[broken]
    classified = await classify(make_agent(finder, vault), ready())
    assert (classified.redacted, classified.doubt, classified.label) == (None, doubt, Sensitivity.SECRET)


async def test_an_unknown_script_is_a_doubt(detector: Detector, vault: Vault) -> None:
    """Nothing private leaves: a language that nobody here reads stays at home."""
    text = "Меня зовут Иван Петров, я живу в Москве на улице Ленина, дом пять. " * 3
    assert (await classify(make_agent(detector, vault), ready(text))).doubt == "unknown-script"


async def test_a_vault_of_another_key_is_a_doubt(bus: Bus, detector: Detector, vault: Vault) -> None:
    """Nothing private leaves: an unreadable vault is not an empty one."""
    await vault.open(TASK)
    other = Vault(bus.state(Bucket.VAULT, VaultRecord), b"x" * 32, frozen, ttl_s=60)
    assert (await classify(make_agent(detector, other), ready())).doubt == "vault-unreadable"


async def test_a_vault_that_does_not_answer_is_a_doubt_and_a_refusal(detector: Detector) -> None:
    """Nothing private leaves: what cannot be kept is not cut, so the step stays home; it is tried a few times first."""
    tries: list[str] = []

    class Offline:
        async def open(self, scope: str) -> ScopeKeys:
            tries.append(scope)
            raise MeshUnavailable(scope)

        async def put(self, scope: str, mapping: Mapping[str, str]) -> None:
            raise MeshUnavailable(f"{scope} {len(mapping)}")

        async def originals(self, scope: str) -> dict[str, str]:
            raise MeshUnavailable(scope)

        async def sweep(self) -> int:
            raise MeshUnavailable

    agent = ClassifierAgent(
        finder=detector, terms=FixedTerms(), vault=Offline(), signing_key=KEY, clock=frozen, clearance_s=300
    )
    classified = await classify(agent, ready())
    assert (classified.doubt, classified.redacted, len(tries)) == ("vault-unavailable", None, 3)
    _, refused = split(await agent.clear(proposed("Answer.")))
    assert isinstance(refused, ConsultRefused)
    assert refused.reason == "vault-unavailable"


async def test_an_unforeseen_error_is_a_doubt(vault: Vault) -> None:
    """Nothing private leaves: what nobody foresaw keeps the text at home, and no message of it is kept."""

    class Broken:
        async def find(self, texts: Sequence[str], known: Mapping[str, str] | None = None) -> list[list[Span]]:
            raise RuntimeError(texts[0], known)

        def close(self) -> None:
            return

    agent = ClassifierAgent(
        finder=Broken(), terms=FixedTerms(), vault=vault, signing_key=KEY, clock=frozen, clearance_s=300
    )
    event, classified = split(await agent.classify(ready()))
    assert isinstance(classified, StepClassified)
    assert classified.doubt == "detection-failed"
    assert "letter" not in event.model_dump_json()
