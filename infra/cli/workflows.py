"""``workflow``: the plans that `submit --workflow` takes, those that ship and your own."""

from typing import TYPE_CHECKING, Annotated

import typer

from hybridmesh.infra.cli.console import write, write_json, write_table
from hybridmesh.infra.cli.invocation import Invocation, local_command
from hybridmesh.infra.cli.names import check_known

if TYPE_CHECKING:
    from hybridmesh.agents.decomposer.workflows import Workflow

app = typer.Typer(no_args_is_help=True, help="The plans of the tasks that come again and again.")


@app.command("ls")
@local_command
def list_workflows(call: Invocation) -> None:
    """List all workflows, and check those in the folder that plans.workflows names, as `up` does at its start."""
    from hybridmesh.infra.workflows import usable_workflows

    found = usable_workflows(call.settings.plans).values()
    if call.json:
        write_json({"workflows": [{"name": item.name, "title": item.title, "steps": _ids(item)} for item in found]})
    else:
        write_table(("name", "title", "steps"), [(item.name, item.title, ", ".join(_ids(item))) for item in found])


@app.command()
@local_command
def show(
    call: Invocation, name: Annotated[str, typer.Argument(metavar="NAME", help="As `workflow ls` has it.")]
) -> None:
    """Show a workflow's steps: what each is asked, what it reads, and where it may run."""
    from hybridmesh.infra.workflows import usable_workflows

    found = usable_workflows(call.settings.plans)
    check_known("workflow", name, sorted(found))
    workflow = found[name]
    if call.json:
        write_json(workflow.plan)
        return
    write(f"{workflow.title}: {workflow.description}" if workflow.description else workflow.title)
    for step in workflow.plan.steps:
        reads = [*step.uses, *(["the task's inputs"] if step.reads_inputs else [])]
        given = "  result of the task" if step.id in workflow.plan.results else ""
        write(f"\n{step.id}  {step.output.kind}, lane {step.lane}, reads {', '.join(reads) or 'nothing'}{given}")
        write(f"  {' '.join(step.instruction.split())}")


def _ids(workflow: "Workflow") -> list[str]:
    return [step.id for step in workflow.plan.steps]
