"""What a frame of a film says: how sure and how like its model the object is, and results of frames that say less."""

from __future__ import annotations

import math
from dataclasses import replace

from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.result import NOWHERE, RefinementResult, Status, nothing_compared

DEPTHS = "depth", "depth without a mask"  # kinds of evidence

# Of an object that was followed before: what `MESSAGES` ask of a start has been answered.
_GONE = {
    Status.OUT_OF_VIEW: "it is expected outside of the picture, and not seen in it",
    Status.BEHIND_CAMERA: "it is expected behind the camera, and not seen in the picture",
    Status.NO_OVERLAP: "it is expected beside the mask, and not found in it",
}


def not_found_yet(
    why: str, found: RefinementResult | None = None, *, notes: tuple[str, ...] = ()
) -> RefinementResult:  # fmt: skip
    """What a frame returns before the object was found for the first time.

    Args:
        why: in a few words.
        found: what was located there, if anything; it does not convince.
        notes: of the frame, if nothing was.
    """
    text = f"not found yet ({why}); frames with a mask are searched, or start with track(observation, pose=...)"
    if found is None:
        return replace(nothing_compared(NOWHERE, Status.LOST, text), notes=notes)
    return _without_trust(found, found.pose, text)


def _without_trust(result: RefinementResult, pose: Pose, text: str) -> RefinementResult:
    """A lost frame's result: its pose is a guess, of which what speaks for the refused one says nothing."""
    return replace(
        result, pose=pose, status=Status.LOST, message=text, cost=math.inf, cost_per_modality={},
        confidence=0.0, covariance=None, unobserved=None, answers=(), none_of_these=None,
    )  # fmt: skip


def sureness(result: RefinementResult) -> float:
    """Confidence, 0 for what is no result."""
    return result.confidence if result.ok and result.confidence is not None else 0.0


def shares(result: RefinementResult) -> dict[str, float]:
    """How much the visible part of the object looks like its model, by kinds of evidence: shares of what fits.

    A mask says what is hidden. Without one, what hides the object counts as depth that does not fit, so that depths
    with a mask and without one do not compare.
    """
    seen = result.evidence
    if seen is None:
        return {}
    every = {
        DEPTHS[seen.overlap is None]: seen.depth_inliers, "texture": seen.texture, "outline": seen.outline,
        "learned": seen.learned,
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
    note = Note(NoteCode.USUAL_CONFIDENCE, f"confidence {confidence:.2f}, which is usual in this film")
    return replace(result, notes=(*result.notes, note))


def with_found_note(result: RefinementResult, frames: int) -> RefinementResult:
    """An object that was found again after so many lost frames, 0 for in the very frame that was in doubt."""
    if frames == 0:
        return replace(result, notes=(*result.notes, Note(NoteCode.FOUND_WIDER, "found by the wider search")))
    text = f"found again after {frames} lost frame{'s' if frames > 1 else ''}"
    return replace(result, message=f"{text}; {result.message}", notes=(*result.notes, Note(NoteCode.FOUND_AGAIN, text)))


def lost(
    result: RefinementResult, predicted: Pose, frames: int, found: float, *, followed: bool, likely: Pose | None = None
) -> RefinementResult:  # fmt: skip
    """What a lost frame returns: a guess, with a confidence of 0, and why no more.

    Args:
        result: of the frame, which does not convince.
        predicted: where the object is expected.
        frames: in which it is lost.
        found: the confidence that would convince.
        followed: whether it has been followed before: then pose, unit and K were right.
        likely: the likeliest pose in the frame's mask, which is a better guess; None where there is none.
    """
    said = _GONE.get(result.status, result.message) if followed else result.message
    why = said
    if result.ok:
        sure = sureness(result)
        why = f"confidence {sure:.2f}, below {found:.2g}" if sure < found else "what is there looks less like it"
    guess = "a guess from the last good one" if likely is None else "a guess, the likeliest in the mask"
    text = (
        f"lost for {frames} frame{'s' if frames > 1 else ''} ({why}); the pose is {guess}; "
        "the wider search goes on, or restart with track(observation, pose=...)"
    )
    return _without_trust(result, predicted if likely is None else likely, text)
