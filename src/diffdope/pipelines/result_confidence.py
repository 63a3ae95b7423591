"""From the probability of the right minimum, by which a search decides, to the confidence that a user gets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import replace_unchecked
from diffdope.estimate.confidence import TOLERANCE, ConfidenceSettings, as_often_right, right_minimum
from diffdope.estimate.depth_scale import RIGHT, ScaleBelief, ScaleEvidence, scale_belief
from diffdope.estimate.fit_quality import FitQuality
from diffdope.estimate.focal_error import focal_covariance
from diffdope.estimate.tolerance import displacement, probability_within, turn_within, usually_within
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


class FittedPose(NamedTuple):
    """What says how sure a pose is.

    Attributes:
        fit: probability that it is right, of its fit quality alone.
        pose: of the object's own frame.
        covariance: (6, 6) of the pose in (rho [m], phi [rad]), about the object's middle; None where it is unknown.
        started: whether it was found from a start.
        measured: whether depth, or the frames of a film before, hold the distance; it counts without a covariance.
        quality: of the fit, where the frames of a film do not; so does this.
        beside: (6, 6) of what else is unsure, which counts where the covariance is unknown: it holds it otherwise.
        scale: of the depth that tells the distance: if it is off, so is the pose, along its ray.
    """

    fit: float
    pose: Pose
    covariance: F64 | None
    started: bool = False
    measured: bool = True
    quality: FitQuality | None = None
    beside: F64 | None = None
    scale: ScaleBelief = RIGHT


def belief_of(known: FittedPose, meshes: MeshLevels, settings: ConfidenceSettings) -> Belief:
    """How sure a pose is.

    Args:
        known: of the pose.
        meshes: the object.
        settings: tolerance, and a map that was fitted to a user's data.
    """
    right, tolerance_m = right_minimum(known.fit, started=known.started), settings.tolerance_of(meshes.length_m)
    within = _within(known, meshes, tolerance_m)
    both, quality = right * within, known.quality
    if known.covariance is not None and quality is not None:  # as learned from: single pictures, with last steps
        both = as_often_right(right, within, by_mask=quality.overlap is not None and not known.measured)
    return Belief(right, within, settings.corrected(both))


def _within(known: FittedPose, meshes: MeshLevels, tolerance_m: float) -> float:
    """The probability of an error below the tolerance, in the right minimum; for arguments see `belief_of`."""
    quality, pose, covariance = known.quality, known.pose, known.covariance
    if covariance is None:  # the fit is about the default tolerance
        share, depth_error = tolerance_m / meshes.length_m, None if quality is None else quality.depth_error
        left = None if quality is None else quality.left
        within = usually_within(share, TOLERANCE, depth=known.measured, depth_error=depth_error, left=left)
        if known.beside is not None:
            within *= probability_within(tolerance_m, known.beside, meshes.displacement_form, pose.R_m2c)
    else:
        covariance = meshes.modulo_folds(covariance, pose.R_m2c)
        within = probability_within(tolerance_m, covariance, meshes.displacement_form, pose.R_m2c)
    if quality is not None:  # the displacement above is modulo turns about an axis of revolution, which a print has not
        within *= turn_within(tolerance_m / meshes.length_m, quality.print_open or 0.0)
    return within_at_scale(within, covariance, pose, meshes, tolerance_m, known.scale)


def within_at_scale(
    within: float, covariance: F64 | None, pose: Pose, meshes: MeshLevels, tolerance_m: float, scale: ScaleBelief
) -> float:  # fmt: skip
    """The probability of an error below the tolerance, whether depth's scale is off or not.

    Args:
        within: the probability if it is not.
        covariance: see `FittedPose`.
        pose: see `FittedPose`.
        meshes: the object.
        tolerance_m: metres.
        scale: of depth.
    """
    if scale.off == 0.0:
        return within
    ray = scale.off_by * np.concatenate([pose.t_m2c, np.zeros(3)])
    known = np.outer(ray, ray) + (0.0 if covariance is None else covariance)
    moved = probability_within(tolerance_m, known, meshes.displacement_form, pose.R_m2c)
    return (1.0 - scale.off) * within + scale.off * min(moved, within)


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
            result = replace_unchecked(result, covariance=result.covariance + beside)
    if result.confidence is None:
        return result
    scale = scale_of(result, search.noise)
    some = sum(one.probability for one in result.answers) if result.answers else result.confidence
    share = result.confidence / some if some > 0.0 else 0.0
    known = FittedPose(
        some, result.pose, result.covariance, started=not result.answers,
        measured=followed or "depth" in result.modalities,
        quality=None if followed else result.evidence, beside=beside,
        scale=RIGHT if followed else scale,
    )  # fmt: skip
    belief = belief_of(known, meshes, settings)
    factor = belief.right / some if some > 0.0 else 0.0
    answers = tuple(replace_unchecked(one, probability=factor * one.probability) for one in result.answers)
    return replace_unchecked(
        result, confidence=share * belief.confidence,
        right_minimum=share * belief.right, tolerance_m=settings.tolerance_of(meshes.length_m), answers=answers,
        none_of_these=None if result.none_of_these is None else 1.0 - belief.right,
        notes=(*result.notes, *_why(result, belief, meshes, settings), *notes_on_scale(scale, 1)),
    )  # fmt: skip


def scale_of(result: RefinementResult, noise: DepthNoise) -> ScaleBelief:
    """Of the depth of one result, as what is printed on the object has it; that of right depth if none was compared."""
    return scale_belief(evidence_of(result), noise) if "depth" in result.modalities else RIGHT


def evidence_of(result: RefinementResult) -> list[ScaleEvidence]:
    """What a result says of depth's scale: one, or nothing."""
    seen = result.evidence
    if not result.ok or seen is None or seen.too_far is None or seen.too_far_deviation is None:
        return []
    return [ScaleEvidence(seen.too_far, seen.too_far_deviation)]


def notes_on_scale(scale: ScaleBelief, prints: int) -> tuple[Note, ...]:
    """A note where depth's scale is probably off.

    Args:
        scale: of depth.
        prints: of how many objects.
    """
    if scale.off < _EVEN:
        return ()
    share, whose = 100.0 * scale.too_far, "the object" if prints == 1 else f"{prints} objects"
    text = (
        f"scale: depth reads about {abs(share):.1f} % too {'far' if share > 0.0 else 'near'} (+- "
        f"{100.0 * scale.deviation:.1f}) beside what is printed on {whose}: "
        f"if K and the models are right, multiply the depth scale by {1.0 / (1.0 + scale.too_far):.4f}"
    )
    return (Note(NoteCode.DEPTH_BESIDE_PRINT, text),)


def _why(
    result: RefinementResult, belief: Belief, meshes: MeshLevels, settings: ConfidenceSettings
) -> tuple[str, ...]:  # fmt: skip
    """A note where a result that was found is not known to the tolerance."""
    turn_m = meshes.length_m * (0.0 if result.evidence is None else result.evidence.print_open or 0.0)
    if not result.ok or belief.within >= _EVEN or (result.covariance is None and turn_m == 0.0):
        return ()
    known_m = 0.0
    if result.covariance is not None:
        covariance = meshes.modulo_folds(result.covariance, result.pose.R_m2c)
        known_m = displacement(covariance, meshes.displacement_form, result.pose.R_m2c)
    what = "the pose is"
    if turn_m > known_m:
        what = "the turn about its axis, which the print should tell and does not, is"
    tolerance_m = settings.tolerance_of(meshes.length_m)
    text = (
        f"{what} known to about {1e3 * np.hypot(known_m, turn_m):.1f} mm only, and the confidence is that of "
        f"{1e3 * tolerance_m:.1f} mm (search.confidence.tolerance_m): see the covariance"
    )
    return (Note(NoteCode.TOLERANCE, text),)
