"""Turns of an instance that explain what it only excuses: pixels of which it says that something else hides it.

A pose is compared where it is drawn and not hidden. Of a part whose plate is seen, the wall that stands on it lies
nearer than the plate: turned over, with the wall behind it, the plate fits as well, and what is measured of the wall
counts as something that hides it. So a pose and its turns are compared where either explains what was measured: what
one of them explains and the other excuses, or does not reach, counts for that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose, between
from diffdope.pipelines.attempt import Attempt, tracking_presets
from diffdope.pipelines.locating.box_verification import with_answers
from diffdope.pipelines.locating.seen_instances import is_sure
from diffdope.pipelines.lowered_confidence import with_lower_confidence
from diffdope.pipelines.searcher import MeshSearcher
from diffdope.pipelines.settings import Preset
from diffdope.problem.failure import Status
from diffdope.problem.region import projected_box
from diffdope.scene.observation import Observation
from diffdope.search.alternatives.compared_turns import turned_poses
from diffdope.search.alternatives.symmetric_alternatives import INDEPENDENT
from diffdope.search.drawn import depth_of_others, drawing_of
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.box_masks import Guess, mask_of
from diffdope.search.selection import SAME, SAME_RAD

Mask = NDArray[np.bool_]
F32 = NDArray[np.float32]

_FITS, _FITS_ROUGHLY = 0.02, 0.05
"""Shares of the diameter within which a refined pose explains depth, and one that has made no steps: walls of a part
are thicker, and right poses are as near."""
_MIXED = 0.01  # share of pixels that a right pose leaves unexplained: at borders, depth is a mixture of two surfaces
_REFINED = 3  # turns, of those that explain most beside the pose
_BINS = 50  # of distances along the view, over the diameter


class _Lacking(NamedTuple):
    """Shares of what either of two poses has to explain that each does not."""

    here: float
    other: float

    @property
    def log_odds(self) -> float:
        """Of the other against this one: n independent errors of a share have the likelihood share^-n."""
        return float(INDEPENDENT * np.log((self.here + _MIXED) / (self.other + _MIXED)))


class PixelsExplained(NamedTuple):
    """Pixels (H, W) that a pose explains, and those at which one would see through it."""

    fits: Mask
    through: Mask

    def against(self, other: PixelsExplained) -> _Lacking:
        """Shares of what either explains, or draws before what is measured, that each does not explain."""
        either = max(int(np.count_nonzero(self.fits | other.fits | self.through | other.through)), 1)
        here = np.count_nonzero((other.fits & ~self.fits) | self.through)
        there = np.count_nonzero((self.fits & ~other.fits) | other.through)
        return _Lacking(here / either, there / either)


class ExplainedDepth:
    """What poses of an object explain of a depth image.

    Args:
        meshes: the object, about its own middle.
        observation: with depth.
        taken: pixels (H, W) of other instances, and of planes that are larger than the object.
    """

    def __init__(self, meshes: MeshLevels, observation: Observation, taken: Mask) -> None:
        self._meshes, self._camera = meshes, observation.camera
        assert observation.depth is not None
        self._depth = np.where(taken, np.float32(0.0), observation.depth)

    def by(self, pose: Pose, share: float) -> PixelsExplained:
        """What a pose explains, to some share of the diameter."""
        drawn, near_m = self._drawn(pose), share * self._meshes.length_m
        there, behind_m = (drawn > 0.0) & (self._depth > 0.0), self._depth - drawn
        return PixelsExplained(there & (np.abs(behind_m) < near_m), there & (behind_m > near_m))

    def along_the_view(self, pose: Pose) -> Pose:
        """A pose, moved along its ray to where most of what it draws is as far away as what was measured."""
        drawn, length_m = self._drawn(pose), self._meshes.length_m
        there = (drawn > 0.0) & (self._depth > 0.0)
        count, ends = np.histogram((self._depth - drawn)[there], _BINS, (-0.5 * length_m, 0.5 * length_m))
        if not count.any():
            return pose
        best = int(np.argmax(count))
        return Pose(pose.R_m2c, pose.t_m2c * (1.0 + 0.5 * (ends[best] + ends[best + 1]) / pose.t_m2c[2]))

    def _drawn(self, pose: Pose) -> F32:
        """Depth (H, W) metres of the object as drawn, 0 where it is not."""
        drawn = depth_of_others([drawing_of(self._meshes, pose, self._camera)], -1, self._camera)
        return np.zeros_like(self._depth) if drawn is None else drawn


def explaining(
    found: Attempt, searcher: MeshSearcher, preset: Preset, observation: Observation, taken: Mask, *,
    anew: Callable[[Guess], Attempt], asked: tuple[Pose, ...] = (),
) -> Attempt:  # fmt: skip
    """The same, or what is found from a turn of it, or another answer, that explains more; unsure if that is not sure.

    What is not sure takes no pixels, and stays what it is.

    Args:
        found: an instance, in the object's own frame.
        searcher: of the object.
        preset: of the search.
        observation: with depth, without a mask.
        taken: pixels (H, W) of other instances, and of planes that are larger than the object.
        anew: locates in the mask that a pose draws.
        asked: other poses that are asked as well.
    """
    result, meshes, settings = found.result, searcher.meshes, preset.resolved_search
    if preset.solver != "newton" or not result.answers or not is_sure(result):
        return found
    depth = ExplainedDepth(meshes, observation, taken)
    best = _best(result.pose, [*(one.pose for one in result.answers[1:]), *asked], depth, searcher, preset, observation)
    if best is None:
        return found
    pose, odds = best
    box = projected_box(meshes.corners_m, pose, observation.camera)
    mask = None if isinstance(box, Status) else mask_of(meshes, observation, pose, box, settings)
    if mask is not None:
        again = anew(Guess(mask, (pose,)))
        other = again.result
        if is_sure(other) and depth.by(result.pose, _FITS).against(depth.by(other.pose, _FITS)).log_odds > 0.0:
            return again
    some = 1.0 - (result.none_of_these or 0.0)
    here = result.answers[0].probability / max(some, 1e-12) / (1.0 + float(np.exp(odds)))
    lowered = with_lower_confidence(result, here * some, settings)
    return found._replace(result=with_answers(lowered, [(pose, some * (1.0 - here))], meshes, settings))


def _best(
    here: Pose, asked: list[Pose], depth: ExplainedDepth, searcher: MeshSearcher, preset: Preset,
    observation: Observation,
) -> tuple[Pose, float] | None:  # fmt: skip
    """The pose, of these and turns of one, that explains most beside that one, with its log odds; None for none."""
    meshes, near = searcher.meshes, tracking_presets(preset)[0]
    starts: list[tuple[float, Pose]] = []
    roughly, closely = depth.by(here, _FITS_ROUGHLY), depth.by(here, _FITS)
    for start in [*asked, *_turns(here, meshes, depth)]:
        if _same(here, start, meshes):
            continue
        more = roughly.against(depth.by(start, _FITS_ROUGHLY))
        if more.here > _MIXED:  # what it explains beside
            starts.append((more.log_odds, start))
    best: tuple[Pose, float] | None = None
    for _, start in sorted(starts, key=lambda one: -one[0])[:_REFINED]:
        other = searcher.attempt(near, observation, start).result
        if not other.modalities or _same(here, other.pose, meshes):
            continue
        odds = closely.against(depth.by(other.pose, _FITS)).log_odds
        if odds > (0.0 if best is None else best[1]):
            best = other.pose, odds
    return best


def _turns(here: Pose, meshes: MeshLevels, depth: ExplainedDepth) -> Iterator[Pose]:
    """Turns of a pose, as they are, and where the surface that is seen is as far away as it was."""
    for turned in turned_poses(here, meshes):
        yield turned
        yield depth.along_the_view(turned)


def _same(one: Pose, other: Pose, meshes: MeshLevels) -> bool:
    near = one.angle_to(other) < SAME_RAD and one.distance_to(other) < SAME * meshes.length_m
    return near or meshes.alikeness.unnoticed(*between(one, other))
