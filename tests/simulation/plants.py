"""Known bugs, planted: the simulator is worth what it finds of them."""

import hashlib
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from decimal import Decimal
from unittest import mock

from nats.aio.msg import Msg

from hybridmesh.agents.classifier import agent as classifier
from hybridmesh.agents.classifier.door import Verdict
from hybridmesh.agents.consultant.egress import Egress
from hybridmesh.agents.decomposer import events
from hybridmesh.agents.decomposer.agent import DecomposerAgent
from hybridmesh.agents.decomposer.following import messages
from hybridmesh.agents.decomposer.task_state import TaskState
from hybridmesh.agents.router import follow
from hybridmesh.agents.router.prompts import compose
from hybridmesh.bus import bodies, budgets, publisher
from hybridmesh.bus.budgets import ZERO, Entry, Spending
from hybridmesh.bus.envelope import Envelope, seal
from hybridmesh.bus.identity import Identity
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.consults import Prompt
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.privacy import Findings
from hybridmesh.schemas.steps import Redacted, StepClassified, StepRejected

_handle = WorkLoop._handle  # pyright: ignore[reportPrivateUsage]


async def _acknowledge_first(self: WorkLoop, message: Msg) -> None:
    await message.ack()
    message._ackd = False  # pyright: ignore[reportPrivateUsage]
    await _handle(self, message)


async def _publish_as_it_comes(self: WorkLoop, messages: Sequence[Message]) -> None:
    for message in reversed(messages):
        await self._publisher.publish(message)  # pyright: ignore[reportPrivateUsage]


def _without_an_id(message: Message, identity: Identity, now: datetime) -> Envelope:
    envelope = seal(message, identity, now)
    del envelope.headers["Nats-Msg-Id"]
    return envelope


def _settle_each_time(spending: Spending | None, key: str, actual: Decimal | None) -> Spending:
    before = spending or Spending()
    entry = before.entries.get(key, Entry(reserved=ZERO))
    cost = entry.reserved if actual is None else actual
    return before.with_entry(key, entry.model_copy(update={"settled": (entry.settled or ZERO) + cost}))


async def _admit_unheard(self: Egress, body: bytes) -> None:
    self.sent_sha256 = hashlib.sha256(body).hexdigest()


def _raw_prompt(step: StepClassified, rejected: StepRejected | None) -> Prompt | None:
    context = step.context
    return compose(
        Redacted(goal=context.goal, instruction=context.spec.instruction, inputs=context.inputs), context.spec
    )


def _open_door(*_: object) -> Verdict:
    return Verdict(None, Findings(), Findings())


async def _tell_again(_: DecomposerAgent, state: TaskState, cause: Message) -> Sequence[Message]:
    following = messages(state, cause)
    return following if state.end is None or not following else [events.ended(state.end), *following]


def _no_end(_: str) -> str:
    return "-"


# What is put in the place of what, by the name of the bug.
PLANTS: dict[str, tuple[tuple[object, str, Callable[..., object]], ...]] = {
    "acknowledged before it is published": ((WorkLoop, "_handle", _acknowledge_first),),
    "published before it is audited": ((WorkLoop, "_publish", _publish_as_it_comes),),
    "no id that repeats are known by": ((publisher, "seal", _without_an_id),),
    "paid at each delivery": ((budgets, "settle", _settle_each_time),),
    "sent without an audit event": ((Egress, "admit", _admit_unheard),),
    "raw text through an open door": ((follow, "prompt_of", _raw_prompt), (classifier, "judge", _open_door)),
    "an end told each time": ((DecomposerAgent, "_following", _tell_again),),
    "the body of an end removed": ((bodies, "end_id", _no_end),),
}


@contextmanager
def planted(name: str) -> Generator[None]:
    """Have the bug for a while."""
    with ExitStack() as stack:
        for place, attribute, wrong in PLANTS[name]:
            stack.enter_context(mock.patch.object(place, attribute, wrong))
        yield
