from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry.pose import Pose
from diffdope.geometry.so3 import exp
from diffdope.io.bop_results import COLUMNS, Estimate, read_results, read_rows, write_results

LINE = "3,7,12,0.5,0 -1 0 1 0 0 0 0 1,10.5 -20 600,1.25"


def test_a_row_by_hand(tmp_path: Path):
    file = tmp_path / "results.csv"
    file.write_text("scene_id,im_id,obj_id,score,R,t,time\n" + LINE + "\n")
    (estimate,) = read_results(file)
    assert (estimate.scene_id, estimate.im_id, estimate.obj_id, estimate.score, estimate.time) == (3, 7, 12, 0.5, 1.25)
    np.testing.assert_allclose(estimate.pose.R_m2c, [[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(estimate.pose.t_m2c, [0.0105, -0.02, 0.6])


def test_a_header_is_optional(tmp_path: Path):
    file = tmp_path / "results.csv"
    file.write_text(LINE + "\n\n" + LINE + "\n")
    assert len(read_results(file)) == 2


def test_a_header_says_which_column_is_which(tmp_path: Path):
    file = tmp_path / "results.csv"
    file.write_text("method,t,R,score,obj_id,im_id,scene_id\nours,10.5 -20 600,0 -1 0 1 0 0 0 0 1,0.5,12,7,3\n")
    (estimate,) = read_results(file)
    assert (estimate.scene_id, estimate.im_id, estimate.obj_id, estimate.score, estimate.time) == (3, 7, 12, 0.5, -1.0)
    np.testing.assert_allclose(estimate.pose.t_m2c, [0.0105, -0.02, 0.6])


def test_a_header_that_lacks_a_column_is_named(tmp_path: Path):
    file = tmp_path / "results.csv"
    file.write_text("scene_id,im_id,obj_id,score,t\n3,7,12,0.5,1 2 3\n")
    with pytest.raises(DiffDopeError, match="line 1: expected a header scene_id,im_id,.*, got none of R"):
        read_results(file)


@pytest.mark.parametrize(("sign", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_columns_that_a_spreadsheet_separates_otherwise_are_named(sign: str, name: str, tmp_path: Path):
    file = tmp_path / "results.csv"
    file.write_text(sign.join(COLUMNS) + "\n" + LINE.replace(",", sign) + "\n")
    with pytest.raises(DiffDopeError, match=f"line 1: expected columns separated by commas, got .* by {name}"):
        read_results(file)


def test_rows_know_their_lines(tmp_path: Path):
    file = tmp_path / "results.csv"
    file.write_bytes(
        b"\xef\xbb\xbfscene_id,im_id,obj_id,score,R,t,time\r\n\r\n" + LINE.encode() + b"\r\n\r\n" + LINE.encode()
    )
    assert [line for line, _ in read_rows(file)] == [3, 5]


def test_round_trip_is_valid_to_the_letter(tmp_path: Path, rng: np.random.Generator):
    poses = [Pose(exp(rng.normal(size=3)), rng.normal(size=3) + np.array([0, 0, 1])) for _ in range(4)]
    rows = [Estimate(1, i // 2, 5, 1.0 / (i + 1), pose, 0.5 + i // 2) for i, pose in enumerate(poses)]
    write_results(tmp_path / "r.csv", rows)
    lines = (tmp_path / "r.csv").read_bytes().decode().split("\n")
    assert lines[0] == "scene_id,im_id,obj_id,score,R,t,time"
    assert lines[-1] == "" and len(lines) == 6
    for line in lines[1:-1]:
        columns = line.split(",")
        assert len(columns) == 7
        assert len(columns[4].split(" ")) == 9 and len(columns[5].split(" ")) == 3
    for before, after in zip(rows, read_results(tmp_path / "r.csv"), strict=True):
        np.testing.assert_allclose(after.pose.matrix, before.pose.matrix, atol=1e-9)
        assert after.score == before.score and after.time == before.time
    assert [path.name for path in tmp_path.iterdir()] == ["r.csv"]


def test_times_of_an_image_must_agree(tmp_path: Path):
    rows = [Estimate(1, 0, 5, 1.0, Pose.identity(), time) for time in (0.5, 0.6)]
    with pytest.raises(DiffDopeError, match="time: expected 0.5 as in the other rows of scene 1, image 0, got 0.6"):
        write_results(tmp_path / "r.csv", rows)
    assert not (tmp_path / "r.csv").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("3,7,12,0.5,0 -1 0 1 0 0 0 0 1,10.5 -20,1", "cam_t_m2c"),
        ("3,7,12,0.5,0 -1 0 1 0 0 0 0,10.5 -20 600,1", "cam_R_m2c"),
        ("3,7,12,0.5,0 -2 0 1 0 0 0 0 1,10.5 -20 600,1", "R_m2c"),
        ("3,7,12,high,0 -1 0 1 0 0 0 0 1,10.5 -20 600,1", "high"),
        ("3,7,12,nan,0 -1 0 1 0 0 0 0 1,10.5 -20 600,1", "finite"),
        ("3,7,12,0.5", "4 columns"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, message: str):
    file = tmp_path / "r.csv"
    file.write_text("scene_id,im_id,obj_id,score,R,t,time\n" + LINE + "\n" + line + "\n")
    with pytest.raises(DiffDopeError, match=message) as error:
        read_results(file)
    assert "line 3" in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(DiffDopeError, match="nowhere.csv"):
        read_results(tmp_path / "nowhere.csv")
