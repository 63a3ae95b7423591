"""The second-order search on the packaged example, whose truth is exact, and on what must not break it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.bop.metrics import add
from diffdope.experiments.shapes import blob
from diffdope.experiments.spoil import wrong_mask
from diffdope.experiments.synthetic import SensorNoise, picture
from diffdope.geometry.camera import Camera
from diffdope.geometry.perturb import perturb, random_rotation
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import Status
from diffdope.pipelines.settings import PRESETS, Preset
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.search import stages
from diffdope.search.alternatives.rival_poses import ALTERNATIVES
from diffdope.search.candidates import Candidates
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.outcome import Outcome
from diffdope.search.search import Search
from diffdope.search.search_inputs import SearchInputs

Example = tuple[Mesh, Observation, Pose, Pose]


@pytest.fixture(scope="module")
def example() -> Example:
    return packaged_example()


def part(observation: Observation, *names: str) -> Observation:
    return Observation(observation.camera, **{name: getattr(observation, name) for name in names})


def error_mm(example: Example, pose: Pose) -> float:
    return 1e3 * add(pose, example[3], example[0].vertices_m)


@pytest.mark.parametrize(
    ("names", "limit_mm"),
    [
        (("rgb", "depth", "mask"), 0.5),
        (("rgb", "mask"), 0.5),
        (("depth", "mask"), 0.5),
        (("rgb", "depth"), 3.0),
        (("depth",), 1.0),
        (("mask",), 2.0),
    ],
)
def test_twenty_degrees_off_is_found_from_any_images_but_rgb_alone(
    example: Example, names: tuple[str, ...], limit_mm: float
) -> None:
    mesh, observation, start, _ = example
    result = Refiner(mesh).refine(part(observation, *names), start)
    assert error_mm(example, start) > 20.0
    assert error_mm(example, result.pose) < limit_mm
    assert result.ok
    assert result.confidence is not None and result.confidence > 0.8


@pytest.fixture
def without_keypoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where OpenCV is not installed."""
    monkeypatch.setattr(stages, "tells_by_pattern", lambda *_: False)


@pytest.mark.usefixtures("without_keypoints")
def test_a_result_that_is_wrong_says_that_it_failed(example: Example) -> None:
    mesh, observation, _, truth = example
    refiner, wrong = Refiner(mesh), 0
    for seed in range(6):  # colours alone do not reach that far
        start = perturb(truth, angle_rad=np.radians(40.0), distance_m=0.03, rng=np.random.default_rng(seed))
        result = refiner.refine(part(observation, "rgb"), start)
        if error_mm(example, result.pose) > 20.0:
            wrong += 1
            assert result.status is Status.FAILED and not result.ok
            assert result.confidence is not None and result.confidence < 0.1
    assert wrong >= 3


def test_keypoints_reach_farther_than_colours_alone(example: Example) -> None:
    pytest.importorskip("cv2")
    mesh, observation, _, truth = example
    refiner, found = Refiner(mesh), 0
    for seed in range(3):
        start = perturb(truth, angle_rad=np.radians(40.0), distance_m=0.03, rng=np.random.default_rng(seed))
        result = refiner.refine(part(observation, "rgb"), start)
        found += error_mm(example, result.pose) < 5.0 and result.ok
    assert found == 3


@pytest.mark.usefixtures("without_keypoints")
def test_a_result_that_is_not_quite_right_is_not_called_sure(example: Example) -> None:
    mesh, observation, start, _ = example
    unlit = replace(PRESETS["default"], search=replace(PRESETS["default"].search, light="gain-bias"))
    result = Refiner(mesh, preset=unlit).refine(part(observation, "rgb"), start)  # its sides are lit differently
    assert error_mm(example, result.pose) > 0.03 * 1e3 * mesh.diameter
    assert result.confidence is not None and result.confidence < 0.8
    found = Refiner(mesh).refine(part(observation, "rgb"), start)
    assert error_mm(example, found.pose) < 0.01 * 1e3 * mesh.diameter


def test_the_wrong_object_is_not_taken_for_the_right_one(example: Example) -> None:
    mesh, observation, start, _ = example
    stretched = Mesh(mesh.vertices_m * [0.5, 1.0, 1.6], mesh.faces, uv=mesh.uv, texture=mesh.texture)
    result = Refiner(stretched).refine(observation, start)
    assert result.confidence is not None
    assert result.confidence < 0.5
    assert result.status is Status.FAILED


def test_a_close_start_takes_the_near_search_only(example: Example) -> None:
    mesh, observation, _, truth = example
    start = perturb(truth, angle_rad=np.radians(5.0), distance_m=0.003, rng=np.random.default_rng(0))
    result = Refiner(mesh).refine(observation, start)
    near = PRESETS["default"].search.near
    once_more = near.iterations[1:]  # without the mask, from where it led
    assert result.iterations < sum(near.iterations + once_more) + len(near.iterations + once_more)
    assert error_mm(example, result.pose) < 0.5


def test_the_history_has_gaps_where_a_hypothesis_took_no_part(example: Example) -> None:
    mesh, observation, start, _ = example
    result = Refiner(mesh).refine(observation, start)
    history = result.history
    settings = PRESETS["default"].search
    most = settings.near.hypotheses[0] + settings.far.hypotheses[0] + settings.closest_points.kept + ALTERNATIVES
    assert history.costs.shape[1] == most
    taking_part = np.isfinite(history.costs)
    assert taking_part.any(axis=1).all()
    assert not taking_part.all()
    assert np.array_equal(taking_part, np.isfinite(history.t_m2c).all(axis=2))
    last = result.winner_iteration
    assert np.allclose(history.t_m2c[last, result.winner], result.pose.t_m2c)
    # The start pose is evidence too, which the history's cost counts and the result's does not.
    assert history.costs[last, result.winner] == pytest.approx(result.cost, rel=0.05)
    assert history.costs[last, result.winner] >= result.cost
    weights = np.array([0.7, 1.0, 1.0])
    assert np.array(list(result.cost_per_modality.values())) @ weights == pytest.approx(result.cost, rel=1e-6)


def test_where_the_near_search_wins_the_history_ends_with_it(example: Example) -> None:
    mesh, observation, _, truth = example
    start = perturb(truth, angle_rad=np.radians(5.0), distance_m=0.003, rng=np.random.default_rng(0))
    search = replace(PRESETS["default"].search, fallback_confidence=1.0)  # looks farther although there is no need
    result = Refiner(mesh, preset=replace(PRESETS["default"], search=search)).refine(observation, start)
    k, b = result.winner_iteration, result.winner
    assert np.allclose(result.history.t_m2c[k, b], result.pose.t_m2c)
    assert np.isfinite(result.history.costs[k, b])


def test_hypotheses_that_leave_the_picture_are_a_failure_not_a_bad_start(example: Example) -> None:
    mesh, observation, start, _ = example
    noise = np.random.default_rng(0).random((observation.camera.height, observation.camera.width, 3))
    result = Refiner(mesh).refine(Observation(observation.camera, rgb=noise), start)
    assert result.status is Status.FAILED


@pytest.mark.usefixtures("threads_share_all")
def test_same_seed_same_bits_whatever_the_threads(example: Example) -> None:
    mesh, observation, start, _ = example
    one = Refiner(mesh, threads=1).refine(observation, start)
    two = Refiner(mesh, threads=2).refine(observation, start)
    assert np.array_equal(one.pose.matrix, two.pose.matrix)
    assert np.array_equal(one.history.costs, two.history.costs, equal_nan=True)
    other = Refiner(mesh, seed=1).refine(observation, start)
    assert not np.array_equal(one.history.costs, other.history.costs, equal_nan=True)


def test_a_mask_that_is_off_is_not_believed(example: Example) -> None:
    from scipy.ndimage import binary_dilation

    mesh, observation, start, _ = example
    assert observation.mask is not None
    wide = observation.with_mask(binary_dilation(observation.mask > 0.5, iterations=4))
    search = PRESETS["default"].search
    placed = replace(search, noise=replace(search.noise, mask_shift_px=0.0))  # its place as a whole is another matter
    result, trusting = (
        Refiner(mesh, preset=replace(PRESETS["default"], search=one)).refine(wide, start)
        for one in (placed, replace(placed, mask_error_px=0.0))
    )
    assert error_mm(example, result.pose) < 1.0
    assert error_mm(example, result.pose) < error_mm(example, trusting.pose)


def test_an_object_of_two_dozen_pixels_is_not_pulled_towards_the_camera() -> None:
    camera, mesh = Camera(100.0, 100.0, 31.5, 23.5, 64, 48), blob(3)
    shifts = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        truth = Pose(random_rotation(rng), np.array([0.0, 0.0, 0.55]))
        seen = picture([(mesh, truth)], rng, camera=camera, noise=SensorNoise(rgb=0.02))
        start = perturb(truth, angle_rad=np.radians(5.0), distance_m=0.004, rng=rng)
        result = Refiner(mesh).refine(part(seen, "rgb", "mask"), start)
        shifts.append(result.pose.t_m2c[2] - truth.t_m2c[2])
    assert abs(np.mean(shifts)) < 0.004  # 7 per mille of the distance: 0.08 pixels on either side


def closing(rounds: tuple[float, ...]) -> Preset:
    """The default preset with other last rounds, and no steps after them, which rims would take."""
    search = PRESETS["default"].search
    outline, polish = replace(search.outline, closing_px=rounds), replace(search.polish, steps=0)
    return replace(PRESETS["default"], search=replace(search, outline=outline, polish=polish))


def test_in_the_last_rounds_colours_may_outvote_edges(example: Example) -> None:
    mesh, observation, _, truth = example
    photograph = part(observation, "rgb")
    rng = np.random.default_rng(0)
    starts = [perturb(truth, angle_rad=np.radians(5.0), distance_m=0.003, rng=rng) for _ in range(16)]
    errors = {}
    for rounds in ((), (1.5, 1.5)):
        refiner = Refiner(mesh, preset=closing(rounds))
        errors[rounds] = np.mean([error_mm(example, refiner.refine(photograph, start).pose) for start in starts])
    assert errors[(1.5, 1.5)] < 0.95 * errors[()]


def test_without_colours_or_with_a_mask_there_are_no_such_rounds(example: Example) -> None:
    mesh, observation, _, truth = example
    start = perturb(truth, angle_rad=np.radians(5.0), distance_m=0.003, rng=np.random.default_rng(0))
    bare = Mesh(mesh.vertices_m, mesh.faces)
    for own, photograph in ((bare, part(observation, "rgb")), (mesh, part(observation, "rgb", "mask"))):
        with_them, without = (Refiner(own, preset=closing(px)).refine(photograph, start) for px in ((1.5,), ()))
        assert np.array_equal(with_them.pose.matrix, without.pose.matrix) and with_them.iterations == without.iterations


def test_a_mask_that_is_off_gives_way_to_edges(example: Example) -> None:
    mesh, observation, _, truth = example
    worse = [wrong_mask(observation, 4.0, np.random.default_rng(seed)) for seed in range(6)]
    start = perturb(truth, angle_rad=np.radians(5.0), distance_m=0.003, rng=np.random.default_rng(0))
    off, good, deep = part(worse[0], "rgb", "mask"), part(observation, "rgb", "mask"), worse[0]
    default = PRESETS["default"]
    believing = replace(default, search=replace(default.search, mask_refused_px=0.0))
    refined = {preset: Refiner(mesh, preset=preset).refine(off, start) for preset in (default, believing)}
    assert refined[default].modalities == ("rgb", "outline") and refined[believing].modalities == ("rgb", "mask")
    assert any(note.startswith("mask is off: its border is") for note in refined[default].notes)
    refiner = Refiner(mesh)
    errors = [error_mm(example, refiner.refine(part(one, "rgb", "mask"), start).pose) for one in worse]
    assert np.mean(errors) < 0.8 * error_mm(example, start)
    first, last = refined[default].history.modality_costs[
        [0, refined[default].winner_iteration], refined[default].winner
    ]
    assert np.isnan(first[1]) and not np.isnan(last).any(), "edges count at the last level only"
    for seen, modalities in ((good, ("rgb", "mask")), (deep, ("rgb", "depth", "mask"))):
        assert Refiner(mesh).refine(seen, start).modalities == modalities


@pytest.mark.parametrize(
    ("names", "spoiled_px", "size", "reduced"),
    [
        (("rgb", "mask"), 6.0, 320, False), (("rgb", "mask"), 6.0, 0, True), (("rgb",), 0.0, 320, True),
        (("rgb", "mask"), 0.0, 320, True), (("rgb", "depth"), 0.0, 320, True),
    ],
)  # fmt: skip
def test_beside_a_mask_that_is_off_edges_are_seen_as_sharp_as_they_are(
    names: tuple[str, ...], spoiled_px: float, size: int, reduced: bool
) -> None:
    rng, camera = np.random.default_rng(0), Camera(1280.0, 1280.0, 319.5, 239.5, 640, 480)
    bare = blob(4)
    bare = Mesh(bare.vertices_m, bare.faces)
    truth = Pose(random_rotation(rng), np.array([0.0, 0.0, 12.0 * bare.diameter]) / 2.0)
    seen = picture([(bare, truth)], rng, camera=camera, noise=SensorNoise())
    seen = part(wrong_mask(seen, spoiled_px, rng) if spoiled_px else seen, *names)
    default = PRESETS["default"].search
    settings = replace(default, outline=replace(default.outline, plain_size=size))
    start = perturb(truth, angle_rad=np.radians(3.0), distance_m=0.002, rng=rng)
    inputs = SearchInputs(MeshLevels(bare, (500, 2000)), seen, settings, PRESETS["default"].objective, margin=0.15)
    found = Search(inputs, start, seed=0).run()
    assert isinstance(found, Outcome)
    assert (found.level.window.reduction > 1) == reduced


def test_a_far_result_must_be_clearly_surer_than_one_that_is_where_it_was_expected(example: Example) -> None:
    mesh, observation, _, truth = example
    preset = PRESETS["default"]
    start = perturb(truth, angle_rad=np.radians(3.0), distance_m=0.002, rng=np.random.default_rng(0))
    rough = perturb(truth, angle_rad=np.radians(30.0), distance_m=0.02, rng=np.random.default_rng(0))
    needed = []
    for pose in (start, rough):
        meshes, margin = MeshLevels(mesh, (500, 2000)), preset.crop.margin
        search = Search(SearchInputs(meshes, observation, preset.search, preset.objective, margin), pose, seed=0)
        stages = search._stages
        assert stages is not None
        near = search._descent.run(preset.search.near, stages.proposals(pose, preset.search.near, 0), pose)
        assert isinstance(near, Candidates)
        needed.append(stages._surplus_over(near))
    assert needed == [2.0, 0.0]


def test_a_mask_that_is_off_and_is_all_there_is_gives_way_to_edges(example: Example) -> None:
    mesh, observation, _, truth = example
    bare = Mesh(mesh.vertices_m, mesh.faces)
    start = perturb(truth, angle_rad=np.radians(5.0), distance_m=0.003, rng=np.random.default_rng(0))
    worse = [part(wrong_mask(observation, 4.0, np.random.default_rng(seed)), "rgb", "mask") for seed in range(6)]
    default = PRESETS["default"]
    believing = replace(default, search=replace(default.search, mask_refused_px=0.0))
    errors = {}
    for preset in (default, believing):
        refiner = Refiner(bare, preset=preset)
        results = [refiner.refine(one, start) for one in worse]
        errors[preset] = np.mean([error_mm(example, one.pose) for one in results])
        left_out = preset is default
        assert all(one.modalities == (("outline",) if left_out else ("mask",)) for one in results)
        assert all(("mask is off: its border is" in "".join(one.notes)) == left_out for one in results)
    assert errors[default] < 0.7 * errors[believing]
    good = part(observation, "rgb", "mask")
    assert Refiner(bare).refine(good, start).modalities == ("mask",), "a good mask is kept"
