"""The list of everything that travels, and its JSON Schemas (Draft 2020-12) as they stand in ``schemas/json``.

A contract name is the wire name with its major version: ``step.ready.v1`` for a message,
``memory.search.request.v1`` and ``memory.search.reply.v1`` for the two sides of a request.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from hybridmesh.schemas.approvals import ApprovalGiven, ApprovalRequested
from hybridmesh.schemas.audits import AuditEvent, Checkpoint
from hybridmesh.schemas.consults import ConsultAdvised, ConsultProposed, ConsultRefused, ConsultRequested
from hybridmesh.schemas.egress import EgressRecorded
from hybridmesh.schemas.feedback import FeedbackGiven
from hybridmesh.schemas.inference import Completion, CompletionRequest
from hybridmesh.schemas.memory import (
    Forget,
    ForgetReceipt,
    Hits,
    Lookup,
    Rank,
    Ranking,
    Remember,
    Remembered,
    Search,
)
from hybridmesh.schemas.message import Message
from hybridmesh.schemas.steps import (
    StepClassified,
    StepDrafted,
    StepFailed,
    StepLocal,
    StepReady,
    StepRejected,
    StepVerified,
)
from hybridmesh.schemas.tasks import CancelTask, TaskCompleted, TaskExpiring, TaskFailed, TaskSubmitted

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class Exchange:
    """The two bodies of a request; ``major`` counts as a message's does."""

    request: type[BaseModel]
    reply: type[BaseModel]
    major: int = 1


MESSAGES: tuple[type[Message], ...] = (
    ApprovalGiven,
    ApprovalRequested,
    AuditEvent,
    CancelTask,
    Checkpoint,
    ConsultAdvised,
    ConsultProposed,
    ConsultRefused,
    ConsultRequested,
    EgressRecorded,
    FeedbackGiven,
    StepClassified,
    StepDrafted,
    StepFailed,
    StepLocal,
    StepReady,
    StepRejected,
    StepVerified,
    TaskCompleted,
    TaskExpiring,
    TaskFailed,
    TaskSubmitted,
)

EXCHANGES: Mapping[str, Exchange] = MappingProxyType(
    {
        "memory.forget": Exchange(Forget, ForgetReceipt),
        "memory.lookup": Exchange(Lookup, Hits),
        "memory.rank": Exchange(Rank, Ranking),
        "memory.remember": Exchange(Remember, Remembered),
        "memory.search": Exchange(Search, Hits),
        "model.complete": Exchange(CompletionRequest, Completion),
    }
)


def contract() -> dict[str, type[BaseModel]]:
    """Return the model of every body that travels, by contract name, sorted."""
    models: dict[str, type[BaseModel]] = {f"{kind.NAME}.v{kind.MAJOR}": kind for kind in MESSAGES}
    for name, exchange in EXCHANGES.items():
        models[f"{name}.request.v{exchange.major}"] = exchange.request
        models[f"{name}.reply.v{exchange.major}"] = exchange.reply
    return dict(sorted(models.items()))


def schema_id(name: str) -> str:
    """Return the ``$id`` of a contract name: ``urn:hybridmesh:step.ready:v1``."""
    wire_name, _, major = name.rpartition(".")
    return f"urn:hybridmesh:{wire_name}:{major}"


def schema_of(name: str) -> dict[str, Any]:
    """Return the JSON Schema of a contract name: what a reader accepts; raises KeyError."""
    schema = contract()[name].model_json_schema(mode="validation")
    return {"$schema": DIALECT, "$id": schema_id(name), **schema}


def schema_files() -> dict[str, str]:
    """Return what ``schemas/json`` must hold: file name to text, the same bytes at each call."""
    return {
        f"{name}.json": json.dumps(schema_of(name), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        for name in contract()
    }
