"""A mask beside depth says where to look, and its border counts as far as the other images bear it out.

What shifts one point of a mask's border shifts its neighbours. A border has few errors that are independent, and its
residuals do not show them, for an outline follows a mask that is off as a whole. So where depth is compared, the mask
leads the search, which then ends twice, with the mask and without it. Three things tell whether the border is where the
object ends: whether it has the shape of the object's outline, whether the pose to which it led is one that the other
images allow, as surely as they know it, and at which of both outlines the photograph has its edges, or depth its steps
where there is none. If the border is not borne out, the others say where the object is, and the mask only what they
leave open, to the pixels by which masks of networks are off.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.robust_gauss_newton import RobustEstimate
from diffdope.geometry.pose import Pose, difference
from diffdope.note_codes import Note, NoteCode
from diffdope.problem.failure import Failure
from diffdope.problem.level_problem import LevelProblem
from diffdope.problem.responsibility import border_error
from diffdope.scene.observation import Observation
from diffdope.search.candidates import Candidates, Hypotheses
from diffdope.search.checks.depth_steps import stepped
from diffdope.search.descent import Descent
from diffdope.search.last_steps import LastSteps
from diffdope.search.levels import PyramidSettings
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.settings import SearchSettings
from diffdope.terms.base import Rendering
from diffdope.terms.contour import ContourCorrespondences, ContourSettings
from diffdope.terms.quadratic_factor import QuadraticFactor

F64 = NDArray[np.float64]

SHIFTED = Note(NoteCode.MASK_SHIFTED, "depth does not agree with the place of the mask, and was followed")
_AHEAD, _STEEP = 0.4, -1.3
"""Log odds that the border is where the object ends: a constant, and of the logarithm of the deviations between both
poses times the border's distance from the outline. Fitted to which pose is nearer the truth, weighted by how much, of
414 results (HOPE, YCB-Video, `parts`, `sim`, drawn scenes with depth of two kinds) with masks that are exact, shifted,
wide, narrow, have a hole or are a network's; of slopes and constants that are about as good, those that make most poses
no worse than without a mask."""
_DEVIATIONS, _PIXELS = 0.3, 0.1  # added before logarithms are taken: what is less is as good
_REACH_PX = 4.0  # to both sides of an outline, where edges are looked for
_EDGES = 0.5  # of their log likelihood ratio: much of both outlines lies on the same edges
CLEARLY = 0.75
"""Log odds from which on less than a whole descent with all pixels will do: with these they stay above 0."""
_SURELY = 2.0  # log odds from which on edges are not asked: both poses are nearly the same
_SAME_PX = 0.25  # of the last crop, by which the surface moves in a descent without a mask that was right
_LEAST, _SINGULAR = 1e-9, 1e-9  # metres and radians that a deviation is at least; share of a variance


def may_be_region(observation: Observation, search: SearchSettings) -> bool:
    """Whether a mask stands beside depth, and masks may be off as a whole."""
    beside = {"depth", "mask"} <= set(observation.modalities)
    return beside and search.noise.mask_shift_px > 0.0 and search.polish.steps > 0


class PlacedCandidates(NamedTuple):
    """A pose beside a mask or without it, and what is known of it after the last steps."""

    found: Candidates
    estimate: RobustEstimate


def beside_mask(
    found: Candidates, descent: Descent, again: PyramidSettings, steps: LastSteps, *, shifted: bool = False
) -> PlacedCandidates | None:
    """The same, or what the other images find where the mask led, if they do not bear out its border.

    Either is as unsure as the other may be right. None where no mask is compared beside depth. Where one more step of
    the last ones, without the mask, would surely stay, and depth lies where the mask is, nothing is searched. What the
    others find at the level before the last, a quarter of the pixels, says as much where it clearly bears out the
    border.

    Args:
        found: beside the mask.
        descent: without the mask.
        again: its levels, of one pose.
        steps: the last ones.
        shifted: whether depth may lie beside the mask, for all that a coarse level shows.
    """
    level, length_m = found.level, steps.inputs.meshes.length_m
    if not {"depth", "mask"} <= set(level.modalities):
        return None
    led = steps.estimate(found)
    known = steps.mask(found, led)
    if not shifted:
        foreseen = steps.foreseen_without_mask(found, led, known)
        if foreseen is not None and log_odds(deviations(*foreseen), found.border_px) > _SURELY:
            return kept(found, led, foreseen.step, CLEARLY)  # a search goes farther than a step, and is less sure
    pixel_m = float(led.pose.t_m2c[2]) / level.crop.camera.fx
    # Edges are looked for at the last level, and its own steps change what the last steps find of depth alone.
    whole = descent.levels.held_by_edges or not level.colored or len(again.levels) == 1
    alone = Hypotheses.of(found.pose, found.winner)
    if whole:
        free = descent.run(again, alone, found.pose, judged=False)
    else:
        free = descent.beside(found.rough).run(again.but_the_last, alone, found.pose, judged=False)
    if isinstance(free, Failure) or "depth" not in free.level.modalities:
        return PlacedCandidates(found, led)
    away_m = np.hypot(free.pose.distance_to(found.pose), 0.5 * length_m * free.pose.angle_to(found.pose))
    if away_m < _SAME_PX * pixel_m:
        return PlacedCandidates(found, led)
    border = BorderEvidence(level, led, steps.inputs.meshes, steps.inputs.settings.outline)
    if not whole:
        motion, odds = border.borne_out_by(steps.estimate(_without_mask(free, found, known, steps)))
        if odds > CLEARLY:
            return kept(found, led, motion, odds)
        last = descent.levels.last(free.pose, again.levels[-1])
        if isinstance(last, Failure):
            return PlacedCandidates(found, led)
        # The last steps, which know variances, are all that are taken there.
        free = replace(free, level=last, rough=free.level)
    free = _without_mask(free, found, known, steps)
    freed = steps.estimate(free)
    motion, odds = border.borne_out_by(freed)
    if odds > 0.0:
        return kept(found, led, motion, odds)
    notes = (SHIFTED,) if led.pose.distance_to(freed.pose) > pixel_m else ()
    return kept(replace(free, notes=notes), freed, motion, -odds)


class BorderEvidence:
    """How well poses that are found without a mask bear out the border that led to a pose.

    Args:
        level: the last one, with the mask.
        led: the pose after its last steps.
        meshes: the object, about its own middle.
        outline: of the photograph's edges.
    """

    def __init__(self, level: LevelProblem, led: RobustEstimate, meshes: MeshLevels, outline: ContourSettings) -> None:
        self._led, self._level, self._meshes, self._outline = led, level, meshes, outline
        self._seen = self._drawn(led.pose)
        assert self._level.crop.mask is not None
        weights = self._level.responsibility.silhouette
        self._border_px = border_error(self._seen.coverage, self._level.crop.mask, weights)
        self._contours: ContourCorrespondences | None = None
        self._cost_of_led = 0.0

    def borne_out_by(self, freed: RobustEstimate) -> tuple[F64, float]:
        """The motion (6,) to a pose without the mask, and log odds that the border is where the object ends."""
        motion = difference(self._led.pose, freed.pose)
        odds = log_odds(1.0 if freed.covariance is None else deviations(motion, freed.covariance), self._border_px)
        if odds < _SURELY:
            odds += _EDGES * self._edges_for_led(freed.pose)
        return motion, odds

    def _edges_for_led(self, freed: Pose) -> float:
        """Log likelihood ratio of the photograph's edges if the outline is that of the pose to which the mask led.

        Without a photograph, of depth's steps.
        """
        if self._contours is None:
            crop = self._level.crop
            crop = crop if crop.rgb is not None else stepped(crop, self._led.pose, self._meshes.length_m)
            assert crop.rgb is not None
            self._contours = ContourCorrespondences(crop.rgb, crop.camera, self._outline, 1.0)
            self._cost_of_led = self._cost(self._contours, self._seen, self._led.pose)
        return self._cost(self._contours, self._drawn(freed), freed) - self._cost_of_led

    def _cost(self, contours: ContourCorrespondences, images: Rendering, pose: Pose) -> float:
        """Negative log likelihood of the photograph's edges if the outline is that of a pose."""
        colours = images.rgb if self._level.colored and self._meshes.mesh.has_pattern else None
        factor = contours.factor(images.coverage, images.depth, pose, _REACH_PX, colours)
        return 0.0 if factor is None else contours.likelihoods(factor.constant)

    def _drawn(self, pose: Pose) -> Rendering:
        return Rendering.of(self._level.drawn(self._meshes.buffers(), pose))


def _without_mask(free: Candidates, found: Candidates, known: QuadraticFactor, steps: LastSteps) -> Candidates:
    """A pose that was found without the mask, with what the mask says of it as far as such masks can be trusted."""
    edges = steps.edges(free)
    evidence = (known,) if edges is None else (edges, known)
    return found.doubt_of(replace(free, start=found.start, evidence=evidence))


def kept(found: Candidates, estimate: RobustEstimate, motion: F64, odds: float) -> PlacedCandidates:
    """A pose that has log odds of being the right one of two, the other a motion (6,) away."""
    return PlacedCandidates(found, estimate.maybe_off(maybe_off(motion, odds)))


def maybe_off(motion: F64, odds: float) -> F64:
    """(6,) deviation of a pose that has log odds of being the right one of two, the other a motion (6,) away."""
    return np.asarray(motion / np.sqrt(1.0 + np.exp(odds)))


def log_odds(off: float, border_px: float) -> float:
    """That the border of a mask is where the object ends, but for what a photograph's edges say.

    Args:
        off: deviations by which the pose beside the mask is off the one without it.
        border_px: distance of the border from the outline of the former, pixels of the crop.
    """
    return _AHEAD + _STEEP * float(np.log((off + _DEVIATIONS) * (border_px + _PIXELS)))


def deviations(motion: F64, covariance: F64) -> float:
    """How many deviations of a covariance (6, 6) a motion (6,) is, root mean square over six directions."""
    scale = np.sqrt(np.maximum(np.diag(covariance), _LEAST**2))
    off = motion / scale
    correlation = covariance / np.outer(scale, scale) + _SINGULAR * np.eye(6)
    squared = float(off @ np.linalg.solve(correlation, off))
    return float(np.sqrt(max(squared, 0.0) / 6.0))
