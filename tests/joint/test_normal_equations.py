from __future__ import annotations

import numpy as np

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose, difference
from diffdope.joint.chain import ScenePoses, Unknowns, camera_difference, moved_camera
from diffdope.joint.merge import SummaryLeaf, terms_of
from diffdope.joint.normal_equations import CameraPrior, LeafTerms, minimise, weights_of

INFORMATION = np.diag(1.0 / np.repeat([1e-4, 1e-3], 3) ** 2)
EXACT = ScenePoses(
    tuple(Pose(so3.exp(0.3 * np.array([n, 1.0, -n])), np.array([0.1 * n - 0.1, 0.05 * n, 0.6])) for n in range(4)),
    (Pose.identity(), Pose(so3.exp(np.array([0.0, 0.7, 0.1])), np.array([-0.4, 0.0, 0.2])),
     Pose(so3.exp(np.array([0.5, -0.4, 0.0])), np.array([0.3, 0.3, 0.1]))),
)  # fmt: skip
SIGMA = (0.01, 1.0)


def graph(wrong: tuple[int, ...] = ()) -> dict[tuple[int, int], SummaryLeaf]:
    """What each view would find of each object; those of views that are wrong are elsewhere."""
    leaves = {}
    for v in range(3):
        for o in range(4):
            pose = EXACT.in_camera(v, o)
            leaves[v, o] = SummaryLeaf(pose.retract([0.05, 0, 0, 0, 0.3, 0]) if v in wrong else pose, INFORMATION)
    return leaves


def solve(leaves: dict[tuple[int, int], SummaryLeaf], start: ScenePoses, free: tuple[int, ...] = ()) -> object:
    unknowns = Unknowns(4, free)
    priors = {v: CameraPrior(start.cameras[v], SIGMA) for v in free}
    return minimise(
        start, lambda state: terms_of(leaves, state), unknowns, priors, iterations=30, units=np.ones(unknowns.size),
        tolerance=1e-9,
    )  # fmt: skip


def test_exact_views_give_the_poses_back() -> None:
    rng = np.random.default_rng(0)
    start = EXACT.moved(rng.normal(0.0, 0.02, 24), Unknowns(4, ()))
    found = solve(graph(), start).state
    for one, true in zip(found.objects, EXACT.objects, strict=True):
        np.testing.assert_allclose(difference(one, true), 0.0, atol=1e-7)


def test_cameras_that_are_off_are_found_beside_one_that_is_not() -> None:
    rng = np.random.default_rng(1)
    cameras = [EXACT.cameras[0]]
    for one in EXACT.cameras[1:]:
        cameras.append(moved_camera(one, np.concatenate([rng.normal(0, 0.01, 3), rng.normal(0, 0.02, 3)])))
    found = solve(graph(), ScenePoses(EXACT.objects, tuple(cameras)), free=(1, 2)).state
    np.testing.assert_array_equal(found.cameras[0].matrix, np.eye(4))
    for one, true, off in zip(found.cameras[1:], EXACT.cameras[1:], cameras[1:], strict=True):
        # What is left is the prior's say, which is a hundred times less sure than each of four objects.
        assert np.linalg.norm(camera_difference(one, true)) < 0.05 * np.linalg.norm(camera_difference(off, true))


def test_a_view_that_is_elsewhere_bends_nothing() -> None:
    solution = solve(graph(wrong=(2,)), EXACT)
    for one, true in zip(solution.state.objects, EXACT.objects, strict=True):
        assert np.linalg.norm(difference(one, true)) < 1e-6
    assert all(weight == 0.0 for (v, _), weight in solution.weights.items() if v == 2)
    assert all(weight > 0.9 for (v, _), weight in solution.weights.items() if v != 2)


def test_what_all_views_are_off_alike_says_nothing_against_any() -> None:
    far = {(v, 0): LeafTerms(0.0, 10.0 * np.ones(6), np.eye(6)) for v in range(4)}
    assert min(weights_of(far).values()) > 0.8
    one = far | {(3, 0): LeafTerms(0.0, 100.0 * np.ones(6), np.eye(6))}
    assert weights_of(one)[3, 0] == 0.0 and weights_of(one)[0, 0] > 0.8


def test_the_prior_of_a_camera() -> None:
    prior = CameraPrior(EXACT.cameras[1], SIGMA)
    step = np.array([0.01, 0.0, 0.0, 0.0, np.radians(1.0), 0.0])
    assert np.isclose(prior.cost(moved_camera(EXACT.cameras[1], step)), 1.0)  # half of one deviation squared, twice
    np.testing.assert_allclose(prior.gradient(EXACT.cameras[1]), 0.0, atol=1e-9)
