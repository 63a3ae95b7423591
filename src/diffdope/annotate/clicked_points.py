"""Points that were clicked on the model, and on the photograph."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


@dataclass
class ClickedPoints:
    """Points of the model (N, 3), metres, with the pixels that show them; the last may still wait for its pixel."""

    points_m: list[F64] = field(default_factory=list)
    pixels: list[tuple[float, float]] = field(default_factory=list)

    @property
    def waiting(self) -> bool:
        """Whether the next click is on the photograph."""
        return len(self.points_m) > len(self.pixels)
