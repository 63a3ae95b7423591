"""`--rerun FILE.rrd` of refine and locate; that of track is tested with recordings of ROS."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
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


def test_a_scene_is_written_in_the_world(inputs: Path, tmp_path: Path) -> None:
    from tests.cli.test_view import scene_words

    out = tmp_path / "scene"
    assert main(scene_words(inputs, out, "--rerun", tmp_path / "scene.rrd")) == 1
    entry, found = json.loads((out / "scene.json").read_text()), columns(tmp_path / "scene.rrd")
    thing = np.array(entry["objects"][0]["T_m2w"])
    np.testing.assert_allclose(
        found["/world/objects/thing", "Transform3D:translation"][0][1][0], thing[:3, 3], atol=1e-6
    )
    turned = np.reshape(found["/world/objects/thing", "Transform3D:mat3x3"][0][1][0], (3, 3)).T
    np.testing.assert_allclose(turned, thing[:3, :3], atol=1e-6)
    for view in entry["views"]:
        stands = np.linalg.inv(view["T_w2c"])[:3, 3]
        entity = f"/world/views/{view['name']}"
        np.testing.assert_allclose(found[entity, "Transform3D:translation"][0][1][0], stands, atol=1e-6)
        assert found[entity, "Pinhole:image_from_camera"] and found[f"{entity}/depth", "DepthImage:buffer"]
    assert ("/world/objects/ghost/mesh", "Mesh3D:vertex_positions") not in found or entry["objects"][1]["views"]
    assert "thing: converged" in str(found["/result", "TextDocument:text"])
    assert main(scene_words(inputs, out, "--rerun", tmp_path / "scene.txt")) == 2
