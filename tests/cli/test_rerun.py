"""`--rerun FILE.rrd` of refine and locate; that of track is tested with recordings of ROS."""

from __future__ import annotations

from pathlib import Path

import pytest

from diffdope.cli.main import main
from tests.cli.conftest import DEMO, arguments
from tests.viz.rerun_reader import columns

pytest.importorskip("rerun")


def test_the_commands_write_it(inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "one.rrd"
    assert main([*arguments(inputs, rerun=out), "--no-film"]) == 0
    assert ("/view/object", "Transform3D:translation") in columns(out)
    flags = {"--mesh": DEMO / "object.ply", "--camera": inputs / "camera.json", "--rgb": inputs / "rgb.png"}
    flags |= {"--depth": inputs / "depth.png", "--mask": inputs / "mask.png", "--out": tmp_path / "located"}
    words = [str(word) for pair in flags.items() for word in pair]
    assert main(["locate", *words, "--rerun", str(tmp_path / "two.rrd")]) == 0
    assert ("/view/object", "Transform3D:translation") in columns(tmp_path / "two.rrd")
    assert main([*arguments(inputs, rerun=tmp_path / "a.txt")]) == 2
    assert "rerun: expected a file that ends with .rrd" in capsys.readouterr().err
    assert main([*arguments(inputs, rerun=tmp_path / "none" / "a.rrd")]) == 2
    assert "a file in a folder that is there" in capsys.readouterr().err
