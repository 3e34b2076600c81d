"""Finds a framework's slots and answers its checks: by pattern where that is surer, else by the local model."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from hybridmesh.agents.worker.confirmation import stands_in
from hybridmesh.agents.worker.passages import choose
from hybridmesh.agents.worker.questions import check_request, read_check, read_slots, slots_request
from hybridmesh.agents.worker.sightings import find_by_pattern
from hybridmesh.schemas.frameworks import Framework, Slot
from hybridmesh.schemas.inference import Completion, CompletionRequest

Complete = Callable[[CompletionRequest], Awaitable[Completion]]


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was found: slots word for word as in the source; ``calls`` of the model, ``unconfirmed`` answers of it.

    ``left_out`` are the characters of the text that the model did not get to see.
    """

    slots: Mapping[str, str]
    checks: Mapping[str, bool]
    calls: int = 0
    unconfirmed: int = 0
    left_out: int = 0


async def extract(framework: Framework, text: str, complete: Complete, *, budget: int) -> Extraction:
    """Read ``text`` with the questions of a framework; ``budget`` is how many characters the model may be shown.

    A value that does not stand in the whole text is missing, whoever gave it. Raises what ``complete`` raises.
    """
    slots: dict[str, str] = {}
    open_slots: list[Slot] = []
    for slot in framework.slots:
        in_charge, value = find_by_pattern(slot, text)
        if value is not None:
            slots[slot.name] = value
        elif not in_charge:
            open_slots.append(slot)
    if not text.strip() or not (open_slots or framework.checks):
        return Extraction(slots, {})
    questions = " ".join(part.question for part in (*open_slots, *framework.checks))
    shown = choose(text, questions, budget)
    calls = unconfirmed = 0
    if open_slots:
        given = read_slots((await complete(slots_request(open_slots, shown.text))).text, open_slots)
        calls += 1
        for slot in open_slots:
            value = given.get(slot.name)
            if value is not None and stands_in(value, text, slot.type):
                slots[slot.name] = value
            elif value is not None:
                unconfirmed += 1
    checks: dict[str, bool] = {}
    for check in framework.checks:
        verdict = read_check((await complete(check_request(check, shown.text))).text)
        calls += 1
        if verdict is not None:
            checks[check.name] = verdict
    return Extraction(slots, checks, calls, unconfirmed, shown.left_out)
