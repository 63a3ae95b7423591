"""Which size of an object reconciles views, and which mask a drawing explains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.geometry.pose import Pose
from diffdope.joint.scene_refiner import SceneRefiner
from diffdope.joint.support import Support, mask_explained, size_factor
from tests.joint.conftest import PLACES, Drawn

TRUE = Pose(np.eye(3), np.array([0.02, -0.01, 0.52]))


def seen(factor: float, noise_m: float = 0.0) -> dict[int, Pose]:
    """Where each view has an object whose mesh is so many times too large: as far away as it must be."""
    rng = np.random.default_rng(0)
    return {
        view: replace(there, t_m2c=factor * there.t_m2c + noise_m * factor * rng.normal(size=3))
        for view, there in enumerate(place @ TRUE for place in PLACES)
    }


@pytest.mark.parametrize("factor", [0.001, 0.1, 1.1, 25.4, 1000.0])
def test_the_size_that_reconciles_views(factor: float) -> None:
    for count in (2, 3):
        poses = {view: pose for view, pose in seen(factor, noise_m=1e-3).items() if view < count}
        found = size_factor(poses, PLACES)
        assert found is not None and abs(found * factor - 1.0) < 0.02


def test_no_other_size_where_this_one_fits_or_none_does() -> None:
    assert size_factor(seen(1.0, noise_m=1e-3), PLACES) is None
    assert size_factor({0: seen(10.0)[0]}, PLACES) is None
    elsewhere = seen(10.0) | {1: Pose(np.eye(3), np.array([2.0, 2.0, 5.0]))}
    assert size_factor(elsewhere, PLACES) is None


def test_cameras_in_one_place_tell_no_size() -> None:
    turned = [PLACES[0], Pose(PLACES[1].R_m2c, np.zeros(3))]
    poses = {view: replace(there, t_m2c=10.0 * there.t_m2c) for view, there in enumerate(p @ TRUE for p in turned)}
    assert size_factor(poses, turned) is None


def test_a_mask_of_another_place_is_not_explained(photographed: Drawn, refiner: SceneRefiner) -> None:
    box, truth = refiner.refiners[0], photographed.truth[0]
    observation = photographed.views[0].observation.with_mask(photographed.masks[0, 0])
    pose = box.frame.enter(truth)
    assert mask_explained(box, pose, observation) > 0.95
    beside = replace(pose, t_m2c=pose.t_m2c + np.array([0.08, 0.0, 0.0]))
    assert mask_explained(box, beside, observation) < 0.3
    assert mask_explained(box, replace(pose, t_m2c=-pose.t_m2c), observation) == 0.0


def test_most_views_decide() -> None:
    assert Support((0,), ()).decided and Support((), ()).decided and Support((0, 1), (2,)).decided
    assert not Support((0,), (1,)).decided and not Support((), (1,)).decided
