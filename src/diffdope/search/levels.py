"""Levels: a search from coarse to fine, as records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from diffdope.checked_fields import checked_fields
from diffdope.errors import MOST, check_count, expected
from diffdope.solve.gradient_descent import check_iterates
from diffdope.terms.contour import LARGEST_CROP

_BOUNDS = (
    ("size", 8, LARGEST_CROP),
    ("hypotheses", 1, MOST),
    ("iterations", 1, MOST),
    ("faces", 0, MOST),
)


@dataclass(frozen=True)
@checked_fields()
class Level:
    """One level of a search.

    Attributes:
        size: longest side of the crop, pixels.
        hypotheses: how many poses take part: the proposals at the first level, at the others the best of the level
            before.
        iterations: steps at most.
        faces: triangles of the mesh, 0 for all of them.
    """

    size: int
    hypotheses: int = 1
    iterations: int = 5
    faces: int = 0

    def __post_init__(self) -> None:
        """Refuses levels in which nothing happens."""
        for name, least, most in _BOUNDS:
            check_count(name, getattr(self, name), least=least, most=most)


LISTS = {"sizes": "size", "hypotheses": "hypotheses", "iterations": "iterations", "faces": "faces"}
"""Lists with one number a level, as flags and settings files have them, and the field of `Level` that each fills."""


def _levels(lists: Mapping[str, Sequence[int]]) -> tuple[Level, ...]:
    """Levels of one number in each list."""
    if len({len(one) for one in lists.values()}) != 1 or not all(lists.values()):
        got = ", ".join(f"{len(one)} {name}" for name, one in lists.items())
        raise expected(", ".join(lists), "one number a level in each", got)
    rows = zip(*lists.values(), strict=True)
    return tuple(Level(**dict(zip((LISTS[name] for name in lists), row, strict=True))) for row in rows)


@dataclass(frozen=True)
@checked_fields()
class PyramidSettings:
    """A search around a pose, coarsest level first.

    Attributes:
        levels: see `Level`.
        angle_deg: how uncertain the start is: hypotheses turn it by up to this angle.
        distance: and move it by up to this share of the object's diameter.
        first: how many hypotheses begin at the first level: where these end in one place, the others are left out. 0
            for all at once.

    Raises:
        DiffDopeError: if there is no level, or a number is out of range.
    """

    levels: tuple[Level, ...] = (Level(40, 8, 8, 500), Level(80, 3, 5, 2000), Level(160, 1, 3, 0))
    angle_deg: float = 12.0
    distance: float = 0.06
    first: int = 0

    def __post_init__(self) -> None:
        """Refuses searches without levels or with radii that are none."""
        if not self.levels:
            raise expected("levels", "at least one", "none")
        check_iterates(max(self.hypotheses), sum(self.iterations))
        check_count("first", self.first, least=0, most=MOST)
        if not 0.0 <= self.angle_deg <= 180.0:
            raise expected("angle_deg", "0 to 180 degrees", self.angle_deg)
        if not 0.0 <= self.distance <= 10.0:
            raise expected("distance", "a share of the diameter from 0 to 10", self.distance)

    @classmethod
    def of(
        cls, *, sizes: Sequence[int], hypotheses: Sequence[int], iterations: Sequence[int], faces: Sequence[int],
        angle_deg: float, distance: float, first: int = 0,
    ) -> PyramidSettings:  # fmt: skip
        """From one number a level in each list, as settings files and flags have them.

        Raises:
            DiffDopeError: if the lists differ in length or are empty, or for what the constructor refuses.
        """
        lists = {"sizes": sizes, "hypotheses": hypotheses, "iterations": iterations, "faces": faces}
        return cls(_levels(lists), angle_deg, distance, first)

    def with_lists(self, **lists: Sequence[int]) -> PyramidSettings:
        """With other numbers, one a level in each list; lists that are not given keep their numbers.

        Args:
            lists: any of sizes, hypotheses, iterations, faces. A search of more or fewer levels needs all of them.

        Raises:
            DiffDopeError: as `of`.
        """
        kept = {name: getattr(self, name) for name in LISTS}
        return replace(self, levels=_levels(kept | lists))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Of all levels."""
        return tuple(level.size for level in self.levels)

    @property
    def hypotheses(self) -> tuple[int, ...]:
        """Of all levels."""
        return tuple(level.hypotheses for level in self.levels)

    @property
    def iterations(self) -> tuple[int, ...]:
        """Of all levels."""
        return tuple(level.iterations for level in self.levels)

    @property
    def faces(self) -> tuple[int, ...]:
        """Of all levels."""
        return tuple(level.faces for level in self.levels)

    def at_first(self, count: int) -> int:
        """How many of so many hypotheses begin at the first level; a single level is the last, which needs them all."""
        return count if len(self.levels) == 1 else min(self.first, count) or count

    @property
    def anywhere(self) -> bool:
        """Whether nothing is known of the start: any turn is as good as any other."""
        return self.angle_deg >= 180.0

    def of_more(self, factor: int) -> PyramidSettings:
        """With so many times as many hypotheses at every level."""
        levels = (replace(level, hypotheses=factor * level.hypotheses) for level in self.levels)
        return replace(self, levels=tuple(levels))

    def of_fewer(self, divisor: int) -> PyramidSettings:
        """With so many times fewer hypotheses at every level, but two at least where there were."""
        levels = (
            replace(level, hypotheses=max(level.hypotheses // divisor, min(level.hypotheses, 2)))
            for level in self.levels
        )
        return replace(self, levels=tuple(levels))

    def of_level(self, number: int) -> PyramidSettings:
        """One level alone."""
        return replace(self, levels=(self.levels[number],))

    @property
    def but_the_last(self) -> PyramidSettings:
        """The levels before the last, of which there are some."""
        return _but_the_last(self)

    def at_last_of(self, size: int) -> PyramidSettings:
        """With a last level whose crop is at least so large, pixels."""
        last = self.levels[-1]
        return self if size <= last.size else replace(self, levels=(*self.levels[:-1], replace(last, size=size)))

    def in_full_detail(self) -> PyramidSettings:
        """With all triangles at every level."""
        return replace(self, levels=tuple(replace(level, faces=0) for level in self.levels))

    def of_one_pose(self, first: int) -> PyramidSettings:
        """The levels from number `first` on, or the last, from a single pose: for one that is known better."""
        return _of_one_pose(self, min(first, len(self.levels) - 1))


@lru_cache(maxsize=64)  # a film asks for the same of every frame
def _of_one_pose(pyramid: PyramidSettings, first: int) -> PyramidSettings:
    return replace(pyramid, levels=tuple(replace(level, hypotheses=1) for level in pyramid.levels[first:]))


@lru_cache(maxsize=64)
def _but_the_last(pyramid: PyramidSettings) -> PyramidSettings:
    return replace(pyramid, levels=pyramid.levels[:-1])


NEAR = PyramidSettings(first=3)
FAR = PyramidSettings(
    (Level(24, 96, 8, 500), Level(40, 32, 8, 500), Level(80, 8, 8, 2000), Level(160, 3, 6, 0)),
    angle_deg=45.0, distance=0.25,
)  # fmt: skip
EVERYWHERE = PyramidSettings(
    (Level(24, 48, 8, 500), Level(40, 16, 8, 500), Level(80, 4, 8, 2000)), angle_deg=180.0, distance=1.0
)
IN_BOX = PyramidSettings(
    (Level(24, 144, 8, 500), Level(48, 32, 8, 500), Level(80, 8, 8, 2000)), angle_deg=180.0, distance=1.0
)
