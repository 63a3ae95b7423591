"""The renderer's images and open derivative against the float64 reference, and its behaviour at the borders."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.render.buffers import Buffers
from diffdope.render.pool import set_threads
from diffdope.render.reference import render
from diffdope.render.renderer import Renderer, draw
from diffdope.scene.mesh import Mesh
from tests.oracle.differences import central_difference
from tests.oracle.kernels import mesh_of, renderer_of
from tests.oracle.scenes import Scene, random_scene
from tests.oracle.shapes import box, icosphere

Array = NDArray[np.float64]


def reference_images(scene: Scene, R: Array, t: Array) -> tuple[Array, Array, Array]:
    """rgb, depth and coverage as the public images define them."""
    seen = render(scene.reference, scene.K, scene.width, scene.height, R, t)
    there = seen.A > 1e-6
    depth = np.where(there, seen.AD / np.where(there, seen.A, 1.0), 0.0)
    return seen.P, depth, seen.A


def ball(radius: float = 0.05) -> Mesh:
    shape = icosphere(3, radius)
    return Mesh(shape.vertices_m, shape.faces)


CAMERA = Camera(200.0, 200.0, 31.5, 23.5, 64, 48)


@pytest.mark.parametrize("seed", range(55))
def test_images_are_the_references(seed: int) -> None:
    scene = random_scene(seed)
    got = renderer_of(scene).render(scene.R, scene.t)
    rgb, depth, coverage = reference_images(scene, scene.R, scene.t)
    for image, expected in ((got.rgb[0], rgb), (got.coverage[0], coverage)):
        # A pixel centre on an edge may fall to the other side in float32: allow one in a thousand.
        off = np.abs(image - expected).reshape(scene.height, scene.width, -1).max(axis=2) > 2e-3
        assert off.mean() <= 1e-3
    off = np.abs(got.depth[0] - depth) > 1e-4
    assert off.mean() <= 3e-3  # the depth of a pixel of faint coverage is a quotient of small numbers


def test_triangles_of_either_winding_are_drawn(rng: np.random.Generator) -> None:
    """Hulls of scipy have half of their triangles inside out: with back faces left out, the far wall is seen."""
    whole = ball()
    faces = whole.faces.copy()
    turned = rng.random(len(faces)) < 0.5
    faces[turned] = faces[turned][:, ::-1]
    meshes = (whole, Mesh(whole.vertices_m, faces), Mesh(whole.vertices_m, whole.faces[:, ::-1]))
    images = [Renderer(mesh, CAMERA).render(np.eye(3), np.array([0.0, 0.0, 0.4])) for mesh in meshes]
    for other in images[1:]:
        np.testing.assert_allclose(other.depth, images[0].depth, atol=1e-5)
        np.testing.assert_allclose(other.coverage, images[0].coverage, atol=1e-3)


def test_what_is_behind_a_crack_is_not_drawn() -> None:
    """All but some pixels at the crack look as they do without it, and no face is drawn that is turned away."""
    shape = icosphere(4)
    whole = Mesh(shape.vertices_m, shape.faces)
    cracked = Mesh(whole.vertices_m, whole.faces[1:])
    corners = whole.vertices_m[whole.faces[0]]
    z, x = np.array(corners.mean(axis=0)) / -np.linalg.norm(corners.mean(axis=0)), np.array([0.0, 1.0, 0.0])
    y = np.cross(z, x) / np.linalg.norm(np.cross(z, x))
    R, t = np.stack([np.cross(y, z), y, z]), np.array([0.0, 0.0, 0.2])  # the crack faces the camera
    full, seen = (Renderer(mesh, CAMERA).render(R, t) for mesh in (whole, cracked))
    off = np.abs(full.coverage - seen.coverage)[0] > 1e-6
    assert 0 < off.sum() < 0.02 * (full.coverage > 0.5).sum()
    assert seen.depth.max() < 0.2 and (seen.coverage[0][off] < 1.0).any()
    behind = Renderer(cracked, CAMERA).render(R * [[1.0], [-1.0], [-1.0]], t)
    assert np.array_equal(behind.depth, Renderer(whole, CAMERA).render(R * [[1.0], [-1.0], [-1.0]], t).depth)


@pytest.mark.parametrize("seed", range(2, 40, 5))
def test_backward_is_the_derivative_of_any_cost(seed: int) -> None:
    """A random linear function of the images: its derivative needs every part of the chain, contours included."""
    scene = random_scene(seed)
    rng = np.random.default_rng(seed)
    size = (scene.height, scene.width)
    weights = (rng.normal(size=(*size, 3)), rng.normal(size=size) * 10, rng.normal(size=size))

    def value(R: Array, t: Array) -> float:
        images = reference_images(scene, R, t)
        return float(sum((w * image).sum() for w, image in zip(weights, images, strict=True)))

    expected = central_difference(value, scene.R, scene.t, 1e-8)
    got = renderer_of(scene).backward(scene.R, scene.t, d_rgb=weights[0], d_depth=weights[1], d_coverage=weights[2])[0]
    balance = np.array([1.0, 1.0, 1.0, *[scene.length / 2] * 3])
    error = np.linalg.norm((got - expected) / balance) / np.linalg.norm(expected / balance)
    assert error < 0.05  # the mip level's own motion, which the derivative leaves out


def test_a_batch_is_its_poses_one_by_one() -> None:
    scene = random_scene(7)
    rng = np.random.default_rng(0)
    t = scene.t + rng.normal(0, 0.005, (5, 3))
    R = np.repeat(scene.R[None], 5, 0)
    batch = renderer_of(scene).render(R, t)
    single = renderer_of(scene)
    for i in range(5):
        for together, alone in zip(batch, single.render(R[i], t[i]), strict=True):
            assert np.array_equal(together[i], alone[0])


def test_one_pose_is_drawn_as_a_renderer_draws_it() -> None:
    scene, buffers = random_scene(7), Buffers(mesh_of(random_scene(7)), threads=2)
    camera = Camera(*scene.K, scene.width, scene.height)
    pose = Pose(scene.R, scene.t)
    drawn = draw(buffers, camera, pose)
    wanted = Renderer(buffers.mesh, camera, buffers=buffers).render(pose.R_m2c, pose.t_m2c)
    assert all(np.array_equal(a, b) for a, b in zip(drawn, wanted, strict=True))
    assert drawn.coverage.max() > 0.5


@pytest.mark.usefixtures("threads_share_all")
def test_the_number_of_threads_changes_no_bit() -> None:
    scene = random_scene(9)
    fx, fy, cx, cy = scene.K
    t = scene.t + np.random.default_rng(0).normal(0, 0.005, (9, 3))
    R = np.repeat(scene.R[None], 9, 0)
    upstream = np.random.default_rng(1).normal(size=(9, scene.height, scene.width))
    outcomes = []
    for threads in (1, 2, 5):
        camera = Camera(fx, fy, cx, cy, scene.width, scene.height)
        renderer = Renderer(mesh_of(scene), camera, threads=threads)
        outcomes.append((*renderer.render(R, t), renderer.backward(R, t, d_coverage=upstream)))
    for other in outcomes[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(outcomes[0], other, strict=True))


@pytest.mark.parametrize("t", [(0, 0, -0.5), (0, 0, 0.0), (5.0, 0, 0.5), (0, 0, 0.03), (0, 0, 1e6)])
def test_no_pose_makes_a_nan(t: tuple[float, float, float]) -> None:
    """Behind the camera, around it, beside the image, cut by the camera plane, out of sight."""
    renderer = Renderer(ball(), CAMERA, threads=1)
    images = renderer.render(np.eye(3), t)
    gradient = renderer.backward(np.eye(3), t, d_coverage=np.ones((48, 64)), d_depth=np.ones((48, 64)))
    for array in (*images, gradient):
        assert np.isfinite(array).all()


def test_behind_the_camera_nothing_is_drawn() -> None:
    images = Renderer(ball(), CAMERA, threads=1).render(np.eye(3), (0, 0, -0.5))
    assert not images.coverage.any()
    assert (images.triangle_id == -1).all()


def test_coverage_of_a_ball_is_the_area_of_its_disc() -> None:
    coverage = Renderer(ball(), CAMERA, threads=1).render(np.eye(3), (0, 0, 0.6)).coverage[0]
    # A sphere of radius r at distance z projects to a disc of radius f r / sqrt(z^2 - r^2).
    radius = 200.0 * 0.05 / np.sqrt(0.6**2 - 0.05**2)
    assert coverage.sum() == pytest.approx(np.pi * radius**2, rel=0.01)


def test_coverage_changes_as_the_area_does() -> None:
    """Towards the camera, the disc of a ball grows by 2 A / z: the mask alone knows the distance."""
    renderer = Renderer(ball(), CAMERA, threads=1)
    area = renderer.render(np.eye(3), (0, 0, 0.6)).coverage.sum()
    gradient = renderer.backward(np.eye(3), (0, 0, 0.6), d_coverage=np.ones((48, 64)))[0]
    assert gradient[2] == pytest.approx(-2 * area / 0.6, rel=0.02)
    assert np.abs(gradient[3:]).max() < 0.02 * abs(gradient[2]) * 0.6


def test_a_box_that_turns_away_is_lit_by_its_own_faces() -> None:
    """Triangle ids name faces that look towards the camera."""
    shape = box()
    mesh = Mesh(shape.vertices_m, shape.faces)
    ids = Renderer(mesh, CAMERA, threads=1).render(np.eye(3), (0, 0, 0.6)).triangle_id[0]
    corners = mesh.vertices_m[mesh.faces[np.unique(ids[ids >= 0])]] + [0, 0, 0.6]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.einsum("fi,fi->f", normals, corners.mean(axis=1)) < 0).all()


def test_a_large_texture_seen_small_does_not_alias() -> None:
    """A fine checker far below a pixel is grey, whatever the sub-pixel position."""
    square = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * 0.1
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
    checker = (np.indices((2048, 2048)).sum(axis=0) % 2 * 255).astype(np.uint8)
    mesh = Mesh(square, np.array([[0, 2, 1], [0, 3, 2]]), uv, np.repeat(checker[..., None], 3, 2))
    renderer = Renderer(mesh, CAMERA, threads=1)
    for shift in (0.0, 0.0003, 0.0007):
        seen = renderer.render(np.eye(3), (shift, 0, 0.9))
        inner = seen.coverage[0] == 1.0
        assert inner.sum() > 300
        assert np.abs(seen.rgb[0][inner] - 0.5).max() < 0.02


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"R_m2c": np.eye(4)}, "R_m2c: expected shape"),
        ({"t_m2c": np.zeros(4)}, "t_m2c: expected shape"),
        ({"t_m2c": (np.nan, 0, 1)}, "t_m2c: expected finite"),
        ({"d_rgb": np.zeros((48, 64))}, "d_rgb: expected shape"),
        ({"d_coverage": np.zeros((64, 48))}, "d_coverage: expected shape"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, object], words: str) -> None:
    given: dict[str, object] = {"R_m2c": np.eye(3), "t_m2c": (0.0, 0.0, 0.6)} | arguments
    with pytest.raises(DiffDopeError, match=words):
        Renderer(ball(), CAMERA, threads=1).backward(**given)  # type: ignore[arg-type]


def test_threads_must_be_positive() -> None:
    with pytest.raises(DiffDopeError, match="threads: expected a positive integer"):
        set_threads(0)
