"""Whether an image shows the outline of a result: a step of depth or of colours stands out there.

A mask that is drawn from a result says nothing of it, and depth alone fits whatever face of the object lies flush in a
table. But a table goes on beyond such a face, and its pattern is as rich on both sides. Where the outline stands out
some pixels beside the drawn one, the object is not as large as it is drawn: K, the unit or the CAD model is wrong.
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
from diffdope.render.renderer import RenderedImages, Renderer
from diffdope.scene.observation import Observation
from diffdope.scene.signed_distance import signed_distance
from diffdope.search.mesh_levels import MeshLevels
from diffdope.terms.contour_points import ContourPoints
from diffdope.terms.outline_kernel import LEAST_POINTS

F64 = NDArray[np.float64]
Int = NDArray[np.intp]

_COMPARED_PX, _AROUND = 160, 0.25  # of a crop, and around the object as a share of its box
AT_PX = 1  # offsets from the outline that are at it
_BESIDE_PX = 4  # and from which on they are beside it, on both sides
_OFFSETS = np.arange(-8, 9)  # pixels of the crop, across the outline, at which steps are averaged
_ACROSS_PX = 1.5  # to both sides of a pixel, between which a step is measured
STEP_OF_DEPTH = 0.05  # of the diameter: more is no clearer
_STEP_OF_COLOURS = 0.3  # sum over the channels
_FEWEST = 8  # pixels at an offset
EDGES_PX = 6  # to both sides of an outline, where the strongest edge is looked for: 4 to 12 tell about as much
HIDES_PX = 2  # beside it, where what is nearer hides it
_BLUR_PX = 1.0  # of the photograph before its steps are taken
_FEW_EDGES = 0.35  # share of an outline: of 162 right results 8 had less, of 62 wrong ones 45
_CLEAR_STEP = 0.06  # of colours, over a pixel: more is no clearer
_STANDS_OUT = 1.2, 1.4
"""Contrast at the outline over that beside it which does not show it, and which does: 1.0 to 1.25 where a face lay
flush in a table; of 122 right results in boxes one had 1.2, the others 1.47 and more."""
_OUTSIDE, _INSIDE = (0.02, 0.04), (0.08, 0.12)
"""Shares of a radius by which the outline lies aside, that say nothing, and that contradict. Shades and edges of the
object draw it inwards: of these 122, none was more than 0.012 outside, and 6 of 100 more than 0.06 inside."""


class OutlineEvidence(NamedTuple):
    """Of a result.

    Attributes:
        contrast: at the outline over that beside it, of depth or colours, whichever stands out more; NaN if unknown.
        offset: by which the outline lies outside of the drawn one, as a share of the object's radius in the picture, if
            depth and colours have it on the same side; else 0.
    """

    contrast: float
    offset: float

    @property
    def credible(self) -> float:
        """From 0, which contradicts the result, to 1."""
        if np.isnan(self.contrast):
            return 1.0
        shown = (self.contrast - _STANDS_OUT[0]) / (_STANDS_OUT[1] - _STANDS_OUT[0])
        return float(np.clip(min(shown, self._in_place), 0.0, 1.0))

    @property
    def _in_place(self) -> float:
        least, most = _OUTSIDE if self.offset > 0.0 else _INSIDE
        return (most - abs(self.offset)) / (most - least)

    @property
    def note(self) -> str:
        """What is wrong; empty for nothing."""
        if self.credible >= 1.0:
            return ""
        if self._in_place >= 1.0:
            return Note(
                NoteCode.OUTLINE_UNSEEN,
                "outline: neither depth nor colours change where the result ends: does it lie in a table, or within "
                "something larger?",
            )
        side, size = ("outside", "smaller") if self.offset > 0.0 else ("inside", "larger")
        return Note(
            NoteCode.OUTLINE_SIZE,
            f"scale: depth and colours end about {100 * abs(self.offset):.0f} % {side} of the outline that is drawn, "
            f"as if the model were {size} than the object: is K (of another picture size?), the unit or the CAD model "
            "wrong?",
        )


def outline_evidence(meshes: MeshLevels, observation: Observation, pose: Pose) -> OutlineEvidence:
    """How an image shows the outline of an object under a pose, where nothing nearer hides it.

    Args:
        meshes: the object.
        observation: with depth.
        pose: object to camera.
    """
    from scipy import ndimage

    around = drawn_around(meshes, observation, pose)
    if around is None:
        return OutlineEvidence(np.nan, 0.0)
    crop, images = around
    drawn, depth = images.coverage[0] > 0.5, crop.depth
    assert depth is not None
    if not drawn.any() or drawn.all():
        return OutlineEvidence(np.nan, 0.0)
    outside = signed_distance(drawn)
    row, column = ndimage.distance_transform_edt(~drawn, return_distances=False, return_indices=True)  # of the nearest
    hides = (depth > 0.0) & (depth < images.depth[0][row, column] - STEP_OF_DEPTH * meshes.length_m)
    told = (np.abs(outside) <= _OFFSETS[-1] + 0.5) & ~ndimage.binary_dilation(hides, iterations=2)
    told &= ndimage.binary_erosion(np.ones_like(told), iterations=2)  # a picture's own border is no outline
    rows, columns = np.nonzero(told)
    across = np.stack(np.gradient(ndimage.gaussian_filter(outside, 1.0)))[:, rows, columns]
    across *= _ACROSS_PX / np.maximum(np.linalg.norm(across, axis=0), 1e-6)
    here = np.stack([rows, columns])
    far, near = (_at(depth, here + side * across, order=0) for side in (1.0, -1.0))
    steps = np.clip(np.abs(far - near) / (STEP_OF_DEPTH * meshes.length_m), 0.0, 1.0)
    profiles = [_profile(np.where((far > 0.0) & (near > 0.0), steps, np.nan), outside[told])]
    if crop.rgb is not None:
        changes = [np.abs(_at(one, here + across) - _at(one, here - across)) for one in np.moveaxis(crop.rgb, -1, 0)]
        profiles.append(_profile(np.minimum(np.sum(changes, axis=0), _STEP_OF_COLOURS), outside[told]))
    contrasts = [_contrast(one) for one in profiles]
    known = [one for one in contrasts if not np.isnan(one)]
    radius = np.sqrt(np.count_nonzero(drawn) / np.pi)
    return OutlineEvidence(max(known, default=np.nan), _aside(profiles) / float(radius))


def share_on_edges(
    meshes: MeshLevels, observation: Observation, pose: Pose, size: float = 1.0, around: Pose | None = None
) -> float | None:
    """Share of an outline at which the colours of a photograph step most, of all places beside it; None if unknown.

    For each point of the outline that nothing nearer hides, the colours' largest step along its normal is looked for.
    One that lies at the outline counts, a weak one less. Right poses have their outline at the strongest edges around;
    of one that is off by some percent of the diameter, the strongest edges lie beside it, and there is no telling from
    a cost that is least at a wrong place.

    Args:
        meshes: the object.
        observation: with RGB.
        pose: object to camera.
        size: of the object; the pose is that of one of its own size, which looks the same.
        around: see `drawn_around`.
    """
    drawn = drawn_around(meshes, observation, pose, around) if "rgb" in observation.modalities else None
    if drawn is None:
        return None
    crop, images = drawn
    rgb, (height, width) = np.asarray(crop.rgb, np.float64), images.coverage[0].shape
    points = ContourPoints(images.coverage[0], images.depth[0], crop.camera)
    offsets = np.arange(-EDGES_PX, EDGES_PX + 1.0)
    places, u, v = points.pixels_beside(offsets, width, height)
    inside = np.all((places >= 1.0) & (places < [width - 1.0, height - 1.0]), axis=2)
    steps = np.where(inside, colour_steps(rgb, points, u, v), -1.0)
    near = np.abs(offsets) <= HIDES_PX
    told = inside[:, near].all(axis=1)
    if crop.depth is not None:
        there, own = crop.depth[v, u][:, near] / size, points.X_c[:, 2:]
        told &= ~np.any((there > 0.0) & (there < own - STEP_OF_DEPTH * meshes.length_m), axis=1)
    if np.count_nonzero(told) < LEAST_POINTS:
        return None
    steps = steps[told]
    at = np.abs(offsets[np.argmax(steps, axis=1)]) <= AT_PX
    return float(np.mean(at * np.minimum(steps.max(axis=1) / _CLEAR_STEP, 1.0)))


def colour_steps(rgb: NDArray[np.floating], points: ContourPoints, u: Int, v: Int) -> F64:
    """How much the colours of a picture (H, W, 3) step along each point's normal, (N, K), a pixel of it, smoothed.

    Args:
        rgb: of the crop.
        points: of an outline in it.
        u: (N, K) columns of pixels beside each point.
        v: (N, K) rows.
    """
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(rgb, (_BLUR_PX, _BLUR_PX, 0.0))
    down, across = np.gradient(smooth, axis=(0, 1))
    along = points.normal[:, None, :1] * across[v, u] + points.normal[:, None, 1:] * down[v, u]
    return np.asarray(np.linalg.norm(along, axis=2))


def beside_edges(share: float | None) -> tuple[str, ...]:
    """A note, if little of an outline lies on edges.

    Args:
        share: see `share_on_edges`.
    """
    if share is None or share >= _FEW_EDGES:
        return ()
    text = (
        f"outline: along {100 * (1.0 - share):.0f} % of it, the photograph's strongest edges lie beside what is drawn, "
        "or there are none: the pose may be off by some percent of the object's size"
    )
    return (Note(NoteCode.OUTLINE_BESIDE_EDGES, text),)


def drawn_around(
    meshes: MeshLevels, observation: Observation, pose: Pose, around: Pose | None = None
) -> tuple[Observation, RenderedImages] | None:
    """The picture around a pose, and the pose drawn there; None if it is not in the picture, or that has no steps.

    Args:
        meshes: the object.
        observation: the images.
        pose: object to camera.
        around: another one, nearly there, around which the picture is cut: two that are to be compared must be drawn in
            pixels of one size.
    """
    box = projected_box(meshes.mesh.vertices_m, around or pose, observation.camera)
    if isinstance(box, Status):
        return None
    crop = observation.crop(choose_crop([box], observation.camera, margin=_AROUND, max_size=_COMPARED_PX))
    if min(crop.camera.width, crop.camera.height) < 2:
        return None
    return crop, Renderer(meshes.mesh, crop.camera, buffers=meshes.buffers()).render(pose.R_m2c, pose.t_m2c)


def _at(image: NDArray[np.float32], places: F64, order: int = 1) -> F64:
    from scipy.ndimage import map_coordinates

    return np.asarray(map_coordinates(image, places, output=np.float64, order=order, mode="nearest"))


def _profile(steps: F64, outside: F64) -> F64:
    """Mean step (17,) at each offset from the outline; NaN where hardly any is known."""
    at = np.rint(outside).astype(int) - _OFFSETS[0]
    known = ~np.isnan(steps) & (at >= 0) & (at < len(_OFFSETS))
    count = np.bincount(at[known], minlength=len(_OFFSETS))
    total = np.bincount(at[known], weights=steps[known], minlength=len(_OFFSETS))
    return np.where(count >= _FEWEST, total / np.maximum(count, 1), np.nan)


def _contrast(profile: F64) -> float:
    """Of the largest step at the outline over the median beside it; NaN if one of them is unknown."""
    beside = np.abs(_OFFSETS) >= _BESIDE_PX
    at = np.abs(_OFFSETS) <= AT_PX
    if np.isnan(profile[at]).all() or np.isnan(profile[beside]).all():
        return np.nan
    return float(np.nanmax(profile[at]) / max(float(np.nanmedian(profile[beside])), 0.01))


def _aside(profiles: list[F64]) -> float:
    """Pixels by which the highest steps lie outside of the drawn outline, the lesser of both; 0 if they disagree."""
    centres = []
    for profile in profiles:
        if len(profiles) < 2 or np.isnan(profile).any():
            return 0.0
        above = np.clip(profile - np.median(profile), 0.0, None)
        top = int(np.argmax(np.where(np.abs(_OFFSETS) <= 5, above, 0.0)))
        around = slice(max(top - 3, 0), top + 4)
        centres.append(float(np.sum((above * _OFFSETS)[around]) / max(float(np.sum(above[around])), 1e-9)))
    first, second = centres
    return float(np.sign(first) * min(abs(first), abs(second))) if first * second > 0.0 else 0.0
