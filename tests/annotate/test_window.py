"""The window without a browser: what viser is told, and what its events do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from diffdope import Mesh, Pose
from diffdope.annotate.editor import Editor
from diffdope.annotate.pictures import FolderPictures
from diffdope.annotate.session import Session
from diffdope.annotate.state import Annotations, Origin
from diffdope.scene.packaged import PackagedExample
from tests.annotate.conftest import FakeSnapper

pytest.importorskip("viser", reason="the extra `viewer` is not installed")

from diffdope.annotate.window import AnnotationWindow


@pytest.fixture(params=["colours, photograph and depth", "no colours, depth alone"])
def window(request: pytest.FixtureRequest, folder: Path, example: PackagedExample) -> Iterator[AnnotationWindow]:
    mesh, kinds = example.mesh, ("rgb", "depth")
    if request.param.startswith("no colours"):
        mesh, kinds = Mesh(mesh.vertices_m, mesh.faces), ("depth",)
    pictures = FolderPictures({kind: folder / kind for kind in kinds}, folder / "camera.json")
    made = AnnotationWindow(Editor(Session(pictures.ids, [1]), pictures, lambda _: mesh, FakeSnapper()))
    try:
        yield made
    finally:
        made.stop()


def said(window: AnnotationWindow) -> str:
    return str(window._panel._message.content)


def gizmo(window: AnnotationWindow) -> Any:
    return window._drawing._drawn["/things/1"][1][0]


def test_what_changed_is_said_to_be_saved(window: AnnotationWindow) -> None:
    editor = window._editor
    window.do(lambda: editor.add(1))
    assert said(window).rstrip().endswith("saved")
    window.do(lambda: editor.nudge("right", 5.0))
    assert "saved" in said(window)
    window.do(lambda: editor.session.undo() and None)
    assert said(window).strip() == "saved"
    window.do(lambda: "nothing was done")
    assert "saved" not in said(window)


def test_several_windows_are_told(window: AnnotationWindow) -> None:
    line = window._panel._windows
    window._view.arrived = window._view.left = lambda client: None  # type: ignore[method-assign,assignment]
    for number, count in ((1, 1), (2, 2), (3, 3)):
        window._arrived(SimpleNamespace(client_id=number))
        assert line.visible == (count > 1)
    assert "3 windows show this session" in line.content
    window._left(SimpleNamespace(client_id=2))
    window._left(SimpleNamespace(client_id=1))
    assert not line.visible


def test_each_command_is_drawn_and_said(window: AnnotationWindow) -> None:
    editor = window._editor
    assert "add an object" in said(window)
    window.do(lambda: editor.add(1))
    assert "1 added" in said(window)
    current = editor.session.state.current
    assert current is not None
    assert np.allclose(gizmo(window).position, current.pose.apply(editor.mesh.center_m))
    window.do(lambda: editor.nudge("right", 5.0))
    assert np.allclose(gizmo(window).position - current.pose.apply(editor.mesh.center_m), [0.005, 0.0, 0.0])
    window.do(editor.refine, "refining ...")
    assert "refined: said" in said(window) and "sigma 0.4 mm" in window._panel._said.content
    window.do(editor.remove)
    assert not window._drawing._drawn and "no object" in window._panel._said.content
    window.do(editor.refine)
    assert "one that is selected" in said(window)


def test_a_drag_is_saved_and_is_one_step(window: AnnotationWindow) -> None:
    editor = window._editor
    window.do(lambda: editor.add(1))
    before = editor.session.state
    handle = gizmo(window)
    for phase, shift in (("start", 0.0), ("update", 0.01), ("update", 0.02), ("end", 0.03)):
        handle.position = before.current.pose.apply(editor.mesh.center_m) + np.array([shift, 0.0, 0.0])  # type: ignore[union-attr]
        window._dragged(SimpleNamespace(phase=phase, target=handle))
    current = editor.session.state.current
    assert current is not None
    assert current.pose.t_m2c[0] - before.current.pose.t_m2c[0] == pytest.approx(0.03)  # type: ignore[union-attr]
    editor.session.undo()
    assert editor.session.state is before


def test_a_gizmo_that_is_pressed_and_let_go_moves_nothing(window: AnnotationWindow, example: PackagedExample) -> None:
    editor = window._editor
    window.do(lambda: editor.add(1))
    located = Pose(example.truth.R_m2c, example.truth.t_m2c)
    window.do(lambda: editor.session.move(located, Origin.LOCATED, confidence=0.9))
    before, handle = editor.session.state, gizmo(window)
    handle.position, handle.wxyz = (np.asarray(one, np.float32) for one in (handle.position, handle.wxyz))
    for phase in ("start", "update", "end"):
        window._dragged(SimpleNamespace(phase=phase, target=handle))
    assert editor.session.state is before and "not moved" in said(window)
    shifted = handle.position + np.array([1e-5, 0.0, 0.0])
    for phase, place in (("start", handle.position), ("update", shifted), ("end", shifted)):
        handle.position = place
        window._dragged(SimpleNamespace(phase=phase, target=handle))
        window._dragged_at = 0.0
    assert editor.session.state is not before and "dragged; saved" in said(window)


def test_a_drag_that_another_window_turned_the_page_of_moves_nothing(window: AnnotationWindow) -> None:
    editor = window._editor
    window.do(lambda: editor.add(1))
    handle = gizmo(window)

    def drag(phase: str, x_m: float) -> None:
        handle.position = np.array([x_m, 0.0, 0.7])
        window._dragged(SimpleNamespace(phase=phase, target=handle))

    drag("start", 0.0)
    drag("update", 0.01)
    window.do(lambda: editor.go(1))
    before = editor.session.state
    drag("update", 0.02)
    drag("end", 0.03)
    assert editor.session.state is before and "that drag is lost" in said(window)
    current = before.current
    assert current is not None
    assert np.allclose(gizmo(window).position, current.pose.apply(editor.mesh.center_m))  # it is drawn where it was
    handle = gizmo(window)
    drag("start", 0.0)
    drag("end", 0.05)
    assert editor.session.state is not before and "dragged; saved" in said(window)


def test_clicks_mean_what_the_mode_says(window: AnnotationWindow) -> None:
    editor = window._editor
    window.do(lambda: editor.add(1))
    assert editor.session.state.current is not None
    ahead = editor.session.state.current.pose.apply(editor.mesh.center_m)
    click = SimpleNamespace(ray_origin=(0.0, 0.0, 0.0), ray_direction=tuple(ahead))
    window.use_mouse("points")
    assert not hasattr(gizmo(window), "on_update")  # a plain frame: clicks go to the model
    window._clicked(click)
    assert "now click it on the photograph" in said(window) and len(window._drawing._points) == 1
    window._clicked(SimpleNamespace(ray_origin=(0.0, 0.0, 0.0), ray_direction=(9.0, 0.0, 1.0)))
    assert "beside the photograph" in said(window)
    window._clicked(click)
    assert "1 of at least 4" in said(window)
    window.use_mouse("put")
    aside = SimpleNamespace(ray_origin=(0.0, 0.0, 0.0), ray_direction=(0.1, 0.05, 1.0))
    window._clicked(aside)
    x, y, z = editor.session.state.current.pose.apply(editor.mesh.center_m)
    assert (x / z, y / z) == (pytest.approx(0.1), pytest.approx(0.05))
    window.use_mouse("drag")
    assert hasattr(gizmo(window), "on_update")


def test_a_box_on_the_screen_is_one_in_the_photograph(window: AnnotationWindow) -> None:
    editor = window._editor
    window.do(lambda: editor.add(1))
    camera = editor.camera
    half = 240.0 / camera.fy  # the screen shows the photograph's rays about the optical axis
    client = SimpleNamespace(
        camera=SimpleNamespace(
            wxyz=(1.0, 0.0, 0.0, 0.0), position=(0.0, 0.0, 0.0), fov=2 * np.arctan(half), aspect=4 / 3
        )
    )
    window.use_mouse("box")
    window._boxed(SimpleNamespace(client=client, screen_min=(0.5, 0.5), screen_max=(0.6, 0.75)))
    snapper = editor._snapper
    assert isinstance(snapper, FakeSnapper)
    box = snapper.asked[-1][2]
    assert box == pytest.approx((camera.cx, camera.cy, 64.0, 120.0), abs=0.5)
    window._boxed(SimpleNamespace(client=client, screen_min=(0.5, 0.5), screen_max=(0.5, 0.5)))
    assert "beside" in said(window)


def test_a_full_disk_is_said_and_changes_nothing(folder: Path, example: PackagedExample) -> None:
    full = False

    def save(state: Annotations) -> None:
        if full:
            raise OSError(28, "No space left on device", "annotation.json")

    pictures = FolderPictures({"rgb": folder / "rgb"}, folder / "camera.json")
    window = AnnotationWindow(
        Editor(Session(pictures.ids, [1], saved=save), pictures, lambda _: example.mesh, FakeSnapper())
    )
    try:
        window.do(lambda: window._editor.add(1))
        before, full = window._editor.session.state, True
        window.do(lambda: window._editor.nudge("up", 1.0))
        assert "NOT SAVED: No space left on device" in said(window).replace("\\", "")
        handle = gizmo(window)
        handle.position = (0.1, 0.1, 0.9)
        window._dragged(SimpleNamespace(phase="end", target=handle))
        assert "NOT SAVED" in said(window) and window._editor.session.state is before
        assert before.current is not None
        assert np.allclose(handle.position, before.current.pose.apply(example.mesh.center_m))  # it is back
    finally:
        window.stop()


def test_marks_that_the_program_itself_sets_are_no_wishes(window: AnnotationWindow, example: PackagedExample) -> None:
    editor = window._editor
    window.do(lambda: editor.add(1))
    window.do(lambda: editor.session.mark(checked=True))
    assert window._panel._checked.value
    window.do(lambda: editor.session.move(Pose(example.truth.R_m2c, example.truth.t_m2c)))
    assert not window._panel._checked.value and not editor.session.state.current.checked  # type: ignore[union-attr]
    window._panel._mark(SimpleNamespace(client_id=None), checked=True)
    assert not editor.session.state.current.checked  # type: ignore[union-attr]
    window._panel._mark(SimpleNamespace(client_id=0), checked=True)
    assert editor.session.state.current.checked  # type: ignore[union-attr]


def test_models_are_hidden_and_shown(window: AnnotationWindow) -> None:
    editor, panel = window._editor, window._panel
    window.do(lambda: editor.add(1))
    assert gizmo(window).visible
    panel._hide.value = True
    assert not gizmo(window).visible
    window.do(lambda: editor.nudge("right", 5.0))
    assert not gizmo(window).visible
    panel._hide.value = False
    assert gizmo(window).visible


def test_a_number_goes_to_its_picture(window: AnnotationWindow) -> None:
    editor, panel = window._editor, window._panel
    window.do(lambda: editor.add(1))
    panel._number.value = 3  # the program's own change is no wish
    assert editor.session.state.im_id == 3
    panel._go_to(SimpleNamespace(client_id=0))
    assert editor.session.state.im_id == 7 and "picture 3 of 3" in panel._where.content
    window.do(lambda: editor.go(-1))
    assert panel._number.value == 2
    assert "0 of 3 pictures done" in panel._where.content


def test_solving_is_offered_while_points_are_clicked(window: AnnotationWindow) -> None:
    panel = window._panel
    shown = []
    for mode in ("points", "box", "points", "drag"):
        panel._mouse.value = mode
        shown.append([window._mode, panel._pairs.visible])
    assert shown == [["points", True], ["box", False], ["points", True], ["drag", False]]
