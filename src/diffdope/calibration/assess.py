"""What every picture says to a solution: overlap, outlines, depths, and what leaving it out would change."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.calibration import notes
from diffdope.calibration.left_out import lacks_and_beside
from diffdope.calibration.result import PictureResidual, UncertainValue
from diffdope.calibration.rows import SUPPORT_REACH_PX, SUPPORT_SIZE, ShotCrop, outline_support
from diffdope.calibration.shots import ArmShot, Shot, turned_about
from diffdope.calibration.solution import POSE, SHARED, Solution, inverse_of
from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note
from diffdope.problem.failure import Status
from diffdope.render.renderer import RenderedImages
from diffdope.solve.robust import GAUSSIAN

F64 = NDArray[np.float64]

LEAST_DEPTHS = 30  # that a picture must have in common with what is drawn
_LEAST_DEPTH_M = 0.03  # depths within it fit, where there are no masks
_BORDER_PX = 3  # of crops, by which masks of networks are off
_SHAKY = 20.0, 2.0  # mm and degrees of the leave-one-out error: a start for a calibration, and no calibration
_DOUBTED_IOU = 0.9  # medians; ...
_DOUBTED_PX = 2.5  # ... wrong poses have outlines 3.5 to 5 pixels of the crop away, right ones 1
_DEPTH_OFF = 0.03  # of the distance: depth cameras read 1 to 2 % too far


Measured = dict[str, Any]
"""What a picture says to a pose: attributes of its `PictureResidual`, and what its mask lacks (`lacks_and_beside`).

Empty where the robot is out of the picture."""


def measured_in(arms: Sequence[ArmShot], pose: Pose, size: int, still: Sequence[int]) -> list[Measured]:
    """Overlap, depths and outline of each picture, which is drawn for it.

    Args:
        arms: the shots.
        pose: of the base in the camera.
        size: longest side of the crops that are drawn, pixels.
        still: numbers of the links that stand still.
    """
    out: list[Measured] = []
    for arm in arms:
        seen = ShotCrop.around(arm, pose, size)
        found = {} if seen is None else measures(seen, seen.drawn(pose), still)
        if seen is not None and "mask" in arm.shot.observation.modalities:
            found["outline_share"] = share_of_outline(arm, pose)
        out.append(found)
    return out


def residuals(
    arms: Sequence[ArmShot], solution: Solution, measured: Sequence[Measured], reasons: dict[int, str]
) -> tuple[PictureResidual, ...]:
    """Of each picture.

    Args:
        arms: the shots.
        solution: of the estimate.
        measured: of each picture, at the solution's pose.
        reasons: why pictures were left out, by number.
    """
    shifts = left_out(solution)
    out = []
    for n, arm in enumerate(arms):
        used, told = n not in reasons, {name: one for name, one in measured[n].items() if name != "lacks_and_beside"}
        if used and n < len(solution.rms) and "mask" in solution.rms[n]:
            told["outline_px"] = solution.rms[n]["mask"]
        if used and shifts is not None:
            told["left_out_mm"], told["left_out_deg"] = shifts[n]
        if used:
            told["joint_error_deg"] = float(np.degrees(np.sqrt(np.mean(solution.own[n] ** 2))))
        out.append(PictureResidual(arm.name, used, reasons.get(n, ""), **told))
    return tuple(out)


def measures(seen: ShotCrop, drawn: RenderedImages, still: Sequence[int]) -> Measured:
    """Overlap with the mask and distance from the depths, of a drawn robot."""
    out: Measured = {}
    inside = drawn.coverage > 0.5
    if seen.crop.mask is not None:
        mask = seen.crop.mask > 0.5
        out["iou"] = _iou(inside, mask, np.ones_like(mask))
        out["lacks_and_beside"] = lacks_and_beside(inside, mask, _BORDER_PX)
        out["iou_without_base"] = _iou(inside, mask, ~_nearest_is(seen, drawn, still))
    if seen.crop.depth is not None:
        there = inside & (seen.crop.depth > 0.0) & (drawn.depth > 0.0)
        if seen.crop.mask is not None:
            there &= seen.crop.mask > 0.99
        away = 1e3 * (seen.crop.depth[there].astype(np.float64) - drawn.depth[there])
        if len(away) >= LEAST_DEPTHS:
            middle = float(np.median(away))
            out["depth_mm"], out["depth_spread_mm"] = middle, float(GAUSSIAN * np.median(np.abs(away - middle)))
    return out


def share_of_outline(arm: ArmShot, pose: Pose) -> float:
    """Share of the drawn outline beside which the mask ends, too; 0 where the robot is out of the picture."""
    seen = ShotCrop.around(arm, pose, SUPPORT_SIZE)
    return 0.0 if seen is None else outline_support(seen, pose, SUPPORT_REACH_PX)


def _iou(one: NDArray[np.bool_], other: NDArray[np.bool_], counts: NDArray[np.bool_]) -> float:
    either = int(np.count_nonzero((one | other) & counts))
    return int(np.count_nonzero(one & other & counts)) / max(either, 1)


def _nearest_is(seen: ShotCrop, drawn: RenderedImages, links: Sequence[int]) -> NDArray[np.bool_]:
    """Pixels to which, of all drawn ones, one of these links is the nearest."""
    from scipy.ndimage import distance_transform_edt

    inside = drawn.triangle_id >= 0
    if not inside.any():
        return np.zeros_like(inside)
    rows, columns = distance_transform_edt(~inside, return_distances=False, return_indices=True)
    return np.isin(seen.links(drawn)[rows, columns], links)


def left_out(solution: Solution) -> list[tuple[float, float]] | None:
    """(mm, degrees) by which the camera moves in the base if a picture is left out; None for fewer than 3 pictures.

    By one step of Gauss-Newton from the solution, whose residuals hardly change.
    """
    if np.count_nonzero(solution.counted) < 3:
        return None
    out = []
    for n, takes_part in enumerate(solution.counted):
        if not takes_part or not solution.of_picture[n].any():
            out.append((0.0, 0.0))
            continue
        step = _without(solution, n)
        other = turned_about(solution.pose, solution.centre_c, step)
        out.append(moved(other, solution.pose))
    return out


def _without(solution: Solution, picture: int) -> F64:
    information = solution.information - solution.of_picture[picture]
    return np.asarray(inverse_of(information, solution.free) @ solution.pull[picture])[POSE]


def jackknife(solution: Solution) -> tuple[float, float] | None:
    """Standard error (mm, degrees) of the camera in the base: (n - 1) / n times the sum of squares of the changes."""
    changes = left_out(solution)
    if changes is None:
        return None
    return standard_error(changes, int(np.count_nonzero(solution.counted)))


def standard_error(changes: Sequence[tuple[float, float]], n: int) -> tuple[float, float]:
    """(mm, degrees): by (n - 1) / n times the sum of squares of what leaving each of n pictures out changes."""
    squares = (np.array(changes) ** 2).sum(axis=0) * (n - 1) / n
    return float(np.sqrt(squares[0])), float(np.sqrt(squares[1]))


def is_shaky(shaken: tuple[float, float]) -> bool:
    """Whether other pictures would lead elsewhere: the leave-one-out error is larger than a calibration may have."""
    return shaken[0] > _SHAKY[0] or shaken[1] > _SHAKY[1]


def unsure(deviation: tuple[float, float], zero_rad: float, *, offsets: bool = True) -> list[Note]:
    """Why a camera is less sure than a calibration may be; nothing where it is surer.

    Args:
        deviation: of the camera in the base, mm and degrees.
        zero_rad: deviation of joints' zeros, which is in it; 0 where offsets were looked for.
        offsets: whether they can be.
    """
    return notes.on_unsure(deviation, zero_rad, offsets=offsets) if is_shaky(deviation) else []


def depth_off_mm(pictures: Sequence[PictureResidual], distance_m: float) -> float | None:
    """By how much depths lie off the drawn robot (median, its sign kept) where no depth camera errs so much, else None.

    Args:
        pictures: what each says.
        distance_m: of the robot's middle from the camera.
    """
    away = [one.depth_mm for one in pictures if one.used and one.depth_mm is not None]
    if not away or float(np.median(np.abs(away))) <= 1e3 * _DEPTH_OFF * distance_m:
        return None
    return float(np.median(away))


def moved(one: Pose, other: Pose) -> tuple[float, float]:
    """How far apart (mm, degrees) cameras stand in the base, by two poses of the base in the camera."""
    away = one.inverse().t_m2c - other.inverse().t_m2c
    return 1e3 * float(np.linalg.norm(away)), float(np.degrees(one.angle_to(other)))


def unobserved(covariance: F64, length_m: float, *, angle_rad: float, distance_m: float) -> F64:
    """(K, 6) directions of (rho, phi), each of length 1 in (rho over half the size, phi), whose deviation is too large.

    Args:
        covariance: (6, 6) about the robot's middle.
        length_m: half the robot's size.
        angle_rad: deviation that says that a turn is not observed.
        distance_m: the same of a shift.
    """
    units = np.array([distance_m] * 3 + [angle_rad] * 3)
    values, vectors = np.linalg.eigh(covariance / np.outer(units, units))
    hidden = (vectors[:, values > 1.0] * units[:, None]).T
    size = np.linalg.norm(hidden / np.array([length_m] * 3 + [1.0] * 3), axis=1, keepdims=True)
    return np.asarray(hidden / np.maximum(size, 1e-300))


def offsets_of(solution: Solution, names: Sequence[str]) -> dict[str, UncertainValue]:
    """Offsets of joints by name, radians, metres of joints that slide; none where they were not looked for."""
    deviation = np.sqrt(np.maximum(np.diag(solution.covariance), 0.0))
    each = np.stack([solution.shared[SHARED:], deviation[SHARED:]], axis=1)
    return {name: UncertainValue(*one) for name, one in zip(names, each.tolist(), strict=False)}


def in_units(
    offsets: Mapping[str, UncertainValue], sliding: Collection[str]
) -> tuple[dict[str, UncertainValue], dict[str, UncertainValue]]:
    """Offsets in the units that people read: degrees of joints that turn, and millimetres of those that slide."""
    degrees, millimetres = np.degrees(1.0), 1e3
    return (
        {name: one.times(degrees) for name, one in offsets.items() if name not in sliding},
        {name: one.times(millimetres) for name, one in offsets.items() if name in sliding},
    )


def status_of(
    pictures: Sequence[PictureResidual], least_iou: float, least_share: float, *, alone: bool
) -> Status:  # fmt: skip
    """Whether a pose fits the pictures, by medians over those that took part.

    Args:
        pictures: what each says.
        least_iou: overlap that a pose must have, and
        least_share: share of its outline that masks' borders must meet.
        alone: whether no other pose fits alike.
    """
    overlaps = [one.iou for one in pictures if one.used and one.iou is not None]
    depths = [abs(one.depth_mm) for one in pictures if one.used and one.depth_mm is not None]
    shares = [one.outline_share for one in pictures if one.used and one.outline_share is not None]
    if overlaps and (np.median(overlaps) < least_iou or np.median(shares) < least_share):
        return Status.FAILED
    if not overlaps and (not depths or float(np.median(depths)) > 1e3 * _LEAST_DEPTH_M):
        return Status.FAILED
    return Status.CONVERGED if alone else Status.AMBIGUOUS


def doubted(shots: Sequence[Shot], pictures: Sequence[PictureResidual], size: int) -> list[Note]:
    """Why a pose is not sure though nothing else is found, as notes; none for no reason.

    Masks that lack whole links, and come without depth, can be met by a wrong pose nearly as well. Its outlines then
    stay pixels away from the masks' borders, where those of the right one meet them.

    Args:
        shots: the pictures.
        pictures: what each says.
        size: longest side of the crops in which outlines were compared, pixels.
    """
    overlaps, outlines, crops = [], [], []
    for shot, one in zip(shots, pictures, strict=True):
        box = shot.observation.mask_box
        if one.used and box is not None and one.iou_without_base is not None and one.outline_px is not None:
            overlaps.append(one.iou_without_base)
            outlines.append(one.outline_px)
            crops.append(one.outline_px / max(1.0, max(box[2] - box[0], box[3] - box[1]) / size))
    if not overlaps or any(one.depth_mm is not None for one in pictures):
        return []
    iou, away_px = float(np.median(overlaps)), float(np.median(outlines))
    return [notes.on_doubt(iou, away_px)] if iou < _DOUBTED_IOU and float(np.median(crops)) > _DOUBTED_PX else []
