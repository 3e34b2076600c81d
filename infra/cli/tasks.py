"""``submit``, ``result``, ``feedback`` and ``cancel``: a task from the publisher's side."""

import sys
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer

from hybridmesh.bus.errors import BURIED, NOT_ENDED, MeshUnavailable, TransientError, UsageError
from hybridmesh.infra.cli.console import tell, write, write_json
from hybridmesh.infra.cli.deadlines import parse_deadline
from hybridmesh.infra.cli.exit_codes import ExitCode
from hybridmesh.infra.cli.inputs import read_inputs
from hybridmesh.infra.cli.invocation import Invocation, command
from hybridmesh.infra.cli.names import check_known, read_step_id, read_task_id, read_tenant

if TYPE_CHECKING:
    from hybridmesh.bus.client import Mesh, TaskEnded

_LONGEST_CORRECTION = 4000  # as schemas.feedback.FeedbackGiven has it

Task = Annotated[str, typer.Argument(metavar="TASK", help="The id that `submit` printed.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for the end.")]
Timeout = Annotated[float | None, typer.Option("--timeout", metavar="SECONDS", help="How long to wait at most.")]


@command
def submit(
    call: Invocation,
    goal: Annotated[str, typer.Argument(metavar="GOAL", help="What is to be done.")],
    inputs: Annotated[
        list[str] | None, typer.Option("--input", "-i", metavar="FILE", help="A text to work on; - is stdin.")
    ] = None,
    workflow: Annotated[
        str | None, typer.Option("--workflow", "-w", help="A named plan, such as support-triage.")
    ] = None,
    profile: Annotated[
        str,
        typer.Option(
            "--profile", "-p", help="The policy: secure-research, balanced, creative-strategy, or one of yours."
        ),
    ] = "balanced",
    deadline: Annotated[
        str | None, typer.Option("--deadline", metavar="WHEN", help="90s, 5m, 1h, 2d, or a date and time in ISO 8601.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="USD", help="What its cloud calls may cost at most.")
    ] = None,
    conversation: Annotated[
        str | None, typer.Option("--conversation", metavar="NAME", help="Tasks of one share their surrogates.")
    ] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", metavar="NAME", help="On whose behalf.")] = None,
    wait: Wait = False,
    timeout: Timeout = None,
) -> None:
    """Submit a task and print its id; with --wait its result."""
    from hybridmesh.infra.cli.roles import Right, may, read_role
    from hybridmesh.infra.cli.session import on_mesh
    from hybridmesh.infra.workflows import usable_workflows

    check_waiting(wait, timeout)
    if wait and not may(seat := read_role(call.role), Right.RESULTS) and may(seat, Right.SUBMIT):
        raise UsageError(f"{seat.name} may not read results, so it has none to wait for", remedy="leave --wait out")
    check_known("profile", profile, call.settings.profiles)
    if workflow is not None:
        plans = usable_workflows(call.settings.plans)
        check_known("workflow", workflow, plans)
        if not inputs and any(step.reads_inputs for step in plans[workflow].plan.steps):
            tell(f"{workflow} works on what --input gives, and there is none: its steps have the goal alone")
    until = None if deadline is None else parse_deadline(deadline, datetime.now().astimezone())
    budget_usd = None if budget is None else _amount(budget)
    on_behalf = None if tenant is None else read_tenant(tenant)
    texts = read_inputs(inputs or [], call.settings.bus.max_input_bytes, sys.stdin.buffer)

    async def work(mesh: "Mesh") -> "str | TaskEnded":
        try:
            task_id = await mesh.submit(
                goal,
                inputs=texts,
                workflow=workflow,
                profile=profile,
                deadline=until,
                budget_usd=budget_usd,
                conversation=conversation,
                tenant=on_behalf,
            )
        except MeshUnavailable:
            tell("the task is kept in the outbox, and goes out with the next command that reaches the mesh")
            raise
        if not wait:
            return task_id
        tell(f"task {task_id}")
        return await _end(mesh, task_id, timeout, late="it goes on")

    done = on_mesh(call, work, Right.SUBMIT)
    if not isinstance(done, str):
        show_end(call, done)
    elif call.json:
        write_json({"task_id": done})
    else:
        write(done)


@command
def result(call: Invocation, task: Task, wait: Wait = False, timeout: Timeout = None) -> None:
    """Print a task's result; 1 when it failed, 3 when it has not ended yet, 4 when it was refused."""
    from hybridmesh.infra.cli.roles import Right
    from hybridmesh.infra.cli.session import on_mesh

    check_waiting(wait, timeout)
    task_id = read_task_id(task)

    async def work(mesh: "Mesh") -> "TaskEnded":
        if wait:
            return await _end(mesh, task_id, timeout, late="if it was submitted here, it goes on")
        ended = await mesh.ended(task_id)
        if ended is None:
            raise TransientError("the task has not ended, or was never submitted here", reason=NOT_ENDED)
        return ended

    show_end(call, on_mesh(call, work, Right.RESULTS))


@command
def feedback(
    call: Invocation,
    task: Task,
    correction: Annotated[str, typer.Option("--correction", metavar="TEXT", help="What should be different.")] = "",
    rating: Annotated[str | None, typer.Option("--rating", metavar="good|bad", help="How it was.")] = None,
    step: Annotated[str | None, typer.Option("--step", help="The step that is meant.")] = None,
) -> None:
    """Say what should have been different in a task that has ended; it holds from the next task on."""
    from hybridmesh.infra.cli.session import on_mesh

    task_id, step_id = read_task_id(task), None if step is None else read_step_id(step)
    if rating is not None:
        check_known("rating", rating, ("good", "bad"))
    if not correction.strip() and rating is None:
        raise UsageError("nothing is said", remedy="give --correction TEXT, or --rating good or bad")
    if len(correction) > _LONGEST_CORRECTION:
        raise UsageError(
            f"the correction has {len(correction):,} characters, the limit is {_LONGEST_CORRECTION:,}",
            remedy="say it in fewer words, or as several corrections",
        )

    async def work(mesh: "Mesh") -> None:
        if step_id is not None and (ended := await mesh.ended(task_id)) is not None:
            check_known("step", step_id, _steps(ended, step_id))
        await mesh.feedback(task_id, correction=correction, rating=rating, step_id=step_id)

    on_mesh(call, work)
    _confirm(call, task_id, "feedback is stored; the memory makes a lesson of it")


@command
def cancel(call: Invocation, task: Task) -> None:
    """Stop a task; what its steps in flight still bring is not used."""
    from hybridmesh.infra.cli.session import on_mesh

    task_id = read_task_id(task)

    async def work(mesh: "Mesh") -> "TaskEnded | None":
        before = await mesh.ended(task_id)
        await mesh.cancel(task_id)
        return before

    if on_mesh(call, work) is None:
        words = "the wish to stop is stored; `hybridmesh result` tells how the task ended, if it was submitted here"
    else:
        words = "the task had ended before; `hybridmesh result` tells how"
    _confirm(call, task_id, words)


def show_end(call: Invocation, ended: "TaskEnded") -> None:
    """Print an end, and leave with the exit code of its outcome."""
    from hybridmesh.schemas.tasks import TaskCompleted

    outcome = "completed" if isinstance(ended, TaskCompleted) else ended.outcome
    if call.json:
        write_json({"outcome": outcome, **ended.model_dump(mode="json")})
    elif isinstance(ended, TaskCompleted):
        write(ended.result)
    else:
        tell(f"{outcome}: {ended.reason} {ended.detail}".rstrip())
        if ended.reason.startswith(BURIED):
            tell("remedy: `hybridmesh dead-letters ls` tells what nobody could handle, and why")
    codes = {"completed": ExitCode.OK, "refused": ExitCode.REFUSED}
    raise typer.Exit(codes.get(outcome, ExitCode.TASK_FAILED))


def _steps(ended: "TaskEnded", named: str) -> tuple[str, ...]:
    """Return the steps of a task; the end of one that failed does not tell them, so there any may be named."""
    from hybridmesh.schemas.tasks import TaskCompleted

    return tuple(step.step_id for step in ended.steps) if isinstance(ended, TaskCompleted) else (named,)


def _confirm(call: Invocation, task_id: str, words: str) -> None:
    if call.json:
        write_json({"task_id": task_id})
    else:
        tell(words)


async def _end(mesh: "Mesh", task_id: str, timeout_s: float | None, *, late: str) -> "TaskEnded":
    import asyncio

    from hybridmesh.bus.cancellation import end_tasks

    # Who may read results need not be one who may read the log.
    watching = {asyncio.create_task(_tell_questions(mesh, task_id))} if _hears_log(mesh) else set[asyncio.Task[None]]()
    try:
        return await mesh.result(task_id, timeout_s=timeout_s)
    except TimeoutError:
        raise TransientError(f"task {task_id} has not ended in time; {late}", reason=NOT_ENDED) from None
    finally:
        await end_tasks(watching)


def _hears_log(mesh: "Mesh") -> bool:
    from hybridmesh.infra.cli.roles import Right, may, read_role

    return may(read_role(mesh.links.identity.name), Right.LOG)


async def _tell_questions(mesh: "Mesh", task_id: str) -> None:
    """Say when the task waits for a person: who waits for its end should know."""
    from hybridmesh.schemas.audits import Action

    async for event in mesh.audit(task_id=task_id):
        if event.action is Action.APPROVAL_ASKED:
            key = f"{task_id}.{event.step_id}.{event.attempt}.{event.facts.get('purpose')}"
            tell(f"a step waits for a person: hybridmesh approvals show {key}")


def check_waiting(wait: bool, timeout: float | None) -> None:
    """Raise UsageError where a time-out has nothing to bound, or bounds nothing."""
    if timeout is not None and not wait:
        raise UsageError("--timeout without --wait", remedy="add --wait, or leave --timeout out")
    if timeout is not None and not timeout > 0:
        raise UsageError("the time-out is not above zero", remedy="give seconds, such as --timeout 60")


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise UsageError("the budget is not an amount", remedy="give USD, such as --budget 0.05")
    return amount
