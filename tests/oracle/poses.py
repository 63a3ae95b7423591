"""Poses, compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from diffdope.geometry.pose import Pose


def assert_poses(found: Sequence[Pose], wanted: Sequence[Pose]) -> None:
    """As many, and the same to 1e-9 (metres, parts of a rotation)."""
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one.matrix, other.matrix, atol=1e-9)
