"""When a tracked object is in doubt, lost and found."""

from __future__ import annotations

from dataclasses import dataclass

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_above_zero, expected


@dataclass(frozen=True)
@checked_fields()
class TrackingSettings:
    """When a tracked object is in doubt, lost and found, and how it is expected to move."""

    doubt: float = 0.5
    """Frames whose confidence is below this do not feed the motion model."""
    alike: float = 0.9
    """A frame is refined anew, from coarse to fine, if the object looks less like its model than this share of
    before."""
    unlike: float = 0.7
    """And it is in doubt below this share."""
    patience: int = 3
    """The object is lost after so many frames in doubt in a row."""
    lost: float = 0.1
    """It is lost at once if the confidence is below this."""
    found: float = 0.6
    """It is found again if the confidence is at least this."""
    retry: int = 5
    """Of the frames in which it is lost, the wider search looks for it in the first and in every so many."""
    other_poses: int = 5
    """Where nothing but the outline's edges holds the object, it is looked every so many frames which other poses
    explain them as well."""
    reach_m_per_s: float = 1.1
    """How fast the object or the camera may move: a frame that does not convince is searched so far, times the seconds
    since the last good one, around where the object is expected. A hand that carries something does 0.5 to 1.1 m/s."""
    memory_s: float = 0.3
    """Seconds after which an unconfirmed velocity has fallen to 1/e."""
    smoothing: float = 0.0
    """Share of the old velocity that a new measurement leaves."""
    frame_s: float = 1.0 / 30.0
    """Seconds between frames that come without a time."""

    def __post_init__(self) -> None:
        """Refuses thresholds in the wrong order."""
        if not 0.0 <= self.lost <= self.doubt <= self.found <= 1.0:
            got = f"{self.lost}, {self.doubt} and {self.found}"
            raise expected("lost, doubt, found", "0 <= lost <= doubt <= found <= 1", got)
        if not 0.0 <= self.unlike <= self.alike <= 1.0:
            raise expected("unlike, alike", "0 <= unlike <= alike <= 1", f"{self.unlike}, {self.alike}")
        for name in ("patience", "retry", "other_poses"):
            if getattr(self, name) < 1:
                raise expected(name, "at least 1", getattr(self, name))
        check_above_zero(self, "reach_m_per_s", "memory_s", "frame_s")
        if not 0.0 <= self.smoothing < 1.0:
            raise expected("smoothing", "a share from 0 to below 1", self.smoothing)
