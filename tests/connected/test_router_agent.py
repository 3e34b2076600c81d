"""The router on real state: decided once, paid once, asked once, whoever asks again."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from harness import Bus
from hybridmesh.agents.router.agent import RouterAgent
from hybridmesh.bus.budgets import Spending
from hybridmesh.bus.errors import Deferred, Unanswerable
from hybridmesh.bus.settings import ProfileSettings
from hybridmesh.bus.topology import Bucket, consumers
from hybridmesh.bus.work import WorkLoop
from hybridmesh.schemas.approvals import ApprovalGiven, ApprovalRecord, ApprovalRequested, approval_key
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.consults import ConsultProposed
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.routing import Lane
from hybridmesh.schemas.steps import (
    StepClassified,
    StepFailed,
    StepLocal,
    StepVerified,
)
from hybridmesh.schemas.tasks import TaskFailed
from router_bench import (
    COUNT,
    START,
    Clock,
    actions,
    bench,
    classified,
    identities,
    ledger,
    only,
    refused,
    rejected,
)

pytestmark = pytest.mark.connected


async def test_a_step_handled_twice_is_decided_and_reserved_once(bus: Bus) -> None:
    """Nothing is lost: a redelivery says the same again, also when time has passed and money is short."""
    clock = Clock()
    router = await bench(bus, clock)
    step = classified().model_copy(
        update={"context": classified().context.model_copy(update={"deadline": START + timedelta(seconds=60)})}
    )
    first = await router.route(step)
    proposal = only(first, ConsultProposed)
    assert isinstance(proposal, ConsultProposed)
    assert actions(first) == [Action.ROUTE_DECIDED, Action.SPEND_RESERVED]
    assert "Erika" not in "".join(message.model_dump_json() for message in first)
    clock.now += timedelta(seconds=59)
    again = await (await bench(bus, clock)).route(step)
    assert identities(again) == identities(first)
    assert only(again, ConsultProposed) == proposal
    left = await (await ledger(bus)).left(step.task_id, Decimal("0.25"))
    assert left == Decimal("0.25") - proposal.decision.cost_usd
    parked = await bus.state(Bucket.PARKED, StepClassified).get(f"{step.task_id}.a")
    assert parked == step


async def test_steps_that_race_for_the_last_of_the_budget_do_not_overspend(bus: Bus) -> None:
    """Nothing is hidden: two replicas, one budget: what is reserved never exceeds it, the loser stays at home."""
    task_id = new_task_id()
    budget = Decimal("0.012")  # enough for some of the six and not for all
    steps = [classified(task_id=task_id, step_id=f"s{n}", budget=budget) for n in range(6)]
    routers = [await bench(bus, Clock()) for _ in range(2)]
    told = await asyncio.gather(*(routers[n % 2].route(step) for n, step in enumerate(steps)))
    proposed = [message for messages in told for message in messages if isinstance(message, ConsultProposed)]
    homes = [message for messages in told for message in messages if isinstance(message, StepLocal)]
    assert proposed
    assert homes
    assert len(proposed) + len(homes) == 6
    assert sum(proposal.decision.cost_usd for proposal in proposed) <= budget
    spending = await bus.state(Bucket.BUDGETS, Spending).get(task_id)
    assert spending is not None
    assert spending.taken() == sum(proposal.decision.cost_usd for proposal in proposed)


async def test_a_rejected_draft_is_tried_by_a_stronger_model(bus: Bus) -> None:
    """Mistakes are not repeated: the next attempt knows what was wrong, and goes up where that is allowed."""
    router = await bench(bus, Clock())
    step = classified(COUNT)
    assert only(await router.route(step), StepLocal)
    proposal = only(await router.reconsider(rejected(step, 1)), ConsultProposed)
    assert isinstance(proposal, ConsultProposed)
    assert proposal.attempt == 2
    assert "unsupported-name" in proposal.prompt.user
    assert "Erika" not in proposal.model_dump_json()
    home = only(await router.take_home(refused(step, attempt=2)), StepLocal)
    assert isinstance(home, StepLocal)
    assert home.complaints == ("Erika is not in the record",)
    kept = classified(COUNT, profile="secure-research")
    await router.route(kept)
    assert only(await router.reconsider(rejected(kept, 1)), StepLocal)


@pytest.mark.parametrize("answer", [True, False, None])
async def test_a_draft_that_keeps_failing_goes_to_a_person(bus: Bus, answer: bool | None) -> None:
    """Nothing is lost: after two more tries a person decides, and silence is a failure with a reason."""
    clock = Clock()
    router = await bench(bus, clock)
    step = classified(COUNT)
    await router.route(step)
    asked = only(await router.reconsider(rejected(step, 3)), ApprovalRequested)
    assert isinstance(asked, ApprovalRequested)
    assert (asked.purpose, asked.preview, asked.reasons) == ("review", "Dear Erika", ("Erika is not in the record",))
    if answer is None:
        clock.now = asked.due_at
        end = (await router.wait(asked))[-1]
        assert identities(await router.wait(asked))[-1] == end.identity()
    else:
        given = ApprovalGiven(
            task_id=step.task_id, step_id="a", attempt=3, purpose="review", approved=answer, by="owner"
        )
        end = (await router.proceed(given))[-1]
        clock.now = asked.due_at
        assert await router.wait(asked) == ()
    if answer:
        assert isinstance(end, StepVerified)
        assert (end.result, end.verdict.by, end.attempt) == ("Dear Erika", "person", 3)
        assert end.cost_usd == Decimal("0.02")
    else:
        assert isinstance(end, StepFailed)
        assert end.reason == "verification"


async def hold(router: RouterAgent) -> tuple[StepClassified, ApprovalRequested]:
    step = classified(profile="asking")
    asked = only(await router.route(step), ApprovalRequested)
    assert isinstance(asked, ApprovalRequested)
    return step, asked


def given(asked: ApprovalRequested, *, approved: bool, by: str = "owner") -> ApprovalGiven:
    return ApprovalGiven(
        task_id=asked.task_id, step_id=asked.step_id, attempt=asked.attempt, purpose="egress", approved=approved, by=by
    )


async def test_a_person_sees_exactly_what_is_then_sent(bus: Bus) -> None:
    """Nothing private leaves: what was approved is what goes to the door, word for word."""
    router = await bench(bus, Clock())
    _, asked = await hold(router)
    assert "[PERSON_7Q2M] waits." in asked.preview
    sent = await router.proceed(given(asked, approved=True))
    proposal = only(sent, ConsultProposed)
    assert isinstance(proposal, ConsultProposed)
    assert proposal.prompt.system in asked.preview
    assert proposal.prompt.user in asked.preview
    assert proposal.decision.lane is Lane.REDACTED
    assert identities(await router.proceed(given(asked, approved=True))) == identities(sent)
    assert await router.proceed(given(asked, approved=True, by="somebody else")) == ()


@pytest.mark.parametrize("first", [True, False])
async def test_an_answer_that_contradicts_the_first_is_on_record(bus: Bus, first: bool) -> None:
    """Nothing is hidden: it changes nothing, and the log has who said otherwise."""
    router = await bench(bus, Clock())
    _, asked = await hold(router)
    await router.proceed(given(asked, approved=first))
    contrary = given(asked, approved=not first, by="on behalf of Erika")
    (event,) = await router.proceed(contrary)
    assert isinstance(event, AuditEvent)
    assert (event.action, event.task_id, event.step_id) == (Action.MESSAGE_REFUSED, asked.task_id, asked.step_id)
    named = str(event.facts.get("by"))
    assert (named[:7], "Erika" in event.model_dump_json()) == ("sha256:", False)
    assert event.facts == {"reason": "question-answered", "purpose": "egress", "approved": not first, "by": named}
    assert identities(await router.proceed(contrary)) == [event.identity()]
    (other,) = await router.proceed(given(asked, approved=not first, by="dana"))
    assert other.identity() != event.identity()
    assert await router.proceed(given(asked, approved=first, by="dana")) == ()
    record = await bus.state(Bucket.APPROVALS, ApprovalRecord).get(approval_key(asked, asked.purpose))
    assert record is not None
    assert record.answer == given(asked, approved=first)


async def test_an_answer_to_no_question_is_on_record(bus: Bus) -> None:
    """Nothing is hidden."""
    router = await bench(bus, Clock())
    _, asked = await hold(router)
    (event,) = await router.proceed(given(asked.model_copy(update={"step_id": "b"}), approved=True))
    assert isinstance(event, AuditEvent)
    assert (event.facts["reason"], event.facts["by"]) == ("question-unknown", "owner")


async def test_a_contradiction_reaches_the_log_over_the_bus(bus: Bus) -> None:
    """Nothing is hidden: the stream does not take a no after a yes for a repeat of it."""
    router = await bench(bus, Clock())
    _, asked = await hold(router)
    publisher = (await bus.links("publisher")).publisher
    answers = [
        given(asked, approved=approved, by=by) for approved, by in ((True, "dana"), (False, "kim"), (True, "dana"))
    ]
    for answer in answers:
        await publisher.publish(answer)
    assert await bus.count("WORK_ROUTER") == 2
    (queue,) = [consumer for consumer in consumers() if consumer.durable == "router"]
    links = await bus.links("router")
    loop = WorkLoop(bus.js, queue, router.agent(), links.publisher, bus.ring, bus.settings.bus, slots=1)
    running = asyncio.create_task(loop.run())
    events = [AuditEvent.model_validate_json(body) for body in await bus.collect(AuditEvent, 2)]
    loop.stop()
    await running
    told = [(event.action, event.facts["approved"], event.facts["by"]) for event in events]
    assert told == [(Action.APPROVAL_ANSWERED, True, "dana"), (Action.MESSAGE_REFUSED, False, "kim")]


@pytest.mark.parametrize(
    ("by", "told"), [("dana@acme.example", "dana@acme.example"), ("on behalf of Erika", "sha256:"), (None, None)]
)
async def test_the_log_says_who_answered(bus: Bus, by: str | None, told: str | None) -> None:
    """Nothing is hidden: a decision names who made it; and nothing private leaves with what was typed as a name."""
    clock = Clock()
    router = await bench(bus, clock)
    _, asked = await hold(router)
    if by is None:
        clock.now = asked.due_at
        first, *_ = await router.wait(asked)
    else:
        first, *_ = await router.proceed(given(asked, approved=False, by=by))
    assert isinstance(first, AuditEvent)
    assert first.action is Action.APPROVAL_ANSWERED
    named = first.facts["by"]
    assert named == told or (isinstance(named, str) and told == named[: len(told or "")])
    assert "Erika" not in first.model_dump_json()


async def test_no_and_silence_keep_the_text_at_home(bus: Bus) -> None:
    """Nothing private leaves: a question that nobody answers is answered with no, and later yeses do not count."""
    clock = Clock()
    router = await bench(bus, clock)
    _, asked = await hold(router)
    assert only(await router.proceed(given(asked, approved=False)), StepLocal)
    step, asked = await hold(router)
    with pytest.raises(Deferred) as later:
        await router.wait(asked)
    assert 0 < later.value.delay_s <= 5
    clock.now = asked.due_at
    work = only(await router.wait(asked), StepLocal)
    assert isinstance(work, StepLocal)
    assert "nobody agreed in time" in work.decision.reason
    assert await router.proceed(given(asked, approved=False)) == ()
    late = await router.proceed(given(asked, approved=True))
    assert actions(late) == [Action.MESSAGE_REFUSED]
    assert await (await ledger(bus)).left(step.task_id, Decimal("0.25")) == Decimal("0.25")


async def test_a_question_about_a_task_that_is_over_is_closed_at_once(bus: Bus) -> None:
    """Nothing is hidden: nobody is asked about what is not needed any more."""
    router = await bench(bus, Clock())
    step, asked = await hold(router)
    decomposer = await bus.links("decomposer")
    await decomposer.publisher.publish(
        TaskFailed(task_id=step.task_id, outcome="cancelled", reason="cancelled", detail="", finished_at=START)
    )
    told = await router.wait(asked)
    assert actions(told) == [Action.APPROVAL_ANSWERED]
    assert len(told) == 1
    record = await bus.state(Bucket.APPROVALS, ApprovalRecord).get(approval_key(asked, asked.purpose))
    assert record is not None
    assert not record.open


async def test_an_answer_at_the_last_moment_counts_once(bus: Bus) -> None:
    """Nothing is lost: the timer and two people race in two replicas, and exactly one of them is followed."""
    clock = Clock()
    for _ in range(5):
        clock.now = START
        one, other = await bench(bus, clock), await bench(bus, clock)
        _, asked = await hold(one)
        clock.now = asked.due_at
        told = await asyncio.gather(
            one.proceed(given(asked, approved=True)),
            other.proceed(given(asked, approved=False, by="somebody else")),
            other.wait(asked),
            one.proceed(given(asked, approved=False, by="a third")),
        )
        assert sum(bool(set(actions(messages)) - {Action.MESSAGE_REFUSED}) for messages in told) == 1


async def test_a_question_is_listed_until_it_is_answered(bus: Bus) -> None:
    """Nothing is hidden: whoever looks sees the open questions."""
    router = await bench(bus, Clock())
    approvals = bus.state(Bucket.APPROVALS, ApprovalRecord)
    _, asked = await hold(router)
    (key,) = await approvals.records()
    record = await approvals.get(key)
    assert record is not None
    assert record.open
    assert record.request == asked
    await router.proceed(given(asked, approved=False))
    record = await approvals.get(key)
    assert record is not None
    assert not record.open


async def test_a_profile_that_is_not_set_up_is_not_guessed(bus: Bus) -> None:
    """Nothing private leaves: without its profile a step goes nowhere."""
    router = await bench(bus, Clock(), {"other": ProfileSettings()})
    with pytest.raises(Unanswerable, match="profile"):
        await router.route(classified())


async def test_what_belongs_to_a_forgotten_task_is_dropped(bus: Bus) -> None:
    """Nothing private leaves: once a task's data is gone, nothing late brings it back."""
    router = await bench(bus, Clock())
    step = classified()
    assert await router.take_home(refused(step)) == ()
    assert await router.reconsider(rejected(step, 1)) == ()


async def test_the_router_works_on_its_queue(bus: Bus) -> None:
    """Nothing is lost: from the classifier's message to the proposal and to the split, over the real bus."""
    links = await bus.links("router")
    router = await bench(bus, Clock())
    consumer = next(item for item in consumers() if item.durable == "router")
    loop = WorkLoop(bus.js, consumer, router.agent(), links.publisher, links.ring, bus.settings.bus, slots=4)
    running = asyncio.create_task(loop.run())
    try:
        classifier = await bus.links("classifier")
        await classifier.publisher.publish(classified())
        await classifier.publisher.publish(classified("Assess the risks.", framework="k"))
        await classifier.publisher.publish(classified(COUNT))
        assert len(await bus.collect(ConsultProposed, 2)) == 2
        (home,) = await bus.collect(StepLocal, 1)
        assert StepLocal.model_validate_json(home).decision.lane is Lane.LOCAL
        assert len(await bus.collect(AuditEvent, 5)) == 5
    finally:
        loop.stop()
        await running
