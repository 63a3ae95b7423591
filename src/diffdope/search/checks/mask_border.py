"""How far off a mask's border may be, where nothing but the mask tells how far away an object is.

A border that is some pixels outside of the object all around fits an object that is nearer, to a fraction of a pixel:
nothing is left by which the mask could be refused, and no residual shows it. So the border is as unsure as those of
masks are (`search.noise.mask_border_px`), but for what its own shape tells (`mask_width`), and the photograph: at each
point of the drawn outline that lies on the mask's border the colours' largest step along the normal is looked for.
Where most of these steps lie at one place, there the object ends, but for what all of them have in common. They also
tell whether the whole mask is shifted (`mask_shift`).
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
from diffdope.search.checks.contradictions import NONE, Doubt
from diffdope.search.checks.mask_shift import ALIKE, LEAST, SHARED_PX, WITHIN_PX, MaskShift, Steps, shift_of
from diffdope.search.checks.mask_width import Width, width_of
from diffdope.search.checks.outline_evidence import colour_steps
from diffdope.search.mesh_levels import MeshLevels
from diffdope.terms.contour_points import ContourPoints
from diffdope.terms.outline_kernel import LEAST_POINTS

F64 = NDArray[np.float64]

_COMPARED_PX, _AROUND = 320, 0.25  # of a crop, and around the object as a share of its box
_REACH_PX = 10.0  # of the crop, to both sides of the outline
_STEP_PX = 0.5  # along a normal
_ON_BORDER_PX = 6.0  # of the crop: what something nearer hides is farther from the mask's border
_CLEAR_STEP = 0.06  # of colours, over a pixel: more is no clearer, as of `outline_evidence`
_AT_END = 0.6  # share of clear steps that are the object's end; prints, shades and what lies behind have the others
_DEVIATIONS = np.linspace(-3.0, 3.0, 97)  # by which a border may be off, for its steps
_FINER = np.linspace(-3.0, 3.0, 481)  # and for what its shape tells
_EXACT_PX = 0.01  # of the image: deviation of a border that is said to be exact
_TOLD, _TOLD_PX = 2.0, 0.5  # deviations, and pixels of the image, from which on a border is said to be off


class Offset(NamedTuple):
    """By how many pixels of the image a border lies outside of where the object ends: mean, and deviation."""

    outside_px: float
    deviation_px: float


class Border(NamedTuple):
    """Of a mask along the outline of a pose.

    Attributes:
        exact: the probability that its width is the object's.
        if_exact: how far off it is then.
        if_not: and otherwise.
        nearer: share of the distance by which a border that is a pixel outside makes an object nearer.
        shift: of the whole mask.
        fits: how exactly it follows that outline, from 0 to 1, in a photograph.
    """

    exact: float
    if_exact: Offset
    if_not: Offset
    nearer: float
    shift: MaskShift
    fits: float = 0.0

    @property
    def outside_px(self) -> float:
        """By how many pixels of the image it lies outside of where the object ends, mean."""
        return self.exact * self.if_exact.outside_px + (1.0 - self.exact) * self.if_not.outside_px

    @property
    def deviation_px(self) -> float:
        """Of that."""
        squares = [one.outside_px**2 + one.deviation_px**2 for one in (self.if_exact, self.if_not)]
        square = self.exact * squares[0] + (1.0 - self.exact) * squares[1]
        return float(np.sqrt(max(square - self.outside_px**2, 0.0)))

    @property
    def off_px(self) -> float:
        """Root mean square of what it may be off."""
        return float(np.hypot(self.outside_px, self.deviation_px))

    @property
    def told(self) -> bool:
        """Whether its shape and the photograph show that it is off."""
        return abs(self.outside_px) > max(_TOLD * self.deviation_px, _TOLD_PX)


def of_border(
    meshes: MeshLevels, observation: Observation, border_px: float, pose: Pose, start: Pose | None, *,
    shift_px: float = 0.0,
) -> Doubt:  # fmt: skip
    """How far off along the view and across it the object may be, as the mask's border may be off.

    Args:
        meshes: the object.
        observation: with a mask, whose border the pose follows.
        border_px: deviation of such borders, pixels of the image; 0 where masks are exact.
        pose: object to camera.
        start: of the search; None where none was given.
        shift_px: deviation of shifts of masks along one axis, pixels of the image.
    """
    found = border_of(meshes, observation, border_px or _EXACT_PX, pose, shift_px)
    if found is None:
        return NONE
    if border_px == 0.0:
        return Doubt(np.inf, "", fits=found.fits)
    pixel_m = found.nearer * float(np.linalg.norm(pose.t_m2c))
    exact, wide = (_off_m(one, pixel_m, pose, start) for one in (found.if_exact, found.if_not))
    off_m = float(np.sqrt(found.exact * exact**2 + (1.0 - found.exact) * wide**2))
    aside_m = found.shift.aside_px * float(pose.t_m2c[2]) / observation.camera.fx
    if not found.told:
        return Doubt(np.inf, "", off_m=off_m, aside_m=aside_m, fits=found.fits)
    wide = found.outside_px > 0.0
    text = (
        f"scale: the object seems to end about {abs(found.outside_px):.1f} pixels "
        f"{'inside' if wide else 'outside'} of the mask's border: is the mask too {'wide' if wide else 'narrow'}? "
        f"Without depth it tells the distance, which is known to about {1e3 * off_m:.1f} mm"
    )
    note = Note(NoteCode.MASK_BESIDE_EDGES, text)
    return Doubt(np.inf, note, off_m=off_m, aside_m=aside_m, fits=found.fits)


def _off_m(offset: Offset, pixel_m: float, pose: Pose, start: Pose | None) -> float:
    """Root mean square error [m] along the view of a pose that follows a border; pixel_m: of one that is outside."""
    mean_m, deviation_m = -offset.outside_px * pixel_m, offset.deviation_px * abs(pixel_m)
    if start is None or deviation_m == 0.0:
        return float(np.hypot(mean_m, deviation_m))
    return beside_start(deviation_m, pose, start, mean_m)


def beside_start(off_m: float, pose: Pose, start: Pose, mean_m: float = 0.0) -> float:
    """Root mean square error [m] along the view of a pose that is off by N(mean_m, off_m^2) there, given its start.

    The start's own error is taken to be as large along the view as it is across, where the mask tells it.

    Args:
        off_m: above 0.
        pose: object to camera.
        start: of its search.
        mean_m: by how much farther away the pose is than the object.
    """
    moved, distance_m = pose.t_m2c - start.t_m2c, float(np.linalg.norm(pose.t_m2c))
    along_m = float(moved @ pose.t_m2c) / distance_m
    across_m2 = 0.5 * max(float(moved @ moved) - along_m**2, 0.0)
    share = off_m**2 / (off_m**2 + across_m2)
    return float(np.hypot(share * along_m + (1.0 - share) * mean_m, np.sqrt(share * across_m2)))


def border_of(
    meshes: MeshLevels, observation: Observation, border_px: float, pose: Pose, shift_px: float = 0.0
) -> Border | None:  # fmt: skip
    """Where an object ends, beside the mask's border; None if no outline is drawn.

    With x_i the largest step at a point i, c_i from 0 to 1 how clear it is, and b the pixels by which the border is
    outside, each is at the object's end, x_i ~ N(-b, w^2), with the probability a c_i, or anywhere within reach. As n
    points err together, the sum of their log likelihoods counts by a share of 1 / n; and as all of them do, they tell b
    but for an error N(0, s^2).

    Args:
        meshes: the object.
        observation: with a mask.
        border_px: deviation of such borders, pixels of the image; above 0.
        pose: object to camera, whose outline is the mask's border.
        shift_px: see `of_border`.
    """
    box = projected_box(meshes.mesh.vertices_m, pose, observation.camera)
    if isinstance(box, Status):
        return None
    crop = observation.crop(choose_crop([box], observation.camera, margin=_AROUND, max_size=_COMPARED_PX))
    if crop.mask is None or min(crop.camera.width, crop.camera.height) < 2:
        return None
    drawn = Renderer(meshes.mesh, crop.camera, buffers=meshes.buffers()).render(pose.R_m2c, pose.t_m2c)
    points = ContourPoints(drawn.coverage[0], drawn.depth[0], crop.camera)
    if len(points) < LEAST_POINTS:
        return None
    scale, every = crop.camera.fx / observation.camera.fx, np.ones(len(points), np.bool_)
    outside, seen = border_px * _FINER, every
    half_m = 0.5 * meshes.length_m
    width = width_of(crop.mask, drawn.coverage[0], points, crop.camera, pose, length_m=half_m, scale=scale)
    log_likely = _by_its_shape(width, outside, border_px)
    shift = MaskShift(0.5 * (shift_px > 0.0), shift_px)
    if crop.rgb is not None:
        steps, seen = _steps(crop, points)
        told = _log_likelihoods(steps, scale * border_px * _DEVIATIONS)
        log_likely = log_likely + np.interp(_FINER, _DEVIATIONS, _less_sure(told, scale * border_px))
    share = np.exp(log_likely - log_likely.max())
    share /= share.sum()
    few = np.count_nonzero(seen) < LEAST_POINTS
    nearer = scale * _times_nearer(points, every if few else seen)
    fits = 0.0 if width is None or crop.rgb is None else width.fits
    exact, wide = share
    found = Border(float(exact.sum()), _offset(exact, outside), _offset(wide, outside), nearer, shift, fits)
    if crop.rgb is None or shift_px == 0.0:
        return found
    return found._replace(shift=shift_of(steps, found.outside_px, shift_px, scale))


def _offset(share: F64, outside: F64) -> Offset:
    """Of a border that is so many pixels outside (K,) with these probabilities (K,), whose sum is that of its kind."""
    total = float(share.sum())
    if total <= LEAST:
        return Offset(0.0, 0.0)
    mean = float(share @ outside) / total
    return Offset(mean, float(np.sqrt(share @ (outside - mean) ** 2 / total)))


def _by_its_shape(width: Width | None, outside: F64, border_px: float) -> F64:
    """Log probabilities (2, K), but for a constant, of a border being so many pixels of the image outside (K,): of one
    that is exact, and of one that is as far off as those of networks.

    Either is as likely beforehand where its shape is to be seen.
    """
    given = -0.5 * (outside / border_px) ** 2
    if width is None:
        return np.stack([np.full_like(given, -np.inf), given])
    exact = np.log(border_px / width.least_px) - 0.5 * (outside / width.least_px) ** 2
    return np.stack([exact, given]) - 0.5 * ((outside - width.outside_px) / width.deviation_px) ** 2


def _log_likelihoods(steps: Steps, outside: F64) -> F64:
    """(K,) of a border being so many pixels of the crop outside (K,), by the steps beside it."""
    away = (steps.place[:, None] + outside) / WITHIN_PX
    at_end = np.exp(-0.5 * away**2) / (np.sqrt(2.0 * np.pi) * WITHIN_PX)
    end = steps.at_end[:, None]
    return np.asarray(np.log(end * at_end + (1.0 - end) / (2.0 * steps.reach_px)).sum(axis=0) / ALIKE)


def _less_sure(log_likely: F64, border_px: float) -> F64:
    """Log likelihoods (K,) by `_DEVIATIONS` of a border, if all steps may be aside by what they have in common.

    Args:
        log_likely: (K,) if they are not.
        border_px: deviation of borders, pixels of the crop.
    """
    near = np.exp(-0.5 * ((_DEVIATIONS[:, None] - _DEVIATIONS) * border_px / SHARED_PX) ** 2)
    highest = log_likely.max()
    return np.asarray(np.log(near @ np.exp(log_likely - highest) / near.sum(axis=1)) + highest)


def _times_nearer(points: ContourPoints, seen: NDArray[np.bool_]) -> float:
    """Share of the size by which an outline grows, in least squares, where its border moves outwards by a pixel."""
    place, normal = points.place[seen], points.normal[seen]
    support = np.sum((place - points.place.mean(axis=0)) * normal, axis=1)
    return float(np.sum(support) / max(float(np.sum(support**2)), 1e-9))


def _steps(crop: Observation, points: ContourPoints) -> tuple[Steps, NDArray[np.bool_]]:
    """The colours' largest steps along normals, and which points (N,) show them: those in the picture, on the mask's
    border. Where something nearer hides the object, the border lies elsewhere.
    """
    assert crop.rgb is not None and crop.mask is not None
    height, width = crop.mask.shape
    offsets = np.arange(-_REACH_PX, _REACH_PX + 0.5 * _STEP_PX, _STEP_PX)
    places, u, v = points.pixels_beside(offsets, width, height)
    seen = np.all((places >= 1.0) & (places < [width - 1.0, height - 1.0]), axis=(1, 2))
    within, beyond = (int(np.argmin(np.abs(offsets - side))) for side in (-_ON_BORDER_PX, _ON_BORDER_PX))
    seen &= (crop.mask[v[:, within], u[:, within]] > 0.5) & (crop.mask[v[:, beyond], u[:, beyond]] <= 0.5)
    if not seen.any():
        return Steps(np.empty(0), np.empty(0), np.empty((0, 2)), _REACH_PX, np.empty((0, len(offsets)))), seen
    steps = colour_steps(crop.rgb, points, u, v)[seen]
    at_end = _AT_END * np.minimum(steps.max(axis=1) / _CLEAR_STEP, 1.0)
    first, last = steps.argmax(axis=1), len(offsets) - 1 - steps[:, ::-1].argmax(axis=1)  # a pixel is met twice
    along = steps / np.maximum(steps.mean(axis=1, keepdims=True), LEAST)
    return Steps(0.5 * (offsets[first] + offsets[last]), at_end, points.normal[seen], _REACH_PX, along), seen
