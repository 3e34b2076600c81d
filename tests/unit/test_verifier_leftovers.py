"""Prompts that come back as an answer, in the words that the agents' prompts really have."""

import re

import pytest

from hybridmesh.agents.router.prompts import compose as compose_for_cloud
from hybridmesh.agents.verifier.leftovers import find_order, find_told
from hybridmesh.agents.worker.abstracts import _result as say_abstract_form  # pyright: ignore[reportPrivateUsage]
from hybridmesh.agents.worker.prompts import compose as compose_at_home
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.steps import Redacted, StepContext

SPEC = StepSpec(id="s1", title="Answer", instruction="Say hello.")
CLOUD = compose_for_cloud(Redacted(goal="Greet.", instruction="Say hello."), SPEC, ["parroted"])
HOME = compose_at_home(StepContext(goal="Greet.", profile="balanced", spec=SPEC), max_prompt_tokens=900).request
FORMS = [CLOUD.user.splitlines()[-1], HOME.user.splitlines()[-1], say_abstract_form(SPEC, "de")]
ORDERS = [*CLOUD.system.splitlines(), *re.split(r"(?<=[.;]) ", HOME.system)]


@pytest.mark.parametrize("order", [*FORMS, *ORDERS])
def test_an_order_of_the_prompt_is_no_answer(order: str) -> None:
    """It checks what it made: a small model that hands its orders back has not answered."""
    assert find_order(order) is not None


@pytest.mark.parametrize("fault", ["Parroted", "parroted.", "- wrong-voice"])
def test_the_name_of_a_fault_is_no_answer(fault: str) -> None:
    """It checks what it made: what was wrong with an earlier draft is not the next one."""
    assert find_told(fault) is not None


@pytest.mark.parametrize(
    "draft",
    [
        "We replace the broken order and write to you at once.",
        "The material is torn; send it back in a plain box of at most two kilos.",
        "Answer the letter by Friday, and place the order after that.",
        "A parroted phrase is one that is said without thought.",
    ],
)
def test_what_a_writer_may_say(draft: str) -> None:
    """It checks what it made: words of the prompts alone are no leftover."""
    assert find_order(draft) is None
    assert find_told(draft) is None
