"""Colours learned from a frame, on drawn pictures: their derivative, and what they lead to."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from diffdope.experiments.shapes import icosphere
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry.pose import Pose
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.terms.contour import smoothed
from diffdope.terms.keyframe import Keyframe, shown_there, surface_at

SEEN = Observation(CAMERA, rgb=np.zeros((CAMERA.height, CAMERA.width, 3), np.uint8))
POSE = Pose(np.eye(3), np.array([0.01, -0.005, 0.5])).retract([0.0, 0.0, 0.0, 0.6, 0.4, 0.0])
BESIDE = POSE.retract([0.0008, -0.0006, 0.001, 0.008, -0.006, 0.01])


def smooth_picture(box: Mesh, pose: Pose) -> np.ndarray:
    made = picture([(box, pose)], np.random.default_rng(1), noise=SensorNoise(rgb=0.005))
    assert made.rgb is not None
    return smoothed(made.rgb)


def drawn(box: Mesh, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
    images = Renderer(Mesh(box.vertices_m, box.faces), CAMERA).render(pose.R_m2c, pose.t_m2c)
    return images.coverage[0], images.depth[0]


def surface(depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points and normals (H, W, 3) of all pixels."""
    row, column = np.indices(depth.shape).reshape(2, -1)
    points, normals = surface_at(row, column, depth, CAMERA)
    return points.reshape(*depth.shape, 3), normals.reshape(*depth.shape, 3)


@pytest.fixture(scope="module")
def keyframe(box: Mesh) -> Keyframe:
    found = Keyframe.of(smooth_picture(box, POSE), *drawn(box, POSE), SEEN, POSE, box.diameter)
    assert found is not None
    return found


def test_points_are_on_the_object_in_its_own_frame(box: Mesh, keyframe: Keyframe) -> None:
    half = np.abs(box.vertices_m).max(axis=0)
    assert (np.abs(keyframe.points) < half + 1e-3).all()
    from_faces = np.abs(np.abs(keyframe.points) - half).min(axis=1)
    assert from_faces.max() < 1e-4  # they lie in the planes of its faces


def test_a_few_steps_lead_back_to_where_the_colours_were_learned(box: Mesh, keyframe: Keyframe) -> None:
    photograph, pose = smooth_picture(box, POSE), BESIDE
    for _ in range(6):
        factor = keyframe.factor(photograph, *drawn(box, pose), SEEN, pose, box.diameter)
        assert factor is not None
        pose = pose.retract(np.linalg.solve(factor.curvature, -factor.slope))
    assert pose.distance_to(POSE) < 0.1 * BESIDE.distance_to(POSE)
    assert pose.angle_to(POSE) < 0.1 * BESIDE.angle_to(POSE)


def test_the_slope_is_the_derivative_of_the_residuals_weighted_as_they_are(box: Mesh, keyframe: Keyframe) -> None:
    photograph = smooth_picture(box, POSE)
    factor = keyframe.factor(photograph, *drawn(box, BESIDE), SEEN, BESIDE, box.diameter)
    assert factor is not None

    def cost(step: np.ndarray) -> float:
        pose = BESIDE.retract(step)
        other = keyframe.factor(photograph, *drawn(box, pose), SEEN, pose, box.diameter)
        assert other is not None
        return other.constant

    # Points come and go, and weights and light change, so that differences agree in direction, not to the digit.
    steps = 1e-4 * np.diag([1.0, 1.0, 1.0, 10.0, 10.0, 10.0])
    numeric = np.array([(cost(step) - cost(-step)) / (2.0 * step.max()) for step in steps])
    scale = np.sqrt(np.diag(factor.curvature))
    a, b = numeric / scale, factor.slope / scale
    assert a @ b > 0.95 * np.linalg.norm(a) * np.linalg.norm(b)


@pytest.mark.parametrize(("gain", "bias"), [(0.8, 0.1), (1.2, -0.05)])
def test_another_light_changes_nothing(box: Mesh, keyframe: Keyframe, gain: float, bias: float) -> None:
    photograph = smooth_picture(box, POSE)
    lit = np.asarray(gain * photograph + bias, np.float32)
    here = [keyframe.factor(image, *drawn(box, BESIDE), SEEN, BESIDE, box.diameter) for image in (photograph, lit)]
    assert here[0] is not None and here[1] is not None
    steps = [np.linalg.solve(factor.curvature, -factor.slope) for factor in here if factor is not None]
    assert np.abs(steps[0][:3] - steps[1][:3]).max() < 0.1 * np.linalg.norm(steps[0][:3])


def test_support_tells_where_the_colours_are_from_elsewhere(box: Mesh, keyframe: Keyframe) -> None:
    photograph, away = smooth_picture(box, POSE), POSE.retract([0.02, 0.01, 0.0, 0.0, 0.0, 0.3])
    there = keyframe.support(photograph, *drawn(box, POSE), SEEN, POSE, box.diameter)
    elsewhere = keyframe.support(photograph, *drawn(box, away), SEEN, away, box.diameter)
    assert there is not None and elsewhere is not None
    assert there > 0.95 and elsewhere < 0.8 * there


def test_sides_that_are_not_seen_say_nothing(box: Mesh, keyframe: Keyframe) -> None:
    behind = POSE.retract([0.0, 0.0, 0.0, 0.0, np.pi, 0.0])
    assert keyframe.factor(smooth_picture(box, POSE), *drawn(box, behind), SEEN, behind, box.diameter) is None


def test_too_little_of_the_object_gives_no_keyframe(box: Mesh) -> None:
    nothing = np.zeros((CAMERA.height, CAMERA.width), np.float32)
    assert Keyframe.of(smooth_picture(box, POSE), nothing, nothing, SEEN, POSE, box.diameter) is None


def test_normals_are_those_of_the_faces(box: Mesh, keyframe: Keyframe) -> None:
    length = np.linalg.norm(keyframe.normals, axis=1)
    assert length == pytest.approx(np.ones(len(length)), abs=1e-6)
    half = np.abs(box.vertices_m).max(axis=0)
    face = np.argmin(np.abs(np.abs(keyframe.points) - half), axis=1)
    rows = np.arange(len(face))
    outwards = keyframe.normals[rows, face] * np.sign(keyframe.points[rows, face])
    assert np.mean(np.abs(outwards) > 0.98) > 0.9  # but for pixels at edges
    assert np.unique(np.sign(outwards)).size == 1  # all of them outwards, or all inwards


def test_faces_that_become_brighter_or_darker_as_they_turn_change_nothing(box: Mesh, keyframe: Keyframe) -> None:
    photograph = smooth_picture(box, POSE)
    coverage, depth = drawn(box, POSE)
    _, normals = surface(depth)
    turned = np.where(coverage[..., None] > 0.5, normals @ np.array([[0.2], [-0.15], [0.1]]), 0.0)
    lit = np.asarray(photograph + turned, np.float32)
    evenly = keyframe.support(photograph, coverage, depth, SEEN, POSE, box.diameter)
    shaded = keyframe.support(lit, coverage, depth, SEEN, POSE, box.diameter)
    assert evenly is not None and shaded is not None
    assert shaded == pytest.approx(evenly, abs=0.02)
    factor = keyframe.factor(lit, coverage, depth, SEEN, POSE, box.diameter)
    assert factor is not None
    step = np.linalg.solve(factor.curvature, -factor.slope)
    assert np.linalg.norm(step[:3]) < 0.1 * BESIDE.distance_to(POSE)
    assert np.linalg.norm(step[3:]) < 0.1 * BESIDE.angle_to(POSE)


def test_where_depth_shows_something_else_no_colour_is_learned_or_compared(box: Mesh) -> None:
    coverage, depth = drawn(box, POSE)
    column = np.broadcast_to(np.arange(depth.shape[1]), depth.shape)
    hand = column <= int(np.nonzero(coverage)[1].mean())
    measured = np.where(hand, depth - 0.012, depth) * (coverage > 0.0)  # a finger that lies on it
    held = Observation(CAMERA, depth=measured.astype(np.float32))
    photograph = smooth_picture(box, POSE)
    found = Keyframe.of(photograph, coverage, depth, held, POSE, box.diameter)
    assert found is not None
    at = POSE.apply(found.points)
    assert (CAMERA.fx * at[:, 0] / at[:, 2] + CAMERA.cx).min() > column[hand].max() + 1
    painted_hand = np.where(hand[..., None], np.float32(0.9), photograph)
    whole = Keyframe.of(photograph, coverage, depth, SEEN, POSE, box.diameter)
    assert whole is not None
    told = whole.support(painted_hand, coverage, depth, held, POSE, box.diameter)
    untold = whole.support(painted_hand, coverage, depth, SEEN, POSE, box.diameter)
    assert told is not None and untold is not None
    assert told > 0.95 and untold < 0.7


def test_what_is_not_measured_says_nothing_and_beside_depth_the_outline_is_left_out(box: Mesh) -> None:
    coverage, depth = drawn(box, POSE)
    assert (shown_there(coverage, depth, None, box.diameter) == coverage).all()
    held = shown_there(coverage, depth, depth, box.diameter)
    assert (shown_there(coverage, depth, np.zeros_like(depth), box.diameter) == held).all()
    inside = ndimage.binary_erosion(coverage > 0.5, iterations=2)
    assert ((held > 0.0) == inside).all()


def test_beside_depth_a_soft_shadow_on_a_plain_object_pulls_less_than_a_pattern_that_is_a_pixel_off() -> None:
    plain = Mesh(*icosphere(3, 0.05))
    pose = Pose(np.eye(3), np.array([0.0, 0.0, 0.5]))
    coverage, depth = drawn(plain, pose)
    held = Observation(CAMERA, depth=depth)
    points, normals = surface(depth)
    even = np.where(coverage[..., None] > 0.5, 0.5 + 0.2 * normals[..., :1], 0.2).repeat(3, axis=2)
    shadow = 0.1 * np.sin(40.0 * points[..., :1] + 1.0) * (coverage[..., None] > 0.5)
    lit = [smoothed(np.asarray(np.clip(one, 0.0, 1.0), np.float32)) for one in (even, even + shadow)]
    found = Keyframe.of(lit[0], coverage, depth, held, pose, plain.diameter)
    assert found is not None
    shaded = found.factor(lit[1], coverage, depth, held, pose, plain.diameter)
    striped = 0.2 * (np.sin(400.0 * points[..., :1]) > 0.0)
    prints = [smoothed(np.asarray(even + np.roll(striped, off, axis=1), np.float32)) for off in (0, 1)]
    learned = Keyframe.of(prints[0], coverage, depth, held, pose, plain.diameter)
    assert learned is not None
    moved = learned.factor(prints[1], coverage, depth, held, pose, plain.diameter)
    assert shaded is not None and moved is not None
    assert np.linalg.norm(shaded.slope[:3]) < 0.02 * np.linalg.norm(moved.slope[:3])


def test_normals_of_some_pixels_are_those_of_a_plane_up_to_its_rim_and_at_the_picture_s_border() -> None:
    normal = np.array([0.3, -0.2, -1.0]) / np.linalg.norm([0.3, -0.2, -1.0])
    row, column = np.indices((CAMERA.height, CAMERA.width))
    rays = np.stack([(column - CAMERA.cx) / CAMERA.fx, (row - CAMERA.cy) / CAMERA.fy, np.ones(row.shape)], axis=2)
    depth = np.asarray(-0.5 / (rays @ normal), np.float32)
    rim = CAMERA.width // 2
    depth[:, rim:] += 0.1  # something else, behind
    at = np.array([40, 40, 0, CAMERA.height - 1]), np.array([30, rim - 1, 20, 0])
    points, normals = surface_at(*at, depth, CAMERA)
    assert np.abs(points - rays[at] * depth[at][:, None]).max() < 1e-9
    assert np.abs(normals @ normal) == pytest.approx(np.ones(4), abs=1e-3)
    assert normals[0] @ normals[1] > 0.0
