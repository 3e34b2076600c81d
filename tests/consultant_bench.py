"""What tests of the consultant share: a clock, a log that records, and requests with clearances that hold."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from cloud_double import CloudDouble, Script
from hybridmesh.agents.consultant.agent import Consultant
from hybridmesh.agents.consultant.calls import CallBook, CallRecord
from hybridmesh.agents.consultant.claude import ClaudeModel
from hybridmesh.agents.consultant.egress import EgressLog
from hybridmesh.agents.consultant.port import CloudModel
from hybridmesh.agents.consultant.prices import price_of
from hybridmesh.bus.clearances import check_clearance, sign_clearance
from hybridmesh.bus.errors import MeshUnavailable
from hybridmesh.schemas.audits import AuditEvent
from hybridmesh.schemas.consults import ConsultRequested, Prompt
from hybridmesh.schemas.egress import EgressRecorded
from hybridmesh.schemas.message import Message, new_task_id
from hybridmesh.schemas.privacy import Clearance

KEY = Ed25519PrivateKey.generate()
CLEARANCE_S = 300.0
START = datetime(2026, 11, 23, 10, tzinfo=UTC)
CLEAN = Prompt(system="Advise.", user="[PERSON_7Q2M] asks about a refund.")


class Watch:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def turn(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Log:
    """An audit log that keeps its events, or is down."""

    def __init__(self, *, down: bool = False, copies_down: bool = False) -> None:
        self.down = down
        self.copies_down = copies_down
        self.events: list[AuditEvent] = []
        self.copies: list[EgressRecorded] = []

    async def publish(self, message: Message) -> None:
        if self.down or self.copies_down:
            raise MeshUnavailable
        assert isinstance(message, EgressRecorded)
        self.copies.append(message)

    async def record(self, event: AuditEvent) -> None:
        if self.down:
            raise MeshUnavailable
        self.events.append(event)


class Book:
    """The records of calls, as long as a test lasts; ``down``: the bus is away."""

    def __init__(self) -> None:
        self.records: dict[str, CallRecord] = {}
        self.down = False

    async def get(self, key: str) -> CallRecord | None:
        self._check()
        return self.records.get(key)

    async def put(self, key: str, record: CallRecord) -> None:
        self._check()
        self.records[key] = record

    async def change(self, key: str, step: Callable[[CallRecord | None], CallRecord | None]) -> CallRecord | None:
        self._check()
        before = self.records.get(key)
        after = step(before)
        if after is not None and after is not before:
            self.records[key] = after
        return after

    async def discard(self, key: str, outdated: Callable[[CallRecord], bool]) -> bool:
        self._check()
        found = self.records.get(key)
        if found is None or not outdated(found):
            return False
        del self.records[key]
        return True

    def _check(self) -> None:
        if self.down:
            raise MeshUnavailable


def requested(prompt: Prompt = CLEAN, *, model: str = "claude-sonnet-5-5") -> ConsultRequested:
    """A cleared prompt."""
    task_id = new_task_id()
    clearance = Clearance(
        prompt_sha256=prompt.digest(),
        task_id=task_id,
        step_id="a",
        attempt=1,
        policy_version=3,
        counts={"PERSON": 1},
        lane="redacted",
        expires_at=START + timedelta(seconds=CLEARANCE_S),
        key_id="",
    )
    return ConsultRequested(
        task_id=task_id,
        step_id="a",
        purpose="answer",
        prompt=prompt,
        model=model,
        max_tokens=64,
        clearance=sign_clearance(clearance, KEY),
    )


def consultant_over(
    cloud: CloudModel, audit: EgressLog, clock: Watch | None = None, calls: CallBook | None = None
) -> Consultant:
    return Consultant(
        cloud,
        audit,
        partial(check_clearance, public_key=KEY.public_key()),
        price_of,
        clock or Watch(),
        calls or Book(),
        clearance_s=CLEARANCE_S,
    )


class Desk:
    """A consultant at a scripted cloud, for as long as a test talks to it."""

    def __init__(
        self,
        script: Script | list[Script],
        *,
        audit: Log | None = None,
        calls: Book | None = None,
        simulated: bool = False,
    ) -> None:
        self.cloud = CloudDouble(script)
        self.audit = audit or Log()
        self.clock = Watch()
        self.calls = calls or Book()
        self._simulated = simulated

    async def __aenter__(self) -> "Desk":
        await self.cloud.__aenter__()
        self.model = ClaudeModel(
            api_key=SecretStr("sk-test"), clock=self.clock, base_url=self.cloud.url, simulated=self._simulated
        )
        self.consultant = consultant_over(self.model, self.audit, self.clock, self.calls)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.model.close()
        await self.cloud.__aexit__(None, None, None)


def split(outcome: Sequence[Message]) -> tuple[AuditEvent, Message]:
    """The one audit event and the one message of an outcome."""
    event, follow_up = outcome
    assert isinstance(event, AuditEvent)
    return event, follow_up
