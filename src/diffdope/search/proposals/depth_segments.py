"""Where neither mask nor box is given: pieces that stand out from the large planes of a depth image.

A table, a wall and the sides of a bin are planes that are larger than the object. Without them, what is connected and
no larger than the object is a piece, which may be it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_above_zero
from diffdope.geometry.camera import Camera
from diffdope.geometry.plane import plane_of_most
from diffdope.problem.failure import Failure
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.view_sphere import ViewSphereSettings, view_sphere

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

_SAMPLE = 2000  # of RANSAC
_LARGEST = 1.2  # diameters, for depth is noisy
_TAIL = 2.0  # percent of a piece's points at either end that may be noise
_FEWEST = 12  # points


@dataclass(frozen=True)
@checked_fields(least={"tried": 1, "across": 8, "planes": 0})
class PieceSettings:
    """How an object is found where neither mask nor box says where it is. Lengths are shares of its diameter."""

    tried: int = 3
    """Pieces in which it is located, those of which templates explain most."""
    across: int = 30
    """Pixels of the reduced image that an object is wide in the middle of the depths."""
    planes: int = 4
    """That are left out at most: a bin has a bottom and sides."""
    plane_share: float = 0.08
    """Of all points, that a plane has at least."""
    plane_size: float = 2.0
    """How large a plane is that cannot be a face of the object."""
    near_plane: float = 0.05
    """What is nearer to a plane belongs to it."""
    step: float = 0.08
    """Neighbours that differ by more in depth are not connected."""
    least_area: float = 0.02
    """Of a piece, in squared diameters."""

    def __post_init__(self) -> None:
        """Refuses numbers that leave no pieces."""
        check_above_zero(self, "plane_share", "plane_size", "near_plane", "step", "least_area")


def pieces(
    meshes: MeshLevels, observation: Observation, sphere: ViewSphereSettings, settings: PieceSettings, seed: int
) -> list[Mask]:
    """Masks (H, W) of the pieces that the object explains best, the best first.

    Args:
        meshes: the object, about its own middle.
        observation: with depth, without a mask.
        sphere: of the templates by which pieces are compared.
        settings: see there.
        seed: of the draws.
    """
    ranked: list[tuple[float, int, Mask]] = []
    for mask in _connected(observation, meshes.length_m, settings, np.random.default_rng(seed)):
        proposals = view_sphere(meshes, observation.with_mask(mask), sphere, 1)
        if not isinstance(proposals, Failure):
            ranked.append((-float(proposals.explained[0]), len(ranked), mask))
    return [mask for _, _, mask in sorted(ranked, key=lambda one: one[:2])[: settings.tried]]


def _connected(
    observation: Observation, length_m: float, settings: PieceSettings, rng: np.random.Generator
) -> Iterator[Mask]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    whole, camera = observation.depth, observation.camera
    assert whole is not None
    if not (whole > 0.0).any():
        return
    depth, points, k = reduced_points(whole, camera, length_m, settings)
    left = _without_planes(points, depth > 0.0, length_m, settings, rng)
    number = np.arange(depth.size).reshape(depth.shape)
    links: list[NDArray[np.int64]] = []
    for one, other in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1, :], np.s_[1:, :]),
    ):
        linked = left[one] & left[other] & (np.abs(depth[one] - depth[other]) < settings.step * length_m)
        links.append(np.stack([number[one][linked], number[other][linked]]))
    rows, columns = np.concatenate(links, axis=1)
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(depth.size, depth.size))
    _, label = connected_components(graph, directed=False)
    label = np.where(left, label.reshape(depth.shape), -1)
    count = np.bincount(label[left], minlength=1)
    for which in np.flatnonzero(count >= _FEWEST):
        piece = label == which
        own = points[piece]
        ends = np.percentile(own, [_TAIL, 100.0 - _TAIL], axis=0)
        area = count[which] * (k / camera.fx * float(np.median(own[:, 2]))) ** 2
        if np.linalg.norm(ends[1] - ends[0]) <= _LARGEST * length_m and area >= settings.least_area * length_m**2:
            mask = np.repeat(np.repeat(piece, k, axis=0), k, axis=1)
            full = np.zeros(whole.shape, np.bool_)
            part = mask[: whole.shape[0], : whole.shape[1]]
            full[: part.shape[0], : part.shape[1]] = part
            yield full


def reduced_points(
    whole: NDArray[np.float32], camera: Camera, length_m: float, settings: PieceSettings
) -> tuple[F64, F64, int]:  # fmt: skip
    """Every k-th pixel of a depth image (h, w) metres, some of them measured: depth (H, W), points (H, W, 3), and k."""
    k = max(int(camera.fx * length_m / float(np.median(whole[whole > 0.0])) / settings.across), 1)
    depth = whole[k // 2 :: k, k // 2 :: k].astype(np.float64)
    return depth, _points(depth, camera, k), k


def _points(depth: F64, camera: Camera, k: int) -> F64:
    """Of every k-th pixel (H, W, 3), metres in the camera's frame."""
    v, u = np.mgrid[: depth.shape[0], : depth.shape[1]] * k + k // 2
    return np.stack([(u - camera.cx) / camera.fx * depth, (v - camera.cy) / camera.fy * depth, depth], axis=-1)


def _without_planes(
    points: F64, there: Mask, length_m: float, settings: PieceSettings, rng: np.random.Generator
) -> Mask:  # fmt: skip
    """Which points (H, W) are on no large plane, found one after the other (RANSAC; Fischler and Bolles, 1981)."""
    left, least = there.copy(), settings.plane_share * np.count_nonzero(there)
    near_m = settings.near_plane * length_m
    for _ in range(settings.planes):
        if np.count_nonzero(left) < max(least, 3):
            break
        sample = points[left]
        sample = sample[rng.choice(len(sample), min(len(sample), _SAMPLE), replace=False)]
        normal, origin = plane_of_most(sample, 0.5 * near_m, rng)
        on = left & (np.abs((points - origin) @ normal) < near_m)
        if np.count_nonzero(on) < least:
            break
        ends = np.percentile(points[on], [5.0, 95.0], axis=0)
        if np.linalg.norm(ends[1] - ends[0]) < settings.plane_size * length_m:
            break
        left &= ~on
    return left
