"""What a person can do about an error, and the exit code that goes with it."""

import errno
from collections.abc import Mapping
from typing import Final, TypeGuard

from hybridmesh.bus.errors import (
    NO_MESH,
    NOT_ENDED,
    MeshBusy,
    MeshError,
    MeshUnavailable,
    PermanentError,
    SetupError,
    StoreFailed,
    TransientError,
    UntrustedMessage,
    UsageError,
)
from hybridmesh.infra.cli.exit_codes import ExitCode

_PLACE: Final = "name a file where one is expected, a folder where that is, and one that is there or can be made"
_ELSEWHERE: Final = "start one with `hybridmesh up`, or name it with --data or --nats"
_NO_ANSWER: Final = "start a mesh with `hybridmesh up`, or look what is wrong with `hybridmesh doctor`"
_STORE: Final = "make room on the disk of the mesh's server, or raise its limits; its log names what is wrong"
_KEYS: Final = "name that mesh's keys with --keys; new ones count once its server is reloaded, or `up` starts again"
KEPT_OUT: Final = "kept-out"
_BUS: Final[Mapping[str, str]] = {NO_MESH: _ELSEWHERE, StoreFailed.reason: _STORE, KEPT_OUT: _KEYS}
_SYSTEM: Final[Mapping[int, str]] = {
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST), _PLACE),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "allow this user to read and write it, or name another place"),
    errno.EROFS: "name a place that can be written to",
    errno.ENOSPC: "free some space there, or name another place",
    errno.EBADF: "give the command an open stream, such as /dev/null",
    errno.EADDRINUSE: "choose another port, or end the program that has it",
}


def remedy_for(error: MeshError) -> str:
    """Return what to do about an error; never empty."""
    match error:
        case UsageError(remedy=remedy) | SetupError(remedy=remedy) if remedy:
            return remedy
        case MeshBusy():
            return f"try again in {error.retry_after_s:.0f} s, or run more replicas"
        case MeshUnavailable(reason=reason):
            return _BUS.get(reason, _NO_ANSWER)
        case UntrustedMessage():
            return "name the keys folder of that mesh with --keys"
        case TransientError(reason=reason) if reason == NOT_ENDED:
            return "wait with `hybridmesh result TASK --wait`, see how far it is with `explain TASK`, or check its id"
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


def is_of_a_place(error: Exception) -> TypeGuard[OSError]:
    """Say whether the system refused a file, a stream or a port: of these, and not of the bus, people name others."""
    return isinstance(error, OSError) and error.errno is not None and not isinstance(error, ConnectionError)


def problem_of(error: OSError) -> str:
    """Return in a line what the system refused, and where that is known."""
    words = error.strerror or type(error).__name__
    return words if error.filename is None else f"{error.filename}: {words}"


def place_remedy_for(error: OSError) -> str:
    """Return what to do about what the system refused."""
    return _SYSTEM.get(error.errno or 0, "look what is wrong with that file or device, or name another")
