"""The annotator's window: the photograph behind the models, gizmo, buttons and keys. It only hands on what is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.annotate.editor import Editor
from diffdope.annotate.seeing import box_on, fitting_fov, middle_of, pixel_on, ray_to, thumbnail
from diffdope.annotate.state import Origin, Placement
from diffdope.errors import DiffDopeError
from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh
from diffdope.viewer.assets import Plane, colored, light_mesh
from diffdope.viewer.content import Color
from diffdope.viewer.stage import light
from diffdope.viewer.window import as_html, as_markdown, start_server, stop_server

F64 = NDArray[np.float64]

_OTHER: Color = (120, 170, 235)
_SELECTED: Color = (60, 210, 100)
_CLEAR = 0.4
_GIZMO = 0.75  # of the object's diameter
_BEHIND = 4.0  # diameters of the scene behind the farthest object, where the photograph stands
_OTHER_SHAPE = 1e-3  # of the screen's width by its height
_SAVE_EVERY_S = 0.2  # while something is dragged
STEPS_MM = ("0.2", "1", "5", "20")
_DEG_PER_MM = 0.5  # a step turns by so much, so that both look about alike on an object of 20 cm
MODES = ("drag", "put", "points", "box")
# Keys of viser's camera are W A S D Q E and the arrows, so these lie on the other side.
KEYS = {
    "J": "left", "L": "right", "I": "up", "K": "down", "U": "nearer", "O": "farther",
}  # fmt: skip
_FROM = {
    Origin.HAND: "by hand", Origin.POINTS: "from points", Origin.REFINED: "refined", Origin.LOCATED: "located",
    Origin.SCENE: "from another picture", Origin.FILE: "from scene_gt.json", Origin.BEFORE: "of the picture before",
}  # fmt: skip
TURNS = {"J": ("y", 1.0), "L": ("y", -1.0), "I": ("x", 1.0), "K": ("x", -1.0), "U": ("z", -1.0), "O": ("z", 1.0)}


class AnnotationWindow:
    """Serves one editor to a browser.

    Args:
        editor: the commands.
        host: address to listen at.
        port: 0 for a free one.

    Raises:
        DiffDopeError: if viser is not installed, or the port is taken.
    """

    def __init__(self, editor: Editor, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._editor = editor
        self._lock = threading.RLock()
        self._server = start_server(host, port, "diffdope annotate", command="annotate")
        self._nodes: dict[str, Any] = {}
        self._gestures, self._dragged_at = 0, 0.0
        self._drawn: dict[str, tuple[Any, ...]] = {}
        self._light: dict[int, tuple[Mesh, Any]] = {}
        self._mode = MODES[0]
        scene = self._server.scene
        scene.set_up_direction("-y")
        light(scene)
        self._build()
        self._server.on_client_connect(self._arrived)
        self.refresh("add an object, or select one")

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://{self._server.get_host()}:{self._server.get_port()}"

    def wait(self) -> None:
        """Serves until the process is interrupted."""
        self._server.sleep_forever()

    def stop(self) -> None:
        """Ends the server."""
        stop_server(self._server)

    def tell(self, words: str) -> None:
        """Shows a line."""
        self._message.content = as_markdown((words or "ready",))

    # What is done, one command at a time; its mistakes become a line.

    def do(self, command: Callable[[], str | None], busy: str = "") -> None:
        """Runs a command and shows what came of it."""
        with self._lock:
            if busy:
                self.tell(busy)
            try:
                words = command() or ""
            except DiffDopeError as error:
                words = str(error)
            except OSError as error:
                words = f"NOT SAVED: {error.strerror or error} ({error.filename or ''}); the change was taken back"
            self.refresh(words)

    def _build(self) -> None:
        gui, editor = self._server.gui, self._editor
        gui.configure_theme(control_width="medium", show_share_button=False)
        gui.main_panel.dock_right()
        self._message = gui.add_markdown("")
        with gui.add_folder("picture"):
            self._where = gui.add_markdown("")
            self._buttons("", {"previous": lambda: editor.go(-1), "next": lambda: editor.go(1)})
            gui.add_button("look through the camera").on_click(lambda event: self._look_through(event.client))
            gui.add_button("zoom on the object").on_click(lambda event: self._look_through(event.client, zoom=True))
        with gui.add_folder("object"):
            self._models = gui.add_dropdown("model", [editor.name_of(one) for one in editor.session.objects])
            self._models.on_update(lambda _: self._show_model())
            self._picture = gui.add_html(self._thumbnail())
            gui.add_button("add").on_click(lambda _: self.do(lambda: editor.add(self._model())))
            self._things = gui.add_dropdown("selected", ["none"])
            self._things.on_update(self._selected)
            self._buttons("", {"undo": self._undo, "redo": self._redo, "remove": editor.remove})
        with gui.add_folder("pose"):
            self._said = gui.add_markdown("")
            self._buttons("", {"refine": editor.refine, "locate": editor.locate}, busy=True)
            self._mode_box = gui.add_dropdown("mouse", MODES, hint=(
                "drag: the gizmo; put: click where it stands; points: click model and photograph in turns; box: drag a "
                "box around it, and it is located there"
            ))  # fmt: skip
            self._mode_box.on_update(lambda _: self._set_mode(self._mode_box.value))
            self._buttons("", {"solve": editor.solve, "drop a point": editor.drop_pair})
            self._step = gui.add_dropdown("step, mm", STEPS_MM, initial_value="1")
            self._checked = gui.add_checkbox("checked", False)
            self._checked.on_update(lambda event: self._mark(event, checked=self._checked.value))
            self._ambiguous = gui.add_checkbox("ambiguous", False)
            self._ambiguous.on_update(lambda event: self._mark(event, ambiguous=self._ambiguous.value))
            self._see_through = gui.add_checkbox("see through", False)
            self._see_through.on_update(lambda _: self.do(lambda: None))
        self._add_keys()

    def _buttons(self, label: str, commands: dict[str, Callable[[], str | None]], *, busy: bool = False) -> None:
        group = self._server.gui.add_button_group(label, tuple(commands))
        group.on_click(lambda _: self.do(commands[group.value], f"{group.value} ..." if busy else ""))

    def _add_keys(self) -> None:
        for key, direction in KEYS.items():
            self._key(f"move {direction}", key, None, partial(self._nudge, direction))
            axis, sign = TURNS[key]
            self._key(f"turn about {axis}, {'+' if sign > 0 else '-'}", key, "shift", partial(self._turn, axis, sign))
        for key, (label, command) in {
            "R": ("refine", self._editor.refine), "Z": ("undo", self._undo), "Y": ("redo", self._redo),
            "N": ("next picture", lambda: self._editor.go(1)), "P": ("previous picture", lambda: self._editor.go(-1)),
            "X": ("checked", lambda: self._editor.session.mark(checked=True)),
        }.items():  # fmt: skip
            self._key(label, key, None, command)

    def _key(self, label: str, key: str, modifier: str | None, command: Callable[[], str | None]) -> None:
        handle = self._server.gui.add_command(label, hotkey=key, modifier=modifier)
        handle.on_trigger(lambda _: self.do(command))

    def _nudge(self, direction: str) -> str:
        return self._editor.nudge(direction, float(self._step.value))

    def _turn(self, axis: str, sign: float) -> str:
        return self._editor.turn(axis, sign * _DEG_PER_MM * float(self._step.value))

    def _undo(self) -> str:
        return "taken back" if self._editor.session.undo() else "there is nothing to take back"

    def _redo(self) -> str:
        return "made again" if self._editor.session.redo() else "there is nothing to make again"

    def _model(self) -> int:
        return int(self._models.value.split()[0])

    def _show_model(self) -> None:
        self._picture.content = self._thumbnail()

    def _thumbnail(self) -> str:
        return as_html("", thumbnail(self._editor.mesh_of(self._model())))

    def _selected(self, event: Any) -> None:
        number = self._things.value.split()[0].rstrip(":")
        if _is_users(event) and number.isdecimal():
            self.do(lambda: self._editor.select(int(number)))

    def _mark(self, event: Any, **marks: bool) -> None:
        if _is_users(event):
            self.do(lambda: self._editor.session.mark(**marks))

    # The mouse.

    def _set_mode(self, mode: str) -> None:
        """What clicks on the scene mean; viser turns its camera's own mouse off while a box may be dragged."""
        with self._lock:
            self._mode = mode
            scene = self._server.scene
            scene.remove_click_callback()
            scene.remove_rect_select_callback()
            if mode in ("put", "points"):
                scene.on_click()(self._clicked)
            if mode == "box":
                scene.on_rect_select()(self._boxed)
            self.refresh({
                "drag": "", "put": "click where the object stands", "points": "click a point on the model",
                "box": "drag a box around the object",
            }[mode])  # fmt: skip

    def _clicked(self, event: Any) -> None:
        origin, direction = np.array(event.ray_origin), np.array(event.ray_direction)
        pixel = pixel_on(self._editor.camera, origin, direction, self._distance())
        if self._mode == "points" and not self._editor.pairs.waiting:
            self.do(lambda: self._editor.pick_on_model(origin, direction))
        elif pixel is None:
            self.tell("that is beside the photograph")
        elif self._mode == "points":
            self.do(lambda: self._editor.pick_on_photograph(pixel))
        else:
            self.do(lambda: self._editor.put(pixel))

    def _boxed(self, event: Any) -> None:
        camera = event.client.camera
        corners = []
        for x, y in (event.screen_min, event.screen_max):
            direction = ray_to(x, y, wxyz=camera.wxyz, fov=camera.fov, aspect=camera.aspect)
            corners.append(pixel_on(self._editor.camera, np.asarray(camera.position), direction, self._distance()))
        box = box_on(self._editor.camera, corners)
        if box is None:
            self.tell("that is beside the photograph")
            return
        self.do(lambda: self._editor.locate(box), "locating ...")

    def _dragged(self, event: Any) -> None:
        """The gizmo was moved in the browser, where the model has followed it already."""
        with self._lock:
            if event.phase == "start" or self._gestures == 0:
                self._gestures += 1
            if event.phase == "update" and time.monotonic() - self._dragged_at < _SAVE_EVERY_S:
                return
            gizmo = event.target
            turned = Pose.from_wxyz_xyz([*gizmo.wxyz, *gizmo.position])
            pose = Pose(turned.R_m2c, turned.t_m2c - turned.R_m2c @ self._editor.mesh.center_m)
            words = "dragged"
            if event.phase != "start":
                try:
                    self._editor.session.move(pose, Origin.HAND, gesture=f"drag {self._gestures}")
                except (DiffDopeError, OSError) as error:
                    words = f"NOT SAVED: {error}"
            self._dragged_at = time.monotonic()
            if event.phase == "end":
                self.refresh(words)

    # What is seen.

    def refresh(self, words: str = "") -> None:
        """Draws the state of the session."""
        with self._lock, self._server.atomic():
            self._draw_photograph()
            state = self._editor.session.state
            placed = state.within(state.im_id)
            wanted = {f"/things/{one.thing}": one for one in placed}
            for name in self._drawn.keys() - wanted.keys():
                self._forget(name)
            for name, one in wanted.items():
                self._draw(name, one)
            self._draw_points()
            self._fill(placed)
            self.tell(words)

    def _distance(self) -> float:
        """Depth of the photograph, metres: beyond all objects."""
        editor = self._editor
        farthest, size = 0.5, 0.1
        for one in editor.session.state.within(editor.session.state.im_id):
            mesh = editor.mesh_of(editor.session.state.obj_id(one.thing))
            farthest = max(farthest, float(one.pose.apply(mesh.center_m)[2]))
            size = max(size, mesh.diameter)
        # In powers of two, so that the photograph stays where it is while an object is moved.
        return float(2.0 ** np.ceil(np.log2(farthest + _BEHIND * size)))

    def _draw_photograph(self) -> None:
        editor = self._editor
        key = (editor.session.state.im_id, self._distance())
        if self._nodes.get("photograph of") == key:
            return
        plane = Plane.of(editor.view, key[1], longest=2560)
        assert plane is not None  # pictures without photograph and depth are refused when they are read
        self._server.scene.add_image(
            "/photograph", plane.picture, plane.width_m, plane.height_m, position=plane.middle_m, cast_shadow=False,
            receive_shadow=False, jpeg_quality=92,
        )  # fmt: skip
        self._nodes["photograph of"] = key

    def _draw(self, name: str, one: Placement) -> None:
        editor, state = self._editor, self._editor.session.state
        mesh, selected = editor.mesh_of(state.obj_id(one.thing)), one.thing == state.selected
        clear = bool(self._see_through.value)
        looks = (selected, clear, state.obj_id(one.thing), selected and self._mode)
        if self._drawn.get(name, ())[:4] != looks:
            self._forget(name)
            self._drawn[name] = (*looks, self._make(name, mesh, one, selected=selected, clear=clear))
        parent = self._drawn[name][4][0]
        parent.wxyz, parent.position = one.pose.wxyz, one.pose.apply(mesh.center_m)

    def _make(self, name: str, mesh: Mesh, one: Placement, *, selected: bool, clear: bool) -> list[Any]:
        """A frame in the object's middle, with the model in it; of the selected one, the frame can be dragged."""
        scene, place = self._server.scene, {"wxyz": one.pose.wxyz, "position": one.pose.apply(mesh.center_m)}
        if selected and self._mode == "drag":
            frame = scene.add_transform_controls(name, scale=_GIZMO * mesh.diameter, depth_test=False, **place)
            frame.on_update(self._dragged)
        else:
            frame = scene.add_frame(name, show_axes=False, **place)
        light = light_mesh(mesh)
        inside = {"position": -mesh.center_m, "cast_shadow": False, "receive_shadow": False}
        if light.has_color and not clear:
            model = scene.add_mesh_trimesh(f"{name}/model", colored(light), **inside)
        else:
            color = _SELECTED if selected else _OTHER
            model = scene.add_mesh_simple(
                f"{name}/model", np.asarray(light.vertices_m, np.float32), np.asarray(light.faces, np.uint32),
                color=color, opacity=_CLEAR if clear else None, side="double", **inside,
            )  # fmt: skip
        if not selected:
            model.on_click(lambda _: self.do(lambda: self._editor.select(one.thing)))
        return [frame, model]

    def _forget(self, name: str) -> None:
        if name in self._drawn:
            for handle in reversed(self._drawn.pop(name)[4]):
                handle.remove()

    def _draw_points(self) -> None:
        """The points that were clicked on the model, where it stands now."""
        pairs, current = self._editor.pairs, self._editor.session.state.current
        for handle in self._nodes.pop("points", ()):
            handle.remove()
        if current is None or not pairs.points_m:
            return
        points = np.asarray(current.pose.apply(np.array(pairs.points_m)), np.float32)
        size = 0.02 * self._editor.mesh.diameter
        self._nodes["points"] = [
            self._server.scene.add_point_cloud(
                "/points", points, (255, 40, 40), point_size=size, point_shape="circle", precision="float32"
            )
        ]

    def _fill(self, placed: tuple[Placement, ...]) -> None:
        """The panel's fields; what they were set to by this is no wish of the user's."""
        editor, state = self._editor, self._editor.session.state
        number = editor.session.pictures.index(state.im_id) + 1
        count, done = len(editor.session.pictures), sum(one.checked for one in placed)
        self._where.content = as_markdown(
            (f"picture {number} of {count}: {editor.pictures.name(state.im_id)}",
             f"{len(placed)} object{'' if len(placed) == 1 else 's'}, {done} checked")
        )  # fmt: skip
        names = tuple(self._name(one) for one in placed) or ("none",)
        if tuple(self._things.options) != names:
            self._things.options = names
        current = state.current
        self._things.value = names[0] if current is None else self._name(current)
        self._said.content = as_markdown(said_of(current, editor))
        self._checked.value = current is not None and current.checked
        self._ambiguous.value = current is not None and current.ambiguous

    def _name(self, one: Placement) -> str:
        return f"{one.thing}: model {self._editor.name_of(self._editor.session.state.obj_id(one.thing))}"

    def _arrived(self, client: Any) -> None:
        """A browser looks through the camera, and again when its window, or the panel in it, changes its shape."""
        fitted = 0.0

        def follow(camera: Any) -> None:
            nonlocal fitted
            if abs(camera.aspect - fitted) > _OTHER_SHAPE:
                fitted = camera.aspect
                self._look_through(client)

        client.camera.on_update(follow)
        follow(client.camera)

    def _look_through(self, client: Any, *, zoom: bool = False) -> None:
        """Puts the viewer where the camera stood: then the photograph lies exactly behind the models."""
        with self._lock:
            editor, current = self._editor, self._editor.session.state.current
            aim, share = middle_of(editor.camera), 1.0
            if zoom and current is not None:
                aim = current.pose.apply(editor.mesh.center_m)
                share = min(1.0, 2.0 * editor.mesh.diameter * editor.camera.fy / (aim[2] * editor.camera.height))
            with client.atomic():
                client.camera.up_direction = (0.0, -1.0, 0.0)
                client.camera.position = (0.0, 0.0, 0.0)
                client.camera.look_at = tuple(aim / np.linalg.norm(aim))
                client.camera.fov = fitting_fov(editor.camera, client.camera.aspect, share)


def _is_users(event: Any) -> bool:
    """Whether a field was changed in a browser, and not by this program."""
    return event.client_id is not None


def said_of(current: Placement | None, editor: Editor) -> tuple[str, ...]:
    """What is known of the selected pose, in lines."""
    if current is None:
        return ("no object is selected",)
    x, y, z = 1e3 * current.pose.apply(editor.mesh.center_m)
    lines = [f"{_FROM[current.origin]}: middle at ({x:.1f}, {y:.1f}, {z:.1f}) mm"]
    if current.origin == Origin.BEFORE:
        lines.append("not in the files until it is moved, refined or checked")
    if current.confidence is not None:
        lines.append(f"confidence {current.confidence:.2f}")
    if current.sigma_mm is not None and current.sigma_deg is not None:
        lines.append(f"sigma {current.sigma_mm:.2g} mm, {current.sigma_deg:.2g} deg at most")
    return tuple(lines)
