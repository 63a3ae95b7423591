"""Annotation in a real browser, by mouse and keys: what is clicked is saved, and a killed process loses nothing."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.annotate import Annotator
from benchmarks.browser import Page, launched, opened, serving, why_not
from diffdope import Pose, Renderer
from diffdope.scene.packaged import PackagedExample

pytestmark = [
    pytest.mark.skipif(bool(why_not()), reason=f"nothing can be shown here: {why_not()}"),
    pytest.mark.usefixtures("default_signals"),
]


def words(folder: Path, out: Path) -> list[str]:
    return [
        "annotate", "--rgb", str(folder / "rgb"), "--depth", str(folder / "depth"),
        "--mesh", str(folder / "object.ply"),
        "--camera", str(folder / "camera.json"), "--out", str(out),
    ]  # fmt: skip


def scene_of(out: Path) -> Path:
    return out / "annotated" / "000001"


def poses(out: Path, im_id: int) -> list[Pose]:
    path = scene_of(out) / "scene_gt.json"
    entries = json.loads(path.read_text()).get(str(im_id), []) if path.is_file() else []
    return [Pose.from_bop(one["cam_R_m2c"], one["cam_t_m2c"]) for one in entries]


def of_handles(window: NDArray[np.uint8]) -> float:
    """Share of pixels as blue as the handle that moves an object along an axis; the picture (H, W, 3) has none.

    All other pixels change by themselves: a busy browser draws coarser ones.
    """
    red, green, blue = window.astype(int).transpose(2, 0, 1)
    return float(np.mean((blue > red + 60) & (blue > green + 30)))


def until(page: Page, done: Callable[[], bool]) -> None:
    """Waits until something has happened, a minute at most: a picture takes seconds on a busy machine."""
    for _ in range(600):
        if done():
            return
        page.page.wait_for_timeout(100)
    raise AssertionError("it did not happen")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as made:
        yield made


@pytest.fixture
def annotator(example: PackagedExample, browser: Any) -> Iterator[tuple[Page, Annotator]]:
    with opened(1200, 760, browser) as page:
        yield page, Annotator(page, example.observation.camera)


def test_an_object_is_located_nudged_taken_back_and_survives_a_kill(
    folder: Path, tmp_path: Path, example: PackagedExample, annotator: tuple[Page, Annotator]
) -> None:
    page, hand = annotator
    out = tmp_path / "out"
    with serving(*words(folder, out)) as (url, process):
        page.page.goto(url)
        page.settled()
        hand.press("add")
        hand.wait_for("added")
        drawn = Renderer(example.mesh, example.observation.camera).render(example.truth.R_m2c, example.truth.t_m2c)
        rows, columns = np.nonzero(drawn.coverage[0] > 0.5)
        x, y = float(columns.min()), float(rows.min())
        assert "confidence" in hand.locate_in(x - 4, y - 4, float(np.ptp(columns)) + 8, float(np.ptp(rows)) + 8)
        (located,) = poses(out, 3)
        assert 1e3 * located.distance_to(example.truth) < 3.0
        assert np.degrees(located.angle_to(example.truth)) < 2.0

        hand.choose("mouse", "drag")
        canvas = page.page.locator("canvas").first.bounding_box()
        page.page.mouse.click(canvas["x"] + 12, canvas["y"] + canvas["height"] - 120)  # keys go to the scene
        page.page.keyboard.press("l")
        until(page, lambda: abs(poses(out, 3)[0].t_m2c[0] - located.t_m2c[0] - 1e-3) < 1e-9)
        (nudged,) = poses(out, 3)
        page.page.keyboard.press("Shift+U")
        until(page, lambda: np.degrees(poses(out, 3)[0].angle_to(located)) > 0.4)
        for before in (nudged, located):
            page.page.keyboard.press("z")
            until(page, lambda before=before: np.array_equal(poses(out, 3)[0].matrix, before.matrix))  # type: ignore[misc]
        for go, away_m in ((100, 1e-3), (-100, 0.0)):  # a notch of the wheel is a step away, or nearer
            page.page.mouse.wheel(0, go)
            z = located.t_m2c[2] + away_m
            until(page, lambda z=z: abs(poses(out, 3)[0].t_m2c[2] - z) < 1e-9)  # type: ignore[misc]
            page.page.wait_for_timeout(600)
        page.page.keyboard.press("ArrowDown")
        until(page, lambda: abs(poses(out, 3)[0].t_m2c[1] - located.t_m2c[1] - 1e-3) < 1e-9)
        page.page.keyboard.press("z")
        page.settled()
        held = page.page.locator("canvas").first
        assert held.bounding_box() == canvas
        hand.tick("checked")
        until(page, lambda: '"checked": true' in (scene_of(out) / "annotation.json").read_text())
        assert not page.errors
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)

    with serving(*words(folder, out)) as (url, process):
        page.page.goto(url)
        page.page.get_by_text("1 object, 1 checked").first.wait_for()
        hand.press("next")
        hand.wait_for("begins with the poses of the picture before")
        assert poses(out, 4) == [] and np.array_equal(poses(out, 3)[0].matrix, located.matrix)
        hand.press("refine")
        hand.wait_for("refined:")
        until(page, lambda: len(poses(out, 4)) == 1)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        assert process.returncode == 0
    masks = sorted(path.name for path in (scene_of(out) / "mask_visib").iterdir())
    assert masks == ["000003_000000.png", "000004_000000.png"]


def test_a_stopped_service_leaves_no_lock_and_the_next_run_takes_back(
    folder: Path, tmp_path: Path, annotator: tuple[Page, Annotator]
) -> None:
    page, hand = annotator
    out = tmp_path / "out"
    lock = scene_of(out) / "annotation.json.lock"
    with serving(*words(folder, out)) as (url, process):
        page.page.goto(url)
        page.settled()
        hand.press("add")
        hand.wait_for("added")
        (added,) = poses(out, 3)
        hand.press("add")
        hand.wait_for("added")
        until(page, lambda: len(poses(out, 3)) == 2)
        assert lock.exists()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        assert process.returncode == 0 and not lock.exists()
    assert len(list((scene_of(out) / "mask_visib").iterdir())) == 2  # they were written before it ended
    with serving(*words(folder, out)) as (url, process):
        page.page.goto(url)
        page.page.get_by_text("2 objects").first.wait_for()
        hand.press("undo")
        until(page, lambda: len(poses(out, 3)) == 1)
        assert np.array_equal(poses(out, 3)[0].matrix, added.matrix)
        hand.press("redo")
        until(page, lambda: len(poses(out, 3)) == 2)


def test_the_gizmo_moves_the_object_along_its_axis(
    folder: Path, tmp_path: Path, example: PackagedExample, annotator: tuple[Page, Annotator]
) -> None:
    page, hand = annotator
    out = tmp_path / "out"
    with serving(*words(folder, out)) as (url, _):
        page.page.goto(url)
        page.settled()
        hand.press("add")
        hand.wait_for("added")
        page.settled()
        (before,) = poses(out, 3)
        middle = before.apply(example.mesh.center_m)
        along = before.R_m2c @ [0.6 * 0.75 * example.mesh.diameter, 0.0, 0.0]  # on the arrow of x
        end = middle + along
        camera = example.observation.camera
        u, v = (float(part) for part in camera.project(end))
        mouse = page.page.mouse
        start, stop = hand.screen(u, v), hand.screen(u + 60.0, v)
        mouse.move(*start)
        page.page.wait_for_timeout(500)
        mouse.down()
        for share in np.linspace(0.2, 1.0, 5):
            mouse.move(start[0] + share * (stop[0] - start[0]), start[1] + share * (stop[1] - start[1]))
            page.page.wait_for_timeout(200)
        mouse.up()
        until(page, lambda: poses(out, 3)[0].distance_to(before) > 0.01)
        page.page.wait_for_timeout(500)
        (after,) = poses(out, 3)
        moved = before.R_m2c.T @ (after.t_m2c - before.t_m2c)
        assert after.angle_to(before) < 1e-6
        assert abs(moved[1]) + abs(moved[2]) < 1e-6 < moved[0]
        assert moved[0] == pytest.approx(60.0 / camera.fx * middle[2], rel=0.35)
        hand.press("undo")
        until(page, lambda: np.array_equal(poses(out, 3)[0].matrix, before.matrix))  # one drag is one step
        assert not page.errors


def test_points_are_clicked_on_model_and_photograph(
    folder: Path, tmp_path: Path, example: PackagedExample, annotator: tuple[Page, Annotator]
) -> None:
    page, hand = annotator
    out, camera, mesh = tmp_path / "out", example.observation.camera, example.mesh
    with serving(*words(folder, out)) as (url, _):
        page.page.goto(url)
        page.settled()
        hand.press("add")
        hand.wait_for("added")
        hand.choose("mouse", "points")
        hand.wait_for("click a point on the model")
        hand.wait_for_clicks()
        (standing,) = poses(out, 3)
        depth = Renderer(mesh, camera).render(standing.R_m2c, standing.t_m2c).depth[0]
        rows, columns = np.nonzero(depth > 0)
        for number, k in enumerate(np.linspace(0, len(rows) - 1, 8).astype(int)[1:-1], 1):
            u, v = int(columns[k]), int(rows[k])
            x_c = depth[v, u] * np.array([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, 1.0])
            seen = camera.project(example.truth.apply(standing.inverse().apply(x_c)))
            hand.click(u, v)
            hand.wait_for(f"point {number}: now click it")
            hand.click(float(seen[0]), float(seen[1]))
            hand.wait_for(f"{number} of at least" if number < 4 else f"{number} pairs")
        hand.press("solve")
        said = hand.wait_for("solved:")
        assert float(said.split()[1]) < 2.0
        (solved,) = poses(out, 3)
        off = 1e3 * np.linalg.norm(solved.apply(mesh.center_m) - example.truth.apply(mesh.center_m))
        assert off < 25.0 or "fit as well" in said
        assert not page.errors


def test_keys_compare_box_and_go_on(
    folder: Path, tmp_path: Path, example: PackagedExample, annotator: tuple[Page, Annotator]
) -> None:
    page, hand = annotator
    out = tmp_path / "out"
    with serving(*words(folder, out)) as (url, _):
        page.page.goto(url)
        page.settled()
        hand.press("add")
        hand.wait_for("added")
        canvas = page.page.locator("canvas").first.bounding_box()
        page.page.mouse.click(canvas["x"] + 12, canvas["y"] + canvas["height"] - 120)  # keys go to the scene
        left = np.s_[160 : int(canvas["height"]) - 160, 20 : int(canvas["width"]) - 20]  # beside hints and the panel
        until(page, lambda: of_handles(page.pixels()[left]) > 1e-3)
        page.page.keyboard.press("h")
        until(page, lambda: of_handles(page.pixels()[left]) < 1e-5)
        page.page.keyboard.press("h")
        until(page, lambda: of_handles(page.pixels()[left]) > 1e-3)
        page.page.keyboard.press("x")
        page.page.get_by_text("1 of 3 pictures done").first.wait_for()
        page.page.keyboard.press("m")
        hand.wait_for("begins with the poses of the picture before")
        page.page.get_by_text("picture 2 of 3").first.wait_for()
        page.page.keyboard.press("b")
        hand.wait_for("drag a box around the object")
        page.page.keyboard.press("Delete")
        hand.wait_for("removed")
        assert len(poses(out, 3)) == 1 and poses(out, 4) == []
        assert not page.errors
