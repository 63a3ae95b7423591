"""Files that were cut off, are empty, or are of another kind: the error says which, whatever reads them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.io.cameras import load_camera
from diffdope.io.images import read_depth, read_rgb
from diffdope.io.joints import read_joints
from diffdope.io.json_files import read_json
from diffdope.io.masks import read_mask
from diffdope.io.poses import read_start_poses

READERS: dict[str, Callable[[Path], Any]] = {
    "camera": load_camera, "depth": read_depth, "mask": read_mask, "init": read_start_poses,
}  # fmt: skip


@pytest.mark.parametrize("name", READERS)
def test_arrays(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.ones((40, 40)))
    whole = path.read_bytes()
    spoilt = {
        "a file that was cut off": whole[:-100], "a file that was cut off; write": whole[:4], "an empty file": b"",
        "a file that numpy did not write": b"hello, this is a text",
    }  # fmt: skip
    for said, content in spoilt.items():
        path.write_bytes(content)
        with pytest.raises(DiffDopeError, match=f"{name}: expected .* in .*a.npy, got {said}"):
            READERS[name](path)
    np.save(path, np.array([{"an": "object"}]))
    with pytest.raises(DiffDopeError, match="objects of Python"):
        READERS[name](path)


@pytest.mark.parametrize("name", ["camera", "mask", "init"])
def test_json(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    text = json.dumps({"cam_K": [600, 0, 320, 0, 600, 240, 0, 0, 1], "more": {"a": "word"}}, indent=1)
    path.write_text(text[: len(text) // 2])
    with pytest.raises(DiffDopeError, match=f"{name}: expected JSON in .*, got a file that was cut off in line"):
        READERS[name](path)
    path.write_text('{"cam_K": [1, 2,\n')  # cut off between two lines
    with pytest.raises(DiffDopeError, match="got a file that was cut off in line 2"):
        READERS[name](path)
    path.write_text('{"cam_K": [1, 2,}')
    with pytest.raises(DiffDopeError, match="got (Expecting|Illegal).* in line 1, column 1[67]: "):
        READERS[name](path)
    path.write_text("")
    with pytest.raises(DiffDopeError, match="got (an empty file|nothing)"):
        READERS[name](path)


def test_json_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"word": "not closed')
    with pytest.raises(DiffDopeError, match="got a file that was cut off in line 1"):
        read_json(path)


def test_joints(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, joint_names=["a"], positions=np.ones((3, 1)))
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(DiffDopeError, match="joints: expected .* in .*a.npz, got a file that was cut off"):
        read_joints(path)


def test_images(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DiffDopeError, match="rgb: expected an image in .*a.png, got a file that was cut off"):
        read_rgb(path)
    for content, said in ((b"", "an empty file"), (b"hello", "another kind of file, or a damaged one")):
        path.write_bytes(content)
        with pytest.raises(DiffDopeError, match=f"got {said}"):
            read_rgb(path)
