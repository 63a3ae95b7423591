"""Which objects are their own mirror images."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.geometry.pose import Pose
from diffdope.geometry.solids import box, joined
from diffdope.scene.alikeness import Alikeness
from diffdope.scene.mesh import Mesh
from diffdope.scene.mirror_planes import MirrorPlanes, has_mirror_plane, mirrored

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
    assert has_mirror_plane(mesh, Alikeness(mesh)) == own


def test_colours_are_a_part_of_it() -> None:
    mesh = mesh_of(BAR, ARM)
    across = (mesh.vertices_m - TURNED.t_m2c) @ TURNED.R_m2c[:, 2]
    colors = np.where((across > 0.0)[:, None], [0.9, 0.1, 0.1], [0.1, 0.1, 0.9])
    painted = Mesh(mesh.vertices_m, mesh.faces, colors=colors)
    assert not has_mirror_plane(painted, Alikeness(painted))


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
