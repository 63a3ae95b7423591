"""Places of cameras that were given in another direction or with other axes than T_w2c has, told from the views."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from diffdope.geometry.pose import Pose

_KINDS: tuple[tuple[str, Callable[[Pose], Pose]], ...] = (
    ("camera to world (T_w2c.inverse())", Pose.inverse),
    ("cameras that look along -z, y up (Pose.from_opengl(T_w2c))", lambda given: Pose.from_opengl(given.matrix)),
    (
        "camera to world, of cameras that look along -z, y up (Pose.from_opengl(T_w2c.inverse()))",
        lambda given: Pose.from_opengl(given.inverse().matrix),
    ),
)
_AGREE = 0.02  # of the distance: photographs alone know that so well
_CLOSER = 5.0  # times nearer to each other than with the places as they were given


def other_kind(in_cameras: Mapping[int, Pose], cameras: Sequence[Pose]) -> str:
    """What all T_w2c must be for views that have an object in different places to agree; empty for nothing.

    Args:
        in_cameras: T_c_o by view, of one object.
        cameras: T_w2c of all views, as given.
    """
    if len(in_cameras) < 2:
        return ""
    away = float(np.mean([np.linalg.norm(pose.t_m2c) for pose in in_cameras.values()]))
    given = _apart(in_cameras, cameras)
    apart = {kind: _apart(in_cameras, [as_w2c(one) for one in cameras]) for kind, as_w2c in _KINDS}
    best = min(apart, key=lambda kind: apart[kind])
    return best if apart[best] < _AGREE * away and _CLOSER * apart[best] < given else ""


def _apart(in_cameras: Mapping[int, Pose], cameras: Sequence[Pose]) -> float:
    """How far the places that the views have of an object are from their mean, root mean square, metres."""
    places = np.array([(cameras[view].inverse() @ pose).t_m2c for view, pose in in_cameras.items()])
    return float(np.sqrt(np.mean(np.sum((places - places.mean(axis=0)) ** 2, axis=1))))
