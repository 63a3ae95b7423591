"""Templates: an object rendered once from all around, small, to be laid over crops at any place and size."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.problem.screening_kernel import FRONT, Templates
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import Renderer

F64 = NDArray[np.float64]

PIXEL = np.array([-0.5, -0.5, 0.5, 0.5])  # from centres to borders, of boxes
SIDE = 36  # pixels: one and a half times a crop's, since templates are read at the nearest pixel
_ROOM = 1.1  # of the side: the object is at most its diameter wide, in perspective a little more
_STEP = 1.25  # ratio of distances from which an object is rendered: between two, perspective differs by a few percent
_NEAREST = 1.0  # diameters


class Outlines(NamedTuple):
    """Of templates (N, h, h): how far pixels are outside, negative within, and directions away from what is drawn."""

    outside: NDArray[np.float32]
    x: NDArray[np.float32]
    y: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TemplateSphere:
    """Rotations (N, 3, 3) rendered at a distance on the optical axis, with the middle of the object in the middle.

    Attributes:
        R: model to camera.
        templates: the images.
        distance_m: of the object's middle.
        focal: focal length, pixels of a template.
    """

    R: F64
    templates: Templates
    distance_m: float
    focal: float

    @classmethod
    def of(cls, buffers: Buffers, length_m: float, rotations: int, step: int) -> TemplateSphere:
        """Renders an object.

        Args:
            buffers: of the object, about its own middle.
            length_m: its diameter.
            rotations: N.
            step: of the distance, see `step_of`.
        """
        R, distance_m = so3.evenly(rotations), _STEP**step * length_m
        # Of a ball in front of the camera: as wide as its tangents.
        half = 0.5 * length_m / np.sqrt(max(distance_m**2 - 0.25 * length_m**2, 0.1 * length_m**2))
        focal = 0.5 * SIDE / (_ROOM * half)
        camera = Camera(focal, focal, 0.5 * (SIDE - 1), 0.5 * (SIDE - 1), SIDE, SIDE)
        t = np.broadcast_to(np.array([0.0, 0.0, distance_m]), (rotations, 3))
        images = Renderer(buffers.mesh, camera, buffers=buffers).render(R, t)
        depth = np.where(images.coverage > 0.5, images.depth + (FRONT - np.float32(distance_m)), np.float32(0.0))
        return cls(R, Templates(np.ascontiguousarray(depth), images.rgb), distance_m, float(focal))

    def within(self, R: F64, angle_rad: float) -> TemplateSphere:
        """Those whose rotations are within an angle of one (3, 3), or the nearest if there are none."""
        cosine = 0.5 * (np.einsum("nij,ij->n", self.R, R) - 1.0)
        near = np.flatnonzero(cosine >= min(np.cos(angle_rad), float(cosine.max())))
        images = Templates(*(np.ascontiguousarray(part[near]) for part in self.templates))
        return TemplateSphere(self.R[near], images, self.distance_m, self.focal)

    @cached_property
    def boxes(self) -> F64:
        """What templates cover (N, 4): x0, y0, x1, y1 about the middle, borders of pixels."""
        return np.asarray(boxes_of(self.templates.depth > 0.0) + PIXEL - 0.5 * (SIDE - 1))

    @cached_property
    def outlines(self) -> Outlines:
        """What templates cover ends there."""
        from scipy.ndimage import distance_transform_edt, gaussian_filter

        covered = self.templates.depth > 0.0
        # One transform of all: images are farther apart than any of their pixels.
        alone = {"sampling": (2.0 * SIDE * len(covered), 1.0, 1.0)}
        within, beyond = (distance_transform_edt(part, **alone) for part in (covered, ~covered))
        outside = np.where(covered, 0.5 - within, beyond - 0.5).astype(np.float32)
        rows, columns = np.gradient(gaussian_filter(outside, (0.0, 1.0, 1.0)), axis=(1, 2))
        length = np.maximum(np.hypot(rows, columns), 1e-6)
        return Outlines(outside, columns / length, rows / length)

    @cached_property
    def areas(self) -> F64:
        """How many pixels templates cover (N,), at least 1."""
        return np.asarray(np.maximum(np.count_nonzero(self.templates.depth > 0.0, axis=(1, 2)), 1.0))


def step_of(distance: float) -> int:
    """Which of the distances at which templates are rendered is nearest to one, in diameters."""
    return round(float(np.log(max(distance, _NEAREST)) / np.log(_STEP)))


def boxes_of(covered: NDArray[np.bool_]) -> F64:
    """First and last column and row (x0, y0, x1, y1) that images (N, H, W) cover, (N, 4); of nothing, all."""
    ends: list[F64] = []
    for axis in (1, 2):
        any_of = np.asarray(covered.any(axis=axis))
        ends += [any_of.argmax(axis=1), any_of.shape[1] - 1.0 - any_of[:, ::-1].argmax(axis=1)]
    return np.stack([ends[0], ends[2], ends[1], ends[3]], axis=1).astype(np.float64)
