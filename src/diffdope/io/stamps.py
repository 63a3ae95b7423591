"""Times of messages as names of pictures and rows."""

from __future__ import annotations

import re
from typing import Any

# Seconds since 1970, with decimals or nanoseconds; or, of a simulation, seconds with nine decimals.
_STAMP = re.compile(r"(?:.*\D)?(?:(\d{10})(?:[._](\d{1,9})|(\d{9}))|(\d{1,999})\.(\d{9}))")


def stamp_name(time_ns: int) -> str:
    """The name of a row, or a picture, of a time in nanoseconds: seconds with nine decimals."""
    return f"{time_ns // 10**9}.{time_ns % 10**9:09d}"


def stamp_ns(name: str) -> int | None:
    """The time since 1970 that a name tells, nanoseconds; None if it tells none."""
    found = _STAMP.fullmatch(name)
    if found is None:
        return None
    whole, part = found[1] or found[4], found[2] or found[3] or found[5] or ""
    return int(whole) * 10**9 + int(part.ljust(9, "0"))


def stamp_of_message(message: Any) -> str | None:
    """The time of a message of ROS, as JSON or YAML holds it, as a name; None where it has none, or 0."""
    header = message.get("header") if isinstance(message, dict) else None
    stamp = header.get("stamp") if isinstance(header, dict) else None
    if not isinstance(stamp, dict):
        return None
    sec, nanosec = stamp.get("sec", stamp.get("secs")), stamp.get("nanosec", stamp.get("nsecs"))
    if not (isinstance(sec, int) and isinstance(nanosec, int) and sec >= 0 and 0 <= nanosec < 10**9 and sec + nanosec):
        return None
    return stamp_name(sec * 10**9 + nanosec)
