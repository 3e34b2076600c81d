"""What a person can do about an error, and the exit code that goes with it."""

from hybridmesh.bus.errors import (
    MeshBusy,
    MeshError,
    MeshUnavailable,
    PermanentError,
    SetupError,
    TransientError,
    UntrustedMessage,
    UsageError,
)
from hybridmesh.infra.cli.exit_codes import ExitCode

NOT_ENDED = "not-ended"


def remedy_for(error: MeshError) -> str:
    """Return what to do about an error; never empty."""
    match error:
        case UsageError(remedy=remedy) | SetupError(remedy=remedy) if remedy:
            return remedy
        case MeshBusy():
            return f"try again in {error.retry_after_s:.0f} s, or run more replicas"
        case MeshUnavailable():
            return "start a mesh with `hybridmesh up`, or look what is wrong with `hybridmesh doctor`"
        case UntrustedMessage():
            return "name the keys folder of that mesh with --keys"
        case TransientError(reason=reason) if reason == NOT_ENDED:
            return "wait with `hybridmesh result TASK --wait`, or see how far it is with `hybridmesh explain TASK`"
        case _:
            return "try again, or look what is wrong with `hybridmesh doctor`"


def exit_code_of(error: MeshError) -> ExitCode:
    """Return the exit code of an error."""
    match error:
        case UsageError():
            return ExitCode.USAGE
        case SetupError():
            return ExitCode.SETUP
        case TransientError() | MeshBusy():
            return ExitCode.UNAVAILABLE
        case PermanentError():
            return ExitCode.TASK_FAILED
        case _:
            return ExitCode.BUG
