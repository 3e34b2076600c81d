"""The life of a task, over random plans, orders, duplicates and crashes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridmesh.agents.decomposer.following import messages
from hybridmesh.agents.decomposer.progress import (
    accept,
    cancel,
    expire,
    refuse,
    start,
    step_done,
    step_failed,
)
from hybridmesh.agents.decomposer.task_state import TaskState
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.plans import OutputForm, Plan, StepSpec
from hybridmesh.schemas.privacy import Sensitivity
from hybridmesh.schemas.routing import Decision, Lane
from hybridmesh.schemas.steps import StepFailed, StepReady, StepVerified
from hybridmesh.schemas.tasks import CancelTask, Document, TaskCompleted, TaskExpiring, TaskFailed, TaskSubmitted
from hybridmesh.schemas.verdicts import Claim, Verdict

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DUE = NOW + timedelta(minutes=30)
TASK = TaskSubmitted(
    task_id="01890000-0000-7000-8000-000000000000",
    goal="sort it out",
    inputs=(Document(name="ticket", text="text"),),
    submitted_at=NOW,
)


def plan_of(edges: dict[str, tuple[str, ...]], results: tuple[str, ...] | None = None) -> Plan:
    steps = tuple(StepSpec(id=name, title=name.upper(), instruction="do", uses=uses) for name, uses in edges.items())
    return Plan(source="structural", steps=steps, results=results or tuple(edges))


def begin(plan: Plan, floor: Sensitivity = Sensitivity.PUBLIC) -> TaskState:
    return start(TASK, plan, floor, now=NOW, due_at=DUE)


def verified(name: str, label: Sensitivity = Sensitivity.PUBLIC, result: str = "", attempt: int = 1) -> StepVerified:
    return StepVerified(
        task_id=TASK.task_id,
        step_id=name,
        attempt=attempt,
        result=result or f"result of {name}",
        label=label,
        lane=Lane.LOCAL,
        decision=Decision(lane=Lane.LOCAL, reason="because", other_cost_usd=Decimal("0.02")),
        verdict=Verdict(passed=True, claims=(Claim(kind="name", text="x", evidence=("input:ticket",)),)),
        cost_usd=Decimal("0.01"),
    )


def readied(state: TaskState, cause: Message) -> list[str]:
    return [message.step_id for message in messages(state, cause) if isinstance(message, StepReady)]


@st.composite
def dags(draw: st.DrawFn) -> Plan:
    names = [f"s{number}" for number in range(draw(st.integers(1, 7)))]
    edges = {
        name: tuple(draw(st.sets(st.sampled_from(names[:at])) if at else st.just(set[str]())))
        for at, name in enumerate(names)
    }
    order = draw(st.permutations(names))
    return plan_of({name: edges[name] for name in order})


@settings(deadline=None)
@given(plan=dags(), data=st.data())
def test_any_order_with_duplicates_releases_each_step_once_and_ends_once(plan: Plan, data: st.DataObject) -> None:
    """Nothing is lost: whatever is delivered twice or late, each step is released once, after its inputs, and the
    task has one end; labels never drop.
    """
    floor = data.draw(st.sampled_from(Sensitivity))
    labels = {step.id: data.draw(st.sampled_from(Sensitivity)) for step in plan.steps}
    state = begin(plan, floor)
    released = messages(state, TASK)
    done: list[StepVerified] = []
    ends: list[Message] = []
    while not ends:
        waiting = [
            message
            for message in released
            if message.identity() not in {f"{TASK.task_id}/{d.step_id}/step.ready/1" for d in done}
        ]
        ready = data.draw(st.sampled_from(waiting))
        assert isinstance(ready, StepReady)
        spec = ready.context.spec
        assert {d.step_id for d in done} >= set(spec.uses)
        message = verified(spec.id, labels[spec.id])
        repeat: bool = data.draw(st.booleans())
        if repeat and done:
            late = data.draw(st.sampled_from(done))
            assert step_done(state, late, NOW) is state
        state = TaskState.model_validate_json(step_done(state, message, NOW).model_dump_json())
        done.append(message)
        follow = messages(state, message)
        assert [again.identity() for again in messages(state, message)] == [first.identity() for first in follow]
        assert step_done(state, message, NOW) is state
        released += [item for item in follow if isinstance(item, StepReady)]
        ends += [item for item in follow if isinstance(item, TaskCompleted)]
    identities = [message.identity() for message in released]
    assert len(identities) == len(set(identities)) == len(plan.steps)
    end = ends[0]
    assert isinstance(end, TaskCompleted)
    assert end.cost_usd == Decimal("0.01") * len(plan.steps)
    found = {summary.step_id: summary.label for summary in end.steps}
    for step in plan.steps:
        assert found[step.id] >= max([floor, labels[step.id], *(found[used] for used in step.uses)])
    assert not [item for message in (*done[:-1], TASK) for item in messages(state, message)]


ACTS = st.lists(st.sampled_from(["done", "failed", "cancel", "expire", "again"]), max_size=20)


@settings(deadline=None)
@given(plan=dags(), acts=ACTS, data=st.data())
def test_whatever_happens_there_is_at_most_one_end_and_it_stays(
    plan: Plan, acts: list[str], data: st.DataObject
) -> None:
    """Nothing is lost: results, failures, a cancellation and the deadline race, and one of them ends the task."""
    state = begin(plan)
    ends: set[str] = set()
    late = DUE + timedelta(seconds=1)
    for act in acts:
        name = data.draw(st.sampled_from([step.id for step in plan.steps]))
        message: Message
        before = state
        match act:
            case "done":
                message = verified(name)
                state = step_done(state, message, NOW)
            case "failed":
                message = StepFailed(task_id=TASK.task_id, step_id=name, reason="x")
                state = step_failed(state, message, NOW)
            case "cancel":
                message = CancelTask(task_id=TASK.task_id)
                state = cancel(state, message, NOW)
            case "expire":
                message = TaskExpiring(task_id=TASK.task_id, due_at=DUE)
                state = expire(state, message, late)
            case _:
                message = TASK
                state = accept(state, begin(plan), TASK, NOW)
        if before.end is not None:
            assert state is before
        ends |= {
            item.model_dump_json() for item in messages(state, message) if isinstance(item, TaskCompleted | TaskFailed)
        }
        assert len(ends) == (state.end is not None)
        if state.end is not None:
            assert readied(state, message) == []


def test_a_step_reads_what_it_uses_and_nothing_else() -> None:
    """Nothing private leaves: a step that does not read the inputs is not given them."""
    plan = Plan(
        source="workflow",
        steps=(
            StepSpec(
                id="a", title="A", instruction="i", output=OutputForm(kind="choice", options=("Data Protection", "x"))
            ),
            StepSpec(id="b", title="B", instruction="i", uses=("a",), reads_inputs=False, framework="k/{a}"),
        ),
        results=("b",),
    )
    message = verified("a", Sensitivity.PERSONAL, "Data Protection")
    state = step_done(begin(plan), message, NOW)
    (ready,) = messages(state, message)
    assert isinstance(ready, StepReady)
    assert ready.context.inputs == (Document(name="result:a", text="Data Protection"),)
    assert ready.context.label_floor is Sensitivity.PERSONAL
    assert ready.context.spec.framework == "k/data-protection"
    assert ready.context.deadline is None


@pytest.mark.parametrize(
    ("source", "result", "words"),
    [("workflow", "praise", ("praise",)), ("workflow", "Ada", ()), ("model", "praise", ())],
)
def test_only_options_of_a_declared_workflow_are_the_plans_words(source: str, result: str, words: tuple[str]) -> None:
    """Nothing private leaves: options that a model made up from the task, and anything else, may be private."""
    choice = OutputForm(kind="choice", options=("praise", "complaint"))
    steps = (
        StepSpec(id="a", title="A", instruction="i", output=choice),
        StepSpec(id="b", title="B", instruction="i", uses=("a",)),
    )
    message = verified("a", result=result)
    plan = Plan.model_validate({"source": source, "steps": steps, "results": ("b",)})
    (ready,) = messages(step_done(begin(plan), message, NOW), message)
    assert isinstance(ready, StepReady)
    assert ready.context.plan_words == words


def test_the_result_joins_the_result_steps_in_their_order() -> None:
    """Nothing is hidden: the end tells of every step how it was done and what it cost."""
    state = begin(plan_of({"a": (), "b": ()}, ("b", "a")))
    for message in (verified("a"), verified("b", attempt=2)):
        state = step_done(state, message, NOW)
    assert isinstance(state.end, TaskCompleted)
    assert state.end.result == "## B\n\nresult of b\n\n## A\n\nresult of a"
    summary = next(step for step in state.end.steps if step.step_id == "b")
    assert (summary.attempts, summary.why, summary.evidence) == (2, "because", ("input:ticket",))
    assert summary.other_cost_usd == Decimal("0.02")
    alone = step_done(begin(plan_of({"a": ()})), verified("a"), NOW)
    assert isinstance(alone.end, TaskCompleted)
    assert alone.end.result == "result of a"


def test_a_failed_step_ends_the_task_with_its_reason() -> None:
    """Nothing is lost: a failure is told once, with the step it came from."""
    message = StepFailed(task_id=TASK.task_id, step_id="a", reason="verification", detail="why")
    state = step_failed(begin(plan_of({"a": (), "b": ()})), message, NOW)
    assert messages(state, message) == [
        TaskFailed(
            task_id=TASK.task_id, outcome="failed", reason="verification", detail="why", step_id="a", finished_at=NOW
        )
    ]
    assert step_done(state, verified("b"), NOW) is state


def test_a_result_of_a_step_that_was_not_released_changes_nothing() -> None:
    """Nothing is lost: a result out of turn cannot skip the plan."""
    state = begin(plan_of({"a": (), "b": ("a",)}))
    assert step_done(state, verified("b"), NOW) is state
    assert step_done(state, verified("zzz"), NOW) is state


def test_a_cancellation_that_overtakes_its_task_holds() -> None:
    """Nothing is lost: cancel and submit may arrive in either order, the end is the same."""
    message = CancelTask(task_id=TASK.task_id)
    early = cancel(None, message, NOW)
    assert messages(early, message) == []
    assert cancel(early, message, NOW) is early
    for fresh in (begin(plan_of({"a": ()})), refuse(TASK, "empty-goal", "", NOW)):
        state = accept(early, fresh, TASK, NOW)
        (end,) = messages(state, TASK)
        assert isinstance(end, TaskFailed)
        assert end.outcome == "cancelled"


def test_a_deadline_that_is_not_due_changes_nothing() -> None:
    """Nothing is lost: only a clock past the due time ends a task."""
    state = begin(plan_of({"a": ()}))
    timer = TaskExpiring(task_id=TASK.task_id, due_at=DUE)
    assert expire(state, timer, DUE - timedelta(seconds=1)) is state
    over = expire(state, timer, DUE)
    (end,) = messages(over, timer)
    assert isinstance(end, TaskFailed)
    assert end.reason == "deadline"


@pytest.mark.parametrize("ended", [True, False])
def test_the_state_survives_its_bucket(ended: bool) -> None:
    """Nothing is lost: a state that was stored and read again is the same state."""
    state = begin(plan_of({"a": ()}))
    if ended:
        state = step_done(state, verified("a"), NOW)
    assert TaskState.model_validate_json(state.model_dump_json()) == state
