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
from diffdope.estimate.start_weight import weighed
from diffdope.geometry.crop import Box
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Failure, Status
from diffdope.problem.level_problem import pose_evidence
from diffdope.problem.level_settings import contour_weight
from diffdope.scene.observation import Observation
from diffdope.search.answers import Answers, along, answers_of
from diffdope.search.box_masks import Mask, masks_in_box
from diffdope.search.by_features import search_by_features, with_distance_error
from diffdope.search.candidates import Candidates, Hypotheses
from diffdope.search.contradictions import of_departure, of_kind, of_size
from diffdope.search.descent import Descent, Progress
from diffdope.search.ending import costs_of, first_order, refused, status_of
from diffdope.search.everywhere import pyramids_everywhere, search_everywhere
from diffdope.search.history import Amended, Recorder
from diffdope.search.iterates import iterates_of
from diffdope.search.keyframes import Keyframes
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.other_ways import other_ways
from diffdope.search.outcome import Outcome
from diffdope.search.pieces import pieces
from diffdope.search.registration import note_on_shift
from diffdope.search.settings import SearchSettings
from diffdope.search.stages import AT_HOME, MOVED, SURPLUS, Stages
from diffdope.search.start_error import kept_along_view, left_to_the_start, reach_of
from diffdope.search.symmetric_alternatives import FIRST, odds_of, odds_with_costs
from diffdope.search.wrong_masks import off_px, without_mask
from diffdope.solve.gradient_descent import DescentSettings
from diffdope.terms.photometric_gain import PhotometricGain
from diffdope.terms.registry import ObjectiveSettings

F64 = NDArray[np.float64]

_TOLD = 3.5  # log odds beyond which the turn of what lies where it was expected is not doubted
ALTERNATIVES = 3  # poses that are refined the other way round, of those that look better


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
        self._start_counts = False
        self._answers: list[Candidates] = []
        self._turns_open = False
        self._length_m = meshes.length_m
        self._recorder = Recorder()
        unseen = observation.without_mask()
        held, held_unseen = (contour_weight(o, settings.outline, objective, meshes.mesh) for o in (observation, unseen))
        self._held_unseen = held_unseen > 0.0 and not held > 0.0 and settings.mask_refused_px > 0.0
        self._again = settings.near.of_one_pose(1)
        first = (settings.near, settings.far) if pose is not None else pyramids_everywhere(settings)
        first_aligned = sum(pyramid.hypotheses[0] for pyramid in first)
        kept = settings.closest_points.count(observation) if pose is not None else 0
        self._count = first_aligned + kept + ALTERNATIVES
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
        self._stages = None if pose is None else Stages(
            meshes, observation, pose, settings, self._descent, np.random.default_rng(seed),
            depth_counts=objective.depth_weight > 0.0, held=held > 0.0, first_aligned=first_aligned,
        )  # fmt: skip

    def run(
        self, *, followed: PhotometricGain | None = None, near: bool = False, start_counts: bool = False
    ) -> Outcome | Failure:
        """The best pose found, or why nothing could be compared.

        Args:
            followed: the light of the frame before, if the object was found there and is expected here to a few pixels.
            near: it is expected so near that the last level will do.
            start_counts: whether the start, as good as the images find it to be, is weighed against them in the end.
        """
        self._start_counts = start_counts and not self._everywhere
        if self._stages is None:
            found = self._anywhere()
        elif near:
            levels = self._settings.near.of_one_pose(len(self._settings.near.levels) - 1)
            alone = Hypotheses.of(self._pose, 0)
            found = self._descent.run(levels, alone, self._pose, followed=followed, near=True)
        else:
            found = self._stages.run()
            if isinstance(found, Candidates):
                found = self._without_wrong_mask(found, self._stages)
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

    def _without_wrong_mask(self, found: Candidates, stages: Stages) -> Candidates:
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
            return descent.run(near, stages.proposals(start, near, 0), start)

        best = without_mask(run, self._pose, found, border_px, SURPLUS)
        if best is not found:
            self._descent = descent  # alternatives are refined as the result was
        return best

    def _doubted(self, found: Candidates) -> tuple[Candidates, tuple[str, ...]]:
        """The same, less sure where something contradicts it, and what is to be known of it."""
        if not self._settings.contradictions:
            return found, ()
        step = self._settings.step.at_level(last=True, with_depth="depth" in found.level.modalities)
        given = found.rough, found.pose, self._length_m, step
        by_depth = [of_size(*given, overlap=found.quality.overlap, log_odds=found.log_odds), of_kind(*given)]
        every = [min(by_depth, key=lambda one: one.share)]  # depth is too far for one reason at a time
        if not self._everywhere:
            allowed_m = self._settings.far.distance * self._length_m
            every.append(of_departure(found.level, found.pose, self._pose, allowed_m))
        every = [one for one in every if one.note]
        shifted = note_on_shift(found.rough, found.level, found.pose, self._length_m)
        notes = (*(one.note for one in every), *([shifted] if shifted else []))
        if not every:
            return found, notes
        at_most, off_m = min(one.at_most for one in every), max(one.off_m for one in every)
        doubted = replace(found, at_most=at_most, off_along_view_m=off_m)
        self._answers = [doubted if one is found else doubted.doubt_of(one) for one in self._answers]
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

        What lies where a start was given is preferred if nothing much speaks for another.
        """
        if len(poses) == 1:
            return np.zeros(1)
        given = found.level, self._meshes.buffers(), self._length_m
        if not (self._everywhere or self._turns_open):
            return odds_of(poses, *given)
        return odds_with_costs(poses, *given, ahead=0.0 if self._everywhere else FIRST)

    def _most(self) -> int:
        """Iterates that all descents make at most, less one."""
        unseen, s = self._observation.without_mask(), self._settings
        pyramids = [s.near if self._start is not None else s.everywhere]
        if self._start is not None and s.fallback_confidence > 0.0:
            pyramids.append(s.far)
        if s.symmetric_alternatives or (s.turns.count and self._meshes.axis is not None):
            pyramids += [self._again] * ALTERNATIVES
        if self._held_unseen and self._start is not None:
            pyramids += [s.near] * 2
        return sum(iterates_of(pyramid, s, self._objective, unseen, self._meshes.mesh) for pyramid in pyramids) - 1

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

    def _choice(self, found: Candidates) -> list[Candidates]:
        """What was found, and what else may be right: other answers, or the same turned."""
        choice = [found, *(one for one in self._answers if one is not found)]
        if self._box is not None:  # keypoints tell sides apart
            return choice
        given = None if self._everywhere else self._pose
        told = self._stages is not None and found.log_odds > _TOLD and self._stages.moved(found) <= AT_HOME
        turned, self._turns_open = other_ways(
            found, self._meshes, self._descent, self._settings, given, self._again.faces[0], told=told
        )
        for number, start in enumerate(turned[:ALTERNATIVES]):
            alone = Hypotheses.of(start, self._count - ALTERNATIVES + number)
            other = self._descent.run(self._again, alone, start)
            if isinstance(other, Candidates):
                choice.append(found.doubt_of(other.agreeing(found.quality.agreement)))
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
        if not (self._everywhere or self._turns_open):
            return None
        poses = [estimate.pose, *(one.pose for one in choice if one is not found)]
        others = np.array([value for one, value in zip(choice, odds, strict=True) if one is not found])
        less = np.concatenate([[0.0], others - odds.max()])
        open_ends = along(estimate.pose, estimate.unobserved) if self._everywhere else []
        if open_ends:
            beside = self._odds([estimate.pose, *open_ends], found)
            poses, less = [*poses, *open_ends], np.append(less, np.minimum(beside[1:] - beside[0], 0.0))
        return answers_of(poses, found.log_odds + less, self._meshes.alikeness)

    def _outcome(self, found: Candidates, choice: list[Candidates], odds: F64) -> Outcome:
        level = found.level
        estimate = RobustEstimate(found.pose) if self._settings.polish.idle else self._weighed(found)
        fixed = not (self._settings.near.angle_deg or self._settings.near.distance)
        costs, each = costs_of(found, estimate, self._pose, self._length_m, fixed=fixed)
        row, winner = found.winner_row, found.winner
        amended = None
        if estimate.moved:
            amended = Amended(row, winner, estimate.pose, float(costs[1]), each[1])
        history = self._recorder.history(self._count, self._rates, level.counted, amended)
        assessed = self._first_order is None
        answers = self._ranked(found, estimate, choice, odds)
        confidence = found.confidence if answers is None else answers.ranked[0].probability
        if not self._everywhere:  # a start has no answers beside it: what speaks for another turn makes it less sure
            answers = None
        covariance = estimate.covariance
        if self._box is not None and covariance is not None:
            error = self._settings.features.error_of_distance(found.quality.matched or 0.0)
            covariance = with_distance_error(covariance, estimate.pose, error)
        return Outcome(
            level=level, start=self._pose, pose=estimate.pose,
            status=status_of(found, confidence, answers, self._settings, first_order=not assessed),
            cost=float(costs[1]), modality_costs=each[1], initial_cost=float(costs[0]), initial_modality_costs=each[0],
            history=history, winner=winner, winner_iteration=row,
            quality=found.quality if assessed else None, confidence=confidence if assessed else None,
            covariance=covariance, unobserved=estimate.unobserved,
            notes=(*self._turned(found), *refused(level), *estimate.notes), gain=found.gain,
            answers=answers,
        )  # fmt: skip

    def _turned(self, found: Candidates) -> tuple[str, ...]:
        """A note, if the object is not the way round that the start has it."""
        if found.start is self._pose or self._everywhere:
            return ()
        angle = np.degrees(found.pose.angle_to(self._pose))
        return (f"found the other way round: turned by {angle:.0f} degrees from the start",)

    def _weighed(self, found: Candidates) -> RobustEstimate:
        """The estimate, between what the images say and the start, where that has something to say."""
        estimate, near = self._estimate(found), self._settings.near
        known, share = estimate.uncertainty, left_to_the_start(found, self._settings)
        if known is None or not self._start_counts or not (share and near.angle_deg and near.distance):
            return estimate
        one = weighed(
            estimate.pose, known.covariance, self._pose,
            angle_rad=np.radians(near.angle_deg), distance_m=near.distance * self._length_m, share=share,
        )  # fmt: skip
        right = found.confidence  # in a wrong minimum, the images' way from the start does not tell how good that was
        covariance = right * one.covariance + (1.0 - right) * known.covariance
        return replace(estimate, pose=one.pose, uncertainty=replace(known, covariance=covariance), moved=True)

    def _estimate(self, found: Candidates) -> RobustEstimate:
        """The last steps, and how far off the pose may be."""
        level, search, contour = found.level, self._settings, found.ended.contour
        refine = robust_gauss_newton(
            level, found.pose, length_m=self._length_m, tilt=self._meshes.tilt, gain=search.light,
            settings=search.polish, noise=search.noise,
            beside=lambda pose: pose_evidence(self._meshes.corners_m, pose, self._objective),
            reach=reach_of(search, nearby=self._stages is not None and self._stages.moved(found) <= MOVED),
            kept=0.0 if self._everywhere else kept_along_view(found, search), border_px=found.border_px,
        )  # fmt: skip
        if level.contours is None or not level.contour_active or "depth" in level.modalities:
            return refine(found.pose, found.start).beside(found.pose.t_m2c, found.off_along_view_m)
        information = np.zeros((6, 6)) if contour is None else level.contours.information(contour)
        return refine.held(found.pose, information)
