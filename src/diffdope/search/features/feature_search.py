"""The search in a photograph without mask and depth, in a box or around a start: keypoints propose poses, and speak
for them.

A mask that is drawn from a pose agrees with that pose, right or wrong; so none is drawn. Colours and edges refine each
proposal, held by its keypoints. How many of these agree is evidence of another kind than what rendering and photograph
have in common.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.crop import Box
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Failure, Status
from diffdope.search.candidates import Candidates, Hypotheses
from diffdope.search.descent import Descent
from diffdope.search.features.feature_poses import SAME, SAME_RAD, FeaturePose, feature_poses, feature_poses_around
from diffdope.search.global_search import Everywhere, surest_first
from diffdope.search.levels import PyramidSettings
from diffdope.search.selection import non_maximum_suppression

F64 = NDArray[np.float64]

_EACH = 0.2  # log odds that a keypoint is worth: of those next to each other, none is independent
_CHANCE, _WORTH, _MOST = 15.0, 15.0, 3.0
"""Keypoints that may agree by chance; as many more are worth 1 in log odds; and what all are worth at most."""


def search_by_features(
    descent: Descent, box: Box, last: PyramidSettings
) -> Everywhere | Failure:  # fmt: skip
    """The poses that the keypoints in a box support; a failure if there are none.

    Args:
        descent: takes poses through levels, of an observation with RGB and without a mask.
        box: first and last column and row (x0, y0, x1, y1) of the object's visible part, pixels.
        last: the levels that every answer goes through on its own.
    """
    inputs, meshes = descent.inputs, descent.inputs.meshes
    if not meshes.mesh.has_pattern:
        return Failure(Status.FAILED)
    proposals = feature_poses(meshes, inputs.observation, box, inputs.settings.features)
    answers = _answers(descent, proposals, last, 0)
    if not answers:
        return Failure(Status.FAILED)
    return Everywhere(Pose(proposals[0].R, proposals[0].t), _distinct(_behind(answers), meshes.length_m))


def found_by_features(
    descent: Descent, start: Pose, last: PyramidSettings, column: int
) -> Candidates | None:  # fmt: skip
    """The surest pose that keypoints support within reach of the wider search; None if there is none.

    Args:
        descent: takes poses through levels, of an object with a pattern and an observation of RGB alone.
        start: around which is searched.
        last: the levels that every pose goes through on its own, with the prior of the wider search.
        column: number in the history of the first pose.
    """
    inputs, far = descent.inputs, descent.inputs.settings.far
    proposals = feature_poses_around(
        inputs.meshes, inputs.observation, start, inputs.settings.features,
        angle_rad=np.radians(far.angle_deg), distance_m=far.distance * inputs.meshes.length_m,
    )  # fmt: skip
    answers = _answers(descent, proposals, last, column, start)
    return replace(surest_first(_behind(answers))[0], start=start) if answers else None


def _answers(
    descent: Descent, proposals: list[FeaturePose], last: PyramidSettings, column: int, expected: Pose | None = None
) -> list[tuple[FeaturePose, Candidates]]:  # fmt: skip
    """Proposals, and what they become at the last levels, with what their keypoints say for it."""
    refined = [(one, _refined(descent, one, column + k, last, expected)) for k, one in enumerate(proposals)]
    return [(one, _supported(found, one)) for one, found in refined if found is not None]


def _behind(answers: list[tuple[FeaturePose, Candidates]]) -> list[Candidates]:
    """The same, none surer than the one with which most keypoints agree, less what its missing keypoints are worth."""
    first, best = max(answers, key=lambda pair: pair[0].agreeing)
    return [
        replace(found, at_most=min(found.at_most, best.log_odds - _EACH * (first.agreeing - one.agreeing)))
        for one, found in answers
    ]  # fmt: skip


def _distinct(answers: list[Candidates], length_m: float) -> list[Candidates]:
    """The surest first, without those that came to the same end as a surer one."""
    ranked = surest_first(answers)
    R, t = np.stack([one.pose.R_m2c for one in ranked]), np.stack([one.pose.t_m2c for one in ranked])
    kept = non_maximum_suppression(
        R, t, np.arange(len(ranked), dtype=np.float64), len(ranked), angle_rad=SAME_RAD, distance_m=SAME * length_m
    )
    return [ranked[k] for k in kept]


def _refined(
    descent: Descent, one: FeaturePose, number: int, last: PyramidSettings, expected: Pose | None
) -> Candidates | None:  # fmt: skip
    """A proposal after the last levels; None where it leaves the picture."""
    alone = Hypotheses(one.R[None], one.t[None], np.array([number]))
    found = descent.held_by(one.pairs).run(last, alone, Pose(one.R, one.t), expected=expected)
    return found if isinstance(found, Candidates) else None


def _supported(found: Candidates, one: FeaturePose) -> Candidates:
    """The same with what its keypoints say for it.

    Many that agree tell right from wrong where the light, or a print that differs, lets colours and edges fit badly;
    but patterns that repeat agree with themselves, so they do not outweigh all else. How far away the object is they
    tell no better for it: that is the covariance's business.
    """
    quality = replace(found.quality, matched=one.agreeing)
    beside = float(np.clip((one.agreeing - _CHANCE) / _WORTH, 0.0, _MOST))
    return replace(found, quality=quality, beside=beside)


def with_distance_error(covariance: F64, pose: Pose, distance_error: float) -> F64:
    """A covariance (6, 6) in (rho [m], phi [rad]), with distances that are off by a share of themselves.

    Args:
        covariance: of the pose, as the images have it.
        pose: of the object's middle.
        distance_error: standard deviation, share of the distance.
    """
    along = np.concatenate([distance_error * pose.t_m2c, np.zeros(3)])
    return np.asarray(covariance + np.outer(along, along))
