"""Which instructions ask for text that is not in their material yet."""

import pytest

from hybridmesh.agents.decomposer.new_text import asks_for_new_text
from hybridmesh.agents.decomposer.split import structural
from hybridmesh.bus.settings import PlanSettings

NEW = [
    "Reply to this ticket",
    "Please answer the customer in two sentences.",
    "Read the ticket. Then respond politely.",
    "Write a short, friendly reply to the customer",
    "Translate this letter into German",
    "Beantworte diese Kündigung höflich",
    "Bitte antworte dem Kunden",
    "Schreib eine freundliche Antwort auf die Beschwerde",
    "Übersetze den Brief ins Englische",
    "Réponds à ce courriel",
    "Rédige une réponse au client",
    "Responde a esta reclamación",
    "Redacta una respuesta breve para el cliente",
    "Rispondi al reclamo",
    "Scrivi una risposta cortese",
    "Beantwoord deze klacht",
    "Schrijf een kort antwoord aan de klant",
    "Escreva uma resposta ao cliente",
    "Odpowiedz na tę skargę",
    "Napisz uprzejmą odpowiedź do klienta",
]
KEPT = [
    "Extract the name, the address and the amount",
    "Correct the spelling of this reply",
    "Copy the customer's own words",
    "Answer the question: what does clause 4 say?",
    "Beantworte die Frage, welche Frist gilt",
    "Summarise the answers of all customers",
    "Quote the sentence that names the deadline",
    "Fasse die Antwort des Kunden zusammen",
    "List every answer that was given",
]


@pytest.mark.parametrize("instruction", NEW)
def test_an_answer_is_new_text(instruction: str) -> None:
    """It checks what it made: a ticket handed back is no reply to it."""
    assert asks_for_new_text(instruction)
    (step,) = structural(instruction, PlanSettings()).steps
    assert step.own_words


@pytest.mark.parametrize("instruction", KEPT)
def test_what_may_be_copied(instruction: str) -> None:
    """It checks what it made: who asks for the text's own words gets them."""
    assert not asks_for_new_text(instruction)


def test_each_step_for_itself() -> None:
    """It checks what it made: of two steps the one that answers is to be in its author's own words."""
    steps = structural("1. List the amounts in the ticket\n2. Reply to the customer", PlanSettings()).steps
    assert [step.own_words for step in steps] == [False, True]
