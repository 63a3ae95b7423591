"""What a frame of a film says: how sure and how like its model the object is, and results of frames that say less."""

from __future__ import annotations

import math
from dataclasses import replace

from diffdope.geometry.pose import Pose
from diffdope.pipelines.result import NOWHERE, RefinementResult, Status, nothing_compared

IN_DOUBT, FOUND = "in doubt", "found"
"""How notes of a frame begin: the pose was not trusted; the object was found otherwise than by following it. Journals
hold notes as texts, and are told apart by these."""
# Of an object that was followed before: what `MESSAGES` ask of a start has been answered.
_GONE = {
    Status.OUT_OF_VIEW: "it is expected outside of the picture, and not seen in it",
    Status.BEHIND_CAMERA: "it is expected behind the camera, and not seen in the picture",
    Status.NO_OVERLAP: "it is expected beside the mask, and not found in it",
}


def not_found_yet(why: str, found: RefinementResult | None = None) -> RefinementResult:
    """What a frame returns before the object was found for the first time.

    Args:
        why: in a few words.
        found: what was located there, if anything; it does not convince.
    """
    text = f"not found yet ({why}); frames with a mask are searched, or start with track(observation, pose=...)"
    if found is None:
        return nothing_compared(NOWHERE, Status.LOST, text)
    return replace(found, status=Status.LOST, message=text, cost=math.inf, cost_per_modality={})


def sureness(result: RefinementResult) -> float:
    """Confidence, 0 for what is no result."""
    return result.confidence if result.ok and result.confidence is not None else 0.0


def shares(result: RefinementResult) -> dict[str, float]:
    """How much the visible part of the object looks like its model, by kinds of evidence: shares of what fits."""
    seen = result.evidence
    if seen is None:
        return {}
    every = {
        "depth": seen.depth_inliers, "texture": seen.texture, "outline": seen.outline, "learned": seen.learned
    }  # fmt: skip
    return {name: share for name, share in every.items() if share is not None}


def likeness(result: RefinementResult) -> float:
    """The same, summed up."""
    return max(sum(shares(result).values()), 0.0)


def rests_on_contrast(result: RefinementResult) -> bool:
    """Whether nothing but the contrast of the outline speaks for it: no mask, no depth, no pattern.

    How strong that is depends on what is behind the object.
    """
    seen = result.evidence
    return seen is not None and seen.overlap is None and seen.depth_inliers is None and seen.texture is None


def with_usual_note(result: RefinementResult, confidence: float) -> RefinementResult:
    """A pose that is believed because it is found as well as in the frames before, though that is not well."""
    note = f"confidence {confidence:.2f}, which is usual in this film"
    return replace(result, notes=(*result.notes, note))


def lost(
    result: RefinementResult, predicted: Pose, frames: int, found: float, *, followed: bool
) -> RefinementResult:  # fmt: skip
    """What a lost frame returns: the prediction, and why no more: no confidence of `found`.

    Args:
        result: of the frame, which does not convince.
        predicted: where the object is expected.
        frames: in which it is lost.
        found: the confidence that would convince.
        followed: whether it has been followed before: then pose, unit and K were right.
    """
    said = _GONE.get(result.status, result.message) if followed else result.message
    why = f"confidence {sureness(result):.2f}, below {found:.2g}" if result.ok else said
    text = (
        f"lost for {frames} frame{'s' if frames > 1 else ''} ({why}); the pose is a guess from the last good one; "
        "the wider search goes on, or restart with track(observation, pose=...)"
    )
    return replace(result, pose=predicted, status=Status.LOST, message=text, cost=math.inf, cost_per_modality={})
