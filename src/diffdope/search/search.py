"""A refinement: proposals, levels, selection, estimate.

Presets differ in their numbers only. A search near the start, a wider one where that does not convince, a look at the
symmetric alternatives, and the last steps: each is made where the settings ask for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from diffdope.geometry.crop import Box
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Failure, Status
from diffdope.problem.level_settings import contour_weight
from diffdope.scene.observation import Observation
from diffdope.search.alternatives.approximate_symmetries import (
    AnglePrior,
    angle_prior,
    left_of_folds,
    other_ways,
    with_turn_beside,
)
from diffdope.search.alternatives.turns_that_explain import turned_to_explain
from diffdope.search.alternatives.way_back import Way, as_well_refined
from diffdope.search.candidates import Candidates, Hypotheses
from diffdope.search.checks.doubts import Doubts, doubts_by_images
from diffdope.search.descent import Descent, Progress
from diffdope.search.ended_by_depth import ended_by_depth
from diffdope.search.ending import Ending, first_order
from diffdope.search.features.feature_search import search_by_features
from diffdope.search.global_search import pyramids_everywhere, search_globally
from diffdope.search.history import Recorder
from diffdope.search.iterates import most_iterates
from diffdope.search.last_steps import LastSteps
from diffdope.search.levels import PyramidSettings
from diffdope.search.mask_as_region import PlacedCandidates, beside_mask, may_be_region
from diffdope.search.mask_rejection import DEVIATION, convinces, off_px, poses_of, raced, without_mask
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.outcome import Outcome
from diffdope.search.priors import PLAIN_ANGLE_DEG
from diffdope.search.proposals.box_masks import Guess, masks_in_box
from diffdope.search.proposals.depth_segments import pieces
from diffdope.search.proposals.instances import instance_at
from diffdope.search.proposals.place_queue import ImagePlace, Occupancy
from diffdope.search.settings import SearchSettings, beside_border
from diffdope.search.stages import MOVED, Stages
from diffdope.search.tracking.keyframes import Keyframes
from diffdope.solve.gradient_descent import DescentSettings
from diffdope.terms.contour import ContourSettings
from diffdope.terms.photometric_gain import PhotometricGain
from diffdope.terms.pose_prior import PosePrior
from diffdope.terms.registry import ObjectiveSettings

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
        guesses: where to look everywhere, poses that are about right, if some are known.
    """

    def __init__(
        self, meshes: MeshLevels, observation: Observation, pose: Pose | None, settings: SearchSettings,
        objective: ObjectiveSettings, *,
        margin: float, seed: int, descent: DescentSettings | None = None, progress: Progress | None = None,
        keyframes: Keyframes | None = None, box: Box | None = None, guesses: Sequence[Pose] = (),
    ) -> None:  # fmt: skip
        self._box, self._guesses, self._filmed = box, guesses, keyframes is not None
        self._meshes, self._observation, self._start = meshes, observation, pose
        unseen = observation.without_mask()
        held, held_unseen = (contour_weight(o, settings.outline, objective, meshes.mesh) for o in (observation, unseen))
        self._beside_border = settings if self._filmed or meshes.mesh.has_pattern else beside_border(settings)
        self._settings, self._objective, self._first_order = settings, objective, descent is not None
        self._answers, self._ways, self._recorder = list[Candidates](), list[Way](), Recorder()
        refuses = settings.mask_refused_px > 0.0 and "depth" not in observation.modalities
        self._held_unseen = held_unseen > 0.0 and not held > 0.0 and refuses
        self._again, self._last_level = (settings.near.of_one_pose(k) for k in (1, len(settings.near.levels) - 1))
        self._as_region = may_be_region(observation, settings) and keyframes is None and descent is None
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
            filmed=keyframes is not None,
        )  # fmt: skip
        self._last_steps = LastSteps(meshes, settings, objective, self._stages)

    def run(
        self, *, followed: PhotometricGain | None = None, near: bool = False, start_counts: bool = False,
        worth: Callable[[Candidates], bool] | None = None, located: bool = False,
    ) -> Outcome | Failure:  # fmt: skip
        """The best pose found, or why nothing could be compared.

        Args:
            followed: the light of the frame before, if the object was found there and is expected here to a few pixels.
            near: it is expected so near that the last level will do.
            start_counts: whether the start, as good as the images find it to be, is weighed against them in the end.
            worth: asked whether what the levels have led to is worth the rest of the time; if not, it has failed.
            located: whether the start was found in these images, and tells no turn about an axis of revolution.
        """
        if self._stages is None:
            found = self._anywhere()
        elif near:
            alone = Hypotheses.of(self._pose, 0)
            found = self._descent.run(self._last_level, alone, self._pose, followed=followed, near=True)
        else:
            found = self._stages.run()
            if isinstance(found, Candidates):
                found = self._without_wrong_mask(found, self._stages)
        if isinstance(found, Failure):
            return found
        if worth is not None and not worth(found):
            return Failure(Status.FAILED)
        settings = self._settings
        if settings.contradictions and not (near or self._filmed or self._first_order):
            found = self._ended_by_depth(found)
        # A frame that is followed has been doubted when it was begun, and is held against the frames before.
        doubts = Doubts() if near else doubts_by_images(found, self._given, settings, self._meshes, self._observation)
        choice, turns_open, within = self._choice(self._as_sure_as(doubts, found), located)
        ending = Ending(
            self._meshes, self._settings, self._objective, self._pose, self._stages,
            start_counts=start_counts and self._stages is not None, turns_open=turns_open,
            boxed=self._box is not None, shown=None if near else self._shown, first_order=self._first_order,
            within=within, filmed=self._filmed,
        )  # fmt: skip
        choice, odds = as_well_refined(choice, self._ways, ending.odds, self._descent, self._again)
        # A mask speaks for and against what may be right: its border is left out last.
        placed = None if near else self._beside_mask(choice[int(np.argmax(odds))], shifted=doubts.may_be_shifted)
        outcome = ending.outcome(choice, odds, placed, self._recorder, self._rates)
        return replace(outcome, notes=(*outcome.notes, *doubts.notes), why=doubts.why)

    def _ended_by_depth(self, found: Candidates) -> Candidates:
        """The same, or where depth leads that contradicts it: along its own steps, or to a turn that explains more."""
        given = self._descent, self._again, self._observation, self._last_steps
        ended = turned_to_explain(ended_by_depth(found, *given), *given)
        self._answers = [ended if one is found else one for one in self._answers]
        return ended

    def _as_sure_as(self, doubts: Doubts, found: Candidates) -> Candidates:
        """The same, no surer than doubts leave it; neither are the other answers."""
        if doubts.none:
            return found
        doubted = doubts.told_of(found)
        self._answers = [doubted if one is found else doubted.doubt_of(one) for one in self._answers]
        return doubted

    def _beside_mask(self, found: Candidates, *, shifted: bool) -> PlacedCandidates | None:
        """The same, or what the other images find where a mask led whose border they do not bear out."""
        if not self._as_region:
            return None
        descent = self._descent.of(self._observation.without_mask())
        if self._meshes.mesh.has_pattern:  # colours hold what depth leaves open
            descent = descent.by(replace(self._settings, outline=ContourSettings.off()))
        return beside_mask(found, descent, self._again, self._last_steps, shifted=shifted)

    def _without_wrong_mask(self, found: Candidates, stages: Stages) -> Candidates:
        """The same, or what edges find from the start where the mask is off and is all there is beside them."""
        border_px = off_px(found, self._meshes) if self._held_unseen else 0.0
        refused = self._held_unseen and border_px >= self._settings.mask_refused_px
        return (self._by_edges(found, border_px, stages) if refused else None) or found

    def _by_edges(self, found: Candidates, border_px: float, stages: Stages) -> Candidates | None:
        """What edges find beside a mask that is off, from the start and from where the mask led; None for nothing."""
        settings, start, length_m = self._beside_border, self._pose, self._meshes.length_m
        near, far = settings.near, settings.far
        hides = Observation(self._observation.camera, mask=self._observation.mask)
        off_px = DEVIATION * border_px * self._observation.camera.fx / found.level.crop.camera.fx
        descent = self._descent.of(self._observation.without_mask(), hides, off_px)
        at_start = descent.run(near, stages.proposals(start, near, 0), start)
        if isinstance(at_start, Failure):
            return None
        self._descent, self._again = descent, near.of_one_pose(1)  # alternatives are refined as the result was
        best, turn_rad = at_start, np.radians(near.angle_deg or PLAIN_ANGLE_DEG)
        if not convinces(at_start, turn_rad):
            wide = settings.fallback_confidence > 0.0
            led = stages.led_by_mask(near.hypotheses[0]) if wide else found
            prior = PosePrior(start, np.radians(far.angle_deg), far.distance * length_m, settings.prior_unmasked)
            pyramid = replace(self._again, angle_deg=far.angle_deg, distance=far.distance)

            def run(pyramid: PyramidSettings, pose: Pose) -> Candidates | Failure:
                return descent.run(pyramid, Hypotheses.of(pose, near.hypotheses[0]), pose, expected=start)

            others = raced(run, pyramid, poses_of(found if isinstance(led, Failure) else led), prior, length_m)
            best = without_mask(at_start, others, prior, turn_rad, length_m)
        return replace(best, level=replace(best.level, mask_refused_px=border_px))

    def masks_in_box(self, box: Box, seed: int) -> list[Guess] | Failure:
        """Masks in which the object may be, the likeliest first; see `box_masks.masks_in_box`."""
        return masks_in_box(self._descent, self._meshes, self._observation, box, self._settings, seed)

    def instance_at(self, place: ImagePlace, scene: Occupancy, seed: int) -> tuple[Guess, Box] | Failure:
        """What covers a pixel; see `instances.instance_at`."""
        return instance_at(self._descent, self._meshes, self._observation, place, scene, self._settings, seed)

    def pieces(self, seed: int) -> list[Guess] | Failure:
        """Masks of pieces that stand out and may be the object, the likeliest first; see `pieces.pieces`."""
        found = pieces(self._meshes, self._observation, self._settings.view_sphere, self._settings.pieces, seed)
        return [Guess(mask) for mask in found] or Failure(Status.NO_OVERLAP)

    def _most(self) -> int:
        """Iterates that all descents make at most, less one."""
        s = self._settings
        others = s.symmetric_alternatives or (s.turns.count > 0 and self._meshes.axis is not None)
        return most_iterates(
            s, self._objective, self._observation.without_mask(), self._meshes.mesh, self._again,
            started=self._start is not None, alternatives=ALTERNATIVES + 1 if others else 0, as_region=self._as_region,
            held_unseen=self._held_unseen,
        ) - 1  # fmt: skip

    @property
    def _given(self) -> Pose | None:
        """The start; None where none was given."""
        return None if self._stages is None else self._start

    @property
    def _shown(self) -> Observation | None:
        """The image, where edges may tell whether the outline is right: it has depth and no mask, or the other one.

        Frames of a film are held against those before, and who makes no last steps is in a hurry.
        """
        asked = self._settings.contradictions and not self._settings.polish.idle and not self._first_order
        images = set(self._observation.modalities)
        held = "rgb" not in images or ("depth" in images) == ("mask" in images)
        return None if held or not asked or self._filmed or self._given is None else self._observation

    @property
    def _pose(self) -> Pose:
        """The start, or the first proposal where none is given."""
        assert self._start is not None
        return self._start

    def _anywhere(self) -> Candidates | Failure:
        """What is found with no start pose; the first proposal stands for the start from then on."""
        given = self._descent, self._meshes, self._observation
        if self._box is None:
            found = search_globally(*given, self._settings, self._again, self._guesses)
        else:
            found = search_by_features(*given, self._box, self._settings, self._again)
        if isinstance(found, Failure):
            return found
        self._start, self._answers = found.proposal, found.answers
        return found.best

    def _choice(self, found: Candidates, located: bool) -> tuple[list[Candidates], bool, AnglePrior | None]:
        """What may be right, what was found first; whether turned about an axis, and near what start, if by teeth."""
        choice = [found, *(one for one in self._answers if one is not found)]
        if found.quality.matched is not None:  # keypoints tell sides apart
            return choice, False, None
        told = self._stages is not None and found.log_odds > _TOLD and self._stages.moved(found) <= MOVED
        given, told = None if located else self._given, told and not located
        left = ALTERNATIVES
        if told or not self._settings.turns.all_around:
            last = self._meshes, self._descent, self._again, self._settings.turns, self._count - 1
            beside = found if self._first_order else with_turn_beside(found, *last)
            left -= beside is not found  # it is one of them
            choice = [found := beside]
        by = self._meshes, self._descent, self._settings
        turned, turns_open = other_ways(found, *by, given, self._again.faces[0], told=told)
        nearby = angle_prior(found, self._given, self._settings, told=told)
        tried = self._settings.turns.tried and not (self._filmed or self._first_order)
        folded = left_of_folds(choice, self._meshes, nearby) if nearby is None or tried else []
        for number, start in enumerate([*folded, *turned][:left]):
            other = self._descent.run(self._again, Hypotheses.of(start, self._count - ALTERNATIVES + number), start)
            if isinstance(other, Candidates):
                choice.append(found.doubt_of(other.agreeing(found.quality.agreement)))
                self._ways += [] if self._filmed else [Way(choice[-1], start)]
        return choice, turns_open or bool(folded and nearby), nearby if folded else None
