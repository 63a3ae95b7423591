"""A failed result says why, from what its evidence shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import diffdope as dd
from diffdope.estimate.confidence import right_minimum
from diffdope.estimate.fit_quality import FitQuality
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.solids import box, joined
from diffdope.pipelines.diagnosis.failure_reasons import of_pictures, with_reasons
from diffdope.pipelines.diagnosis.implausible_inputs import of_units
from diffdope.pipelines.diagnosis.mirrored_mesh import mirror_image
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.search.checks.contradictions import CONTRADICTED

MESH, OBSERVATION, START, TRUTH = packaged_example()


def seen(*names: str, camera: Camera = OBSERVATION.camera, **instead: Any) -> Observation:
    images: dict[str, Any] = {name: getattr(OBSERVATION, name) for name in names}
    return Observation(camera, **{**images, **instead})


def failed(observation: Observation, mesh: Mesh = MESH, start: dd.Pose = START) -> RefinementResult:
    result = Refiner(mesh, threads=1).refine(observation, start)
    assert not result.ok, result
    return result


def test_a_mask_of_nearly_everything_is_named() -> None:
    mask = np.ones((OBSERVATION.camera.height, OBSERVATION.camera.width), bool)
    mask[:3] = False
    (said,) = of_pictures(MESH, seen("rgb", mask=mask), START)
    assert said.startswith("the mask covers 99 % of the picture: is it inverted")
    assert list(of_pictures(MESH, OBSERVATION, START)) == []
    assert list(of_pictures(MESH, OBSERVATION, None)) == []


def test_a_mask_of_nearly_everything_says_nothing_of_units() -> None:
    mask = np.ones((OBSERVATION.camera.height, OBSERVATION.camera.width), bool)
    small = MESH.scaled(0.1)  # whose size a mask of the object would contradict
    assert list(of_units(small, seen("rgb", "depth", "mask"), None))
    assert list(of_units(small, seen("rgb", "depth", mask=mask), None)) == []


def test_an_inverted_mask_says_so_in_the_message() -> None:
    mask = OBSERVATION.mask < 0.5  # type: ignore[operator]
    assert "is it inverted" in failed(seen("rgb", "mask", mask=mask)).message


@pytest.mark.parametrize("times", [2.0, 0.5])
def test_k_of_another_picture_size_is_named_with_its_factor(times: float) -> None:
    own = OBSERVATION.camera
    other = Camera(times * own.fx, times * own.fy, times * own.cx, times * own.cy, own.width, own.height)
    observation = seen("rgb", "depth", "mask", camera=other)
    (said,) = of_pictures(MESH, observation, START)
    assert f"of a picture {times:.2g} times as large" in said
    off_centre = replace(own, cx=1.4 * own.cx)  # a crop
    assert list(of_pictures(MESH, seen("rgb", camera=off_centre), START)) == []


BEHIND = np.where(OBSERVATION.mask > 0.5, 1.5, OBSERVATION.depth)  # type: ignore[operator]


def test_depth_of_what_lies_behind_is_left_out() -> None:
    glass = seen("rgb", "depth", "mask", depth=BEHIND)
    for result in (Refiner(MESH, threads=1).refine(glass, START), Refiner(MESH, threads=1).locate(glass)):
        assert result.ok and "depth" not in result.modalities
        assert result.notes[0].startswith("depth is left out: only")
        assert not any(note.startswith("depth is off") for note in result.notes)  # it was given
        assert result.pose.distance_to(TRUTH) < 0.003


def test_depth_that_fits_is_kept() -> None:
    assert "depth" in Refiner(MESH, threads=1).refine(OBSERVATION, START).modalities


def test_red_and_blue_swapped_are_named() -> None:
    rgb = np.ascontiguousarray(OBSERVATION.rgb[..., ::-1])  # type: ignore[index]
    result = Refiner(MESH, threads=1).refine(seen("rgb", "depth", "mask", rgb=rgb), START)
    assert result.ok or "BGR" in result.message


def test_what_is_right_gets_no_reason() -> None:
    result = Refiner(MESH, threads=1).refine(OBSERVATION, START)
    assert result.ok
    assert not any("inverted" in note or "BGR" in note or "mirror" in note for note in result.notes)


CHIRAL = Mesh(
    *joined(
        (points + np.array(offset), faces)
        for (points, faces), offset in (
            (box((0.10, 0.02, 0.02)), (0.05, 0.0, 0.0)),
            (box((0.02, 0.06, 0.02)), (0.0, 0.03, 0.0)),
            (box((0.02, 0.02, 0.04)), (0.1, 0.0, 0.02)),
        )
    )
)
CAMERA = Camera(fx=600.0, fy=600.0, cx=159.5, cy=119.5, width=320, height=240)
PLACE = dd.Pose.from_wxyz_xyz([0.8, 0.3, -0.4, 0.3, -0.03, -0.01, 0.5])


def drawn(mesh: Mesh, pose: dd.Pose, camera: Camera = CAMERA) -> Observation:
    images = Renderer(mesh, camera).render(pose.R_m2c, pose.t_m2c)
    return Observation(camera, depth=images.depth[0], mask=images.coverage[0] > 0.5)


def test_a_mirrored_mesh_is_named() -> None:
    start = PLACE.retract([0.002, -0.002, 0.003, 0.05, -0.03, 0.04])
    assert Refiner(CHIRAL, threads=1).refine(drawn(CHIRAL, PLACE), start).ok
    wrong = replace(CHIRAL, vertices_m=CHIRAL.vertices_m * [-1.0, 1.0, 1.0], faces=CHIRAL.faces[:, ::-1])
    said = failed(drawn(CHIRAL, PLACE), wrong, start).message
    assert "the mirror image of the mesh fits" in said


def in_mirror_image(mesh: Mesh) -> Mesh:
    return replace(mesh, vertices_m=mesh.vertices_m * [-1.0, 1.0, 1.0], faces=mesh.faces[:, ::-1])


def test_a_mirrored_mesh_whose_surface_is_right_is_named() -> None:
    other = Refiner(in_mirror_image(MESH), threads=1)
    for told in (other.refine(OBSERVATION, START), other.locate(OBSERVATION)):
        assert "mesh-mirrored" in told.note_codes and told.ok  # what is painted on it alone is the wrong way round
    right = Refiner(MESH, threads=1)
    for found in (right.refine(OBSERVATION, START), right.locate(OBSERVATION)):
        assert "mesh-mirrored" not in found.note_codes
        assert found.ok and found.confidence is not None and found.confidence > 0.9


def test_the_other_part_of_a_pair_has_failed() -> None:
    parts = (
        (box((0.10, 0.02, 0.02)), (0.05, 0.0, 0.0)),
        (box((0.02, 0.06, 0.02)), (0.0, 0.03, 0.0)),
        (box((0.02, 0.02, 0.02)), (0.1, 0.0, 0.02)),  # a lug, which is on the other side of the other part
    )
    part = Mesh(*joined((points + np.array(offset), faces) for (points, faces), offset in parts))
    seen = drawn(part, dd.Pose.from_wxyz_xyz([0.32, 0.81, 0.42, 0.25, -0.03, 0.01, 0.5]))
    found = Refiner(part, threads=1).locate(seen)
    assert found.ok and found.confidence is not None and found.confidence > 0.9
    doubted = Refiner(in_mirror_image(part), threads=1).locate(seen)
    assert "mesh-mirrored" in doubted.note_codes
    assert doubted.status is Status.FAILED and "mirror image" in doubted.message
    assert doubted.confidence is not None and doubted.confidence <= right_minimum(CONTRADICTED)


def test_an_object_that_is_its_own_mirror_image_is_not_named() -> None:
    bar = Mesh(*box((0.10, 0.04, 0.02)))
    wrong = replace(bar, vertices_m=bar.vertices_m * [-1.0, 1.0, 1.0], faces=bar.faces[:, ::-1])
    start = PLACE.retract([0.002, -0.002, 0.003, 0.05, -0.03, 0.04])
    result = Refiner(wrong, threads=1).refine(drawn(bar, PLACE), start)
    assert result.ok
    assert "mesh-mirrored" not in result.note_codes


def test_a_print_that_nobody_sees_makes_no_mirror_image_another_object() -> None:
    """Depth and a mask that is beside it, of a carton whose colours would tell it from its mirror image."""
    carton = box((0.09, 0.06, 0.03))
    mesh = Mesh(carton[0], carton[1], colors=np.where(carton[0] > 0.0, 0.9, 0.2))
    unseen = drawn(mesh, PLACE)
    shifted = np.roll(unseen.mask, (2, 3), axis=(0, 1))  # type: ignore[arg-type]
    observation = Observation(CAMERA, depth=unseen.depth, mask=shifted)
    refiner = Refiner(mesh, threads=1)
    assert not refiner.meshes.is_own_mirror_image() and refiner.meshes.is_own_mirror_image(colours=False)
    result = refiner.locate(observation)
    assert mirror_image(result, refiner.meshes, observation) is None
    failed_result = replace(result, status=Status.FAILED, confidence=0.1)
    assert "mirror" not in reasons(failed_result, observation)


def result_with(evidence: FitQuality, **changes: Any) -> RefinementResult:
    result = Refiner(MESH, preset="fast", threads=1).refine(OBSERVATION, START)
    return replace(result, status=Status.FAILED, message="failed", evidence=evidence, **changes)


MESHES = Refiner(MESH, threads=1).meshes


def reasons(result: RefinementResult, observation: Observation) -> str:
    return " ".join(with_reasons(result, MESHES, observation, None).notes)


def test_an_object_that_lies_mostly_outside_is_named() -> None:
    outside = dd.Pose(TRUTH.R_m2c, TRUTH.t_m2c + np.array([0.45, 0.0, 0.0]))
    said = reasons(result_with(FitQuality(overlap=0.1), pose=outside), OBSERVATION)
    assert "% of the object would lie outside of the picture" in said


def test_a_mask_without_depth_is_named() -> None:
    depth = np.where(OBSERVATION.mask > 0.5, 0.0, OBSERVATION.depth)  # type: ignore[operator]
    said = reasons(result_with(FitQuality(overlap=0.95)), seen("rgb", "depth", "mask", depth=depth))
    assert "only 0 % of the mask's pixels have a depth" in said


def test_depth_that_fits_nowhere_is_named() -> None:
    said = reasons(result_with(FitQuality(overlap=0.95, depth_inliers=0.1, texture=0.6)), OBSERVATION)
    assert "outline and colours fit, but only 10 % of the depths are within" in said


def test_colours_that_say_nothing_are_named() -> None:
    plain = result_with(FitQuality(texture=0.0, contrast=0.0), modalities=("rgb",))
    assert "the mesh's colours say nothing" in reasons(plain, seen("rgb"))


def test_a_texture_of_another_object_is_named() -> None:
    other = result_with(FitQuality(overlap=0.95, depth_inliers=0.95, texture=0.0, contrast=0.2))
    noise = np.random.default_rng(0).random((*OBSERVATION.mask.shape, 3))  # type: ignore[union-attr]
    assert "the shape fits, but the colours do not" in reasons(other, seen("rgb", "depth", "mask", rgb=noise))


def test_results_that_are_right_and_ambiguous_ones_stay_as_they_are() -> None:
    for status in (Status.CONVERGED, Status.AMBIGUOUS, Status.LOST):
        result = replace(result_with(FitQuality(overlap=0.1)), status=status)
        assert with_reasons(result, MESHES, OBSERVATION, None) is result


def test_a_start_that_is_too_far_off_is_named() -> None:
    far = dd.Pose(PLACE.R_m2c @ so3.exp(np.array([2.0, 0.5, 0.0])), PLACE.t_m2c)
    said = reasons_of_far(far)
    assert "the object is found without the start" in said and "mirror" not in said


def test_a_start_from_which_the_same_place_is_found_is_not_blamed() -> None:
    assert "without the start" not in reasons_of_far(PLACE)


def reasons_of_far(far: dd.Pose) -> str:
    refiner = Refiner(CHIRAL, preset="fast", threads=1)
    observation = drawn(CHIRAL, PLACE)
    result = refiner.refine(observation, far)
    away = replace(
        result, status=Status.FAILED, message="failed", evidence=FitQuality(overlap=0.3), modalities=("depth",)
    )
    own = replace(away, pose=refiner.frame.enter(away.pose))
    return " ".join(with_reasons(own, refiner.meshes, observation, refiner.frame.enter(far)).notes)


def test_a_texture_upside_down_is_named_where_several_poses_fit() -> None:
    assert MESH.uv is not None
    wrong = replace(MESH, uv=MESH.uv * [1.0, -1.0] + [0.0, 1.0])
    observation = seen("rgb", "mask")
    result = Refiner(wrong, threads=1).locate(observation)
    assert not result.ok and "the texture upside down" in result.message
    assert not any("upside down" in note for note in Refiner(MESH, threads=1).locate(observation).notes)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_mask_that_is_turned_round_and_fits_elsewhere_is_named_and_not_believed(axis: int) -> None:
    """Of an object that is its own mirror image the turned mask fits as well, where nothing else is to be seen."""
    cube = Mesh(*box((0.04, 0.04, 0.04)))
    camera = Camera(500.0, 500.0, 159.5, 119.5, 320, 240)
    truth = dd.Pose(so3.exp(np.array([0.4, 0.5, 0.1])), np.array([0.03, 0.03, 0.6]))
    start = truth.retract([-0.002, -0.002, 0.002, 0.05, -0.04, 0.03])
    drawn_mask = Renderer(cube, camera).render(truth.R_m2c, truth.t_m2c).coverage[0] > 0.5
    grey = np.full((240, 320, 3), 0.5)
    refiner = Refiner(cube, threads=1)
    right = refiner.refine(Observation(camera, rgb=grey, mask=drawn_mask), start)
    assert "mask-turned" not in right.note_codes and right.ok
    turned = refiner.refine(Observation(camera, rgb=grey, mask=np.flip(drawn_mask, axis)), start)
    assert turned.pose.distance_to(truth) > 0.5 * cube.diameter
    assert "mask-turned" in turned.note_codes and not turned.ok
    assert (turned.confidence or 0.0) < 0.5
