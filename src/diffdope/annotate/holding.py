"""Where the annotator's view stands: in the camera's place, where the photograph lies exactly behind the models."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.annotate.editor import Editor
from diffdope.annotate.seeing import fitting_fov, middle_of

F64 = NDArray[np.float64]

_OTHER_SHAPE = 1e-3  # of the screen's width by its height
_QUIET_S = 0.15  # without a further move: then the view is put back, or the wheel has stopped
_AWAY = 1e-4  # of the distance looked at
_ASIDE = 0.02  # of a move, beyond which it is no wheel's
_NOTCH = 1.0 / 0.95  # by which viser's camera goes away with one notch of the wheel, and comes back


class HeldView:
    """Puts browsers into the camera's place, and back there when they leave it, while the view is held.

    viser tells of no wheel. While the view is held, it is read off the way that the view was moved: along the line of
    sight, by so many notches.

    Args:
        editor: of the picture.
        wheel: takes notches; above 0 is away.
    """

    def __init__(self, editor: Editor, wheel: Callable[[int], None]) -> None:
        self._editor, self._wheel = editor, wheel
        self.held = True
        self._aims: dict[int, tuple[F64, float]] = {}
        self._timers: dict[int, threading.Timer] = {}

    def arrived(self, client: Any) -> None:
        """A new browser looks through the camera, and again when its window, or the panel in it, changes its shape."""
        fitted = 0.0

        def moved(camera: Any) -> None:
            nonlocal fitted
            if abs(camera.aspect - fitted) > _OTHER_SHAPE:
                fitted = camera.aspect
                self.look_through(client)
            elif self.held:
                self._later(client)

        client.camera.on_update(moved)
        moved(client.camera)

    def left(self, client: Any) -> None:
        """Forgets a browser."""
        timer = self._timers.pop(client.client_id, None)
        if timer is not None:
            timer.cancel()
        self._aims.pop(client.client_id, None)

    def look_through(self, client: Any, *, zoom: bool = False) -> None:
        """Puts a browser into the camera's place.

        Args:
            client: of viser.
            zoom: on the selected object, where there is one.
        """
        editor, current = self._editor, self._editor.session.state.current
        aim, share = middle_of(editor.camera), 1.0
        if zoom and current is not None:
            aim = current.pose.apply(editor.mesh.center_m)
            share = min(1.0, 2.0 * editor.mesh.diameter * editor.camera.fy / (aim[2] * editor.camera.height))
        aim = aim / np.linalg.norm(aim)
        self._aims[client.client_id] = (aim, fitting_fov(editor.camera, client.camera.aspect, share))
        self._put(client)

    def _put(self, client: Any) -> None:
        aim, fov = self._aims[client.client_id]
        with client.atomic():
            client.camera.up_direction = (0.0, -1.0, 0.0)
            client.camera.position = (0.0, 0.0, 0.0)
            client.camera.look_at = tuple(aim)
            client.camera.fov = fov

    def _later(self, client: Any) -> None:
        """Looks again when the view has come to rest."""
        old = self._timers.get(client.client_id)
        if old is not None:
            old.cancel()
        timer = self._timers[client.client_id] = threading.Timer(_QUIET_S, self._rested, [client])
        timer.daemon = True
        timer.start()

    def _rested(self, client: Any) -> None:
        if client.client_id not in self._aims or not self.held:
            return
        aim, _ = self._aims[client.client_id]
        position, looked_at = np.array(client.camera.position), np.array(client.camera.look_at)
        if np.linalg.norm(position) < _AWAY and np.linalg.norm(looked_at - aim) < _AWAY:
            return
        notches = notches_of(position, looked_at, aim)
        self._put(client)
        if notches:
            self._wheel(notches)


def notches_of(position: F64, looked_at: F64, aim: F64) -> int:
    """By how many notches of the wheel a view went away (above 0) or came nearer; 0 for other moves.

    Args:
        position: (3,) of the view, which was at the origin.
        looked_at: (3,) what it turns about.
        aim: (3,) what it turned about before, of length 1.
    """
    if np.linalg.norm(looked_at - aim) > _AWAY:
        return 0
    along = float(position @ aim)
    if np.linalg.norm(position - along * aim) > _ASIDE * max(abs(along), _AWAY) or along >= 1.0:
        return 0
    return round(float(np.log(1.0 - along) / np.log(_NOTCH)))
