"""Other poses that explain a photograph's edges, around one that was followed: by outlines alone, several may fit.

The object is drawn turned, nearer and farther, and those drawings whose lines lie about where edges are take steps to
them. What then explains more edges is likelier (`terms/drawn_lines.py`), and if that is elsewhere, the pose that was
followed is less sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.confidence import TOLERANCE
from diffdope.geometry import so3
from diffdope.geometry.crop import choose_crop
from diffdope.geometry.pose import Pose, solved_pose
from diffdope.problem.failure import Status
from diffdope.problem.region import projected_box
from diffdope.render.renderer import Renderer, draw
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.terms.contour import ContourCorrespondences, ContourSettings
from diffdope.terms.drawn_lines import DrawnLines
from diffdope.terms.inner_contour import inner_factor

F64 = NDArray[np.float64]

_AROUND = 0.3  # of the object's box, around it
_ROUGH, _FINE = 80, 128  # pixels of the crops: that in which a frame is followed, and one that tells edges from creases
_TILTS_DEG, _WAYS = (10.0, 20.0, 30.0), 8  # out of the picture's plane, and in how many directions
_NEARER = (0.9, 1.0, 1.1, 1.2)  # times: an outline that was taken for a crease's is smaller than the object's
_TAKEN = 6  # of what was drawn, take steps
_ROUGH_PX, _AT_PX = 4.0, 1.5  # how far from lines edges count: of what is drawn, and in the end
_ROUGH_STEPS_PX, _FINE_STEPS_PX = (4.0, 4.0, 2.0, 2.0), (2.0, 2.0)  # in either crop
_APART = 2.0 * TOLERANCE  # of the diameter: of two poses farther apart, one at most is within the tolerance
_PRIOR_ANGLE, _PRIOR_DISTANCE = 0.6, 0.3  # rad and diameters: steps go no farther where no line tells
_PRIOR = 0.05  # of the weight of all edges
_LARGEST = 50.0  # log odds: beyond, a probability is 0


class Surroundings:
    """A photograph around an expected pose, and what is drawn there.

    Args:
        meshes: the object.
        observation: with RGB.
        pose: about which the picture is cut out.
        size: of the longer side, pixels.
    """

    def __init__(self, meshes: MeshLevels, observation: Observation, pose: Pose, size: int) -> None:
        box = projected_box(meshes.corners_m, pose, observation.camera)
        assert not isinstance(box, Status)  # it has been compared there
        crop = observation.crop(choose_crop([box], observation.camera, margin=_AROUND, max_size=size))
        assert crop.rgb is not None
        self._meshes = meshes
        self._edges = ContourCorrespondences(crop.rgb, crop.camera, ContourSettings())
        self._lines = DrawnLines(self._edges, meshes.creases, meshes.length_m)
        self._buffers = meshes.buffers()
        self._renderer = Renderer(meshes.mesh, crop.camera, buffers=self._buffers)

    def log_likelihood(self, poses: list[Pose], reach_px: float) -> F64:
        """(B,) of poses; see `DrawnLines`."""
        R, t = np.stack([pose.R_m2c for pose in poses]), np.stack([pose.t_m2c for pose in poses])
        images = self._renderer.render(R, t)
        return self._lines.log_likelihood(images.coverage, images.depth, R, t, reach_px)

    def led(self, pose: Pose, reaches_px: Sequence[float]) -> Pose:
        """Where edges lead the outline and the creases of a pose, by Gauss-Newton steps."""
        edges, length_m = self._edges, self._meshes.length_m
        held = np.diag([(_PRIOR_DISTANCE * length_m) ** -2] * 3 + [_PRIOR_ANGLE**-2] * 3) * _PRIOR * edges.weight
        for reach_px in reaches_px:
            images = draw(self._buffers, edges.camera, pose)
            drawn = images.coverage[0], images.depth[0]
            outline = edges.factor(*drawn, pose, reach_px)
            if outline is None:
                return pose
            inner = inner_factor(edges, self._meshes.creases, *drawn, pose, reach_px, length_m)
            factors = (outline,) if inner is None else (outline, inner)
            curvature = held + np.sum([one.curvature for one in factors], axis=0)
            step = -np.linalg.solve(curvature, np.sum([one.slope for one in factors], axis=0))
            pose = solved_pose(so3.exp(step[3:]) @ pose.R_m2c, pose.t_m2c + step[:3])
        return pose


class OutlineAlternatives(NamedTuple):
    """What is found around a pose.

    Attributes:
        share: probability of what lies beside the pose, among all that is found and explains the edges.
        ahead: by which log odds the likeliest pose elsewhere is likelier; -inf if there is none.
        best: that pose; the given one if there is none.
    """

    share: float
    ahead: float
    best: Pose


def outline_alternatives(meshes: MeshLevels, observation: Observation, pose: Pose) -> OutlineAlternatives:
    """What else explains the edges around a pose.

    Args:
        meshes: the object, about its own middle.
        observation: with RGB.
        pose: that was followed, in the picture.
    """
    rough, fine = (Surroundings(meshes, observation, pose, size) for size in (_ROUGH, _FINE))
    drawn = _turned(pose)
    order = np.argsort(-rough.log_likelihood(drawn, _ROUGH_PX), kind="stable")
    starts = [pose, *(drawn[k] for k in order[:_TAKEN])]
    led = [pose, *(rough.led(start, _ROUGH_STEPS_PX) for start in starts)]
    ends = [pose, *(fine.led(start, _FINE_STEPS_PX) for start in led)]
    likely = fine.log_likelihood(ends, _AT_PX)
    apart_m = _APART * meshes.length_m
    beside = np.array([meshes.apart_m(one, pose) <= apart_m for one in ends])
    here = likely[beside].max()
    if not np.isfinite(here):
        return OutlineAlternatives(0.0, -np.inf, pose)
    others: list[int] = []  # the likeliest of each place
    for k in np.argsort(-likely, kind="stable"):
        if not beside[k] and all(meshes.apart_m(ends[k], ends[other]) > apart_m for other in others):
            others.append(int(k))
    if not others:
        return OutlineAlternatives(1.0, -np.inf, pose)
    ahead = likely[others] - here
    share = float(1.0 / (1.0 + np.exp(np.minimum(ahead, _LARGEST)).sum()))
    return OutlineAlternatives(share, float(ahead[0]), ends[others[0]])


def _turned(pose: Pose) -> list[Pose]:
    """The pose tilted all around, nearer and farther."""
    ways = 2.0 * np.pi * np.arange(_WAYS) / _WAYS
    tilts = [np.zeros(3)]
    tilts += [np.radians(tilt) * np.array([np.cos(way), np.sin(way), 0.0]) for tilt in _TILTS_DEG for way in ways]
    return [
        solved_pose(so3.exp(tilt) @ pose.R_m2c, pose.t_m2c / nearer) for tilt in tilts for nearer in _NEARER
    ]  # fmt: skip
