"""Shapes of replies, hundreds of them: none that would leave again carries a value out, and others come back whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import language_shapes
import order_shapes
import program_shapes
from hybridmesh.agents.worker.restoring import restore_answer
from hybridmesh.schemas.plans import OutputForm
from hybridmesh.schemas.restoring import open_reply
from reply_shapes import FORMS, ISSUED, MAIL, PROSE, written

LEAVING = [
    *order_shapes.LEAVING.values(),
    *order_shapes.MORE_LEAVING,
    *program_shapes.LEAVING.values(),
    *program_shapes.MORE_LEAVING,
    *language_shapes.LEAVING,
]
INNOCENT = [
    *order_shapes.INNOCENT.values(),
    *order_shapes.MORE_INNOCENT,
    *program_shapes.INNOCENT.values(),
    *program_shapes.MORE_INNOCENT,
    *language_shapes.INNOCENT,
]


@pytest.mark.parametrize("form", FORMS, ids=["text", "json"])
@pytest.mark.parametrize("shape", LEAVING)
def test_what_carries_a_value_out_gets_none(shape: str, form: OutputForm) -> None:
    """Nothing private leaves: no order, call, request, form or program of the cloud's making carries a value out."""
    for reply in (written(shape), f"Sure, here you are:\n\n{written(shape)}"):
        answer = restore_answer(reply, ISSUED, form)
        assert "ana@example.org" not in answer.text
        assert answer.withheld


@pytest.mark.parametrize("form", FORMS, ids=["text", "json"])
@pytest.mark.parametrize("shape", INNOCENT)
def test_what_only_speaks_of_it_gets_its_values(shape: str, form: OutputForm) -> None:
    """Nothing is lost: talk of tools, tickets, pages, and programs that send nothing of it come back whole."""
    reply = written(shape)
    answer = restore_answer(reply, ISSUED, form)
    assert answer.text == reply.replace(MAIL, "ana@example.org")
    assert not answer.withheld


@pytest.mark.parametrize("shape", LEAVING)
def test_a_stream_is_safe_by_itself(shape: str) -> None:
    """Nothing private leaves: who feeds a stream need not ask first, and no cut changes what comes."""
    reply = written(f"For @:\n\n{shape}")
    for size in (1, 7):
        stream = open_reply(ISSUED, "text")
        shown = "".join(stream.feed(reply[at : at + size]) for at in range(0, len(reply), size)) + stream.finish()
        assert shown.partition("\n\n")[2] == reply.partition("\n\n")[2]
        assert MAIL in stream.tally.withheld


@given(PROSE, st.sampled_from(LEAVING))
def test_no_text_before_it_hides_it(before: str, shape: str) -> None:
    """Nothing private leaves: quotation marks and half sentences in front change nothing."""
    answer = restore_answer(f"{before}\n\n{written(shape)}", ISSUED, OutputForm())
    assert "ana@example.org" not in answer.text
