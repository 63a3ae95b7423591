"""Proposals for what is partly hidden in a photograph without depth: parts of its outline lie on its mask's border.

What hides an object cuts its mask: area, extent and middle of what is left are not the object's, and the part of the
border that the occluder made is nowhere on its outline. The rest of the border is. So templates are laid over a mask at
several sizes and places, and are likelier the more of the border lies on their outlines, in the same direction; what
sticks out of the mask pays nothing, for it may be hidden, and what of the mask they leave uncovered pays, for nothing
explains it. The likeliest are led to the border by Gauss-Newton steps that take points far outside of it for hidden
ones (Geman and McClure's weights).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.crop import Box, choose_crop
from diffdope.geometry.pose import Pose, solved_pose
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from diffdope.scene.signed_distance import signed_distance
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.template_placement import Proposals, on_ray, spots, turn_between, window_around
from diffdope.search.proposals.templates import SIDE, TemplateSphere, boxes_of
from diffdope.search.selection import SAME, SAME_RAD, non_maximum_suppression
from diffdope.terms.contour_points import ContourPoints
from diffdope.terms.outline_kernel import LEAST_POINTS

F64 = NDArray[np.float64]
Int = NDArray[np.intp]

_ROUGH, _FINE, _FACES = 64, 80, 2000  # pixels of the crops: that of templates, and that of the steps; triangles there
_HALF = np.float32(0.5 * SIDE)
_SIZES = 1.12 ** np.arange(7)  # times that at which the template's area is the mask's: down to a quarter of it is seen
_FEW, _MANY = 16, 64  # points of the border that every placement is held against, and its better ones
_AT_ONCE = 4096  # placements: what is read of them then stays in the processor's cache
_BETTER = 4  # times the number of templates, of their placements
_TAKEN = 24  # templates that take steps: of ten objects, one near the right pose was the twelfth at most
_EDGE_PX = 2  # of the crop: a border there is the picture's
_ALONG = 0.7  # cosine of the angle between border and outline, at most 45 degrees apart
_ON_PX = 2.0  # of the fine crop, and twice a template's pixel: an outline farther from the border does not explain it
_REACHES_PX = (5.0, 4.0, 3.0, 2.0, 1.5, 1.5)  # of the steps
_LARGEST_REACH = 3.0  # times which a point is hidden for sure
_UNCOVERED = 0.2  # least weight of a point that lies inside of the mask, where the object should end and does not
_ANGLE, _DISTANCE, _HELD = 0.35, 0.15, 0.02  # rad, diameters, and weight a point: what a step is held by
_NONE = Proposals(np.zeros((0, 3, 3)), np.zeros((0, 3)), np.zeros(0))


class _Laid(NamedTuple):
    """Templates (J,) by their numbers, pixels of the crop for one of theirs, and columns and rows of their middles.

    aspect: fy / fx, by which rows are farther apart than columns.
    """

    template: Int
    scale: F64
    x: F64
    y: F64
    aspect: float

    @classmethod
    def over(cls, sphere: TemplateSphere, border: _Border, pixels: float, aspect: float) -> _Laid:
        """Every template over a mask in several sizes and places.

        Args:
            sphere: the templates.
            border: of the mask.
            pixels: of the crop for one of a template's, as large as they were drawn.
            aspect: fy / fx.
        """
        box = boxes_of(border.mask[None])[0]
        boxes = sphere.boxes * (pixels * np.array([1.0, aspect, 1.0, aspect]))
        by_area = np.sqrt(np.count_nonzero(border.mask) / (sphere.areas * pixels**2 * aspect))
        by_extent = ((box[2:] - box[:2] + 1.0) / (boxes[:, 2:] - boxes[:, :2])).max(axis=1)
        scale = np.concatenate([*(by_area * size for size in _SIZES), by_extent])
        number = np.tile(np.arange(len(boxes)), len(_SIZES) + 1)
        row, x, y = spots(boxes[number] * scale[:, None], box)
        return cls(number[row], pixels * scale[row], x, y, aspect)

    def taken(self, kept: Int) -> _Laid:
        """Some of them."""
        return _Laid(self.template[kept], self.scale[kept], self.x[kept], self.y[kept], self.aspect)

    def likeliest(self, sphere: TemplateSphere, border: _Border) -> _Laid:
        """The likeliest templates, each in its best place: of all by a few points, of the better ones by many."""
        ranked = self.taken(np.argsort(-self.explained(sphere, border, _FEW), kind="stable"))
        better = ranked.taken(np.arange(min(_BETTER * len(sphere.R), len(self.x))))
        order = np.argsort(-better.explained(sphere, border, _MANY), kind="stable")
        _, first = np.unique(better.template[order], return_index=True)
        return better.taken(order[np.sort(first)[:_TAKEN]])

    def explained(self, sphere: TemplateSphere, border: _Border, points: int) -> F64:
        """(J,) as `_Border.explained_by`, by so many points of the border at most, and as many in the mask."""
        on = sphere.outlines
        v, u = _some(border.v, points), _some(border.u, points)
        rows, columns = (_some(part, points) for part in np.nonzero(border.mask))
        away, many = border.away[v, u].astype(np.float32), len(u)
        across, down = (np.concatenate(both).astype(np.float32) for both in ((u, columns), (v, rows)))
        found = np.empty(len(self.x))
        for first in range(0, len(self.x), _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            x, y, scale = (part[some, None].astype(np.float32) for part in (self.x, self.y, self.scale))
            p = (_HALF + (across - x) / scale).astype(np.int32)
            q = (_HALF + (down - y) / (scale * np.float32(self.aspect))).astype(np.int32)
            # What lies beyond a template is at its edge, where nothing is drawn.
            at = self.template[some, None] * SIDE**2 + np.clip(q, 0, SIDE - 1) * SIDE + np.clip(p, 0, SIDE - 1)
            outside = on.outside.take(at) * scale
            reach = np.maximum(scale, 1.0) * _ON_PX
            near = np.maximum(1.0 - ((outside[:, :many] + 0.5 * scale) / reach) ** 2, 0.0)
            along = on.x.take(at[:, :many]) * away[:, 0] + on.y.take(at[:, :many]) * away[:, 1] > _ALONG
            uncovered = np.clip(outside[:, many:] / reach, 0.0, 1.0)
            found[some] = (near * along).mean(axis=1) - uncovered.mean(axis=1)
        return found


def _some(pixels: Int, count: int) -> Int:
    """So many of them at most, evenly."""
    return pixels[np.unique(np.linspace(0.0, len(pixels) - 1.0, min(count, len(pixels))).astype(np.intp))]


class _Border:
    """The border of a mask in a crop.

    Args:
        mask: (H, W), neither empty nor full.
    """

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        from scipy.ndimage import gaussian_filter

        self.mask, self.outside = mask, signed_distance(mask)
        rows, columns = np.gradient(gaussian_filter(self.outside, 1.0))
        self.away = np.stack([columns, rows], axis=-1) / np.maximum(np.hypot(rows, columns), 1e-6)[..., None]
        inner = mask & (self.outside > -1.0)
        for axis in (0, 1):
            np.moveaxis(inner, axis, 0)[:_EDGE_PX] = False
            np.moveaxis(inner, axis, 0)[-_EDGE_PX:] = False
        self.v, self.u = np.nonzero(inner)

    def at(self, place: F64) -> tuple[F64, F64]:
        """How far places (N, 2) are outside (N,), pixels, and directions away from the border there (N, 2)."""
        from scipy.ndimage import map_coordinates

        def read(image: F64) -> F64:
            return np.asarray(map_coordinates(image, place.T[::-1], order=1, mode="nearest"))

        return read(self.outside), np.stack([read(self.away[..., k]) for k in (0, 1)], axis=-1)

    def explained_by(self, covered: NDArray[np.bool_]) -> float:
        """Share of the border on the outline of what is covered (H, W), less the share of the mask that is not."""
        if not covered.any() or covered.all() or len(self.u) == 0:
            return -1.0
        other = _Border(covered)
        on = _on(np.abs(other.outside[self.v, self.u] + 0.5), _ON_PX)
        along = np.sum(other.away[self.v, self.u] * self.away[self.v, self.u], axis=1) > _ALONG
        return float(np.mean(on * along) - np.count_nonzero(self.mask & ~covered) / np.count_nonzero(self.mask))


def _border_of(crop: Observation) -> _Border | None:
    """The border of a crop's mask; None if there is hardly any within the picture."""
    assert crop.mask is not None
    if not crop.mask.min() <= 0.5 < crop.mask.max():
        return None
    border = _Border(crop.mask > 0.5)
    return border if len(border.u) >= LEAST_POINTS else None


def _on(away_px: F64, reach_px: float | F64) -> F64:
    """How much points explain that are so far away: 1 to 0."""
    return np.asarray(np.maximum(1.0 - (away_px / reach_px) ** 2, 0.0))


def border_parts(
    meshes: MeshLevels, observation: Observation, rotations: int, faces: int, than: Pose | None = None
) -> Proposals:  # fmt: skip
    """Poses on whose outlines most of a mask's border lies, the likeliest first; none if there is hardly any border.

    Args:
        meshes: the object, about its own middle.
        observation: with a mask that shows something.
        rotations: of the templates.
        faces: of the mesh of these.
        than: those that are left explain more of the border than this pose; None for all.
    """
    box, camera = observation.mask_box, observation.camera
    assert box is not None
    extent = max((box[2] - box[0] + 1.0) / camera.fx, (box[3] - box[1] + 1.0) / camera.fy)
    distance_m = max(0.75 * meshes.length_m / extent, meshes.length_m)
    centre = np.array([0.5 * (box[0] + box[2]), 0.5 * (box[1] + box[3])])
    crop = observation.crop(window_around(camera, box, centre, meshes.length_m / distance_m, _ROUGH))
    border = _border_of(crop)
    if border is None:
        return _NONE
    sphere = meshes.templates(rotations, faces, distance_m / meshes.length_m)
    pixels = crop.camera.fx / distance_m / sphere.focal * sphere.distance_m
    laid = _Laid.over(sphere, border, pixels, crop.camera.fy / crop.camera.fx)
    best = laid.likeliest(sphere, border)
    there = on_ray(crop.camera, np.stack([best.x, best.y], axis=1))
    R = turn_between(np.array([0.0, 0.0, 1.0]), there) @ sphere.R[best.template]
    return _led(meshes, observation, box, R, there * (distance_m * pixels / best.scale)[:, None], than)


def _led(
    meshes: MeshLevels, observation: Observation, box: Box, R: F64, t: F64, than: Pose | None
) -> Proposals:  # fmt: skip
    """Where a mask's border leads poses, those that explain most of it first; of those at one place the best alone."""
    crop = observation.crop(choose_crop([box], observation.camera, margin=0.5, max_size=_FINE))
    border, buffers, R, t = _border_of(crop), meshes.buffers(_FACES), R.copy(), t.copy()
    if border is None:
        return _NONE
    renderer = Renderer(buffers.mesh, crop.camera, buffers=buffers)
    held = _HELD * np.diag([(_DISTANCE * meshes.length_m) ** -2] * 3 + [_ANGLE**-2] * 3)
    for reach_px in _REACHES_PX:
        drawn = renderer.render(R, t)
        for k in range(len(t)):
            points = ContourPoints(drawn.coverage[k], drawn.depth[k], crop.camera)
            if len(points) < LEAST_POINTS:
                continue
            step = _step(points, border, reach_px, points.jacobian(crop.camera, t[k]), held)
            led = solved_pose(so3.exp(step[3:]) @ R[k], t[k] + step[:3])
            R[k], t[k] = led.R_m2c, led.t_m2c

    def explained_by(R: F64, t: F64) -> F64:
        return np.array([border.explained_by(one > 0.5) for one in renderer.render(R, t).coverage])

    explained = explained_by(R, t)
    if than is not None:
        more = np.flatnonzero(explained > explained_by(than.R_m2c[None], than.t_m2c[None])[0])
        R, t, explained = R[more], t[more], explained[more]
    kept = non_maximum_suppression(
        R, t, -explained, len(t), angle_rad=SAME_RAD, distance_m=SAME * meshes.length_m
    )  # fmt: skip
    return Proposals(R[kept], t[kept], explained[kept])


def _step(points: ContourPoints, border: _Border, reach_px: float, rows: F64, held: F64) -> F64:
    """(6,) Gauss-Newton step of an outline to a border, of points that are not hidden, as far as that is known."""
    off, away = border.at(points.place)
    height, width = border.mask.shape
    inside = np.all((points.place > 1.0) & (points.place < np.array([width, height]) - 2.0), axis=1)
    along = np.clip(np.sum(away * points.normal, axis=1), 0.0, 1.0)
    near = 1.0 / (1.0 + (off / reach_px) ** 2)
    weight = np.where(np.abs(off) < _LARGEST_REACH * reach_px, along * near**2, 0.0)
    weight = inside * np.where(off < 0.0, np.maximum(weight, _UNCOVERED * near), weight)
    normal = rows.T @ (weight[:, None] * rows) + len(points) * held
    return -np.asarray(np.linalg.solve(normal, rows.T @ (weight * off)))
