"""Whether a mask is too wide or too narrow, where nothing but the mask tells how far away an object is.

A border that is some pixels outside of the object all around fits an object that is nearer, to a fraction of a pixel:
nothing is left by which the mask could be refused. But the photograph shows where the object ends. At each point of the
drawn outline that lies on the mask's border the colours' largest step along the normal is looked for. If most of these
steps lie beside the outline by the same way, all around, the border does as well.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.crop import choose_crop
from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.problem.failure import Status
from diffdope.problem.region import projected_box
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from diffdope.search.contradictions import NONE, Doubt
from diffdope.search.mesh_levels import MeshLevels
from diffdope.terms.contour_points import ContourPoints
from diffdope.terms.outline_kernel import LEAST_POINTS

F64 = NDArray[np.float64]

_COMPARED_PX, _AROUND = 320, 0.25  # of a crop, and around the object as a share of its box
_REACH_PX = 10.0  # of the crop, to both sides of the outline
_STEP_PX = 0.5  # along a normal
_ON_BORDER_PX = 6.0  # of the crop: what something nearer hides is farther from the mask's border
_BLUR_PX = 1.0  # of the photograph before its steps are taken
_CLEAR_STEP = 0.06  # of colours, over a pixel: more is no clearer, as of `outline_seen`
_WITHIN_PX = 0.6  # deviation of steps that are at one place: of exact masks, those of right poses
_MOST_PX = 4.0  # of the image: borders of masks are off by 1 to 3
_LEAST = 0.02  # share of an outline whose steps are at a place, by which another is divided
_TOLD = 0.5, 1.0
"""Log ratio of steps beside the outline to those at it that says nothing, and that shows a border that is off. Poses
as masks 2 and 3 pixels too wide ask for are told to be off by 4 % of the diameter or more in 84 and 95 % of `sim`, 86
and 86 % of `parts`, 78 and 95 % of HOPE; 2 and 3 too narrow, in 84 and 84, 64 and 85, 15 and 40 %; true ones in 0, 7
and 15 %. HOPE's photographs have objects end half a pixel inside of its masks."""


class Border(NamedTuple):
    """Of a mask along the outline of a pose.

    Attributes:
        outside_px: by how many pixels of the image it lies outside of where the photograph has the object end.
        told: from 0 (it may as well be at its place) to 1.
        nearer: share of the distance by which such a border makes an object nearer.
    """

    outside_px: float
    told: float
    nearer: float


def of_border(meshes: MeshLevels, observation: Observation, pose: Pose, start: Pose | None) -> Doubt:
    """How far off along the view the object may be, if the photograph has it end beside the mask's border.

    Args:
        meshes: the object.
        observation: with RGB and a mask, whose border the pose follows.
        pose: object to camera.
        start: of the search; None where none was given.
    """
    found = border_of(meshes, observation, pose)
    if found is None or found.told <= 0.0:
        return NONE
    off_m = found.told * abs(found.nearer) * float(np.linalg.norm(pose.t_m2c))
    off_m = off_m if start is None else beside_start(off_m, pose, start)
    wide = found.outside_px > 0.0
    text = (
        f"scale: the photograph has the object end about {abs(found.outside_px):.1f} pixels "
        f"{'inside' if wide else 'outside'} of the mask's border: is the mask too {'wide' if wide else 'narrow'}? "
        f"Without depth it tells the distance, which is known to about {1e3 * off_m:.1f} mm"
    )
    return Doubt(np.inf, Note(NoteCode.MASK_BESIDE_EDGES, text), off_m=off_m)


def beside_start(off_m: float, pose: Pose, start: Pose) -> float:
    """Root mean square error [m] along the view of a pose that is off by N(0, off_m^2) there, given its start.

    The start's own error is taken to be as large along the view as it is across, where the mask tells it.

    Args:
        off_m: above 0.
        pose: object to camera.
        start: of its search.
    """
    moved, distance_m = pose.t_m2c - start.t_m2c, float(np.linalg.norm(pose.t_m2c))
    along_m = float(moved @ pose.t_m2c) / distance_m
    across_m2 = 0.5 * max(float(moved @ moved) - along_m**2, 0.0)
    share = off_m**2 / (off_m**2 + across_m2)
    return float(np.sqrt((share * along_m) ** 2 + share * across_m2))


def border_of(meshes: MeshLevels, observation: Observation, pose: Pose) -> Border | None:
    """Where the photograph has an object end, beside the mask's border; None if too little of it is seen.

    Args:
        meshes: the object.
        observation: with RGB and a mask.
        pose: object to camera, whose outline is the mask's border.
    """
    box = projected_box(meshes.mesh.vertices_m, pose, observation.camera)
    if isinstance(box, Status):
        return None
    crop = observation.crop(choose_crop([box], observation.camera, margin=_AROUND, max_size=_COMPARED_PX))
    if crop.rgb is None or crop.mask is None or min(crop.camera.width, crop.camera.height) < 2:
        return None
    drawn = Renderer(meshes.mesh, crop.camera, buffers=meshes.buffers()).render(pose.R_m2c, pose.t_m2c)
    points = ContourPoints(drawn.coverage[0], drawn.depth[0], crop.camera)
    offsets = np.arange(-_REACH_PX, _REACH_PX + 0.5 * _STEP_PX, _STEP_PX)
    steps, seen = _steps(crop, points, offsets)
    if np.count_nonzero(seen) < LEAST_POINTS:
        return None
    steps, scale = steps[seen], crop.camera.fx / observation.camera.fx
    clear = np.minimum(steps.max(axis=1) / _CLEAR_STEP, 1.0)
    places = np.arange(-_MOST_PX * scale, _MOST_PX * scale + 1e-9, 0.25)
    places = places - places[np.argmin(np.abs(places))]  # the outline itself is one of them
    first, last = steps.argmax(axis=1), len(offsets) - 1 - steps[:, ::-1].argmax(axis=1)  # a pixel is met twice
    away = (0.5 * (offsets[first] + offsets[last])[:, None] - places) / _WITHIN_PX
    shares = np.mean(clear[:, None] * np.exp(-0.5 * away**2), axis=0)
    best, at_outline = int(np.argmax(shares)), float(shares[np.argmin(np.abs(places))])
    gained = float(np.log(max(shares[best], _LEAST) / max(at_outline, _LEAST)))
    told = float(np.clip((gained - _TOLD[0]) / (_TOLD[1] - _TOLD[0]), 0.0, 1.0))
    outside = -float(places[best])
    return Border(outside / scale, told, outside * _times_nearer(points, seen))


def _times_nearer(points: ContourPoints, seen: NDArray[np.bool_]) -> float:
    """Share of the size by which an outline grows, in least squares, where its border moves outwards by a pixel."""
    place, normal = points.place[seen], points.normal[seen]
    support = np.sum((place - points.place.mean(axis=0)) * normal, axis=1)
    return float(np.sum(support) / max(float(np.sum(support**2)), 1e-9))


def _steps(crop: Observation, points: ContourPoints, offsets: F64) -> tuple[F64, NDArray[np.bool_]]:
    """Steps (N, K) of the colours along each normal, and which points (N,) show them: those in the picture, on the
    mask's border. Where something nearer hides the object, the border lies elsewhere.
    """
    from scipy import ndimage

    assert crop.rgb is not None and crop.mask is not None
    height, width = crop.mask.shape
    smooth = ndimage.gaussian_filter(crop.rgb, (_BLUR_PX, _BLUR_PX, 0.0))
    down, across = np.gradient(smooth, axis=(0, 1))
    places = points.place[:, None] + offsets[:, None] * points.normal[:, None]  # (N, K, 2)
    ends = np.array([width - 1.0, height - 1.0])
    seen = np.all((places >= 1.0) & (places < ends), axis=(1, 2))
    u, v = np.moveaxis(np.clip(np.rint(places), 0.0, ends).astype(int), 2, 0)
    along = points.normal[:, None, :1] * across[v, u] + points.normal[:, None, 1:] * down[v, u]
    within, beyond = (int(np.argmin(np.abs(offsets - side))) for side in (-_ON_BORDER_PX, _ON_BORDER_PX))
    seen &= (crop.mask[v[:, within], u[:, within]] > 0.5) & (crop.mask[v[:, beyond], u[:, beyond]] <= 0.5)
    return np.linalg.norm(along, axis=2), seen
