"""What an object looks like from all around, as keypoints with their points on the object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_above_zero, check_at_least_zero
from diffdope.geometry.camera import Camera
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import Renderer
from diffdope.search.features.keypoints import Keypoints, detect, in_bytes
from diffdope.search.proposals.template_placement import turn_between

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_AHEAD = np.array([0.0, 0.0, 1.0])
_DISTANCE = 4.0  # diameters, from which an object is drawn: about as far as it is when it fills a fifth of a picture
_ROOM = 1.08  # of the side: a ball as large as the object's diameter, and a border
_GOLDEN = np.pi * (1.0 + np.sqrt(5.0))


@dataclass(frozen=True)
@checked_fields(
    least={
        "views": 4, "size": 64, "view_keypoints": 8, "keypoints": 8, "neighbours": 1, "poses": 1, "picture": 64,
        "picture_keypoints": 8, "boxes": 1,
    }
)  # fmt: skip
class FeatureSettings:
    """How an object with a pattern is found in a photograph, where at most a box says where it is."""

    views: int = 48
    """Directions from which the object is drawn, about 30 degrees apart: keypoints look alike that far."""
    size: int = 256
    """Pixels that the object is wide in a drawing at most, and the longer side of the box in the photograph."""
    view_keypoints: int = 250
    """Of a drawing, at most."""
    keypoints: int = 700
    """Of the photograph in the box, at most."""
    contrast: float = 0.02
    """That a keypoint has at least, as SIFT measures it."""
    neighbours: int = 2
    """Keypoints of the object that are tried for one of the photograph, the most alike."""
    tolerance: float = 0.015
    """Share of the box's longer side by which a keypoint may be off where a pose would show it."""
    uncovered: float = 0.15
    """Share of a box's side that an object under a pose may leave empty: a box ends where the object does."""
    poses: int = 4
    """Distinct poses that are refined, those with which most keypoints agree."""
    weight: float = 0.4
    """What a pose pays, in the refinement, whose keypoints are all off by their tolerance."""
    distance_error: float = 0.01
    """Share of the distance by which a photograph is off (standard deviation): K, the mesh's size and its texture's
    place on it are known no better, and neither depth nor a mask says so."""
    pair_error: float = 0.05
    """The same of a single keypoint, as far as keypoints err on their own: n of them are off by 1 / sqrt(n) of it."""

    picture: int = 1280
    """Longer side of the photograph where there is not even a box, pixels."""
    picture_keypoints: int = 4000
    """Of the photograph then, at most."""
    boxes: int = 3
    """Places of the photograph that are searched then, those of which most keypoints speak for the object."""

    def __post_init__(self) -> None:
        """Refuses numbers with which nothing is found."""
        check_above_zero(self, "tolerance")
        check_at_least_zero(self, "contrast", "uncovered", "weight", "distance_error", "pair_error")

    def error_of_distance(self, agreeing: float) -> float:
        """Standard deviation of a distance, as a share of it, if so many keypoints agree."""
        return float(np.hypot(self.distance_error, self.pair_error / np.sqrt(max(agreeing, 1.0))))


@dataclass(frozen=True, eq=False)
class FeatureViews:
    """N keypoints of an object, of all drawings together.

    Attributes:
        keypoints: as they were drawn.
        points_m: (N, 3) on the object, in its frame.
        view: (N,) number of the drawing.
        z_m: (N,) distance along the optical axis.
        R: (V, 3, 3) model to camera, of the drawings.
        camera: of the drawings.
    """

    keypoints: Keypoints
    points_m: F64
    view: NDArray[np.int64]
    z_m: F64
    R: F64
    camera: Camera

    @classmethod
    def of(cls, buffers: Buffers, length_m: float, settings: FeatureSettings) -> FeatureViews:
        """Draws an object and finds its keypoints.

        Args:
            buffers: of the object, about its own middle, in full detail.
            length_m: its diameter.
            settings: see there.
        """
        side, t = settings.size, np.array([0.0, 0.0, _DISTANCE * length_m])
        half = 0.5 / np.sqrt(_DISTANCE**2 - 0.25)  # a ball in front of the camera is as wide as its tangents
        focal = 0.5 * side / (_ROOM * half)
        camera = Camera(focal, focal, 0.5 * (side - 1), 0.5 * (side - 1), side, side)
        renderer, R = Renderer(buffers.mesh, camera, buffers=buffers), _directions(settings.views)
        found: list[tuple[Keypoints, F64, F64]] = []
        for turn in R:  # one at a time: all drawings together take a quarter of a gigabyte
            images = renderer.render(turn, t)
            keypoints, z_m = _on_object(images.rgb[0], images.depth[0], images.coverage[0], settings)
            u, v = keypoints.place.T
            seen = np.stack([(u - camera.cx) / camera.fx * z_m, (v - camera.cy) / camera.fy * z_m, z_m], axis=1)
            found.append((keypoints, (seen - t) @ turn, z_m))
        every = Keypoints(*(np.concatenate(parts) for parts in zip(*(one[0] for one in found), strict=True)))
        points_m, z_m = (np.concatenate([one[k] for one in found]) for k in (1, 2))
        view = np.repeat(np.arange(len(R)), [len(one[2]) for one in found])
        return cls(every, points_m, view, z_m, R, camera)


def _directions(count: int) -> F64:
    """Rotations (V, 3, 3) that show an object from directions spread evenly over the sphere (a Fibonacci spiral)."""
    place = np.arange(count) + 0.5
    z, around = 1.0 - 2.0 * place / count, _GOLDEN * place
    radius = np.sqrt(1.0 - z * z)
    return np.swapaxes(turn_between(_AHEAD, np.stack([radius * np.cos(around), radius * np.sin(around), z], 1)), 1, 2)


def _on_object(rgb: F32, depth: F32, coverage: F32, settings: FeatureSettings) -> tuple[Keypoints, F64]:
    """Keypoints of a drawing and their distances (N,), metres, without those that see what is around the object."""
    from scipy.ndimage import distance_transform_edt

    inside = (coverage > 0.5) & (depth > 0.0)
    grey = rgb.mean(axis=-1)
    if inside.any():  # around it, its own mean: against black, its outline would be all that is found
        grey = grey + (1.0 - np.clip(coverage, 0.0, 1.0)) * grey[inside].mean()
    keypoints = detect(in_bytes(grey), most=settings.view_keypoints, contrast=settings.contrast)
    column, row = (np.clip(np.rint(part).astype(int), 0, len(grey) - 1) for part in keypoints.place.T)
    room = distance_transform_edt(inside)
    kept = room[row, column] > 0.5 * keypoints.size
    return keypoints.taken(kept), depth[row[kept], column[kept]].astype(np.float64)
