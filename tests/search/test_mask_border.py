"""A mask too wide all around fits a nearer object; its own shape and the photograph show that it is too wide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from scipy import ndimage

import diffdope as dd
from diffdope.estimate.confidence import as_often_right
from diffdope.estimate.tolerance import probability_within
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import PRESETS
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.scene.signed_distance import signed_distance
from diffdope.search.checks.mask_border import beside_start, border_of, of_border
from diffdope.search.mesh_levels import MeshLevels

MESH, OBSERVATION, START, TRUTH = packaged_example()
MESHES = MeshLevels(MESH, threads=1)
MASK = OBSERVATION.mask > 0.5  # type: ignore[operator]
RADIUS_PX = float(np.sqrt(MASK.sum() / np.pi))
BORDER_PX = 1.5


def wider(by_px: int, **images: object) -> Observation:
    grown = ndimage.binary_dilation if by_px > 0 else ndimage.binary_erosion
    mask = grown(MASK, iterations=abs(by_px)) if by_px else MASK
    return Observation(OBSERVATION.camera, **{"rgb": OBSERVATION.rgb, "mask": mask, **images})


def wavy(by_px: float = 1.5) -> Observation:
    """A mask such as networks make, whose border wanders by so many pixels (standard deviation)."""
    noise = ndimage.gaussian_filter(np.random.default_rng(5).normal(size=MASK.shape), 6.0)
    mask = signed_distance(MASK) + by_px * noise / noise.std() < 0.0
    return Observation(OBSERVATION.camera, rgb=np.full_like(OBSERVATION.rgb, 0.5), mask=mask)


def as_the_mask_has_it(by_px: int) -> Pose:
    return Pose(TRUTH.R_m2c, TRUTH.t_m2c * RADIUS_PX / (RADIUS_PX + by_px))


@pytest.mark.parametrize("by_px", [4, 3, 2, -2, -3, -4])
def test_a_border_beside_the_photographs_edges_is_seen(by_px: int) -> None:
    found = border_of(MESHES, wider(by_px), BORDER_PX, as_the_mask_has_it(by_px))
    assert found is not None
    assert 0.5 < found.outside_px / by_px < 1.1
    assert found.told
    assert found.nearer == pytest.approx(1.0 / RADIUS_PX, rel=0.2)


def test_a_border_at_its_place_is_surer_than_borders_are() -> None:
    found = border_of(MESHES, wider(0), BORDER_PX, TRUTH)
    assert found is not None
    assert not found.told
    assert found.off_px < 0.4 * BORDER_PX
    assert of_border(MESHES, wider(0), BORDER_PX, TRUTH, None).note == ""


@pytest.mark.parametrize("by_px", [4, 3, 2, 1, -1, -2, -3, -4])
def test_a_masks_own_shape_tells_its_width(by_px: int) -> None:
    alone = Observation(OBSERVATION.camera, mask=wider(by_px).mask)
    found = border_of(MESHES, alone, BORDER_PX, as_the_mask_has_it(by_px))
    assert found is not None
    assert abs(found.outside_px - by_px) < min(2.5 * found.deviation_px, 0.6)
    assert found.deviation_px < 0.5 * BORDER_PX
    assert found.told


def test_a_mask_whose_shape_is_the_objects_is_exact() -> None:
    found = border_of(MESHES, Observation(OBSERVATION.camera, mask=MASK), BORDER_PX, TRUTH)
    assert found is not None and found.off_px < 0.1 * BORDER_PX


def test_the_mask_of_a_ball_does_not_tell_its_width() -> None:
    ball = MeshLevels(dd.Mesh.from_trimesh(trimesh.creation.icosphere(5, 0.05)), threads=1)
    camera, pose = OBSERVATION.camera, Pose(np.eye(3), np.array([0.0, 0.0, 0.5]))
    drawn = Renderer(ball.mesh, camera).render(pose.R_m2c, pose.t_m2c)
    grown = ndimage.binary_dilation(drawn.coverage[0] > 0.5, iterations=2)
    radius_px = camera.fx * 0.1
    nearer = Pose(pose.R_m2c, pose.t_m2c * radius_px / (radius_px + 2.0))
    found = border_of(ball, Observation(camera, mask=grown), BORDER_PX, nearer)
    assert found is not None
    assert not found.told
    assert found.off_px > 0.6 * BORDER_PX  # exact, or as far off as masks are: which of both is not to be seen


def test_a_border_is_as_unsure_as_borders_are_where_little_is_seen() -> None:
    elsewhere = wider(0, mask=np.roll(MASK, MASK.shape[1] // 3, axis=1))  # so the outline is not the mask's border
    found = border_of(MESHES, elsewhere, BORDER_PX, TRUTH)
    assert found is not None
    assert found.outside_px == pytest.approx(0.0, abs=1e-9)
    assert found.off_px == pytest.approx(BORDER_PX, rel=0.02)
    doubt = of_border(MESHES, elsewhere, BORDER_PX, TRUTH, None)
    assert doubt.off_m == pytest.approx(BORDER_PX / RADIUS_PX * np.linalg.norm(TRUTH.t_m2c), rel=0.2)
    assert doubt.note == ""
    rough = border_of(MESHES, wavy(), BORDER_PX, TRUTH)
    assert rough is not None
    assert rough.off_px > 0.8 * BORDER_PX and not rough.told
    behind = Pose(TRUTH.R_m2c, -TRUTH.t_m2c)
    assert border_of(MESHES, wider(0), BORDER_PX, behind) is None


def test_masks_that_are_exact_are_not_doubted() -> None:
    assert of_border(MESHES, wider(2), 0.0, as_the_mask_has_it(2), None).off_m == 0.0


def test_where_neither_shape_nor_edges_tell_a_result_is_as_unsure_as_masks_are() -> None:
    mesh = dd.Mesh(MESH.vertices_m, MESH.faces)
    dark = wavy(0.5)  # one that is rougher draws the pose less than the start does
    start = Pose(TRUTH.R_m2c, TRUTH.t_m2c + 0.3 * MESH.diameter * np.array([0.1, 0.0, 0.3]))
    unsure = Refiner(mesh, threads=1).refine(dark, start)
    default = PRESETS["default"]
    noise = replace(default.search.noise, mask_border_px=0.0)
    exact = Refiner(mesh, preset=replace(default, search=replace(default.search, noise=noise)), threads=1).refine(
        dark, start
    )
    assert exact.pose.distance_to(unsure.pose) < 1e-6  # the pose stays
    assert (unsure.confidence or 0.0) < 0.5 < (exact.confidence or 0.0)
    ray = unsure.pose.t_m2c / np.linalg.norm(unsure.pose.t_m2c)
    assert unsure.covariance is not None and exact.covariance is not None
    added = ray @ (unsure.covariance - exact.covariance)[:3, :3] @ ray
    assert np.sqrt(added) < 1.2 * BORDER_PX / RADIUS_PX * np.linalg.norm(unsure.pose.t_m2c)
    assert np.sqrt(added) > 0.03 * mesh.diameter


def test_a_start_says_how_far_off_it_may_be_as_normal_errors_do() -> None:
    rng = np.random.default_rng(3)
    off_m, start_m = 0.02, 0.004
    errors = rng.normal(0.0, off_m, 400_000)
    starts = rng.normal(0.0, start_m, errors.size)
    along_m = 0.006
    alike = np.abs(errors - starts - along_m) < 5e-4
    start = Pose(TRUTH.R_m2c, TRUTH.t_m2c)
    ray = TRUTH.t_m2c / np.linalg.norm(TRUTH.t_m2c)
    beside = np.cross(ray, [0.0, 1.0, 0.0])
    moved = along_m * ray + np.sqrt(2.0) * start_m * beside / np.linalg.norm(beside)
    found = beside_start(off_m, Pose(TRUTH.R_m2c, TRUTH.t_m2c + moved), start)
    assert found == pytest.approx(float(np.sqrt(np.mean(errors[alike] ** 2))), rel=0.05)
    assert beside_start(off_m, start, start) == 0.0
    far = Pose(TRUTH.R_m2c, TRUTH.t_m2c + 0.02 * ray + 0.5 * beside)
    assert beside_start(off_m, far, start) == pytest.approx(off_m, rel=0.05)  # which tells nothing


def test_a_start_does_not_move_an_error_that_is_known() -> None:
    start = Pose(TRUTH.R_m2c, TRUTH.t_m2c)
    ray = TRUTH.t_m2c / np.linalg.norm(TRUTH.t_m2c)
    beside = np.cross(ray, [0.0, 1.0, 0.0])
    moved = Pose(TRUTH.R_m2c, TRUTH.t_m2c + 0.006 * ray + 0.004 * np.sqrt(2.0) * beside / np.linalg.norm(beside))
    assert beside_start(0.0005, moved, start, 0.02) == pytest.approx(0.02, rel=0.05)
    assert beside_start(1.0, moved, start, 0.02) == pytest.approx(np.hypot(0.006, 0.004), rel=0.02)
    share = 0.008**2 / (0.008**2 + 0.004**2)
    mean_m = share * 0.006 + (1.0 - share) * 0.02
    assert beside_start(0.008, moved, start, 0.02) == pytest.approx(np.hypot(mean_m, np.sqrt(share) * 0.004), rel=0.01)


@pytest.mark.parametrize("by_px", [2, 3])
def test_what_is_located_in_a_mask_that_is_too_wide_is_not_sure(by_px: int) -> None:
    result = Refiner(MESH, threads=1).locate(wider(by_px))
    assert abs(np.linalg.norm(result.pose.t_m2c) / np.linalg.norm(TRUTH.t_m2c) - 1.0) > 0.01
    assert (result.confidence or 0.0) < 0.5
    assert "mask-beside-edges" in result.note_codes


def test_what_is_located_in_a_right_mask_is_as_sure_as_before() -> None:
    result = Refiner(MESH, threads=1).locate(wider(0))
    assert "mask-beside-edges" not in result.note_codes
    off_m = result.pose.distance_to(TRUTH)
    assert off_m < 0.03 * MESH.diameter
    assert (result.confidence or 0.0) > 0.5


def test_what_a_border_may_be_off_counts_once() -> None:
    search = replace(PRESETS["default"].search, confidence=dd.ConfidenceSettings(tolerance_m=0.0012))
    refiner = Refiner(MESH, preset=replace(PRESETS["default"], search=search), threads=1)
    found = refiner.refine(wider(0), dd.Pose(START.R_m2c, START.t_m2c)), refiner.locate(wider(0))
    for result, started in zip(found, (True, False), strict=True):
        assert result.covariance is not None and result.right_minimum is not None
        ray = result.pose.t_m2c / np.linalg.norm(result.pose.t_m2c)
        start = result.initial_pose if started else None
        noise = search.noise
        own = of_border(
            refiner.meshes, wider(0), noise.mask_border_px, result.pose, start, shift_px=noise.mask_shift_px
        )  # fmt: skip
        along_m = float(np.sqrt(ray @ result.covariance[:3, :3] @ ray))
        assert own.off_m < along_m < 1.3 * own.off_m  # 2 times, with what all of a border has in common beside it
        given = 0.0012, result.covariance, refiner.meshes.displacement_form, result.pose.R_m2c
        often = as_often_right(result.right_minimum, probability_within(*given), by_mask=True)
        assert result.confidence == pytest.approx(often, rel=1e-3)


def test_depth_tells_the_distance_whatever_the_mask() -> None:
    result = Refiner(MESH, threads=1).refine(wider(2, depth=OBSERVATION.depth), dd.Pose(START.R_m2c, START.t_m2c))
    assert "mask-beside-edges" not in result.note_codes
