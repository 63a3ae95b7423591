"""From level to level: steps of all hypotheses at one, the best of them at the next, and what speaks for the winner."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose, solved_pose
from diffdope.problem.failure import Failure, Status
from diffdope.problem.level_problem import LevelProblem
from diffdope.problem.pose_evidence import pose_terms
from diffdope.problem.problem import Problem
from diffdope.problem.variables import Variables
from diffdope.render.buffers import Buffers
from diffdope.scene.observation import Observation
from diffdope.search.candidates import Candidates, Choose, Hypotheses, Reached, Round
from diffdope.search.edge_factors import along_outline
from diffdope.search.history import Recorder
from diffdope.search.level_preparation import LevelPreparation
from diffdope.search.levels import PyramidSettings
from diffdope.search.print_rounds import PrintedRounds, by_print, is_compared
from diffdope.search.priors import prior_around
from diffdope.search.search_inputs import SearchInputs
from diffdope.search.settings import SearchSettings
from diffdope.search.winner import Winner, assess_winner
from diffdope.solve.levenberg_marquardt import LevenbergSettings, SolverResult, minimise
from diffdope.terms.base import Rendering
from diffdope.terms.contour import ContourSettings
from diffdope.terms.keyframe import Keyframe
from diffdope.terms.layout import Canvas
from diffdope.terms.matched_points import MatchedPoints
from diffdope.terms.photometric_gain import PhotometricGain
from diffdope.terms.pose_prior import PosePrior
from diffdope.terms.quadratic_factor import QuadraticFactor
from diffdope.terms.rim_kernel import WIDEST_PX

F64 = NDArray[np.float64]
Progress = Callable[[int, int, float], None]
Solve = Callable[..., SolverResult]

_GOING_ON = 2  # times as many as the next level takes make all steps: of 92 winners, none was led to from behind
_RIM_ROUNDS = (0.0, WIDEST_PX)  # pixels: where colours lead, and then rims, which know nothing from farther off
# Rounds after the last level: reach of edges, and steps. A print farther off than it is wide leads to another part.
_PRINT_PX, _PRINT_STEPS, _PRINT_FINER = 2.0, 2, 0.01
_MANY = 16  # hypotheses of a level that race; of few, the last steps still change which are the best


class Descent:
    """What all descents of one search share.

    Args:
        inputs: of the search.
        recorder: takes every iterate.
        solve: `minimise`, or another solver with its arguments.
        with_normal: whether that needs normal matrices.
        progress: called as progress(iteration, iterations, lowest cost).
        expected: iterations at most, for that.
    """

    def __init__(
        self, inputs: SearchInputs, recorder: Recorder, *, solve: Solve = minimise, with_normal: bool = True,
        progress: Progress | None = None, expected: int = 1,
    ) -> None:  # fmt: skip
        self.levels = LevelPreparation(inputs, with_normal)
        self._matched: MatchedPoints | None = None
        self._recorder, self._solve, self._with_normal = recorder, solve, with_normal
        self._progress, self._expected = progress, expected
        self._variables = Variables.one_object(0.5 * inputs.meshes.length_m)
        # By whether it is the last level; of depth, what counts is whether there is any.
        with_depth = "depth" in inputs.observation.modalities
        self._steps = [inputs.settings.step.at_level(last=last, with_depth=with_depth) for last in (False, True)]
        self._print_steps = self._steps[True].finer(_PRINT_FINER)

    @property
    def inputs(self) -> SearchInputs:
        """What the search is given, with what `of`, `by` and `colourless` made of it."""
        return self.levels.inputs

    def of(self, observation: Observation, seen: Observation | None = None, off_px: float = 0.0) -> Descent:
        """The same of another observation with as much depth; seen: a mask that says what is hidden, and if its border
        is off by so many pixels of the whole image, a deviation, roughly where the outline is.
        """
        return self._with(levels=replace(self.levels, inputs=self.inputs.of(observation), seen=seen, off_px=off_px))

    def beside(self, level: LevelProblem) -> Descent:
        """The same of levels whose crops, but for the mask, and whose drawings are taken from one of these images and a
        mask, where that is reduced as much.
        """
        return self._with(levels=replace(self.levels, beside=level))

    def by(self, settings: SearchSettings) -> Descent:
        """The same by other settings, but for those of steps."""
        return self._with(levels=replace(self.levels, inputs=self.inputs.by(settings)))

    def colourless(self, outline: ContourSettings) -> Descent:
        """The same of colours that say nothing but where the outline is."""
        settings = replace(self.inputs.settings, outline=outline)
        inputs = replace(self.inputs, settings=settings, objective=replace(self.inputs.objective, rgb_weight=0.0))
        return self._with(levels=replace(self.levels, inputs=inputs))

    def held_by(self, matched: MatchedPoints) -> Descent:
        """The same of poses that matched points hold as well."""
        return self._with(_matched=matched)

    def _with(self, **changed: object) -> Descent:
        other = copy(self)
        vars(other).update(changed)
        return other

    def run(
        self, pyramid: PyramidSettings, hypotheses: Hypotheses, start: Pose, *, followed: PhotometricGain | None = None,
        near: bool = False, expected: Pose | None = None, choose: Choose | None = None, judged: bool = True,
        despite_mask: float = 0.0,
    ) -> Candidates | Failure:  # fmt: skip
        """Takes hypotheses through all levels.

        Args:
            pyramid: the levels, and how far from the start a pose may be.
            hypotheses: the proposals, not more than the first level has.
            start: around which they lie.
            followed: the light of the frame before, for an object that is expected here to a few pixels.
            near: the crop is around the start alone, wherever else the mask may be.
            expected: what the prior is about, where that is not the start.
            choose: says which go on to the last level, the best first, in place of those with the lowest costs.
            judged: whether it is asked how well the best fits; if not, nothing speaks for it.
            despite_mask: share of those that go on to a level, at least one, for poses that cost clearly less than the
                cheapest but for the mask; 0 for none.
        """
        best = start
        before: Reached | None = None
        reached: Reached | None = None
        level: LevelProblem | None = None
        rough: LevelProblem | None = None
        ended: Round | None = None
        settled = False
        for number, one in enumerate(pyramid.levels):
            final = number == len(pyramid.levels) - 1
            if reached is not None:
                # Of hypotheses of which the others were left out, those that agreed stay the voters.
                before = before if settled and before is not None and len(reached.cost) == 1 else reached
                places = math.ceil(despite_mask * one.hypotheses) if one.hypotheses > 1 else 0
                hypotheses = reached.best_apart(one.hypotheses, self.inputs.meshes.length_m, places)
                if final and choose is not None:
                    hypotheses = choose(reached, hypotheses)
                    best = solved_pose(hypotheses.R[0], hypotheses.t[0])
            known = not pyramid.anywhere
            prepared = self.levels.around(best, one, final=final, known=known, followed=followed, near=near)
            if isinstance(prepared, Failure):  # at a later level, it is not the start that has left the picture
                return prepared if number == 0 else Failure(Status.FAILED, prepared.window)
            rough, level, film = level, prepared, self.inputs.filmed
            prior = prior_around(expected or start, pyramid, level, self.inputs.settings, self.inputs.meshes, film=film)
            buffers = self.inputs.meshes.buffers(one.faces)
            alone = (0.0,) if level.rims is None else _RIM_ROUNDS
            reaches: Sequence[float] = self.inputs.settings.outline.reach_px if level.contour_active else alone
            # Voters on the winner, those of the last level but one, make all of their steps.
            races = len(hypotheses.t) >= _MANY and number < len(pyramid.levels) - 2 and len(reaches) == 1
            going_on = _GOING_ON * pyramid.levels[number + 1].hypotheses if races else None
            step = partial(
                self._rounds, level, best=best, reaches=reaches, iterations=-(-one.iterations // len(reaches)),
                prior=prior, buffers=buffers, final=final, going_on=going_on,
            )  # fmt: skip
            count = len(hypotheses.t) if number else pyramid.at_first(len(hypotheses.t))
            ended, left = step(hypotheses.taken(slice(0, count)))
            reached = ended.reached(left, level)
            settled = settled or (count < len(hypotheses.t) and reached.agree(self.inputs.meshes.length_m))
            if count < len(hypotheses.t) and not settled:
                others, more = step(hypotheses.taken(slice(count, None)))
                reached = reached.joined(others.reached(more, level))
            hypotheses, best = reached.hypotheses, reached.best
        assert level is not None and ended is not None
        contour = self.inputs.settings.outline
        if contour.closing_px and level.contours is not None and level.contour_active and level.colored:
            level = replace(level, contours=level.contours.weighing(contour.closing))
            ended, hypotheses = self._rounds(
                level, hypotheses, best, contour.closing_px, contour.closing_steps, prior, buffers, True, ended
            )
        if followed is None and self._creased(level):
            ended, hypotheses = self._rounds(
                level, hypotheses, best, contour.inner_px, contour.closing_steps, prior, buffers, True, inner=True
            )
        apart_m = 0.0
        if self.inputs.filmed and is_compared(level, self.inputs.meshes):
            ended, hypotheses, apart_m = self._by_print(level, hypotheses, ended, prior, buffers)
        best, rendering = ended.best, ended.rendering
        won = Winner()
        if judged:
            if rendering is None:
                rendering = Rendering.of(level.drawn(self.inputs.meshes.buffers(), best))
            won = assess_winner(level, rendering, best, self.inputs.meshes, before, self._keyframe(best))
        return Candidates(
            start, level, rough or level, hypotheses.columns, ended, won.quality, won.gain, len(pyramid.levels),
            won.border_px, apart_m=apart_m,
        )  # fmt: skip

    def _keyframe(self, pose: Pose) -> Keyframe | None:
        """What a film has shown of the object from about there."""
        keyframes = self.inputs.keyframes
        return None if keyframes is None else keyframes.nearest(pose)

    def _creased(self, level: LevelProblem) -> bool:
        """Whether creases are looked for: where edges are all that there is, and the object has some."""
        outline, plain = self.inputs.settings.outline, not self.inputs.meshes.mesh.has_pattern
        wanted = outline.inner > 0.0 and bool(outline.inner_px) and plain and level.modalities == ("outline",)
        return wanted and len(self.inputs.meshes.creases) > 0

    def _by_print(
        self, level: LevelProblem, hypotheses: Hypotheses, ended: Round, prior: PosePrior | None, buffers: Buffers
    ) -> PrintedRounds:
        def make(asked: QuadraticFactor | None, ended: Round, hypotheses: Hypotheses) -> tuple[Round, Hypotheses]:
            rounds = level, hypotheses, ended.best, (_PRINT_PX,), _PRINT_STEPS, prior, buffers, True, ended
            return self._rounds(*rounds, printed=asked)

        return by_print(level, self.inputs.meshes, buffers, ended, hypotheses, make)

    @property
    def steps(self) -> LevenbergSettings:
        """Of the steps at levels before the last."""
        return self._steps[False]

    def _rounds(
        self, level: LevelProblem, hypotheses: Hypotheses, best: Pose, reaches: Sequence[float], iterations: int,
        prior: PosePrior | None, buffers: Buffers, final: bool, ended: Round | None = None, going_on: int | None = None,
        inner: bool = False, printed: QuadraticFactor | None = None,
    ) -> tuple[Round, Hypotheses]:  # fmt: skip
        """Rounds of steps, before each of which terms that are linearised are linearised at the best pose so far."""
        problem = level.problem(self._variables, prior)
        for reach_px in reaches:
            ended = self._round(
                level, problem, hypotheses, best, reach_px, iterations, buffers, final, going_on, inner=inner,
                printed=printed, before=ended,
            )  # fmt: skip
            solution, best = ended.solution, ended.best
            hypotheses = Hypotheses(solution.R[:, 0], solution.t[:, 0], hypotheses.columns)
        assert ended is not None
        return ended, hypotheses

    def _round(
        self, level: LevelProblem, problem: Problem, hypotheses: Hypotheses, best: Pose, reach_px: float,
        iterations: int, buffers: Buffers, final: bool, going_on: int | None, *, inner: bool,
        printed: QuadraticFactor | None, before: Round | None,
    ) -> Round:  # fmt: skip
        drawn = None if before is None else before.rendering
        if drawn is None and (level.contour_active or level.rims is not None):
            drawn = Rendering.of(level.drawn(buffers, best))
        contour, learned = along_outline(
            level, best, drawn, reach_px, self.inputs.meshes, self._keyframe(best), inner=inner
        )
        matched = None if self._matched is None else self._matched.factor(best)
        rims = None if level.rims is None or drawn is None else level.rims.factor(drawn, best, reach_px)
        held = tuple(factor for factor in (matched, rims, printed) if factor is not None)
        quadratics = (*learned, *held, *pose_terms(self.inputs.meshes.corners_m, best, self.inputs.objective))
        every = quadratics if contour is None else (contour, *quadratics)
        problem = problem.with_quadratics([(0, factor) for factor in every])
        width, height = level.factor.width, level.factor.height
        # What compares no pixel is not drawn at every step, but once in the end.
        alone = len(hypotheses.t) == 1 and bool(level.factor.active.any())
        paint = final and buffers is self.inputs.meshes.buffers() and alone and self._with_normal
        canvases = (Canvas.of(width * height), Canvas.of(width * height)) if paint else None
        solution = self._solve(
            problem, hypotheses.R[:, None], hypotheses.t[:, None],
            iterations=iterations, settings=self._steps[final] if printed is None else self._print_steps,
            canvases=canvases, going_on=going_on,
        )  # fmt: skip
        row = self._record(level, hypotheses, solution)
        rendering = None if canvases is None else Rendering.on(canvases[int(solution.canvas[0])], width, height)
        return Round(solution, contour, every, rendering, row, before and (before.begun or before))

    def _record(self, level: LevelProblem, hypotheses: Hypotheses, solution: SolverResult) -> int:
        row = self._recorder.record(
            hypotheses.columns, solution, level.unweighted(solution.history_each), max(level.window.size)
        )
        if self._progress is not None:
            self._progress(self._recorder.last, max(self._expected, self._recorder.last), float(solution.cost.min()))
        return row
