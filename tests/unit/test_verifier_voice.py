"""The verifier's rules for text that should be new: it is no copy of the material, and not signed by its sender."""

import pytest

from hybridmesh.agents.verifier.leftovers import find_persona
from hybridmesh.agents.verifier.summaries import shortens, summarises
from hybridmesh.agents.verifier.voice import parrots, signs_as_sender

TICKET = (
    "Good morning,\n\nI hope you can help, because I have been going round in circles with my bank. You took the "
    "money on 5 October and then again on 7 October. Could you send the second one back and let me know when?\n\n"
    "Kind regards,\nMargaret Oyelaran"
)
REPLY = (
    "Dear Margaret Oyelaran,\n\nThank you for writing to us. We have noted that two payments were taken in October, "
    "and are comparing both with your account. We will write to you with the result.\n\nKind regards,\nCustomer care"
)


def test_a_copy_of_the_material_is_no_reply() -> None:
    """Nothing is hidden behind fluent words: a draft that hands the ticket back is turned down."""
    assert parrots(TICKET, [TICKET])
    assert parrots(TICKET.replace("Good morning", "Hello there"), [TICKET])
    assert not parrots(REPLY, [TICKET])
    assert not parrots("Kind regards,\nMargaret", [TICKET])


def test_a_reply_is_not_signed_by_whom_it_answers() -> None:
    """Nothing is hidden behind fluent words: a reply in the customer's voice is turned down."""
    assert signs_as_sender(REPLY.replace("Customer care", "Margaret Oyelaran"), [TICKET])
    assert not signs_as_sender(REPLY, [TICKET])


@pytest.mark.parametrize(
    "text", ["I'm sorry, but I can't assist with that request.", "I am sorry, I cannot help with that."]
)
def test_a_refusal_is_no_result(text: str) -> None:
    """Nothing is lost: a model that declines has not done the step."""
    assert find_persona(text)
    assert not find_persona("We are sorry that we cannot help you sooner.")


@pytest.mark.parametrize(
    "instruction",
    [
        "Summarise the ticket",
        "Say in one sentence what she wants",
        "Fasse das Schreiben in einem Satz zusammen",
        "Erstelle eine Zusammenfassung",
        "Résume cette lettre",
        "Resume la carta en una frase",
        "Riassumi il reclamo",
        "Vat de brief samen",
        "Resuma a carta",
        "Streść list w jednym zdaniu",
    ],
)
def test_a_summary_is_shorter_than_what_it_sums_up(instruction: str) -> None:
    """Nothing is hidden behind fluent words: the whole letter is no summary of it."""
    assert summarises(instruction)
    assert not shortens(TICKET, [TICKET])
    assert shortens("Margaret Oyelaran wants her second payment back.", [TICKET])
    assert shortens("Paid twice, wants it back.", ["She paid twice and wants one back."])


@pytest.mark.parametrize(
    "instruction", ["Extract the dates", "Reply to the ticket", "Presume nothing", "Kopiere den Text"]
)
def test_other_work_may_be_as_long(instruction: str) -> None:
    """It checks what it made: who asks for more than a summary gets it."""
    assert not summarises(instruction)
