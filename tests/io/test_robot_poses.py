"""Flange poses in the conventions of robots' makers, against quarter turns that can be checked by hand, and scipy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from diffdope.errors import DiffDopeError
from diffdope.io.flange_poses import read_flange_poses

PICTURES = ["000002", "000010", "000011"]
TURNS = Rotation.from_euler("ZYX", [[30, -40, 170], [120, 60, -20], [-75, 10, 45]], degrees=True)
METRES = np.array([[0.4, -0.1, 0.6], [-0.2, 0.5, 0.3], [0.1, 0.2, 0.9]])


def rows(convention: str) -> np.ndarray:
    zyx = TURNS.as_euler("ZYX", degrees=True)
    turned = {
        "ur": TURNS.as_rotvec(), "kuka": zyx, "fanuc": zyx[:, ::-1], "abb": np.roll(TURNS.as_quat(), 1, axis=1),
    }[convention]  # fmt: skip
    return np.hstack([METRES * (1.0 if convention == "ur" else 1000.0), turned])


@pytest.mark.parametrize("convention", ["ur", "kuka", "abb", "fanuc"])
@pytest.mark.parametrize("form", ["txt", "csv", "json", "npy", "named.csv", "named.json"])
def test_every_convention_is_read_in_every_form(convention: str, form: str, tmp_path: Path) -> None:
    path, values = tmp_path / f"poses.{form}", rows(convention)
    if form == "npy":
        np.save(path, values)
    elif form.endswith("json"):
        listed = values.tolist()
        path.write_text(json.dumps(dict(zip(PICTURES, listed, strict=True)) if "named" in form else listed))
    else:
        first = "frame,1,2,x\n" if "csv" in form else ""
        names = [f"{name}.png," for name in PICTURES] if "named" in form else [""] * 3
        path.write_text(
            first
            + "".join(n + ", ".join(map(repr, map(float, row))) + "\n" for n, row in zip(names, values, strict=True))
        )
    found = read_flange_poses(path, PICTURES, convention=convention)
    assert np.array([pose.t_m2c for pose in found]) == pytest.approx(METRES)
    assert np.array([pose.R_m2c for pose in found]) == pytest.approx(TURNS.as_matrix())


def test_by_hand(tmp_path: Path) -> None:
    """KUKA's A is about z, FANUC's W about x; a quarter turn about z takes x to y."""
    path = tmp_path / "pose.txt"
    for convention, row, taken in (
        ("kuka", "0 0 500 90 0 0", [0, 1, 0]), ("fanuc", "0 0 500 0 0 90", [0, 1, 0]),
        ("ur", "0 0 0.5 0 0 1.5707963267948966", [0, 1, 0]), ("abb", "0 0 500 0.7071 0 0 0.7071", [0, 1, 0]),
        ("fanuc", "0 0 500 90 0 0", [1, 0, 0]),
    ):  # fmt: skip
        path.write_text(row)
        (pose,) = read_flange_poses(path, ["0"], convention=convention)
        assert pose.apply([[1.0, 0.0, 0.0]])[0] == pytest.approx(np.add(taken, (0, 0, 0.5)), abs=1e-9)


@pytest.mark.parametrize(
    ("text", "how", "said"),
    [
        ("400 -100 600 0.1 0.2 0.3", {"convention": "ur"}, "are they millimetres"),
        ("0.4 -0.1 0.6 10 20 30", {"convention": "ur"}, "at most 2 pi"),
        ("\n".join(["400 -100 600 0.1 1.2 3.1"] * 3), {"convention": "kuka"}, "radians"),
        ("400 -100 600 0.7 0.7 0.7 0.7", {"convention": "abb"}, "unit quaternions"),
        ("400 -100 600 10 20 30", {"convention": "abb"}, "rows of 7 numbers"),
        ("400 -100 600 10 20", {"convention": "kuka"}, "rows of 6 numbers"),
        ("", {"convention": "kuka"}, "rows of 6 numbers"),
        ("a b c d e f\nx y z 1 2 3", {"convention": "kuka"}, "flange poses"),
        ("400 -100 600 10 20 30", {"convention": "staubli"}, "flange convention"),
        ("400 -100 600 10 20 30", {"convention": "kuka", "unit": "cm"}, "flange unit"),
        ("400 -100 600 10 20 30", {"unit": "mm"}, "flange unit"),
    ],
)
def test_poses_of_another_convention_or_unit_are_refused(
    text: str, how: dict[str, str], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "poses.txt"
    path.write_text(text)
    with pytest.raises(DiffDopeError, match=said):
        read_flange_poses(path, [str(k) for k in range(max(1, text.count("\n") + 1))], **how)


def test_the_pendant_of_ur_shows_millimetres(tmp_path: Path) -> None:
    path = tmp_path / "poses.txt"
    path.write_text("p[400, -100, 600, 0.1, 0.2, 0.3]\n")
    (pose,) = read_flange_poses(path, ["0"], convention="ur", unit="mm")
    assert pose.t_m2c == pytest.approx([0.4, -0.1, 0.6])
