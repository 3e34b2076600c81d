"""What a split step says of itself to the cloud: the kind of problem, never its text."""

import pytest

from hybridmesh.agents.worker.abstracts import keep_abstract, say_kind, state_problem, without_marks
from hybridmesh.agents.worker.summary import summary_request
from hybridmesh.schemas.plans import OutputForm, StepSpec
from hybridmesh.schemas.steps import Redacted, StepContext
from hybridmesh.schemas.tasks import Document

TEXT = "Ana Ruiz from Toledo was charged 89,90 € twice and would like her money back before the holidays."


def make_context(workflow: str | None, output: OutputForm | None = None) -> StepContext:
    instruction = "Write a reply." if workflow else "Tell Ana Ruiz that she is right."
    spec = StepSpec(id="reply", title="Reply", instruction=instruction, output=output or OutputForm())
    return StepContext(
        goal="Help Ana Ruiz", profile="balanced", workflow=workflow, spec=spec,
        inputs=(Document(name="ticket", text=TEXT),),
    )  # fmt: skip


REDACTED = Redacted(
    goal="Help [PERSON_7Q2M]",
    instruction="Tell [PERSON_7Q2M] that she is right.",
    inputs=(Document(name="ticket", text="[PERSON_7Q2M] was charged twice."),),
)


def test_a_workflow_speaks_for_its_steps() -> None:
    """Nothing private leaves: of a declared step only its declaration and the kinds of values are told."""
    told = state_problem(make_context("support-triage"), None, ["PERSON", "IBAN"], language="es")
    assert told is not None
    assert "Write a reply." in told
    assert "a bank account, a person's name" in told
    assert "Spanish" in told
    for word in ("Ana", "Ruiz", "Toledo", "89,90", "Help"):
        assert word not in told


def test_a_free_step_speaks_in_its_redacted_words() -> None:
    """Nothing private leaves: the marks of one task become words, so the framework serves the next task too."""
    told = state_problem(make_context(None), REDACTED, ["PERSON"], language=None)
    assert told is not None
    assert "Tell a person's name that she is right." in told
    assert "[PERSON" not in told
    assert "Ana" not in told


def test_a_free_step_without_redacted_words_says_nothing() -> None:
    """Nothing private leaves: in doubt there is no statement, and the step stays at home."""
    assert state_problem(make_context(None), None, [], language=None) is None


def test_the_options_of_a_choice_are_the_plans_words() -> None:
    """Nothing is hidden: the framework is told which results there are."""
    output = OutputForm(kind="choice", options=("yes", "no"))
    told = state_problem(make_context("w", output), None, [], language="en")
    assert told is not None
    assert told.endswith("One of: yes, no")


def test_an_abstract_summary_is_kept() -> None:
    """Nothing is lost: a summary that gives nothing away helps the cloud to help."""
    summary = "A customer complains about a double payment and  wants it returned."
    assert keep_abstract(summary, [TEXT], {"[PERSON_7Q2M]": "Ana Ruiz"}) == " ".join(summary.split())


@pytest.mark.parametrize(
    "summary",
    [
        "",
        "A customer called Ana complains.",
        "A customer in Toledo complains.",
        "The sum is 89 euros.",
        "Somebody would like her money back before long.",
        "It is about [PERSON_7Q2M].",
        "A customer, ana ruiz, complains.",
        "Write to a@b.example.",
        "x" * 700,
    ],
)
def test_a_summary_that_tells_is_dropped(summary: str) -> None:
    """Nothing private leaves: a name, a number or a quotation is enough to leave the summary out."""
    assert keep_abstract(summary, [TEXT], {"[PERSON_7Q2M]": "Ana Ruiz"}) == ""


def test_the_model_summarises_what_is_redacted_already() -> None:
    """Nothing private leaves: not even the local model is shown what its summary must not say."""
    request = summary_request(REDACTED)
    assert "a person's name was charged twice." in request.user
    assert "Ana" not in request.user + request.system


def test_kinds_are_said_in_words() -> None:
    """Nothing private leaves: a type is said, a value is not."""
    assert say_kind("PASSPORT") == "a passport"
    assert without_marks("[EMAIL_0A1B] and [YOUR_NAME]") == "an e-mail address and [YOUR_NAME]"
