"""The router and what the cloud will not or may not answer: home it comes, and what was paid is booked."""

from decimal import Decimal

import pytest

from harness import Bus
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.consults import UNKNOWN_OUTCOME, Usage
from hybridmesh.schemas.routing import Lane
from hybridmesh.schemas.steps import (
    StepLocal,
)
from router_bench import Clock, actions, bench, classified, identities, ledger, only, refused, rejected

pytestmark = pytest.mark.connected


async def test_a_refused_consult_comes_home_and_is_never_proposed_again(bus: Bus) -> None:
    """Nothing private leaves: what the door refused is not tried at the door again, not even after a rejection."""
    router = await bench(bus, Clock())
    step = classified()
    await router.route(step)
    home = await router.take_home(refused(step))
    work = only(home, StepLocal)
    assert isinstance(work, StepLocal)
    assert (work.decision.lane, work.mode, work.attempt) == (Lane.LOCAL, "answer", 1)
    assert "private-value-found" in work.decision.reason
    assert actions(home) == [Action.SPEND_SETTLED, Action.ROUTE_DECIDED]
    assert identities(await router.take_home(refused(step))) == identities(home)
    assert await (await ledger(bus)).left(step.task_id, Decimal("0.25")) == Decimal("0.25")
    retry = only(await router.reconsider(rejected(step, 1)), StepLocal)
    assert isinstance(retry, StepLocal)
    assert retry.attempt == 2
    assert retry.complaints == ("Erika is not in the record",)


async def test_what_was_paid_is_not_given_back(bus: Bus) -> None:
    """Nothing is hidden: an advice that was paid for and could not be used is still counted as spent."""
    router = await bench(bus, Clock())
    step = classified()
    await router.route(step)
    await (await ledger(bus)).settle(step.task_id, "a/1", Decimal("0.01"))
    home = await router.take_home(refused(step))
    assert actions(home) == [Action.ROUTE_DECIDED]
    assert await (await ledger(bus)).left(step.task_id, Decimal("0.25")) == Decimal("0.24")
    assert await (await ledger(bus)).spent_on(step.task_id, "a") == Decimal("0.01")


async def test_a_call_that_the_model_declined_is_paid(bus: Bus) -> None:
    """Nothing is hidden: a provider bills for a refusal, so it is booked and told, and the step comes home."""
    router = await bench(bus, Clock())
    step = classified()
    await router.route(step)
    usage = Usage(input_tokens=12, output_tokens=7, cost_usd=Decimal("0.01"))
    declined = refused(step).model_copy(update={"by": "consultant", "reason": "cloud-model-refused", "usage": usage})
    home = await router.take_home(declined)
    assert actions(home) == [Action.SPEND_SETTLED, Action.ROUTE_DECIDED]
    paid = home[0]
    assert isinstance(paid, AuditEvent)
    assert paid.facts == {"amount_usd": "0.01", "input_tokens": 12, "output_tokens": 7}
    assert isinstance(only(home, StepLocal), StepLocal)
    assert identities(await router.take_home(declined)) == identities(home)
    assert await (await ledger(bus)).left(step.task_id, Decimal("0.25")) == Decimal("0.24")


async def test_a_call_that_was_made_after_the_door_refused_it_is_paid_all_the_same(bus: Bus) -> None:
    """Nothing is lost: the door may refuse a prompt, be asked again after a crash, and clear it; both words count."""
    router = await bench(bus, Clock())
    step = classified()
    await router.route(step)
    by_the_door = refused(step)
    of_the_call = by_the_door.model_copy(update={"by": "consultant", "reason": UNKNOWN_OUTCOME})
    assert by_the_door.identity() != of_the_call.identity(), "else the stream drops the second as a repeat"
    await router.take_home(by_the_door)
    await router.take_home(of_the_call)
    assert await (await ledger(bus)).left(step.task_id, Decimal("0.25")) < Decimal("0.25")
