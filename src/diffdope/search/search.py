"""Second-order refinement: many hypotheses on small images first, the best few of them on larger ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.crop import CropWindow
from diffdope.geometry.pose import Pose
from diffdope.problem.factor import Evaluation
from diffdope.solve.levenberg_marquardt import Solution, minimise
from diffdope.estimate.confidence import agreement, confidence_of, log_odds_of
from diffdope.search.mesh_levels import Details
from diffdope.estimate.fit_quality import Drawing, Evidence, weigh
from diffdope.search.symmetric_alternatives import odds_of, other_sides
from diffdope.search.outcome import Outcome
from diffdope.estimate.robust_gauss_newton import Polished, polish_of
from diffdope.terms.pose_prior import Prior
from diffdope.problem.prepare import ALL_MODALITIES, Problem, edge_weight, prepare
from diffdope.terms.quadratic_factor import Pull
from diffdope.search.recorder import Recorder
from diffdope.problem.region import choose_window, projected_box
from diffdope.pipelines.result import Status
from diffdope.pipelines.settings import CropSettings, Preset, PyramidSettings
from diffdope.search.proposals import distinct, spread
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation

F64 = NDArray[np.float64]
Refused = tuple[Status, CropWindow | None]
Progress = Callable[[int, int, float], None]

_SURPLUS = 1.0  # log odds by which a far result must be surer where edges hold the outline: some fit everywhere
SIDES = 3  # poses that are refined the other way round, of those that look better
_AT_HOME = 0.75  # near searches that stayed well within what they take for possible found the start as good as stated
_LOYALTY = 2.0  # log odds by which a far result must be surer than theirs
_MOVED = 1.0  # near searches that went farther than they were meant to have found the start worse than stated
_AT_REST = 0.005  # share by which the last step lowered the cost of a pose that has come to rest
_UNSETTLED = 0.02  # share by which the last step still lowered the cost
_SAME_ANGLE_RAD, _SAME_DISTANCE = np.radians(2.0), 0.01


class Ended(NamedTuple):
    """Where rounds of steps ended: all poses, the best of them, and the last pull of the photograph's edges."""

    solution: Solution
    winner: int
    pull: Pull | None

    @property
    def best(self) -> Pose:
        """With the lowest cost."""
        return Pose(self.solution.R_m2c[self.winner], self.solution.t_m2c[self.winner])


@dataclass(frozen=True)
class Candidates:
    """Poses that reached the end of a pyramid, and what is known of the best."""

    start: Pose
    problem: Problem
    rough: Problem
    """Of the level before the last, where there is one: a quarter of the pixels."""
    columns: NDArray[np.intp]
    solution: Solution
    best: int
    last_iteration: int
    evidence: Evidence
    pull: Pull | None
    """Of the photograph's edges, where they stand in for a mask."""

    @property
    def pose(self) -> Pose:
        """The best."""
        return Pose(self.solution.R_m2c[self.best], self.solution.t_m2c[self.best])

    @property
    def confidence(self) -> float:
        """In the best pose."""
        return confidence_of(self.evidence)

    def agreeing(self, agreement: float | None) -> Candidates:
        """The same, with another agreement of hypotheses."""
        return replace(self, evidence=replace(self.evidence, agreement=agreement))


class Search:
    """One refinement by pyramids of Levenberg-Marquardt.

    Args:
        details: of the mesh.
        observation: the whole image.
        pose: the start.
        preset: its objective, crop and search are used.
        seed: of the hypotheses.
        progress: called as progress(iteration, iterations, lowest cost).
    """

    def __init__(
        self,
        details: Details,
        observation: Observation,
        pose: Pose,
        preset: Preset,
        *,
        seed: int,
        progress: Progress | None = None,
    ) -> None:
        self._details, self._observation, self._pose = details, observation, pose
        self._preset, self._progress = preset, progress
        self._rng = np.random.default_rng(seed)
        self._length_m = details.mesh.diameter
        near, far = preset.search.near, preset.search.far
        self._held = edge_weight(observation, preset.search.outline, preset.objective) > 0.0
        self._again = without_first(near)
        self._capacity = sum(self._iterates(pyramid) for pyramid in (near, far, *([self._again] * SIDES)))
        self._count = near.hypotheses[0] + far.hypotheses[0] + SIDES
        self._recorder: Recorder | None = None

    def run(self) -> Outcome | Refused:
        """The best pose found, or why nothing could be compared."""
        found = self._found()
        if not isinstance(found, Candidates):
            return found
        return self._outcome(self._right_way_round(found) if self._preset.search.other_sides else found)

    def _iterates(self, pyramid: PyramidSettings) -> int:
        """At most, of one descent."""
        outline, unmasked = self._preset.search.outline, self._observation.without_mask()
        if edge_weight(unmasked, outline, self._preset.objective) <= 0.0:
            return sum(steps + 1 for steps in pyramid.iterations)
        rounds = len(outline.reach_px)  # a mask may be left out
        steps = sum(rounds * (-(-steps // rounds) + 1) for steps in pyramid.iterations)
        return steps + len(outline.closing_px) * (outline.closing_steps + 1)

    def _found(self) -> Candidates | Refused:
        """What the near search found, or the far one."""
        search = self._preset.search
        first = self._descend(search.near, 0, self._pose)
        if search.doubt <= 0.0 or not self._doubtful(first):
            return first
        second = self._descend(search.far, search.near.hypotheses[0], self._pose)
        if not isinstance(second, Candidates):
            return first
        if not isinstance(first, Candidates) or surer(second, first, self._surplus_over(first)):
            return second
        return first

    def _right_way_round(self, found: Candidates) -> Candidates:
        """What was found, or the same turned, if that is clearly what the photograph shows."""
        buffers = self._details.buffers(self._again.faces[0])
        sides = other_sides(found.pose, self._details.lookalikes, found.rough, buffers, self._length_m)
        choice = [found]
        for number, side in enumerate(sides[:SIDES]):
            turned = self._descend(self._again, self._count - SIDES + number, side)
            if isinstance(turned, Candidates):
                choice.append(turned.agreeing(found.evidence.agreement))
        if len(choice) == 1:
            return found
        odds = odds_of([one.pose for one in choice], found.problem, self._details.buffers(), self._length_m)
        return choice[int(np.argmax(odds))]

    def _doubtful(self, found: Candidates | Refused) -> bool:
        """Whether the near search's result does not convince: a wider one should have a look."""
        if not isinstance(found, Candidates):
            return found[0] is Status.FAILED
        unsettled = found.solution.last_gain[found.best] > _UNSETTLED
        return found.confidence < self._preset.search.doubt or self._moved(found) > _MOVED or bool(unsettled)

    def _surplus_over(self, found: Candidates) -> float:
        """Log odds by which a far result must be surer than the near search's."""
        if self._held:
            return _SURPLUS
        return _LOYALTY if self._moved(found) < _AT_HOME else 0.0

    def _moved(self, found: Candidates) -> float:
        """How far the best pose is from the start, in units of what the near search takes for possible."""
        near, best = self._preset.search.near, found.pose
        angle = best.angle_to(self._pose) / max(np.radians(near.angle_deg), 1e-6)
        return float(max(angle, best.distance_to(self._pose) / max(near.distance * self._length_m, 1e-9)))

    def _descend(self, pyramid: PyramidSettings, column: int, start: Pose) -> Candidates | Refused:
        """Goes through the levels from a start; its hypotheses are recorded from a column on."""
        count = pyramid.hypotheses[0]
        R, t = spread(
            start, count, rng=self._rng,
            angle_rad=np.radians(pyramid.angle_deg), distance_m=pyramid.distance * self._length_m,
        )  # fmt: skip
        columns = np.arange(column, column + count)
        cost = np.zeros(count)
        best = start
        voters: tuple[F64, F64, F64] | None = None
        problem: Problem | None = None
        rough: Problem | None = None
        for level, size in enumerate(pyramid.sizes):
            prepared = self._prepare(best, size, pyramid.faces[level], level == len(pyramid.sizes) - 1)
            if not isinstance(prepared, Problem):  # at a later level, it is not the start that has left the picture
                return prepared if level == 0 else (Status.FAILED, prepared[1])
            rough, problem = problem, prepared
            if level > 0:
                voters = (R, t, cost)
                kept = distinct(
                    R, t, cost, pyramid.hypotheses[level],
                    angle_rad=_SAME_ANGLE_RAD, distance_m=_SAME_DISTANCE * self._length_m,
                )  # fmt: skip
                R, t, columns = R[kept], t[kept], columns[kept]
            rounds = self._preset.search.outline.reach_px if problem.held else (0.0,)
            iterations = -(-pyramid.iterations[level] // len(rounds))
            prior, buffers = self._prior(start, pyramid, problem), self._details.buffers(pyramid.faces[level])
            ended = self._steps(problem, R, t, columns, best, rounds, iterations, prior, buffers)
            R, t, cost, best = ended.solution.R_m2c, ended.solution.t_m2c, ended.solution.cost, ended.best
        assert problem is not None
        closing = self._preset.search.outline
        if closing.closing_px and problem.outline is not None and problem.held and problem.colored:
            problem = replace(problem, outline=problem.outline.weighing(closing.closing))
            reaches, iterations = closing.closing_px, closing.closing_steps
            ended = self._steps(problem, R, t, columns, best, reaches, iterations, prior, buffers)
        return self._weighed(start, problem, rough or problem, columns, ended, voters)

    def _steps(
        self, problem: Problem, R: F64, t: F64, columns: NDArray[np.intp], best: Pose, reaches: tuple[float, ...],
        iterations: int, prior: Prior, buffers: Buffers,
    ) -> Ended:  # fmt: skip
        """Rounds of steps, before each of which edges are looked for anew, so far from the best pose's outline."""
        ended: Ended | None = None
        for reach_px in reaches:
            pull = self._pull(problem, best, buffers, reach_px)
            solution = self._minimise(problem, R, t, columns, iterations, prior, pull)
            ended = Ended(solution, int(np.argmin(solution.cost)), pull)
            R, t, best = solution.R_m2c, solution.t_m2c, ended.best
        assert ended is not None
        return ended

    def _pull(self, problem: Problem, pose: Pose, buffers: Buffers, reach_px: float) -> Pull | None:
        """Of the photograph's edges near a pose."""
        if problem.outline is None or not problem.held:
            return None
        images = Renderer(buffers.mesh, problem.raw.camera, buffers=buffers).render(pose.R_m2c, pose.t_m2c)
        rgb = images.rgb[0] if problem.colored else None
        return problem.outline.pull(images.coverage[0], images.depth[0], pose, reach_px, rgb)

    def _weighed(
        self, start: Pose, problem: Problem, rough: Problem, columns: NDArray[np.intp], ended: Ended,
        voters: tuple[F64, F64, F64] | None,
    ) -> Candidates:  # fmt: skip
        """What speaks for the winner."""
        best = ended.best
        images = Renderer(self._details.mesh, problem.observation.camera, buffers=self._details.buffers()).render(
            best.R_m2c, best.t_m2c
        )
        evidence = weigh(Drawing.of(images), problem.raw, problem.care, self._length_m)
        if problem.outline is not None:
            evidence = replace(evidence, outline=problem.outline.support(images.coverage[0], images.depth[0]))
        if voters is not None:
            evidence = replace(evidence, agreement=agreement(*voters, best, self._length_m))
        assert self._recorder is not None
        return Candidates(
            start, problem, rough, columns, ended.solution, ended.winner, self._recorder.last, evidence, ended.pull,
        )  # fmt: skip

    def _prepare(self, pose: Pose, size: int, faces: int, final: bool) -> Problem | Refused:
        box = projected_box(self._details.mesh, pose, self._observation.camera)
        if isinstance(box, Status):
            return box, None
        settings = CropSettings(size=size, margin=self._preset.crop.margin)
        problem = prepare(
            self._details.buffers(faces), self._observation, pose, choose_window(box, self._observation, settings),
            self._preset.objective, length_m=self._length_m, with_normal=True,
            light=self._preset.search.light, mask_error_px=self._preset.search.mask_error_px if final else 0.0,
            outline=self._preset.search.outline, mask_refused_px=self._preset.search.mask_refused_px,
        )  # fmt: skip
        return problem if problem.start_overlap > 0.0 else (Status.NO_OVERLAP, problem.window)

    def _prior(self, start: Pose, pyramid: PyramidSettings, problem: Problem) -> Prior:
        search = self._preset.search
        return Prior(
            start, np.radians(pyramid.angle_deg), pyramid.distance * self._length_m,
            search.prior_unmasked if problem.raw.mask is None else search.prior,
        )  # fmt: skip

    def _minimise(
        self, problem: Problem, R: F64, t: F64, columns: NDArray[np.intp], iterations: int, prior: Prior,
        pull: Pull | None,
    ) -> Solution:  # fmt: skip
        """Newton steps of one round, recorded."""
        recorder = self._recorder
        if recorder is None:
            recorder = self._recorder = Recorder(self._capacity, self._count, len(ALL_MODALITIES))
        seen: list[tuple[Evaluation, F64]] = []
        size = max(problem.window.size)

        def evaluate(R: F64, t: F64) -> Evaluation:
            evaluation = problem.objective(R, t)
            outline = np.zeros(len(t)) if pull is None else pull.add_to(evaluation, R, t)
            prior.add_to(evaluation, R, t)
            seen[:] = [(evaluation, outline)]
            return evaluation

        def watch(R: F64, t: F64, better: NDArray[np.bool_]) -> None:
            evaluation, outline = seen[0]
            each = problem.all_costs(evaluation.modality_costs, outline)
            recorder.record(R, t, evaluation.cost, each, columns, size)
            if not better.all():
                recorder.keep(columns[~better])
            if self._progress is not None:
                self._progress(recorder.last, self._capacity - 1, float(evaluation.cost.min()))

        return minimise(
            evaluate, R, t, length_m=0.5 * self._length_m, iterations=iterations,
            settings=self._preset.search.step, watch=watch,
        )  # fmt: skip

    def _outcome(self, found: Candidates) -> Outcome:
        assert self._recorder is not None
        best, solution = found.best, found.solution
        status = Status.CONVERGED if solution.last_gain[best] < _AT_REST else Status.ITERATION_LIMIT
        if found.confidence < self._preset.search.least_confidence:
            status = Status.FAILED
        polished = Polished(found.pose) if self._preset.search.polish.idle else self._polished(found)
        costs, modality_costs = found.problem.costs(self._pose, polished.pose, found.pull)
        winner = int(found.columns[best])
        if polished.moved:
            self._recorder.amend(
                found.last_iteration, winner, polished.pose, float(costs[1]), modality_costs[1], found.problem.counted
            )
        return Outcome(
            problem=found.problem, pose=polished.pose, status=status,
            cost=float(costs[1]), modality_costs=modality_costs[1],
            initial_cost=float(costs[0]), initial_modality_costs=modality_costs[0],
            history=self._recorder.history(np.ones(self._count), found.problem.counted),
            winner=winner, winner_iteration=found.last_iteration,
            evidence=found.evidence, confidence=found.confidence,
            covariance=polished.covariance, unobserved=polished.unobserved,
            notes=(*self._turned(found), *refused(found.problem), *polished.notes),
        )  # fmt: skip

    def _turned(self, found: Candidates) -> tuple[str, ...]:
        """A note, if the object is not the way round that the start has it."""
        if found.start is self._pose:
            return ()
        angle = np.degrees(found.pose.angle_to(self._pose))
        return (f"found the other way round: turned by {angle:.0f} degrees from the start",)

    def _polished(self, found: Candidates) -> Polished:
        problem, pose = found.problem, found.pose
        polish = polish_of(problem, pose, self._preset.search, self._details)
        if problem.outline is None or not problem.held or "depth" in problem.modalities:
            return polish(pose, found.start)
        return polish.held(pose, np.zeros((6, 6)) if found.pull is None else problem.outline.information(found.pull))


def refused(problem: Problem) -> tuple[str, ...]:
    """A note, if the mask was left out."""
    if problem.refused_px is None:
        return ()
    return (f"mask is off: its border is {problem.refused_px:.1f} pixels of the crop from the object's outline",)


def surer(one: Candidates, other: Candidates, surplus: float = 0.0) -> bool:
    """Whether the evidence speaks more for one than for the other, by more than a surplus of log odds."""
    return log_odds_of(one.evidence) > log_odds_of(other.evidence) + surplus


def without_first(pyramid: PyramidSettings) -> PyramidSettings:
    """The finer levels, from a single pose: for one that is known better than the start."""
    skipped = min(1, len(pyramid.sizes) - 1)
    sizes = pyramid.sizes[skipped:]
    return replace(
        pyramid, sizes=sizes, hypotheses=(1,) * len(sizes),
        iterations=pyramid.iterations[skipped:], faces=pyramid.faces[skipped:],
    )  # fmt: skip
