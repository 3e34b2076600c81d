"""What it means that a stream took no message: its queue is full, or the server's store takes nothing from anybody."""

from nats.js.errors import APIError

from hybridmesh.bus.errors import MeshUnavailable, StoreFailed

_NOT_TAKEN = 10077  # whatever kept the store of a stream from it; only the words tell a full queue from a broken disk
_FULL = "maximum "  # messages of the stream, or of a subject, or bytes
# Or the limit of the account or of the server is reached: what is asked may be right later.
_NO_ROOM = frozenset({10002, 10023, 10028, 10047, _NOT_TAKEN})
_AGAIN_S = 5.0


def is_full(error: Exception) -> bool:
    """Say whether a stream has as many messages as it may: its own limit, which others do not have."""
    return _code(error) == _NOT_TAKEN and (getattr(error, "description", None) or "").startswith(_FULL)


def has_no_room(error: Exception) -> bool:
    """Say whether the server answers that its store takes nothing now."""
    return _code(error) in _NO_ROOM


def unavailable(what: str, error: Exception) -> MeshUnavailable:
    """Return the error for ``what`` the bus did not do."""
    if has_no_room(error):
        return StoreFailed(f"the server's store takes nothing: error {_code(error)}", retry_after_s=_AGAIN_S)
    return MeshUnavailable(f"{what}: {type(error).__name__ if _code(error) is None else f'error {_code(error)}'}")


def _code(error: Exception) -> int | None:
    return error.err_code if isinstance(error, APIError) else None
