from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from diffdope.bop.dataset import DataSet
from diffdope.errors import DiffDopeError
from tests.oracle.bop_tree import DEPTH_SCALE, HEIGHT, WIDTH, Tree


def edit(path: Path, change: Any) -> None:
    data = json.loads(path.read_text())
    path.write_text(json.dumps(change(data) or data))


def test_all_parts(shared_tree: Tree):
    dataset = DataSet.open(shared_tree.root, "val")
    assert dataset.name == "tiny"
    assert dataset.scene_ids == (1, 2)
    scene = dataset.scene(1)
    assert scene.image_ids == (0, 3)
    truth = scene.truth(3)
    assert [instance.obj_id for instance in truth] == [1, 1, 2]
    for instance, (_, pose) in zip(truth, shared_tree.truth[1, 3], strict=True):
        np.testing.assert_allclose(instance.pose.matrix, pose.matrix, atol=1e-12)
    camera = scene.camera(3)
    assert (camera.width, camera.height, camera.fx, camera.cy) == (WIDTH, HEIGHT, 150.0, 59.5)
    assert scene.depth_scale_m(3) == pytest.approx(1e-3 * DEPTH_SCALE)
    assert scene.rgb(3).shape == (HEIGHT, WIDTH, 3)
    assert scene.depth(3)[0, 0] == pytest.approx(0.7)
    assert 0.5 < truth[0].visib_fract <= 1.0


def test_depth_is_that_of_the_object_where_its_mask_is(shared_tree: Tree):
    scene = DataSet.open(shared_tree.root, "val").scene(1)
    mask, depth = scene.mask(0, 2), scene.depth(0)
    assert abs(np.median(depth[mask]) - 0.36) < 0.05


def test_models_of_the_first_folder_that_has_them(shared_tree: Tree):
    models = DataSet.open(shared_tree.root, "val").models
    assert models.ids == (1, 2)
    assert models.path(1).parent.name == "models"
    assert models.path(2).parent.name == "models_eval"
    assert models.mesh(1).has_color and not models.mesh(2).has_color
    assert models.diameter_m(1) == pytest.approx(shared_tree.meshes[1].diameter)
    assert len(models.symmetries(1).R) == 2
    assert len(models.symmetries(2).R) > 300
    only = DataSet.open(shared_tree.root, "val", models=("models_eval",)).models
    assert only.path(1).parent.name == "models_eval"


def test_meshes_that_are_not_used_leave_memory(shared_tree: Tree):
    from diffdope.bop.models import ModelSet

    models = ModelSet(shared_tree.root, cached=1)
    first = models.mesh(1)
    assert models.mesh(1) is first
    models.mesh(2)
    assert models.mesh(1) is not first


@pytest.mark.parametrize("ending", ["jpg", "tif", "PNG"])
def test_pictures_of_any_ending(tree: Tree, ending: str):
    path = tree.scene(1) / "rgb" / "000000.png"
    Image.open(path).save(path.with_suffix(f".{ending}"))
    if ending != "PNG":
        path.unlink()
    assert DataSet.open(tree.root, "val").scene(1).rgb(0).shape == (HEIGHT, WIDTH, 3)


def test_grey_pictures(tree: Tree):
    folder = tree.scene(1)
    (folder / "gray").mkdir()
    for path in (folder / "rgb").iterdir():
        Image.open(path).convert("L").save(folder / "gray" / path.name)
        path.unlink()
    scene = DataSet.open(tree.root, "val").scene(1)
    assert scene.rgb(0).shape == (HEIGHT, WIDTH)
    assert scene.camera(0).width == WIDTH


def test_missing_parts_are_none(tree: Tree):
    folder = tree.scene(1)
    for name in ("scene_gt.json", "scene_gt_info.json"):
        (folder / name).unlink()
    (folder / "depth" / "000003.png").unlink()
    scene = DataSet.open(tree.root, "val").scene(1)
    assert scene.truth(0) == ()
    assert scene.depth(3) is None
    assert scene.mask(0, 7) is None
    assert scene.image_ids == (0, 3)


def test_one_camera_for_the_whole_data_set(tree: Tree):
    (tree.scene(1) / "scene_camera.json").unlink()
    edit(tree.root / "camera.json", lambda data: data | {"depth_scale": 0.1, "fx": 151.0})
    scene = DataSet.open(tree.root, "val").scene(1)
    assert scene.camera(0).fx == 151.0
    assert scene.depth_scale_m(0) == pytest.approx(1e-4)


def test_a_camera_of_the_scene_goes_first(tree: Tree):
    (tree.scene(1) / "scene_camera.json").unlink()
    (tree.scene(1) / "camera.json").write_text(json.dumps({"fx": 149.0, "fy": 149.0, "cx": 79.5, "cy": 59.5}))
    assert DataSet.open(tree.root, "val").scene(1).camera(0).fx == 149.0


def test_sensors_by_suffix(tree: Tree):
    for scene in (tree.scene(1), tree.scene(2)):
        for path in list(scene.iterdir()):
            path.rename(path.with_name(f"{path.stem}_cam1{path.suffix}"))
    scene = DataSet.open(tree.root, "val").scene(1)
    assert scene.rgb(0) is not None and scene.depth(0) is not None and scene.mask(0, 0) is not None
    assert len(scene.truth(0)) == 3
    for name in ("scene_gt", "scene_camera"):
        path = tree.scene(1) / f"{name}_cam1.json"
        path.with_name(f"{name}_cam2.json").write_text(path.read_text())
    with pytest.raises(DiffDopeError, match="camera_type: expected one of cam1, cam2"):
        DataSet.open(tree.root, "val")
    with pytest.raises(DiffDopeError, match="got cam3"):
        DataSet.open(tree.root, "val", camera_type="cam3")
    assert len(DataSet.open(tree.root, "val", camera_type="cam1").scene(2).truth(0)) == 3


@pytest.mark.parametrize("stream, grey", [("gray1", True), ("rgb", False)])
def test_pictures_in_a_folder_that_has_the_name_of_their_stream(tree: Tree, stream: str, grey: bool) -> None:
    """HOT3D: gray1/ and rgb/ beside scene_gt_gray1.json, scene_gt_rgb.json, mask_visib_gray1/."""
    for folder in (tree.scene(1), tree.scene(2)):
        for path in list(folder.iterdir()):
            path.rename(path.with_name(f"{path.stem}_{stream}{path.suffix}"))
        (folder / f"rgb_{stream}").rename(folder / stream)
    scene = DataSet.open(tree.root, "val", camera_type=stream).scene(1)
    assert scene.picture("gray" if grey else "rgb", 0) == tree.scene(1) / stream / "000000.png"
    assert scene.rgb(0) is not None and scene.camera(0).width == WIDTH and scene.mask(0, 0) is not None
    (tree.scene(1) / f"scene_camera_{stream}.json").unlink()
    (tree.scene(1) / f"scene_gt_{stream}.json").unlink()
    assert DataSet.open(tree.root, "val", camera_type=stream).scene(1).image_ids == (0, 3)


def test_a_file_of_targets_that_is_not_there(tree: Tree) -> None:
    with pytest.raises(DiffDopeError, match="targets: expected a file of targets, but there is none at nowhere.json"):
        DataSet.open(tree.root, "val").targets("nowhere.json")


def test_targets_of_other_scenes_do_not_count(tree: Tree):
    dataset = DataSet.open(tree.root, "val")
    targets = dataset.targets()
    assert {(t.scene_id, t.im_id, t.obj_id, t.inst_count) for t in targets if t.scene_id == 2} == {
        (2, 0, 1, 2),
        (2, 0, 2, 1),
    }
    edit(tree.root / "test_targets_bop19.json", lambda data: [entry | {"scene_id": 48} for entry in data])
    assert dataset.targets() is None  # they speak of another split
    edit(tree.root / "test_targets_bop19.json", lambda data: data[0].pop("im_id") and None)
    with pytest.raises(DiffDopeError, match=r"test_targets_bop19.json, entry 0: expected the key im_id"):
        dataset.targets(tree.root / "test_targets_bop19.json")


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("scene_gt.json", lambda d: d["3"][1].pop("cam_t_m2c") and None, "key 3, object 1: expected the key cam_t_m2c"),
        ("scene_gt.json", lambda d: d["3"][1].update(cam_R_m2c=[1, 0, 0]), "key 3, object 1: cam_R_m2c"),
        ("scene_gt.json", lambda d: d["3"][1].update(obj_id="mug"), "key 3, object 1, obj_id: expected a whole number"),
        ("scene_gt.json", lambda d: d.update({"3": {}}), "key 3: expected a list of objects"),
        ("scene_gt.json", lambda d: d.update({"three": []}), "scene_gt.json: expected keys that are numbers"),
        ("scene_camera.json", lambda d: d["3"].pop("cam_K") and None, "key 3: expected the key cam_K"),
        ("scene_camera.json", lambda d: d["3"].update(cam_K=[1, 2]), "key 3: K"),
        ("scene_camera.json", lambda d: d.pop("3") and None, "key 3: expected an entry for image 3"),
    ],
)
def test_broken_files_are_named_with_their_key(tree: Tree, file: str, change: Any, message: str):
    edit(tree.scene(1) / file, change)
    scene = DataSet.open(tree.root, "val").scene(1)
    with pytest.raises(DiffDopeError, match=message) as error:
        scene.truth(3) if file == "scene_gt.json" else scene.camera(3)
    assert file in str(error.value)


def test_text_that_is_no_json(tree: Tree):
    (tree.scene(1) / "scene_gt.json").write_text("{")
    with pytest.raises(DiffDopeError, match=r"scene_gt.json: expected JSON"):
        DataSet.open(tree.root, "val").scene(1).truth(0)


def test_wrong_names_get_told_what_there_is(tree: Tree):
    with pytest.raises(DiffDopeError, match="dataset: expected the folder of a BOP data set"):
        DataSet.open(tree.root / "nowhere", "val")
    (tree.root / "init_poses" / "010_trans_004").mkdir(parents=True)  # no split
    with pytest.raises(DiffDopeError, match="split: expected a folder of .*: val, got test"):
        DataSet.open(tree.root, "test")
    with pytest.raises(DiffDopeError, match="models: expected obj_000001.ply"):
        DataSet.open(tree.root, "val", models=("modls",))
    dataset = DataSet.open(tree.root, "val")
    with pytest.raises(DiffDopeError, match="scene: expected one of 1, 2, got 9"):
        dataset.scene(9)
    with pytest.raises(DiffDopeError, match="obj_id: expected one of 1, 2 in"):
        dataset.models.path(3)


@pytest.mark.parametrize("files", [("shard-000000.tar",), ("000001_000000.rgb.png", "000001_000000.camera.json")])
def test_the_imagewise_format_is_named(files: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    for name in files:
        (tmp_path / "train" / name).write_bytes(b"")
    with pytest.raises(DiffDopeError, match="got BOP's imagewise format .*; write it as folders of .*bop unpack"):
        DataSet.open(tmp_path, "train")


def test_a_scene_in_place_of_a_split_is_named(tmp_path: Path) -> None:
    (tmp_path / "000001" / "rgb").mkdir(parents=True)
    with pytest.raises(DiffDopeError, match="got a scene itself; give the folder above it"):
        DataSet.open(tmp_path, "000001")


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"visib_fract": "all"}, "object 0, visib_fract: expected a finite number, got 'all'"),
        ({"visib_fract": float("nan")}, "object 0, visib_fract: expected a finite number, got nan"),
        ({"bbox_visib": 5}, "object 0, bbox_visib: expected x, y, width and height, got 5"),
        ({"bbox_visib": [0, 0, 4, "wide"]}, "object 0, bbox_visib: expected a finite number, got 'wide'"),
    ],
)
def test_broken_visibilities_are_named(broken: dict[str, object], words: str, tree: Tree):
    path = tree.scene(1) / "scene_gt_info.json"
    infos = json.loads(path.read_text())
    infos["0"][0].update(broken)
    path.write_text(json.dumps(infos))
    with pytest.raises(DiffDopeError, match=f"scene_gt_info.json, key 0, {words}"):
        DataSet.open(tree.root, "val").scene(1).truth(0)
