"""How a goal is cut into steps: the plan, its limits, and the form each step's result must have."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from hybridmesh.schemas.message import Frozen, StepId


class OutputForm(Frozen):
    """The form that a step's result must have: free text, one of ``options``, or JSON under ``json_schema``."""

    kind: Literal["text", "choice", "json"] = "text"
    options: tuple[str, ...] = ()
    json_schema: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "choice" and len(self.options) < 2:  # noqa: PLR2004 - a choice of one is none
            raise ValueError("a choice needs at least two options")
        if self.kind == "json" and self.json_schema is None:
            raise ValueError("a JSON output needs a json_schema")
        return self


class StepSpec(Frozen):
    """One step of a plan.

    ``uses`` names the steps whose results it reads; ``reads_inputs`` says whether it also reads the task's own
    inputs. ``lane`` narrows what the router may choose. ``framework`` is the key under which a framework for
    this kind of step is remembered; ``{step}`` in it stands for the result of that (choice) step. ``own_words`` asks
    for new text: a draft that copies what it reads, or speaks as its sender, does not pass.
    """

    id: StepId
    title: str
    instruction: str
    uses: tuple[StepId, ...] = ()
    reads_inputs: bool = True
    output: OutputForm = OutputForm()
    lane: Literal["auto", "local", "redacted", "split"] = "auto"
    framework: str | None = None
    own_words: bool = False
    max_tokens: int = Field(default=160, ge=1, le=4096)


class Plan(Frozen):
    """A directed acyclic graph of steps; ``results`` are the steps whose results are the task's, in order."""

    source: Literal["workflow", "model", "structural"]
    workflow: str | None = None
    steps: tuple[StepSpec, ...] = Field(min_length=1)
    results: tuple[StepId, ...] = Field(min_length=1)
