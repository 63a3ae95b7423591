"""What a click meets."""

from __future__ import annotations

import numpy as np

from diffdope import Mesh
from diffdope.scene.packaged import packaged_example
from diffdope.scene.ray import first_hit


def box() -> Mesh:
    import trimesh

    return Mesh.from_trimesh(trimesh.creation.box((0.2, 0.4, 0.6)))


def test_the_nearer_side_is_hit() -> None:
    hit = first_hit(box(), [0.03, 0.05, -2.0], [0.0, 0.0, 5.0])
    assert hit is not None
    assert np.allclose(hit, [0.03, 0.05, -0.3])


def test_beside_and_behind_nothing_is_hit() -> None:
    assert first_hit(box(), [0.2, 0.0, -2.0], [0.0, 0.0, 1.0]) is None
    assert first_hit(box(), [0.0, 0.0, -2.0], [0.0, 0.0, -1.0]) is None


def test_it_agrees_with_the_depth_that_the_renderer_draws() -> None:
    from diffdope import Renderer

    mesh, observation, _, pose = packaged_example()
    camera = observation.camera
    depth = Renderer(mesh, camera).render(pose.R_m2c, pose.t_m2c).depth[0]
    rows, columns = np.nonzero(depth > 0)
    back = pose.inverse()
    for k in range(0, len(rows), max(1, len(rows) // 50)):
        v, u = rows[k], columns[k]
        ray = np.array([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, 1.0])
        hit = first_hit(mesh, back.t_m2c, back.R_m2c @ ray)
        if hit is None:  # the pixel's centre lies just outside of a silhouette that covers a part of it
            continue
        assert abs(pose.apply(hit)[2] - depth[v, u]) < 2e-4
