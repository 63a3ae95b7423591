"""The annotator's window: it hands on what mouse, keys and buttons do, and draws what came of it."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np

from diffdope.annotate.drawing import AnnotatedScene
from diffdope.annotate.editor import Editor
from diffdope.annotate.holding import HeldView
from diffdope.annotate.panel import MODES, Command, Panel
from diffdope.annotate.seeing import box_on, pixel_on, ray_to
from diffdope.errors import DiffDopeError
from diffdope.geometry.pose import Pose
from diffdope.viewer.serving import Served, start_server
from diffdope.viewer.stage import light

_SAVE_EVERY_S = 0.2  # while something is dragged
_MOVED = 1e-6  # of the distance, in metres from 1 on: what a browser's single precision carries, and no hand


class AnnotationWindow(Served):
    """Serves one editor to browsers.

    Args:
        editor: the commands.
        host: address to listen at.
        port: 0 for a free one.

    Raises:
        DiffDopeError: if viser is not installed, or the port is taken.
    """

    def __init__(self, editor: Editor, *, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(start_server(host, port, "diffdope annotate", command="annotate"))
        self._editor = editor
        self._lock = threading.RLock()
        self._mode = next(iter(MODES))
        self._gestures, self._dragged_at = 0, 0.0
        self._drag_of: tuple[int, int | None] | None = None
        self._drag_said = ""
        scene = self._server.scene
        scene.set_up_direction("-y")
        light(scene)
        self._drawing = AnnotatedScene(scene, editor, self._dragged, self._selected)
        self._view = HeldView(editor, self._wheel)
        self._panel = Panel(self._server.gui, editor, self)
        self._clients: set[int] = set()
        self._stopped = False
        self._server.on_client_connect(self._arrived)
        self._server.on_client_disconnect(self._left)
        self.refresh("add an object, or select one")

    def stop(self) -> None:
        """Ends the server."""
        self._stopped = True
        super().stop()

    def tell(self, words: str) -> None:
        """Shows a line."""
        self._panel.tell(words)

    def do(self, command: Command, busy: str = "") -> None:
        """Runs a command and shows what came of it; its mistakes become a line."""
        with self._lock:
            if busy:
                self.tell(busy)
            before = self._editor.session.state
            words = _outcome(command)
            if self._editor.session.state is not before:  # which it is only once it is on the disk
                words = f"{words}; saved" if words else "saved"
            self.refresh(words)

    def refresh(self, words: str = "") -> None:
        """Draws the state of the session."""
        with self._lock, self._server.atomic():
            self._drawing.draw(gizmo=self._mode == "drag", clear=self._panel.clear, hidden=self._panel.hidden)
            self._panel.fill()
            self.tell(words)

    def use_mouse(self, mode: str) -> None:
        """Lets clicks mean something else; viser turns its camera's own mouse off while a box may be dragged."""
        with self._lock:
            self._mode = mode
            scene = self._server.scene
            scene.remove_click_callback()
            scene.remove_rect_select_callback()
            if mode in ("put", "points"):
                scene.on_click()(self._clicked)
            if mode == "box":
                scene.on_rect_select()(self._boxed)
            self.refresh(MODES[mode])

    def look_through(self, client: Any, *, zoom: bool = False) -> None:
        """Puts a browser into the camera's place."""
        self._view.look_through(client, zoom=zoom)

    def hold(self, held: bool) -> None:
        """Keeps browsers there, or lets them go."""
        self._view.held = held
        if held:
            for client in self._server.get_clients().values():
                self._view.look_through(client)

    def _arrived(self, client: Any) -> None:
        self._clients.add(client.client_id)
        self._panel.tell_windows(len(self._clients))
        self._view.arrived(client)

    def _left(self, client: Any) -> None:
        self._clients.discard(client.client_id)
        if not self._stopped:
            self._panel.tell_windows(len(self._clients))
        self._view.left(client)

    def _selected(self, thing: int) -> None:
        self.do(lambda: self._editor.select(thing))

    def _wheel(self, notches: int) -> None:
        direction = "farther" if notches > 0 else "nearer"
        if self._editor.session.state.current is not None:
            self.do(lambda: self._panel.nudge(direction, abs(notches)))

    def _clicked(self, event: Any) -> None:
        origin, direction = np.array(event.ray_origin), np.array(event.ray_direction)
        pixel = pixel_on(self._editor.camera, origin, direction, self._drawing.distance_m())
        if self._mode == "points" and not self._editor.pairs.waiting:
            self.do(lambda: self._editor.pick_on_model(origin, direction))
        elif pixel is None:
            self.tell("that is beside the photograph")
        elif self._mode == "points":
            self.do(lambda: self._editor.pick_on_photograph(pixel))
        else:
            self.do(lambda: self._editor.put(pixel))

    def _boxed(self, event: Any) -> None:
        camera, depth_m = event.client.camera, self._drawing.distance_m()
        corners = []
        for x, y in (event.screen_min, event.screen_max):
            direction = ray_to(x, y, wxyz=camera.wxyz, fov=camera.fov, aspect=camera.aspect)
            corners.append(pixel_on(self._editor.camera, np.asarray(camera.position), direction, depth_m))
        box = box_on(corners)
        if box is None:
            self.tell("that is beside the photograph")
            return
        self.do(lambda: self._editor.locate(box), "locating ...")

    def _dragged(self, event: Any) -> None:
        """The gizmo was moved in the browser, where the model has followed it already."""
        with self._lock:
            state = self._editor.session.state
            if event.phase == "start" or self._drag_of is None:
                self._gestures += 1
                self._drag_said = "not moved"
                self._drag_of = (state.im_id, state.selected)
            elif self._drag_of != (state.im_id, state.selected):  # what is dragged is a pose of what was left
                if event.phase == "end":
                    self._drag_of = None
                    self.refresh("that drag is lost: the picture, or what is selected, was changed meanwhile")
                return
            if event.phase == "update" and time.monotonic() - self._dragged_at < _SAVE_EVERY_S:
                return
            gizmo, middle_m = event.target, self._editor.mesh.center_m
            turned = Pose.from_wxyz_xyz([*gizmo.wxyz, *gizmo.position])
            pose, current = Pose(turned.R_m2c, turned.t_m2c - turned.R_m2c @ middle_m), state.current
            if event.phase != "start" and current is not None and _is_moved(pose, current.pose):
                gesture = f"drag {self._gestures}"
                self._drag_said = _outcome(lambda: self._editor.session.move(pose, gesture=gesture)) or "dragged; saved"
            self._dragged_at = time.monotonic()
            if event.phase == "end":
                self._drag_of = None
                self.refresh(self._drag_said)


def _is_moved(pose: Pose, before: Pose) -> bool:
    """Whether a gizmo was taken anywhere; pressed and let go, it comes back as it was drawn."""
    within = _MOVED * max(1.0, float(np.linalg.norm(before.t_m2c)))
    return not np.allclose(pose.matrix, before.matrix, rtol=0.0, atol=within)


def _outcome(command: Command) -> str:
    """What a command says, or why it failed: its mistakes become a line."""
    try:
        return command() or ""
    except DiffDopeError as error:
        return str(error)
    except OSError as error:
        return f"NOT SAVED: {error.strerror or error} ({error.filename or ''}); the change was taken back"
