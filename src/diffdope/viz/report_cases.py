"""Which instances a report shows: best, median, worst, and the worst of each object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from diffdope.bop.evaluation import Row
from diffdope.bop.summary import by

_COUNT = 6  # pictures in a line
_MOST_OBJECTS = 60  # of which the worst picture is shown


@dataclass(frozen=True)
class Cases:
    """Rows to show; `missing` have no estimate, so they are in none of the others."""

    worst: tuple[Row, ...]
    median: tuple[Row, ...]
    best: tuple[Row, ...]
    worst_of_objects: tuple[Row, ...]
    missing: tuple[Row, ...]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Cases:
        """Ranks by MSSD, which knows of symmetries; ties in the order of the rows."""
        found = sorted((row for row in rows if row.estimate is not None), key=lambda row: row.errors.mssd)
        middle = max(0, (len(found) - _COUNT) // 2)
        worst = [max(those, key=lambda row: row.errors.mssd) for those in by(found, lambda row: row.obj_id).values()]
        worst.sort(key=lambda row: -row.errors.mssd)
        return cls(
            worst=tuple(found[::-1][:_COUNT]),
            median=tuple(found[middle : middle + _COUNT]),
            best=tuple(found[:_COUNT]),
            worst_of_objects=tuple(worst[:_MOST_OBJECTS]),
            missing=tuple(row for row in rows if row.estimate is None)[:_COUNT],
        )

    @property
    def all(self) -> tuple[Row, ...]:
        """Every row once, in no order that matters."""
        groups = (self.worst, self.median, self.best, self.worst_of_objects, self.missing)
        return tuple({row.key: row for group in groups for row in group}.values())


def described(row: Row, status: str) -> str:
    """The line below a picture."""
    name = f"object {row.obj_id}, {row.key}"
    if row.estimate is None:
        return f"{name}: no estimate"
    e = row.errors
    text = f"{name}: ADD {1e3 * e.add:.1f} mm, ADD-S {1e3 * e.add_s:.1f} mm"
    text += f", {np.degrees(e.rotation):.1f} deg and {1e3 * e.translation:.1f} mm off"
    if row.visib_fract is not None:
        text += f", visible {row.visib_fract:.0%}"
    return text if status in ("", "converged") else f"{text} ({status})"
