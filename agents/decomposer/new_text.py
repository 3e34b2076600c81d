"""Whether an instruction asks for text that its material cannot hold yet: an answer to it, or another language."""

import re

# How an order to answer or to translate begins, and what is ordered to be written, in the classifier's languages.
_ORDER = (
    "reply|respond|answer|translate"
    "|beantworte|antworte|erwidere|übersetze"
    "|répond[sre]|répondez|tradui[st]|traduisez|traduire"
    "|responde|responda|responder|contesta|conteste|contestar|traduce|traduzca|traducir"
    "|rispondi|risponda|rispondere|traduci|traduca|tradurre"
    "|beantwoord|antwoord|reageer|vertaal"
    "|traduz|traduza|traduzir"
    "|odpowiedz|odpisz|przetłumacz"
)
_POLITE = "please|bitte|por favor|merci de|veuillez|per favore|alsjeblieft|alstublieft|graag|proszę|kindly|now|then"
_WRITING = (
    "write|draft|compose|prepare|schreib|verfass|formulier|entwirf|erstell|rédige|écri|prépare|redact|escrib|prepar"
    "|scriv|redig|schrijf|stel|escrev|redij|napisz|przygotuj"
)
_ANSWER = (
    "reply|answer|response|translation|antwort|übersetzung|réponse|traduction|respuesta|contestación|traducción"
    "|risposta|traduzione|antwoord|reactie|vertaling|resposta|tradução|odpowied[zź]|tłumaczenie"
)
_QUESTION = re.compile(r"\b(?:question|frage|pregunta|domand|vraag|vragen|pergunta|pytani)", re.IGNORECASE)
_ASKS = re.compile(
    rf"(?:^|[.!?:;\n]\s*)(?:(?:{_POLITE})[\s,]+)?(?:(?:{_ORDER})\b|(?:{_WRITING})\w*\b[^.!?\n]{{0,60}}?\b(?:{_ANSWER}))",
    re.IGNORECASE,
)


def asks_for_new_text(instruction: str) -> bool:
    """Say whether a copy of the material can be no result; the answer to a question may be a sentence of it."""
    return _ASKS.search(instruction) is not None and _QUESTION.search(instruction) is None
