"""Which views support an object's common pose, which contradict it, and whether another size would reconcile them.

A view that was given the object's mask claims to see it. Where the object is not drawn where that mask is, or the view
was left out although the object is in sight, it stands against those whose images fit the pose. A view that took part
and fits badly does not: of cameras that stand a few millimetres off, all views fit a right pose a little badly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.joint.together import Together
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.observation import Observation
from diffdope.scene.scene import Scene
from diffdope.search.drawn import drawing_of

F64 = NDArray[np.float64]

_EXPLAINED = 0.7  # share of a mask that lies in the drawing of what it shows: noisy ones lose a border
_HIDDEN = 0.3  # share of an object that is visible, below which images that do not fit say nothing
_RECONCILED = 0.02  # of the distance: as near, rays of views that agree pass each other
_CLOSER = 5.0  # times nearer they pass each other with another size than with the given one
_SIZED = 0.03  # as much a mesh's size differs before it is worth a word
_PARALLEL = 1e-3  # ratio of singular values below which cameras look from one place


class Support(NamedTuple):
    """Of one object: numbers of the views whose images fit the common pose, and of those that contradict it."""

    by: tuple[int, ...]
    against: tuple[int, ...]

    @property
    def decided(self) -> bool:
        """Whether more views support the pose than contradict it, if any contradicts it."""
        return not self.against or len(self.by) > len(self.against)


def support_of(scene: Scene, refiner: Refiner, solved: Together, n: int, obj: int) -> Support:
    """See `Support`.

    Args:
        scene: what was given; views without a mask of the object claim nothing.
        refiner: of the object.
        solved: what all views say.
        n: number of the object there.
        obj: number of the object in the scene.
    """
    by, against = [], []
    for view in range(len(scene.views)):
        member, observation = solved.members.get((view, n)), scene.observation(view, obj)
        if member is None:
            continue
        pose = solved.state.in_camera(view, n)
        fit = None if member.leaf is None or member.fit is None else member.leaf.fit(pose)
        if member.used and fit is not None and fit.log_odds >= 0.0:
            by.append(view)
        elif observation.mask_box is not None:
            hidden = fit is None or fit.quality.visible < _HIDDEN
            left_out = not member.used and not hidden
            if left_out or mask_explained(refiner, pose, observation) <= _EXPLAINED:
                against.append(view)
    return Support(tuple(by), tuple(against))


def mask_explained(refiner: Refiner, pose: Pose, observation: Observation) -> float:
    """Share of the mask's pixels on which the object is drawn.

    Args:
        refiner: of the object.
        pose: T_c_o, about the object's own middle.
        observation: with a mask that is not empty.
    """
    drawing = drawing_of(refiner.meshes, pose, observation.camera)
    if drawing is None or observation.mask is None:
        return 0.0
    shown = observation.mask[drawing.rows, drawing.columns]
    return float(shown[drawing.depth > 0.0].sum() / max(float(observation.mask.sum()), 1e-9))


def size_factor(in_cameras: Mapping[int, Pose], cameras: Sequence[Pose]) -> float | None:
    """By which factor an object must be larger for views that have it in different places to agree; None for none.

    A photograph does not tell a small thing that is near from a large one that is far. So each view alone has an object
    of a wrong size in the right direction at a wrong distance, f t_c: of two views and more, f and the place follow by
    linear least squares from R^T (f t_c - t_wc) = x.

    Args:
        in_cameras: T_c_o by view, about the object's own middle.
        cameras: T_c_w of all views.
    """
    if len(in_cameras) < 2:
        return None
    rows, right, away = [], [], []
    for view, pose in in_cameras.items():
        back = cameras[view].R_m2c.T
        distance = float(np.linalg.norm(pose.t_m2c))
        rows.append(np.hstack([(back @ pose.t_m2c)[:, None] / distance, -np.eye(3)]))
        right.append(back @ cameras[view].t_m2c)
        away.append(distance)
    A, b = np.vstack(rows), np.concatenate(right)
    scale = float(np.mean(away))
    A[:, 0] *= np.repeat(np.array(away) / scale, 3)
    values = np.linalg.svd(A, compute_uv=False)
    found = np.linalg.lstsq(A, b, rcond=None)[0]
    factor = float(found[0]) / scale
    if values[-1] < _PARALLEL * values[0] or not factor > 0.0 or abs(np.log(factor)) < _SIZED:
        return None
    apart = _root_mean_square(A @ found - b)
    as_given = A[:, 0] * scale - b
    middle = as_given.reshape(-1, 3) - as_given.reshape(-1, 3).mean(axis=0)
    near = apart < _RECONCILED * factor * scale and _CLOSER * apart < _root_mean_square(middle.ravel())
    return factor if near else None


def _root_mean_square(values: F64) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
