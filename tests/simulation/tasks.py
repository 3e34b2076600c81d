"""What people do in a schedule: submit, submit again, cancel, answer; drawn from its seed."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from hybridmesh.bus.settings import (
    BusSettings,
    CloudSettings,
    MeshSettings,
    PlanSettings,
    ProfileSettings,
    default_profiles,
)
from hybridmesh.schemas.privacy import Sensitivity
from hybridmesh.schemas.tasks import Document, TaskSubmitted
from simulation.crew import WORKFLOWS
from simulation.doubles import CLOUD_MODEL, MAIL, NAME

_PROFILES = {
    **default_profiles(),
    "asking": ProfileSettings(
        cloud="preferred", complexity=0.0, approve_from_label=Sensitivity.PUBLIC, approval_wait_s=20, review_wait_s=30
    ),
    "stopping": ProfileSettings(cloud="preferred", complexity=0.0, on_doubt="stop", review_wait_s=20),
    "tight": ProfileSettings(cloud="preferred", complexity=0.0, budget_usd=Decimal("0.02"), review_wait_s=20),
    "eager": ProfileSettings(cloud="preferred", complexity=0.0, review_wait_s=20),
}
_CHOICES = (*_PROFILES, "secure-research", "secure-research", "balanced")
_GOALS = (
    "Sum up the complaint.",
    "Analyse the complaint, compare the options and recommend an answer.",
    "1. Sum up the complaint.\n2. Draft a reply to it.",
    "- Assess the risk of a refund.\n- Draft a letter about it.",
    "Sum up the complaint and then draft a reply to {name}.",
)
_NUMBERS = (*(1,) * 17, 2, 2, 3)  # a second task brings more to do and little that one does not
_AGAIN_S = (0.01, 1.0, 30.0, 700.0, 1500.0)  # the last two when the stream has forgotten the first
_REPEATS = (*(0,) * 7, 1, 2)
_FEW_BYTES = 1024
_TIMEOUTS_S = (60.0, 240.0, 900.0)


@dataclass(frozen=True, slots=True)
class Errand:
    """A task and when things are done about it, in seconds; ``secrets`` are its private values."""

    task: TaskSubmitted
    secrets: tuple[bytes, ...]
    at: float
    again: tuple[float, ...]
    cancelled: float | None


def draw_settings(rng: random.Random) -> MeshSettings:
    """Draw the settings: few sets, as each is checked when it is made."""
    key = (rng.choice(_TIMEOUTS_S), rng.choice((_FEW_BYTES, *(256 * 1024,) * 5)), rng.choice((5.0, 30.0, 30.0)))
    if key not in _SETTINGS:
        timeout_s, most_bytes, ack_wait_s = key
        _SETTINGS[key] = MeshSettings(
            bus=BusSettings(max_body_bytes=most_bytes, ack_wait_s=ack_wait_s),
            cloud=CloudSettings(provider="simulated", model=CLOUD_MODEL),
            # With room for one alone, who comes next waits until an end was heard, or was looked for.
            plans=PlanSettings(task_timeout_s=timeout_s, under_way=1 if most_bytes == _FEW_BYTES else 64),
            profiles=_PROFILES,
        )
    return _SETTINGS[key]


_SETTINGS: dict[tuple[float, int, float], MeshSettings] = {}


def draw_errands(rng: random.Random, now: datetime) -> list[Errand]:
    """Draw one to three tasks."""
    return [_errand(rng, number, now) for number in range(rng.choice(_NUMBERS))]


def _errand(rng: random.Random, number: int, now: datetime) -> Errand:
    ending = f"{'abc'[number]}{rng.choice('xyz')}feather"
    name, mail = f"{NAME}{ending}", f"z{ending}{MAIL}"
    workflow = rng.choice(WORKFLOWS) if rng.random() < 0.3 else None
    text = f"{name} ({mail}) was charged twice and asks for the second payment to be returned."
    task = TaskSubmitted(
        task_id=f"0190{number:04x}-0000-7000-8000-{rng.getrandbits(48):012x}",
        goal=rng.choice(_GOALS[:2] if rng.random() < 0.6 else _GOALS).format(name=name),
        inputs=(Document(name="complaint.txt", text=text),) if rng.random() < 0.9 else (),
        workflow=workflow,
        profile=rng.choice(_CHOICES),
        deadline=now + timedelta(seconds=rng.uniform(1, 200)) if rng.random() < 0.1 else None,
        budget_usd=rng.choice((None, None, None, Decimal("0.03"))),
        tenant=("default", "acme", "globex")[number],
        conversation=rng.choice((None, None, None, "talk")),
        submitted_at=now,
    )
    at = rng.uniform(0, 2.0)
    again = tuple(
        at + rng.choice((0.01, 1.0, 30.0, 700.0, 1500.0)) for _ in range(rng.choice((0, 0, 0, 0, 0, 0, 0, 1, 2)))
    )
    cancelled = at + rng.choice((-0.5, 0.005, 0.05, 0.3, 2.0, 60.0)) * rng.random() if rng.random() < 0.15 else None
    return Errand(task, (name.encode(), mail.encode()), at, again, cancelled)
