"""Proposals where nothing is known of the pose: rotations all around, each laid over what is seen of the object.

Every rotation is rendered once: a template. It is laid over a small crop where the mask is, or in several places if it
is larger than the mask, for what hides an object cuts its mask. Along the optical axis it follows the measured depth,
or without depth the size of the mask. What explains mask, depth and colours best is proposed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_above_zero, check_at_least_zero, expected
from diffdope.geometry.crop import choose_crop
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Failure, Status
from diffdope.problem.responsibility import without_holes
from diffdope.problem.screening_kernel import Penalties, Placements, Seen, screen
from diffdope.render.buffers import Buffers
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.template_placement import Proposals, proposals_of, spots, turn_between, window_around
from diffdope.search.proposals.templates import TemplateSphere, boxes_of

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Int = NDArray[np.int64]

_DIFFERS = 1.08  # ratio of two sizes that are tried both


@dataclass(frozen=True)
@checked_fields(least={"rotations": 1, "size": 8, "faces": 0, "wider": 1})
class ViewSphereSettings:
    """How proposals are found where there is no start pose.

    What pixels pay is in units of what one pays in which the object is missing.
    """

    rotations: int = 576
    """Rendered, evenly over all of them; neighbours are about 25 degrees apart with 576."""
    size: int = 24
    """Longest side of the crop, pixels."""
    faces: int = 500
    """Triangles of the mesh."""
    depth: float = 1.0
    """What a depth pays that is off by `depth_range` or more."""
    depth_range: float = 0.1
    """Share of the object's diameter: of a rotation that is half a neighbour away, depths are off by as much."""
    color: float = 0.5
    """What a colour pays that is off by `color_range` or more: less than a depth, for templates have patterns that
    do not lie on the photograph's."""
    color_range: float = 0.25
    """Of a channel, after the light's gain."""
    behind: float = 0.05
    """Share of the diameter by which a surface must be nearer than a template to hide it."""
    rim_px: float = 2.0
    """Without depth, what sticks out of the mask by more may be hidden, and pays little."""
    hidden: float = 0.1
    """How little."""
    scales: tuple[float, ...] = (1.0,)
    """Without depth, sizes that are tried, in units of that at which the template's area is the mask's."""
    wider: int = 2
    """How many times as many hypotheses a second search takes, where the first one's result does not convince."""
    wider_scales: tuple[float, ...] = (1.0, 1.25, 1.55)
    """Its sizes: an object that shows only 40 % of its area is 1.55 times as large as what is seen of it."""

    def __post_init__(self) -> None:
        """Refuses numbers that make no proposals."""
        check_above_zero(self, "depth_range", "color_range", "rim_px")
        check_at_least_zero(self, "depth", "color", "behind", "hidden")
        for name in ("scales", "wider_scales"):
            scales = getattr(self, name)
            if not scales or min(scales) <= 0.0:
                raise expected(name, "at least one number, each greater than 0", scales)


def view_sphere(
    meshes: MeshLevels, observation: Observation, settings: ViewSphereSettings, count: int,
    *, around: Pose | None = None, angle_rad: float = np.pi,
) -> Proposals | Failure:  # fmt: skip
    """The `count` rotations, with translations, that explain an observation best; a failure if its mask is empty.

    Args:
        meshes: the object, about its own middle.
        observation: with a mask.
        settings: of the proposals.
        count: how many are wanted.
        around: a pose near which they lie, if one is known.
        angle_rad: how far from that a rotation may be.
    """
    box = observation.mask_box
    if box is None:
        return Failure(Status.NO_OVERLAP)
    distance_m = _distance(observation, box, meshes.length_m)
    centre = np.array([0.5 * (box[0] + box[2]), 0.5 * (box[1] + box[3])])
    window = window_around(observation.camera, box, centre, meshes.length_m / distance_m, settings.size)
    crop = observation.crop(window)
    seen = _seen(crop, settings)
    mask_box = boxes_of(seen.mask[None] > 0.5)[0]
    buffers = meshes.buffers(settings.faces)
    sphere = meshes.templates(settings.rotations, settings.faces, distance_m / meshes.length_m)
    # Pixels of the crop for one of a template, if the object were at this distance.
    pixels = crop.camera.fx / distance_m / sphere.focal * sphere.distance_m
    if around is not None:
        sphere = sphere.within(
            turn_between(np.array([0.0, 0.0, 1.0]), around.t_m2c[None])[0].T @ around.R_m2c, angle_rad
        )
    placements = _placements(sphere, pixels, distance_m, seen, mask_box, settings, sized=crop.depth is None)
    explained, z_m = _screened(buffers, sphere, placements, seen, crop, settings, meshes.length_m)
    return proposals_of(sphere, placements, explained, z_m, crop.camera, count)


def _distance(observation: Observation, box: tuple[float, float, float, float], length_m: float) -> float:
    """About how far the object's middle is, metres: by its depth, or by the size of its mask."""
    camera = observation.camera
    if "depth" in observation.modalities:
        crop = observation.crop(choose_crop([box], camera, margin=0.0, max_size=64))
        assert crop.depth is not None and crop.mask is not None
        inside = crop.depth[(crop.mask > 0.5) & (crop.depth > 0.0)]
        if len(inside):
            return float(np.median(inside)) + 0.25 * length_m
    extent = max((box[2] - box[0] + 1.0) / camera.fx, (box[3] - box[1] + 1.0) / camera.fy)
    return max(0.75 * length_m / extent, length_m)


def _seen(crop: Observation, settings: ViewSphereSettings) -> Seen:
    mask = crop.mask
    assert mask is not None
    if not (mask > 0.5).any():  # smaller than a pixel of the crop
        mask = (mask >= mask.max()).astype(np.float32)
    outside = np.ones_like(mask)
    if crop.depth is None:
        from scipy.ndimage import distance_transform_edt

        outside = np.where(distance_transform_edt(mask <= 0.5) > settings.rim_px, settings.hidden, 1.0)
    # Copies, for numba takes arrays that cannot be written to for another type, and would compile everything once more.
    return Seen(
        np.array(mask, np.float32, order="C"), np.array(outside, np.float32, order="C"),
        np.zeros(mask.shape, np.float32) if crop.depth is None else without_holes(crop.depth, mask),
        np.zeros((*mask.shape, 3), np.float32) if crop.rgb is None else np.array(crop.rgb, order="C"),
        np.float32(np.count_nonzero(mask > 0.5)), np.float32(crop.camera.fy / crop.camera.fx),
    )  # fmt: skip


def _placements(
    sphere: TemplateSphere, pixels: float, distance_m: float, seen: Seen, mask_box: F64, settings: ViewSphereSettings,
    *, sized: bool,
) -> Placements:  # fmt: skip
    """Every template where its middle is the mask's; where it is larger, also where it covers the mask otherwise.

    With `sized`, as large as the mask: by area, and by extent where that differs. A mask that something cuts is too
    small in area, and as a rule not in both extents.
    """
    boxes = sphere.boxes * (pixels * np.array([1.0, seen.aspect, 1.0, seen.aspect]))
    number, scale = np.arange(len(boxes)), np.ones(len(boxes))
    if sized:
        area = sphere.areas * pixels**2 * seen.aspect
        by_area = np.sqrt(float(seen.covered) / area)
        by_extent = ((mask_box[2:] - mask_box[:2] + 1.0) / (boxes[:, 2:] - boxes[:, :2])).max(axis=1)
        other = np.flatnonzero(np.maximum(by_extent / by_area, by_area / by_extent) > _DIFFERS)
        scale = np.concatenate([*(by_area * factor for factor in settings.scales), by_extent[other]])
        number = np.concatenate([*(number for _ in settings.scales), other])
    row, x, y = spots(boxes[number] * scale[:, None], mask_box)
    return Placements(
        number[row], (pixels * scale[row]).astype(np.float32),
        x.astype(np.float32), y.astype(np.float32),
        (distance_m / scale[row]).astype(np.float32),
    )  # fmt: skip


def _screened(
    buffers: Buffers, sphere: TemplateSphere, placements: Placements, seen: Seen, crop: Observation,
    settings: ViewSphereSettings, length_m: float,
) -> tuple[F32, F32]:  # fmt: skip
    """How much every placement explains (J,), in what pixels would pay without it, and its distance (J,), metres."""
    colored = crop.rgb is not None and buffers.mesh.has_color
    pay = Penalties(
        np.float32(settings.depth if crop.depth is not None else 0.0), np.float32(settings.color if colored else 0.0),
        np.float32(1.0), np.float32(settings.depth_range * length_m), np.float32(settings.behind * length_m),
        np.float32(3.0 * settings.color_range), np.float32(0.25 * length_m),
    )  # fmt: skip
    cost, z_m = np.empty(len(placements.x), np.float32), np.empty(len(placements.x), np.float32)

    def work(_: int, first: int, last: int) -> None:
        screen(seen, sphere.templates, placements, first, last, pay, cost, z_m)

    buffers.pool.run(work, len(cost))
    without = seen.covered * (pay.silhouette + pay.depth + pay.color)
    return without - cost, z_m
