"""Choices in a plan: options that an answer can be held against, and the keys of frameworks that they stand in."""

import re
from collections.abc import Iterator, Mapping, Sequence

from hybridmesh.schemas.message import StepId
from hybridmesh.schemas.plans import StepSpec

PLACEHOLDER = re.compile(r"\{([a-z0-9_-]+)\}")


def option_faults(steps: Sequence[StepSpec]) -> Iterator[str]:
    """An answer is held against the options as they stand, without the blanks around it."""
    for step in steps:
        options = step.output.options
        if any(option != option.strip() or not option for option in options):
            yield f"an option of step '{step.id}' is empty, or has blanks around it, which no answer repeats"
        if len(set(options)) < len(options):
            yield f"step '{step.id}' has the same option twice"


def framework_faults(steps: Mapping[StepId, StepSpec]) -> Iterator[str]:
    """Only a choice may stand in a framework's key: its options are the plan's words, other results are private."""
    for step in steps.values():
        for name in PLACEHOLDER.findall(step.framework or ""):
            if name not in step.uses:
                yield f"the framework of step '{step.id}' names '{name}', which the step does not use"
            elif steps[name].output.kind != "choice":
                yield f"the framework of step '{step.id}' names '{name}', which is not a choice"
