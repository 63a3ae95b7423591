"""Draws moments into a scene of viser: what stays is left alone, what moves is moved."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

import numpy as np

from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.viewer.assets import MOST_FACES, Plane, colored, corners_of, light_mesh, linear, points_of
from diffdope.viewer.content import CAMERAS, Body, Color, Content, Moment
from diffdope.viz.compose import to_bytes

_BATCH_FACES = 1500  # of each of many copies
_BEHIND = 1.15  # of the farthest body, where the photograph stands
_FARTHEST_M, _USUAL_M = 100.0, 1.0  # bodies beyond do not move the photograph; where it stands without any
_AMBIENT = 1.5  # of light from everywhere: dark models are still seen
_COVERING = 1.3  # of the points' distance, their size: surfaces seen from aside have no holes
_LINE = (120, 120, 120)  # of the camera's frustum: grey, on light and on dark
PHOTOGRAPH, DEPTH = "photograph", "depth"


class SceneDrawing:
    """A scene of a server, in the frame of the camera that took the pictures.

    Args:
        scene: `viser.ViserServer.scene`.
        up: direction (3,) that is drawn upwards.
    """

    def __init__(self, scene: Any, up: tuple[float, float, float]) -> None:
        self._scene = scene
        self._bodies: dict[str, tuple[Body, Any]] = {}
        self._view: Observation | None = None
        self._fixed: dict[str, list[Any]] = {}
        self._light: dict[tuple[int, int], tuple[Mesh, Mesh]] = {}
        self._switches: dict[str, bool] = {}
        self._numbers = count()
        scene.set_up_direction(up)
        light(scene)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What can be switched on and off."""
        return (*self._fixed, *dict.fromkeys(body.kind for body, _ in self._bodies.values()))

    def is_shown(self, kind: str) -> bool:
        """Whether a kind is switched on."""
        shown = [body.shown for body, _ in self._bodies.values() if body.kind == kind]
        return self._switches.get(kind, shown[0] if shown else True)

    def switch(self, kind: str, shown: bool) -> None:
        """Shows or hides a kind, in this and in later moments."""
        self._switches[kind] = shown
        for handle in self._fixed.get(kind, ()):
            handle.visible = shown
        for body, handles in self._bodies.values():
            if body.kind == kind:
                self._hide(body, handles)

    def show(self, moment: Moment) -> None:
        """Draws a moment in the place of the one before."""
        for name in self._bodies.keys() - {body.name for body in moment.bodies}:
            self._forget(name)
        for body in moment.bodies:
            self._draw(body)
        if moment.view is not self._view:
            self._view = moment.view
            self._draw_view(moment)

    def _draw(self, body: Body) -> None:
        old = self._bodies.get(body.name)
        if old is not None and old[0].mesh is body.mesh and _looks(old[0]) == _looks(body):
            self._bodies[body.name] = (body, old[1])
            self._move(body, old[1])
        else:
            if old is not None:
                self._forget(body.name)
            self._bodies[body.name] = (body, self._make(body))
        self._hide(*self._bodies[body.name])

    def _forget(self, name: str) -> None:
        for handle in self._bodies.pop(name)[1]:
            handle.remove()

    def _hide(self, body: Body, handles: list[Any]) -> None:
        for handle in handles:
            handle.visible = bool(body.poses) and self.is_shown(body.kind)

    def _move(self, body: Body, handles: list[Any]) -> None:
        if not body.poses:
            return
        if _is_batch(body):
            handles[0].batched_wxyzs, handles[0].batched_positions = _batched(body.poses)
        else:
            handles[0].wxyz, handles[0].position = body.poses[0].wxyz, body.poses[0].t_m2c
        for label in handles[1:]:
            label.position = body.poses[0].apply(body.mesh.center_m)

    def _make(self, body: Body) -> list[Any]:
        # A browser does not show what is made under a name that was removed a moment ago; so each has its own.
        name = f"/{body.kind}/{body.name}/{next(self._numbers)}"
        pose = body.poses[0] if body.poses else Pose.identity()
        place = {"wxyz": pose.wxyz, "position": pose.t_m2c}
        batch = _is_batch(body)
        mesh = self._lighter(body.mesh, _BATCH_FACES if batch else MOST_FACES)
        quiet = {"cast_shadow": False, "receive_shadow": False}
        if body.own_colors and mesh.has_color:
            handles = [self._scene.add_mesh_trimesh(name, colored(mesh), **place, **quiet)]
        else:
            vertices, faces = np.asarray(mesh.vertices_m, np.float32), np.asarray(mesh.faces, np.uint32)
            style = {
                "opacity": None if body.opacity >= 1.0 else body.opacity, "wireframe": body.wireframe,
                "side": "double", "flat_shading": False,
            }  # fmt: skip
            if batch:
                wxyzs, positions = _batched(body.poses or (pose,))
                handles = [
                    self._scene.add_batched_meshes_simple(
                        name,
                        vertices,
                        faces,
                        wxyzs,
                        positions,
                        batched_colors=_as_batched(body.color),
                        lod="off",
                        **style,
                        **quiet,
                    )
                ]
            else:
                handles = [
                    self._scene.add_mesh_simple(name, vertices, faces, color=body.color, **style, **place, **quiet)
                ]
        if body.label:
            at = pose.apply(body.mesh.center_m)
            # Not below the mesh's name: it would be in the mesh's frame, and move with it once more.
            handles.append(self._scene.add_label(f"/labels{name}", body.label, position=at, anchor="bottom-left"))
        return handles

    def _lighter(self, mesh: Mesh, faces: int) -> Mesh:
        """The mesh with fewer triangles, made once."""
        key = (id(mesh), faces)
        if key not in self._light:
            self._light[key] = (mesh, light_mesh(mesh, faces))
        return self._light[key][1]

    def _draw_view(self, moment: Moment) -> None:
        for handle in (one for handles in self._fixed.values() for one in handles):
            handle.remove()
        self._fixed = {}
        if moment.view is None:
            return
        number, distance = next(self._numbers), behind(moment.bodies, moment.view)
        corners = np.asarray(corners_of(moment.view.camera, distance), np.float32)
        ends = np.concatenate([
            np.stack([np.zeros_like(corners), corners], axis=1),
            np.stack([corners, np.roll(corners, -1, axis=0)], axis=1),
        ])  # fmt: skip
        self._fixed["camera"] = [
            self._scene.add_line_segments(f"/camera/{number}", ends, _LINE, thickness=1.5, thickness_units="screen")
        ]
        plane = Plane.of(moment.view, distance)
        if plane is not None:
            self._fixed[PHOTOGRAPH] = [
                self._scene.add_image(
                    f"/photograph/{number}", plane.picture, plane.width_m, plane.height_m, position=plane.middle_m,
                    cast_shadow=False, receive_shadow=False, jpeg_quality=90,
                )
            ]  # fmt: skip
        points = points_of(moment.view)
        if points is not None and len(points.x_c):
            x_c, size = np.asarray(points.x_c, np.float32), _COVERING * points.spacing_m
            self._fixed[DEPTH] = [  # half precision, the default, is half a millimetre off at 1 m
                self._scene.add_point_cloud(
                    f"/depth/{number}", x_c, points.colors, point_size=size, point_shape="square", point_shading="flat",
                    precision="float32",
                )
            ]  # fmt: skip
        for kind, handles in self._fixed.items():
            for handle in handles:
                handle.visible = self.is_shown(kind)


def light(scene: Any) -> None:
    """Light from all sides, so that no object is dark in the view of the camera."""
    scene.configure_default_lights(True, cast_shadow=False)
    scene.add_light_ambient("/light", intensity=_AMBIENT)


def behind(bodies: Iterable[Body], view: Observation) -> float:
    """A depth beyond all bodies, metres: pictures there hide nothing."""
    farthest = 0.0
    for body in bodies:
        for pose in body.poses if body.kind != CAMERAS else ():
            z = float(pose.apply(body.mesh.center_m)[2]) + body.mesh.radius_m
            farthest = max(farthest, min(z, _FARTHEST_M))
    if view.depth is not None:
        seen = view.depth[view.depth > 0]
        farthest = max(farthest, float(np.quantile(seen, 0.98))) if len(seen) else farthest
    return _BEHIND * farthest if farthest > 0.0 else _USUAL_M


def look_at(content: Content, moment: Moment) -> tuple[np.ndarray, np.ndarray]:
    """Where the viewer stands at first, and where it looks: from beside the camera, at the bodies.

    Where other cameras stand around them, from farther behind, so that they are seen too.
    """
    looked_at = [body for body in moment.bodies if body.poses and body.shown and body.kind != CAMERAS]
    middles = [body.poses[0].apply(body.mesh.center_m) for body in looked_at]
    middle = np.mean(middles, axis=0) if middles else np.array([0.0, 0.0, _USUAL_M])
    up = np.asarray(content.up) / np.linalg.norm(content.up)
    aside = np.cross(middle, up)
    away = float(np.linalg.norm(middle))
    aside = aside / max(float(np.linalg.norm(aside)), 1e-9)
    if any(body.kind == CAMERAS for body in moment.bodies):
        return -0.6 * middle + 0.6 * away * up + 0.5 * away * aside, middle
    return 0.4 * middle + 0.2 * away * up + 0.25 * away * aside, middle


def _is_batch(body: Body) -> bool:
    return len(body.poses) != 1 and not (body.own_colors and body.mesh.has_color)


def _looks(body: Body) -> tuple[object, ...]:
    """What a change of makes a new thing of a body; of a batch, the number of its copies too."""
    count = len(body.poses) if _is_batch(body) else 1
    return body.kind, body.color, body.opacity, body.own_colors, body.wireframe, body.label, count


def _as_batched(color: Color) -> Color:
    """viser takes the colours of batches for linear light, unlike those of single meshes: given as they are, they are
    pale."""
    red, green, blue = to_bytes(linear(np.asarray(color, np.float64) / 255.0)).tolist()
    return red, green, blue


def _batched(poses: tuple[Pose, ...]) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.array([pose.wxyz for pose in poses], np.float32),
        np.array([pose.t_m2c for pose in poses], np.float32),
    )
