"""The unknowns: poses, each free or held."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import check_positive, expected

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@dataclass(frozen=True)
class Variable:
    """One SE(3) unknown: an object's pose, a camera's, a robot's base.

    Attributes:
        name: for messages.
        length_m: how far a turn by one radian moves what hangs on the pose, metres: half an object's diameter, a
            camera's distance. It makes metres and radians compare, in steps and curvatures.
        free: whether it is looked for; if not, it stays as it is.
    """

    name: str
    length_m: float
    free: bool = True

    def __post_init__(self) -> None:
        """Refuses lengths that are none."""
        check_positive(f"length_m of {self.name}", self.length_m)


@dataclass(frozen=True)
class Variables:
    """P poses, of which those that are free have D = 6 numbers each, (rho [m], phi [rad]), together.

    Raises:
        DiffDopeError: if there is none, none is free, or two have one name.
    """

    members: tuple[Variable, ...]

    def __post_init__(self) -> None:
        """Refuses problems without unknowns."""
        names = [one.name for one in self.members]
        if len(set(names)) != len(names):
            raise expected("variables", "each name once", ", ".join(names))
        if not any(one.free for one in self.members):
            raise expected("variables", "at least one that is free", ", ".join(names) or "none")

    @classmethod
    def one_object(cls, length_m: float) -> Variables:
        """The pose of one object."""
        return _one_object(length_m)

    def __len__(self) -> int:
        return len(self.members)

    @cached_property
    def size(self) -> int:
        """D."""
        return 6 * sum(one.free for one in self.members)

    @cached_property
    def column(self) -> I64:
        """(P,) where the numbers of a pose begin among the unknowns, -1 for one that is held."""
        free = np.array([one.free for one in self.members])
        return np.where(free, 6 * (np.cumsum(free) - 1), -1).astype(np.int64)

    @cached_property
    def unit(self) -> F64:
        """(D,) by which the unknowns are divided to compare: (rho / length, phi)."""
        each = [[one.length_m] * 3 + [1.0] * 3 for one in self.members if one.free]
        return np.array(each, np.float64).ravel()

    def index(self, name: str) -> int:
        """Number of a pose by its name.

        Raises:
            DiffDopeError: if there is none.
        """
        names = [one.name for one in self.members]
        if name not in names:
            raise expected("variables", f"one of {', '.join(names)}", name)
        return names.index(name)


@lru_cache(maxsize=64)  # a search asks for the same again and again
def _one_object(length_m: float) -> Variables:
    return Variables((Variable("object", length_m),))
