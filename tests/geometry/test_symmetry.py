from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.symmetry import Symmetries

HALF_TURN_X = [1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 20, 0, 0, 0, 1]  # about the x axis, then 20 mm up z
ABOUT_Z = {"axis": [0, 0, 2], "offset": [10, 0, 0]}


def test_none_is_the_identity_alone() -> None:
    symmetries = Symmetries.none()
    assert len(symmetries) == 1 and not symmetries.symmetric
    np.testing.assert_array_equal(symmetries.R, [np.eye(3)])
    np.testing.assert_array_equal(symmetries.t_m, [[0, 0, 0]])
    assert Symmetries.from_bop({"diameter": 100.0}).R.shape == (1, 3, 3)


def test_a_discrete_symmetry_is_read_row_by_row_in_millimetres() -> None:
    symmetries = Symmetries.from_bop(json.loads(json.dumps({"symmetries_discrete": [HALF_TURN_X]})))
    assert len(symmetries) == 2 and symmetries.symmetric
    np.testing.assert_allclose(symmetries.R[0], np.eye(3))
    np.testing.assert_allclose(symmetries.R[1] @ [1, 2, 3] + symmetries.t_m[1], [1, -2, -3 + 0.02], atol=1e-12)


def test_a_continuous_symmetry_turns_about_a_line_in_steps() -> None:
    symmetries = Symmetries.from_bop({"symmetries_continuous": [ABOUT_Z]}, steps=4)
    moved = symmetries.R @ np.array([0.03, 0.0, 0.5]) + symmetries.t_m
    # 0.02 from the line x = 0.01, y = 0: quarter turns, against the clock as seen from the tip of the axis
    np.testing.assert_allclose(
        moved, [[0.03, 0, 0.5], [0.01, 0.02, 0.5], [-0.01, 0, 0.5], [0.01, -0.02, 0.5]], atol=1e-12
    )
    np.testing.assert_allclose(symmetries.axis, [0, 0, 1])
    np.testing.assert_allclose(symmetries.centre_m, [0.01, 0, 0])
    assert len(Symmetries.from_bop({"symmetries_continuous": [ABOUT_Z]})) == 315


def test_discrete_and_continuous_are_combined_turn_after_motion() -> None:
    steps = 5
    symmetries = Symmetries.from_bop({"symmetries_discrete": [HALF_TURN_X], "symmetries_continuous": [ABOUT_Z]}, steps)
    wanted = []
    for discrete, k in product((np.eye(4), np.reshape(HALF_TURN_X, (4, 4)) * 1.0), range(steps)):
        a = 2 * np.pi * k / steps
        turn = np.eye(4)
        turn[:2, :2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
        shift = np.eye(4)
        shift[:3, 3] = ABOUT_Z["offset"]
        wanted.append(shift @ turn @ np.linalg.inv(shift) @ discrete)
    wanted = np.array(wanted)
    np.testing.assert_allclose(symmetries.R, wanted[:, :3, :3], atol=1e-12)
    np.testing.assert_allclose(symmetries.t_m, wanted[:, :3, 3] / 1000, atol=1e-12)


def test_several_axes_make_a_ball_and_do_not_multiply() -> None:
    offset = np.array([1.0, 2.0, 3.0])
    axes = [{"axis": a, "offset": (offset + 7 * np.array(a)).tolist()} for a in ([1, 0, 0], [0, 1, 0], [0, 0, 1])]
    symmetries = Symmetries.from_bop({"symmetries_continuous": axes})
    assert symmetries.is_ball and symmetries.symmetric
    assert len(symmetries) == 1 + 3 * 314
    np.testing.assert_allclose(symmetries.centre_m, offset / 1000, atol=1e-12)
    fixed = symmetries.R @ symmetries.centre_m + symmetries.t_m
    np.testing.assert_allclose(fixed, np.broadcast_to(offset / 1000, fixed.shape), atol=1e-12)
    angles = np.linalg.norm(so3.log(symmetries.R), axis=1)
    assert np.count_nonzero(angles < 1e-9) == 1  # the identity only once


def test_the_same_line_twice_is_one_axis() -> None:
    again = {"axis": [0, 0, -1], "offset": [10, 0, 55]}
    symmetries = Symmetries.from_bop({"symmetries_continuous": [ABOUT_Z, again]})
    assert len(symmetries) == 315 and not symmetries.is_ball
    np.testing.assert_allclose(symmetries.axis, [0, 0, 1])


def discrete(*changes: tuple[int, float]) -> dict[str, object]:
    values = list(np.eye(4).ravel())
    for index, value in changes:
        values[index] = value
    return {"symmetries_discrete": [np.eye(4).ravel().tolist(), values]}


def continuous(**changes: object) -> dict[str, object]:
    entry = {**ABOUT_Z, **changes}
    return {"symmetries_continuous": [{key: value for key, value in entry.items() if value is not None}]}


@pytest.mark.parametrize(
    ("info", "said"),
    [
        ({"symmetries_discrete": [[1, 2, 3]]}, r"symmetries_discrete\[0\]: expected 16 numbers"),
        ({"symmetries_discrete": {}}, "symmetries_discrete: expected a list"),
        (discrete((0, 1.1)), r"symmetries_discrete\[1\]: expected a rigid motion, got R\^T R off"),
        (discrete((0, -1.0)), r"symmetries_discrete\[1\]: expected a rigid motion, got a mirror image"),
        (discrete((12, 5.0)), r"symmetries_discrete\[1\]: expected last row .* transposed"),
        (discrete((3, np.nan)), r"symmetries_discrete\[1\]: expected finite"),
        (continuous(axis=[0, 0, 0]), r"symmetries_continuous\[0\].axis: expected a direction"),
        (continuous(axis=[0, 1]), r"symmetries_continuous\[0\].axis: expected shape \(3,\)"),
        (continuous(offset=None), r"symmetries_continuous\[0\]: expected the key offset, got keys axis"),
        (continuous(offset=["a", 0, 0]), r"symmetries_continuous\[0\].offset: expected an array of numbers"),
        ({"symmetries_continuous": ["z"]}, r"symmetries_continuous\[0\]: expected an object"),
        (
            {"symmetries_continuous": [ABOUT_Z, {"axis": [1, 0, 0], "offset": [0, 6, 0]}]},
            "symmetries_continuous: expected axes that meet in a point, got axes 6 mm apart",
        ),
        (
            {"symmetries_continuous": [ABOUT_Z, {"axis": [0, 0, 1], "offset": [0, 0, 0]}]},
            "symmetries_continuous: expected axes that meet in a point, got axes 10 mm apart",
        ),
    ],
)
def test_what_is_wrong_is_named(info: dict[str, object], said: str) -> None:
    with pytest.raises(DiffDopeError, match=said):
        Symmetries.from_bop(info)


def test_direct_use_is_checked_too() -> None:
    with pytest.raises(DiffDopeError, match="identity as the first"):
        Symmetries(so3.exp([[0.0, 0.0, 1.0]]), np.zeros((1, 3)))
    with pytest.raises(DiffDopeError, match=r"R: expected shape \(2, 3, 3\)"):
        Symmetries(np.eye(3)[None], np.zeros((2, 3)))
    with pytest.raises(DiffDopeError, match="steps"):
        Symmetries.from_bop({}, steps=0)
    with pytest.raises(ValueError, match="read-only"):
        Symmetries.none().R[0, 0, 0] = 2.0
