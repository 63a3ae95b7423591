"""One camera's images, and where that camera stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from diffdope.errors import check_positive, expected
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose, PoseLike, as_pose
from diffdope.scene.observation import Observation

LARGEST_M, LARGEST_DEG = 1.0, 30.0  # farther off, a camera's place says nothing that helps


@dataclass(frozen=True, eq=False, init=False)
class View:
    """Images of one moment from one camera, and the camera's place in the world: x_c = T_w2c.apply(x_w).

    An object that stands at T_m2w in the world is seen by the camera at T_m2c = T_w2c @ T_m2w.

    Attributes:
        observation: the images and the camera's intrinsics.
        T_w2c: world to camera, metres.
        placed: whether T_w2c was given; if not, the world is the camera's frame.
        sigma: how far off T_w2c may be, standard deviations (metres, degrees) along and about each axis of the camera,
            at its centre; None if it is exact.
        name: what messages call the view; may be empty.
    """

    observation: Observation
    T_w2c: Pose
    placed: bool
    sigma: tuple[float, float] | None
    name: str

    def __init__(
        self,
        observation: Observation,
        T_w2c: PoseLike | None = None,
        *,
        sigma: tuple[float, float] | None = None,
        name: str = "",
    ) -> None:
        """Checks the types; images and pose were checked when they were made.

        Args:
            observation: the images. Its mask, if any, is of the only object of the scene; see `Scene`.
            T_w2c: world to camera, a `Pose` or a matrix (4, 4), metres; None where the camera's frame is the world.
            sigma: (metres, degrees), for a camera whose place is to be refined too; None to take T_w2c as it is.
            name: for messages.

        Raises:
            DiffDopeError: if an argument is of another type, or sigma is given without T_w2c or not positive.
        """
        if not isinstance(observation, Observation):
            raise expected("observation", "an Observation", type(observation).__name__)
        if not isinstance(name, str):
            raise expected("name", "a text", type(name).__name__)
        placed = T_w2c is not None
        spread = None if sigma is None else _checked_sigma(sigma)
        if spread is not None and not placed:
            raise expected("sigma", "T_w2c beside it", "none", "it says how far off that is")
        place = Pose.identity() if T_w2c is None else as_pose("T_w2c", T_w2c)
        values = {"observation": observation, "T_w2c": place, "placed": placed, "sigma": spread, "name": name}
        for field, value in values.items():
            object.__setattr__(self, field, value)

    @property
    def camera(self) -> Camera:
        """Intrinsics and size of the images."""
        return self.observation.camera


def _checked_sigma(sigma: Any) -> tuple[float, float]:
    if not (isinstance(sigma, tuple | list) and len(sigma) == 2):
        raise expected("sigma", "(metres, degrees), such as (0.01, 1.0)", repr(sigma))
    metres, degrees = sigma
    check_positive("sigma (metres)", metres)
    check_positive("sigma (degrees)", degrees)
    if metres > LARGEST_M or degrees > LARGEST_DEG:
        cure = "it is (metres, degrees), not millimetres or radians"
        raise expected("sigma", f"at most {LARGEST_M:g} m and {LARGEST_DEG:g} degrees", repr(sigma), cure)
    return float(metres), float(degrees)
