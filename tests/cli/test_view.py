"""`diffdope view`: which result a path holds, what is read to show it, and what is said where that is gone."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from diffdope.bop.dataset import DataSet
from diffdope.cli.locate_command import LocateArguments
from diffdope.cli.made_with import Places, flags_of
from diffdope.cli.main import main
from diffdope.cli.view_bop import bop_content
from diffdope.cli.view_sources import content_of
from diffdope.errors import DiffDopeError
from diffdope.jobs.journal import Journal
from tests.cli.conftest import arguments

HERE = importlib.util.find_spec("viser") is not None
needs_viser = pytest.mark.skipif(not HERE, reason="the extra `viewer` is not installed")


@pytest.fixture
def refined(inputs: Path) -> Path:
    assert main([*arguments(inputs, depth_scale=0.1), "--no-film"]) == 0
    return inputs.parent / "out"


@pytest.mark.parametrize("words", [["view", "x"], ["annotate", "--out", "x"]])
def test_without_the_extra_the_commands_say_what_to_install(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diffdope.viewer.needed.importlib.util.find_spec", lambda name: None)
    assert main(words) == 2
    assert f'{words[0]}: expected viser, got none; pip install "diffdope[viewer]"' in capsys.readouterr().err


def test_what_is_shown_is_read_by_the_flags_of_the_command(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments(inputs, depth_scale=0.1), "--no-film"]) == 0
    made = inputs.parent / "out"
    assert f"to see it: diffdope view {made}" in capsys.readouterr().out
    read = json.loads((made / "result.json").read_text())["inputs"]
    assert read["depth_scale"] == 0.1 and "mask_id" not in read
    content = content_of(made)
    assert content.title == "out" and not content.missing and len(content.titles) > 3
    moment = content.moment(content.first)
    assert moment.view is not None and moment.view.modalities == ("rgb", "depth", "mask")
    assert {"result", "start", "hypotheses", "uncertainty"} <= {one.kind for one in moment.bodies}
    assert content_of(made / "result.json").titles == content.titles


def test_of_two_results_in_one_folder_the_last_is_shown(refined: Path, inputs: Path) -> None:
    """The second command takes the place of the first; what `track` wrote, or a user kept, stays beside it."""
    kept = (refined / "result.json").read_bytes()
    assert main(["locate", *arguments(inputs, init=None, mask=None, instances=2)[1:]]) == 0
    assert not (refined / "result.json").exists()
    (refined / "result.json").write_bytes(kept)
    now = (refined / "results.json").stat().st_mtime_ns
    for seconds, name in ((-1, "results.json"), (1, "result.json")):
        os.utime(refined / "result.json", ns=(now + seconds * 10**9,) * 2)
        assert content_of(refined).titles == content_of(refined / name).titles
    assert content_of(refined / "result.json").titles != content_of(refined / "results.json").titles


def test_what_is_gone_is_named_and_the_rest_is_shown(refined: Path) -> None:
    (refined / "history.npz").unlink()
    (refined.parent / "inputs" / "depth.png").unlink()
    content = content_of(refined)
    assert any("depth.png is not there" in line for line in content.missing)
    assert any("no history.npz" in line for line in content.missing)
    view = content.moment(0).view
    assert view is not None and view.modalities == ("rgb", "mask")
    (refined.parent / "inputs" / "camera.json").write_text("{}")
    content = content_of(refined)
    assert content.moment(0).view is None and any(line.startswith("images: ") for line in content.missing)
    (refined.parent / "inputs" / "object.ply").unlink()
    with pytest.raises(DiffDopeError, match="the mesh that it names.*give --root"):
        content_of(refined)


def test_a_history_of_another_run_is_not_shown(refined: Path) -> None:
    entry = json.loads((refined / "result.json").read_text())
    (refined / "result.json").write_text(json.dumps({**entry, "iterations": entry["iterations"] + 5}))
    content = content_of(refined)
    assert "history.npz is of another result" in content.missing and content.titles == ["result"]


def test_relative_paths_are_found_from_anywhere(inputs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(inputs.parent)
    assert main([*arguments(Path("inputs"), out="made/out"), "--no-film"]) == 0
    made = inputs.parent / "made" / "out"
    assert json.loads((made / "result.json").read_text())["inputs"]["rgb"] == str(Path("inputs") / "rgb.png")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert not content_of(made).missing
    shutil.copytree(made, tmp_path / "elsewhere" / "copied")
    shutil.move(inputs, tmp_path / "elsewhere" / "kept")
    with pytest.raises(DiffDopeError, match="--root"):
        content_of(Path("copied"))
    shutil.move(tmp_path / "elsewhere" / "kept", tmp_path / "elsewhere" / "deep" / "inputs")
    assert not content_of(Path("copied"), Path("deep")).missing


def test_the_demo_and_its_located_result(tmp_path: Path) -> None:
    assert main(["demo", "--out", str(tmp_path / "demo")]) == 0
    for folder in (tmp_path / "demo", tmp_path / "demo" / "located"):
        content = content_of(folder)
        assert not content.missing and len(content.titles) > 3
        assert content.moment(0).view is not None


def test_instances_of_a_mask_with_labels(inputs: Path) -> None:
    from PIL import Image

    labels = (np.asarray(Image.open(inputs / "mask.png")) > 127).astype(np.uint8) * 5
    labels[10:40, 10:50] = 2
    Image.fromarray(labels).save(inputs / "labels.png")
    given = arguments(inputs, mask=inputs / "labels.png", init=None)
    main(["locate", *given[1:]])
    content = content_of(inputs.parent / "out")
    assert len(content.titles) == 1 and len(content.moment(0).bodies) == 2
    assert {line.split(":")[0] for line in content.moment(0).text} == {"2", "5"}
    assert content.moment(0).view is not None


def test_a_tracked_folder(inputs: Path) -> None:
    for kind in ("rgb", "depth"):
        (inputs / kind).mkdir()
        for k in range(3):
            shutil.copy(inputs / f"{kind}.png", inputs / kind / f"{k:06d}.png")
    words = ["track", "--mesh", str(inputs / "object.ply"), "--camera", str(inputs / "camera.json")]
    words += ["--init", str(inputs / "truth.json"), "--rgb", str(inputs / "rgb"), "--depth", str(inputs / "depth")]
    assert main([*words, "--out", str(inputs.parent / "out"), "--no-film"]) == 0
    content = content_of(inputs.parent / "out")
    assert content.titles == ["frame 000000", "frame 000001", "frame 000002"] and not content.missing
    for k in (2, 0, 1):
        moment = content.moment(k)
        assert moment.view is not None and len(moment.bodies[0].poses) == 1 and "confidence" in moment.text[1]
    shutil.rmtree(inputs / "rgb")
    gone = content_of(inputs.parent / "out" / "poses.jsonl")
    assert gone.moment(1).view is None and gone.missing[0].startswith("images: ")


def test_a_data_set_shows_truth_beside_estimates(shared_data: Path, tmp_path: Path) -> None:
    dataset = DataSet.open(shared_data / "sim", "dev")
    scene = dataset.scene(1)
    (first, *_) = scene.truth(scene.image_ids[1])
    R, t = (" ".join(map(str, part)) for part in first.pose.to_bop())
    row = f"1,{scene.image_ids[1]},{first.obj_id},0.5,{R},{t},-1"
    (tmp_path / "results.csv").write_text(f"scene_id,im_id,obj_id,score,R,t,time\n{row}\n")
    content = bop_content(dataset, tmp_path / "results.csv", None, None)
    assert content.first == 1 and not content.missing  # the image that has an estimate
    kinds = [one.kind for one in content.moment(content.first).bodies]
    assert kinds.count("estimates") == 1 and kinds.count("truth") == len(scene.truth(scene.image_ids[1]))
    assert bop_content(dataset, None, 1, scene.image_ids[2]).first == 2
    with pytest.raises(DiffDopeError, match="image: expected one of scene 1"):
        bop_content(dataset, None, 1, 99999)


@pytest.mark.parametrize(
    ("path", "why"),
    [("nowhere", "which is not there"), ("empty", "which has none of these"), ("broken.json", "result: expected JSON")],
)
def test_what_is_no_result_is_refused(path: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(DiffDopeError, match=why):
        content_of(tmp_path / path)


def test_a_journal_of_another_command_is_refused(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "run.jsonl", {"init": "gt"}) as journal:
        journal.append("000001/000000/000000", {"status": "converged"})
    with pytest.raises(DiffDopeError, match="--split and --results"):
        content_of(tmp_path / "run.jsonl")


def test_a_result_that_names_no_mesh_says_so(refined: Path) -> None:
    entry = json.loads((refined / "result.json").read_text())
    del entry["inputs"]
    (refined / "result.json").write_text(json.dumps(entry))
    with pytest.raises(DiffDopeError, match="inputs such as .*mesh.*, got none"):
        content_of(refined)


@needs_viser
def test_the_command_writes_a_page(refined: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (refined / "history.npz").unlink()
    assert main(["view", str(refined), "--html", str(tmp_path / "pages" / "p.html")]) == 0
    said = capsys.readouterr().out
    assert "not shown: no iterations" in said and "page: " in said and "1 iteration," in said
    assert "viser" not in said.replace("viser is", "")
    assert (tmp_path / "pages" / "p.html").stat().st_size > 500_000


@needs_viser
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--scene", "1"], "--split beside it"),
        (["--results", "x.csv"], "--split beside it"),
        (["--port", "70000"], "port"),
        (["--split", "val"], "dataset|split"),
    ],
)
def test_options_that_do_not_belong_together_are_refused(
    words: list[str], why: str, refined: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import re

    assert main(["view", str(refined), *words, "--no-open"]) == 2
    assert re.search(why, capsys.readouterr().err)


def test_flags_come_back_in_their_types(tmp_path: Path) -> None:
    nowhere = f"{uuid4().hex}.ply"  # a file of this name above the folder would be taken
    inputs = {"mesh": nowhere, "camera": "c.json", "unit": "m", "mask_id": 3, "rectified": True, "unknown": 1}
    given = flags_of(LocateArguments, inputs, Places(tmp_path), out=tmp_path)
    assert (given.mesh, given.unit, given.mask_id, given.rectified) == ((Path(nowhere),), "m", 3, True)
    with pytest.raises(DiffDopeError, match="inputs such as .*camera"):
        flags_of(LocateArguments, {"mesh": nowhere}, Places(tmp_path), out=tmp_path)


def scene_words(folder: Path, out: Path, *more: object) -> list[str]:
    """Two cameras that see the same picture, the second one refined; a second object that is not there."""
    around = np.array([[0.0, 0.0, -1.0, 0.1], [0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.4], [0.0, 0.0, 0.0, 1.0]])
    shifted = around.copy()
    shifted[:3, 3] += 0.01
    (folder / "rig.json").write_text(json.dumps([around.tolist(), shifted.tolist()]))
    patch = np.zeros((480, 640), np.uint8)
    patch[5:45, 5:45] = 255
    from PIL import Image

    Image.fromarray(patch).save(folder / "patch.png")
    shutil.copy(folder / "rgb.png", folder / "other.png")
    thing = f"{folder / 'object.ply'},mask={folder / 'mask.png'},mask={folder / 'mask.png'},name=thing"
    ghost = f"{folder / 'object.ply'},mask={folder / 'patch.png'},mask={folder / 'patch.png'},name=ghost"
    return list(map(str, [
        "scene", "--camera", folder / "camera.json", "--rgb", folder / "rgb.png", folder / "other.png",
        "--depth", folder / "depth.png", folder / "depth.png", "--object", thing, ghost,
        "--extrinsics", folder / "rig.json", "--extrinsics-sigma", "20,1", "--out", out, *more,
    ]))  # fmt: skip


def test_a_scene(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = inputs.parent / "out"
    assert main(scene_words(inputs, out)) == 1
    assert f"to see it: diffdope view {out}" in capsys.readouterr().out
    content = content_of(out)
    assert content.titles == ["rgb", "other"] and not content.missing
    entry = json.loads((out / "scene.json").read_text())
    for k in (0, 1):
        moment = content.moment(k)
        assert moment.view is not None and moment.view.modalities == ("rgb", "depth")
        bodies = {body.name: body for body in moment.bodies}
        pose = bodies["thing"].poses[0]
        np.testing.assert_allclose(pose.matrix, entry["objects"][0]["views"][k]["T_m2c_metres"], atol=1e-9)
        (place,) = bodies["uncertainty thing"].poses
        assert np.linalg.norm(place.t_m2c - pose.apply(bodies["thing"].mesh.center_m)) < 1e-3
        (camera,) = [body for body in moment.bodies if body.kind == "cameras"]
        assert camera.name == f"camera {('other', 'rgb')[k]}"
        mine, others = (np.array(entry["views"][n]["T_w2c"]) for n in (k, 1 - k))
        np.testing.assert_allclose(camera.poses[0].matrix, mine @ np.linalg.inv(others), atol=1e-9)
        assert moment.pictures()["outlines"].shape == (480, 640, 3)
    status = entry["objects"][1]["status"]
    assert status != "converged" and any(line.startswith(f"ghost: {status}") for line in content.text)
    assert any("camera moved by" in line for line in content.moment(1).text)


def test_a_scene_whose_pictures_are_gone(inputs: Path) -> None:
    out = inputs.parent / "out"
    main(scene_words(inputs, out))
    (inputs / "other.png").unlink()
    content = content_of(out)
    assert any("view 1" in line and "other.png" in line for line in content.missing)
    assert content.moment(0).view is not None and content.moment(1).view is None
    entry = json.loads((out / "scene.json").read_text())
    (out / "scene.json").write_text(json.dumps({**entry, "inputs": {"objects": entry["inputs"]["objects"]}}))
    assert any("does not name them" in line for line in content_of(out).missing)
    (inputs / "object.ply").unlink()
    with pytest.raises(DiffDopeError, match="the mesh that it names.*give --root"):
        content_of(out)


def test_a_calibration_of_a_hand_is_refused_with_what_to_look_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "result.json").write_text(json.dumps({"T_flange_camera": [[1.0]]}))
    assert main(["view", str(tmp_path), "--html", str(tmp_path / "out.html")]) == 2
    assert "look at the overlays" in capsys.readouterr().err
    assert not (tmp_path / "out.html").exists()


@pytest.mark.parametrize("name", ["rgb.png", "object.ply"])
def test_a_picture_or_a_mesh_alone_is_no_result(name: str, inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", str(inputs / name), "--no-open"]) == 2
    said = capsys.readouterr().err
    assert "a folder with result.json, results.json, poses.jsonl or scene.json, one of these files, or" in said
    assert f"{name}; pictures, meshes and poses are shown as part of a result: refine or locate first" in said
