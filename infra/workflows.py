"""The workflows of a mesh: plans whose results the verifier can judge."""

from hybridmesh.agents.decomposer.workflows import Workflow, load_workflows
from hybridmesh.agents.verifier.schema_faults import find_schema_faults
from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.settings import PlanSettings


def usable_workflows(limits: PlanSettings) -> dict[str, Workflow]:
    """Return all workflows by name, as ``load_workflows`` does.

    Raises:
        UsageError: also for a form that no result could be held against, as every task of it would fail.

    """
    workflows = load_workflows(limits)
    for workflow in workflows.values():
        for step in workflow.plan.steps:
            if step.output.json_schema is None:
                continue
            if fault := next(find_schema_faults(step.output.json_schema), None):
                raise UsageError(
                    f"workflow {workflow.name}, step {step.id}: the json_schema, {fault}",
                    remedy="say it with type, enum, const, properties, required, additionalProperties, items, anyOf, "
                    "pattern, and minimum or maximum of values, items and length",
                )
    return workflows
