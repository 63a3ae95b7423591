"""`--depth-extrinsics` that are the wrong way round, as a user runs the commands, in this process."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from diffdope.cli.main import main
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.io.depth import DepthSource
from diffdope.io.images import read_depth
from tests.cli.conftest import arguments

PLACE = Pose.from_wxyz_xyz([0.9999, 0.002, -0.01, 0.003, 0.05, 0.001, -0.004])  # of depth in the photograph


def of_another_camera(folder: Path) -> None:
    """The packaged depth as a camera beside the photograph's has it."""
    entry = json.loads((folder / "camera.json").read_text())
    camera = Camera.from_K(np.reshape(entry["cam_K"], (3, 3)), width=640, height=480)
    depth = 1e-4 * np.asarray(read_depth(folder / "depth.png"), np.float64)
    there, _, _ = DepthSource(camera=camera, T_depth2rgb=PLACE.inverse()).registered(depth, None, camera)
    np.save(folder / "depth.npy", there)
    for name, place in (("right", PLACE), ("wrong", PLACE.inverse())):
        (folder / f"{name}.json").write_text(json.dumps(place.matrix.tolist()))


@pytest.mark.parametrize("command", ["locate", "refine"])
def test_the_inverse_is_tried_and_named(inputs: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    of_another_camera(inputs)
    start = {"init": None} if command == "locate" else {"film": None}
    flags = {"depth": inputs / "depth.npy", "depth_camera": inputs / "camera.json", **start}

    def result(**more: object) -> dict[str, object]:
        words = [command, *arguments(inputs, **flags, **more)[1:]]
        main(words)
        entry: dict[str, object] = json.loads((inputs.parent / "out" / "result.json").read_text())
        return entry

    right = result(depth_extrinsics=inputs / "right.json")
    assert right["status"] == "converged" and "--depth-extrinsics" not in capsys.readouterr().out
    wrong = result(depth_extrinsics=inputs / "wrong.json")
    assert "with the inverse of --depth-extrinsics the object is found" in wrong["notes"][0]  # type: ignore[index]
    assert wrong["note_codes"][0] == "registration"  # type: ignore[index]
    said = " ".join(capsys.readouterr().out.split())
    assert "Give their inverse, from depth's to the photograph's" in said
