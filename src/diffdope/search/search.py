"""A refinement: proposals, levels, selection, estimate.

Presets differ in their numbers only. A search near the start, a wider one where that does not convince, a look at the
symmetric alternatives, and the last steps: each is made where the settings ask for it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.robust_gauss_newton import RobustEstimate, robust_gauss_newton
from diffdope.geometry.crop import Box
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Failure, Status
from diffdope.problem.level_problem import LevelProblem, contour_weight, pose_evidence
from diffdope.problem.variables import Variables
from diffdope.scene.observation import Observation
from diffdope.search.answers import Answers, along, answers_of
from diffdope.search.box_masks import Mask, masks_in_box
from diffdope.search.by_features import search_by_features, with_distance_error
from diffdope.search.closest_points import aligned, measured_points
from diffdope.search.contradictions import of_departure, of_kind, of_size
from diffdope.search.descent import Candidates, Descent, Hypotheses, Progress, iterates_of
from diffdope.search.everywhere import pyramids_everywhere, search_everywhere
from diffdope.search.history import Amended, Recorder
from diffdope.search.keyframes import Keyframes
from diffdope.search.levels import PyramidSettings
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.outcome import Outcome
from diffdope.search.pieces import pieces
from diffdope.search.proposals import around_prior
from diffdope.search.registration import note_on_shift
from diffdope.search.settings import SearchSettings
from diffdope.search.start_error import kept_along_view, reach_of
from diffdope.search.symmetric_alternatives import odds_of, symmetric_alternatives
from diffdope.search.view_sphere import view_sphere
from diffdope.search.wrong_masks import off_px, without_mask
from diffdope.solve.gradient_descent import DescentSettings, descend
from diffdope.solve.levenberg_marquardt import SolverResult
from diffdope.terms.photometric_gain import PhotometricGain
from diffdope.terms.registry import ObjectiveSettings

F64 = NDArray[np.float64]

ALTERNATIVES = 3  # poses that are refined the other way round, of those that look better
_SURPLUS = 1.0  # log odds by which a far result must be surer where edges hold the outline: some fit everywhere
_AT_HOME = 0.75  # near searches that stayed well within what they take for possible found the start as good as stated
_LOYALTY = 2.0  # log odds by which a far result must be surer than theirs
_HALF_WAY_RAD = np.radians(15.0)  # about half of what is between neighbours of the view sphere
_MOVED = 1.0  # near searches that went farther than they were meant to have found the start worse than stated
_AT_REST = 0.005  # share by which the last step lowered the cost of a pose that has come to rest


class Search:
    """One refinement.

    Args:
        meshes: the object, about its own middle.
        observation: the whole image.
        pose: the start; None to look everywhere, which needs a mask or a box.
        settings: of the search.
        objective: of the terms.
        margin: of crops.
        seed: of the proposals.
        descent: of first-order descents; None for Levenberg-Marquardt.
        progress: called as progress(iteration, iterations, lowest cost).
        keyframes: what a film has shown of the object so far.
        box: first and last column and row (x0, y0, x1, y1) of the object's visible part, where it is to be found by
            keypoints of the photograph.
    """

    def __init__(
        self,
        meshes: MeshLevels,
        observation: Observation,
        pose: Pose | None,
        settings: SearchSettings,
        objective: ObjectiveSettings,
        *,
        margin: float,
        seed: int,
        descent: DescentSettings | None = None,
        progress: Progress | None = None,
        keyframes: Keyframes | None = None,
        box: Box | None = None,
    ) -> None:
        self._box = box
        self._meshes, self._observation, self._start = meshes, observation, pose
        self._settings, self._objective, self._first_order = settings, objective, descent
        self._everywhere = pose is None
        self._answers: list[Candidates] = []
        self._rng = np.random.default_rng(seed)
        self._length_m = meshes.length_m
        self._recorder = Recorder()
        unseen = observation.without_mask()
        held, held_unseen = (contour_weight(o, settings.outline, objective, meshes.mesh) for o in (observation, unseen))
        self._held = held > 0.0
        self._held_unseen = held_unseen > 0.0 and not self._held and settings.mask_refused_px > 0.0
        self._again = settings.near.of_one_pose(1)
        first = (settings.near, settings.far) if pose is not None else pyramids_everywhere(settings)
        self._reach_of_aligned = settings.near
        self._first_aligned = sum(pyramid.hypotheses[0] for pyramid in first)
        kept = settings.closest_points.count(observation) if pose is not None else 0
        self._count = self._first_aligned + kept + ALTERNATIVES
        self._rates = np.ones(self._count)
        solver: dict[str, Any] = {}
        if descent is not None:
            self._count = descent.hypotheses
            self._rates = descent.rates(seed)
            solver = {"solve": partial(first_order, descent=descent, rates=self._rates), "with_normal": False}
        self._descent = Descent(
            meshes, observation, settings, objective, margin, self._recorder,
            progress=progress, expected=self._most() if progress is not None else 1,
            keyframes=keyframes, **solver,
        )  # fmt: skip

    def run(self, *, followed: PhotometricGain | None = None, near: bool = False) -> Outcome | Failure:
        """The best pose found, or why nothing could be compared.

        Args:
            followed: the light of the frame before, if the object was found there and is expected here to a few pixels.
            near: it is expected so near that the last level will do.
        """
        if self._start is None:
            found = self._anywhere()
        elif near:
            levels = self._settings.near.of_one_pose(len(self._settings.near.levels) - 1)
            alone = self._proposals(self._pose, levels, 0)
            found = self._descent.run(levels, alone, self._pose, followed=followed, near=True)
        else:
            found = self._found()
            if isinstance(found, Candidates):
                found = self._without_wrong_mask(found)
        if isinstance(found, Failure):
            return found
        # A frame that is followed has been doubted when it was begun, and is held against the frames before.
        found, notes = (found, ()) if near else self._doubted(found)
        choice = self._choice(found)
        if self._box is None:
            odds = self._odds([one.pose for one in choice], found)
        else:  # keypoints speak for each
            odds = np.array([one.log_odds for one in choice])
        outcome = self._outcome(choice[int(np.argmax(odds))], choice, odds)
        why = " ".join(note for note in notes if note.startswith("contradiction"))
        return replace(outcome, notes=(*outcome.notes, *notes), why=why)

    def _without_wrong_mask(self, found: Candidates) -> Candidates:
        """The same, or what edges find from the start where the mask is off and is all there is beside them."""
        if not self._held_unseen:
            return found
        border_px = off_px(found, self._meshes)
        if border_px < self._settings.mask_refused_px:
            return found
        hides = Observation(self._observation.camera, mask=self._observation.mask)
        descent = self._descent.of(self._observation.without_mask(), hides)

        def run(start: Pose) -> Candidates | Failure:
            near = self._settings.near
            return descent.run(near, self._proposals(start, near, 0), start)

        best = without_mask(run, self._pose, found, border_px, _SURPLUS)
        if best is not found:
            self._descent = descent  # alternatives are refined as the result was
        return best

    def _doubted(self, found: Candidates) -> tuple[Candidates, tuple[str, ...]]:
        """The same, less sure where something contradicts it, and what is to be known of it."""
        if not self._settings.contradictions:
            return found, ()
        step = self._settings.step.at_level(last=True, with_depth="depth" in found.level.modalities)
        by_depth = [of(found.rough, found.pose, self._length_m, step) for of in (of_size, of_kind)]
        every = [min(by_depth, key=lambda one: one.share)]  # depth is too far for one reason at a time
        if not self._everywhere:
            allowed_m = self._settings.far.distance * self._length_m
            every.append(of_departure(found.level, found.pose, self._pose, allowed_m))
        every = [one for one in every if one.note]
        shifted = note_on_shift(found.rough, found.level, found.pose, self._length_m)
        notes = (*(one.note for one in every), *([shifted] if shifted else []))
        if not every:
            return found, notes
        at_most = min(one.at_most for one in every)
        doubted = replace(found, at_most=at_most)
        self._answers = [doubted if one is found else replace(one, at_most=at_most) for one in self._answers]
        return doubted, notes

    def masks_in_box(self, box: Box) -> list[Mask] | Failure:
        """Masks (H, W) in which the object may be, the likeliest first; see `box_masks.masks_in_box`."""
        return masks_in_box(self._descent, self._meshes, self._observation, box, self._settings)

    def pieces(self, seed: int) -> list[Mask] | Failure:
        """Masks (H, W) of pieces that stand out and may be the object, the likeliest first; see `pieces.pieces`."""
        s = self._settings
        found = pieces(self._meshes, self._observation, s.view_sphere, s.pieces, seed)
        return found or Failure(Status.NO_OVERLAP)

    def _odds(self, poses: list[Pose], found: Candidates) -> F64:
        """Log odds (B,) of poses on the pixels of one of them, of which differences count.

        The first, or what lies where a start was given, is preferred if nothing much speaks for another.
        """
        if len(poses) == 1:
            return np.zeros(1)
        ahead = {"ahead": 0.0} if self._everywhere else {}
        return odds_of(poses, found.level, self._meshes.buffers(), self._length_m, **ahead)

    def _most(self) -> int:
        """Iterates that all descents make at most, less one."""
        unseen, s = self._observation.without_mask(), self._settings
        pyramids = [s.near if self._start is not None else s.everywhere]
        if self._start is not None and s.fallback_confidence > 0.0:
            pyramids.append(s.far)
        if s.symmetric_alternatives:
            pyramids += [self._again] * ALTERNATIVES
        if self._held_unseen and self._start is not None:
            pyramids += [s.near] * 2
        return sum(iterates_of(pyramid, s, self._objective, unseen, self._meshes.mesh) for pyramid in pyramids) - 1

    def _proposals(self, start: Pose, pyramid: PyramidSettings, column: int) -> Hypotheses:
        """Poses around a start, numbered from a column on."""
        count = pyramid.levels[0].hypotheses
        R, t = around_prior(
            start, count, rng=self._rng,
            angle_rad=np.radians(pyramid.angle_deg), distance_m=pyramid.distance * self._length_m,
        )  # fmt: skip
        return Hypotheses(R, t, np.arange(column, column + count))

    def _around(self, start: Pose, pyramid: PyramidSettings, column: int) -> Candidates | Failure:
        return self._descent.run(pyramid, self._proposals(start, pyramid, column), start)

    @property
    def _pose(self) -> Pose:
        """The start, or the first proposal where none is given."""
        assert self._start is not None
        return self._start

    def _anywhere(self) -> Candidates | Failure:
        """What is found with no start pose; the first proposal stands for the start from then on."""
        given = self._descent, self._meshes, self._observation
        if self._box is None:
            found = search_everywhere(*given, self._settings, self._again)
        else:
            found = search_by_features(*given, self._box, self._settings, self._again)
        if isinstance(found, Failure):
            return found
        self._start, self._answers = found.proposal, found.answers
        return found.best

    def _far(self, column: int) -> Candidates | Failure:
        """The wider search: from what is laid over the mask with rotations near the start's, or from all around it."""
        pyramid = self._settings.far
        if "mask" not in self._observation.modalities:
            return self._around(self._pose, pyramid, column)
        pyramid = pyramid.of_fewer(self._settings.laid)
        proposals = self._proposals(self._pose, pyramid, column)
        laid = view_sphere(
            self._meshes, self._observation, self._settings.view_sphere, pyramid.hypotheses[0] - 1,
            around=self._pose, angle_rad=np.radians(pyramid.angle_deg) + _HALF_WAY_RAD,
        )  # fmt: skip
        if isinstance(laid, Failure):
            return laid
        R, t = np.concatenate([proposals.R[:1], laid.R]), np.concatenate([proposals.t[:1], laid.t])
        return self._descent.run(pyramid, Hypotheses(R, t, proposals.columns[: len(t)]), self._pose)

    def _found(self) -> Candidates | Failure:
        """What the near search found, or the far one."""
        search = self._settings
        first = self._near()
        if search.fallback_confidence <= 0.0 or not self._doubtful(first):
            return first
        second = self._far(search.near.hypotheses[0])
        if isinstance(second, Failure):
            return first
        if isinstance(first, Failure) or second.surer_than(first, self._surplus_over(first)):
            return second
        return first

    def _near(self) -> Candidates | Failure:
        """What is found from poses around the start, and from those that measured points lead to."""
        search, start = self._settings, self._pose
        proposals = self._proposals(start, search.near, 0)
        if not search.closest_points.count(self._observation) or not self._objective.depth_weight > 0.0:
            return self._descent.run(search.near, proposals, start)
        seen = measured_points(self._observation, search.closest_points.points)
        by_colour = self._meshes.mesh.has_pattern and "rgb" in self._observation.modalities
        R, t, told = aligned(
            self._meshes.surface, seen, start, search.closest_points,
            diameter_m=self._length_m, stays=not by_colour, rng=self._rng,
        )  # fmt: skip
        # Where colours alone tell a turn, the wider search has a look, as if they had led there from the start.
        self._reach_of_aligned = search.far if told or not by_colour else search.near
        columns = np.append(proposals.columns, self._first_aligned + np.arange(len(t)))
        every = Hypotheses(np.concatenate([proposals.R, R]), np.concatenate([proposals.t, t]), columns)
        return self._descent.run(self._as_far(search.near), every, start)

    def _as_far(self, pyramid: PyramidSettings) -> PyramidSettings:
        """Its levels with the prior of the wider search, unless it has none: aligned poses may be as far away."""
        if not (pyramid.angle_deg or pyramid.distance):
            return pyramid
        return replace(pyramid, angle_deg=self._settings.far.angle_deg, distance=self._settings.far.distance)

    def _choice(self, found: Candidates) -> list[Candidates]:
        """What was found, and what else may be right: other answers, or the same turned."""
        choice = [found, *(one for one in self._answers if one is not found)]
        if not self._settings.symmetric_alternatives or self._box is not None:  # keypoints tell sides apart
            return choice
        buffers = self._meshes.buffers(self._again.faces[0])
        turned = symmetric_alternatives(
            found.pose, self._meshes.approximate_symmetries, found.rough, buffers, self._length_m
        )
        for number, start in enumerate(turned[:ALTERNATIVES]):
            other = self._around(start, self._again, self._count - ALTERNATIVES + number)
            if isinstance(other, Candidates):
                choice.append(replace(other.agreeing(found.quality.agreement), at_most=found.at_most))
        return choice

    def _ranked(
        self, found: Candidates, estimate: RobustEstimate, choice: list[Candidates], odds: F64
    ) -> Answers | None:  # fmt: skip
        """The answers of a search with no start: how much more or less speaks for them than for the surest.

        Where the images leave a direction open, poses along it are as good, unless nobody would notice the difference.

        Args:
            found: the surest.
            estimate: its pose in the end.
            choice: all poses.
            odds: (B,) log odds, of which differences count.
        """
        if not self._everywhere:
            return None
        poses = [estimate.pose, *(one.pose for one in choice if one is not found)]
        others = np.array([value for one, value in zip(choice, odds, strict=True) if one is not found])
        less = np.concatenate([[0.0], others - odds.max()])
        open_ends = along(estimate.pose, estimate.unobserved)
        if open_ends:
            beside = self._odds([estimate.pose, *open_ends], found)
            poses, less = [*poses, *open_ends], np.append(less, np.minimum(beside[1:] - beside[0], 0.0))
        return answers_of(poses, found.log_odds + less, self._meshes.alikeness)

    def _doubtful(self, found: Candidates | Failure) -> bool:
        """Whether the near search's result does not convince: a wider one should have a look."""
        if isinstance(found, Failure):
            return found.status is Status.FAILED
        return found.doubtful(self._settings.fallback_confidence) or self._moved(found) > _MOVED

    def _surplus_over(self, found: Candidates) -> float:
        """Log odds by which a far result must be surer than the near search's."""
        if self._held:
            return _SURPLUS
        return _LOYALTY if self._moved(found) < _AT_HOME else 0.0

    def _moved(self, found: Candidates) -> float:
        """How far the best pose is from the start, in units of what the search that led there takes for possible."""
        was_aligned = self._first_aligned <= found.winner < self._count - ALTERNATIVES
        near, best = self._reach_of_aligned if was_aligned else self._settings.near, found.pose
        angle = best.angle_to(self._pose) / max(np.radians(near.angle_deg), 1e-6)
        return float(max(angle, best.distance_to(self._pose) / max(near.distance * self._length_m, 1e-9)))

    def _outcome(self, found: Candidates, choice: list[Candidates], odds: F64) -> Outcome:
        level = found.level
        estimate = RobustEstimate(found.pose) if self._settings.polish.idle else self._estimate(found)
        costs, each = self._costs(found, estimate)
        row, winner = found.winner_row, found.winner
        amended = None
        if estimate.moved:
            amended = Amended(row, winner, estimate.pose, float(costs[1]), each[1])
        history = self._recorder.history(self._count, self._rates, level.counted, amended)
        assessed = self._first_order is None
        answers = self._ranked(found, estimate, choice, odds)
        confidence = found.confidence if answers is None else answers.ranked[0].probability
        covariance = estimate.covariance
        if self._box is not None and covariance is not None:
            error = self._settings.features.error_of_distance(found.quality.matched or 0.0)
            covariance = with_distance_error(covariance, estimate.pose, error)
        return Outcome(
            level=level, start=self._pose, pose=estimate.pose, status=self._status(found, confidence, answers),
            cost=float(costs[1]), modality_costs=each[1], initial_cost=float(costs[0]), initial_modality_costs=each[0],
            history=history, winner=winner, winner_iteration=row,
            quality=found.quality if assessed else None, confidence=confidence if assessed else None,
            covariance=covariance, unobserved=estimate.unobserved,
            notes=(*self._turned(found), *refused(level), *estimate.notes), gain=found.gain,
            answers=answers,
        )  # fmt: skip

    def _status(self, found: Candidates, confidence: float, answers: Answers | None) -> Status:
        solution = found.ended.solution
        if self._first_order is not None and found.winner_row == 0:
            return Status.FAILED
        if self._first_order is None and confidence < self._settings.least_confidence:
            return Status.AMBIGUOUS if answers is not None and answers.ambiguous else Status.FAILED
        best = solution.best
        rest = solution.converged[best] or (self._first_order is None and solution.last_reduction[best] < _AT_REST)
        return Status.CONVERGED if rest else Status.ITERATION_LIMIT

    def _costs(self, found: Candidates, estimate: RobustEstimate) -> tuple[F64, F64]:
        """Costs (2,) and modality costs (2, M) of start and result at the last level, without what the prior adds."""
        level, ended = found.level, found.ended
        own = found.levels == 1 and ended.first_row == 0 and not estimate.moved and ended.contour is None
        if own and not (self._settings.near.angle_deg or self._settings.near.distance):
            solution, best = ended.solution, ended.solution.best
            rows = [0, found.winner_row]
            each = level.unweighted(solution.history_each[rows, best])
            return solution.history_cost[rows, best], each[:, level.counted]
        ends = (self._pose, estimate.pose)
        problem = level.problem(Variables.one_object(0.5 * self._length_m), None, ended.quadratics)
        evaluation = problem.evaluate(np.stack([p.R_m2c for p in ends]), np.stack([p.t_m2c for p in ends]))
        return evaluation.cost, level.unweighted(evaluation.each)[:, level.counted]

    def _turned(self, found: Candidates) -> tuple[str, ...]:
        """A note, if the object is not the way round that the start has it."""
        if found.start is self._pose or self._everywhere:
            return ()
        angle = np.degrees(found.pose.angle_to(self._pose))
        return (f"found the other way round: turned by {angle:.0f} degrees from the start",)

    def _estimate(self, found: Candidates) -> RobustEstimate:
        """The last steps, and how far off the pose may be."""
        level, search, contour = found.level, self._settings, found.ended.contour
        refine = robust_gauss_newton(
            level, found.pose, length_m=self._length_m, tilt=self._meshes.tilt, gain=search.light,
            settings=search.polish, noise=search.noise,
            beside=lambda pose: pose_evidence(self._meshes.corners_m, pose, self._objective),
            reach=reach_of(search, nearby=not self._everywhere and self._moved(found) <= _MOVED),
            kept=0.0 if self._everywhere else kept_along_view(found, search), border_px=found.border_px,
        )  # fmt: skip
        if level.contours is None or not level.contour_active or "depth" in level.modalities:
            return refine(found.pose, found.start)
        information = np.zeros((6, 6)) if contour is None else level.contours.information(contour)
        return refine.held(found.pose, information)


def first_order(problem: object, R: F64, t: F64, *, descent: DescentSettings, rates: F64, **_: object) -> SolverResult:
    """`gradient_descent.descend` with the arguments of `levenberg_marquardt.minimise`."""
    return descend(problem, R, t, descent, rates)  # type: ignore[arg-type]


def refused(level: LevelProblem) -> tuple[str, ...]:
    """A note, if the mask was left out."""
    if level.mask_refused_px is None:
        return ()
    return (f"mask is off: its border is {level.mask_refused_px:.1f} pixels of the crop from the object's outline",)
