"""What a viewer shows, whatever draws it: bodies at poses before a camera, moment by moment, with words beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError
from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

Color = tuple[int, int, int]
Pictures = Callable[[], Mapping[str, NDArray[np.uint8]]]

START: Color = (235, 120, 40)
HYPOTHESIS: Color = (90, 150, 235)
RESULT: Color = (60, 210, 100)
ALTERNATIVE: Color = (190, 100, 230)
TRUTH: Color = (235, 60, 190)
UNCERTAIN: Color = (245, 180, 20)
UNCERTAIN_OPACITY = 0.8
"""Thin ellipsoids have few pixels: they have to be seen before white and before photographs."""
LOST: Color = (235, 60, 60)
CAMERA: Color = (40, 110, 200)
CAMERAS = "cameras"
"""Kind of bodies that are cameras: they stand around what is looked at."""

UP_IN_CAMERA = (0.0, -1.0, 0.0)
"""Pictures are taken with the horizon level, more or less: y points down in them."""


@dataclass(frozen=True, eq=False)
class Body:
    """A surface at one pose or at many.

    Attributes:
        name: unique in a moment; a body of the same name and mesh in the next moment is moved, not made anew.
        kind: which of the switches turns it off: "result", "start", "hypotheses", "alternatives", "uncertainty", ...
        mesh: the surface.
        poses: of its frame in the camera; none hides it.
        color: of a body that is not shown in the mesh's own colours.
        opacity: 1 for a solid body.
        own_colors: whether it has the mesh's colours, where the mesh has some.
        wireframe: whether only its edges are drawn.
        shown: whether it is, until somebody turns its switch.
        label: written beside it.
    """

    name: str
    kind: str
    mesh: Mesh
    poses: tuple[Pose, ...]
    color: Color = RESULT
    opacity: float = 1.0
    own_colors: bool = False
    wireframe: bool = False
    shown: bool = True
    label: str = ""


@dataclass(frozen=True, eq=False)
class Moment:
    """What is there at one place of the slider.

    Attributes:
        title: in a word or two.
        text: lines about it.
        view: camera and images; None where no image is known.
        bodies: what is before the camera.
        pictures: makes the 2-D pictures by name, when they are wanted.
    """

    title: str
    text: tuple[str, ...] = ()
    view: Observation | None = None
    bodies: tuple[Body, ...] = ()
    pictures: Pictures = field(default=dict)


@dataclass(frozen=True, eq=False)
class Content:
    """All that a viewer shows.

    Attributes:
        title: of the page.
        text: lines that hold for all moments.
        missing: what could not be shown, and why.
        slider: what the moments are: "iteration", "frame", "image", "picture", "view".
        titles: of the moments, at least one.
        moment: makes the k-th; views that did not change should be the same object.
        first: the moment to begin with.
        up: direction (3,) in the first camera's frame that points up in the world.
    """

    title: str
    text: tuple[str, ...]
    missing: tuple[str, ...]
    slider: str
    titles: Sequence[str]
    moment: Callable[[int], Moment]
    first: int = 0
    up: tuple[float, float, float] = UP_IN_CAMERA

    def at(self, k: int) -> Moment:
        """The k-th moment; where its files cannot be read, an empty one that says why."""
        try:
            return self.moment(k)
        except (DiffDopeError, OSError) as error:
            return Moment(self.titles[k], (f"cannot be shown: {error}",))
