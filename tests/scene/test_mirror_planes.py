"""Which objects are their own mirror images."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.geometry.solids import box, joined
from diffdope.pipelines.diagnosis.mirrored_mesh import in_mirror
from diffdope.render.renderer import Renderer
from diffdope.scene.alikeness import Alikeness
from diffdope.scene.mesh import Mesh
from diffdope.scene.mirror_planes import ACROSS, MirrorPlanes, from_mirrored, has_mirror_plane, mirrored
from diffdope.scene.observation import Observation

BAR, ARM, POST = (box((0.10, 0.02, 0.02)), (0.05, 0.0, 0.0)), (box((0.02, 0.06, 0.02)), (0.0, 0.03, 0.0)), (
    box((0.02, 0.02, 0.04)), (0.1, 0.0, 0.02)
)  # fmt: skip
TURNED = Pose.from_wxyz_xyz([0.8, 0.3, -0.4, 0.3, 0.05, -0.02, 0.1])


def mesh_of(*parts: tuple[tuple[np.ndarray, np.ndarray], tuple[float, float, float]]) -> Mesh:
    points, faces = joined((points + np.array(offset), faces) for (points, faces), offset in parts)
    return Mesh(TURNED.apply(points), faces)  # the plane is none of the frame's


@pytest.mark.parametrize(("parts", "own"), [((BAR,), True), ((BAR, ARM), True), ((BAR, ARM, POST), False)])
def test_an_object_with_a_mirror_plane_is_its_own_mirror_image(parts: tuple[object, ...], own: bool) -> None:
    mesh = mesh_of(*parts)  # type: ignore[arg-type]
    assert has_mirror_plane(MirrorPlanes.of(mesh), Alikeness(mesh)) == own


def test_colours_are_a_part_of_it_where_they_are_seen() -> None:
    mesh = mesh_of(BAR, ARM)
    across = (mesh.vertices_m - TURNED.t_m2c) @ TURNED.R_m2c[:, 2]
    colors = np.where((across > 0.0)[:, None], [0.9, 0.1, 0.1], [0.1, 0.1, 0.9])
    painted = Mesh(mesh.vertices_m, mesh.faces, colors=colors)
    planes, alikeness = MirrorPlanes.of(painted), Alikeness(painted)
    assert not has_mirror_plane(planes, alikeness)
    assert has_mirror_plane(planes, alikeness, colours=False)
    chiral = mesh_of(BAR, ARM, POST)
    assert not has_mirror_plane(MirrorPlanes.of(chiral), Alikeness(chiral), colours=False)


def test_a_mirrored_mesh_is_moved_to_where_each_plane_reflects_it() -> None:
    mesh = mesh_of(BAR, ARM, POST)
    planes, other = MirrorPlanes.of(mesh), mirrored(mesh)
    assert len(planes.R) >= 3
    for R, t, R_m, t_m in zip(*planes, *planes.from_mirrored, strict=True):
        assert np.linalg.det(R) == pytest.approx(-1.0)
        np.testing.assert_allclose(R @ R, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(R @ (R @ mesh.vertices_m[0] + t) + t, mesh.vertices_m[0], atol=1e-12)
        assert np.linalg.det(R_m) == pytest.approx(1.0)
        np.testing.assert_allclose(other.vertices_m @ R_m.T + t_m, mesh.vertices_m @ R.T + t, atol=1e-12)


def test_a_mirror_image_is_brought_to_where_most_of_it_is_on_the_surface() -> None:
    mesh = mesh_of(BAR, ARM, POST)  # POST is all that differs, and draws the middle aside
    planes, alikeness = MirrorPlanes.of(mesh), Alikeness(mesh)
    off, before = (
        min(alikeness.mirror_image_off(R, t, ACROSS, 0.001) for R, t in motions)
        for motions in (from_mirrored(planes, alikeness), zip(*planes.from_mirrored, strict=True))
    )
    assert before > 0.6
    assert 0.1 < off < 0.25  # of the surface, the post has a sixth


def test_planes_that_lead_to_one_place_are_one() -> None:
    mesh = mesh_of(BAR, ARM, POST)
    planes, alikeness = MirrorPlanes.of(mesh), Alikeness(mesh)
    brought = [alikeness.brought_onto(R, t, ACROSS) for R, t in zip(*planes.from_mirrored, strict=True)]
    kept = from_mirrored(planes, alikeness)
    assert 1 <= len(kept) < len(brought)

    def apart(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> float:
        return float(np.linalg.norm(mesh.vertices_m @ (one[0] - other[0]).T + one[1] - other[1], axis=1).max())

    limit_m = 0.02 * mesh.diameter
    assert all(min(apart(one, other) for other in kept) < limit_m for one in brought)
    assert all(apart(one, other) > 0.01 * mesh.diameter for k, one in enumerate(kept) for other in kept[:k])


def test_in_a_mirrored_picture_a_mesh_is_drawn_as_its_mirror_image_is() -> None:
    mesh = mesh_of(BAR, ARM, POST)
    painted = Mesh(mesh.vertices_m, mesh.faces, colors=np.random.default_rng(0).random((len(mesh.vertices_m), 3)))
    camera, R_m2c = Camera(200.0, 210.0, 50.3, 41.7, 96, 80), TURNED.R_m2c[::-1] * [[-1.0], [1.0], [1.0]]
    pose = Pose(R_m2c, np.array([0.01, -0.02, 0.4]) - R_m2c @ mirrored(mesh).center_m)
    drawn = Renderer(mirrored(painted), camera).render(pose.R_m2c, pose.t_m2c)
    seen = Observation(camera, rgb=np.clip(drawn.rgb[0], 0.0, 1.0), depth=drawn.depth[0]).in_mirror()
    turned = in_mirror(pose)
    assert np.linalg.det(turned.R_m2c) == pytest.approx(1.0)
    again = Renderer(painted, seen.camera).render(turned.R_m2c, turned.t_m2c)
    assert np.count_nonzero(again.depth[0]) > 300
    assert np.mean(np.abs(again.depth[0] - seen.depth) > 1e-5) < 0.002  # where a pixel's middle lies on an edge
    assert np.mean(np.abs(again.rgb[0] - seen.rgb).max(axis=-1) > 1e-3) < 0.002


def test_what_was_mirrored_twice_is_as_it_was() -> None:
    rng = np.random.default_rng(0)
    camera = Camera(200.0, 210.0, 3.3, 2.7, 7, 5)
    images = {"rgb": rng.integers(0, 256, (5, 7, 3)).astype(np.uint8), "mask": rng.random((5, 7)) > 0.5}
    seen = Observation(camera, **images, depth=rng.random((5, 7)).astype(np.float32))
    once = seen.in_mirror()
    assert once.camera.cx == pytest.approx(6.0 - 3.3)
    assert once.rgb is not None and seen.rgb is not None
    np.testing.assert_array_equal(once.rgb[:, 0], seen.rgb[:, -1])
    twice = once.in_mirror()
    assert twice.camera.cx == pytest.approx(camera.cx)
    for name in ("rgb", "depth", "mask"):
        np.testing.assert_array_equal(getattr(twice, name), getattr(seen, name))
