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
from numpy.typing import NDArray

from diffdope.checked_fields import replace_unchecked
from diffdope.geometry.crop import Box
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Failure, Status
from diffdope.problem.level_settings import contour_weight
from diffdope.problem.problem import Problem
from diffdope.scene.observation import Observation
from diffdope.search.alternatives.rival_poses import ALTERNATIVES, rival_poses
from diffdope.search.alternatives.turns_that_explain import turned_to_explain
from diffdope.search.alternatives.way_back import as_well_refined
from diffdope.search.candidates import Candidates, Hypotheses
from diffdope.search.checks.doubts import Doubts, doubts_by_images
from diffdope.search.descent import Descent, Progress
from diffdope.search.ended_by_depth import ended_by_depth
from diffdope.search.ending import Ending
from diffdope.search.features.feature_search import search_by_features
from diffdope.search.global_search import pyramids_everywhere, search_globally
from diffdope.search.history import Recorder
from diffdope.search.iterates import most_iterates
from diffdope.search.last_steps import LastSteps
from diffdope.search.mask_as_region import PlacedCandidates, beside_mask, may_be_region
from diffdope.search.mask_rejection import found_by_edges
from diffdope.search.outcome import Outcome
from diffdope.search.search_inputs import SearchInputs
from diffdope.search.stages import MOVED, Stages
from diffdope.solve.gradient_descent import DescentSettings, descend
from diffdope.solve.levenberg_marquardt import SolverResult
from diffdope.terms.contour import ContourSettings
from diffdope.terms.photometric_gain import PhotometricGain

F64 = NDArray[np.float64]

_AS_EXPECTED = 3.5  # log odds beyond which the turn of what lies where it was expected is not doubted


class Search:
    """One refinement.

    Args:
        inputs: the object, the image, and numbers.
        pose: the start; None to look everywhere, which needs a mask or a box.
        seed: of the proposals.
        descent: of first-order descents; None for Levenberg-Marquardt.
        progress: called as progress(iteration, iterations, lowest cost).
        box: first and last column and row (x0, y0, x1, y1) of the object's visible part, where it is to be found by
            keypoints of the photograph.
        guesses: where to look everywhere, poses that are about right, if some are known.
    """

    def __init__(
        self, inputs: SearchInputs, pose: Pose | None, *, seed: int, descent: DescentSettings | None = None,
        progress: Progress | None = None, box: Box | None = None, guesses: Sequence[Pose] = (),
    ) -> None:  # fmt: skip
        self._inputs, self._start, self._box, self._guesses = inputs, pose, box, guesses
        observation, settings, objective = inputs.observation, inputs.settings, inputs.objective
        held, held_unseen = (
            contour_weight(one, settings.outline, objective, inputs.meshes.mesh) > 0.0
            for one in (observation, observation.without_mask())
        )
        refuses = settings.mask_refused_px > 0.0 and "depth" not in observation.modalities
        self._held_unseen = held_unseen and not held and refuses
        self._first_order, self._answers, self._recorder = descent is not None, list[Candidates](), Recorder()
        self._again, self._last_level = (settings.near.of_one_pose(k) for k in (1, len(settings.near.levels) - 1))
        self._as_region = may_be_region(observation, settings) and not inputs.filmed and descent is None
        first = (settings.near, settings.far) if pose is not None else pyramids_everywhere(settings)
        first_aligned = sum(pyramid.hypotheses[0] for pyramid in first)
        kept = settings.closest_points.count(observation) if pose is not None else 0
        self._count = first_aligned + kept + ALTERNATIVES
        self._rates = np.ones(self._count)
        solver: dict[str, Any] = {}
        if descent is not None:
            self._count = descent.hypotheses
            self._rates = descent.rates(seed)
            solver = {"solve": partial(_first_order, descent=descent, rates=self._rates), "with_normal": False}
        expected = self._most() if progress is not None else 1
        self._descent = Descent(inputs, self._recorder, progress=progress, expected=expected, **solver)
        self._stages: Stages | None = None
        if pose is not None:
            rng = np.random.default_rng(seed)
            self._stages = Stages(self._descent, pose, rng, held=held, first_aligned=first_aligned)
        self._last_steps = LastSteps(inputs, self._stages)

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
        inputs, settings = self._inputs, self._inputs.settings
        if settings.contradictions and not (near or inputs.filmed or self._first_order):
            found = self._ended_by_depth(found)
        # A frame that is followed has been doubted when it was begun, and is held against the frames before.
        doubts = Doubts() if near else doubts_by_images(found, self._given, inputs)
        found = self._as_sure_as(doubts, found)
        rivals = rival_poses(
            found, self._answers, self._descent, self._again, self._given,
            as_expected=self._as_expected(found), located=located, first_order=self._first_order,
            column=self._count - ALTERNATIVES,
        )  # fmt: skip
        ending = Ending(
            inputs, self._pose, self._stages, start_counts=start_counts and self._stages is not None,
            turns_open=rivals.turns_open, boxed=self._box is not None, shown=None if near else self._shown,
            first_order=self._first_order, within=rivals.within,
        )  # fmt: skip
        choice, odds = as_well_refined(rivals.choice, rivals.ways, ending.odds, self._descent, self._again)
        # A mask speaks for and against what may be right: its border is left out last.
        placed = None if near else self._beside_mask(choice[int(np.argmax(odds))], shifted=doubts.may_be_shifted)
        outcome = ending.outcome(choice, odds, placed, self._recorder, self._rates)
        return replace_unchecked(outcome, notes=(*outcome.notes, *doubts.notes), why=doubts.why)

    def _ended_by_depth(self, found: Candidates) -> Candidates:
        """The same, or where depth leads that contradicts it: along its own steps, or to a turn that explains more."""
        led = ended_by_depth(found, self._descent, self._again, self._last_steps)
        ended = turned_to_explain(led, self._descent, self._again)
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
        descent = self._descent.of(self._inputs.observation.without_mask())
        if self._inputs.meshes.mesh.has_pattern:  # colours hold what depth leaves open
            descent = descent.by(replace(self._inputs.settings, outline=ContourSettings.off()))
        return beside_mask(found, descent, self._again, self._last_steps, shifted=shifted)

    def _without_wrong_mask(self, found: Candidates, stages: Stages) -> Candidates:
        """The same, or what edges find from the start where the mask is off and is all there is beside them."""
        by_edges = found_by_edges(found, self._pose, self._descent, stages) if self._held_unseen else None
        if by_edges is None:
            return found
        self._descent, self._again = by_edges.descent, by_edges.again  # alternatives are refined as the result was
        return by_edges.best

    def _most(self) -> int:
        """Iterates that all descents make at most, less one."""
        inputs, settings = self._inputs, self._inputs.settings
        others = settings.symmetric_alternatives or (settings.turns.count > 0 and inputs.meshes.axis is not None)
        return most_iterates(
            inputs, self._again, started=self._start is not None, alternatives=ALTERNATIVES + 1 if others else 0,
            as_region=self._as_region, held_unseen=self._held_unseen,
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
        inputs, settings = self._inputs, self._inputs.settings
        asked = settings.contradictions and not settings.polish.idle and not self._first_order
        images = set(inputs.observation.modalities)
        held = "rgb" not in images or ("depth" in images) == ("mask" in images)
        return None if held or not asked or inputs.filmed or self._given is None else inputs.observation

    @property
    def _pose(self) -> Pose:
        """The start, or the first proposal where none is given."""
        assert self._start is not None
        return self._start

    def _anywhere(self) -> Candidates | Failure:
        """What is found with no start pose; the first proposal stands for the start from then on."""
        if self._box is None:
            found = search_globally(self._descent, self._again, self._guesses)
        else:
            found = search_by_features(self._descent, self._box, self._again)
        if isinstance(found, Failure):
            return found
        self._start, self._answers = found.proposal, found.answers
        return found.best

    def _as_expected(self, found: Candidates) -> bool:
        """Whether a result fits, and lies where the start has it."""
        return self._stages is not None and found.log_odds > _AS_EXPECTED and self._stages.moved(found) <= MOVED


def _first_order(
    problem: Problem, R: F64, t: F64, *, descent: DescentSettings, rates: F64, **_: object
) -> SolverResult:  # fmt: skip
    """`gradient_descent.descend` with the arguments of `levenberg_marquardt.minimise`."""
    return descend(problem, R, t, descent, rates)
