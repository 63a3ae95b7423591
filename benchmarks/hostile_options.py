"""Every option of every command with a value that is none: see `benchmarks.hostile_inputs`.

The inputs beside it are whole. What a command is refused for, it says in one line, and ends with exit code 2, before
anything is written. What is taken is not computed: the functions that would do so end the command.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from PIL import Image

from benchmarks.hostile_files import CAMERA, POSE, SIZE
from diffdope.cli.completion import options
from diffdope.cli.main import main
from diffdope.io.bop_poses import pose_entry

VALUES = (
    "", " ", "no/such", "FOLDER", "PICTURE", "TEXT", "-1", "0", "nan", "inf", "1e308", "1.5", "9" * 30, "9" * 5000,
    "text", "[]", "None", "a,b", "1,2,3,4", "0x0", "-", "--", "\udce9",
)  # fmt: skip
SETTINGS_VALUES = ("", "nan", "-1", "text")  # of the numbers of presets, which are hundreds of one kind
MORE_SETTINGS_VALUES = ("0", "inf", "1e308", "1.5", "9" * 30, "None", "1,2")  # of those of one command
_WITH_ALL = "refine"

_COMPUTING = (
    ("diffdope.pipelines.refiner", "Refiner.refine"), ("diffdope.pipelines.refiner", "Refiner.locate"),
    ("diffdope.pipelines.refiner", "Refiner.locate_all"),
    ("diffdope.joint.scene_refiner", "SceneRefiner.refine"),
    ("diffdope.cli.calibrate_command", "calibrate"), ("diffdope.cli.eye_in_hand_command", "_calibrate_and_write"),
    ("diffdope.cli.track_command", "track"),
    ("diffdope.cli.serve_command", "serve"), ("diffdope.cli.view_command", "_write"),
    ("diffdope.cli.view_command", "_serve"), ("diffdope.cli.annotate_command", "_annotate"),
    ("diffdope.cli.bop_refine", "refine_dataset"), ("diffdope.cli.bop_multiview", "refine_groups"),
    ("diffdope.cli.bop_eval", "measured"), ("diffdope.cli.bop_compare", "evaluate"),
    ("diffdope.cli.experiment", "run_and_print"),
)  # fmt: skip


class Reached(BaseException):
    """The inputs were taken, and the work would begin."""


class Fault(Exception):
    """What a command did that it must not do."""


def _reached(*_: Any, **__: Any) -> Any:
    raise Reached


def whole_inputs(folder: Path) -> dict[str, list[str]]:
    """Writes files that all commands take; returns the words of each, also with other inputs, as its name says."""
    height, width = SIZE
    inputs = folder / "inputs"
    for name in ("rgb", "depth", "mask"):
        (inputs / name).mkdir(parents=True)
    seen = np.zeros(SIZE, np.uint8)
    seen[6:18, 8:22] = 255
    pictures = {"rgb": np.full((*SIZE, 3), 90, np.uint8), "depth": np.full(SIZE, 6000, np.uint16), "mask": seen}
    for name, array in pictures.items():
        for k in range(2):
            Image.fromarray(array).save(inputs / name / f"{k:06d}.png")
    entry = {"cam_K": CAMERA.K.ravel().tolist(), "depth_scale": 0.1, "width": width, "height": height}
    (inputs / "camera.json").write_text(json.dumps(entry))
    (inputs / "init.json").write_text(json.dumps(pose_entry(POSE)))
    (inputs / "box.obj").write_text("v 0 0 0\nv 50 0 0\nv 0 50 0\nv 0 0 50\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n")
    (inputs / "arm.urdf").write_text(
        '<robot name="r"><link name="a"><visual><geometry><box size="0.1 0.1 0.2"/></geometry></visual></link></robot>'
    )
    (inputs / "joints.json").write_text(json.dumps({"joint_names": [], "positions": [[], []]}))
    (inputs / "flange.json").write_text(json.dumps([POSE.matrix.tolist()] * 2))
    (inputs / "text.txt").write_text("some words\n")
    one = {name: str(inputs / name / "000000.png") for name in pictures}
    every = {name: str(inputs / name) for name in pictures}
    camera, mesh = str(inputs / "camera.json"), str(inputs / "box.obj")
    start, out = ["--init", str(inputs / "init.json")], ["--out", str(folder / "out")]
    images = [word for name in pictures for word in (f"--{name}", one[name])]
    lens = str(inputs / "lens.json")
    (inputs / "lens.json").write_text(json.dumps(entry | {"distortion": [0.1, 0.01, 0.0, 0.0]}))
    folders = [word for name in pictures for word in (f"--{name}", every[name])]
    object_ = ["--mesh", mesh, "--unit", "mm", "--camera", camera]
    hand = ["--flange-poses", str(inputs / "flange.json"), *object_, *folders, *out]
    data = _data_set(folder / "set", pictures, entry)
    (folder / "r.csv").write_text(_results())
    imagewise = folder / "imagewise"
    imagewise.mkdir()
    (imagewise / "0.camera.json").write_text(json.dumps(entry))
    shutil.copy(one["rgb"], imagewise / "0.rgb.png")
    on_set = ["--dataset", str(data), "--split", "val"]
    return {
        "demo": out, "refine": [*object_, *images, *start, *out], "locate": [*object_, *images, *out],
        "locate, instances": ["--instances", "3", *object_, *images[:4], *out],
        "refine, a lens": ["--depth-rectified", *object_[:-1], lens, *images, *start, *out],
        "scene": ["--object", mesh, "--unit", "mm", "--camera", camera, *images, *out],
        "calibrate --eye-in-hand": hand,
        "calibrate": ["--urdf", str(inputs / "arm.urdf"), "--joints", str(inputs / "joints.json"), "--camera", camera,
                      "--mask", every["mask"], *out],
        "track": [*object_, *folders, *start, *out], "annotate": [*object_, "--rgb", every["rgb"], *out],
        "serve": [], "experiment modalities": [*out], "view": [str(data), "--split", "val"],
        "bop refine": [*on_set, "--init", str(folder / "r.csv"), "--out", str(folder / "out.csv")],
        "bop eval": [*on_set, "--results", str(folder / "r.csv"), *out],
        "bop compare": [str(folder / "r.csv"), str(folder / "r.csv"), *on_set, *out],
        "bop calibrate": [*on_set, "--results", str(folder / "r.csv"), *out],
        "bop merge": [str(folder / "r.jsonl"), "--out", str(folder / "out.csv")],
        "bop unpack": [str(imagewise), *out],
    }  # fmt: skip


def _data_set(root: Path, pictures: dict[str, np.ndarray], camera: dict[str, Any]) -> Path:
    scene = root / "val" / "000001"
    (root / "models").mkdir(parents=True)
    (root / "models" / "obj_000001.ply").write_text(
        "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
        "element face 4\nproperty list uchar int vertex_indices\nend_header\n"
        "0 0 0\n50 0 0\n0 50 0\n0 0 50\n3 0 2 1\n3 0 1 3\n3 0 3 2\n3 1 2 3\n"
    )
    (root / "models" / "models_info.json").write_text(json.dumps({"1": {"diameter": 70.8}}))
    R, t = POSE.to_bop()
    for name, kind in (("rgb", "rgb"), ("depth", "depth"), ("mask", "mask_visib")):
        (scene / kind).mkdir(parents=True)
        Image.fromarray(pictures[name]).save(scene / kind / f"000000{'_000000' if name == 'mask' else ''}.png")
    (scene / "scene_camera.json").write_text(json.dumps({"0": camera}))
    (scene / "scene_gt.json").write_text(json.dumps({"0": [{"obj_id": 1, "cam_R_m2c": R, "cam_t_m2c": t}]}))
    (scene / "scene_gt_info.json").write_text(json.dumps({"0": [{"visib_fract": 1.0, "bbox_obj": [8, 6, 14, 12]}]}))
    return root


def _results() -> str:
    R, t = POSE.to_bop()
    row = f"1,0,1,0.9,{' '.join(map(str, R))},{' '.join(map(str, t))},0.1\n"
    return f"scene_id,im_id,obj_id,score,R,t,time\n{row}"


def cases(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """What is damaged, and the command line."""
    known = options()
    for name, words in whole_inputs(folder).items():
        command, _, other_inputs = name.partition(", ")
        more = MORE_SETTINGS_VALUES if command == _WITH_ALL else ()
        of_preset = () if other_inputs else (*SETTINGS_VALUES, *more)
        yield name, [*command.split(), *words]
        yield f"{name}, no options", command.split()
        for flag in [*known.get(command.partition(" --")[0], []), "--no-such-option"]:
            if flag in ("--help", "--help-all") or ("." in flag and not of_preset):
                continue
            yield f"{name} {flag}", _changed(command, words, flag, [])
            for value in of_preset if "." in flag else VALUES:
                yield f"{name} {flag} {value[:20]!r}", _changed(command, words, flag, [_word(value, folder)])
        yield f"{name} twice", [*command.split(), *words, *words]
        yield f"{name}, a word more", [*command.split(), *words, "more"]


def _word(value: str, folder: Path) -> str:
    places = {"FOLDER": "inputs", "PICTURE": "inputs/rgb/000000.png", "TEXT": "inputs/text.txt"}
    return str(folder / places[value]) if value in places else value


def _changed(command: str, words: list[str], flag: str, values: list[str]) -> list[str]:
    """The words of a command, of which an option has other values."""
    kept, passed = [], False
    for word in words:
        passed = word == flag if word.startswith("--") else passed
        if not passed:
            kept.append(word)
    return [*command.split(), *kept, flag, *values]


def attempt(words: list[str], folder: Path) -> str:
    """What became of a command line: "taken" or "refused".

    Args:
        words: of the command.
        folder: with the inputs, in which nothing may be new afterwards.

    Raises:
        Fault: if it ends in another way, or something was written.
    """
    before = _content(folder)
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.ExitStack() as patched, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            patched.enter_context(contextlib.chdir(folder))
            patched.enter_context(warnings.catch_warnings(action="ignore"))
            for module, name in _COMPUTING:
                *inside, last = name.split(".")
                owner = import_module(module)
                for one in inside:
                    owner = getattr(owner, one)
                patched.enter_context(mock.patch.object(owner, last, _reached))
            code = main(words)
    except Reached:
        return "taken"
    except Exception as error:
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        where = "" if frame is None else f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}"
        raise Fault(f"{type(error).__name__} at {where}: {str(error)[:90]}") from error
    if code == 0:
        return "taken"
    new = sorted(_content(folder) - before)
    for path in new:
        shutil.rmtree(folder / path) if (folder / path).is_dir() else (folder / path).unlink(missing_ok=True)
    if code != 2:
        raise Fault(f"exit code {code}: {err.getvalue()[-90:]!r}")
    if new:
        raise Fault(f"left behind: {', '.join(new)}")
    said = err.getvalue() + out.getvalue()
    if not said.strip() or "Traceback" in said:
        raise Fault(f"no clear line: {said[-200:]!r}")
    return "refused"


def _content(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}
