"""What clicks, keys and buttons do to poses, without a screen."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from diffdope import Pose, Renderer
from diffdope.annotate.editor import Editor
from diffdope.annotate.pictures import FolderPictures
from diffdope.annotate.session import Session
from diffdope.annotate.snap import Snapper
from diffdope.annotate.state import Origin
from diffdope.errors import DiffDopeError
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import Status, nothing_compared
from diffdope.scene.packaged import PackagedExample
from tests.annotate.conftest import FakeSnapper


def pose(editor: Editor) -> Pose:
    current = editor.session.state.current
    assert current is not None
    return current.pose


def place(editor: Editor) -> tuple[float, float]:
    u, v = editor.camera.project(pose(editor).apply(editor.mesh.center_m))
    return float(u), float(v)


def test_a_new_object_stands_upright_where_it_was_clicked_at_the_measured_depth(editor: Editor) -> None:
    words = editor.add(1, (300.0, 330.0))
    assert "1 carton added" in words
    assert place(editor) == pytest.approx((300.0, 330.0))
    up = pose(editor).R_m2c @ [0.0, 0.0, 1.0]
    assert np.allclose(up, [0.0, -1.0, 0.0])
    measured = float(np.median(editor.view.depth[326:335, 296:305]))  # type: ignore[index]
    front = pose(editor).apply(editor.mesh.vertices_m)[:, 2].min()
    assert front == pytest.approx(measured, abs=0.01)


def test_without_depth_a_new_object_is_a_quarter_of_the_picture(editor: Editor) -> None:
    editor.go(1)
    editor.go(1)
    editor.add(1, (300.0, 250.0))
    z = pose(editor).apply(editor.mesh.center_m)[2]
    assert editor.camera.fy * editor.mesh.diameter / z == pytest.approx(0.25 * editor.camera.height)


def test_putting_keeps_the_rotation(editor: Editor) -> None:
    editor.add(1)
    editor.turn("y", 30.0)
    R = pose(editor).R_m2c
    editor.put((250.0, 300.0))
    assert np.array_equal(pose(editor).R_m2c, R) and place(editor) == pytest.approx((250.0, 300.0))


def test_nudges_move_along_the_camera_and_turns_keep_the_middle(editor: Editor) -> None:
    editor.add(1)
    middle = pose(editor).apply(editor.mesh.center_m)
    for direction, along in (("right", [1, 0, 0]), ("down", [0, 1, 0]), ("farther", [0, 0, 1])):
        before = pose(editor)
        editor.nudge(direction, 2.0)
        assert np.allclose(pose(editor).t_m2c - before.t_m2c, 0.002 * np.array(along))
        back = {"right": "left", "down": "up", "farther": "nearer"}[direction]
        editor.nudge(back, 2.0)
    editor.turn("x", 40.0)
    editor.turn("z", -15.0)
    assert np.allclose(pose(editor).apply(editor.mesh.center_m), middle)
    with pytest.raises(DiffDopeError, match="direction"):
        editor.nudge("sideways", 1.0)


def test_snapping_takes_the_pose_with_what_is_known_of_it(editor: Editor, example: PackagedExample) -> None:
    snapper = editor._snapper
    assert isinstance(snapper, FakeSnapper)
    snapper.answer = example.truth
    editor.add(1)
    assert editor.locate((10.0, 20.0, 30.0, 40.0)) == "located: said"
    current = editor.session.state.current
    assert current is not None and current.pose is example.truth and current.origin == Origin.LOCATED
    assert (current.confidence, current.sigma_mm, current.sigma_deg, current.ambiguous) == (0.9, 0.4, 0.2, True)
    assert snapper.asked[-1] == ("locate", 1, (10.0, 20.0, 30.0, 40.0))
    before = editor.session.state
    snapper.answer = None
    assert editor.refine() == "refined: said"
    assert editor.session.state is before  # nothing could be compared


def test_the_real_snapper_finds_the_carton(editor: Editor, example: PackagedExample) -> None:
    real = Editor(editor.session, editor.pictures, editor.mesh_of, Snapper(editor.mesh_of))
    real.add(1)
    shown = Renderer(example.mesh, real.camera).render(example.truth.R_m2c, example.truth.t_m2c).coverage[0] > 0.5
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    box = (float(columns[0]) - 5, float(rows[0]) - 5, float(np.ptp(columns)) + 10, float(np.ptp(rows)) + 10)
    words = real.locate(box)
    assert words.startswith("located: ") and "confidence" in words and "sigma" in words
    words = real.refine()
    current = real.session.state.current
    assert current is not None and current.origin == Origin.REFINED
    assert 1e3 * current.pose.distance_to(example.truth) < 2.0
    assert np.degrees(current.pose.angle_to(example.truth)) < 1.0
    assert current.sigma_mm is not None and 0.0 < current.sigma_mm < 5.0


@pytest.mark.parametrize(("confidence", "words"), [(0.04, "refined, not convincing: "), (0.96, "refined: ")])
def test_a_pose_that_came_to_rest_but_does_not_convince_is_called_so(
    editor: Editor, example: PackagedExample, confidence: float, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Snapper(editor.mesh_of)
    ended = nothing_compared(example.start, Status.CONVERGED, "came to rest")
    monkeypatch.setattr(Refiner, "refine", lambda *_: replace(ended, confidence=confidence))
    snapped = real.refine(example.observation, 1, example.start)
    assert snapped.words.startswith(f"{words}converged, confidence {confidence}")


def test_a_photograph_may_lack_its_depth(folder: Path) -> None:
    lacking = sorted((folder / "depth").iterdir())[-1]
    lacking.unlink()
    pictures = FolderPictures({"rgb": folder / "rgb", "depth": folder / "depth"}, folder / "camera.json")
    assert pictures.observation(pictures.ids[0]).depth is not None
    assert pictures.observation(pictures.ids[-1]).depth is None


def test_clicked_pairs_give_the_pose(editor: Editor, example: PackagedExample) -> None:
    """As a user does it: a point of the model where it stands, wrong as it is, then the pixel that shows it."""
    editor.add(1)
    depth = Renderer(example.mesh, editor.camera).render(pose(editor).R_m2c, pose(editor).t_m2c).depth[0]
    rows, columns = np.nonzero(depth > 0)
    for k in np.linspace(0, len(rows) - 1, 9).astype(int)[1:-1]:
        u, v = float(columns[k]), float(rows[k])
        ray = np.array([(u - editor.camera.cx) / editor.camera.fx, (v - editor.camera.cy) / editor.camera.fy, 1.0])
        assert "now click it" in editor.pick_on_model([0.0, 0.0, 0.0], ray)
        seen = editor.camera.project(example.truth.apply(editor.pairs.points_m[-1]))
        editor.pick_on_photograph((float(seen[0]), float(seen[1])))
    words = editor.solve()
    assert words.startswith("solved: 0.0 px left")
    current = editor.session.state.current
    assert current is not None and current.origin == Origin.POINTS
    poses = [current.pose]
    if "fit as well" not in words:
        assert min(np.degrees(one.angle_to(example.truth)) for one in poses) < 0.1
    assert not editor.pairs.points_m


def test_clicks_in_the_wrong_order_are_told(editor: Editor) -> None:
    editor.add(1)
    assert "on the model first" in editor.pick_on_photograph((3.0, 4.0))
    assert "beside the model" in editor.pick_on_model([0.0, 0.0, 0.0], [1.0, 0.0, 0.2])
    ahead = pose(editor).apply(editor.mesh.center_m)
    editor.pick_on_model([0.0, 0.0, 0.0], ahead)
    assert "taken again" in editor.pick_on_model([0.0, 0.0, 0.0], ahead)
    assert editor.drop_pair() == "0 pairs left" and not editor.pairs.points_m
    editor.pick_on_model([0.0, 0.0, 0.0], ahead)
    assert "1 of at least 4" in editor.pick_on_photograph((3.0, 4.0))
    with pytest.raises(DiffDopeError, match="at least 4 points, got 1"):
        editor.solve()
    assert len(editor.pairs.pixels) == 1  # they stay
    editor.go(1)
    assert not editor.pairs.points_m


def test_a_wrong_pair_is_suspected(editor: Editor, rng: np.random.Generator) -> None:
    editor.add(1)
    vertices = editor.mesh.vertices_m[rng.permutation(len(editor.mesh.vertices_m))[:6]]
    editor.pairs.points_m = list(vertices)
    pixels = np.stack(editor.camera.project(pose(editor).apply(vertices)), axis=1)
    pixels[0] += [40.0, -30.0]
    editor.pairs.pixels = [(float(u), float(v)) for u, v in pixels]
    assert "one of the pairs is wrong" in editor.solve()


def test_pictures_are_read_when_they_are_looked_at(editor: Editor) -> None:
    first = editor.view
    assert editor.view is first and editor.view.modalities == ("rgb", "depth")
    editor.add(1)
    assert "begins with the poses of the picture before" in editor.go(1)
    assert editor.view is not first
    editor.go(1)
    assert editor.go(1) == "there is no further picture"
    assert editor.go(-1) == "begins with the poses of the picture before: refine them"


@pytest.mark.parametrize("command", ["refine", "locate", "remove"])
def test_commands_on_no_object_are_refused(editor: Editor, command: str) -> None:
    with pytest.raises(DiffDopeError, match="one that is selected"):
        getattr(editor, command)()


def photographs_alone(folder: Path, example: PackagedExample) -> Editor:
    pictures = FolderPictures({"rgb": folder / "rgb"}, folder / "camera.json")
    alone = Editor(Session(pictures.ids, [1]), pictures, lambda _: example.mesh, Snapper(lambda _: example.mesh))
    alone.add(1)
    return alone


def test_an_object_is_found_in_a_box_of_a_photograph(folder: Path, example: PackagedExample) -> None:
    pytest.importorskip("cv2", reason="keypoints are OpenCV's; it is not installed")
    alone = photographs_alone(folder, example)
    assert example.observation.mask_box is not None
    x0, y0, x1, y1 = example.observation.mask_box
    alone.locate((x0, y0, x1 - x0 + 1, y1 - y0 + 1))
    assert np.degrees(pose(alone).angle_to(example.truth)) < 3.0


def test_without_opencv_a_box_of_a_photograph_says_what_to_do(
    folder: Path, example: PackagedExample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(DiffDopeError, match=r"locate: expected a picture with depth, or diffdope\[features\]"):
        photographs_alone(folder, example).locate((200.0, 100.0, 200.0, 300.0))


def test_pictures_are_gone_to_by_number_and_by_what_is_to_do(editor: Editor) -> None:
    session = editor.session
    assert session.state.to_do(session.pictures) == [3, 4, 7]
    editor.add(1)
    editor.look_at(3)
    assert session.state.im_id == 7 and not session.state.within(7)  # nothing is brought along
    with pytest.raises(DiffDopeError, match="picture: expected 1 to 3, got 4"):
        editor.look_at(4)
    editor.look_at(1)
    session.mark(checked=True)
    assert session.state.to_do(session.pictures) == [4, 7]
    assert "begins with the poses" in editor.go_to_do() and session.state.im_id == 4  # the next one goes on
    session.mark(checked=True)
    editor.look_at(1)
    assert editor.go_to_do() == "" and session.state.im_id == 7 and not session.state.within(7)
    assert editor.go_to_do() == "this is the last one to do"
    editor.add(1)
    session.mark(checked=True)
    editor.nudge("left", 1.0)
    assert session.state.to_do(session.pictures) == [7]
    session.mark(checked=True)
    assert editor.go_to_do() == "all pictures are done: every object is checked"


def test_the_next_object_is_selected_in_turns(editor: Editor) -> None:
    assert "there is no object" in editor.select_next()
    for _ in range(3):
        editor.add(1)
    seen = []
    for _ in range(4):
        editor.select_next()
        seen.append(editor.session.state.selected)
    assert seen == [1, 2, 3, 1]
