"""Laws, methods and sayings that are called after people: right beside such a word, the name is nobody's."""

import re
from typing import Final

_EPONYMS: Final = frozenset({
    "ampère", "archimedes", "archimède", "arquímedes", "archimede", "avogadro", "bayes", "beaufort", "bernoulli",
    "bohr", "boltzmann", "boyle", "bunsen", "calvin", "carnot", "cauchy", "celsius", "coulomb", "dijkstra", "doppler",
    "euler", "faraday", "fermat", "fibonacci", "fourier", "gantt", "gauss", "gauß", "geiger", "hamming", "heisenberg",
    "hooke", "hubble", "huffman", "joule", "kepler", "kelvin", "krebs", "laplace", "levenshtein", "likert", "lorentz",
    "markov", "maslow", "maxwell", "mendel", "mohs", "moore", "nash", "newton", "ohm", "pareto", "pascal", "pavlov",
    "petri", "planck", "pythagoras", "pythagore", "pitágoras", "pitagora", "richter", "rorschach", "schrödinger",
    "stirling", "turing", "venn", "venturi",
    # of sayings: the box of Pandora, the heel of Achilles
    "achille", "achilles", "achillesa", "aquiles", "damocle", "damocles", "damoclès", "damokles", "damoklesa", "aladin",
    "hercules", "herkules", "midas", "murphy", "occam", "ockham", "pandora", "pandore", "pandory", "parkinson",
    "sisyphe", "sisyphus", "sisifo", "sísifo", "syzyfa", "titan",
})  # fmt: skip
_BEFORE = re.compile(
    r"(?<!\w)(?:cycle|ciclo|zyklus|cyclus|cykl|lois?|ley(?:es)?|leggi?|laws?|gesetze?|wet(?:ten)?|praw[oa]"
    r"|th[eé]or[eè]me|teorem[aę]?|satz|stelling|twierdzenie|transform[aé]e?|trasformata|effe[ct]t[os]?|efecto|efekt"
    r"|constante?|costante|constant|stała|stałej|diagram[mę]?[ae]?s?|diagrama|courbe|curva|échelle|escala|scala"
    r"|skala|schaal"
    r"|boîte|caja|vaso|doos|puszk[aięą]|büchse|talon|talón|tallone|pięta|épée|espada|spada|miecz|travail|trabajo|lavoro"
    r"|[eé]chelle|équation|ecuación|equazione|formel|formule|fórmula|formula|algorithme|algoritmo|algorytm|algoritme"
    r"|distance|distancia|distanza|boîtes? de|principe|principio|number|nombre|numero|número|pyramide|pirámide|piramide"
    r"|piramida|test|moteur|motor|motore|suite|sucesión|successione)"
    r"(?: (?:de|di|du|des|der|von|van|of|nach)| d['’])? ?$",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"(?:['’]?s)?[ -](?:cycle|zyklus|cyclus|laws?|gesetz|theorem|transform(?:ation)?|effe[ck]t|constant|konstante"
    r"|diagram"
    r"|diagramm|curve|scale|skala|equation|gleichung|algorithm|algorithmus|distance|distanz|machine|maschine|test"
    r"|box|büchse|heel|ferse|hiel|sword|schwert|zwaard|touch|razor|lamp|labours?|task"
    r"|numbers?|sequence|folge|process|chart|counter|dish|schale|box|engine|motor|principle|prinzip|pyramid"
    r"|pyramide)(?!\w)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
_REACH: Final = 24  # characters of the longest of these words and its link


def names_discovery(text: str, start: int, end: int) -> bool:
    """Say whether a stretch names a law, a cycle or the like, and nobody."""
    found = [word.casefold() for word in _WORD.findall(text[start:end])]
    names = [word for word in found if word != "s"]
    if not names or not _EPONYMS.issuperset(names):
        return False
    return _BEFORE.search(text[max(0, start - _REACH) : start]) is not None or _BEHIND.match(text, end) is not None
