"""The annotator's commands on what is seen: clicks, nudges, snapping. It knows pictures and meshes, but no screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.annotate.clicked_points import ClickedPoints
from diffdope.annotate.pictures import PictureSource
from diffdope.annotate.seeing import UPRIGHT
from diffdope.annotate.session import Session
from diffdope.annotate.snap import Box, Snapped, Snapper
from diffdope.annotate.state import Origin
from diffdope.error_kinds import NothingSaysWhereError
from diffdope.errors import expected
from diffdope.geometry.camera import Camera
from diffdope.geometry.pnp import LEAST_POINTS, poses_from_points
from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.ray import first_hit

F64 = NDArray[np.float64]

_SHARE = 0.25  # of the picture's height that a new object takes, where no depth says how far it is
_PATCH = 4  # pixels around a click from which depth is taken
_CLOSE_PX = 3.0  # clicks are that exact: pairs that fit no better hold a wrong one
_DIRECTIONS = {
    "left": (-1, 0, 0), "right": (1, 0, 0), "up": (0, -1, 0), "down": (0, 1, 0),
    "nearer": (0, 0, -1), "farther": (0, 0, 1),
}  # fmt: skip


class Editor:
    """What buttons, keys and clicks do.

    Args:
        session: the poses.
        pictures: the images.
        mesh_of: the mesh of an object.
        snapper: refines and locates.
        names: of the objects, for people.
    """

    def __init__(
        self,
        session: Session,
        pictures: PictureSource,
        mesh_of: Callable[[int], Mesh],
        snapper: Snapper,
        names: Mapping[int, str] | None = None,
    ) -> None:
        self.session, self.pictures, self.mesh_of, self._snapper = session, pictures, mesh_of, snapper
        self.names = dict(names or {})
        self.pairs = ClickedPoints()
        self._view: tuple[int, Observation] | None = None

    @property
    def view(self) -> Observation:
        """The images of the picture that is looked at."""
        im_id = self.session.state.im_id
        if self._view is None or self._view[0] != im_id:
            self._view = (im_id, self.pictures.observation(im_id))
        return self._view[1]

    @property
    def camera(self) -> Camera:
        """Of this picture."""
        return self.view.camera

    @property
    def mesh(self) -> Mesh:
        """Of the selected object.

        Raises:
            DiffDopeError: if none is selected.
        """
        return self.mesh_of(self._obj_id())

    def name_of(self, obj_id: int) -> str:
        """What a model is called."""
        return f"{obj_id} {self.names[obj_id]}" if obj_id in self.names else str(obj_id)

    # Placing.

    def add(self, obj_id: int, pixel: tuple[float, float] | None = None) -> str:
        """Puts an object upright into the picture.

        Args:
            obj_id: which model.
            pixel: where its middle is seen; None for the middle of the picture.
        """
        camera, mesh = self.camera, self.mesh_of(obj_id)
        u, v = pixel if pixel is not None else (0.5 * (camera.width - 1), 0.5 * (camera.height - 1))
        self.pairs = ClickedPoints()
        self.session.add(obj_id, self._standing(mesh, UPRIGHT, u, v, self._usual_depth(mesh)))
        return f"{self.name_of(obj_id)} added: drag it, click it into place, refine or locate it"

    def put(self, pixel: tuple[float, float]) -> str:
        """Moves the selected object, as it is turned, to where it was clicked on the photograph."""
        old, mesh = self._pose(), self.mesh
        depth = float(old.apply(mesh.center_m)[2])
        self.session.move(self._standing(mesh, old.R_m2c, *pixel, depth))
        return "put there"

    def nudge(self, direction: str, step_mm: float) -> str:
        """Moves the selected object left, right, up, down, nearer or farther."""
        if direction not in _DIRECTIONS:
            raise expected("direction", f"one of {', '.join(_DIRECTIONS)}", direction)
        self.session.nudge(shift_m=1e-3 * step_mm * np.array(_DIRECTIONS[direction], np.float64))
        return f"{step_mm:g} mm {direction}"

    def turn(self, axis: str, step_deg: float) -> str:
        """Turns the selected object about its middle, about an axis (x, y or z) of the camera."""
        if axis not in ("x", "y", "z"):
            raise expected("axis", "x, y or z", axis)
        turn = np.radians(step_deg) * np.eye(3)["xyz".index(axis)]
        self.session.nudge(turn_rad=turn, middle_m=self.mesh.center_m)
        return f"{step_deg:g} degrees about the camera's {axis}"

    def _usual_depth(self, mesh: Mesh) -> float:
        return self.camera.fy * mesh.diameter / (_SHARE * self.camera.height)

    def _standing(self, mesh: Mesh, R: F64, u: float, v: float, otherwise: float) -> Pose:
        """The pose in which the object's middle is seen at a pixel, half its depth behind what was measured there."""
        camera, seen = self.camera, self._measured(u, v)
        reach = 0.5 * float(np.ptp(mesh.vertices_m @ R.T, axis=0)[2])
        z = otherwise if seen is None else seen + reach
        middle = np.array([(u - camera.cx) / camera.fx * z, (v - camera.cy) / camera.fy * z, z])
        return Pose(R, middle - R @ mesh.center_m)

    def _measured(self, u: float, v: float) -> float | None:
        """Depth around a pixel, metres; None where none was measured."""
        depth = self.view.depth
        if depth is None:
            return None
        row, column = round(v), round(u)
        patch = depth[max(row - _PATCH, 0) : row + _PATCH + 1, max(column - _PATCH, 0) : column + _PATCH + 1]
        seen = patch[patch > 0]
        return float(np.median(seen)) if len(seen) else None

    # Snapping.

    def refine(self) -> str:
        """Lets the selected pose snap onto the picture."""
        return self._take(self._snapper.refine(self.view, self._obj_id(), self._pose()))

    def locate(self, box: Box | None = None) -> str:
        """Finds the selected object, in a box (x, y, width, height) where there is one.

        Raises:
            DiffDopeError: where that needs a depth image or OpenCV, and there is neither.
        """
        try:
            return self._take(self._snapper.locate(self.view, self._obj_id(), box))
        except NothingSaysWhereError as error:
            cure = "move the object about into place, or solve it from points, then press refine"
            raise expected(
                "locate", "a picture with depth, or diffdope[features]", "a photograph alone", cure
            ) from error

    def _take(self, snapped: Snapped) -> str:
        if snapped.found:
            self.session.move(
                snapped.pose, snapped.origin, confidence=snapped.confidence, sigma_mm=snapped.sigma_mm,
                sigma_deg=snapped.sigma_deg, ambiguous=snapped.ambiguous,
            )  # fmt: skip
        return snapped.words

    # Points.

    def pick_on_model(self, origin_c: ArrayLike, direction_c: ArrayLike) -> str:
        """Takes the point of the selected model that a ray from the viewer meets.

        Args:
            origin_c: (3,) where the viewer stands, in the camera's frame, metres.
            direction_c: (3,) where it was clicked.
        """
        back = self._pose().inverse()
        hit = first_hit(self.mesh, back.apply(np.asarray(origin_c, np.float64)), back.R_m2c @ np.asarray(direction_c))
        if hit is None:
            return "that is beside the model: click a point on it"
        if self.pairs.waiting:
            self.pairs.points_m[-1] = hit
            return f"point {len(self.pairs.points_m)} taken again: now click it on the photograph"
        self.pairs.points_m.append(hit)
        return f"point {len(self.pairs.points_m)}: now click it on the photograph"

    def pick_on_photograph(self, pixel: tuple[float, float]) -> str:
        """Takes the pixel that shows the last point of the model."""
        if not self.pairs.waiting:
            return "click a point on the model first"
        self.pairs.pixels.append(pixel)
        count = len(self.pairs.pixels)
        if count < LEAST_POINTS:
            return f"{count} of at least {LEAST_POINTS} pairs: click the next point on the model"
        return f"{count} pairs: solve, or click another point on the model"

    def drop_pair(self) -> str:
        """Forgets the last point, or the last pair."""
        if self.pairs.waiting:
            self.pairs.points_m.pop()
        elif self.pairs.pixels:
            self.pairs.points_m.pop()
            self.pairs.pixels.pop()
        return f"{len(self.pairs.pixels)} pairs left"

    def solve(self) -> str:
        """Gives the selected object the pose that fits the pairs best, and forgets them.

        Raises:
            DiffDopeError: for what `poses_from_points` refuses; the pairs stay.
        """
        count = len(self.pairs.pixels)
        found = poses_from_points(
            np.reshape(self.pairs.points_m[:count], (-1, 3)), np.reshape(self.pairs.pixels, (-1, 2)), self.camera
        )
        best = found[0]
        self.session.move(best.pose, Origin.POINTS)
        self.pairs = ClickedPoints()
        words = f"solved: {best.rms_px:.1f} px left"
        if best.rms_px > _CLOSE_PX:
            words += ": one of the pairs is wrong, perhaps (undo brings the old pose back)"
        if len(found) > 1:
            words += f"; {len(found)} poses fit as well: click points that are not in one plane"
        return words

    # The rest.

    def go(self, by: int) -> str:
        """The next picture (1), or the one before (-1)."""
        self.pairs = ClickedPoints()
        if not self.session.step(by):
            return "there is no further picture"
        started = any(one.origin == Origin.BEFORE for one in self.session.state.within(self.session.state.im_id))
        return "begins with the poses of the picture before: refine them" if started else ""

    def look_at(self, number: int) -> str:
        """A picture by its place, counted from 1; no poses are brought along.

        Raises:
            DiffDopeError: if there are fewer.
        """
        pictures = self.session.pictures
        if not 1 <= number <= len(pictures):
            raise expected("picture", f"1 to {len(pictures)}", number)
        self.pairs = ClickedPoints()
        self.session.look_at(pictures[number - 1])
        return ""

    def go_to_do(self) -> str:
        """The next picture that is not done; after the last one, from the first on."""
        pictures, left = self.session.pictures, set(self.session.state.to_do(self.session.pictures))
        here = pictures.index(self.session.state.im_id)
        there = next((im_id for im_id in (*pictures[here + 1 :], *pictures[:here]) if im_id in left), None)
        if there is None:
            return "this is the last one to do" if left else "all pictures are done: every object is checked"
        if there == pictures[min(here + 1, len(pictures) - 1)]:
            return self.go(1)
        return self.look_at(pictures.index(there) + 1)

    def select_next(self) -> str:
        """Works on the next object of this picture; after the last one, on the first."""
        state = self.session.state
        things = [one.thing for one in state.within(state.im_id)]
        if not things:
            return "there is no object: add one"
        place = things.index(state.selected) + 1 if state.selected in things else 0
        return self.select(things[place % len(things)])

    def select(self, thing: int) -> str:
        """Works on another object."""
        self.pairs = ClickedPoints()
        self.session.select(thing)
        return ""

    def remove(self) -> str:
        """Takes the selected object away."""
        self.pairs = ClickedPoints()
        self.session.remove()
        return "removed"

    def _obj_id(self) -> int:
        state = self.session.state
        if state.current is None:
            raise expected("object", "one that is selected", "none", "add an object, or click one")
        return state.obj_id(state.current.thing)

    def _pose(self) -> Pose:
        self._obj_id()
        assert self.session.state.current is not None
        return self.session.state.current.pose
