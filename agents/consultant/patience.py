"""How long to wait before a cloud is asked again, and when to stop asking; pure.

The number of tries is not known to a handler and would differ between replicas, so the pause is derived from the
time since the prompt was cleared: it grows with it, which bounds the number of tries (see ``next_pause_s``).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

_FIRST_PAUSE_S = 2.0
_GROWTH = 3.0


def next_pause_s(elapsed_s: float, asked_s: float | None, patience_s: float) -> float | None:
    """Return the seconds to wait, or None when the next try would come after ``patience_s``.

    ``elapsed_s`` counts from the clearance, ``asked_s`` is what the provider asked for and only lengthens the
    pause. Each try comes at four times the elapsed time of the one before, so that with a patience of 60 s there
    are at most four (at about 0, 2, 8 and 32 s): fewer than the work loop allows a message.
    """
    elapsed_s = max(0.0, elapsed_s)
    pause = max(_FIRST_PAUSE_S, _GROWTH * elapsed_s, asked_s or 0.0)
    return None if elapsed_s + pause > patience_s else pause


def asked_wait_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return what the answer's ``retry-after-ms`` or ``retry-after`` (seconds or an HTTP date, RFC 9110) asks for.

    None when there is none, or none that can be read. ``headers`` has lower-case names, ``now`` is aware.
    """
    milliseconds = _seconds(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    asked = headers.get("retry-after")
    return _seconds(asked) if _seconds(asked) is not None else _until(asked, now)


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < timedelta.max.total_seconds() else None


def _until(text: str | None, now: datetime) -> float | None:
    try:
        due = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    return None if due.tzinfo is None else max(0.0, (due - now).total_seconds())
