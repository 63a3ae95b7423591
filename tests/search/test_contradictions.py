"""What contradicts a result: sizes on which modalities disagree, and departures from the start."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

import diffdope as dd
from diffdope.bop.metrics import add_s
from diffdope.experiments.shapes import grid_box, primitives
from diffdope.experiments.synthetic import SensorNoise, picture, random_pose
from diffdope.geometry import so3
from diffdope.geometry.perturb import perturb
from diffdope.note_codes import NoteCode, code_of
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.pipelines.settings import PRESETS
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.search.checks.size_consistency import Edges, _as_masks_are_off, _mask_is_off
from diffdope.search.checks.sizes_by_edges import agrees_without_mask, refutes
from diffdope.search.checks.tried_sizes import Sized

MESH, OBSERVATION, START, TRUTH = packaged_example()


def changed(
    observation: Observation, *, depth: float = 1.0, focal: float = 1.0, drop: tuple[str, ...] = ()
) -> Observation:
    """With depths that are a multiple, or K of another focal length, or without some images."""
    c = observation.camera
    camera = dd.Camera(focal * c.fx, focal * c.fy, c.cx, c.cy, c.width, c.height)
    images = {name: getattr(observation, name) for name in observation.modalities if name not in drop}
    if "depth" in images:
        images["depth"] = depth * images["depth"]
    return Observation(camera, **images)


def contradictions(result: RefinementResult) -> list[str]:
    return [note for note in result.notes if note.startswith("contradiction")]


@pytest.mark.parametrize("drop", [(), ("rgb",), ("mask",)])
def test_what_is_right_is_not_contradicted(drop: tuple[str, ...]) -> None:
    result = Refiner(MESH).refine(changed(OBSERVATION, drop=drop), START)
    assert result.ok and not contradictions(result)


@pytest.mark.parametrize(
    ("mesh", "focal", "said"),
    [(0.9, 1.0, "larger"), (1.1, 1.0, "smaller"), (1.0, 0.9, "larger"), (1.0, 1.1, "smaller")],
)
def test_another_size_is_named_and_not_believed(mesh: float, focal: float, said: str) -> None:
    result = Refiner(MESH.scaled(mesh)).refine(changed(OBSERVATION, focal=focal), START)
    assert not result.ok and result.confidence is not None and result.confidence < 0.5
    found = contradictions(result)
    assert len(found) == 1 and f"% {said} than its model" in found[0]
    assert result.status is not Status.FAILED or result.message == found[0]
    located = Refiner(MESH.scaled(mesh)).locate(changed(OBSERVATION, focal=focal))
    assert not located.ok and contradictions(located)
    assert located.none_of_these is not None
    assert sum(one.probability for one in located.answers) + located.none_of_these == pytest.approx(1.0)


def test_the_stated_size_is_about_right() -> None:
    note = contradictions(Refiner(MESH.scaled(0.9)).refine(OBSERVATION, START))[0]
    assert "10 % larger" in note or "15 % larger" in note  # 1 / 0.9 = 1.11
    assert "depth 10 % less" in note or "depth 15 % less" in note
    assert "focal length" in note and "longer" in note


def test_without_depth_a_departure_along_the_view_is_doubted() -> None:
    photograph = changed(OBSERVATION, drop=("depth",))
    wrong = Refiner(MESH.scaled(0.85)).refine(photograph, START)
    assert not wrong.ok
    assert any("nearer than the start has it" in note for note in contradictions(wrong))
    assert Refiner(MESH).refine(photograph, START).ok


def test_without_depth_the_farther_the_start_is_off_the_less_sure() -> None:
    photograph = changed(OBSERVATION, drop=("depth",))
    default = PRESETS["default"]
    noise = replace(default.search.noise, mask_border_px=0.0)  # the mask is exact
    preset = replace(default, search=replace(default.search, noise=noise))
    results = [Refiner(MESH.scaled(size), preset=preset).refine(photograph, START) for size in (1.0, 0.96, 0.95)]
    sure = [result.confidence or 0.0 for result in results]
    assert sure[0] > 0.99 and sure[0] > sure[1] + 0.03 > sure[2] + 0.06
    told = [[note for note in result.notes if note.startswith("scale: ")] for result in results]
    assert not told[0] and "K" in told[1][0] and "nearer than the start has it" in told[1][0]


def test_shapes_with_noise_are_not_contradicted() -> None:
    noise, named, doubted = SensorNoise(), 0, 0
    for name in ("box, label", "cylinder, label", "cube"):
        shape = primitives()[name]
        refiner = Refiner(shape.mesh)
        for seed in range(4):
            rng = np.random.default_rng(seed)
            truth = random_pose(rng)
            seen = picture([(shape.mesh, truth)], rng, noise=noise)
            start = perturb(truth, angle_rad=np.radians(10.0), distance_m=0.004, rng=rng)
            result = refiner.refine(seen, start)
            if add_s(result.pose, truth, shape.mesh.vertices_m) < 0.03 * shape.mesh.diameter:
                named += bool(contradictions(result))
                doubted += not result.ok
    assert named == 0 and doubted <= 1


def test_fast_doubts_too_and_paper_does_not() -> None:
    for name, many in (("fast", 1), ("paper", 0)):
        result = Refiner(MESH.scaled(0.9), preset=name).refine(OBSERVATION, START)
        assert len(contradictions(result)) == many


def along_rays(observation: Observation) -> Observation:
    """With depth as the length of each pixel's ray."""
    c = observation.camera
    assert observation.depth is not None
    lengths = np.linalg.norm(c.back_project(np.ones((c.height, c.width))), axis=-1)
    return Observation(c, rgb=observation.rgb, mask=observation.mask, depth=observation.depth * lengths)


def beside_the_axis() -> tuple[dd.Mesh, Observation, dd.Pose, dd.Pose]:
    """The packaged object, drawn near a corner of a wide picture: mesh, observation, start and truth."""
    truth = dd.Pose(np.eye(3), np.array([0.0, 0.0, 0.6])).retract([0.18, 0.1, 0, 1.9, 0.3, 0.2])
    camera = dd.Camera(420.0, 420.0, 319.5, 239.5, 640, 480)
    seen = picture([(MESH, truth)], np.random.default_rng(0), camera=camera, noise=SensorNoise())
    start = perturb(truth, angle_rad=0.1, distance_m=0.004, rng=np.random.default_rng(0))
    return MESH, seen, start, truth


@pytest.mark.parametrize("drop", [(), ("rgb",)])
def test_depth_along_the_ray_is_named_and_not_believed(drop: tuple[str, ...]) -> None:
    mesh, seen, start, truth = beside_the_axis()
    seen = changed(seen, drop=drop)
    refiner = Refiner(mesh)
    right = refiner.refine(seen, start)
    assert right.ok and not contradictions(right) and right.pose.distance_to(truth) < 0.001
    for result in (refiner.refine(along_rays(seen), start), refiner.locate(along_rays(seen))):
        (said,) = contradictions(result)
        assert "as distances along the ray" in said and "--depth-kind ray" in said
        assert not result.ok and result.message == said


def test_a_floor_where_the_object_is_not_is_no_other_kind_of_depth() -> None:
    """In the masks that a segmentation draws on the floor of an empty bin; some fit a little better along the ray."""
    mesh, seen, *_ = beside_the_axis()
    camera, rows, columns = seen.camera, *np.mgrid[:480, :640]
    normal = np.array([0.05, -0.1, 1.0])
    depth = 0.7 / (camera.back_project(np.ones((480, 640))) @ normal)
    refiner = Refiner(mesh, preset="fast")
    for row, column in ((60, 90), (60, 540), (400, 90), (400, 540), (240, 60)):
        for size in (20, 45, 80):
            mask = (rows - row) ** 2 + ((columns - column) / 1.5) ** 2 < size**2
            result = refiner.locate(Observation(camera, depth=depth, mask=mask))
            assert (result.confidence or 0.0) < 0.5 and "depth-kind" not in result.note_codes, (row, column, size)


@pytest.mark.parametrize("depth", [0.9, 0.95, 1.05, 1.1])
def test_depth_of_another_scale_gives_way_where_the_start_speaks_for_mask_and_colours(depth: float) -> None:
    """Without a start, nothing tells whether depth or the model is of another size."""
    seen = changed(OBSERVATION, depth=depth)
    result = Refiner(MESH).refine(seen, START)
    assert result.ok and result.pose.distance_to(TRUTH) < 0.001
    (said,) = (note for note in result.notes if code_of(note) is NoteCode.DEPTH_LEFT_OUT)
    assert f"{depth:.2f} times as far away" in said
    located = Refiner(MESH).locate(seen)
    assert not located.ok and contradictions(located)


def half_hidden(axis: int, share: float, depth: float) -> Observation:
    """Of what the mask shows, so much is left of or above something nearer, and depths are a multiple."""
    assert OBSERVATION.mask is not None and OBSERVATION.depth is not None and OBSERVATION.rgb is not None
    mask = OBSERVATION.mask > 0.5
    place = np.indices(mask.shape)[axis]
    over = place > np.quantile(place[mask], share)
    z, rgb = depth * OBSERVATION.depth, np.array(OBSERVATION.rgb)
    z[over], rgb[over] = 0.6 * depth * OBSERVATION.depth[mask & (OBSERVATION.depth > 0.0)].min(), 0.5
    return Observation(OBSERVATION.camera, rgb=rgb, depth=z, mask=mask & ~over)


@pytest.mark.parametrize(("axis", "share"), [(1, 0.3), (0, 0.4)])
def test_of_what_is_mostly_hidden_another_size_is_about_what_is_seen(axis: int, share: float) -> None:
    """About its own middle that moves, and costs too much to be looked at: 0.2 diameters off at 0.84."""
    right = Refiner(MESH).refine(half_hidden(axis, share, 1.0), START)
    assert right.pose.distance_to(TRUTH) < 0.01 * MESH.diameter and (right.confidence or 0.0) > 0.8
    assert right.evidence is not None and right.evidence.visible < 0.5
    wrong = Refiner(MESH).refine(half_hidden(axis, share, 0.95), START)
    assert wrong.pose.distance_to(TRUTH) > 0.1 * MESH.diameter and (wrong.confidence or 0.0) < 0.3
    assert {"depth-scale", "depth-scale-unsure"} & set(wrong.note_codes)


@pytest.mark.parametrize("depth", [0.97, 0.98, 1.02, 1.03])
def test_depth_that_reads_a_few_percent_off_is_held_by_the_covariance_and_named(depth: float) -> None:
    seen = changed(OBSERVATION, depth=depth)
    for result in (Refiner(MESH).refine(seen, START), Refiner(MESH).locate(seen)):
        assert result.covariance is not None and result.confidence is not None
        ray = TRUTH.t_m2c / np.linalg.norm(TRUTH.t_m2c)
        off_m = float(ray @ (result.pose.t_m2c - TRUTH.t_m2c))
        known_m = float(np.sqrt(ray @ result.covariance[:3, :3] @ ray))
        assert off_m * (depth - 1.0) > 0.0
        assert abs(off_m) < 2.0 * known_m
        assert result.confidence < 0.5
        share = f"{abs(round(100 * (depth - 1.0)))} % {'larger' if depth > 1.0 else 'smaller'} than its model"
        assert any(share in note or f"{depth:.2f} times as far away" in note for note in result.notes)


@pytest.mark.parametrize(("depth", "least", "most"), [(1.0, 0.9, 1.0), (0.98, 0.0, 0.6), (1.02, 0.0, 0.6)])
def test_what_a_mask_lacks_leaves_depth_two_percent_off_unsure(depth: float, least: float, most: float) -> None:
    mask = np.array(OBSERVATION.mask)
    rows, columns = (slice(int(k.mean()) - 12, int(k.mean()) + 12) for k in np.nonzero(mask > 0.5))
    mask[rows, columns] = 0.0  # costs as much at any size
    seen = Observation(OBSERVATION.camera, rgb=OBSERVATION.rgb, depth=OBSERVATION.depth, mask=mask)
    result = Refiner(MESH).refine(changed(seen, depth=depth), START)
    assert result.confidence is not None and least <= result.confidence <= most
    assert any(note.startswith("scale:") for note in result.notes) == (depth != 1.0)


def sized(scale: float, mask: float) -> Sized:
    return Sized(scale, 1.0, mask, TRUTH)


def test_a_size_is_not_told_by_a_mask_that_fits_no_better_there() -> None:
    here = sized(1.0, 0.05)
    assert _mask_is_off(sized(1.02, 0.02), here, TRUTH, None) <= 0.0
    assert 0.0 < _mask_is_off(sized(1.02, 0.03), here, TRUTH, None) < 1.0
    assert _mask_is_off(sized(1.02, 0.045), here, TRUTH, None) >= 1.0
    assert _mask_is_off(sized(1.02, 0.0), sized(1.0, 0.0), TRUTH, None) < 0.0  # no mask: the whole cost alone tells


@pytest.mark.parametrize("left", [0.4, 0.8])
def test_edges_tell_whether_the_mask_or_depth_is_off(left: float) -> None:
    other, here = sized(1.05, left * 0.05), sized(1.0, 0.05)

    def off(there: float | None, at_result: float) -> float:
        return _mask_is_off(other, here, TRUTH, lambda _, size, __: there if size > 1.0 else at_result)

    assert off(0.8, 0.3) <= 0.0  # they lie where the object is larger
    assert off(0.2, 0.6) >= 1.0  # or where it is not
    assert off(None, 0.6) == _mask_is_off(other, here, TRUTH, None)
    assert _mask_is_off(sized(1.01, left * 0.05), here, TRUTH, lambda *_: 1.0) == off(None, 0.6)  # too near


@pytest.mark.parametrize("edges", [None, lambda *_: 0.5])
def test_steps_of_depth_tell_the_same_beside_edges_or_without_them(edges: Edges | None) -> None:
    other, here = sized(1.05, 0.6 * 0.05), sized(1.0, 0.05)

    def off(there: float, at_result: float) -> float:
        return _mask_is_off(other, here, TRUTH, edges, lambda _, size, __: there if size > 1.0 else at_result)

    assert off(0.9, 0.2) <= 0.0 and off(0.2, 0.9) >= 1.0 and 0.0 < off(0.6, 0.6) < 1.0


def test_without_a_mask_edges_and_costs_tell_the_size() -> None:
    assert agrees_without_mask(0.94, 0.0) < 1.0
    assert agrees_without_mask(0.94, -0.4) > 1.0  # what costs less, but leaves the edges, contradicts nothing
    assert agrees_without_mask(0.99, 0.3) < 0.0 < 1.0 < agrees_without_mask(1.0, 0.0)


@pytest.mark.parametrize("depth", [0.95, 1.05])
def test_without_a_mask_depth_that_is_off_is_not_believed(depth: float) -> None:
    result = Refiner(MESH).refine(changed(OBSERVATION, depth=depth, drop=("mask",)), START)
    assert result.confidence is not None and result.confidence < 0.5


@pytest.mark.parametrize("grown_px", [-3, 3])
def test_a_mask_that_is_too_wide_or_too_narrow_contradicts_nothing(grown_px: int) -> None:
    grow = ndimage.binary_dilation if grown_px > 0 else ndimage.binary_erosion
    mask = grow(OBSERVATION.mask > 0.5, iterations=abs(grown_px))
    seen = Observation(OBSERVATION.camera, rgb=OBSERVATION.rgb, depth=OBSERVATION.depth, mask=mask)
    result = Refiner(MESH).refine(seen, START)
    assert result.ok and not contradictions(result)
    assert add_s(result.pose, TRUTH, MESH.vertices_m) < 0.03 * MESH.diameter


def test_masks_are_off_by_some_pixels_and_not_by_a_tenth_of_an_object() -> None:
    assert _as_masks_are_off(1.1, 40.0) == 1.0  # 3 to 4 pixels
    assert _as_masks_are_off(0.95, 200.0) == 1.0  # 5 to 10, as those that are drawn on a coarse grid
    assert 0.0 < _as_masks_are_off(1.1, 60.0) < 1.0
    assert _as_masks_are_off(1.1, 70.0) == 0.0
    assert _as_masks_are_off(0.85, 200.0) == 0.0


def test_edges_that_go_with_depth_do_not_excuse_a_mask_of_another_size() -> None:
    bare = replace(MESH, uv=None, texture=None, colors=None)
    far = dd.Pose(TRUTH.R_m2c, 1.1 * TRUTH.t_m2c)
    images = Renderer(bare, OBSERVATION.camera).render(far.R_m2c, far.t_m2c)
    rgb = np.repeat(np.where(images.coverage[0] > 0.5, 0.7, 0.2)[..., None], 3, axis=2).astype(np.float32)
    seen = Observation(OBSERVATION.camera, rgb=rgb, depth=1.1 * np.asarray(OBSERVATION.depth), mask=OBSERVATION.mask)
    result = Refiner(bare, threads=1).refine(seen, START)
    assert result.pose.distance_to(TRUTH) > 0.05 * MESH.diameter
    assert (result.confidence or 0.0) < 0.3
    assert {"depth-scale", "depth-scale-unsure"} & set(result.note_codes)


@pytest.mark.parametrize(
    ("gained", "beside", "across", "least", "most"),
    [
        (-0.8, -0.4, -0.05, 1.0, 1.0),  # the outline leaves the edges at every other size
        (-0.15, -0.1, -0.05, 0.4, 0.6),
        (-0.8, 0.02, -0.3, 0.0, 0.0),  # it lies on them at a smaller change of the same side
        (-0.8, -0.4, 0.19, 0.0, 0.0),  # or at one of the other side
        (-0.8, -0.4, None, 0.0, 0.0),
        (-0.05, -0.4, -0.4, 0.0, 0.0),  # edges hardly tell
    ],
)
def test_edges_refute_a_size_where_no_other_has_its_outline_on_them(
    gained: float, beside: float, across: float | None, least: float, most: float
) -> None:
    assert least <= refutes(gained, iter([beside, across]), lambda one: one) <= most


def bent_plate_on_a_table() -> tuple[dd.Mesh, Observation, dd.Pose]:
    """A flat CAD model, the picture of a plate that is bent by a millimetre, RGB and depth, and its pose."""
    sides = np.array([0.11, 0.034, 0.004])
    vertices, faces = grid_box(sides, 12)
    bent = vertices + np.array([0.0, 0.0, 0.0012]) * (1.0 - (2.0 * vertices[:, :1] / sides[0]) ** 2)
    table, squares = grid_box(np.array([0.8, 0.8, 0.002]), 4)
    rotation = so3.exp(np.array([np.pi - 0.7, 0.0, 0.0])) @ so3.exp(np.array([0.0, 0.0, 0.4]))
    truth = dd.Pose(rotation, np.array([0.01, 0.0, 0.42]))
    below = dd.Pose(rotation, truth.t_m2c - 0.003 * rotation[:, 2])
    parts = [
        (dd.Mesh(bent, faces, colors=np.tile([0.45, 0.7, 0.4], (len(bent), 1))), truth),
        (dd.Mesh(table, squares, colors=np.tile([0.6, 0.6, 0.62], (len(table), 1))), below),
    ]
    seen = picture(parts, np.random.default_rng(0), noise=SensorNoise(depth_m=0.0004, depth_slope=0.0))
    return dd.Mesh(vertices, faces), changed(seen, drop=("mask",)), truth


def test_a_plate_on_a_table_is_no_larger_plate_that_is_nearer() -> None:
    mesh, seen, truth = bent_plate_on_a_table()
    start = perturb(truth, angle_rad=0.05, distance_m=0.002, rng=np.random.default_rng(3))
    result = Refiner(mesh).refine(seen, start)
    assert not {NoteCode.DEPTH_SCALE, NoteCode.DEPTH_SCALE_UNSURE} & set(result.note_codes)
    assert result.ok and result.pose.distance_to(truth) < 0.003
