"""From level to level: steps of all hypotheses at one, the best of them at the next, and what speaks for the winner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.confidence import agreement, log_odds_of
from diffdope.estimate.fit_quality import FitQuality, assess_with_gain
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Failure, Status
from diffdope.problem.level_problem import (
    LevelProblem,
    LevelRules,
    contour_weight,
    pose_terms,
    prepare_followed,
    prepare_level,
)
from diffdope.problem.region import choose_window, projected_box
from diffdope.problem.responsibility import border_error
from diffdope.problem.variables import Variables
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.history import Recorder
from diffdope.search.keyframes import Keyframes
from diffdope.search.levels import Level, PyramidSettings
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.selection import non_maximum_suppression
from diffdope.search.settings import SearchSettings
from diffdope.solve.levenberg_marquardt import SolverResult, minimise
from diffdope.terms.base import Comparison, Rendering
from diffdope.terms.inner_contour import inner_factor
from diffdope.terms.layout import Canvas
from diffdope.terms.matched_points import MatchedPoints
from diffdope.terms.photometric_gain import PhotometricGain
from diffdope.terms.pose_prior import PosePrior
from diffdope.terms.quadratic_factor import QuadraticFactor
from diffdope.terms.registry import ObjectiveSettings

F64 = NDArray[np.float64]
Intp = NDArray[np.intp]
Progress = Callable[[int, int, float], None]

_UNSETTLED = 0.02  # share by which the last step still lowered the cost
_SAME_ANGLE_RAD, _SAME_DISTANCE = np.radians(2.0), 0.01
_GOING_ON = 2  # times as many as the next level takes make all steps: of 92 winners, none was led to from behind
# How far from its start a mesh is taken to be that only edges hold, where the search says nothing: as near searches do.
# Without any prior, edges that are not the outline's draw it away from a good start.
_PLAIN_ANGLE_DEG, _PLAIN_DISTANCE = 12.0, 0.06
_MANY = 16  # hypotheses of a level that race; of few, the last steps still change which are the best


class Hypotheses(NamedTuple):
    """Poses (B, 3, 3) and (B, 3) metres, and their numbers in the history."""

    R: F64
    t: F64
    columns: Intp

    def taken(self, kept: Intp) -> Hypotheses:
        """Some of them."""
        return Hypotheses(self.R[kept], self.t[kept], self.columns[kept])


class Round(NamedTuple):
    """Where rounds of steps ended: all poses, the pull of the photograph's edges, and the winner's images if any."""

    solution: SolverResult
    contour: QuadraticFactor | None
    quadratics: tuple[QuadraticFactor, ...]
    rendering: Rendering | None
    first_row: int

    @property
    def best(self) -> Pose:
        """With the lowest cost."""
        s = self.solution
        return Pose(s.R[s.best, 0], s.t[s.best, 0])


@dataclass(frozen=True)
class Candidates:
    """Poses that reached the end of a pyramid, and what is known of the best."""

    start: Pose
    level: LevelProblem
    rough: LevelProblem
    """Of the level before the last, where there is one: a quarter of the pixels."""
    columns: Intp
    ended: Round
    quality: FitQuality
    gain: PhotometricGain | None
    levels: int
    border_px: float = 0.0
    """How far the mask's border is from the best's outline, pixels of the crop; 0 without a mask."""
    at_most: float = np.inf
    """Log odds that the best has at most, whatever its fit quality: less than infinite where something contradicts."""

    @property
    def pose(self) -> Pose:
        """The best."""
        return self.ended.best

    @property
    def winner(self) -> int:
        """Its number in the history."""
        return int(self.columns[self.ended.solution.best])

    @property
    def winner_row(self) -> int:
        """The iterate at which it was reached."""
        solution = self.ended.solution
        return self.ended.first_row + int(np.argmin(solution.history_cost[:, solution.best]))

    @property
    def confidence(self) -> float:
        """In the best pose."""
        return float(1.0 / (1.0 + np.exp(-self.log_odds)))

    @property
    def unsettled(self) -> bool:
        """Whether the last step still lowered the cost."""
        solution = self.ended.solution
        return bool(solution.last_reduction[solution.best] > _UNSETTLED)

    def doubtful(self, confidence: float) -> bool:
        """Whether it does not convince: it is less sure than that, or has not come to rest."""
        return self.confidence < confidence or self.unsettled

    @property
    def log_odds(self) -> float:
        """Of the best pose being right."""
        return min(log_odds_of(self.quality), self.at_most)

    def surer_than(self, other: Candidates, surplus: float = 0.0) -> bool:
        """Whether the fit quality speaks more for this than for the other, by more than a surplus of log odds."""
        return self.log_odds > other.log_odds + surplus

    def agreeing(self, agreement: float | None) -> Candidates:
        """The same, with another agreement of hypotheses."""
        return replace(self, quality=replace(self.quality, agreement=agreement))


Solve = Callable[..., SolverResult]


class Descent:
    """What all descents of one search share.

    Args:
        meshes: the object, about its own middle.
        observation: the whole image.
        search: numbers of the search.
        objective: of the terms.
        margin: of the crop.
        recorder: takes every iterate.
        solve: `minimise`, or another solver with its arguments.
        with_normal: whether that needs normal matrices.
        progress: called as progress(iteration, iterations, lowest cost).
        expected: iterations at most, for that.
        keyframes: what a film has shown of the object so far.
    """

    def __init__(
        self, meshes: MeshLevels, observation: Observation, search: SearchSettings, objective: ObjectiveSettings,
        margin: float, recorder: Recorder, *, solve: Solve = minimise, with_normal: bool = True,
        progress: Progress | None = None, expected: int = 1, keyframes: Keyframes | None = None,
    ) -> None:  # fmt: skip
        self._keyframes = keyframes
        self._seen: Observation | None = None
        self._matched: MatchedPoints | None = None
        self._meshes, self._observation, self._search, self._objective = meshes, observation, search, objective
        self._margin, self._recorder, self._solve, self._with_normal = margin, recorder, solve, with_normal
        self._progress, self._expected = progress, expected
        self._variables = Variables.one_object(0.5 * meshes.length_m)
        # By whether it is the last level; of depth, what counts is whether there is any.
        with_depth = "depth" in observation.modalities
        self._steps = [search.step.at_level(last=last, with_depth=with_depth) for last in (False, True)]

    def of(self, observation: Observation, seen: Observation | None = None) -> Descent:
        """The same of another observation with as much depth; seen: a mask that only says what is hidden."""
        other = copy(self)
        other._observation, other._seen = observation, seen
        return other

    def held_by(self, matched: MatchedPoints) -> Descent:
        """The same of poses that matched points hold as well."""
        other = copy(self)
        other._matched = matched
        return other

    def run(
        self, pyramid: PyramidSettings, hypotheses: Hypotheses, start: Pose, *, followed: PhotometricGain | None = None,
        near: bool = False,
    ) -> Candidates | Failure:  # fmt: skip
        """Takes hypotheses through all levels.

        Args:
            pyramid: the levels, and how far from the start a pose may be.
            hypotheses: the proposals, not more than the first level has.
            start: around which they lie.
            followed: the light of the frame before, for an object that is expected here to a few pixels.
            near: the crop is around the start alone, wherever else the mask may be.
        """
        best = start
        before: tuple[Hypotheses, F64] | None = None
        level: LevelProblem | None = None
        rough: LevelProblem | None = None
        ended: Round | None = None
        for number, one in enumerate(pyramid.levels):
            final = number == len(pyramid.levels) - 1
            known = not pyramid.anywhere
            prepared = self._prepare(best, one, final=final, known=known, followed=followed, near=near)
            if isinstance(prepared, Failure):  # at a later level, it is not the start that has left the picture
                return prepared if number == 0 else Failure(Status.FAILED, prepared.window)
            rough, level = level, prepared
            if ended is not None:
                cost = ended.solution.cost
                before = hypotheses, cost
                kept = non_maximum_suppression(
                    hypotheses.R, hypotheses.t, cost, one.hypotheses,
                    angle_rad=_SAME_ANGLE_RAD, distance_m=_SAME_DISTANCE * self._meshes.length_m,
                )  # fmt: skip
                hypotheses = hypotheses.taken(kept)
            prior = None if pyramid.anywhere else self._prior(start, pyramid, level)
            buffers = self._meshes.buffers(one.faces)
            reaches: Sequence[float] = self._search.outline.reach_px if level.contour_active else (0.0,)
            iterations = -(-one.iterations // len(reaches))
            # Voters on the winner, those of the last level but one, make all of their steps.
            races = len(hypotheses.t) >= _MANY and number < len(pyramid.levels) - 2 and len(reaches) == 1
            going_on = _GOING_ON * pyramid.levels[number + 1].hypotheses if races else None
            ended, hypotheses = self._rounds(
                level, hypotheses, best, reaches, iterations, prior, buffers, final, going_on
            )
            best = ended.best
        assert level is not None and ended is not None
        contour = self._search.outline
        if contour.closing_px and level.contours is not None and level.contour_active and level.colored:
            level = replace(level, contours=level.contours.weighing(contour.closing))
            ended, hypotheses = self._rounds(
                level, hypotheses, best, contour.closing_px, contour.closing_steps, prior, buffers, True
            )
        if followed is None and self._creased(level):
            ended, hypotheses = self._rounds(
                level, hypotheses, best, contour.inner_px, contour.closing_steps, prior, buffers, True, inner=True
            )
        return self._assessed(start, level, rough or level, hypotheses, ended, before, len(pyramid.levels))

    def _creased(self, level: LevelProblem) -> bool:
        """Whether creases are looked for: where edges are all that there is, and the object has some."""
        outline, plain = self._search.outline, not self._meshes.mesh.has_pattern
        wanted = outline.inner > 0.0 and bool(outline.inner_px) and plain and level.modalities == ("outline",)
        return wanted and len(self._meshes.creases) > 0

    def last_level(self, pose: Pose, level: Level) -> LevelProblem | Failure:
        """A level as the last one of a search is prepared, around a pose that is known well."""
        return self._prepare(pose, level, final=True, known=True, followed=None, near=True)

    def _prepare(
        self, pose: Pose, level: Level, *, final: bool, known: bool, followed: PhotometricGain | None, near: bool
    ) -> LevelProblem | Failure:
        observation, search, length_m = self._observation, self._search, self._meshes.length_m
        box = projected_box(self._meshes.corners_m, pose, observation.camera)
        if isinstance(box, Status):
            return Failure(box)
        around = observation.without_mask() if near else observation
        window = choose_window(box, around, size=level.size, margin=self._margin)
        buffers = self._meshes.buffers(level.faces)
        held = search.outline.active(pattern=self._meshes.mesh.has_pattern)
        contour = search.outline if held else None
        if followed is not None and "mask" not in observation.modalities:
            return prepare_followed(
                buffers, observation, window, self._objective, length_m=length_m, gain=followed, contour=contour
            )
        rules = LevelRules(
            search.light, search.mask_error_px if final else 0.0, search.mask_refused_px, contour, pose_known=known
        )
        prepared = prepare_level(
            buffers, observation, pose, window, self._objective, rules,
            length_m=length_m, with_normal=self._with_normal,
        )  # fmt: skip
        mask = None if self._seen is None else self._seen.crop(window).mask
        if mask is not None and prepared.contours is not None:
            prepared = replace(prepared, contours=prepared.contours.within(mask))
        return prepared if prepared.responsibility.overlap > 0.0 else Failure(Status.NO_OVERLAP, window)

    def _prior(self, start: Pose, pyramid: PyramidSettings, level: LevelProblem) -> PosePrior:
        weight = self._search.prior_unmasked if level.crop.mask is None else self._search.prior
        angle_deg, distance = pyramid.angle_deg, pyramid.distance
        if level.contour_active and not self._meshes.mesh.has_pattern and not (angle_deg or distance):
            angle_deg, distance = _PLAIN_ANGLE_DEG, _PLAIN_DISTANCE
        return PosePrior(start, np.radians(angle_deg), distance * self._meshes.length_m, weight)

    def _rounds(
        self, level: LevelProblem, hypotheses: Hypotheses, best: Pose, reaches: Sequence[float], iterations: int,
        prior: PosePrior | None, buffers: Buffers, final: bool, going_on: int | None = None, inner: bool = False,
    ) -> tuple[Round, Hypotheses]:  # fmt: skip
        """Rounds of steps, before each of which terms that are linearised are linearised at the best pose so far."""
        ended: Round | None = None
        for reach_px in reaches:
            ended = self._round(level, hypotheses, best, reach_px, iterations, prior, buffers, final, going_on, inner)
            solution, best = ended.solution, ended.best
            hypotheses = Hypotheses(solution.R[:, 0], solution.t[:, 0], hypotheses.columns)
        assert ended is not None
        return ended, hypotheses

    def _round(
        self, level: LevelProblem, hypotheses: Hypotheses, best: Pose, reach_px: float, iterations: int,
        prior: PosePrior | None, buffers: Buffers, final: bool, going_on: int | None, inner: bool,
    ) -> Round:  # fmt: skip
        contour, learned = self._along_outline(level, best, buffers, reach_px, inner)
        matched = None if self._matched is None else self._matched.factor(best)
        held = () if matched is None else (matched,)
        quadratics = (*learned, *held, *pose_terms(self._meshes.corners_m, best, self._objective))
        every = quadratics if contour is None else (contour, *quadratics)
        problem = level.problem(self._variables, prior, every)
        pixels = level.factor.width * level.factor.height
        full = buffers is self._meshes.buffers()
        paint = final and full and len(hypotheses.t) == 1 and self._with_normal
        canvases = (Canvas.of(pixels), Canvas.of(pixels)) if paint else None
        solution = self._solve(
            problem, hypotheses.R[:, None], hypotheses.t[:, None],
            iterations=iterations, settings=self._steps[final], canvases=canvases, going_on=going_on,
        )  # fmt: skip
        row = self._record(level, hypotheses, solution)
        rendering = None
        if canvases is not None:
            rendering = shaped(canvases[int(solution.canvas[0])], level.factor.width, level.factor.height)
        return Round(solution, contour, every, rendering, row)

    def _along_outline(
        self, level: LevelProblem, pose: Pose, buffers: Buffers, reach_px: float, inner: bool
    ) -> tuple[QuadraticFactor | None, tuple[QuadraticFactor, ...]]:
        """Of the photograph's edges near a pose, and of the colours that a film has shown before."""
        edges = level.contours
        if edges is None or not level.contour_active:
            return None, ()
        images = Renderer(buffers.mesh, level.crop.camera, buffers=buffers).render(pose.R_m2c, pose.t_m2c)
        drawn = images.coverage[0], images.depth[0]
        contour = edges.factor(*drawn, pose, reach_px, images.rgb[0] if level.colored else None)
        length_m, beside = self._meshes.length_m, []
        if inner:
            beside.append(inner_factor(edges, self._meshes.creases, *drawn, pose, reach_px, length_m))
        keyframe = None if self._keyframes is None else self._keyframes.nearest(pose)
        if keyframe is not None:
            beside.append(keyframe.factor(edges.smooth, *drawn, level.crop.camera, pose, length_m))
        return contour, tuple(factor for factor in beside if factor is not None)

    def _record(self, level: LevelProblem, hypotheses: Hypotheses, solution: SolverResult) -> int:
        row = self._recorder.record(
            hypotheses.columns, solution, level.unweighted(solution.history_each), max(level.window.size)
        )
        if self._progress is not None:
            self._progress(self._recorder.last, max(self._expected, self._recorder.last), float(solution.cost.min()))
        return row

    def _assessed(
        self, start: Pose, level: LevelProblem, rough: LevelProblem, hypotheses: Hypotheses, ended: Round,
        before: tuple[Hypotheses, F64] | None, levels: int,
    ) -> Candidates:  # fmt: skip
        """What speaks for the winner."""
        best, rendering = ended.best, ended.rendering
        if rendering is None:
            renderer = Renderer(self._meshes.mesh, level.crop.camera, buffers=self._meshes.buffers())
            rendering = Rendering.of(renderer.render(best.R_m2c, best.t_m2c))
        seen = Comparison(rendering, level.crop, level.responsibility.silhouette, self._meshes.length_m)
        quality, gain = assess_with_gain(seen)
        if level.contour_active and not self._meshes.mesh.has_pattern:  # contours stand for its single colour
            quality, gain = replace(quality, texture=None), None
        if level.contours is not None:
            drawn = rendering.coverage, rendering.depth
            quality = replace(quality, outline=level.contours.support(*drawn))
            keyframe = None if self._keyframes is None else self._keyframes.nearest(best)
            if keyframe is not None:
                smooth, camera = level.contours.smooth, level.crop.camera
                learned = keyframe.support(smooth, *drawn, camera, best, self._meshes.length_m)
                quality = replace(quality, learned=learned)
        if before is not None and len(before[1]) > 1:  # a single one cannot agree with itself
            voters, cost = before
            agreed = agreement(voters.R, voters.t, cost, best, self._meshes.length_m)
            quality = replace(quality, agreement=agreed)
        mask, weights = level.crop.mask, level.responsibility.silhouette
        border_px = 0.0 if mask is None else border_error(rendering.coverage, mask, weights)
        return Candidates(start, level, rough, hypotheses.columns, ended, quality, gain, levels, border_px)


def iterates_of(
    pyramid: PyramidSettings, search: SearchSettings, objective: ObjectiveSettings, unseen: Observation, mesh: Mesh
) -> int:
    """How many a descent makes at most; `unseen` is the observation without its mask, which may be left out."""
    contour = search.outline
    if contour_weight(unseen, contour, objective, mesh) <= 0.0:
        return sum(level.iterations + 1 for level in pyramid.levels)
    rounds = len(contour.reach_px)
    plain = contour.inner_px if contour.inner > 0.0 else ()
    after = contour.closing_px if mesh.has_pattern else plain
    steps = sum(rounds * (-(-level.iterations // rounds) + 1) for level in pyramid.levels)
    return steps + len(after) * (contour.closing_steps + 1)


def shaped(canvas: Canvas, width: int, height: int) -> Rendering:
    """Flat images in their shape."""
    return Rendering(
        canvas.rgb.reshape(height, width, 3), canvas.depth.reshape(height, width),
        canvas.coverage.reshape(height, width),
    )  # fmt: skip
