"""The base of everything that travels: a frozen model with a wire name, a version and a derived identity.

The envelope (CloudEvents attributes, signature) is the bus' concern; a message only knows what it says.
"""

import re
from typing import Annotated, ClassVar
from uuid import UUID

import uuid_utils
from pydantic import BaseModel, ConfigDict, StringConstraints

_TASK_ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

TaskId = Annotated[str, StringConstraints(pattern=f"^{_TASK_ID}$")]
StepId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,40}$")]
_CONVERSATION_ID = "[A-Za-z0-9_-]{1,60}"
ConversationId = Annotated[str, StringConstraints(pattern=f"^{_CONVERSATION_ID}$")]
_TENANT = "[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?"
Tenant = Annotated[str, StringConstraints(pattern=f"^{_TENANT}$")]
DEFAULT_TENANT = "default"


class Frozen(BaseModel):
    """A value inside a message; unknown fields are kept and passed on, inputs never show in errors."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)


class Message(Frozen):
    """A message type of the mesh.

    ``NAME`` is the dotted wire name (``step.ready``), ``MAJOR`` its major version: the CloudEvents type is
    ``hybridmesh.<NAME>.v<MAJOR>``. Within a major only optional fields are added.
    """

    NAME: ClassVar[str]
    MAJOR: ClassVar[int] = 1

    @classmethod
    def event_type(cls) -> str:
        """Return the CloudEvents ``type`` attribute."""
        return f"hybridmesh.{cls.NAME}.v{cls.MAJOR}"

    def identity(self) -> str:
        """Return the derived message id: the same work publishes the same id, so the stream drops repeats."""
        raise NotImplementedError

    def topic(self) -> str:
        """Return the last tokens of the subject: what the message is about. Never user text."""
        raise NotImplementedError

    def topics(self) -> tuple[str, ...]:
        """Return every topic that the message is accepted under: its own, and those of earlier versions."""
        return (self.topic(),)


class TaskMessage(Message):
    """A message about one task."""

    task_id: TaskId

    def identity(self) -> str:
        """Return ``task/stage``."""
        return f"{self.task_id}/{self.NAME}"

    def topic(self) -> str:
        """Return the task id."""
        return self.task_id


class StepMessage(TaskMessage):
    """A message about one step of a task; ``attempt`` counts from 1 and rises with each new try of the step.

    ``LAPSES`` says that it is of no use any more once its task has its end, and is dropped unread.
    """

    LAPSES: ClassVar[bool] = True

    step_id: StepId
    attempt: int = 1

    def identity(self) -> str:
        """Return ``task/step/stage/attempt``."""
        return f"{self.task_id}/{self.step_id}/{self.NAME}/{self.attempt}"


def is_task_id(text: str) -> bool:
    """Say whether a text is a task id as it is written on the bus."""
    return re.fullmatch(_TASK_ID, text) is not None


def is_conversation_id(text: str) -> bool:
    """Say whether a text may name a conversation."""
    return re.fullmatch(_CONVERSATION_ID, text) is not None


def is_tenant(text: str) -> bool:
    """Say whether a text may name a tenant: it is a token of subjects, and part of the names of keys."""
    return re.fullmatch(_TENANT, text) is not None


def new_task_id() -> str:
    """Return a fresh UUIDv7: sortable by time, so listings come in order of submission."""
    return str(UUID(bytes=uuid_utils.uuid7().bytes))
