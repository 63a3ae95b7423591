"""What is really drawn, in a real browser: the mesh where our renderer has it, the slider, the page without a net."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.browser import Page, launched, opened, why_not
from diffdope import Camera, Pose, Refiner, Renderer
from diffdope.scene.packaged import PackagedExample, packaged_example
from diffdope.viewer.content import HYPOTHESIS, LOST, RESULT, Body, Content, Moment
from diffdope.viewer.page import write_page
from diffdope.viewer.result_content import result_content
from diffdope.viewer.stage import look_at
from diffdope.viewer.window import Window

_FOV = 1.3089969389957472  # of viser, across the height
_VEIL_MS = 6000

pytestmark = [
    pytest.mark.skipif(bool(why_not()), reason=f"nothing can be shown here: {why_not()}"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:websockets"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as made:
        yield made


@pytest.fixture(scope="module")
def example() -> PackagedExample:
    return packaged_example()


@pytest.fixture(scope="module")
def content(example: PackagedExample) -> Content:
    result = Refiner(example.mesh).refine(example.observation, example.start)
    return result_content(example.mesh, result, observation=example.observation, title="carton")


@pytest.fixture
def window(content: Content) -> Iterator[Window]:
    made = Window(content)
    try:
        yield made
    finally:
        made.stop()


def canvas_of(page: Page) -> NDArray[np.uint8]:
    box = page.page.locator("canvas").first.bounding_box()
    rows, columns = (
        slice(int(box["y"]), int(box["y"] + box["height"])),
        slice(int(box["x"]), int(box["x"] + box["width"])),
    )
    return page.settled()[rows, columns]


def plain(example: PackagedExample) -> Content:
    """The mesh alone, all in one colour, and nothing behind it."""

    def moment(k: int) -> Moment:
        pose = example.truth.retract([0.02 * k, 0.0, 0.0, 0.0, 0.0, 0.3 * k])
        return Moment(f"moment {k}", bodies=(Body("object", "result", example.mesh, (pose,), RESULT),))

    return Content("plain", ("confidence 0.9",), (), "frame", ["0", "1"], moment)


def is_drawn(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the picture is coloured: all else is white or grey."""
    return np.ptp(picture.astype(np.int16), axis=2) > 25


def test_the_mesh_is_drawn_where_our_renderer_has_it_and_the_slider_moves_it(
    example: PackagedExample, browser: Any
) -> None:
    shown = plain(example)
    window = Window(shown)
    try:
        with opened(browser=browser) as page:
            server = window._server
            arrived: list[object] = []
            server.on_client_connect(arrived.append)
            page.page.goto(window.url)
            page.settled()
            client = arrived[0]
            fov = 0.5
            with client.atomic():  # type: ignore[attr-defined]
                client.camera.up_direction = (0.0, -1.0, 0.0)  # type: ignore[attr-defined]
                client.camera.position, client.camera.look_at = (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)  # type: ignore[attr-defined]
                client.camera.fov = fov  # type: ignore[attr-defined]
            for k in (0, 1):
                if k == 1:
                    slide(page, "End")
                    page.page.get_by_text("moment 1").first.wait_for()
                picture = canvas_of(page)
                height, width = picture.shape[:2]
                focal = 0.5 * height / np.tan(0.5 * fov)
                camera = Camera(focal, focal, 0.5 * (width - 1), 0.5 * (height - 1), width, height)
                pose = shown.moment(k).bodies[0].poses[0]
                wanted = Renderer(example.mesh, camera).render(pose.R_m2c, pose.t_m2c).coverage[0] > 0.5
                drawn = is_drawn(picture)
                drawn[-60:, :60] = False  # the axes in the corner
                overlap = np.count_nonzero(drawn & wanted) / np.count_nonzero(drawn | wanted)
                assert wanted.sum() > 4000 and overlap > 0.97, f"moment {k}: IoU {overlap:.3f}"
            assert not page.errors
    finally:
        window.stop()


def slide(page: Page, key: str) -> None:
    """To one end of the slider: Home or End. (Of the arrows, viser turns its camera too.)"""
    page.page.get_by_role("slider").first.focus()
    page.page.keyboard.press(key)


def drag_slider(page: Page) -> None:
    """The thumb, by mouse, some way to the left."""
    box = page.page.get_by_role("slider").first.bounding_box()
    x, y = box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"]
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    page.page.mouse.move(x - 60, y, steps=4)
    page.page.mouse.up()


def test_the_window_shows_a_result_and_its_iterations(window: Window, content: Content, browser: Any) -> None:
    with opened(browser=browser) as page:
        page.page.goto(window.url)
        last = canvas_of(page)
        assert is_drawn(last).mean() > 0.05
        for words in (content.text[0], "confidence", "pictures"):
            assert page.page.get_by_text(words).count() > 0
        assert page.page.locator("figure img").count() == 4
        assert page.page.evaluate("[...document.querySelectorAll('figure img')].every(i => i.naturalWidth > 100)")
        drag_slider(page)
        page.page.get_by_text("iteration", exact=False).nth(1).wait_for()
        assert 0 < window.shown < content.first
        slide(page, "Home")
        page.page.get_by_text(content.moment(0).text[0]).first.wait_for()
        first = canvas_of(page)
        assert window.shown == 0 and not np.array_equal(first, last)
        page.page.get_by_text("photograph", exact=True).locator("xpath=ancestor::*[.//input][1]").locator(
            "input"
        ).first.click()
        hidden = canvas_of(page)
        assert is_drawn(hidden).sum() < is_drawn(first).sum()
        assert not page.errors


def test_what_is_made_anew_is_seen_in_its_colour(example: PackagedExample, browser: Any) -> None:
    """Batches of another number of copies, and a body that changes its colour, as where a track is lost."""
    rng = np.random.default_rng(0)
    poses = [example.truth.retract(rng.normal(0.0, [0.02, 0.02, 0.02, 0.2, 0.2, 0.2])) for _ in range(9)]

    def moment(k: int) -> Moment:
        swarm = Body("swarm", "hypotheses", example.mesh, tuple(poses[: 9 - 4 * k]), HYPOTHESIS)
        found = Body(
            "object", "result", example.mesh, (example.truth.retract([0.2, 0, 0, 0, 0, 0]),), (RESULT, LOST)[k]
        )
        return Moment(f"moment {k}", bodies=(swarm, found))

    window = Window(Content("made anew", (), (), "frame", ["0", "1"], moment))
    try:
        with opened(browser=browser) as page:
            page.page.goto(window.url)
            for k, key in enumerate(("", "End", "Home")):
                if key:
                    slide(page, key)
                    page.page.get_by_text(f"moment {k % 2}").first.wait_for()
                picture = canvas_of(page).astype(np.float64)[:, :600]
                for color in (HYPOTHESIS, (RESULT, LOST)[k % 2]):
                    wanted = np.array(color) / np.linalg.norm(color)
                    brightness = np.linalg.norm(picture, axis=2)
                    like = (picture @ wanted > 0.98 * brightness) & is_drawn(picture.astype(np.uint8))
                    assert like.sum() > 1000, f"moment {k}, {color}: {like.sum()} pixels"
            assert not page.errors
    finally:
        window.stop()


def test_a_label_stands_at_the_middle_of_its_body(example: PackagedExample, browser: Any) -> None:
    """Its lower left corner; labels are drawn into the scene, so that they are seen by what they change."""

    def moment(k: int) -> Moment:
        body = Body("object", "result", example.mesh, (example.truth,), RESULT, label="carton" if k else "")
        return Moment(f"moment {k}", bodies=(body,))

    window = Window(Content("labelled", (), (), "frame", ["0", "1"], moment))
    try:
        with opened(browser=browser) as page:
            page.page.goto(window.url)
            without = canvas_of(page)[:, :600]
            slide(page, "End")
            page.page.get_by_text("moment 1").first.wait_for()
            changed = (without != canvas_of(page)[:, :600]).any(axis=2)
    finally:
        window.stop()
    drawn = is_drawn(without)
    drawn[:120], drawn[-60:, :60] = False, False  # what viser says of the machine; the axes in the corner
    rows, columns = np.nonzero(drawn)
    below, left = np.nonzero(changed.any(axis=1))[0].max(), np.nonzero(changed.any(axis=0))[0].min()
    assert changed.sum() > 100
    assert abs(below - rows.mean()) < 20 and abs(left - columns.mean()) < 20


def test_two_browsers_see_the_same_and_one_may_leave(window: Window, content: Content, browser: Any) -> None:
    with opened(browser=browser) as page:
        page.page.goto(window.url)
        page.settled()
        other = page.page.context.new_page()
        other.goto(window.url)
        other.get_by_role("slider").first.wait_for()
        slide(page, "Home")
        other.get_by_text(content.moment(0).text[0]).first.wait_for()
        page.page.goto("about:blank")
        other.get_by_role("slider").first.focus()
        other.keyboard.press("End")
        other.get_by_text("result", exact=True).first.wait_for()
        other.wait_for_timeout(500)
        assert window.shown > 0 and not page.errors


def test_the_page_draws_the_mesh_where_our_renderer_has_it(
    example: PackagedExample, tmp_path: Path, browser: Any
) -> None:
    """When viser's veil over a page that was just opened is gone."""
    shown = replace(plain(example), titles=["0"])
    write_page(tmp_path / "page.html", shown)
    with opened(browser=browser) as page:
        page.page.goto((tmp_path / "page.html").as_uri())
        page.page.locator("canvas").first.wait_for()
        page.page.wait_for_timeout(_VEIL_MS)
        drawn = is_drawn(page.settled())
        box = page.page.locator("canvas").first.bounding_box()
        assert not page.errors
    height, width = int(box["height"]), int(box["width"])
    focal = 0.5 * height / np.tan(0.5 * _FOV)
    camera = Camera(focal, focal, 0.5 * (width - 1), 0.5 * (height - 1), width, height)
    place, at = look_at(shown, shown.moment(0))
    z = (at - place) / np.linalg.norm(at - place)
    x = np.cross([0.0, 1.0, 0.0], z)
    x /= np.linalg.norm(x)
    turned = np.stack([x, np.cross(z, x), z])
    pose = Pose(turned, -turned @ place) @ shown.moment(0).bodies[0].poses[0]
    wanted = Renderer(example.mesh, camera).render(pose.R_m2c, pose.t_m2c).coverage[0] > 0.5
    seen = drawn[int(box["y"]) :, int(box["x"]) :][:height, :width]
    seen[-100:, :100] = False  # the axes in the corner
    columns = slice(450, None)  # beside the panel
    overlap = np.count_nonzero(seen & wanted) / np.count_nonzero((seen | wanted)[:, columns])
    assert wanted[:, columns].sum() > 2000 and overlap > 0.95, f"IoU {overlap:.3f}"


def test_the_page_opens_without_a_net_and_plays(example: PackagedExample, tmp_path: Path, browser: Any) -> None:
    file = tmp_path / "page.html"
    write_page(file, plain(example))
    with opened(browser=browser) as page:
        page.page.context.set_offline(True)
        asked: list[str] = []
        page.page.on("request", lambda request: asked.append(request.url))
        page.page.goto(file.as_uri())
        page.page.locator("canvas").first.wait_for()
        looks = []
        for _ in range(8):  # at most; two moments, of a quarter of a second and of one and a half
            page.page.wait_for_timeout(700)
            page.page.keyboard.press("Space")  # pauses: a film cannot be looked at while software draws it
            looks.append(is_drawn(page.settled())[:, 450:-60])
            page.page.keyboard.press("Space")
            if looks[-1].mean() > 0.01 and not np.array_equal(looks[0], looks[-1]):
                break
        assert max(look.mean() for look in looks) > 0.01
        assert any(not np.array_equal(looks[0], look) for look in looks[1:])  # it plays
        assert page.page.title() == "plain"
        assert page.page.get_by_text("confidence 0.9").count() == 1
        assert [url for url in asked if url.split(":")[0] not in ("file", "blob", "data")] == []
        assert not page.errors
