"""How far off a pose is where the camera is not calibrated, and its focal length known to some percent.

With another focal length, the same picture is that of another place. Without depth, an object that is k times as far
away looks the same if the focal length is k times as long: x = (u - cx) z / f, and z / f is what its size tells. With
depth, z is measured, and what is off is x and y. And nobody knows where the axis of such a camera meets the picture,
but that it is near the middle. In all of it, the ray on which the object is seen has turned, and the object with it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose

F64 = NDArray[np.float64]

_AXIS = 0.2
"""Share of the focal length by which the axis is aside, per share by which that is off: of cameras whose focal length
is known to 3 percent, 0.6 percent, which is 25 pixels of a photograph of 4000."""


def focal_covariance(pose: Pose, share: float, *, measured: bool) -> F64:
    """Covariance (6, 6) in (rho [m], phi [rad]), in the camera's axes, that a pose has beside what its images tell.

    Args:
        pose: of the object, about its middle.
        share: standard deviation of the focal length, as a share of it.
        measured: whether depth tells how far away the object is.
    """
    motions = focal_motions(pose, share, measured=measured)
    return np.asarray(motions.T @ motions)


def focal_motions(pose: Pose, share: float, *, measured: bool) -> F64:
    """(3, 6) motions of one deviation each: of a focal length that is longer, of an axis aside and below.

    Args:
        pose: see `focal_covariance`.
        share: the same.
        measured: the same.
    """
    here = pose.t_m2c
    aside = _AXIS * share * here[2]
    longer = here * [-share, -share, 0.0] if measured else here * [0.0, 0.0, share]
    moved = np.stack([longer, [aside, 0.0, 0.0], [0.0, aside, 0.0]])
    there = here + moved
    turned = np.cross(here, there) / (np.linalg.norm(here) * np.linalg.norm(there, axis=1))[:, None]
    return np.concatenate([moved, turned], axis=1)
