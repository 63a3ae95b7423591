"""Why nothing could be compared, and how a refinement ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from diffdope.geometry.crop import CropWindow


class Status(StrEnum):
    """How a refinement ended."""

    CONVERGED = "converged"
    ITERATION_LIMIT = "iteration_limit"
    OUT_OF_VIEW = "out_of_view"
    NO_OVERLAP = "no_overlap"
    BEHIND_CAMERA = "behind_camera"
    FAILED = "failed"
    AMBIGUOUS = "ambiguous"
    LOST = "lost"

    @property
    def ok(self) -> bool:
        """Whether a refined pose was found."""
        return self in (Status.CONVERGED, Status.ITERATION_LIMIT)


MESSAGES: dict[Status, str] = {
    Status.CONVERGED: "the descent came to rest",
    Status.ITERATION_LIMIT: "the best hypothesis was still improving at the last iteration; "
    "allow more iterations (search.near and search.far; of preset paper descent.iterations)",
    Status.OUT_OF_VIEW: "the start pose projects outside the image; check K, the image size and the pose's units",
    Status.NO_OVERLAP: "the start pose and the mask do not overlap; give a closer start or the right mask",
    Status.BEHIND_CAMERA: "the start pose is behind the camera; an OpenGL pose (z backward) must be converted with "
    "Pose.from_opengl, or its translation is negated",
    Status.AMBIGUOUS: "the images fit several poses alike, and do not tell which one is right; see the answers",
    Status.LOST: "the tracked object is lost; the pose is a guess from the last good one",
    Status.FAILED: "the images do not support any pose that was found; check mesh units, K and the observed images, or "
    "give a closer start",
}


LOCATED_FAILED = (
    "the images do not support any pose that was found; check mesh units, K, the mask and the observed images, or "
    "refine from a start pose"
)
"""Of `Status.FAILED`, where there was no start that could be closer."""


@dataclass(frozen=True)
class Failure:
    """Nothing could be compared.

    status: why; window: the part of the image where it was tried, if it came to that.
    """

    status: Status
    window: CropWindow | None = None
