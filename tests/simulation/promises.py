"""The promises of DESIGN.md as they can be read off what a schedule left behind.

Each of the functions yields what does not hold; ids, codes and amounts only, as in any trace.
"""

import base64
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Set
from datetime import timedelta
from decimal import Decimal

from hybridmesh.bus.budgets import Entry, Spending
from hybridmesh.bus.clearances import check_clearance
from hybridmesh.bus.envelope import BODY_REFERENCE
from hybridmesh.bus.errors import UntrustedMessage
from hybridmesh.bus.stores import account_of, body_subject
from hybridmesh.bus.topology import (
    AUDIT,
    BODIES_STREAM,
    DEAD,
    RESULTS,
    Account,
    Bucket,
    bucket_stream,
    streams,
)
from hybridmesh.schemas.audits import Action
from hybridmesh.schemas.consults import UNKNOWN_OUTCOME, ConsultRequested
from simulation.doubles import identities
from simulation.schedule import Outcome
from simulation.streams import Stored

# What must be in the audit log before a message of a type is stored: one of these, of the same task, step and attempt.
_AUDITED: dict[str, tuple[str, ...]] = {
    "step.classified": (Action.STEP_CLASSIFIED,),
    "step.local": (Action.ROUTE_DECIDED,),
    "consult.proposed": (Action.ROUTE_DECIDED,),
    "consult.requested": (Action.PROMPT_CLEARED,),
    "consult.advised": (Action.EGRESS_ENDED,),
    "step.drafted": (Action.DRAFT_MADE,),
    "step.verified": (Action.DRAFT_VERIFIED, Action.APPROVAL_ANSWERED),
    "step.rejected": (Action.DRAFT_REJECTED,),
    "approval.requested": (Action.APPROVAL_ASKED,),
}
_CLOUDS_OWN = frozenset(
    {
        *(stream.name for stream in streams() if stream.account is Account.CLOUD),
        *(bucket_stream(bucket) for bucket in Bucket if account_of(bucket) is Account.CLOUD),
        AUDIT.name,
    }
)


def broken(outcome: Outcome) -> list[str]:
    """Return every promise that a schedule broke."""
    return [f"{check.__name__}: {finding}" for check in CHECKS for finding in check(outcome)]


def comes_to_rest(outcome: Outcome) -> Iterator[str]:
    """Once the faults are over, nothing goes on for ever and nothing has failed unheard."""
    if not outcome.rested:
        yield "something still goes on"
    yield from outcome.faults
    for name, stream in outcome.server.streams.items():
        if stream.work and stream.messages:
            kinds = Counter(stored.headers.get("ce-type", "?") for stored in stream.messages.values())
            yield f"{name} still holds {dict(kinds)}"


def one_end(outcome: Outcome) -> Iterator[str]:
    """Nothing is lost: each task that the bus took reaches one terminal state, once."""
    ends = _ends(outcome)
    submitted = {stored.headers["ce-id"].split("/")[0] for stored in _of_kind(outcome, "task.submitted")}
    if outcome.vanishing:  # of a submission that is lost before anybody has read it, nobody knows
        records = outcome.server.messages(bucket_stream(Bucket.TASKS))
        submitted = {stored.subject.rsplit(".", 1)[1] for stored in records if b'"task":null' not in stored.body}
    for errand in outcome.errands:
        task = errand.task.task_id
        if not (task in submitted or errand.task.identity() in outcome.refused or outcome.vanishing):
            yield f"{task} was never stored"
        found = ends.pop(task, [])
        if task in submitted and not found:
            yield f"{task} has no end"
        if len(found) > 1:
            told = [f"{stored.subject.split('.')[2]} at {stored.at:.1f}" for stored in found]
            yield f"{task} has {len(found)} ends: {', '.join(told)}"
        if not all(_can_be_read(outcome, stored) for stored in found):
            yield f"{task} has an end that cannot be read"
    for task in ends:
        yield f"{task} has an end and was never submitted"


def trusted(outcome: Outcome) -> Iterator[str]:
    """No one gets in, and no one is taken for a stranger: there are none in a schedule; a person may be late."""
    for stored in _audits(outcome, Action.MESSAGE_REFUSED):
        if b'"reason":"question-' not in stored.body:
            yield f"a message of ours was refused: {stored.headers['ce-id']}"


def buried_with_an_end(outcome: Outcome) -> Iterator[str]:
    """Nothing is lost: the task of each message that nobody could handle has its end."""
    ends = _ends(outcome)
    for name, stored in outcome.history:
        if name == DEAD.name and stored.headers["ce-id"].split("/")[0] not in ends:
            yield f"{stored.headers['ce-id']} was buried ({stored.headers['mesh-dead-reason']}), its task has no end"


def spent_once(outcome: Outcome) -> Iterator[str]:
    """Nothing is lost: what the cloud billed is booked, once, and within what was set aside."""
    billed: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(list)
    calls = _calls(outcome)
    for sent in outcome.sent:
        if sent.bill is not None and sent.call_id in calls:
            task, step, attempt = calls[sent.call_id]
            billed[task, f"{step}/{attempt}"].append(sent.bill)
    booked = {
        (stored.subject.rsplit(".", 1)[1], key): entry
        for stored in outcome.server.messages(bucket_stream(Bucket.BUDGETS))
        for key, entry in Spending.model_validate_json(stored.body).entries.items()
    }
    for (task, key), bills in billed.items():
        if len(bills) > 1:
            yield f"{task}/{key}: {len(bills)} calls that may have been answered"
        entry = booked.get((task, key))
        if entry is None or entry.counts < sum(bills):
            yield f"{task}/{key}: {sum(bills)} USD were billed, {entry.counts if entry else 'nothing'} is booked"
    yield from _overbooked(booked, billed, _perhaps_made(outcome))


def _overbooked(
    booked: Mapping[tuple[str, str], Entry],
    billed: Mapping[tuple[str, str], list[Decimal]],
    made: Set[tuple[str, str]],
) -> Iterator[str]:
    for (task, key), entry in booked.items():
        if entry.settled is not None and entry.settled > entry.reserved:
            yield f"{task}/{key}: {entry.settled} USD of {entry.reserved} that were set aside"
        if entry.settled and entry.settled not in (entry.reserved, *billed.get((task, key), ())):
            yield f"{task}/{key}: {entry.settled} USD are booked, which is neither the bill nor what was set aside"
        if entry.settled and (task, key) not in made:
            yield f"{task}/{key}: {entry.settled} USD are booked for a call that was not made"


def audited_egress(outcome: Outcome) -> Iterator[str]:
    """Nothing is hidden: what left was cleared, and in the audit log and beside it before it left."""
    calls = _calls(outcome)
    started = {stored.headers["ce-id"].rsplit("/", 1)[1]: stored for stored in _audits(outcome, Action.EGRESS_STARTED)}
    copies = {stored.headers["ce-id"].rsplit("/", 1)[1]: stored for stored in _of_kind(outcome, "egress.recorded")}
    cleared = {_place_of(stored): stored for stored in _of_kind(outcome, "consult.requested")}
    for sent in outcome.sent:
        for what, found in (("audit event", started), ("copy", copies)):
            if sent.call_id not in found or found[sent.call_id].at > sent.at:
                yield f"call {sent.call_id} left without its {what}"
        request = cleared.get(calls.get(sent.call_id, ("", "", "")))
        if request is None or not _is_cleared(request):
            yield f"call {sent.call_id} left without a clearance"


def nothing_private(outcome: Outcome) -> Iterator[str]:
    """Nothing private leaves: no raw value in a body, in the cloud's account, in the audit log, or in any header."""
    secrets = {secret for errand in outcome.errands for secret in errand.secrets}
    for sent in outcome.sent:
        if any(secret in sent.body for secret in secrets):
            yield f"a private value was sent by {sent.call_id}"
    for name, stored in outcome.history:
        head = f"{stored.subject}{stored.headers}".encode()
        open_to_all = head + stored.body if name in _CLOUDS_OWN else head
        if any(secret in open_to_all for secret in secrets):
            yield f"a private value stands in {name}: {stored.headers.get('ce-id', stored.seq)}"


def told_before(outcome: Outcome) -> Iterator[str]:
    """Nothing is hidden: no effect is seen that the audit log does not know already."""
    known: set[tuple[str, ...]] = set()
    ended: set[str] = set()
    for name, stored in outcome.history:
        if name.startswith(("KV_", BODIES_STREAM)):
            continue
        parts = stored.headers.get("ce-id", "").split("/")
        if name == AUDIT.name:
            known.add((*parts[:2], parts[3], parts[4]))
            if parts[3] in (Action.TASK_ENDED, Action.MESSAGE_BURIED):
                ended.add(parts[0])
        elif name == RESULTS.name:
            if parts[0] not in ended:
                yield f"{stored.subject} has no audit event"
        elif name != DEAD.name and len(parts) > 3:
            wanted = _AUDITED.get(parts[2], ())
            if wanted and not any((*parts[:2], action, parts[3]) in known for action in wanted):
                yield f"{stored.headers['ce-id']} has no audit event"


CHECKS: tuple[Callable[[Outcome], Iterator[str]], ...] = (
    comes_to_rest, one_end, trusted, buried_with_an_end, spent_once, audited_egress, nothing_private, told_before,
)  # fmt: skip


def _ends(outcome: Outcome) -> dict[str, list[Stored]]:
    found: dict[str, list[Stored]] = {}
    for name, stored in outcome.history:
        if name == RESULTS.name:
            found.setdefault(stored.subject.rsplit(".", 1)[1], []).append(stored)
    return found


def _can_be_read(outcome: Outcome, stored: Stored) -> bool:
    """Say whether the body of a message is there, with it or in the object store."""
    name = stored.headers.get(BODY_REFERENCE)
    if name is None:
        return bool(stored.body)
    places = outcome.server.subjects(BODIES_STREAM, body_subject(base64.urlsafe_b64encode(name.encode()).decode()))
    return any(b'"deleted": true' not in outcome.server.newest(BODIES_STREAM, place).body for place in places)


def _of_kind(outcome: Outcome, kind: str) -> Iterator[Stored]:
    wanted = f"hybridmesh.{kind}.v1"
    for name, stored in outcome.history:
        if name != DEAD.name and stored.headers.get("ce-type") == wanted:
            yield stored


def _audits(outcome: Outcome, action: Action) -> Iterator[Stored]:
    for stored in _of_kind(outcome, "audit.recorded"):
        if stored.headers["ce-id"].split("/")[3] == action:
            yield stored


def _calls(outcome: Outcome) -> dict[str, tuple[str, str, str]]:
    """Return task, step and attempt of each call that the audit log knows, by the call's id."""
    found: dict[str, tuple[str, str, str]] = {}
    for stored in _audits(outcome, Action.EGRESS_STARTED):
        task, step, _, _, attempt, call = stored.headers["ce-id"].split("/", 5)
        found[call] = (task, step, attempt)
    return found


def _place_of(stored: Stored) -> tuple[str, str, str]:
    task, step, _, attempt, *_ = stored.headers["ce-id"].split("/")
    return task, step, attempt


def _perhaps_made(outcome: Outcome) -> set[tuple[str, str]]:
    """Return the calls that somebody may have made: noted before it, or refused since nobody knows."""
    prefix = f"$KV.{Bucket.CALLS}."
    found: set[tuple[str, str]] = set()
    for _, stored in outcome.history:
        if stored.subject.startswith(prefix):
            task, step, *_, attempt = stored.subject.removeprefix(prefix).split(".")
            found.add((task, f"{step}/{attempt}"))
    for stored in _of_kind(outcome, "consult.refused"):
        if UNKNOWN_OUTCOME.encode() in stored.body:
            task, step, attempt = _place_of(stored)
            found.add((task, f"{step}/{attempt}"))
    return found


def _is_cleared(request: Stored) -> bool:
    """Say whether the classifier signed this prompt for this step, whatever the time is now."""
    message = ConsultRequested.model_validate_json(request.body)
    clearance = message.clearance
    place = {"task_id": message.task_id, "step_id": message.step_id, "attempt": message.attempt}
    try:
        check_clearance(
            clearance, message.prompt, identities(real=True)[1]["classifier"],
            now=clearance.expires_at - timedelta(seconds=1), **place,  # type: ignore[arg-type]
        )  # fmt: skip
    except UntrustedMessage:
        return False
    return True
