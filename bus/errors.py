"""Every error of the mesh, in one tree; the type decides what the work loop does with a message.

MeshError
├── PermanentError            dead letter at once, then term
│   ├── InvalidMessage        undecodable body, unknown type, wrong schema
│   │   └── UnsupportedVersion  a major version from the future
│   ├── UntrustedMessage      bad signature, or a producer the topology does not name
│   │   └── ExpiredMessage    signed long before it came
│   └── Unanswerable          the work itself cannot be done (bad plan, missing slot)
├── TransientError            delayed retry with growing backoff
│   ├── MeshUnavailable       no server, no responder, time-out on the bus
│   │   └── StoreFailed       its store takes nothing: the disk is full or broken
│   ├── ModelUnavailable      no prepared model, or it is overloaded
│   ├── MemoryUnavailable     the store does not answer
│   └── CloudUnavailable      429, 5xx, time-outs, cut streams
├── Deferred                  not an error: look again after ``delay_s``
├── MeshBusy                  a full queue refused a submission
├── UsageError                bad input of a person, with its remedy
└── SetupError                something is missing on this machine, with its remedy
"""

NOT_ENDED = "not-ended"
"""The reason of the error that says that a task has no end yet."""
NO_MESH = "no-mesh"
"""The reason of the error that says that no mesh runs on a data folder."""
BURIED = "buried:"
"""What the reason of an end begins with that came of a message which nobody could handle."""


class MeshError(Exception):
    """The root. ``reason`` is a short code for logs, audit events and dead letters; it never holds user text."""

    reason = "error"

    def __init__(self, message: str = "", *, reason: str | None = None) -> None:
        super().__init__(message or reason or self.reason)
        if reason is not None:
            self.reason = reason


class PermanentError(MeshError):
    """Trying again cannot help."""

    reason = "permanent"


class InvalidMessage(PermanentError):
    """The message cannot be read."""

    reason = "invalid-message"


class UnsupportedVersion(InvalidMessage):
    """The message's major version is newer than this program."""

    reason = "unsupported-version"


class UntrustedMessage(PermanentError):
    """The message's producer is unknown, not allowed here, or its signature does not hold."""

    reason = "untrusted-message"


class ExpiredMessage(UntrustedMessage):
    """The message's signature is older than any that comes in of itself."""

    reason = "expired-message"


class Unanswerable(PermanentError):
    """The work cannot be done as asked."""

    reason = "unanswerable"


class BodyMissing(PermanentError):
    """A message's body is not in the object store: forgotten with its task, or lost."""

    reason = "body-missing"


class TransientError(MeshError):
    """Worth another try after a pause; ``retry_after_s`` overrides the work loop's own backoff."""

    reason = "transient"

    def __init__(self, message: str = "", *, reason: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, reason=reason)
        self.retry_after_s = retry_after_s


class MeshUnavailable(TransientError):
    """The bus does not answer."""

    reason = "mesh-unavailable"


class StoreFailed(MeshUnavailable):
    """The bus answers that its store takes nothing now; what was to be stored waits, and is no failed try."""

    reason = "store-failed"


class ModelUnavailable(TransientError):
    """The local model is missing, not loaded yet, or overloaded."""

    reason = "model-unavailable"


class MemoryUnavailable(TransientError):
    """The private memory does not answer."""

    reason = "memory-unavailable"


class CloudUnavailable(TransientError):
    """The cloud model could not be asked, or its answer did not arrive whole.

    ``uncertain``: the question may have been read, answered and billed all the same.
    """

    reason = "cloud-unavailable"

    def __init__(
        self,
        message: str = "",
        *,
        reason: str | None = None,
        retry_after_s: float | None = None,
        uncertain: bool = False,
    ) -> None:
        super().__init__(message, reason=reason, retry_after_s=retry_after_s)
        self.uncertain = uncertain


class Deferred(MeshError):
    """Hand the message back and look again after ``delay_s`` seconds; never counted as a failed try."""

    reason = "deferred"

    def __init__(self, delay_s: float) -> None:
        super().__init__("deferred")
        self.delay_s = delay_s


class MeshBusy(MeshError):
    """A full queue refused the submission; nothing was lost, try again after ``retry_after_s``."""

    reason = "busy"

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UsageError(MeshError):
    """Bad input of a person; ``remedy`` says what to do instead."""

    reason = "usage"

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class SetupError(MeshError):
    """Something on this machine is missing or wrong; ``remedy`` says how to mend it."""

    reason = "setup"

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy
