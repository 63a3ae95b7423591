"""How a search ends: which of its poses is right, the last steps, and what the search hands back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import replace_unchecked
from diffdope.estimate.confidence import right_minimum
from diffdope.estimate.fit_quality import FitQuality
from diffdope.estimate.robust_gauss_newton import RobustEstimate
from diffdope.estimate.start_weight import systematic, weighed
from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.problem.failure import Status
from diffdope.problem.level_problem import LevelProblem
from diffdope.problem.variables import Variables
from diffdope.scene.observation import Observation
from diffdope.search.alternatives.answers import Answers, along, answers_of
from diffdope.search.alternatives.approximate_symmetries import AnglePrior, ahead_of, turned_by_folds
from diffdope.search.alternatives.symmetric_alternatives import odds_of, odds_with_costs
from diffdope.search.candidates import Candidates
from diffdope.search.checks.border_fits import borne_out
from diffdope.search.checks.open_turn import left_of, open_turn
from diffdope.search.checks.outline_evidence import beside_edges, share_on_edges
from diffdope.search.checks.printed_scale import with_scale_told
from diffdope.search.features.feature_search import with_distance_error
from diffdope.search.history import Amended, Recorder
from diffdope.search.last_steps import LastSteps
from diffdope.search.mask_as_region import PlacedCandidates
from diffdope.search.mask_rejection import refused
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.outcome import Outcome
from diffdope.search.print_turn import told_by_print
from diffdope.search.rim_estimate import RimEstimate, rims_tell
from diffdope.search.search_inputs import SearchInputs
from diffdope.search.settings import SearchSettings
from diffdope.search.stages import Stages
from diffdope.search.start_error import left_to_the_start

F64 = NDArray[np.float64]

_AT_REST = 0.005  # share of its cost that one more step would take off a pose that has come to rest, at most


@dataclass(frozen=True)
class Ending:
    """Of one search.

    Attributes:
        inputs: of the search.
        start: of the search; the first proposal where none was given.
        stages: from the start; None where none was given.
        start_counts: whether the start, as good as the images find it to be, is weighed against them in the end.
        turns_open: whether poses are compared that are turned about an axis of revolution.
        boxed: whether keypoints found the object in a box: they tell sides apart.
        shown: the image in which the result's outline is looked for, if no mask held it; None where that is not asked.
        first_order: whether gradient descent led there, which has no confidence.
        within: of what start poses are compared that are turned by teeth, if they are.
    """

    inputs: SearchInputs
    start: Pose
    stages: Stages | None
    start_counts: bool
    turns_open: bool
    boxed: bool
    shown: Observation | None
    first_order: bool
    within: AnglePrior | None = None

    @property
    def _meshes(self) -> MeshLevels:
        """The object, about its own middle."""
        return self.inputs.meshes

    @property
    def _settings(self) -> SearchSettings:
        """Of the search."""
        return self.inputs.settings

    @property
    def _last(self) -> LastSteps:
        """The last steps."""
        return LastSteps(self.inputs, self.stages)

    def odds(self, choice: Sequence[Candidates]) -> F64:
        """Log odds (B,) of all that may be right, of which differences count; the first was found."""
        if self.boxed:  # keypoints speak for each
            return np.array([one.log_odds for one in choice])
        return self._odds([one.pose for one in choice], choice[0], [one.level for one in choice])

    def outcome(
        self, choice: Sequence[Candidates], odds: F64, placed: PlacedCandidates | None, recorder: Recorder, rates: F64
    ) -> Outcome:
        """The surest pose after the last steps, and what is known of it.

        Args:
            choice: all that may be right.
            odds: (B,) of each.
            placed: the surest beside its mask or, if the other images do not bear out its border, without it; None
                where depth and a mask are not both compared.
            recorder: has all iterates.
            rates: (H,) of all hypotheses.
        """
        found = choice[int(np.argmax(odds))]
        level, ended = found.level, found if placed is None else placed.found
        estimate = RobustEstimate(found.pose) if self._settings.polish.idle else self._weighed(ended, placed)
        unsure = None
        if not (self.inputs.filmed or self.first_order):
            estimate, unsure = told_by_print(estimate, level, self._meshes, self._settings.turns)
        most_deg = 0.0 if self.inputs.filmed else 180.0 if self.stages is None else self._settings.noise.spread_deg
        turn = open_turn(found.rough, estimate.pose, self._meshes, np.radians(most_deg))
        estimate = estimate.maybe_off(turn)
        edges = None
        if self.shown is not None and ("mask" not in self.shown.modalities or level.mask_refused_px is not None):
            edges = share_on_edges(self._meshes, self.shown, estimate.pose)
        on_edges = replace_unchecked(found.quality, edges=edges)
        seen = borne_out(replace_unchecked(found, quality=on_edges), estimate, self._meshes)
        choice, found = [seen if one is found else one for one in choice], seen
        near, wider = self._settings.near, self._settings.fallback_confidence > 0.0
        fixed = not (near.angle_deg or near.distance or wider)
        costs, each = costs_of(found, estimate, self.start, self._meshes.length_m, fixed=fixed)
        row, winner = found.winner_row, found.winner
        amended = Amended(row, winner, estimate.pose, float(costs[1]), each[1]) if estimate.moved else None
        history = recorder.history(len(rates), rates, level.counted, amended)
        answers = self._ranked(found, estimate, choice, odds)
        left = self.stages is not None and found is not choice[0]
        confidence = found.confidence if answers is None else answers.fit(left=left)
        answers = None if self.stages is not None else answers  # a start has none: a turn makes it less sure
        covariance = estimate.covariance
        if found.quality.matched is not None and covariance is not None:
            error = self._settings.features.error_of_distance(found.quality.matched)
            covariance = with_distance_error(covariance, estimate.pose, error)
        quality = None
        if not self.first_order:
            quality = replace_unchecked(self._quality(found, turn, estimate), print_open=unsure)
        return Outcome(
            level=level, start=self.start, pose=estimate.pose,
            status=status_of(found, confidence, answers, self._settings, first_order=self.first_order),
            cost=float(costs[1]), modality_costs=each[1], initial_cost=float(costs[0]), initial_modality_costs=each[0],
            history=history, winner=winner, winner_iteration=row,
            quality=quality, confidence=None if self.first_order else confidence,
            covariance=covariance, unobserved=estimate.unobserved, apart_m=found.apart_m,
            notes=(*self._turned(found), *refused(level), *ended.notes, *beside_edges(edges), *estimate.notes),
            gain=found.gain, answers=answers, curvature=None if self.first_order else found.curvature,
        )  # fmt: skip

    def _quality(self, found: Candidates, turn: F64, estimate: RobustEstimate) -> FitQuality:
        """Of the result, and of depth's scale; without last steps, with what one more would do, or a turn unseen."""
        if not self._settings.polish.idle or self.inputs.filmed:
            return with_scale_told(found, estimate, self._settings.noise, self._meshes.length_m)
        left = left_of(found.ended.solution.next_step, turn, found.pose, self._meshes)
        return replace_unchecked(found.quality, left=left)

    def _odds(self, poses: Sequence[Pose], found: Candidates, levels: Sequence[LevelProblem] = ()) -> F64:
        """Log odds (B,) of poses on the pixels of one of them, or their own levels', of which differences count.

        What lies where a start was given is preferred if nothing much speaks for another.
        """
        if len(poses) == 1:
            return np.zeros(1)
        given = found.level, self._meshes.buffers(), self._meshes.length_m
        if self.stages is None:
            return odds_with_costs(poses, *given, levels=levels)
        if self.within is not None:  # a start tells teeth apart as far as it is known how far off it may be
            return odds_with_costs(poses, *given, levels=levels) + self.within.log_prior(poses)
        if self.turns_open:
            return odds_with_costs(poses, *given, ahead=ahead_of(self.start, poses, found, self._meshes), levels=levels)
        return odds_of(poses, *given)

    def _ranked(
        self, found: Candidates, estimate: RobustEstimate, choice: Sequence[Candidates], odds: F64
    ) -> Answers | None:  # fmt: skip
        """The answers of a search with no start: how much more or less speaks for them than for the surest.

        Where the images leave a direction open, poses along it are as good, unless nobody would notice the difference;
        and so may those be that are turned by what most of the object has in common with itself.

        Args:
            found: the surest.
            estimate: its pose in the end.
            choice: all poses.
            odds: (B,) log odds, of which differences count.
        """
        if not ((everywhere := self.stages is None) or self.turns_open or found is not choice[0]):
            return None
        poses = [estimate.pose, *(one.pose for one in choice if one is not found)]
        # The last steps moved the surest alone, beside a mask that is off by more than what looks the same may be.
        moved = estimate.pose @ found.pose.inverse()
        compared = [estimate.pose, *(moved @ one for one in poses[1:])]
        others = np.array([value for one, value in zip(choice, odds, strict=True) if one is not found])
        less = np.concatenate([[0.0], others - odds.max()])
        open_ends = along(estimate.pose, estimate.unobserved) if everywhere else []
        if everywhere and found.quality.matched is None:  # keypoints tell sides apart
            open_ends += turned_by_folds(poses, self._meshes)
        if open_ends:
            beside = self._odds([estimate.pose, *open_ends], found)
            less = np.append(less, np.minimum(beside[1:] - beside[0], 0.0))
            poses, compared = poses + open_ends, compared + open_ends
        return answers_of(
            poses, found.log_odds + less, self._meshes.alikeness, compared=compared, apart_m=self._meshes.apart_m,
            tolerance_m=self._settings.confidence.tolerance_of(self._meshes.length_m),
        )  # fmt: skip

    def _turned(self, found: Candidates) -> tuple[str, ...]:
        """A note, if the object is not the way round that the start has it."""
        if found.start is self.start or self.stages is None:
            return ()
        angle = np.degrees(found.pose.angle_to(self.start))
        return (Note(NoteCode.TURNED, f"found turned by {angle:.0f} degrees from the start"),)

    def _weighed(self, found: Candidates, placed: PlacedCandidates | None) -> RobustEstimate:
        """The estimate, between what the images say and the start, where that has something to say."""
        by_rims, near = self._by_rims(found), self._settings.near
        if placed is not None:
            estimate = placed.estimate
        else:
            estimate = self._last.estimate(found) if by_rims is None else by_rims[0]
        # Rims tell the distance by sizes, which the start bears out or not, beside a mask as without one.
        known, share = estimate.uncertainty, left_to_the_start(found, self._settings) if by_rims is None else 1.0
        if known is None or not self.start_counts or not (share and near.angle_deg and near.distance):
            return estimate
        length_m, images = self._meshes.length_m, known.covariance if by_rims is None else by_rims[1]
        one = weighed(
            estimate.pose, images, self.start, angle_rad=np.radians(near.angle_deg),
            distance_m=near.distance * length_m, share=share,
            elongation=2.0 * float(np.linalg.norm(estimate.pose.t_m2c)) / length_m,
        )  # fmt: skip
        covariance = one.covariance
        if by_rims is None:  # edges alone hold an outline: of a wrong one, the way from the start tells nothing of it
            covariance = found.confidence * covariance + (1.0 - found.confidence) * known.covariance
        return replace(estimate, pose=one.pose, uncertainty=replace(known, covariance=covariance), moved=True)

    def _by_rims(self, found: Candidates) -> tuple[RobustEstimate, F64] | None:
        """The estimate by rims and covariances (K, 6, 6), one of which is right; None where they do not tell."""
        if self.stages is None or not rims_tell(found, self._meshes.mesh, self._settings, self.inputs.objective):
            return None
        rims = RimEstimate(found.level, self._meshes, self.inputs.objective, found.pose)
        estimate = self._last.steps(found, rims.beside)(found.pose, found.start)
        known = estimate.uncertainty
        if not estimate.moved or known is None:
            return None
        every = systematic(estimate.pose, rims.shared(estimate))
        return replace(estimate, uncertainty=replace(known, covariance=every.mean(axis=0))), every


def status_of(
    found: Candidates, confidence: float, answers: Answers | None, settings: SearchSettings, *, first_order: bool
) -> Status:  # fmt: skip
    """Whether a result is to be believed, and has come to rest.

    Args:
        found: the result.
        confidence: in it.
        answers: of a search with no start.
        settings: of the search.
        first_order: whether gradient descent led there, which has no confidence.
    """
    solution = found.ended.solution
    if first_order and found.winner_row == 0:
        return Status.FAILED
    told = right_minimum(confidence, started=True) if answers is None else answers.of_first
    rivalled = answers is not None and answers.rivalled and settings.least_confidence > 0.0
    if not first_order and (rivalled or told < settings.least_confidence):
        return Status.AMBIGUOUS if answers is not None and answers.ambiguous else Status.FAILED
    best = solution.best
    rest = solution.converged[best] or (not first_order and solution.share_left < _AT_REST)
    return Status.CONVERGED if rest else Status.ITERATION_LIMIT


def costs_of(
    found: Candidates, estimate: RobustEstimate, start: Pose, length_m: float, *, fixed: bool
) -> tuple[F64, F64]:  # fmt: skip
    """Costs (2,) and modality costs (2, M) of start and result at the last level, without what the prior adds.

    Args:
        found: the result before its last steps.
        estimate: and after.
        start: of the whole search.
        length_m: the object's diameter.
        fixed: whether no search has a prior: then its iterates have these costs.
    """
    level, ended = found.level, found.ended
    known = fixed and not estimate.moved
    solution, best = ended.solution, ended.solution.best
    rows = [0, found.winner_row - ended.first_row]
    costs, each = solution.history_cost[rows, best], solution.history_each[rows, best]
    if known and (begun := found.begun) is not None:
        costs[0], each[0] = begun.cost_of_start(best, ended)
    elif not known or found.levels > 1 or ended.first_row > 0:
        ends = [start] if known else [start, estimate.pose]
        drawn = level.problem(Variables.one_object(0.5 * length_m), None, ended.quadratics).evaluate(
            np.stack([p.R_m2c for p in ends]), np.stack([p.t_m2c for p in ends]), with_normal=False
        )  # fmt: skip
        costs[: len(ends)], each[: len(ends)] = drawn.cost, drawn.each
    return costs, level.unweighted(each)[:, level.counted]
