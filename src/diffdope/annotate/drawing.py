"""The annotator's scene: the photograph behind the models, a gizmo about the selected one, the clicked points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diffdope.annotate.editor import Editor
from diffdope.annotate.state import Placement
from diffdope.scene.mesh import Mesh
from diffdope.viewer.assets import Plane, colored, light_mesh
from diffdope.viewer.content import Color

# Of models without colours: as pale as a part in a photograph is, so that its shading is seen.
_OTHER: Color = (158, 178, 200)
_SELECTED: Color = (134, 184, 148)
_POINT: Color = (255, 40, 40)
_CLEAR = 0.4  # opacity of models that are drawn clear: the photograph shows through
_GIZMO = 0.75  # of the object's diameter
_POINT_SIZE = 0.02  # of the object's diameter
_BEHIND = 4.0  # diameters behind the farthest object, where the photograph stands
_NEAREST_M, _SMALLEST_M = 0.5, 0.1  # where there is no object yet
_SHARPEST = 2560  # pixels of the photograph's longer side


class AnnotatedScene:
    """What is drawn of an editor.

    Args:
        scene: of a server of viser.
        editor: with the session.
        dragged: takes what the gizmo says.
        selected: takes the number of an object that was clicked.
    """

    def __init__(
        self, scene: Any, editor: Editor, dragged: Callable[[Any], None], selected: Callable[[int], None]
    ) -> None:
        self._scene, self._editor = scene, editor
        self._when_dragged, self._when_selected = dragged, selected
        self._drawn: dict[str, tuple[tuple[Any, ...], list[Any]]] = {}
        self._photograph: tuple[int, float] | None = None
        self._points: list[Any] = []

    def draw(self, *, gizmo: bool, clear: bool, hidden: bool = False) -> None:
        """Draws the state of the session.

        Args:
            gizmo: whether the selected object can be dragged.
            clear: whether models can be seen through.
            hidden: whether the photograph is shown alone.
        """
        self._draw_photograph()
        state = self._editor.session.state
        wanted = {f"/things/{one.thing}": one for one in state.within(state.im_id)}
        for name in self._drawn.keys() - wanted.keys():
            self._forget(name)
        for name, one in wanted.items():
            self._draw(name, one, gizmo=gizmo and one.thing == state.selected, clear=clear)
            self._drawn[name][1][0].visible = not hidden
        self._draw_points()

    def distance_m(self) -> float:
        """Depth of the photograph: beyond all objects.

        It grows in powers of two, so that the photograph stays where it is while an object is moved.
        """
        editor, state = self._editor, self._editor.session.state
        farthest, size = _NEAREST_M, _SMALLEST_M
        for one in state.within(state.im_id):
            mesh = editor.mesh_of(state.obj_id(one.thing))
            farthest = max(farthest, float(one.pose.apply(mesh.center_m)[2]))
            size = max(size, mesh.diameter)
        return float(2.0 ** np.ceil(np.log2(farthest + _BEHIND * size)))

    def _draw_photograph(self) -> None:
        editor = self._editor
        key = (editor.session.state.im_id, self.distance_m())
        if self._photograph == key:
            return
        plane = Plane.of(editor.view, key[1], longest=_SHARPEST)
        assert plane is not None  # pictures without photograph and depth are refused when they are read
        self._scene.add_image(
            "/photograph", plane.picture, plane.width_m, plane.height_m, position=plane.middle_m, cast_shadow=False,
            receive_shadow=False, jpeg_quality=92,
        )  # fmt: skip
        self._photograph = key

    def _draw(self, name: str, one: Placement, *, gizmo: bool, clear: bool) -> None:
        state = self._editor.session.state
        mesh = self._editor.mesh_of(state.obj_id(one.thing))
        looks = (one.thing == state.selected, gizmo, clear, state.obj_id(one.thing))
        if name not in self._drawn or self._drawn[name][0] != looks:
            self._forget(name)
            self._drawn[name] = (looks, self._make(name, mesh, one, gizmo=gizmo, clear=clear))
        frame = self._drawn[name][1][0]
        frame.wxyz, frame.position = one.pose.wxyz, one.pose.apply(mesh.center_m)

    def _make(self, name: str, mesh: Mesh, one: Placement, *, gizmo: bool, clear: bool) -> list[Any]:
        """A frame in the object's middle, with the model in it; a gizmo can be dragged, and takes the model along."""
        place = {"wxyz": one.pose.wxyz, "position": one.pose.apply(mesh.center_m)}
        if gizmo:
            frame = self._scene.add_transform_controls(name, scale=_GIZMO * mesh.diameter, depth_test=False, **place)
            frame.on_update(self._when_dragged)
        else:
            frame = self._scene.add_frame(name, show_axes=False, **place)
        shown = light_mesh(mesh)
        inside = {"position": -mesh.center_m, "cast_shadow": False, "receive_shadow": False}
        selected = one.thing == self._editor.session.state.selected
        if shown.has_color and not clear:
            model = self._scene.add_mesh_trimesh(f"{name}/model", colored(shown), **inside)
        else:
            model = self._scene.add_mesh_simple(
                f"{name}/model", np.asarray(shown.vertices_m, np.float32), np.asarray(shown.faces, np.uint32),
                color=_SELECTED if selected else _OTHER, opacity=_CLEAR if clear else None, side="double", **inside,
            )  # fmt: skip
        if not selected:
            model.on_click(lambda _: self._when_selected(one.thing))
        return [frame, model]

    def _forget(self, name: str) -> None:
        if name in self._drawn:
            for handle in reversed(self._drawn.pop(name)[1]):
                handle.remove()

    def _draw_points(self) -> None:
        """The points that were clicked on the model, where it stands now."""
        for handle in self._points:
            handle.remove()
        self._points = []
        pairs, current = self._editor.pairs, self._editor.session.state.current
        if current is None or not pairs.points_m:
            return
        points = np.asarray(current.pose.apply(np.array(pairs.points_m)), np.float32)
        size = _POINT_SIZE * self._editor.mesh.diameter
        self._points = [
            self._scene.add_point_cloud(
                "/points", points, _POINT, point_size=size, point_shape="circle", precision="float32"
            )
        ]
