"""A pose drawn in one call."""

from __future__ import annotations

import numpy as np
import pytest

import diffdope as dd
from diffdope.errors import DiffDopeError

CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * 0.08 - 0.04
FACES = [
    [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4],
    [1, 5, 7], [1, 7, 3],
]  # fmt: skip
MESH = dd.Mesh(CORNERS, FACES)
POSE = dd.Pose(np.eye(3), [0.05, 0.02, 0.4])


def test_a_result_and_a_pose_are_drawn() -> None:
    camera = dd.Camera(100, 100, 47.5, 35.5, 96, 72)
    drawn = dd.Renderer(MESH, camera).render(POSE.R_m2c, POSE.t_m2c)
    seen = dd.Observation(camera, mask=drawn.coverage[0] > 0.5, depth=drawn.depth[0])
    for shown in (dd.refine(MESH, seen, POSE, threads=1), POSE):
        picture = dd.overlay(MESH, seen, shown)
        assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
        assert (picture[..., 1].astype(int) - picture[..., 0] > 60).any()  # the outline is green
    with pytest.raises(DiffDopeError, match="result: expected a RefinementResult, a Pose or a matrix .*, got int"):
        dd.overlay(MESH, seen, 3)  # type: ignore[arg-type]
    with pytest.raises(DiffDopeError, match="mesh: expected a Mesh"):
        dd.overlay(seen, seen, POSE)  # type: ignore[arg-type]


def test_the_outline_in_the_original_is_where_the_lens_shows_it() -> None:
    lens = dd.Distortion((-0.4, 0.1, 0.0, 0.0), pinhole=(90.0, 90.0, 50.0, 36.0))
    camera = dd.Camera(100, 100, 47.5, 35.5, 96, 72, lens)
    photo = np.full((72, 96, 3), 40, np.uint8)
    seen = dd.Observation(camera, rgb=photo)
    picture = dd.overlay(MESH, seen, POSE, original=photo).astype(int)
    assert picture.shape == photo.shape
    rows, columns = np.nonzero(picture[..., 1] - picture[..., 0] > 60)
    u, v = camera.project(POSE.apply(CORNERS))
    ends = [columns.min() - u.min(), columns.max() - u.max(), rows.min() - v.min(), rows.max() - v.max()]
    assert np.abs(ends).max() < 2.0
    flat, _ = camera.rectified.project(POSE.apply(CORNERS))
    assert abs(flat.min() - u.min()) > 2.0
    with pytest.raises(DiffDopeError, match="rgb: expected shape"):
        dd.overlay(MESH, seen, POSE, original=photo[:10])
