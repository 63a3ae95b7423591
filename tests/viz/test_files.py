"""Overlay, curves and films: what is in the files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.io.files import atomic
from diffdope.pipelines.result import History
from diffdope.viz import animation
from diffdope.viz.animation import optimisation_frames, write_animation
from diffdope.viz.curves import write_costs
from diffdope.viz.overlay import (
    RenderedView,
    depth_difference_mm,
    depth_limit_mm,
    depth_panel,
    overlay_image,
    write_overlay,
)

PHOTO = np.full((40, 50, 3), 0.4)


def square(x: int) -> RenderedView:
    coverage = np.zeros((40, 50))
    coverage[10:30, x : x + 20] = 1
    return RenderedView(coverage[..., None] * [0.9, 0.1, 0.1], coverage, coverage * 0.7, f"at {x}")


def history(iterations: int = 5, hypotheses: int = 3) -> History:
    shape = (iterations + 1, hypotheses)
    costs = np.linspace(1, 0.1, shape[0])[:, None] + np.zeros(shape)
    rotations = np.broadcast_to(np.eye(3), (*shape, 3, 3))
    return History(costs, costs[..., None] * [1, 2], rotations, np.zeros((*shape, 3)), np.array([0.1, 1.0, 3.0]))


def frames(count: int) -> list[np.ndarray]:
    return [np.full((33, 41, 3), 20 * k, np.uint8) for k in range(count)]


def test_the_overlay_has_a_column_a_pose_and_a_row_of_depth(tmp_path: Path) -> None:
    depth = np.full((40, 50), 0.7)
    with_depth = overlay_image(PHOTO, (square(5), square(15)), observed_depth=depth, width=100)
    without = overlay_image(PHOTO, (square(5), square(15)), width=100)
    assert with_depth.shape[1] == without.shape[1] == 206
    assert with_depth.shape[0] > without.shape[0] + 80
    write_overlay(tmp_path / "o.png", with_depth)
    with Image.open(tmp_path / "o.png") as picture:
        assert np.array_equal(np.asarray(picture), with_depth)


def test_the_truth_is_drawn_in_magenta() -> None:
    plain = overlay_image(PHOTO, (square(5), square(15)), width=100)
    marked = overlay_image(PHOTO, (square(5), square(15)), truth_coverage=square(15).coverage, width=100)
    purple = (marked[..., 0] > 200) & (marked[..., 1] < 120) & (marked[..., 2] > 150)
    assert purple.sum() > 50
    assert not ((plain[..., 0] > 200) & (plain[..., 1] < 120) & (plain[..., 2] > 150)).any()


def test_curves_are_written(tmp_path: Path) -> None:
    for name, errors in (("two", None), ("three", (np.ones(6), np.ones(6)))):
        write_costs(tmp_path / f"{name}.png", history(), ("rgb", "mask"), 1, errors=errors)
    with Image.open(tmp_path / "two.png") as two, Image.open(tmp_path / "three.png") as three:
        assert three.size[0] > two.size[0]
        assert len(np.unique(np.asarray(two.convert("L")))) > 20


def test_one_frame_an_iteration() -> None:
    made = list(optimisation_frames(PHOTO, history(), 1, 3, lambda R, t: square(10), width=50))
    assert len(made) == 4
    assert all(frame.dtype == np.uint8 and frame.shape == made[0].shape for frame in made)


def test_a_film_has_every_frame(tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="films are mp4 only where PyAV is installed")
    path = write_animation(tmp_path / "film", frames(6), fps=10, hold=2)
    assert path.suffix == ".mp4"
    with av.open(str(path)) as container:
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(decoded) == 8
    assert decoded[0].shape == (32, 40, 3)
    assert decoded[5].mean() == pytest.approx(100, abs=5)


def test_without_pyav_it_is_a_gif(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(animation, "find_spec", lambda name: None)
    path = write_animation(tmp_path / "film", frames(6), hold=0)
    assert path.suffix == ".gif"
    with Image.open(path) as film:
        assert film.n_frames == 6  # type: ignore[attr-defined]


def test_no_frames_no_film(tmp_path: Path) -> None:
    with pytest.raises(DiffDopeError, match="frames: expected at least one"):
        write_animation(tmp_path / "film", [])
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail() -> None:
        with atomic(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("second", [np.zeros((32, 41, 3), np.uint8), np.zeros((33, 41, 3))], ids=["size", "type"])
def test_frames_that_do_not_fit_are_refused(tmp_path: Path, second: np.ndarray) -> None:
    with pytest.raises(DiffDopeError, match="frames"):
        write_animation(tmp_path / "film", [*frames(1), second])
    assert not list(tmp_path.iterdir())


def test_a_stem_may_have_a_dot(tmp_path: Path) -> None:
    assert write_animation(tmp_path / "run.v1", frames(2)).stem == "run.v1"


def test_pyav_without_x264_gives_a_gif(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    av = pytest.importorskip("av", reason="there is no codec to take away without PyAV")
    monkeypatch.setattr(av, "codecs_available", set())
    assert write_animation(tmp_path / "film", frames(2)).suffix == ".gif"


def test_depth_of_another_size_is_named() -> None:
    with pytest.raises(DiffDopeError, match=r"observed_depth: expected shape \(40, 50\), got \(50, 40\); .*swapped"):
        overlay_image(PHOTO, (square(5), square(15)), observed_depth=np.ones((50, 40)), width=100)


@pytest.mark.parametrize("fill", [0.0, np.inf])
def test_curves_without_a_logarithm_are_drawn(tmp_path: Path, fill: float) -> None:
    costs, poses = np.full((2, 1), fill), (np.broadcast_to(np.eye(3), (2, 1, 3, 3)), np.zeros((2, 1, 3)))
    made = History(costs, np.zeros((2, 1, 0)), *poses, np.ones(1))
    write_costs(tmp_path / "c.png", made, (), 0, errors=(np.zeros(2), np.zeros(2)))
    with Image.open(tmp_path / "c.png") as picture:
        assert picture.size[0] > 1000


@pytest.mark.parametrize(("offset_mm", "limit"), [(0.3, 2.0), (14.0, 20.0), (90.0, 100.0), (9000.0, 500.0)])
def test_the_scale_of_depth_differences_fits_the_data(offset_mm: float, limit: float) -> None:
    view = square(5)
    difference = depth_difference_mm(view, np.full((40, 50), 0.7 + 1e-3 * offset_mm))
    assert np.nanmax(difference) == pytest.approx(-offset_mm)
    assert np.isfinite(difference).sum() == 400
    assert depth_limit_mm([difference]) == limit


def test_no_depth_anywhere_still_gives_a_scale() -> None:
    assert depth_limit_mm([depth_difference_mm(square(5), np.zeros((40, 50)))]) == 2.0


def test_a_difference_of_the_limit_is_fully_coloured() -> None:
    panel = depth_panel(np.full((30, 40), -5.0), 5.0, 2)
    assert np.allclose(panel[-1, -1], [0.1, 0.25, 0.8])  # nearer than observed: blue
    assert panel.shape[1] == 80
