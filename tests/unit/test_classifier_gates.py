"""What spares a recognizer a text holds nothing back: all that one of its patterns matches goes through its gates."""

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from hybridmesh.agents.classifier import recognizers
from hybridmesh.agents.classifier.recognizers.recognizer import Gated, Hinted, PatternRecognizer, Recognizer

Gate = Gated | Hinted
_HARD = [HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
_FEW = settings(max_examples=40, deadline=None, database=None, suppress_health_check=_HARD, phases=[Phase.generate])
# Random texts of these shapes do not come up: number plates and the like, whose lookaheads ask for much at once.
_RARE = frozenset({"VEHICLE"})


def gated(
    members: Iterable[Recognizer], gates: tuple[Gate, ...] = ()
) -> Iterator[tuple[PatternRecognizer, tuple[Gate, ...]]]:
    """Yield each pattern that stands behind gates, with these."""
    for member in members:
        if isinstance(member, Gated | Hinted):
            yield from gated(member.members, (*gates, member))
        elif gates and isinstance(member, PatternRecognizer):
            yield member, gates


def lets_through(gate: Gate, text: str) -> bool:
    """Say whether a gate's recognizers are asked about a text."""
    if isinstance(gate, Gated):
        return gate.trigger.search(text) is not None
    return any(hint in text.lower() for hint in gate.hints)


def held_back(member: PatternRecognizer, gates: tuple[Gate, ...]) -> list[str]:
    """Return texts that the pattern matches and a gate does not let through."""
    held: list[str] = []

    @_FEW
    @given(st.from_regex(member.pattern))
    def look(text: str) -> None:
        if not all(lets_through(gate, text) for gate in gates):
            held.append(text)

    try:
        look()
    except Unsatisfiable:
        assert member.type in _RARE
    return held


MODULES = [name for _, name, _ in pkgutil.iter_modules(recognizers.__path__)]
GATED = {
    name: found
    for name in MODULES
    if (found := [*gated(getattr(importlib.import_module(f"{recognizers.__name__}.{name}"), "RECOGNIZERS", ()))])
}


@pytest.mark.parametrize("name", GATED)
def test_a_gate_holds_back_nothing_that_its_patterns_match(name: str) -> None:
    """Nothing private leaves: a hint that was forgotten would be a value that nobody looks for."""
    assert not [text for member, gates in GATED[name] for text in held_back(member, gates)]


def test_a_forgotten_hint_is_seen() -> None:
    """The rule can fail."""
    member = PatternRecognizer("PHONE", re.compile("one|two"))
    assert held_back(member, (Hinted(("one",), (member,)),))
