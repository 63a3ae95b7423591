"""From level to level: steps of all hypotheses at one, the best of them at the next, and what speaks for the winner."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose, solved_pose
from diffdope.problem.failure import Failure, Status
from diffdope.problem.level_problem import LevelProblem
from diffdope.problem.problem import Problem
from diffdope.problem.variables import Variables
from diffdope.scene.observation import Observation
from diffdope.search.candidates import Candidates, Choose, Hypotheses, Reached, Round
from diffdope.search.history import Recorder
from diffdope.search.level_preparation import LevelPreparation
from diffdope.search.levels import PyramidSettings
from diffdope.search.print_rounds import PrintedRounds, by_print, is_compared
from diffdope.search.priors import prior_around
from diffdope.search.rounds import AtLevel, LinearisedTerms, Rounds
from diffdope.search.search_inputs import SearchInputs
from diffdope.search.settings import SearchSettings
from diffdope.search.winner import Winner, assess_winner
from diffdope.solve.levenberg_marquardt import LevenbergSettings, SolverResult, minimise
from diffdope.terms.base import Rendering
from diffdope.terms.contour import ContourSettings
from diffdope.terms.layout import Canvas
from diffdope.terms.matched_points import MatchedPoints
from diffdope.terms.photometric_gain import PhotometricGain
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
        best, settled = start, False
        before: Reached | None = None
        reached: Reached | None = None
        at: AtLevel | None = None
        rough: LevelProblem | None = None
        ended: Round | None = None
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
            level = self.levels.around(best, one, final=final, known=known, followed=followed, near=near)
            if isinstance(level, Failure):  # at a later level, it is not the start that has left the picture
                return level if number == 0 else Failure(Status.FAILED, level.window)
            rough, at = None if at is None else at.level, self._at(level, pyramid, number, expected or start)
            rounds = self._rounds_of(level, pyramid, number, len(hypotheses.t))
            count = len(hypotheses.t) if number else pyramid.at_first(len(hypotheses.t))
            ended, left = self._made(at, rounds, hypotheses.taken(slice(0, count)), best)
            reached = ended.reached(left, level)
            settled = settled or (count < len(hypotheses.t) and reached.agree(self.inputs.meshes.length_m))
            if count < len(hypotheses.t) and not settled:
                others, more = self._made(at, rounds, hypotheses.taken(slice(count, None)), best)
                reached = reached.joined(others.reached(more, level))
            hypotheses, best = reached.hypotheses, reached.best
        assert at is not None and ended is not None
        at, ended, hypotheses = self._closed(at, ended, hypotheses, best, followed=followed is not None)
        level, apart_m = at.level, 0.0
        if self.inputs.filmed and is_compared(level, self.inputs.meshes):
            ended, hypotheses, apart_m = self._by_print(at, ended, hypotheses)
        best, rendering = ended.best, ended.rendering
        won = Winner()
        if judged:
            if rendering is None:
                rendering = Rendering.of(level.drawn(self.inputs.meshes.buffers(), best))
            won = assess_winner(level, rendering, best, self.inputs.meshes, before, self.inputs.keyframe(best))
        return Candidates(
            start, level, rough or level, hypotheses.columns, ended, won.quality, won.gain, len(pyramid.levels),
            won.border_px, apart_m=apart_m,
        )  # fmt: skip

    def _creased(self, level: LevelProblem) -> bool:
        """Whether creases are looked for: where edges are all that there is, and the object has some."""
        outline, plain = self.inputs.settings.outline, not self.inputs.meshes.mesh.has_pattern
        wanted = outline.inner > 0.0 and bool(outline.inner_px) and plain and level.modalities == ("outline",)
        return wanted and len(self.inputs.meshes.creases) > 0

    def _at(self, level: LevelProblem, pyramid: PyramidSettings, number: int, about: Pose) -> AtLevel:
        """A level of a pyramid, with a prior about a pose."""
        inputs = self.inputs
        prior = prior_around(about, pyramid, level, inputs.settings, inputs.meshes, film=inputs.filmed)
        buffers = inputs.meshes.buffers(pyramid.levels[number].faces)
        return AtLevel(inputs, level, prior, buffers, self._matched, number == len(pyramid.levels) - 1)

    def _rounds_of(self, level: LevelProblem, pyramid: PyramidSettings, number: int, count: int) -> Rounds:
        """The rounds that so many hypotheses make at a level of a pyramid."""
        alone = (0.0,) if level.rims is None else _RIM_ROUNDS
        reaches: Sequence[float] = self.inputs.settings.outline.reach_px if level.contour_active else alone
        # Voters on the winner, those of the last level but one, make all of their steps.
        races = count >= _MANY and number < len(pyramid.levels) - 2 and len(reaches) == 1
        going_on = _GOING_ON * pyramid.levels[number + 1].hypotheses if races else None
        return Rounds(reaches, -(-pyramid.levels[number].iterations // len(reaches)), going_on)

    def _closed(
        self, at: AtLevel, ended: Round, hypotheses: Hypotheses, best: Pose, *, followed: bool
    ) -> tuple[AtLevel, Round, Hypotheses]:  # fmt: skip
        """After the last level's rounds those that look closer: edges in other weights, or creases."""
        level, contour = at.level, self.inputs.settings.outline
        if contour.closing_px and level.contours is not None and level.contour_active and level.colored:
            at = at._replace(level=replace(level, contours=level.contours.weighing(contour.closing)))
            closing = Rounds(contour.closing_px, contour.closing_steps)
            ended, hypotheses = self._made(at, closing, hypotheses, best, ended)
        if not followed and self._creased(level):
            creases = Rounds(contour.inner_px, contour.closing_steps, inner=True)
            ended, hypotheses = self._made(at, creases, hypotheses, best)
        return at, ended, hypotheses

    def _by_print(self, at: AtLevel, ended: Round, hypotheses: Hypotheses) -> PrintedRounds:
        def make(asked: QuadraticFactor | None, ended: Round, hypotheses: Hypotheses) -> tuple[Round, Hypotheses]:
            rounds = Rounds((_PRINT_PX,), _PRINT_STEPS, printed=asked)
            return self._made(at, rounds, hypotheses, ended.best, ended)

        return by_print(at.level, self.inputs.meshes, at.buffers, ended, hypotheses, make)

    @property
    def steps(self) -> LevenbergSettings:
        """Of the steps at levels before the last."""
        return self._steps[False]

    def _made(
        self, at: AtLevel, rounds: Rounds, hypotheses: Hypotheses, best: Pose, ended: Round | None = None
    ) -> tuple[Round, Hypotheses]:  # fmt: skip
        """Rounds of steps, before each of which terms that are linearised are linearised at the best pose so far."""
        problem = at.level.problem(self._variables, at.prior)
        for reach_px in rounds.reaches:
            drawn = None if ended is None else ended.rendering
            linearised = at.linearised(rounds, reach_px, best, drawn)
            ended = self._round(at, rounds, problem, linearised, hypotheses, ended)
            solution, best = ended.solution, ended.best
            hypotheses = Hypotheses(solution.R[:, 0], solution.t[:, 0], hypotheses.columns)
        assert ended is not None
        return ended, hypotheses

    def _round(
        self, at: AtLevel, rounds: Rounds, problem: Problem, linearised: LinearisedTerms, hypotheses: Hypotheses,
        before: Round | None,
    ) -> Round:  # fmt: skip
        level = at.level
        problem = problem.with_quadratics([(0, factor) for factor in linearised.every])
        width, height = level.factor.width, level.factor.height
        # What compares no pixel is not drawn at every step, but once in the end.
        alone = len(hypotheses.t) == 1 and bool(level.factor.active.any())
        paint = at.final and at.buffers is self.inputs.meshes.buffers() and alone and self._with_normal
        canvases = (Canvas.of(width * height), Canvas.of(width * height)) if paint else None
        solution = self._solve(
            problem, hypotheses.R[:, None], hypotheses.t[:, None],
            iterations=rounds.iterations,
            settings=self._steps[at.final] if rounds.printed is None else self._print_steps,
            canvases=canvases, going_on=rounds.going_on,
        )  # fmt: skip
        row = self._record(level, hypotheses, solution)
        rendering = None if canvases is None else Rendering.on(canvases[int(solution.canvas[0])], width, height)
        begun = before and (before.begun or before)
        return Round(solution, linearised.contour, linearised.every, rendering, row, begun)

    def _record(self, level: LevelProblem, hypotheses: Hypotheses, solution: SolverResult) -> int:
        row = self._recorder.record(
            hypotheses.columns, solution, level.unweighted(solution.history_each), max(level.window.size)
        )
        if self._progress is not None:
            self._progress(self._recorder.last, max(self._expected, self._recorder.last), float(solution.cost.min()))
        return row
