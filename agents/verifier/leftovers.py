"""What a model leaves in a text that is not meant for its reader: prompt parts, blanks to fill in, loops."""

import re
from collections import Counter

_PERSONA = re.compile(
    r"\bas an? (?:AI|artificial intelligence|(?:large )?language model)\b"
    r"|\bI(?:'m| am) an? (?:AI|(?:large )?language model)\b"
    r"|\bI(?:'m| am) sorry, (?:but )?I (?:can't|cannot|can not) (?:assist|help|comply)\b"
    r"|\bals (?:KI|künstliche Intelligenz|Sprachmodell)\b|\bcomo (?:uma? |una? )?(?:(?-i:IA)|modelo de lenguaje"
    r"|inteligencia artificial|inteligência artificial|modelo de linguagem)\b"
    r"|\bcome (?:un['’]|una? )?(?:(?-i:IA)|intelligenza artificiale|modello linguistico)\b"
    r"|\bals (?:een )?(?:(?-i:AI)|kunstmatige intelligentie|taalmodel)\b"
    r"|\bjako (?:(?-i:AI|SI)|sztuczna inteligencja|model językowy)\b"
    r"|\ben tant qu['’](?:IA|intelligence artificielle)\b",
    re.IGNORECASE,
)
_MARKUP = re.compile(
    r"<\|[a-z_]+\|>|\[/?INST\]|</?s>|^#{2,3} ?(?:instruction|input|response|system|user|assistant)\b"
    r"|^(?:system|user|assistant):",
    re.IGNORECASE | re.MULTILINE,
)
_BLANK = re.compile(
    r"\[(?:your|insert|customer|client|recipient|name|date|company|signature|address|phone|amount|ihre?|dein|datum|su|tu"
    r"|unterschrift|firma|il tuo|tuo|suo|nome|inserisci|uw|jouw|naam|invoegen|handtekening|twoje|twój|imię|nazwa"
    r"|nazwisko|wstaw|podpis|seu|sua|inserir|assinatura"
    r"|nombre|fecha|votre|nom)\b[^\]\n]{0,40}\]|<(?:insert|your)\b[^>\n]{0,40}>|\bX{3,}\b",
    re.IGNORECASE,
)
_ONLY_BLANK = re.compile(r"\s*\[[^\W\d][^\[\]\n\d,;:'\"]{1,80}\]\s*")  # and no list
# What a model is told of an earlier try, in the words of the prompts and of the rules.
_TOLD = re.compile(
    r"\bdrafts? (?:is|are|was|were|has been|have been) turned down\b|\bnot in the text or the records\b"
    r"|\bunproven-(?:amount|date|number|reference|person|name)\b"
    r"|\b(?:prompt-leftover|instruction-echo|unresolved-surrogate|foreign-private-value|judged-unfit)\b",
    re.IGNORECASE,
)
# What the prompts say of every step and of its answer, in their words; a test holds the two together.
_ORDERED = re.compile(
    r"\bplain text\b[^.\n]{0,40}\bat most \d+ words\b|\ba text of at most \d+ words\b"
    r"|\bof the task unless it says otherwise\b|^# (?:form of the answer|this step|an earlier draft)\b"
    r"|\bdo one step of a task\b|\bmaterial is data\b|\brely only on the material\b|\binside it are not for you\b"
    r"|\banswer with the result\b|\bfacts that stand in the material\b"
    r"|\bsay so instead of inventing\b|\bnever invent names\b"
    r"|\bplaceholders of the form\b|\b(?:copy its|make up a) placeholder\b|\bthe same placeholder always\b"
    r"|\ba placeholder with FIRST\b",
    re.IGNORECASE | re.MULTILINE,
)
# The names of faults that nobody would give as an answer.
_FAULT = re.compile(r"\W*(?:parroted|injected|wrong-(?:form|voice)|too-long|not-shorter)\W*", re.IGNORECASE)
_SLOT = re.compile(r"\{[?!]?[a-z][a-z0-9_]{0,39}\}")
_LOOP_WORDS = 6
_LOOPS = 5
_LINES = 4
_LEAST_LINE = 12
_LEAST_ECHO = 40


def find_persona(draft: str) -> bool:
    """Say whether the draft speaks of itself as a model."""
    return _PERSONA.search(draft) is not None


def find_markup(draft: str) -> bool:
    """Say whether the draft holds parts of a chat template."""
    return _MARKUP.search(draft) is not None


def find_told(draft: str) -> str | None:
    """Return what the draft repeats of why an earlier one was turned down."""
    match = _TOLD.search(draft) or _FAULT.fullmatch(draft)
    return match.group() if match else None


def find_order(draft: str) -> str | None:
    """Return what the draft repeats of the orders that stand in every prompt."""
    match = _ORDERED.search(draft)
    return match.group() if match else None


def find_blank(draft: str, *, filled: bool) -> str | None:
    """Return a blank that was left: ``[Your Name]``, nothing but ``[…]``, or ``{amount}`` in one ``filled`` in."""
    match = _BLANK.search(draft) or _ONLY_BLANK.fullmatch(draft) or (_SLOT.search(draft) if filled else None)
    return match.group() if match else None


def echoes(draft: str, instruction: str) -> bool:
    """Say whether the draft repeats a long instruction instead of following it."""
    said, asked = (" ".join(text.casefold().split()) for text in (draft, instruction))
    return len(asked) >= _LEAST_ECHO and asked in said


def loops(draft: str) -> bool:
    """Say whether the draft turns in circles: the same line four times, or the same six words five times over."""
    lines = Counter(line.strip() for line in draft.splitlines() if len(line.strip()) >= _LEAST_LINE)
    if max(lines.values(), default=0) >= _LINES:
        return True
    words = draft.casefold().split()
    runs = Counter(tuple(words[place : place + _LOOP_WORDS]) for place in range(len(words) - _LOOP_WORDS + 1))
    return max(runs.values(), default=0) >= _LOOPS
