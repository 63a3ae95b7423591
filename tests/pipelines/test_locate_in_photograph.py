"""Located in a box of a photograph, without mask and depth: by keypoints."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from diffdope.bop.metrics import add
from diffdope.errors import DiffDopeError
from diffdope.experiments.shapes import primitives
from diffdope.experiments.synthetic import picture
from diffdope.geometry.pose import Pose
from diffdope.pipelines.locating import in_box
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import Status
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.search.features.feature_boxes import feature_boxes
from diffdope.search.features.keypoints import check_can_detect

SHAPES = primitives()
SIDE_M = 0.1


def patterned() -> Mesh:
    """A box, every side of which is painted with its own squares."""
    rng = np.random.default_rng(3)
    vertices, faces, uv, painted = [], [], [], np.zeros((128, 6 * 128, 3), np.uint8)
    for side in range(6):
        axis, sign = divmod(side, 2)
        right, up = np.roll(np.eye(3), -axis, axis=0)[1:]
        out = np.eye(3)[axis] * (2 * sign - 1)
        corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
        first = len(vertices)
        vertices += [0.5 * SIDE_M * (out + a * right + 0.7 * b * up) for a, b in corners]
        uv += [((side + 0.5 + 0.48 * a) / 6.0, 0.5 + 0.48 * b) for a, b in corners]
        order = [0, 1, 2, 3] if sign else [3, 2, 1, 0]
        faces += [[first + order[k] for k in triple] for triple in ((0, 1, 2), (0, 2, 3))]
        tile = rng.integers(0, 256, (16, 16, 3))
        painted[:, 128 * side : 128 * (side + 1)] = np.kron(tile, np.ones((8, 8, 1)))
    return Mesh(np.array(vertices), np.array(faces), uv=np.array(uv), texture=painted)


MESH = patterned()
TRUTHS = [
    Pose.from_wxyz_xyz([0.9, 0.3, 0.2, 0.1, 0.02, -0.01, 0.45]),
    Pose.from_wxyz_xyz([0.2, 0.8, -0.5, 0.3, -0.03, 0.02, 0.5]),
    Pose.from_wxyz_xyz([-0.4, 0.1, 0.6, 0.7, 0.01, 0.03, 0.55]),
]


@pytest.fixture(scope="module")
def refiner() -> Refiner:
    pytest.importorskip("cv2")
    return Refiner(MESH)


def photographed(truth: Pose, seed: int = 0) -> tuple[Observation, tuple[float, float, float, float]]:
    """A photograph alone, and the box of what it shows."""
    seen = picture([(MESH, truth)], np.random.default_rng(seed))
    assert seen.mask_box is not None
    x0, y0, x1, y1 = seen.mask_box
    return Observation(seen.camera, rgb=seen.rgb), (x0, y0, x1 - x0 + 1.0, y1 - y0 + 1.0)


@pytest.mark.parametrize("number", range(len(TRUTHS)))
def test_a_painted_object_is_found_in_a_box_of_a_photograph(refiner: Refiner, number: int) -> None:
    photograph, box = photographed(TRUTHS[number])
    result = refiner.locate(photograph, box=box)
    assert result.ok and 1e3 * add(result.pose, TRUTHS[number], MESH.vertices_m) < 5.0
    assert result.evidence is not None and result.evidence.matched is not None and result.evidence.matched > 10
    along = TRUTHS[number].t_m2c / np.linalg.norm(TRUTHS[number].t_m2c)
    assert result.covariance is not None and along @ result.covariance[:3, :3] @ along > (0.009 * 0.45) ** 2
    assert "mask" not in result.modalities and in_box.BY_KEYPOINTS in result.notes
    assert not any("mask is" in note or "start region" in note for note in result.notes)  # nobody owes one
    assert result.none_of_these is not None
    assert sum(one.probability for one in result.answers) + result.none_of_these == pytest.approx(1.0)


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("number", [0, 1])
def test_keypoints_find_what_shows_a_third_of_itself_in_a_mask(refiner: Refiner, number: int, left: bool) -> None:
    seen = picture([(MESH, TRUTHS[number])], np.random.default_rng(0))
    assert seen.rgb is not None and seen.mask is not None and seen.mask_box is not None
    x0, _, x1, _ = seen.mask_box
    hidden = np.arange(seen.camera.width) > x0 + 0.3 * (x1 - x0)
    if not left:
        hidden = np.arange(seen.camera.width) < x1 - 0.3 * (x1 - x0)
    rgb, mask = np.where(hidden[None, :, None], 0.5, seen.rgb), (seen.mask > 0.5) & ~hidden
    result = refiner.locate(Observation(seen.camera, rgb=rgb, mask=mask))
    assert 1e3 * add(result.pose, TRUTHS[number], MESH.vertices_m) < 5.0
    assert result.none_of_these is not None
    assert sum(one.probability for one in result.answers) + result.none_of_these == pytest.approx(1.0)


def test_a_mask_that_fills_a_rectangle_is_a_box_of_a_photograph(refiner: Refiner) -> None:
    photograph, (x, y, width, height) = photographed(TRUTHS[0])
    mask = np.zeros((photograph.camera.height, photograph.camera.width), bool)
    mask[int(y) : int(y + height), int(x) : int(x + width)] = True
    drawn, given = refiner.locate(photograph.with_mask(mask)), refiner.locate(photograph, box=(x, y, width, height))
    assert np.array_equal(drawn.pose.matrix, given.pose.matrix)


@pytest.mark.parametrize("number", range(len(TRUTHS)))
def test_a_painted_object_is_found_in_a_photograph_alone(refiner: Refiner, number: int) -> None:
    photograph, (x, y, width, height) = photographed(TRUTHS[number])
    features = refiner.preset.search.features
    boxes = feature_boxes(refiner._meshes, photograph, features)
    where = np.array([x, y, x + width - 1.0, y + height - 1.0])
    assert np.abs(np.array(boxes) - where).max(axis=1).min() < 0.05 * max(width, height)
    result = refiner.locate(photograph)
    assert result.ok and 1e3 * add(result.pose, TRUTHS[number], MESH.vertices_m) < 5.0
    assert in_box.IN_THE_PICTURE in result.notes


def test_a_photograph_of_something_else_makes_no_sure_result(refiner: Refiner) -> None:
    seen = picture([(SHAPES["box, label"].mesh, TRUTHS[0])], np.random.default_rng(1))
    for rgb in (seen.rgb, np.full((seen.camera.height, seen.camera.width, 3), 0.5)):
        result = refiner.locate(Observation(seen.camera, rgb=rgb))
        assert not result.ok and (result.confidence or 0.0) < 0.5
    assert result.message == in_box.NO_POSE_IN_PICTURE


def test_a_box_that_was_meant_as_corners_is_told_where_nothing_is_found(refiner: Refiner) -> None:
    photograph, (x, y, width, height) = photographed(TRUTHS[0])
    grey = Observation(photograph.camera, rgb=np.full((photograph.camera.height, photograph.camera.width, 3), 0.5))
    told = "X,Y,WIDTH,HEIGHT is "
    failed = refiner.locate(grey, box=(x, y, x + width, y + height))
    assert failed.notes[-1].endswith(f"{told}{x:g},{y:g},{width:g},{height:g}")
    found = refiner.locate(photograph, box=(x, y, width, height))
    assert found.ok and not any(told in note for note in found.notes)


def test_a_lost_object_is_located_in_films_of_photographs(refiner: Refiner) -> None:
    tracking = Refiner(MESH)
    for frame in range(2):
        assert tracking.track(photographed(TRUTHS[0], frame)[0], TRUTHS[0] if frame == 0 else None).ok
    later = [tracking.track(photographed(TRUTHS[1], 2 + frame)[0]) for frame in range(4)]
    assert later[-1].ok and 1e3 * add(later[-1].pose, TRUTHS[1], MESH.vertices_m) < 5.0


def test_a_rectangle_says_nothing_about_a_plain_object() -> None:
    plain = Refiner(Mesh(MESH.vertices_m, MESH.faces))
    seen = picture([(MESH, TRUTHS[0])], np.random.default_rng(0))
    assert seen.mask is not None and seen.mask_box is not None
    x0, y0, x1, y1 = (int(one) for one in seen.mask_box)
    box = np.zeros(seen.mask.shape, bool)
    box[y0 : y1 + 1, x0 : x1 + 1] = True
    for mask, is_box in ((box, True), (seen.mask > 0.5, False)):
        result = plain.locate(Observation(seen.camera, rgb=seen.rgb, mask=mask))
        assert (in_box.RECTANGLE in result.notes) == is_box
        assert not is_box or (not result.ok and (result.confidence or 0.0) < 0.5)


def test_no_photograph_is_surer_of_distances_than_it_can_be(refiner: Refiner) -> None:
    photograph, box = photographed(TRUTHS[0])
    features = refiner.preset.search.features
    sure = []
    for distance, pair in ((0.001, 0.001), (0.01, 0.05), (0.05, 0.05)):
        changed = replace(features, distance_error=distance, pair_error=pair)
        search = replace(refiner.preset.search, features=changed)
        doubting = Refiner(MESH, preset=replace(refiner.preset, search=search))
        sure.append(doubting.locate(photograph, box=box).confidence or 0.0)
    assert sure[0] >= sure[1] > sure[2] and sure[2] < 0.5


def test_another_object_in_the_box_makes_no_sure_result(refiner: Refiner) -> None:
    other = SHAPES["box, label"].mesh
    seen = picture([(other, TRUTHS[0])], np.random.default_rng(1))
    assert seen.mask_box is not None
    x0, y0, x1, y1 = seen.mask_box
    result = refiner.locate(Observation(seen.camera, rgb=seen.rgb), box=(x0, y0, x1 - x0, y1 - y0))
    assert not result.ok and (result.confidence or 0.0) < 0.5


def test_an_empty_picture_fails_and_says_the_cure(refiner: Refiner) -> None:
    photograph, box = photographed(TRUTHS[0])
    grey = Observation(photograph.camera, rgb=np.full((photograph.camera.height, photograph.camera.width, 3), 0.5))
    result = refiner.locate(grey, box=box)
    assert result.status is Status.FAILED and result.message == in_box.NO_POSE_IN_BOX


def test_a_plain_object_is_not_looked_for_in_a_photograph() -> None:
    pytest.importorskip("cv2")
    photograph, box = photographed(TRUTHS[0])
    result = Refiner(Mesh(MESH.vertices_m, MESH.faces)).locate(photograph, box=box)
    assert result.status is Status.FAILED and result.message == in_box.NO_PATTERN


def test_the_number_of_threads_changes_nothing() -> None:
    pytest.importorskip("cv2")
    photograph, box = photographed(TRUTHS[1])
    one, two = (Refiner(MESH, threads=n).locate(photograph, box=box) for n in (1, 2))
    assert np.array_equal(one.pose.matrix, two.pose.matrix) and one.confidence == two.confidence


def test_without_opencv_an_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(DiffDopeError, match=r"box: expected OpenCV.*got none; pip install .diffdope\[features\]"):
        check_can_detect("box")
    _, observation, _, _ = packaged_example()
    photograph = Observation(observation.camera, rgb=observation.rgb)
    with pytest.raises(DiffDopeError, match="box: expected OpenCV"):
        Refiner(MESH).locate(photograph, box=(10, 10, 50, 50))
