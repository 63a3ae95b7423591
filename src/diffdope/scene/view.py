"""One camera's images, and where that camera stands."""

from __future__ import annotations

from dataclasses import dataclass

from diffdope.errors import expected
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.scene.observation import Observation


@dataclass(frozen=True, eq=False, init=False)
class View:
    """Images of one moment from one camera, and the camera's place in the world: x_c = T_w2c.apply(x_w).

    An object that stands at T_m2w in the world is seen by the camera at T_m2c = T_w2c @ T_m2w.

    Attributes:
        observation: the images and the camera's intrinsics.
        T_w2c: world to camera, metres.
        placed: whether T_w2c was given; if not, the world is the camera's frame.
        name: what messages call the view; may be empty.
    """

    observation: Observation
    T_w2c: Pose
    placed: bool
    name: str

    def __init__(self, observation: Observation, T_w2c: Pose | None = None, *, name: str = "") -> None:
        """Checks the types; images and pose were checked when they were made.

        Args:
            observation: the images. Its mask, if any, is of the only object of the scene; see `Scene`.
            T_w2c: world to camera, metres; None where the camera's frame is the world.
            name: for messages.

        Raises:
            DiffDopeError: if an argument is of another type.
        """
        if not isinstance(observation, Observation):
            raise expected("observation", "an Observation", type(observation).__name__)
        if T_w2c is not None and not isinstance(T_w2c, Pose):
            raise expected("T_w2c", "a Pose", type(T_w2c).__name__, "Pose.from_matrix takes a matrix (4, 4)")
        if not isinstance(name, str):
            raise expected("name", "a text", type(name).__name__)
        placed = T_w2c is not None
        values = {"observation": observation, "T_w2c": T_w2c or Pose.identity(), "placed": placed, "name": name}
        for field, value in values.items():
            object.__setattr__(self, field, value)

    @property
    def camera(self) -> Camera:
        """Intrinsics and size of the images."""
        return self.observation.camera
