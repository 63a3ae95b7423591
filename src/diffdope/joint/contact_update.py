"""Contacts of bodies, linearised, and what they make of poses that are known with a covariance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.joint.body import Penetration, SolidBody
from diffdope.joint.support_surface import SupportSurface, lowest
from diffdope.note_codes import Note, NoteCode

F64 = NDArray[np.float64]

_ROUNDS = 5  # linearisations: which point is lowest, and which is deepest, changes with the pose
_FAR = 3.0  # standard deviations from which on a contact contradicts the images
_MORE = 2.0  # times as exact as the images, along its normal, a contact must be to move a body
_SOFT_M = 0.0003  # how well surfaces are known where two bodies meet


class Knowledge(NamedTuple):
    """What is known: bodies and their names, the plane or None, its tolerance, the penetration or None (metres)."""

    bodies: tuple[SolidBody, ...]
    names: tuple[str, ...]
    plane: SupportSurface | None
    plane_tolerance_m: float
    penetration_m: float | None


class Contact(NamedTuple):
    """One contact at a state: residual (metres), Jacobian (D,), deviation (metres), the bodies that it is of."""

    residual: float
    jacobian: F64
    sigma: float
    bodies: tuple[int, ...]


class ContactSolution(NamedTuple):
    """Poses, covariance (D, D), plane, notes by body, and which bodies have a contact that counts."""

    poses: list[Pose]
    covariance: F64
    plane: SupportSurface | None
    notes: list[tuple[str, ...]]
    touched: set[int]


class ContactUpdate:
    """See the module.

    Args:
        known: bodies, plane and tolerances.
        poses: T_m2w of each body.
        covariance: (D, D): six for each body in (rho, phi) of its pose, three of the plane.
    """

    def __init__(self, known: Knowledge, poses: Sequence[Pose], covariance: F64) -> None:
        self._known, self._poses, self._covariance = known, list(poses), covariance
        self._size = 6 * len(poses)

    def solved(self) -> ContactSolution:
        """The update, linearised anew from round to round."""
        step, covariance = np.zeros(self._size + 3), self._covariance
        kept: dict[tuple[int, ...], Contact] = {}
        notes = [list[str]() for _ in self._poses]
        for number in range(_ROUNDS):
            last = number == _ROUNDS - 1
            poses, plane = self._at(step)
            for contact in self._contacts(poses, plane, first=number == 0):
                if contact.bodies not in kept and self._contradicts(contact, covariance):
                    if last:
                        self._tell(contact, notes)
                    continue
                # As seen from where the images have it: r(0) = r(x) - J x.
                kept[contact.bodies] = contact._replace(residual=contact.residual - float(contact.jacobian @ step))
            if kept:
                step, covariance = self._updated(list(kept.values()))
        poses, plane = self._at(step)
        open_ = self._left_open(kept, covariance)
        touched = {body for bodies in kept for body in bodies if body in open_}
        poses = [pose if n in touched else self._poses[n] for n, pose in enumerate(poses)]
        return ContactSolution(poses, covariance, plane, [tuple(own) for own in notes], touched)

    def _left_open(self, kept: Mapping[tuple[int, ...], Contact], covariance: F64) -> set[int]:
        """Bodies of which a contact says much more than the images: others stay as they are, to the bit."""
        found = set()
        for bodies, contact in kept.items():
            for body in bodies:
                part, J = slice(6 * body, 6 * body + 6), contact.jacobian
                alone = float(J[part] @ self._covariance[part, part] @ J[part])
                rest = J.copy()
                rest[part] = 0.0
                told = float(rest @ covariance @ rest) + contact.sigma**2
                if alone > _MORE**2 * told:
                    found.add(body)
        return found

    def _at(self, step: F64) -> tuple[list[Pose], SupportSurface | None]:
        poses = [pose.retract(step[6 * n : 6 * n + 6]) for n, pose in enumerate(self._poses)]
        plane = self._known.plane
        return poses, None if plane is None else plane.moved(step[self._size :])

    def _updated(self, contacts: Sequence[Contact]) -> tuple[F64, F64]:
        J = np.stack([one.jacobian for one in contacts])
        shared = self._covariance @ J.T
        spread = J @ shared + np.diag([one.sigma**2 for one in contacts])
        gain = np.linalg.solve(spread, shared.T).T
        step = -gain @ np.array([one.residual for one in contacts])
        covariance = self._covariance - gain @ shared.T
        return step, 0.5 * (covariance + covariance.T)

    def _contradicts(self, contact: Contact, covariance: F64) -> bool:
        """Whether a contact is farther away than what is known so far, and its tolerance, are off."""
        variance = contact.jacobian @ covariance @ contact.jacobian + contact.sigma**2
        return abs(contact.residual) > _FAR * float(np.sqrt(variance))

    def _contacts(self, poses: Sequence[Pose], plane: SupportSurface | None, *, first: bool) -> list[Contact]:
        """All contacts at a state; in the first round, of a plane that objects made, of these alone."""
        found = []
        if plane is not None:
            of = plane.touching if first and plane.touching else range(len(poses))
            found += [self._on_plane(n, poses[n], plane) for n in of]
        if self._known.penetration_m is not None:
            found += self._between(poses, self._known.penetration_m)
        return found

    def _on_plane(self, n: int, pose: Pose, plane: SupportSurface) -> Contact:
        height, point = lowest(self._known.bodies[n], pose, plane)
        J = np.zeros(self._size + 3)
        J[6 * n : 6 * n + 6] = _by_motion(point, plane.normal_w, pose)
        one, other = plane.axes
        J[self._size :] = -1.0, one @ (point - plane.point_w), other @ (point - plane.point_w)
        return Contact(height, J, self._known.plane_tolerance_m, (n,))

    def _between(self, poses: Sequence[Pose], margin_m: float) -> list[Contact]:
        """Of each pair the deepest point that is deeper than is allowed."""
        bodies = self._known.bodies
        middles = np.array([pose.apply(body.mesh.center_m) for body, pose in zip(bodies, poses, strict=True)])
        found = []
        for a, one in enumerate(bodies):
            for b in range(a + 1, len(bodies)):
                other = bodies[b]
                if np.linalg.norm(middles[a] - middles[b]) > 0.5 * (one.mesh.diameter + other.mesh.diameter):
                    continue
                into = [
                    (one.deepest_of(other, poses[a], poses[b]), a, b),
                    (other.deepest_of(one, poses[b], poses[a]), b, a),
                ]
                deep = [(p, host, guest) for p, host, guest in into if p is not None and p.depth_m > margin_m]
                if deep:
                    found.append(self._pushing(*max(deep, key=lambda each: each[0].depth_m), poses, margin_m))
        return found

    def _pushing(self, found: Penetration, host: int, guest: int, poses: Sequence[Pose], margin_m: float) -> Contact:
        J = np.zeros(self._size + 3)
        J[6 * guest : 6 * guest + 6] = _by_motion(found.point_w, found.normal_w, poses[guest])
        J[6 * host : 6 * host + 6] = -_by_motion(found.point_w, found.normal_w, poses[host])
        return Contact(margin_m - found.depth_m, J, _SOFT_M, (min(host, guest), max(host, guest)))

    def _tell(self, contact: Contact, notes: list[list[str]]) -> None:
        size_mm, names = 1e3 * abs(contact.residual), self._known.names
        if len(contact.bodies) == 1:
            where = "above" if contact.residual > 0.0 else "below"
            text = f"the images have its lowest point {size_mm:.1f} mm {where} the plane: it does not rest on it there"
            notes[contact.bodies[0]].append(Note(NoteCode.CONTACT_REFUSED, text))
            return
        for body in contact.bodies:
            other = names[next(n for n in contact.bodies if n != body)]
            margin_mm = 1e3 * (self._known.penetration_m or 0.0)
            text = f"the images have it {size_mm + margin_mm:.1f} mm deep in {other}: one of both is not where it seems"
            notes[body].append(Note(NoteCode.CONTACT_REFUSED, text))


def _by_motion(point_w: F64, normal_w: F64, pose: Pose) -> F64:
    """(6,) of a body's point's height along a normal by (rho, phi) of its pose."""
    return np.concatenate([normal_w, np.cross(point_w - pose.t_m2c, normal_w)])
