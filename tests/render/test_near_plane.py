"""What crosses the camera's plane is drawn up to the near plane: depth, colour, outlines and their derivative."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from diffdope.geometry.camera import Camera
from diffdope.render.reference import render
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from tests.oracle.differences import central_difference, rotation
from tests.oracle.kernels import COMBINATIONS, fused, mesh_of, oracle_cost, oracle_gradient, settings
from tests.oracle.scenes import KINDS, SCENE_COUNT, Scene, observe, random_scene, reference_scene
from tests.oracle.shapes import box as box_shape
from tests.oracle.shapes import shifted

Array = NDArray[np.float64]
NEAR_M = 1e-3
# Triangles of the fine ball that cross the near plane are too small to be seen.
SEEDS = [seed for seed in range(SCENE_COUNT) if KINDS[seed % len(KINDS)] != "icosphere_fine"]
CAMERA = Camera(90.0, 92.0, 47.3, 35.8, 96, 72)
STILL, HERE = np.eye(3), np.zeros(3)


def beside(seed: int) -> Scene:
    """A random scene whose object stands beside the camera, so that the near plane passes through triangles of it.

    What is seen is some millimetres away, else the cut itself would be seen, which is no outline. Textures are small,
    so that nothing is minified: the motion of the mip level is not part of the derivative.
    """
    scene, rng = random_scene(seed), np.random.default_rng(seed)
    if scene.uv is not None:
        texture = np.random.default_rng(seed).integers(0, 255, (6, 6, 3)).astype(np.uint8)
        uv = 0.1 + 0.8 * scene.uv  # between the middles of the outermost texels, where colours have slopes
        reference = reference_scene(scene.vertices_m, scene.faces, uv=uv, texture=texture)
        scene = replace(scene, uv=uv, texture=texture, reference=reference)
    turned = scene.vertices_m @ scene.R.T
    middle = (turned.max(axis=0) + turned.min(axis=0)) / 2
    focal = 0.4 * min(scene.width, scene.height)
    K = (focal, focal * 1.01, rng.uniform(0.4, 0.6) * scene.width, rng.uniform(0.4, 0.6) * scene.height)
    for _ in range(100):
        angle, behind = rng.uniform(0, 2 * np.pi), np.quantile(turned[:, 2], rng.uniform(0.1, 0.5))
        across = rng.uniform(0.2, 0.5) * scene.length * np.array([np.cos(angle), np.sin(angle)])
        near = replace(scene, K=K, t=np.array([*(across - middle[:2]), NEAR_M - behind]))
        ahead, seen = turned[:, 2][near.faces] > behind, near.images()
        crossing = ahead.any(axis=1) & ~ahead.all(axis=1)
        depths = seen.raw_depth[seen.ids >= 0]
        if len(depths) > 50 and depths.min() > 0.005 and crossing[seen.ids[seen.ids >= 0]].any():
            return near
    raise AssertionError("no such place was found")


def camera_of(scene: Scene) -> Camera:
    return Camera(*scene.K, scene.width, scene.height)


def divided(mesh: Mesh, rounds: int) -> Mesh:
    """Every triangle cut into four, and again."""
    vertices, faces = mesh.vertices_m, mesh.faces
    for _ in range(rounds):
        a, b, c = (vertices[faces[:, k]] for k in range(3))
        corners = [a, (a + b) / 2, b, (b + c) / 2, c, (c + a) / 2]
        pieces = [(0, 1, 5), (1, 2, 3), (5, 3, 4), (1, 3, 5)]
        vertices = np.concatenate([np.stack([corners[i] for i in piece], axis=1) for piece in pieces]).reshape(-1, 3)
        vertices, index = np.unique(vertices.round(12), axis=0, return_inverse=True)
        faces = index.reshape(-1, 3).astype(np.int32)
    return Mesh(vertices, faces)


def block(low: tuple[float, float, float], high: tuple[float, float, float]) -> Mesh:
    sides = tuple(float(b - a) for a, b in zip(low, high, strict=True))
    middle = tuple((a + b) / 2 for a, b in zip(low, high, strict=True))
    shape = shifted(box_shape((sides[0], sides[1], sides[2])), middle)
    return Mesh(shape.vertices_m, shape.faces)


def rays(camera: Camera) -> Array:
    """(H, W, 3) of depth 1."""
    v, u = np.mgrid[: camera.height, : camera.width]
    return np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(u.shape)], axis=-1)


# --- against geometry that is known ------------------------------------------------------------------------------


@pytest.mark.parametrize("tilt", [(0.0, 0.0, 0.0), (0.2, 0.0, 0.1), (-0.15, 0.1, -0.4)])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("height_m", [0.003, 0.04, 0.3])
def test_a_table_below_the_camera_has_the_depth_of_its_plane_in_every_pixel(
    tilt: tuple[float, float, float], turned: bool, height_m: float
) -> None:
    """Two triangles that reach 1.7 m to all sides, far behind the camera as well."""
    corners = np.array([[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]]) * 1.7
    faces = np.array([[0, 1, 2], [0, 2, 3]])[:, :: -1 if turned else 1]
    R, t = rotation(np.array(tilt)), np.array([0.0, height_m, 0.0])
    images = Renderer(Mesh(corners, faces), CAMERA, threads=1).render(R, t)
    ray = rays(CAMERA)
    depth = (R[:, 1] @ t) / (ray @ R[:, 1])
    hit = (depth[..., None] * ray - t) @ R
    inside = (depth > NEAR_M) & (np.abs(hit[..., [0, 2]]).max(axis=-1) < 1.7)
    clear = minimum_filter(inside, 3) == maximum_filter(inside, 3)  # next to no outline
    assert (inside & clear).sum() > 500
    assert np.array_equal(images.coverage[0][clear], inside[clear])
    error = np.abs(images.depth[0] / depth - 1)[inside & clear]
    assert error.max() < 1e-4  # float32, and a plane that is nearer by far than what is seen of it


@pytest.mark.parametrize("inwards", [False, True])
def test_a_camera_in_a_room_sees_its_walls(inwards: bool) -> None:
    """Every pixel, whichever side of the walls is out."""
    room = block((-1.5, -1.0, -0.5), (1.0, 1.2, 2.5))
    if inwards:
        room = Mesh(room.vertices_m, room.faces[:, ::-1])
    R = rotation(np.array([0.2, 0.5, -0.3]))
    images = Renderer(room, CAMERA, threads=1).render(R, HERE)
    direction = rays(CAMERA) @ R
    to_low, to_high = np.array([-1.5, -1.0, -0.5]) / direction, np.array([1.0, 1.2, 2.5]) / direction
    depth = np.maximum(to_low, to_high).min(axis=-1)
    assert (images.coverage == 1.0).all()
    assert np.abs(images.depth[0] / depth - 1).max() < 1e-5


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ((-0.02, 0.05, -0.3), (0.04, 0.08, 1.0)),  # a bar that passes below the camera
        ((0.05, -0.2, -0.1), (0.06, 0.3, 0.4)),  # a wall to the right
        ((-1.7, 0.1, -1.7), (1.7, 0.2, 1.7)),  # a conveyor
        ((-0.3, -0.02, -0.05), (-0.015, 0.02, 0.2)),  # a gripper's finger
        ((-0.05, -0.06, -1.0), (0.07, 0.05, 0.3)),  # the camera is inside
    ],
)
@pytest.mark.parametrize("turn", [0.0, 0.4])
def test_coarse_triangles_are_drawn_as_fine_ones_are(
    low: tuple[float, float, float], high: tuple[float, float, float], turn: float
) -> None:
    mesh = block(low, high)
    R = rotation(np.array([0.1 * turn, 0.2 * turn, turn]))
    weights = np.random.default_rng(0).normal(size=(1, CAMERA.height, CAMERA.width))
    found = []
    for each in (mesh, divided(mesh, 5)):
        renderer = Renderer(each, CAMERA, threads=1)
        images = renderer.render(R, HERE)
        found.append((images, renderer.backward(R, HERE, d_coverage=weights, d_depth=weights)[0]))
    (coarse, gradient), (fine, expected) = found
    assert (coarse.coverage > 0.5).sum() > 200
    # Fine triangles are still cut by the near plane, and vertices close to it are imprecise in float32.
    assert (np.abs(coarse.coverage - fine.coverage) > 2e-3).mean() < 1e-3
    assert (np.abs(coarse.depth - fine.depth) > 1e-4 * fine.depth).mean() < 1e-3
    assert np.linalg.norm(gradient - expected) < 2e-2 * np.linalg.norm(expected)


def test_the_near_plane_itself_cuts() -> None:
    """A wall 1 mm to the right: it is seen from the depth of 1 mm on, which lies in the picture."""
    wall = Mesh(np.array([[0.001, -1, -1], [0.001, 1, -1], [0.001, 1, 1], [0.001, -1, 1]]), [[0, 1, 2], [0, 2, 3]])
    camera = Camera(20.0, 20.0, 47.5, 35.5, 96, 72)
    depth = Renderer(wall, camera, threads=1).render(STILL, HERE).depth[0, 36]
    expected = 20.0 * 0.001 / np.maximum(np.arange(96) - 47.5, 1e-9)
    seen = (expected > NEAR_M) & (expected < 1)
    assert depth[seen] == pytest.approx(expected[seen], rel=1e-4)
    assert not depth[~seen].any()


@pytest.mark.parametrize("z", [0.001, 0.0, -0.2])
def test_what_is_wholly_on_or_behind_the_near_plane_is_not_drawn(z: float) -> None:
    square = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * 0.1
    leaning = square.copy()
    leaning[[0, 3], 2] = -0.3
    for vertices in (square, leaning):
        images = Renderer(Mesh(vertices, [[0, 1, 2], [0, 2, 3]]), CAMERA, threads=1).render(STILL, [0, 0, z])
        assert not images.coverage.any()
        assert (images.triangle_id == -1).all()


def test_a_corner_on_the_near_plane_is_behind_it_and_its_face_is_drawn() -> None:
    corner = np.array([[0.0, 0.0, 0.001], [0.5, -0.1, 1.0], [0.5, 0.3, 1.0]])
    for z in (0.0, -1e-6, 1e-6):
        images = Renderer(Mesh(corner, [[0, 1, 2]]), CAMERA, threads=1).render(STILL, [0, 0, z])
        assert (images.coverage > 0.5).sum() > 300
        assert np.isfinite(images.depth).all()


def test_a_face_that_is_seen_from_its_edge_is_not_drawn() -> None:
    """The camera lies in its plane."""
    mesh = Mesh(np.array([[0.0, 0, -1], [1, 0, 1], [-1, 0, 1]]), [[0, 1, 2]])
    images = Renderer(mesh, CAMERA, threads=1).render(rotation(np.array([0, 0, 0.3])), HERE)
    assert not images.coverage.any()


@pytest.mark.parametrize("colouring", ["texture", "vertex"])
def test_colours_of_a_cut_face_are_perspective_correct(colouring: str) -> None:
    """A table whose colour grows with the distance, from 1 m behind the camera to 1 m before it."""
    corners = np.array([[-1, 0.1, -1], [1, 0.1, -1], [1, 0.1, 1], [-1, 0.1, 1]])
    share = np.array([0.0, 0.0, 1.0, 1.0])
    if colouring == "vertex":
        mesh = Mesh(corners, [[0, 1, 2], [0, 2, 3]], colors=np.repeat(share[:, None], 3, axis=1))
    else:
        ramp = np.linspace(0, 255, 1024).round().astype(np.uint8)[:, None, None]
        mesh = Mesh(
            corners, [[0, 1, 2], [0, 2, 3]], uv=np.stack([0.5 * np.ones(4), (share * 1023 + 0.5) / 1024], axis=1),
            texture=np.broadcast_to(ramp, (1024, 2, 3)).copy(),
        )  # fmt: skip
    images = Renderer(mesh, CAMERA, threads=1).render(STILL, HERE)
    v = np.arange(CAMERA.height)
    depth = CAMERA.fy * 0.1 / np.maximum(v - CAMERA.cy, 1e-9)
    rows = (depth > 0.15) & (depth < 0.8)
    found = images.rgb[0, rows, int(CAMERA.cx), 1]
    assert rows.sum() > 20
    assert found == pytest.approx((depth[rows] + 1) / 2, abs=1e-5 if colouring == "vertex" else 5e-3)


# --- against the reference -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_images_are_the_references(seed: int) -> None:
    scene = beside(seed)
    got = Renderer(mesh_of(scene), camera_of(scene), threads=1).render(scene.R, scene.t)
    seen = scene.images()
    for image, expected in ((got.rgb[0], seen.P), (got.coverage[0], seen.A)):
        off = np.abs(image - expected).reshape(scene.height, scene.width, -1).max(axis=2) > 2e-3
        assert off.mean() <= 1e-3
    assert (np.abs(got.depth[0] - seen.depth) > 1e-4).mean() <= 3e-3


@pytest.mark.parametrize("seed", SEEDS)
def test_backward_is_the_derivative_of_any_cost(seed: int) -> None:
    scene = beside(seed)
    rng = np.random.default_rng(seed)
    size = (scene.height, scene.width)
    weights = (rng.normal(size=(*size, 3)), rng.normal(size=size) * 10, rng.normal(size=size))

    def value(R: Array, t: Array) -> float:
        seen = render(scene.reference, scene.K, scene.width, scene.height, R, t)
        return float(sum((w * image).sum() for w, image in zip(weights, (seen.P, seen.depth, seen.A), strict=True)))

    expected = central_difference(value, scene.R, scene.t, 1e-8)
    renderer = Renderer(mesh_of(scene), camera_of(scene), threads=1)
    got = renderer.backward(scene.R, scene.t, d_rgb=weights[0], d_depth=weights[1], d_coverage=weights[2])[0]
    balance = np.array([1.0, 1.0, 1.0, *[scene.length / 2] * 3])
    error = np.linalg.norm((got - expected) / balance) / np.linalg.norm(expected / balance)
    assert error < (0.02 if scene.uv is not None else 1e-3)  # faces seen at a slant are minified nevertheless


@pytest.mark.parametrize("seed", SEEDS[::4])
def test_cost_and_gradient_of_the_fused_pass_are_the_references(seed: int) -> None:
    """The objective goes through the same planes and contours."""
    scene = beside(seed)
    seen = scene.images(t=np.add(scene.t, [0.003, -0.002, 0.001]))
    observation = observe(np.random.default_rng(seed), seen, binary_mask=False)
    scene = replace(scene, observation=replace(observation, G=np.ones_like(seen.A)))
    pair = settings(COMBINATIONS["rgb+depth+mask"], scene.length)
    found = fused(scene, pair)
    assert found.cost[0] == pytest.approx(oracle_cost(scene, pair, scene.R, scene.t), rel=2e-3)
    expected = oracle_gradient(scene, pair, 1e-8)
    balance = np.array([1.0, 1.0, 1.0, *[scene.length / 2] * 3])
    assert np.linalg.norm((found.gradient[0] - expected) / balance) < 0.03 * np.linalg.norm(expected / balance)
