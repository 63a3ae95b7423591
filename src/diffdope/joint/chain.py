"""Poses of objects and cameras in the world, and how an object moves in a camera with each of the two.

An object at T_w_o is seen by a camera at T_c_o = T_c_w T_w_o. Steps of an object are (rho [m], phi [rad]) about its own
middle in the world's axes. Those of a camera are in its own axes about its own centre, so that they mean the same
wherever the world's origin is: x_c <- Exp(phi) x_c + rho.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class ScenePoses:
    """Where everything is.

    Attributes:
        objects: T_w_o of each object, about its own middle.
        cameras: T_c_w of each view.
    """

    objects: tuple[Pose, ...]
    cameras: tuple[Pose, ...]

    def in_camera(self, view: int, obj: int) -> Pose:
        """T_c_o."""
        return self.cameras[view] @ self.objects[obj]

    def moved(self, step: F64, unknowns: Unknowns) -> ScenePoses:
        """After a step (D,) of all unknowns."""
        objects = tuple(pose.retract(step[unknowns.of_object(o)]) for o, pose in enumerate(self.objects))
        cameras = list(self.cameras)
        for view in unknowns.free:
            cameras[view] = moved_camera(cameras[view], step[unknowns.of_camera(view)])
        return replace(self, objects=objects, cameras=tuple(cameras))


@dataclass(frozen=True)
class Unknowns:
    """Which columns belong to which pose: first those of all objects, then those of cameras that are free.

    Attributes:
        objects: how many.
        free: numbers of the views whose cameras are free.
    """

    objects: int
    free: tuple[int, ...]

    @property
    def size(self) -> int:
        """D."""
        return 6 * (self.objects + len(self.free))

    def of_object(self, obj: int) -> slice:
        """Columns of an object."""
        return slice(6 * obj, 6 * obj + 6)

    def of_camera(self, view: int) -> slice:
        """Columns of a camera that is free."""
        first = 6 * (self.objects + self.free.index(view))
        return slice(first, first + 6)

    def chain(self, state: ScenePoses, view: int, obj: int) -> tuple[list[slice], F64]:
        """Columns of the poses on which T_c_o depends, and its derivative (6, 6 n) by them."""
        parts, columns = [by_object(state.cameras[view])], [self.of_object(obj)]
        if view in self.free:
            parts.append(by_camera(state.in_camera(view, obj)))
            columns.append(self.of_camera(view))
        return columns, np.hstack(parts)


def moved_camera(T_w2c: Pose, step: F64) -> Pose:
    """The camera's pose after a step (rho, phi) in its axes, about its centre."""
    turn = so3.exp(step[3:])
    return Pose(turn @ T_w2c.R_m2c, turn @ T_w2c.t_m2c + step[:3])


def by_object(T_w2c: Pose) -> F64:
    """(6, 6) of T_c_o by a step of the object in the world."""
    return np.asarray(np.kron(np.eye(2), T_w2c.R_m2c), np.float64)


def by_camera(in_camera: Pose) -> F64:
    """(6, 6) of T_c_o by a step of the camera: rho + phi x t, phi."""
    J = np.eye(6)
    J[:3, 3:] = -so3.hat(in_camera.t_m2c)
    return J


def as_tangent_of_pose(T_w2c: Pose) -> F64:
    """(6, 6) from a camera's step to (rho, phi) of T_w2c as poses have it: R <- Exp(phi) R, t <- t + rho."""
    return by_camera(T_w2c)


def camera_difference(one: Pose, other: Pose) -> F64:
    """(6,) the step that takes another camera's pose to this one, in its axes, about its centre."""
    turn = one.R_m2c @ other.R_m2c.T
    return np.concatenate([one.t_m2c - turn @ other.t_m2c, so3.log(turn)])
