"""BOP's imagewise files, in tars and folders, become scenes."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from diffdope.bop.dataset import DataSet
from diffdope.bop.unpack import unpack
from diffdope.cli.main import main
from diffdope.errors import DiffDopeError
from tests.oracle.rle import encode_rle

R, T = [1.0, 0, 0, 0, 1, 0, 0, 0, 1], [10.0, 20.0, 700.0]


def picture(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, format="PNG")
    return stream.getvalue()


def mask_of(number: int, instance: int) -> np.ndarray:
    mask = np.zeros((6, 8), bool)
    mask[1 + instance : 4, 2 + number % 3 : 7] = True
    return mask


def files(number: int) -> dict[str, bytes]:
    """Those of an image with two instances."""
    said: dict[str, Any] = {
        "camera.json": {"cam_K": [50.0 + number, 0, 3.5, 0, 50, 2.5, 0, 0, 1], "depth_scale": 0.1},
        "gt.json": [{"obj_id": 1 + k, "cam_R_m2c": R, "cam_t_m2c": T} for k in range(2)],
        "gt_info.json": [{"visib_fract": 0.5 + 0.1 * k, "bbox_visib": [1, 2, 3, 4]} for k in range(2)],
        "mask_visib.json": {str(k): encode_rle(mask_of(number, k)) for k in range(2)},
    }
    pictures = {
        "rgb.png": picture(np.full((6, 8, 3), 10 + number, np.uint8)),
        "depth.png": picture(np.full((6, 8), 7000 + number, np.uint16)),
    }
    return {name: json.dumps(one).encode() for name, one in said.items()} | pictures


def tar(path: Path, *keys: str, start: int = 0, **changed: bytes | None) -> Path:
    with tarfile.open(path, "w") as archive:
        for number, key in enumerate(keys):
            for name, content in (
                files(start + number) | {k.replace("__", "."): v for k, v in changed.items()}
            ).items():
                if content is not None:
                    about = tarfile.TarInfo(f"{key}.{name}")
                    about.size = len(content)
                    archive.addfile(about, io.BytesIO(content))
    return path


def data_set(tmp_path: Path) -> Path:
    models = tmp_path / "set" / "models"
    models.mkdir(parents=True)
    (models / "obj_000001.ply").write_text("ply\n")
    return tmp_path / "set"


def test_tars_become_scenes(tmp_path: Path) -> None:
    root = data_set(tmp_path)
    first = tar(tmp_path / "shard-000000.tar", "000001_000004", "000001_000007")
    second = tar(tmp_path / "shard-000001.tar", "000003_000004", start=2)
    assert main(["bop", "unpack", str(first), str(second), "--out", str(root / "train")]) == 0
    found = DataSet.open(root, "train")
    assert found.scene_ids == (1, 3) and found.scene(1).image_ids == (4, 7)
    for number, (scene_id, im_id) in enumerate([(1, 4), (1, 7), (3, 4)]):
        scene = found.scene(scene_id)
        rgb, depth = scene.rgb(im_id), scene.depth(im_id)
        assert rgb is not None and (rgb == 10 + number).all()
        assert depth is not None and np.allclose(depth, 1e-4 * (7000 + number))
        assert scene.camera(im_id).fx == 50.0 + number
        truth = scene.truth(im_id)
        assert [one.obj_id for one in truth] == [1, 2] and truth[1].visib_fract == pytest.approx(0.6)
        assert truth[0].pose.to_bop() == (R, T)
        for instance in range(2):
            assert np.array_equal(scene.mask(im_id, instance), mask_of(number, instance))


@pytest.mark.parametrize("packed", [True, False])
def test_folders_and_keys_without_numbers(packed: bool, tmp_path: Path) -> None:
    source = tmp_path / "shards"
    source.mkdir()
    if packed:
        tar(source / "a.tar", "kitchen_b", "kitchen_a")
    else:
        for number, key in enumerate(("kitchen_b", "kitchen_a")):
            for name, content in files(number).items():
                (source / f"{key}.{name}").write_bytes(content)
    assert unpack([source], tmp_path / "out") == {0: 2}
    cameras = json.loads((tmp_path / "out" / "000000" / "scene_camera.json").read_text())
    assert [cameras[number]["cam_K"][0] for number in ("0", "1")] == [51.0, 50.0]  # in the order of keys


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"camera__json": None}, r"000001_000002\.camera\.json"),
        ({"rgb__png": None, "depth__png": None}, "no 000001_000002.rgb"),
        ({"gt__json": b"[{"}, "000001_000002.gt.json.*cut off"),
        ({"mask_visib__json": b'{"0": {"size": [6, 8], "counts": [3]}}'}, "instance 0.*6 x 8"),
        ({"mask_visib__json": b"[1]"}, "run lengths by the number"),
    ],
)
def test_what_is_broken_leaves_nothing(changed: dict[str, Any], words: str, tmp_path: Path) -> None:
    source = tar(tmp_path / "a.tar", "000001_000002", **changed)
    with pytest.raises(DiffDopeError, match=words):
        unpack([source], tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar"]


def test_sources_that_are_none(tmp_path: Path) -> None:
    one = tar(tmp_path / "a.tar", "000001_000002")
    with pytest.raises(DiffDopeError, match=r"each file once: 000001_000002\."):
        unpack([one, tar(tmp_path / "b.tar", "000001_000002")], tmp_path / "out")
    (tmp_path / "cut.tar").write_bytes(one.read_bytes()[:3000])
    with pytest.raises(DiffDopeError, match=r"cut\.tar"):
        unpack([tmp_path / "cut.tar"], tmp_path / "out")
    with pytest.raises(DiffDopeError, match="which does not exist"):
        unpack([tmp_path / "none.tar"], tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DiffDopeError, match=r"KEY\.rgb"):
        unpack([tmp_path / "empty"], tmp_path / "out")
    with pytest.raises(DiffDopeError, match="out: expected a folder that does not exist yet"):
        unpack([one], tmp_path)


def test_a_split_that_is_packed_names_the_command(tmp_path: Path) -> None:
    root = data_set(tmp_path)
    (root / "train").mkdir()
    tar(root / "train" / "shard-000000.tar", "000001_000004")
    with pytest.raises(DiffDopeError, match="diffdope bop unpack .*train --out .*train_scenes"):
        DataSet.open(root, "train")
