"""Proposals where a box says in which part of the picture the object is, and nothing which pixels show it.

Templates are laid over the box as over a mask (`view_sphere.py`), from several distances. Each then moves to the
distance at which most of its pixels agree with the depth, and is judged by the pixels that it explains.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_above_zero, check_at_least_zero
from diffdope.geometry.crop import Box, CropWindow, choose_crop
from diffdope.geometry.pose import Pose
from diffdope.problem.box_screening_kernel import BINS, BoxPenalties, BoxSeen, score_poses, screen_box
from diffdope.problem.failure import Failure, Status
from diffdope.problem.screening_kernel import Placements, Templates
from diffdope.render.arrays import pinhole_of
from diffdope.render.buffers import Buffers
from diffdope.render.kernels.calls import call_entry
from diffdope.render.kernels.layout import Pinhole
from diffdope.render.renderer import Renderer, pose_batch
from diffdope.scene.observation import Observation
from diffdope.search.levels import IN_BOX, PyramidSettings
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.local_search import ClimbSettings, Score
from diffdope.search.proposals.template_placement import Proposals, proposals_of, spots, window_around
from diffdope.search.proposals.templates import TemplateSphere
from diffdope.search.proposals.view_sphere import ViewSphereSettings

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_QUANTILES = tuple(range(5, 100, 10))  # of the depths in the box: the object's is among them
_APART = 0.15  # of the diameter: distances that are closer come to the same, for templates move by twice as much
_INSIDE = 0.2  # of the diameter, from a surface to the middle of the object
_AROUND = 0.25  # of the box's longer side: what sticks out farther sticks out in any case
_COMPARED_PX = 64  # side of the crop in which poses are compared, at most
_STRAY = 1.0  # percent of the visible pixels at either end that do not count: depth fits here and there by chance


@dataclass(frozen=True)
@checked_fields(least={"masks": 1})
class BoxSettings:
    """How an object is found in a box.

    What pixels pay is in units of what one earns whose depth is right.
    """

    pyramid: PyramidSettings = IN_BOX
    """Levels at which poses climb, ranked by what they explain in the box. Iterations of the first are rounds, of the
    others those of descents."""
    climb: ClimbSettings = field(default_factory=ClimbSettings)
    """How they do."""
    masks: int = 2
    """Poses that are left at the end; each gives a mask, in which the object is located."""
    depth_range: float = 0.1
    """Share of the diameter: depths of a rotation that is half a neighbour away are off by as much."""
    depth_range_fine: float = 0.05
    """The same for poses that have gone through a level."""
    color: float = 0.5
    """What a pixel earns whose colour is right, and pays where it is wrong."""
    color_range: float = 0.125
    """Of a channel, after the light's gain: a colour that is off by as much is half right."""
    behind: float = 2.0
    """What a pixel pays whose surface lies farther than is drawn: one could not see through the object. Wrong poses
    have such pixels, and right ones hardly any: 0 to 7 of 800 to 1200, where wrong ones had 166 and 183."""
    in_front: float = 0.2
    """What a pixel pays whose surface hides what is drawn."""
    outside: float = 2.0
    """What a pixel pays that would show the object outside of the box."""
    edge: float = 1.0
    """What a pixel pays by which the visible part ends before the box, or beyond. Less, and of two pieces in a box, the
    one on top wins, which sticks out."""
    sticking_out: float = 0.05
    """Share of the visible part outside of a box that is as good as boxes are; what sticks out of it by a multiple
    speaks against a result."""
    falling_short: float = 0.08
    """Share of a box's side by which the visible part may end before the box does, for boxes end where objects do: of
    ten right results it was 0.07 in the median and at most 0.12, of another object's often 0.15 to 0.4."""

    def __post_init__(self) -> None:
        """Refuses numbers that make no proposals."""
        check_above_zero(self, "depth_range", "depth_range_fine", "color_range", "sticking_out", "falling_short")
        check_at_least_zero(self, "color", "behind", "in_front", "outside", "edge")


def box_proposals(
    meshes: MeshLevels, observation: Observation, box: Box, sphere: ViewSphereSettings, settings: BoxSettings
) -> Proposals | Failure:
    """Rotations, with translations, that explain most of what a box shows, the best first.

    As many as the first level takes.

    Args:
        meshes: the object, about its own middle.
        observation: with depth, without a mask.
        box: first and last column and row (x0, y0, x1, y1) of the object's visible part, pixels.
        sphere: rotations, crop and triangles of the templates.
        settings: what pixels pay.
    """
    length_m, camera = meshes.length_m, observation.camera
    distances = _distances(observation, box, length_m)
    if not len(distances):
        return Failure(Status.NO_OVERLAP)
    middle = float(np.median(distances))
    centre = np.array([0.5 * (box[0] + box[2]), 0.5 * (box[1] + box[3])])
    window = window_around(camera, box, centre, length_m / middle, sphere.size)
    crop = observation.crop(window)
    seen = seen_in(crop, box, window)
    templates = meshes.templates(sphere.rotations, sphere.faces, middle / length_m)
    placements = _placements(templates, distances, crop, seen)
    score, z_m = scored(meshes, templates.templates, placements, seen, settings, settings.depth_range, follow=True)
    return proposals_of(templates, placements, score, z_m, crop.camera, settings.pyramid.levels[0].hypotheses)


def box_score(
    meshes: MeshLevels, observation: Observation, box: Box, settings: BoxSettings, *, size: int, faces: int,
    depth_range: float,
) -> Score:  # fmt: skip
    """The function that says how much of what a box shows poses (B, 3, 3), (B, 3) explain, (B,), the more the better.

    Args:
        meshes: the object, about its own middle.
        observation: with depth, without a mask.
        box: as `box_proposals`.
        settings: what pixels pay.
        size: longest side of the crop, pixels.
        faces: triangles of the mesh that is rendered.
        depth_range: share of the diameter from which a depth that is off earns nothing.
    """
    window = choose_crop([box], observation.camera, margin=_AROUND, max_size=size)
    crop, buffers = observation.crop(window), meshes.buffers(faces)
    seen, view = seen_in(crop, box, window), pinhole_of(crop.camera)
    pay = penalties(meshes, seen, settings, depth_range)
    return lambda R, t: explained(buffers, view, seen, pay, *pose_batch(R, t))


def explained(buffers: Buffers, view: Pinhole, seen: BoxSeen, pay: BoxPenalties, R: F32, t: F32) -> F32:
    """How much poses (B, 3, 3), (B, 3) metres explain of a crop, (B,).

    Args:
        buffers: of the mesh that is drawn.
        view: of the crop.
        seen: the crop.
        pay: what pixels pay.
        R: rotations.
        t: translations.
    """
    score, pixels = np.empty(len(t), np.float32), view.width * view.height
    passes = len(t) * buffers.passes(view.width, view.height)
    workers = buffers.pool.workers(len(t), passes)
    given, drawn = (buffers.addresses, buffers.arrays, view, R, t), np.empty((workers, 4, pixels), np.float32)
    with buffers.lease(view.width, view.height, workers) as scratch:

        def work(worker: int, first: int, last: int) -> None:
            call_entry(score_poses, *given, first, last, scratch[worker], seen, pay, drawn[worker], score)

        buffers.pool.run(work, len(t), passes)
    return score


class InBox(NamedTuple):
    """How the visible part of an object lies in a box: share of it outside, and of a side by which it falls short."""

    outside: float
    short: float


def lies_in_box(meshes: MeshLevels, observation: Observation, box: Box, pose: Pose, depth_range: float) -> InBox:
    """How the visible pixels of an object under a pose lie in a box; the worst if none is visible.

    Those of which the depth says that something else is there are not visible.
    """
    window = choose_crop([box], observation.camera, margin=_AROUND, max_size=_COMPARED_PX)
    crop = observation.crop(window)
    images = Renderer(meshes.mesh, crop.camera, buffers=meshes.buffers()).render(pose.R_m2c, pose.t_m2c)
    shown = images.coverage[0] > 0.5
    assert crop.depth is not None
    shown &= (crop.depth <= 0.0) | (np.abs(crop.depth - images.depth[0]) < depth_range * meshes.length_m)
    ends = _inside(crop, box, window)
    x0, y0, x1, y1 = (int(one) for one in ends)
    inside = shown[y0 : y1 + 1, x0 : x1 + 1]
    if not inside.any():
        return InBox(1.0, 1.0)
    outside = 1.0 - float(np.count_nonzero(inside)) / float(np.count_nonzero(shown))
    rows, columns = np.nonzero(shown)
    low, high = (np.percentile([columns, rows], share, axis=1) for share in (_STRAY, 100.0 - _STRAY))
    gaps = np.concatenate([low - ends[:2], ends[2:] - high]) / np.tile(ends[2:] - ends[:2] + 1.0, 2)
    return InBox(outside, max(float(gaps.max()), 0.0))


def share_in_picture(meshes: MeshLevels, observation: Observation, pose: Pose) -> float:
    """Share of an object's vertices that the camera has in its picture."""
    camera, points = observation.camera, pose.apply(meshes.mesh.vertices_m)
    ahead = points[points[:, 2] > 0.0]
    u, v = camera.project(ahead)
    inside = (u > -0.5) & (u < camera.width - 0.5) & (v > -0.5) & (v < camera.height - 0.5)
    return float(np.count_nonzero(inside)) / len(points)


def _distances(observation: Observation, box: Box, length_m: float) -> F64:
    """Of the object's middle, metres, that are tried (D,); none where no depth was measured.

    Those of all that the box shows: where something lies over the object's middle, only what is beside it tells.
    """
    depth = observation.crop(choose_crop([box], observation.camera, margin=0.0, max_size=48)).depth
    assert depth is not None
    measured = depth[depth > 0.0]
    if not len(measured):
        return np.zeros(0)
    away = np.percentile(measured, _QUANTILES) + _INSIDE * length_m
    kept = [float(away[0])]
    for one in away[1:]:
        if one - kept[-1] > _APART * length_m:
            kept.append(float(one))
    return np.array(kept)


def _inside(crop: Observation, box: Box, window: CropWindow) -> F64:
    """First and last column and row (4,) of a crop whose middles are in a box."""
    start = np.array([window.x0, window.y0] * 2)
    ends = (np.array(box) - start + 0.5) / window.reduction - 0.5
    inside = np.array([*np.ceil(ends[:2] - 0.5), *np.floor(ends[2:] + 0.5)])
    return np.asarray(np.clip(inside, 0.0, np.array([crop.camera.width, crop.camera.height] * 2) - 1.0))


def seen_in(crop: Observation, box: Box, window: CropWindow) -> BoxSeen:
    """What is compared of a crop of a window, with a box (x0, y0, x1, y1) of the whole image; copies."""
    shape = crop.camera.height, crop.camera.width
    # Copies, for numba takes arrays that cannot be written to for another type, and would compile everything once more.
    return BoxSeen(
        np.array(crop.depth, order="C"),
        np.zeros((*shape, 3), np.float32) if crop.rgb is None else np.array(crop.rgb, order="C"),
        _inside(crop, box, window).astype(np.float32), np.float32(crop.camera.fy / crop.camera.fx),
    )  # fmt: skip


def _placements(
    sphere: TemplateSphere, distances: F64, crop: Observation, seen: BoxSeen
) -> Placements:  # fmt: skip
    """Every template over the box, from every distance."""
    box, aspect = seen.box.astype(np.float64), np.array([1.0, float(seen.aspect)] * 2)
    at_one = crop.camera.fx / sphere.focal * sphere.distance_m
    laid = [spots(sphere.boxes * (aspect * at_one / away), box) for away in distances]
    template, x, y = (np.concatenate(parts) for parts in zip(*laid, strict=True))
    away = np.repeat(distances, [len(one[0]) for one in laid])
    return Placements(
        template, (at_one / away).astype(np.float32), x.astype(np.float32), y.astype(np.float32),
        away.astype(np.float32),
    )  # fmt: skip


def penalties(meshes: MeshLevels, seen: BoxSeen, settings: BoxSettings, depth_range: float) -> BoxPenalties:
    """What pixels pay, with colours where both the crop and the mesh have some."""
    colored = bool(seen.rgb.any()) and meshes.mesh.has_color
    return BoxPenalties(
        np.float32(depth_range * meshes.length_m), np.float32(settings.color if colored else 0.0),
        np.float32(3.0 * settings.color_range), np.float32(settings.behind), np.float32(settings.in_front),
        np.float32(settings.outside), np.float32(settings.edge),
    )  # fmt: skip


def scored(
    meshes: MeshLevels, templates: Templates, placements: Placements, seen: BoxSeen, settings: BoxSettings,
    depth_range: float, *, follow: bool,
) -> tuple[F32, F32]:  # fmt: skip
    """Score (J,) and distance (J,) metres of every placement.

    Args:
        meshes: the object, about its own middle.
        templates: views of it.
        placements: which template lies where in the box, and at which distance.
        seen: the images of the box.
        settings: of the scores.
        depth_range: by how much depth may differ before it costs the most, a share of the diameter.
        follow: whether drawings move along the optical axis to where most of their pixels agree.
    """
    pay = penalties(meshes, seen, settings, depth_range)
    score, z_m = np.empty(len(placements.x), np.float32), np.empty(len(placements.x), np.float32)

    def work(_: int, first: int, last: int) -> None:
        screen_box(
            seen, templates, placements, first, last, np.int64(follow), pay, np.zeros(BINS, np.float32), score, z_m
        )

    meshes.buffers().pool.run(work, len(score))
    return score, z_m
