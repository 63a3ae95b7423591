"""From the probability of the right minimum, by which a search decides, to the confidence that a user gets."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.confidence import TOLERANCE, ConfidenceSettings, right_minimum
from diffdope.estimate.depth_scale import RIGHT, ScaleBelief, ScaleEvidence, scale_belief
from diffdope.estimate.fit_quality import FitQuality
from diffdope.estimate.focal_error import focal_covariance
from diffdope.estimate.tolerance import displacement, probability_within, usually_within
from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.result import RefinementResult
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.settings import SearchSettings
from diffdope.terms.depth import DepthNoise

F64 = NDArray[np.float64]

_EVEN = 0.5  # probability below which a word is said of why


class Belief(NamedTuple):
    """Probability of the right minimum, of an error below the tolerance there, and what follows, corrected or not."""

    right: float
    within: float
    confidence: float


def belief_of(
    fit: float, covariance: F64 | None, pose: Pose, meshes: MeshLevels, settings: ConfidenceSettings, *,
    started: bool = False, measured: bool = True, quality: FitQuality | None = None, beside: F64 | None = None,
    scale: ScaleBelief = RIGHT,
) -> Belief:  # fmt: skip
    """How sure a pose is.

    Args:
        fit: probability that it is right, of its fit quality alone.
        covariance: (6, 6) of the pose in (rho [m], phi [rad]), about the object's middle; None where it is unknown.
        pose: of the object's own frame.
        meshes: the object.
        settings: tolerance, and a map that was fitted to a user's data.
        started: whether it was found from a start.
        measured: whether depth, or the frames of a film before, hold the distance; it counts without a covariance.
        quality: of the fit, where the frames of a film do not; so does this.
        beside: (6, 6) of what else is unsure, which counts where the covariance is unknown: it holds it otherwise.
        scale: of the depth that tells the distance: if it is off, so is the pose, along its ray.
    """
    right, tolerance_m = right_minimum(fit, started=started), settings.tolerance_of(meshes.length_m)
    if covariance is None:  # the fit is about the default tolerance
        share, depth_error = tolerance_m / meshes.length_m, None if quality is None else quality.depth_error
        left = None if quality is None else quality.left
        within = usually_within(share, TOLERANCE, depth=measured, depth_error=depth_error, left=left)
        if beside is not None:
            within *= probability_within(tolerance_m, beside, meshes.displacement_form, pose.R_m2c)
    else:
        within = probability_within(tolerance_m, covariance, meshes.displacement_form, pose.R_m2c)
    if scale.off > 0.0:
        ray = scale.off_by * np.concatenate([pose.t_m2c, np.zeros(3)])
        known = np.outer(ray, ray) + (0.0 if covariance is None else covariance)
        moved = probability_within(tolerance_m, known, meshes.displacement_form, pose.R_m2c)
        within = (1.0 - scale.off) * within + scale.off * min(moved, within)
    return Belief(right, within, settings.corrected(right * within))


def believed(
    result: RefinementResult, meshes: MeshLevels, search: SearchSettings, *, followed: bool = False,
    focal_deviation: float = 0.0,
) -> RefinementResult:  # fmt: skip
    """A result whose confidence is the probability of an error below the tolerance.

    Those of its answers, and that of none of them, are of the right minimum: which of them it is, not how well it is
    known. So a status and the probabilities by which it was decided agree.

    Args:
        result: in the object's own frame; its confidence is that of its fit alone.
        meshes: the object.
        search: tolerance, a map that was fitted to a user's data, and what is known of depth.
        followed: whether it is a frame of a film.
        focal_deviation: of the camera, see `Camera`: the covariance holds it, too.
    """
    beside, settings = None, search.confidence
    if focal_deviation > 0.0:
        beside = focal_covariance(result.pose, focal_deviation, measured="depth" in result.modalities)
        if result.covariance is not None:
            result = replace(result, covariance=result.covariance + beside)
    if result.confidence is None:
        return result
    some = sum(one.probability for one in result.answers) if result.answers else result.confidence
    share = result.confidence / some if some > 0.0 else 0.0
    belief = belief_of(
        some, result.covariance, result.pose, meshes, settings, started=not result.answers,
        measured=followed or "depth" in result.modalities,
        quality=None if followed else result.evidence, beside=beside,
        scale=RIGHT if followed or "depth" not in result.modalities else _scale_of(result, search.noise),
    )  # fmt: skip
    factor = belief.right / some if some > 0.0 else 0.0
    answers = tuple(replace(one, probability=factor * one.probability) for one in result.answers)
    return replace(
        result, confidence=share * belief.confidence,
        right_minimum=share * belief.right, tolerance_m=settings.tolerance_of(meshes.length_m), answers=answers,
        none_of_these=None if result.none_of_these is None else 1.0 - belief.right,
        notes=(*result.notes, *_why(result, belief, meshes, settings)),
    )  # fmt: skip


def _scale_of(result: RefinementResult, noise: DepthNoise) -> ScaleBelief:
    """Of the depth of one result, as what is printed on the object has it."""
    seen = result.evidence
    if seen is None or seen.too_far is None or seen.too_far_deviation is None:
        return scale_belief((), noise)
    return scale_belief([ScaleEvidence(seen.too_far, seen.too_far_deviation)], noise)


def _why(
    result: RefinementResult, belief: Belief, meshes: MeshLevels, settings: ConfidenceSettings
) -> tuple[str, ...]:  # fmt: skip
    """A note where a result that was found is not known to the tolerance."""
    if not result.ok or belief.within >= _EVEN or result.covariance is None:
        return ()
    known_m = displacement(result.covariance, meshes.displacement_form, result.pose.R_m2c)
    tolerance_m = settings.tolerance_of(meshes.length_m)
    text = (
        f"the pose is known to about {1e3 * known_m:.1f} mm only, and the confidence is that of "
        f"{1e3 * tolerance_m:.1f} mm (search.confidence.tolerance_m): see the covariance"
    )
    return (Note(NoteCode.TOLERANCE, text),)
