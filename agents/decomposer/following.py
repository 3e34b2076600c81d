"""What follows from a message, read off the task's state: the steps that it released, or the end that it made."""

from hybridmesh.agents.decomposer.choices import PLACEHOLDER
from hybridmesh.agents.decomposer.slugs import slug
from hybridmesh.agents.decomposer.task_state import TaskState, label_floor, spec_of, summary_of
from hybridmesh.schemas.message import Message, StepId
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.steps import StepContext, StepReady
from hybridmesh.schemas.tasks import Document, StepSummary, TaskSubmitted


def messages(state: TaskState, cause: Message) -> list[Message]:
    """Return what follows from ``cause``: the steps it released that are still open, and the end if it ended it."""
    identity = cause.identity()
    if state.end is not None:
        return [state.end] if state.ended_by == identity else []
    if state.task is None:
        return []
    return [
        _ready(state, state.task, name)
        for name, step in state.steps.items()
        if step.released_by == identity and step.status == "released"
    ]


def standing(state: TaskState) -> list[StepReady]:
    """Return the steps that were released and have no result, as they were released."""
    if state.end is not None or state.task is None:
        return []
    return [_ready(state, state.task, name) for name, step in state.steps.items() if step.status == "released"]


def _ready(state: TaskState, task: TaskSubmitted, name: StepId) -> StepReady:
    spec = spec_of(state, name)
    earlier = {used: summary_of(state, used) for used in spec.uses}
    results = tuple(Document(name=f"result:{used}", text=summary.result) for used, summary in earlier.items())
    context = StepContext(
        goal=task.goal,
        profile=task.profile,
        workflow=task.workflow,
        spec=spec.model_copy(update={"framework": _framework_key(spec, earlier)}),
        inputs=((*task.inputs, *results) if spec.reads_inputs else results),
        label_floor=label_floor(state, spec),
        deadline=state.due_at if task.deadline is not None else None,
        budget_usd=task.budget_usd,
        plan_words=_plan_words(state, earlier),
        conversation=task.conversation,
    )
    return StepReady(task_id=task.task_id, step_id=name, context=context)


def _framework_key(spec: StepSpec, earlier: dict[StepId, StepSummary]) -> str | None:
    if spec.framework is None:
        return None
    return PLACEHOLDER.sub(lambda found: slug(earlier[found[1]].result), spec.framework)


def _plan_words(state: TaskState, earlier: dict[StepId, StepSummary]) -> tuple[str, ...]:
    """Return the results that a declared workflow had as options; a planned step's options may come from the task."""
    if state.plan is None or state.plan.source != "workflow":
        return ()
    return tuple(
        summary.result for used, summary in earlier.items() if summary.result in spec_of(state, used).output.options
    )
