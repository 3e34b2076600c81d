"""Finds a framework's slots and answers its checks: by pattern where that is surer, else by the local model."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from hybridmesh.agents.worker.confirmation import stands_in
from hybridmesh.agents.worker.passages import choose
from hybridmesh.agents.worker.questions import check_request, read_check, read_slots, slots_request
from hybridmesh.agents.worker.sightings import find_by_pattern
from hybridmesh.schemas.frameworks import Framework, Slot
from hybridmesh.schemas.inference import Completion, CompletionRequest
from hybridmesh.schemas.measured import CHECK, SLOT, Figures, relied_on

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


async def extract(
    framework: Framework,
    text: str,
    complete: Complete,
    *,
    budget: int,
    model: str | None = None,
    figures: Figures | None = None,
) -> Extraction:
    """Read ``text`` with the questions of a framework; ``budget`` is how many characters the model may be shown.

    A value that does not stand in the whole text is missing, whoever gave it. What ``model``, the name of who answers,
    was measured to get wrong is not asked. Raises what ``complete`` raises.
    """
    slots, unfound = _by_pattern(framework, text)
    open_slots = unfound if relied_on(model, SLOT, figures=figures) else []
    checks = framework.checks if relied_on(model, CHECK, figures=figures) else ()
    if not text.strip() or not (open_slots or checks):
        return Extraction(slots, {})
    questions = " ".join([*(slot.question for slot in open_slots), *(check.question for check in checks)])
    shown = choose(text, questions, budget)
    given: dict[str, str] = {}
    if open_slots:
        given = read_slots((await complete(slots_request(open_slots, shown.text))).text, open_slots)
    confirmed = {
        slot.name for slot in open_slots if slot.name in given and stands_in(given[slot.name], text, slot.type)
    }
    answers = {check.name: read_check((await complete(check_request(check, shown.text))).text) for check in checks}
    return Extraction(
        slots={**slots, **{name: given[name] for name in confirmed}},
        checks={name: answer for name, answer in answers.items() if answer is not None},
        calls=bool(open_slots) + len(checks),
        unconfirmed=len(given) - len(confirmed),
        left_out=shown.left_out,
    )


def _by_pattern(framework: Framework, text: str) -> tuple[dict[str, str], list[Slot]]:
    """Return what patterns find, and the slots that none is in charge of."""
    found: dict[str, str] = {}
    rest: list[Slot] = []
    for slot in framework.slots:
        in_charge, value = find_by_pattern(slot, text)
        if value is not None:
            found[slot.name] = value
        elif not in_charge:
            rest.append(slot)
    return found, rest
