"""What may be wrong with the inputs of a result that failed: a start of another kind, a unit that is off by a factor.

Units are off by 10, 25.4, 100 or 1000 (centimetres, inches, metres for millimetres, and the other way round). So is a
depth scale. Mask and depth together say how long the object is; the start says how far away. What disagrees by such a
factor is named. Nothing is concluded from results that are right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.crop import choose_crop
from diffdope.geometry.pose import Pose
from diffdope.note_codes import CONTRADICTIONS, Note, NoteCode, of_codes
from diffdope.pipelines.diagnosis.unmeasured import from_void, is_void, of_unknown_scale
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.problem.region import projected_box
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.checks.contradictions import CONTRADICTED

F64 = NDArray[np.float64]

_FACTORS = (10.0, 25.4, 100.0, 1000.0)  # between lengths in millimetres, centimetres, inches and metres
_SMALLER = {10.0: "cm", 25.4: "inch", 1000.0: "m"}  # the unit of a mesh that was taken for millimetres
_LONGEST = 1.15  # of a mask over the diameter: its border is off by some pixels
_HIDDEN = 0.6  # share of the shorter side that is seen of objects that are not hidden too much
_CONTRADICTS = 1.4  # beyond what is possible: less is told by `search/checks/contradictions.py`
_ALIKE = 1.3  # factor by which distances of a start and of depth may differ
# In the picture, 15 degrees apart, along which the mask is longest.
_DIRECTIONS = np.linspace(0.0, np.pi, 12, endpoint=False)
_CROP_PX = 256  # a photograph may be large, and lengths need not be known to a pixel
EVERYTHING = 0.9
"""Share of a picture's pixels: a mask of more says nothing of an object's length, and is hardly that of an object."""


class _Seen(NamedTuple):
    """What a mask shows: its length in pixels, and the distance that depth has there, metres, None without depth."""

    length_px: float
    distance_m: float | None


def with_hints(
    result: RefinementResult, mesh: Mesh, observation: Observation, start: Pose | None
) -> RefinementResult:  # fmt: skip
    """A result that failed, with what may be wrong with its inputs in message and notes; others as they are.

    Args:
        result: in the frame of the mesh's file.
        mesh: the object.
        observation: what it was compared with.
        start: as it was given; None where there was none.
    """
    if start is not None and is_void(mesh, start):
        return from_void(result)
    if result.ok or result.status is Status.AMBIGUOUS:
        result = of_unknown_scale(result, mesh, start)
        if start is None or not _overflows(mesh, observation, start):
            return result
        hints = list(of_units(mesh, observation, start))
        if not hints:
            return result
        # It fits as a wall that is everywhere.
        confidence = None if result.confidence is None else min(result.confidence, CONTRADICTED)
        notes = _with_new(result.notes, hints)
        return replace(result, status=Status.FAILED, message=hints[0], confidence=confidence, notes=notes)
    hints = [*of_kind(mesh, observation, start, result.status), *of_units(mesh, observation, start)]
    if not hints:
        return result
    kept = result.status in (Status.OUT_OF_VIEW, Status.BEHIND_CAMERA, Status.LOST)
    kept = kept or bool(of_codes(result.notes, CONTRADICTIONS))
    message = f"{result.message}; {hints[0]}" if kept else hints[0]
    return replace(result, message=message, notes=_with_new(result.notes, hints))


def _with_new(notes: tuple[str, ...], hints: list[Note]) -> tuple[str, ...]:
    """Notes, and hints that are none of them yet: a film has said some of its own accord."""
    return tuple(dict.fromkeys((*notes, *hints)))


def of_kind(mesh: Mesh, observation: Observation, start: Pose | None, status: Status) -> Iterator[Note]:
    """Whether a start would show the object where it is, if it were of another kind.

    Args:
        mesh: the object.
        observation: the image.
        start: as it was given.
        status: of the result.
    """
    if start is None or (status in (Status.FAILED, Status.LOST) and _in_view(mesh, start, observation)):
        return
    turned = Pose.from_opengl(start.matrix)
    kinds = (
        (start.inverse(), "its inverse: is it camera to object? (pose.inverse())"),
        (turned, "it taken for a pose of OpenGL (Pose.from_opengl(pose))"),
        (Pose.from_opengl(start.inverse().matrix), "its inverse of OpenGL (Pose.from_opengl(pose.inverse()))"),
    )
    found = [text for pose, text in kinds if _in_view(mesh, pose, observation)]
    if found:
        text = f"the start does not show the object where it is, but so does {found[0]}"
        yield Note(NoteCode.START_KIND, text)


def of_units(mesh: Mesh, observation: Observation, start: Pose | None) -> Iterator[Note]:
    """Factors between mesh, depth and start that are those of wrong units.

    Args:
        mesh: the object.
        observation: the image.
        start: as it was given; None where there was none.
    """
    seen = _seen(observation)
    away = None if start is None else float(np.linalg.norm(start.apply(mesh.center_m)))
    if seen is not None and seen.distance_m is not None:
        sizes = size_factor(mesh, observation)
        far = _factor(seen.distance_m / away, 1.0 / _ALIKE, _ALIKE) if away else None  # 0: it is in the camera
        if far is not None and sizes is None:
            yield _start_is_off(far)
        elif sizes is not None:
            known = away is not None
            yield Note(
                NoteCode.UNITS, _size_is_off(*sizes, depth=known and far is not None, mesh=known and far is None)
            )
    elif seen is not None and start is not None and away:
        drawn = projected_box(mesh.vertices_m, start, observation.camera)
        length_px = mesh.diameter * _focal(observation) / away
        factor = None if isinstance(drawn, Status) else _factor(seen.length_px / length_px, _shortest(mesh), _LONGEST)
        if factor is not None:
            size = f"{_times(factor)} as long as the start draws the object"
            yield Note(NoteCode.UNITS, f"the mask is {size}: is the unit of the mesh or of the start wrong?")
    elif start is not None and away and "depth" in observation.modalities:
        there = _depth_at(mesh, observation, start)
        far = None if there is None else _factor(there / away, 1.0 / _ALIKE, _ALIKE)
        if far is not None:
            yield _start_is_off(far)


def size_factor(mesh: Mesh, observation: Observation) -> tuple[float, float, float] | None:
    """By which factor of units an object looks longer than it is, by mask and depth.

    Args:
        mesh: the object.
        observation: with mask and depth; without them, nothing is known.

    Returns:
        Its length by mask and depth and its diameter, metres, and the factor; None where they agree, or differ by none.
    """
    seen = _seen(observation)
    if seen is None or seen.distance_m is None:
        return None
    length_m = seen.length_px * seen.distance_m / _focal(observation)
    factor = _factor(length_m / mesh.diameter, _shortest(mesh), _LONGEST)
    return None if factor is None else (length_m, mesh.diameter, factor)


def _size_is_off(length_m: float, diameter_m: float, factor: float, *, depth: bool, mesh: bool) -> str:
    lengths = f"by mask and depth the object is {1e3 * length_m:.3g} mm long, its model {1e3 * diameter_m:.3g} mm"
    larger = factor > 1.0
    times = factor if larger else round(1.0 / factor, 1)
    unit = _SMALLER.get(times, "") if larger or times == 100.0 else "mm"  # no unit is a hundredth of millimetres
    unless = "" if larger else ", unless it was"  # of what was read as millimetres, it is the depth scale
    cure = f'is its unit wrong? load it with unit="{unit}"{unless}' if unit else "is its unit wrong?"
    scale = f"is depth_scale {times:g} times too {'large' if larger else 'small'}?"
    if depth:
        return f"{lengths}, and the start is as much nearer or farther than depth says: {scale}"
    if mesh:
        return f"{lengths}, as if a unit were {times:g} times off, and depth agrees with the start: {cure}"
    return f"{lengths}, as if a unit were {times:g} times off: {cure}{';' if unit else ''} or {scale}"


def _start_is_off(factor: float) -> Note:
    word = "farther away" if factor > 1.0 else "nearer"
    times = factor if factor > 1.0 else 1.0 / factor
    cure = "is the unit of the start wrong (Pose takes metres), or depth_scale?"
    return Note(NoteCode.UNITS, f"depth has the object {times:g} times {word} than the start: {cure}")


def _times(factor: float) -> str:
    return f"{factor:g} times" if factor >= 1.0 else f"1/{1.0 / factor:g}"


def _factor(ratio: float, low: float, high: float) -> float | None:
    """The factor of units that brings a ratio between two bounds, if it is well outside of them; None if none does."""
    if not ratio > 0.0 or low / _CONTRADICTS <= ratio <= high * _CONTRADICTS:
        return None
    fitting = [k for one in _FACTORS for k in (one, 1.0 / one) if low <= ratio / k <= high]
    return min(fitting, key=lambda one: abs(np.log(ratio / one))) if fitting else None


def _shortest(mesh: Mesh) -> float:
    """The least length that is seen of an object, over its diameter: of its middle side, some of it hidden."""
    sides = np.sort(np.ptp(mesh.vertices_m, axis=0))
    return _HIDDEN * float(sides[1]) / mesh.diameter


def _focal(observation: Observation) -> float:
    return float(np.sqrt(observation.camera.fx * observation.camera.fy))


def _seen(observation: Observation) -> _Seen | None:
    """Length and distance of what a mask shows; None without one, or where it is nearly all of the picture."""
    box = observation.mask_box
    if box is None or covered_share(observation, box) > EVERYTHING:
        return None
    window = choose_crop([box], observation.camera, margin=0.0, max_size=_CROP_PX)
    crop = observation.crop(window)
    assert crop.mask is not None
    rows, columns = np.nonzero(crop.mask > 0.5)
    if len(rows) == 0:
        return None
    along = np.outer(np.cos(_DIRECTIONS), columns) + np.outer(np.sin(_DIRECTIONS), rows)
    there = crop.depth[rows, columns] if crop.depth is not None else np.empty(0)
    there = there[there > 0.0]
    length_px = window.reduction * (float(np.ptp(along, axis=1).max()) + 1.0)
    return _Seen(length_px, float(np.median(there)) if len(there) else None)


def covered_share(observation: Observation, box: tuple[float, float, float, float]) -> float:
    """Share of the picture that the mask covers.

    Args:
        observation: with a mask.
        box: its `mask_box`.
    """
    camera = observation.camera
    whole = (0.0, 0.0, camera.width - 1.0, camera.height - 1.0)
    if (box[2] - box[0] + 1.0) * (box[3] - box[1] + 1.0) <= EVERYTHING * camera.width * camera.height:
        return 0.0  # whatever it is, it is less
    mask = observation.crop(choose_crop([whole], camera, margin=0.0, max_size=_CROP_PX)).mask
    assert mask is not None
    return float(np.mean(mask > 0.5))


def _overflows(mesh: Mesh, observation: Observation, start: Pose) -> bool:
    """Whether a start draws the object beyond two opposite borders, where a mask reaches no border at all."""
    inside, camera = observation.mask_box, observation.camera
    ends = (camera.width - 1.0, camera.height - 1.0)
    if inside is None or min(inside[:2]) <= 0.0 or inside[2] >= ends[0] or inside[3] >= ends[1]:
        return False

    def beyond(points_m: F64) -> bool:
        drawn = projected_box(points_m, start, camera)
        if isinstance(drawn, Status):
            return False
        return any(drawn[axis] < 0.0 and drawn[axis + 2] > ends[axis] for axis in (0, 1))

    corners_m = np.array(list(product(*mesh.bounds.T)))  # a mesh may have millions of vertices
    return beyond(corners_m) and beyond(mesh.vertices_m)


def _in_view(mesh: Mesh, pose: Pose, observation: Observation) -> bool:
    """Whether the object's middle is in the picture, and in the mask's box if there is one."""
    middle = pose.apply(mesh.center_m)
    if not middle[2] > mesh.radius_m:
        return False
    u, v = (float(one) for one in observation.camera.project(middle))
    camera = observation.camera
    x0, y0, x1, y1 = observation.mask_box or (0.0, 0.0, camera.width - 1.0, camera.height - 1.0)
    return x0 <= u <= x1 and y0 <= v <= y1


def _depth_at(mesh: Mesh, observation: Observation, start: Pose) -> float | None:
    """The median depth around the middle of the start, metres; None where there is none."""
    camera, middle = observation.camera, start.apply(mesh.center_m)
    if "depth" not in observation.modalities or not middle[2] > 0.0:
        return None
    u, v = (float(np.clip(one, -1e6, 1e6)) for one in camera.project(middle))
    reach = max(1.0, 0.25 * mesh.radius_m * camera.fx / float(middle[2]))
    box = (u - reach, v - reach, u + reach, v + reach)
    if box[2] < 0.0 or box[3] < 0.0 or box[0] >= camera.width or box[1] >= camera.height:
        return None
    around = observation.crop(choose_crop([box], camera, margin=0.0, max_size=_CROP_PX)).depth
    assert around is not None
    there = around[around > 0.0]
    return float(np.median(there)) if there.size else None
