"""The parts of the comparison of located poses that need no other package: arguments, packages that lack, the table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers_locate import HEAD, PEERS, WORKER, Line, Worker, main, parsed, rows, surface, usable
from diffdope.scene.packaged import packaged_example

ABOUT = {"found": {}, "missing": {}, "needs": {"open3d": ["open3d"], "opencv": ["cv2", "open3d"]}}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "--python"),
        (["--python", "x", "--every", "0"], "--every: expected at least 1, got 0"),
        (["--python", "x", "--sets", "hope9"], "hope9"),
    ],
)
def test_wrong_arguments_are_named(words: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(words)
    assert text in capsys.readouterr().err


def test_an_environment_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="nowhere"):
        main(["--python", str(tmp_path / "nowhere")])


def test_with_all_packages_no_peer_is_left_out() -> None:
    assert usable(ABOUT) == (list(PEERS), [])


def test_a_peer_without_its_package_is_left_out_with_a_line() -> None:
    peers, lines = usable(ABOUT | {"missing": {"cv2": "No module named 'cv2'"}})
    assert peers == ["open3d"]
    assert len(lines) == 1
    assert PEERS["opencv"] in lines[0]
    assert "No module named 'cv2'" in lines[0]


def test_the_worker_says_what_is_missing(tmp_path: Path) -> None:
    for package in ("open3d", "cv2"):
        (tmp_path / f"{package}.py").write_text("print('loading')\nraise ImportError('broken on purpose')\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.argv = ['worker', {str(tmp_path)!r}]\n"
    code += f"import runpy; runpy.run_path({str(WORKER)!r}, run_name='__main__')"
    ended = subprocess.run([sys.executable, "-c", code], input="", capture_output=True, text=True, check=True)
    assert ended.stdout.count("broken on purpose") == 2
    assert "loading" in ended.stderr  # what packages print does not get between the answers
    assert len(ended.stdout.splitlines()) == 1


def test_a_worker_that_ends_is_reported(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 3\n")
    python.chmod(0o755)
    with pytest.raises(SystemExit, match="ended with 3"):
        Worker(python, tmp_path)


def test_the_table_counts_what_is_within_five_millimetres() -> None:
    lines = [
        Line("a", 4.9, 1.0, 1.0, 10.0, 0.5),
        Line("b", 9.0, 9.0, 9.0, 99.0, 2.0),
        Line("a", 5.1, 1.0, 6.0, 30.0, None),
        Line("a", 6.0, 1.0, 6.0, 20.0, 0.7),
        Line("a", 7.0, 8.0, 6.0, 25.0, 0.6),
    ]
    first, second = rows("sim", lines)
    assert first == ["sim", "a", "4", "25 %", "75 %", "25 %", "22", "0.60, at most 0.70"]
    assert second == ["sim", "b", "1", "0 %", "0 %", "0 %", "99", "2.00, at most 2.00"]
    assert len(first) == len(HEAD)


def test_peers_are_given_points_on_the_mesh_with_outward_normals() -> None:
    mesh = packaged_example().mesh
    given = surface(mesh)
    np.testing.assert_allclose(np.linalg.norm(given.normals, axis=1), 1.0, atol=1e-6)
    low, high = (of(mesh.vertices_m, axis=0) for of in (np.min, np.max))
    assert ((given.points >= low - 1e-9) & (given.points <= high + 1e-9)).all()
    outward = np.einsum("ij,ij->i", given.normals, given.points - mesh.vertices_m.mean(axis=0))
    assert np.mean(outward > 0.0) > 0.95  # the carton is nearly convex
