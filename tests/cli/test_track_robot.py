"""`diffdope track --urdf`: a film of a robot, in folders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffdope.cli.main import main
from diffdope.experiments.drawn_arm import CAMERA, drawn_arm, drawn_shot, looking_at, random_joints
from diffdope.experiments.drawn_laboratory import write_description
from diffdope.geometry.pose import Pose
from diffdope.jobs.journal import read_journal

pytest.importorskip("yourdfpy", reason="yourdfpy (diffdope[robot]) is not installed")
FRAMES = 4


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Pose]:
    """A folder of the film, and the truth, T_camera_base."""
    folder, robot, rng = tmp_path_factory.mktemp("film"), drawn_arm(), np.random.default_rng(1)
    pose, rest = looking_at(rng), random_joints(robot, rng)
    write_description(folder, robot)
    (folder / "depth").mkdir()
    joints = {}
    for k in range(FRAMES):
        joints[f"{k:06d}"] = {name: value + 0.05 * k for name, value in rest.items()}
        shot = drawn_shot(robot, pose, joints[f"{k:06d}"], images=("depth",))
        depth = np.round(1e4 * np.asarray(shot.observation.depth)).astype(np.uint16)
        Image.fromarray(depth).save(folder / "depth" / f"{k:06d}.png")
    (folder / "joints.json").write_text(json.dumps(joints))
    camera = {"cam_K": CAMERA.K.ravel().tolist(), "depth_scale": 0.1, "width": CAMERA.width, "height": CAMERA.height}
    (folder / "camera.json").write_text(json.dumps(camera))
    start = pose.retract([0.02, -0.01, 0.02, 0.03, -0.03, 0.02])
    (folder / "init.json").write_text(json.dumps({"T_camera_base": start.matrix.tolist()}))
    return folder, pose


def words(folder: Path, out: Path, *more: str) -> list[str]:
    given = {
        "urdf": "arm.urdf",
        "joints": "joints.json",
        "depth": "depth",
        "camera": "camera.json",
        "init": "init.json",
    }
    flags = [word for name, file in given.items() for word in (f"--{name}", str(folder / file))]
    return ["track", *flags, "--out", str(out), *more]


def test_the_base_is_followed_and_a_run_goes_on(
    film: tuple[Path, Pose], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, truth = film
    assert main(words(folder, tmp_path / "out")) == 0
    _, records, complete = read_journal(tmp_path / "out" / "poses.jsonl")
    assert complete and list(records) == [f"{k:06d}" for k in range(FRAMES)]
    for record in records.values():
        assert Pose.from_bop(record["cam_R_m2c"], record["cam_t_m2c"]).distance_to(truth) < 0.004
        assert record["confidence"] > 0.5
    assert (tmp_path / "out" / "track.png").exists()
    assert "diffdope view" not in capsys.readouterr().out
    assert main(words(folder, tmp_path / "out")) == 0  # nothing is left to be done, and all of it is drawn again
    assert main(["view", str(tmp_path / "out")]) == 2
    assert "track.mp4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--mesh", "cup.ply"), "--mesh: expected none beside --urdf"),
        (("--rerun", "film.rrd"), "--rerun: expected none beside --urdf"),
        (("--base-link", "hand"), "base link"),
    ],
)
def test_what_does_not_fit_is_refused(
    film: tuple[Path, Pose], tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, str], said: str
) -> None:
    assert main(words(film[0], tmp_path / "out", *more)) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("left_out", "said"),
    [("--joints", "joints: expected --joints"), ("--urdf", "urdf: expected --urdf")],
)
def test_description_and_joints_go_together(
    film: tuple[Path, Pose], tmp_path: Path, capsys: pytest.CaptureFixture[str], left_out: str, said: str
) -> None:
    given = words(film[0], tmp_path / "out")
    at = given.index(left_out)
    assert main([*given[:at], *given[at + 2 :], *(["--mesh", "cup.ply"] if left_out == "--urdf" else [])]) == 2
    assert said in capsys.readouterr().err


def test_a_frame_without_joints_is_named(
    film: tuple[Path, Pose], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    joints = json.loads((film[0] / "joints.json").read_text())
    del joints["000002"]
    (tmp_path / "joints.json").write_text(json.dumps(joints))
    arguments = words(film[0], tmp_path / "out")
    arguments[arguments.index("--joints") + 1] = str(tmp_path / "joints.json")
    assert main(arguments) == 2
    assert "none for 000002" in capsys.readouterr().err
