"""Deadlines as people write them: ``90s``, ``5m``, ``1.5h``, ``2d``, or a date and time in ISO 8601."""

import re
from datetime import datetime, timedelta

from hybridmesh.bus.errors import UsageError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")


def parse_deadline(text: str, now: datetime) -> datetime:
    """Return the moment that is meant; a date without a zone is in the zone of ``now``.

    Raises:
        UsageError: the text is not understood.

    """
    try:
        if span := _SPAN.fullmatch(text.strip().lower()):
            return now + timedelta(seconds=float(span[1]) * _UNITS[span[2]])
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise UsageError(
            "the deadline is not understood", remedy="write it as 90s, 5m, 1h, 2d or 2030-01-31T18:00+01:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
