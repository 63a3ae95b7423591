"""What a leaf compares: a mask beside depth whose border the other images do not bear out is left out."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.joint.leaf import Leaf
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from tests.joint.conftest import CAMERA, draw
from tests.oracle import shapes

AT = Pose(so3.exp(np.array([0.5, 0.4, -0.6])), np.array([-0.015, 0.01, 0.47]))


@pytest.fixture(scope="module")
def plain() -> Refiner:
    """Of a box without colours."""
    shape = shapes.box((0.06, 0.08, 0.05), cells=6)
    return Refiner(Mesh(shape.vertices_m, shape.faces), threads=1)


def leaf_of(plain: Refiner, shift: tuple[int, int]) -> Leaf:
    """Beside depth, with a mask that is shifted by pixels."""
    seen, (shown,) = draw((plain.mesh,), [AT], np.random.default_rng(3))
    leaf = Leaf(plain, Observation(CAMERA, depth=seen.depth, mask=np.roll(shown, shift, axis=(0, 1))))
    assert leaf.prepared(plain.frame.enter(AT))
    return leaf


def test_a_mask_that_is_where_depth_is_counts(plain: Refiner) -> None:
    leaf = leaf_of(plain, (0, 0))
    assert set(leaf.parts(plain.frame.enter(AT))) == {"depth", "mask"}


@pytest.mark.parametrize("shift", [(0, 3), (-3, 2)])
def test_a_mask_that_is_shifted_moves_nothing_and_makes_less_sure(plain: Refiner, shift: tuple[int, int]) -> None:
    leaf, pose = leaf_of(plain, shift), plain.frame.enter(AT)
    parts = leaf.parts(pose)
    assert set(parts) == {"depth"}
    terms = leaf.terms(parts, pose)
    assert terms is not None
    step = np.linalg.solve(terms.curvature, -terms.gradient)
    assert 1e3 * np.linalg.norm(step[:3]) < 0.5 and np.linalg.norm(leaf.maybe_off) > 0.0
    # What it says of the place is held, as surely as masks of networks can be.
    only = sum((part.step for part in parts.values()), np.zeros((6, 6)))
    assert np.trace(terms.curvature[:3, :3]) > np.trace(only[:3, :3])
