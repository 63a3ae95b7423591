"""An object does not reach through what it lies on, what is in front may hide it, and in a plane it may be anywhere."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import diffdope as dd
from diffdope.experiments.shapes import grid_box
from diffdope.geometry import so3
from diffdope.note_codes import NoteCode
from diffdope.render.renderer import RenderedImages, Renderer
from diffdope.search.checks.contradictions import NONE
from diffdope.search.checks.support_penetration import of_plane, of_support, share_in_plane, share_through_support

CAMERA = dd.Camera(240.0, 240.0, 79.5, 59.5, 160, 120)
LENGTH_M = 0.12
ROD = dd.Mesh(*grid_box(np.array([0.02, 0.02, LENGTH_M]), 2))
NORMAL = np.array([0.0, -np.sin(0.8), -np.cos(0.8)])  # of a table, towards the camera
TABLE_M = 0.35  # how far it is along the optical axis


def table() -> NDArray[np.float32]:
    v, u = np.mgrid[:120, :160]
    rays = np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones_like(u, float)], axis=-1)
    return np.asarray(TABLE_M * NORMAL[2] / (rays @ NORMAL), np.float32)


def lying() -> NDArray[np.float64]:
    """Rotation (3, 3) of what lies on the table: y is its normal."""
    along = np.cross(NORMAL, [0.0, 0.0, 1.0])
    along /= np.linalg.norm(along)
    axes = np.column_stack([np.cross(NORMAL, along), NORMAL, along])
    return np.asarray(axes * np.sign(np.linalg.det(axes)))


def rod(height_m: float, lean: float) -> RenderedImages:
    """Its middle so far above the table, leaning: 0 lies on it, pi / 2 stands."""
    axes = lying()
    turn = so3.exp(-lean * axes[:, 0])
    return Renderer(ROD, CAMERA).render(turn @ axes, np.array([0.0, 0.0, TABLE_M]) + height_m * NORMAL)


def observed(images: RenderedImages, behind: NDArray[np.float32]) -> NDArray[np.float32]:
    drawn = (images.coverage[0] > 0.5) & (images.depth[0] < behind)
    return np.where(drawn, images.depth[0], behind)


def share(images: RenderedImages, depth: NDArray[np.float32]) -> float:
    return share_through_support(dd.Observation(CAMERA, depth=depth), images, LENGTH_M)


def test_a_rod_that_sticks_in_its_table_is_doubted() -> None:
    images = rod(0.0, 1.2)
    depth = observed(images, table())
    assert share(images, depth) > 0.3
    doubt = of_support(dd.Observation(CAMERA, depth=depth), images, LENGTH_M)
    assert doubt.at_most < -1.9 and doubt.note.code is NoteCode.THROUGH_SUPPORT  # type: ignore[attr-defined]


def test_so_it_is_where_a_tenth_of_the_depth_is_known() -> None:
    images = rod(0.0, 1.2)
    known = np.random.default_rng(0).random((120, 160)) < 0.1
    assert share(images, np.where(known, observed(images, table()), np.float32(0.0))) > 0.3


@pytest.mark.parametrize("lean", [0.0, 0.6, 1.2])
def test_a_rod_on_its_table_is_not_whatever_hides_half_of_it(lean: float) -> None:
    images = rod(0.011 + 0.5 * LENGTH_M * np.sin(lean), lean)
    depth = observed(images, table())
    assert share(images, depth) == 0.0
    rows, columns = np.nonzero(images.coverage[0] > 0.5)
    depth[rows.min() : int(np.median(rows)), :] = 0.2  # a plate in front of it, seen from the front
    assert share(images, depth) == 0.0
    before = observed(images, table())
    before[:, columns.min() : int(np.median(columns))] *= 0.85  # and one that is as steep as the table
    assert share(images, before) == 0.0
    assert of_support(dd.Observation(CAMERA, depth=before), images, LENGTH_M) is NONE


def in_plane(images: RenderedImages, depth: NDArray[np.float32]) -> float:
    return share_in_plane(dd.Observation(CAMERA, depth=depth), images, LENGTH_M)


def noisy(depth: NDArray[np.float32], deviation_m: float) -> NDArray[np.float32]:
    return depth + np.random.default_rng(0).normal(0.0, deviation_m, depth.shape).astype(np.float32)


@pytest.mark.parametrize("deviation_m", [0.0002, 0.001])
def test_of_a_rod_in_the_plane_of_its_table_depth_says_nothing(deviation_m: float) -> None:
    images = rod(-0.01, 0.0)
    depth = noisy(table(), deviation_m)  # the upper face is the table's, and no rod need be there
    assert in_plane(images, depth) > 0.9
    doubt = of_plane(dd.Observation(CAMERA, depth=depth), images, LENGTH_M)
    assert doubt.at_most < -1.9 and doubt.note.code is NoteCode.OUTLINE_UNSEEN  # type: ignore[attr-defined]


@pytest.mark.parametrize("lean", [0.0, 0.6, 1.2])
def test_a_rod_that_stands_out_from_its_table_is_seen(lean: float) -> None:
    images = rod(0.011 + 0.5 * LENGTH_M * np.sin(lean), lean)
    depth = noisy(observed(images, table()), 0.001)
    assert in_plane(images, depth) < 0.1
    assert of_plane(dd.Observation(CAMERA, depth=depth), images, LENGTH_M) is NONE


def test_a_rod_lower_than_the_noise_of_its_table_is_not_seen() -> None:
    images = rod(-0.008, 0.0)  # two millimetres of it stand out
    assert in_plane(images, noisy(observed(images, table()), 0.002)) > 0.6
    assert in_plane(images, noisy(observed(images, table()), 0.0002)) < 0.2


def test_depth_of_an_empty_table_confirms_no_bar() -> None:
    bar = dd.Mesh(*grid_box(np.array([0.03, 0.005, LENGTH_M]), 2))
    start = dd.Pose(lying(), np.array([0.0, 0.0, TABLE_M]))
    result = dd.Refiner(bar, CAMERA).refine(dd.Observation(CAMERA, depth=noisy(table(), 0.0005)), start)
    assert result.confidence is not None and result.confidence < 0.2 and not result.ok  # 0.47 without it, and converged
    assert "outline-unseen" in result.note_codes and "table" in result.message
