"""`diffdope scene` as a user runs it, in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from diffdope.cli.main import main
from diffdope.cli.scene_command import load_objects, parse
from diffdope.cli.scene_inputs import masks_of
from diffdope.cli.scene_objects import objects_of
from diffdope.errors import DiffDopeError
from diffdope.geometry.pose import Pose
from diffdope.io.bop_results import read_results
from diffdope.io.former_files import LIST
from diffdope.io.masks import read_mask
from diffdope.scene.observation import Observation
from diffdope.scene.view import View

AROUND = Pose(np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]), np.array([0.1, 0.0, 0.4]))


def words(folder: Path, *more: object, **changes: object) -> list[str]:
    """A scene of one object in one picture; a flag changed to None is left out."""
    given: dict[str, object] = {
        "camera": folder / "camera.json", "rgb": folder / "rgb.png", "depth": folder / "depth.png",
        "object": f"{folder / 'object.ply'},mask={folder / 'mask.png'},name=thing", "out": folder.parent / "out",
    }  # fmt: skip
    given |= changes
    out = ["scene"]
    for name, value in given.items():
        if value is not None:
            out += [f"--{name.replace('_', '-')}", *(map(str, value) if isinstance(value, list) else [str(value)])]
    return [*out, *map(str, more)]


def read_scene(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder.parent / "out" / "scene.json").read_text())
    return data


def error_mm(folder: Path, T_m2c: Any, T_w2c: Pose | None = None) -> float:
    truth = json.loads((folder / "truth.json").read_text())
    pose = Pose.from_matrix(T_m2c) if T_w2c is None else T_w2c @ Pose.from_matrix(T_m2c)
    return 1e3 * pose.distance_to(Pose.from_bop(truth["cam_R_m2c"], truth["cam_t_m2c"]))


def test_writes_what_it_promises(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(inputs)) == 0
    out = inputs.parent / "out"
    assert {path.name for path in out.iterdir() if path.name != LIST} == {"scene.json", "poses.csv", "overlay.png"}
    scene = read_scene(inputs)
    (one,) = scene["objects"]
    assert one["name"] == "thing" and one["status"] == "converged" and one["confidence"] > 0.5
    assert error_mm(inputs, one["T_m2w"]) < 1.0
    (answer, *_) = one["answers"]
    assert answer["T_m2w"] == one["T_m2w"] and answer["probability"] == pytest.approx(one["right_minimum"])
    assert np.shape(scene["covariance"]) == (6, 6) and np.shape(one["covariance"]) == (6, 6)
    (row,) = read_results(out / "poses.csv")
    np.testing.assert_allclose(row.pose.matrix, one["T_m2w"], atol=1e-9)
    assert (row.im_id, row.obj_id) == (0, 1)
    said = capsys.readouterr().out
    assert "thing: converged" in said and "1 of 1 found" in said


def test_a_mask_of_one_object_needs_no_label(inputs: Path) -> None:
    """It was passed over, and any object of the kind was found."""
    plain = f"{inputs / 'object.ply'},name=thing"
    objects, views = (
        objects_of([plain], None, None),
        [View(Observation.load(inputs / "camera.json", rgb=inputs / "rgb.png"))],
    )
    masks = masks_of(objects, views, [inputs / "mask.png"], (), ())
    assert np.array_equal(masks[0, 0], read_mask(inputs / "mask.png") > 0)
    for several in ([plain, plain], [f"{plain},mask={inputs / 'mask.png'}"], [f"{plain},box=1:2:30:40"]):
        with pytest.raises(
            DiffDopeError, match="object: expected the label in --mask of at least one object, got none"
        ):
            masks_of(objects_of(several, None, None), views, [inputs / "mask.png"], (), ())


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--depth-scale", "0.1"], "depth-scale: expected --depth beside it, got none; give --depth, or leave it out"),
        (["--depth-rectified"], "depth-rectified: expected --depth beside it, got none"),
        (["--extrinsics-kind", "c2w"], "extrinsics-kind: expected --extrinsics beside it, got none"),
    ],
)
def test_what_is_said_of_nothing_is_refused(
    flags: list[str], said: str, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(inputs, *flags, depth=None)) == 2
    assert said in capsys.readouterr().err


def test_contact_is_asked_for_by_flags(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(inputs, "--on-plane", "--penetration", "1")) == 0
    scene = read_scene(inputs)
    assert scene["inputs"]["on_plane"] is True and scene["inputs"]["penetration"] == 1.0
    told = "no plane was found" in capsys.readouterr().out
    assert told == (scene["plane"] is None)
    assert error_mm(inputs, scene["objects"][0]["T_m2w"]) < 1.0


def test_labels_of_one_mask_and_a_file_of_objects(inputs: Path) -> None:
    mask = np.asarray(Image.open(inputs / "mask.png").convert("L")) > 127
    Image.fromarray(np.where(mask, np.uint8(3), np.uint8(0))).save(inputs / "labels.png")
    (inputs / "objects.yaml").write_text("- mesh: object.ply\n  label: 3\n  name: thing\n  id: 12\n  init: init.json\n")
    given = words(inputs, object=None, objects=inputs / "objects.yaml", mask=inputs / "labels.png")
    assert main(given) == 0
    (one,) = read_scene(inputs)["objects"]
    assert one["obj_id"] == 12 and error_mm(inputs, one["T_m2w"]) < 1.0


def test_two_views(inputs: Path) -> None:
    """The same picture twice, by one camera that stands somewhere: the world is elsewhere."""
    (inputs / "rig.json").write_text(json.dumps([AROUND.matrix.tolist()] * 2))
    both = [inputs / "rgb.png"] * 2
    spec = f"{inputs / 'object.ply'},mask={inputs / 'mask.png'},mask={inputs / 'mask.png'}"
    given = words(inputs, rgb=both, depth=[inputs / "depth.png"] * 2, object=spec, extrinsics=inputs / "rig.json")
    assert main(given) == 0
    scene = read_scene(inputs)
    assert [view["used"] for view in scene["views"]] == [True, True]
    assert error_mm(inputs, scene["objects"][0]["T_m2w"], AROUND) < 1.0
    names = {path.name for path in (inputs.parent / "out").iterdir()}
    assert {"poses_view_0.csv", "poses_view_1.csv", "overlay_view_0.png", "overlay_view_1.png"} <= names
    np.testing.assert_allclose(
        Pose.from_matrix(scene["objects"][0]["views"][1]["T_m2c_metres"]).matrix,
        (AROUND @ Pose.from_matrix(scene["objects"][0]["T_m2w"])).matrix, atol=1e-9,
    )  # fmt: skip


def test_an_object_that_is_not_there(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    patch = np.zeros_like(np.asarray(Image.open(inputs / "mask.png").convert("L")))
    patch[5:45, 5:45] = 255
    Image.fromarray(patch).save(inputs / "patch.png")
    second = f"{inputs / 'object.ply'},mask={inputs / 'patch.png'},name=ghost"
    first = f"{inputs / 'object.ply'},mask={inputs / 'mask.png'},name=thing"
    assert main(words(inputs, object=[first, second])) == 1
    found = {one["name"]: one["status"] for one in read_scene(inputs)["objects"]}
    assert found["thing"] == "converged" and found["ghost"] == "no_overlap"
    assert "1 of 2 found" in capsys.readouterr().out
    assert len(read_results(inputs.parent / "out" / "poses.csv")) == 1  # what was not found is no estimate


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"object": None}, "object: expected at least one"),
        ({"object": "MESH,label=3"}, "label of MESH: expected --mask beside it, got none"),
        ({"object": "MESH,mask"}, "expected KEY=VALUE after the mesh"),
        ({"object": "MESH,maske=a.png"}, "expected one of mask, label"),
        ({"object": "MESH,box=1:2:3"}, "box: expected X,Y,WIDTH,HEIGHT in pixels"),
        ({"object": "MESH", "depth": None}, "a mask that is not empty, a box, depth or a start"),
        ({"rgb": None, "depth": None}, "images: expected --rgb, --depth or both, got none"),
        ({"extrinsics_sigma": "10"}, "extrinsics-sigma: expected MM,DEG such as 10,1"),
        ({"extrinsics_sigma": "0,1"}, "extrinsics-sigma: expected MM,DEG such as 10,1, each above 0, at most 1000 mm"),
        ({"extrinsics_sigma": "nan,1"}, "and 30 degrees, got 'nan,1'; leave it out where the cameras' places are"),
        ({"extrinsics_sigma": "2000,1"}, "at most 1000 mm and 30 degrees, got '2000,1'"),
        ({"object": "MESH,mask=nothere.png"}, "object MESH, mask: expected an image file, but there is none at noth"),
        ({"object": "MESH,init=nothere.json"}, "object MESH, init: cannot read nothere.json"),
        ({"object": "MESH,box=9000:2:30:40,name=cup"}, "view 0: object cup: box: expected at least one pixel"),
        ({"image_id": [1, 2]}, "image-id: expected one, for there is one view, got 2"),
        ({"penetration": -1}, "penetration: expected millimetres, from 0 to below 1000, got -1.0"),
        ({"preset": "paper"}, "preset: expected one whose solver searches, got paper; give --preset default or fast"),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_their_cure(
    changes: dict[str, Any], said: str, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if isinstance(changes.get("object"), str):
        changes = changes | {"object": changes["object"].replace("MESH", str(inputs / "object.ply"))}
    said = said.replace("MESH", str(inputs / "object.ply"))
    if "extrinsics_sigma" in changes:
        (inputs / "rig.json").write_text(json.dumps([AROUND.matrix.tolist()] * 2))
        changes = changes | {"extrinsics": inputs / "rig.json", "rgb": [inputs / "rgb.png"] * 2, "depth": None}
        changes["object"] = f"{inputs / 'object.ply'},mask={inputs / 'mask.png'},mask=-"
    assert main(words(inputs, **changes)) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1
    assert said in error
    assert not (inputs.parent / "out").exists()


def test_a_sigma_of_one_view_is_refused(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(inputs, "--extrinsics-sigma", "10,1")) == 2
    assert "extrinsics-sigma: expected only with several views, got '10,1'; leave it out" in capsys.readouterr().err


def test_a_matrix_that_does_not_turn_is_called_a_rotation(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (inputs / "rig.json").write_text(json.dumps([np.diag([2.0, 1.0, 1.0, 1.0]).tolist()] * 2))
    spec = f"{inputs / 'object.ply'},mask={inputs / 'mask.png'},mask=-"
    given = words(inputs, rgb=[inputs / "rgb.png"] * 2, depth=None, object=spec, extrinsics=inputs / "rig.json")
    assert main(given) == 2
    error = capsys.readouterr().err
    assert "rig.json: rotation: expected an orthonormal matrix" in error and "m2c" not in error


def test_several_views_need_places(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = f"{inputs / 'object.ply'},mask={inputs / 'mask.png'},mask=-"
    assert main(words(inputs, rgb=[inputs / "rgb.png"] * 2, depth=None, object=spec)) == 2
    error = capsys.readouterr().err
    assert "extrinsics: expected where 2 cameras stand, got none" in error and "--find-places" in error
    assert main(words(inputs, rgb=[inputs / "rgb.png"] * 2, object=spec)) == 2
    assert "depth: expected one for each of 2 views, got 1" in capsys.readouterr().err


def test_places_are_found_and_read_again(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two pictures by one camera that stands still: whoever knows no places gets them, and may go on with them."""
    both = [inputs / "rgb.png"] * 2
    spec = f"{inputs / 'object.ply'},mask={inputs / 'mask.png'},mask={inputs / 'mask.png'}"
    given = words(inputs, rgb=both, depth=[inputs / "depth.png"] * 2, object=spec)
    assert main([*given, "--find-places"]) == 0
    said = capsys.readouterr().out
    assert "view 1: camera at (" in said and "+-" in said and "moved by" not in said
    scene = read_scene(inputs)
    assert [view["place"] for view in scene["views"]] == ["given", "found"]
    np.testing.assert_allclose(scene["views"][1]["T_w2c"], np.eye(4), atol=2e-3)
    (inputs / "rig.json").write_text(json.dumps(scene))
    assert main([*given, "--extrinsics", str(inputs / "rig.json"), "--extrinsics-sigma", "2,0.2"]) == 0


def test_places_are_not_found_beside_given_ones_or_for_one_view(
    inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words(inputs), "--find-places"]) == 2
    assert "find-places: expected several views" in capsys.readouterr().err
    both = words(inputs, rgb=[inputs / "rgb.png"] * 2, depth=None, extrinsics_sigma="2,0.2")
    assert main([*both, "--find-places"]) == 2
    assert "find-places: expected no --extrinsics-sigma beside it" in capsys.readouterr().err
    assert main([*both[:-2], "--extrinsics-kind", "c2w", "--find-places"]) == 2
    assert "find-places: expected no --extrinsics-kind beside it, got c2w" in capsys.readouterr().err


def test_lists_may_be_repeated() -> None:
    words = ["--camera", "k", "--object", "a", "b", "--out", "o", "--rgb", "0", "--object=c", "--camera", "l"]
    given = parse([*words, "--rgb=1", "--image-id", "3", "--image_id", "4"])
    assert given.object == ("a", "b", "c") and given.camera == (Path("k"), Path("l"))
    assert given.rgb == (Path("0"), Path("1")) and given.image_id == (3, 4) and given.count == 2


def test_objects_as_they_are_written(tmp_path: Path) -> None:
    (one,) = objects_of(["obj_000007.ply,mask=a.png,mask=-,box=1:2:3:4,unit=m"], None, "mm")
    assert one.masks == (Path("a.png"), None) and one.obj_id == 7 and one.unit == "m"
    assert one.boxes == ((1.0, 2.0, 3.0, 4.0),)
    (tmp_path / "objects.json").write_text(
        json.dumps(
            {
                "objects": [
                    {"mesh": "a.ply", "mask": ["m0.png", None], "box": [1, 2, 3, 4]},
                    {"mesh": "b.ply", "label": 2},
                ]
            }
        )
    )
    one, other = objects_of([], tmp_path / "objects.json", "mm")
    assert one.mesh == tmp_path / "a.ply" and one.masks == (tmp_path / "m0.png", None)
    assert one.boxes == ((1.0, 2.0, 3.0, 4.0),) and one.label is None and other.label == 2
    for text, said in (
        ("[{}]", "expected an object with the key mesh"), ("{", "expected JSON"), ("3", "a list of objects"),
        ('[{"mesh": "a.ply", "label": "x"}]', "label: expected a whole number"),
        ('[{"mesh": "a.ply", "label": 1, "mask": "m.png"}]', "expected a mask of its own or a label, got both"),
        ('[{"mesh": "a.ply", "unit": "km"}]', "unit: expected one of"),
        ('[{"mesh": "a.ply", "name": ["a", "b"]}]', "name: expected one, got 2"),
    ):  # fmt: skip
        (tmp_path / "objects.json").write_text(text)
        with pytest.raises(DiffDopeError, match=said):
            objects_of([], tmp_path / "objects.json", "mm")


def test_a_mesh_keeps_its_formats_unit_unless_another_is_said(tmp_path: Path) -> None:
    import trimesh

    trimesh.creation.box((0.1, 0.2, 0.3)).export(tmp_path / "a.glb")  # GLB is in metres
    trimesh.creation.box((100.0, 200.0, 300.0)).export(tmp_path / "b.ply")  # PLY says nothing: millimetres
    words = [f"{tmp_path / 'a.glb'},label=1", f"{tmp_path / 'b.ply'},label=2", f"{tmp_path / 'b.ply'},label=3,unit=cm"]
    sizes = [np.ptp(one.mesh.vertices_m, axis=0).max() for one in load_objects(objects_of(words, None, None))]
    assert sizes == pytest.approx([0.3, 0.3, 3.0])
    (tmp_path / "objects.json").write_text(json.dumps([{"mesh": "b.ply", "label": 1, "unit": 0.002}]))
    numbered = objects_of([f"{tmp_path / 'b.ply'},unit=0.0005"], tmp_path / "objects.json", None)
    sizes = [np.ptp(one.mesh.vertices_m, axis=0).max() for one in load_objects(numbered)]
    assert sizes == pytest.approx([0.15, 0.6]) and numbered[0].entry()["unit"] == 0.0005
    with pytest.raises(DiffDopeError, match=r"object b.ply, unit: expected one of m, .* or a number .*, got 'km'"):
        objects_of(["b.ply,unit=km"], None, None)


def test_two_objects_of_one_label_are_refused() -> None:
    with pytest.raises(DiffDopeError, match="one object a label of the masks, got label=2"):
        objects_of(["a.ply,label=2", "b.ply,label=2"], None, "mm")


def test_a_direction_beside_camera_files_that_say_it_is_refused(
    inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    spec = f"{inputs / 'object.ply'},mask={inputs / 'mask.png'},mask=-"
    given = words(inputs, rgb=[inputs / "rgb.png"] * 2, depth=None, object=spec, extrinsics_kind="c2w")
    assert main(given) == 2
    assert "extrinsics-kind: expected it beside --extrinsics" in capsys.readouterr().err
