"""The support plane: its distance, its derivative, and what it does for a pose whose height is badly seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError
from diffdope.experiments.shapes import grid_box, mottled, painted
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import PRESETS, Preset
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.terms.registry import ObjectiveSettings
from diffdope.terms.support_plane import distance_to_plane, support_plane_factor
from tests.oracle.problems import added_by, central_gradient

Array = NDArray[np.float64]
SIDES = np.array([0.06, 0.09, 0.05])
CORNERS = 0.5 * SIDES * np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
TILTED = Pose(so3.exp(np.array([0.4, -0.3, 0.8])), np.array([0.02, -0.01, 0.5]))
PLANE = (0.1, -0.8, -0.6, -0.3)


def on(plane: tuple[float, ...], **more: float) -> ObjectiveSettings:
    return ObjectiveSettings(plane=plane, **more)


def lowest(pose: Pose, plane: tuple[float, ...]) -> float:
    """By its definition: the least signed distance of all corners."""
    normal = np.array(plane[:3])
    return float(((pose.apply(CORNERS) @ normal - plane[3]) / np.linalg.norm(normal)).min())


def test_the_distance_is_that_of_the_lowest_corner() -> None:
    for turn in (np.zeros(3), np.array([1.0, 2.0, -0.5]), np.array([-2.0, 0.1, 0.3])):
        pose = Pose(so3.exp(turn), TILTED.t_m2c)
        distance, _ = distance_to_plane(CORNERS, pose, on(PLANE))
        assert distance == pytest.approx(lowest(pose, PLANE), abs=1e-15)


def test_its_derivative_is_that_of_the_distance() -> None:
    _, jacobian = distance_to_plane(CORNERS, TILTED, on(PLANE))

    def distances(*poses: Pose) -> Array:
        return np.array([lowest(pose, PLANE) for pose in poses])

    assert jacobian == pytest.approx(central_gradient(distances, TILTED, 1e-6), abs=1e-8)


@pytest.mark.parametrize("factor", [1e-3, 0.5, 7.0, 1e4])
def test_the_length_of_the_normal_does_not_matter(factor: float) -> None:
    scaled = tuple(factor * number for number in PLANE)
    one, other = (distance_to_plane(CORNERS, TILTED, on(plane)) for plane in (PLANE, scaled))
    assert one[0] == pytest.approx(other[0], rel=1e-12) and one[1] == pytest.approx(other[1], rel=1e-12)


def test_what_is_paid_is_the_square_over_the_tolerances() -> None:
    settings = on(PLANE, plane_weight=0.02, plane_tolerance_m=0.002)
    factor = support_plane_factor(CORNERS, TILTED, settings)
    assert factor is not None
    cost = added_by([TILTED], quadratics=[(0, factor)]).cost[0]
    assert cost == pytest.approx(0.02 * (lowest(TILTED, PLANE) / 0.002) ** 2)
    for step in ([0.001, -0.002, 0.001, 0.0, 0.0, 0.0], [0.0, 0.001, 0.0, 1e-4, 2e-4, -1e-4]):
        near = TILTED.retract(step)
        moved = added_by([near], quadratics=[(0, factor)]).cost[0]
        assert moved == pytest.approx(0.02 * (lowest(near, PLANE) / 0.002) ** 2, rel=1e-4)


def test_standing_on_the_plane_costs_nothing_and_sinking_as_much_as_floating() -> None:
    normal = np.array(PLANE[:3]) / np.linalg.norm(PLANE[:3])
    stands = Pose(TILTED.R_m2c, TILTED.t_m2c - lowest(TILTED, PLANE) * normal)
    costs = []
    for height in (0.0, 0.004, -0.004):
        pose = Pose(stands.R_m2c, stands.t_m2c + height * normal)
        factor = support_plane_factor(CORNERS, pose, on(PLANE))
        assert factor is not None
        costs.append(factor.constant)
    assert costs[0] == pytest.approx(0.0, abs=1e-15)
    assert costs[1] == pytest.approx(costs[2], rel=1e-9) and costs[1] == pytest.approx(0.01 * 16.0)


def test_without_a_plane_or_a_weight_it_is_off() -> None:
    assert support_plane_factor(CORNERS, TILTED, ObjectiveSettings()) is None
    assert support_plane_factor(CORNERS, TILTED, on(PLANE, plane_weight=0.0)) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"plane": (0.0, 1.0, 0.0)}, "plane: expected four finite numbers a, b, c, d .*, got 0.0, 1.0, 0.0"),
        ({"plane": (0.0, 0.0, 0.0, 1.0)}, r"plane: expected a normal \(a, b, c\) that is not zero"),
        ({"plane": (0.0, 1.0, np.nan, 1.0)}, "plane: expected four finite numbers .*nan"),
        ({"plane": (0.0, 1.0, np.inf, 1.0)}, "plane: expected four finite numbers .*inf"),
        ({"plane": (0.0, 1.0, 0.0, np.nan)}, "plane: expected four finite numbers"),
        ({"plane": PLANE, "plane_weight": -1.0}, "plane_weight: expected a number >= 0, got -1.0"),
        ({"plane": PLANE, "plane_tolerance_m": 0.0}, "plane_tolerance_m: expected a number > 0, got 0.0"),
        ({"plane": PLANE, "plane_tolerance_m": np.nan}, "plane_tolerance_m: expected a number > 0, got nan"),
    ],
)
def test_what_is_no_plane_is_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(DiffDopeError, match=words):
        ObjectiveSettings(**change)  # type: ignore[arg-type]


def with_plane(preset: str, plane: tuple[float, ...]) -> Preset:
    base = PRESETS[preset]
    return replace(base, objective=replace(base.objective, plane=plane))


@pytest.fixture(scope="module")
def box() -> Mesh:
    """A print that is hardly seen."""
    return painted("box", *grid_box(SIDES, 6), mottled)


@pytest.mark.parametrize("preset", ["default", "fast", "paper"])
def test_without_depth_the_plane_tells_the_height(box: Mesh, preset: str) -> None:
    """From nearly above, the height over the table is the distance from the camera, which noisy colours hardly know."""
    down = so3.exp(np.array([0.15, 0.1, 0.0]))
    table = np.array([down[0, 2], down[1, 2], down[2, 2]])  # the box's own third axis, away from the camera
    heights: dict[bool, list[float]] = {False: [], True: []}
    for seed in range(4):
        rng = np.random.default_rng(seed)
        truth = Pose(down @ so3.exp(np.array([0.0, 0.0, rng.uniform(-3.0, 3.0)])), np.array([0.01, -0.01, 0.7]))
        seen = picture([(box, truth)], rng, noise=SensorNoise(rgb=0.15))
        photograph = Observation(CAMERA, rgb=seen.rgb, mask=seen.mask)
        normal = -table
        plane = (*normal, float((truth.apply(CORNERS) @ normal).min()))
        start = truth.retract([0.002, -0.002, 0.012, 0.03, -0.03, 0.04])
        for known in (False, True):
            refiner = Refiner(box, preset=with_plane(preset, plane if known else ()), threads=1)
            result = refiner.refine(photograph, start)
            assert result.ok
            heights[known].append(abs(float((result.pose.t_m2c - truth.t_m2c) @ normal)))
    without, helped = (float(np.mean(heights[known])) for known in (False, True))
    assert helped < 0.5 * without
    assert helped < 0.001
