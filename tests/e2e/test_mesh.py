"""The promises, on a whole mesh of real processes: a task's way from its submission to its end, seen from outside."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from nats.aio.msg import Msg

from cloud_double import CloudDouble
from harness import eventually
from hybridmesh.bus.client import Mesh
from hybridmesh.bus.errors import UsageError
from hybridmesh.bus.topology import AUDIT, CHECKPOINTS, DEAD, EGRESS, ROOT, Ask, dead_subject, streams, subject_for
from hybridmesh.infra.audit_log import verify_log
from hybridmesh.schemas.audits import Action, AuditEvent
from hybridmesh.schemas.egress import EgressRecorded
from hybridmesh.schemas.memory import Kind, SearchAnswer, SearchRequest
from hybridmesh.schemas.message import new_task_id
from hybridmesh.schemas.routing import Lane
from hybridmesh.schemas.tasks import TaskCompleted, TaskFailed, TaskSubmitted
from mesh_process import MeshProcess

pytestmark = [pytest.mark.e2e, pytest.mark.model, pytest.mark.timeout(180)]
