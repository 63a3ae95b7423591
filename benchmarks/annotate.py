"""Five objects of a HOPE picture, annotated as a user does, by mouse in a browser: `python -m benchmarks.annotate`.

For each object: choose the model, press 'add', drag a box around it (its bounding box, a few pixels off), which locates
it, press 'refine', mark it 'checked'. Prints seconds and the error of each pose from the truth. People look and think
longer than a script, so what is measured is what the tool itself takes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.browser import Page, opened, serving, why_not
from benchmarks.report import processor, table
from benchmarks.shared_data import DATA
from diffdope import Camera, Pose
from diffdope.annotate.seeing import fitting_fov, middle_of
from diffdope.bop.dataset import DataSet
from diffdope.bop.metrics import add, add_s
from diffdope.bop.scene import Instance

OBJECTS = 5
SCENE, IMAGE = 2, 0
_TRIES, _TRY_MS = 10, 6_000
GOAL_S = 180.0
"""For five objects."""


class Annotator:
    """Drives the window of `diffdope annotate` by mouse, as a person would.

    Args:
        page: with the window.
        camera: of the picture that is shown.
    """

    def __init__(self, page: Page, camera: Camera) -> None:
        self._page, self._camera = page.page, camera

    def screen(self, u: float, v: float) -> tuple[float, float]:
        """Where a pixel of the photograph is on the screen, while it is looked at through the camera."""
        box = self._page.locator("canvas").first.bounding_box()
        aim = middle_of(self._camera)
        z = aim / np.linalg.norm(aim)
        x = np.cross([0.0, 1.0, 0.0], z)
        x /= np.linalg.norm(x)
        ray = np.stack([x, np.cross(z, x), z]) @ [
            (u - self._camera.cx) / self._camera.fx, (v - self._camera.cy) / self._camera.fy, 1.0
        ]  # fmt: skip
        focal = 0.5 * box["height"] / np.tan(0.5 * fitting_fov(self._camera, box["width"] / box["height"]))
        return (
            box["x"] + 0.5 * box["width"] + focal * ray[0] / ray[2],
            box["y"] + 0.5 * box["height"] + focal * ray[1] / ray[2],
        )

    def choose(self, label: str, option: str) -> None:
        """Takes an option of a dropdown."""
        row = self._page.get_by_text(label, exact=True).locator("xpath=ancestor::*[.//input][1]")
        row.locator("input").first.click()
        self._page.get_by_role("option", name=option, exact=True).click()

    def press(self, label: str) -> None:
        """Presses a button."""
        self._page.get_by_role("button", name=label, exact=True).click()

    def tick(self, label: str) -> None:
        """Ticks a box."""
        row = self._page.get_by_text(label, exact=True).locator("xpath=ancestor::*[.//input][1]")
        row.locator("input").first.click()

    def drag_box(self, x: float, y: float, width: float, height: float) -> None:
        """Drags a box of the photograph's pixels, once the window takes it for one."""
        mouse = self._page.mouse
        for _ in range(_TRIES):
            mouse.move(*self.screen(x, y))
            mouse.down()
            mouse.move(*self.screen(x + 0.5 * width, y + 0.5 * height), steps=3)
            if self._has_cursor("crosshair"):
                break
            mouse.up()  # the mouse's new mode had not arrived: the view was dragged, which is put back
        mouse.move(*self.screen(x + width, y + height), steps=3)
        mouse.up()

    def click(self, u: float, v: float) -> None:
        """Clicks a pixel of the photograph."""
        self._page.mouse.click(*self.screen(u, v))

    def wait_for_clicks(self) -> None:
        """Waits until the window takes clicks."""
        box = self._page.locator("canvas").first.bounding_box()
        self._page.mouse.move(box["x"] + 12, box["y"] + box["height"] - 120)  # off objects, where it is a hand always
        if not self._has_cursor("pointer"):
            raise AssertionError("the window takes no clicks")

    def _has_cursor(self, name: str) -> bool:
        """Whether the window shows this cursor within a while, which tells what the mouse does there."""
        from playwright.sync_api import TimeoutError as TooLate

        shows = "name => [...document.querySelectorAll('canvas')].some(one => one.style.cursor === name)"
        with suppress(TooLate):
            self._page.wait_for_function(shows, arg=name, timeout=_TRY_MS)
            return True
        return False

    def wait_for(self, words: str, *, timeout_ms: float = 60_000) -> str:
        """The line that says what came of a command, once it begins with some words."""
        line = self._page.get_by_text(words).first
        line.wait_for(timeout=timeout_ms)
        return str(line.inner_text())

    def locate_in(self, x: float, y: float, width: float, height: float) -> str:
        """Drags a box of the photograph's pixels, in which the object is then located."""
        self.choose("mouse", "box")
        self.wait_for("drag a box")
        self.drag_box(x, y, width, height)
        return self.wait_for("located:")


def annotate(annotator: Annotator, instance: Instance, rng: np.random.Generator) -> str:
    """One object, from the list of models to 'checked'; returns what the window said of it."""
    assert instance.bbox is not None
    box = np.asarray(instance.bbox) + rng.uniform(-4.0, 4.0, 4) + [-3.0, -3.0, 6.0, 6.0]
    annotator.choose("model", str(instance.obj_id))
    annotator.choose("mouse", "drag")
    annotator.press("add")
    annotator.wait_for(f"{instance.obj_id} added")
    located = annotator.locate_in(*box)
    annotator.press("refine")
    refined = annotator.wait_for("refined:")
    annotator.tick("checked")
    return f"{located}; {refined}"


def main() -> None:
    """Prints a table, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=OBJECTS)
    parser.add_argument("--picture", type=Path, help="where a picture of the window at the end is written")
    given = parser.parse_args()
    missing = why_not() or ("" if (DATA / "hope").is_dir() else "there is no ../shared/data/hope")
    if missing:
        raise SystemExit(f"not run: {missing}")
    dataset = DataSet.open(DATA / "hope", "val")
    scene, rng = dataset.scene(SCENE), np.random.default_rng(0)
    textured = {int(path.stem[4:]) for path in (DATA / "hope" / "models").glob("*.ply")}
    chosen = [one for one in scene.truth(IMAGE) if one.obj_id in textured][: given.objects]
    words = ["annotate", "--dataset", str(DATA / "hope"), "--dataset-split", "val", "--dataset-scene", str(SCENE)]
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as out, serving(*words, "--out", out) as (url, _), opened(1400, 900) as page:
        page.page.goto(url)
        page.settled()
        annotator = Annotator(page, scene.camera(IMAGE))
        began = time.perf_counter()
        for instance in chosen:
            begun = time.perf_counter()
            said = annotate(annotator, instance, rng)
            rows.append([str(instance.obj_id), f"{time.perf_counter() - begun:.1f}", said])
        total = time.perf_counter() - began
        found = json.loads((Path(out) / "annotated" / "000001" / "scene_gt.json").read_text())[str(IMAGE)]
        if given.picture is not None:
            page.page.screenshot(path=str(given.picture))
        errors = [error(dataset, instance, entry) for instance, entry in zip(chosen, found, strict=True)]
    print(f"{processor()}; chromium without a graphics card, on the same cores\n")
    table(["object", "s", "ADD, ADD-S mm", "said"], [[a, b, e, c] for (a, b, c), e in zip(rows, errors, strict=True)])
    print(f"{len(chosen)} objects in {total:.0f} s (goal: {GOAL_S:.0f}); errors in the page: {page.errors or 'none'}")


def error(dataset: DataSet, instance: Instance, entry: dict[str, Any]) -> str:
    """ADD and ADD-S of an annotated pose from the truth."""
    assert entry["obj_id"] == instance.obj_id
    pose = Pose.from_bop(entry["cam_R_m2c"], entry["cam_t_m2c"])
    points = dataset.models.mesh(instance.obj_id).vertices_m[::5]
    return f"{1e3 * add(pose, instance.pose, points):.2f}, {1e3 * add_s(pose, instance.pose, points):.2f}"


if __name__ == "__main__":
    main()
