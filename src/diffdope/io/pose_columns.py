"""Columns of a table of poses, by a heading that names them: TUM's and EuRoC's trajectories, and their variants."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"(.*?)_?([wxyz])")
_UNIT = re.compile(r"\[[^\]]*\]|\([^)]*\)")
_COMMENT = "#%/ \t"
_TURN = re.compile(r"q|.*(quat|orient|rot)")
_SHIFT = re.compile(r"|[tp]|[tp]_.*|(pos|trans|loc).*")
_QUATERNIONS = re.compile(r"\bq\w*?_?([wxyz])\b")

ORDER = ("qw", "qx", "qy", "qz", "tx", "ty", "tz")


def words_of(heading: str) -> list[str]:
    """The names in a line, which may be a comment: parted by commas if there are any, else by blanks."""
    text = _UNIT.sub("", heading).strip(_COMMENT)
    words = text.split(",") if "," in text else text.split()
    return [word.strip(_COMMENT) for word in words]


def columns_of(names: Sequence[str]) -> dict[str, int]:
    """Which columns hold a pose, by `ORDER`; none where names do not tell all seven, or tell one twice.

    Args:
        names: of all columns: qw, q_RS_w, quat_w; tx, x, p_RS_R_x, pos_x.
    """
    found: dict[str, int] = {}
    for column, name in enumerate(names):
        match = _WORD.fullmatch(_UNIT.sub("", name).strip(_COMMENT).lower())
        if match is None:
            continue
        kind = "q" if _TURN.match(match[1]) else "t" if _SHIFT.fullmatch(match[1]) else ""
        if not kind or (kind == "t" and match[2] == "w"):
            continue
        key = f"{kind}{match[2]}"
        if key in found:
            return {}
        found[key] = column
    return found if set(found) == set(ORDER) else {}


def begins_with_w(comments: Sequence[str]) -> bool:
    """Whether a comment names a quaternion's parts with w before the others."""
    orders = ["".join(_QUATERNIONS.findall(line.lower())) for line in comments]
    return any(order == "wxyz" for order in orders)
