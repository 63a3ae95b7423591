"""What is known of objects beside their images: that they rest on one plane, and do not run through each other.

The images' result is a normal distribution: poses, and how far off they are. Contact is measured against it, by an
iterated Kalman update (Bell and Cathey 1993): what the images know well hardly moves, what they leave open follows. A
contact that is more than three deviations away contradicts the images: it does not count, and a note says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_above_zero, expected
from diffdope.joint.body import SolidBody
from diffdope.joint.contact_update import ContactUpdate, Knowledge
from diffdope.joint.result import ObjectResult, SceneResult
from diffdope.joint.support_surface import SupportSurface, plane_of_depth, plane_of_objects
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.scene import Scene

F64 = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
@checked_fields()
class ContactSettings:
    """What is known of contact; nothing unless it is said.

    Attributes:
        plane: whether objects rest on one plane, a table or the bottom of a bin, which is estimated: from three
            objects or more that touch it, else from depth.
        plane_tolerance_m: how far off it the lowest point of an object that rests may be, metres.
        penetration_m: objects run into each other by at most this, metres; None where nothing is known about it.

    Raises:
        DiffDopeError: if a length is none.
    """

    plane: bool = False
    plane_tolerance_m: float = 0.0005
    penetration_m: float | None = None

    def __post_init__(self) -> None:
        """Refuses lengths that are none."""
        check_above_zero(self, "plane_tolerance_m")
        if self.penetration_m is not None and not 0.0 <= self.penetration_m < 1.0:
            cure = "it is in metres: 0.001 is a millimetre"
            raise expected("penetration_m", "a length from 0 to below 1 m", self.penetration_m, cure)

    @property
    def says_something(self) -> bool:
        """Whether anything is known."""
        return self.plane or self.penetration_m is not None


def with_contact(
    result: SceneResult, scene: Scene, refiners: Sequence[Refiner], settings: ContactSettings
) -> SceneResult:  # fmt: skip
    """A scene's result in which contact has its say.

    Args:
        result: of the images.
        scene: what was given.
        refiners: of all objects.
        settings: what is known of contact.
    """
    taking = [n for n, one in enumerate(result.objects) if one.ok and one.covariance is not None]
    if not settings.says_something:
        return result
    if not taking:
        why = "contact is not used: it needs an object that was found, and a preset that has a covariance"
        return replace(result, notes=(*result.notes, Note(NoteCode.CONTACT_UNUSED, why)))
    bodies = {id(refiners[n].mesh): SolidBody.of(refiners[n].mesh) for n in taking}
    mine = [bodies[id(refiners[n].mesh)] for n in taking]
    plane, notes = _plane(result, scene, [refiners[n] for n in taking], mine, taking) if settings.plane else (None, ())
    tolerances = settings.plane_tolerance_m, settings.penetration_m
    known = Knowledge(tuple(mine), tuple(result.objects[n].name for n in taking), plane, *tolerances)
    update = ContactUpdate(known, [result.objects[n].pose for n in taking], _covariance(result.objects, taking, plane))
    solved = update.solved()
    objects = list(result.objects)
    for k, n in enumerate(taking):
        one = replace(objects[n], notes=(*objects[n].notes, *solved.notes[k]))
        if k in solved.touched:
            pose, part = solved.poses[k], slice(6 * k, 6 * k + 6)
            views = tuple(replace(seen, pose=result.views[seen.view].T_w2c @ pose) for seen in one.views)
            one = replace(one, pose=pose, covariance=solved.covariance[part, part], views=views)
        objects[n] = one
    equation = None if solved.plane is None else solved.plane.equation
    whole = _whole(result, taking, solved.covariance)
    return replace(result, objects=tuple(objects), notes=(*result.notes, *notes), plane=equation, covariance=whole)


def _plane(
    result: SceneResult, scene: Scene, refiners: Sequence[Refiner], bodies: Sequence[SolidBody], taking: Sequence[int]
) -> tuple[SupportSurface | None, tuple[str, ...]]:  # fmt: skip
    cameras = [view.T_w2c for view in result.views]
    poses = [result.objects[n].pose for n in taking]
    plane = plane_of_objects(cameras, bodies, poses) or plane_of_depth(scene, cameras, refiners, bodies, poses)
    if plane is not None:
        return plane, ()
    why = "no three of those that were found stand on one, and depth shows none around them"
    return None, (Note(NoteCode.CONTACT_UNUSED, f"no plane was found on which the objects rest: {why}"),)


def _covariance(objects: Sequence[ObjectResult], taking: Sequence[int], plane: SupportSurface | None) -> F64:
    """(6 n + 3, 6 n + 3) of the objects that take part, each on its own, and of the plane."""
    size = 6 * len(taking)
    matrix = np.zeros((size + 3, size + 3))
    for k, n in enumerate(taking):
        matrix[6 * k : 6 * k + 6, 6 * k : 6 * k + 6] = objects[n].covariance
    if plane is not None:
        matrix[size:, size:] = plane.covariance
    return matrix


def _whole(result: SceneResult, taking: Sequence[int], updated: F64) -> F64 | None:
    """The covariance of everything, in which the objects' blocks are the updated ones."""
    if result.covariance is None:
        return None
    whole = result.covariance.copy()
    for k, n in enumerate(taking):
        at = 6 * sum(one.covariance is not None for one in result.objects[:n])
        before, after = whole[at : at + 6, at : at + 6].copy(), updated[6 * k : 6 * k + 6, 6 * k : 6 * k + 6]
        # What an object shares with others shrinks as its own does, so that the whole stays a covariance.
        scale = np.sqrt(np.maximum(np.diag(after), 0.0) / np.maximum(np.diag(before), 1e-300))
        whole[at : at + 6, :] *= scale[:, None]
        whole[:, at : at + 6] *= scale[None, :]
        whole[at : at + 6, at : at + 6] = after
    return whole
