"""What a careless user does: each mistake ends in one line that names it and its cure, and nothing is written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from diffdope.cli.main import main
from tests.cli.conftest import arguments

Spoil = Callable[[Path], dict[str, object]]


def edit(name: str, **changes: Any) -> Spoil:
    """Changes keys of a JSON file; None removes one."""

    def spoil(folder: Path) -> dict[str, object]:
        entry = json.loads((folder / name).read_text()) | changes
        (folder / name).write_text(json.dumps({k: v for k, v in entry.items() if v is not None}))
        return {}

    return spoil


def scaled(name: str, key: str, factor: float) -> Spoil:
    def spoil(folder: Path) -> dict[str, object]:
        entry = json.loads((folder / name).read_text())
        entry[key] = (np.array(entry[key]) * factor).tolist()
        (folder / name).write_text(json.dumps(entry))
        return {}

    return spoil


def picture(name: str, make: Callable[[np.ndarray], np.ndarray]) -> Spoil:
    """Rewrites an image."""

    def spoil(folder: Path) -> dict[str, object]:
        array = make(np.asarray(Image.open(folder / name)))
        Image.fromarray(array).save(folder / name)
        return {}

    return spoil


def text(name: str, content: str) -> Spoil:
    def spoil(folder: Path) -> dict[str, object]:
        (folder / name).write_text(content)
        return {}

    return spoil


def flag(**changes: object) -> Spoil:
    return lambda folder: changes


def yaml_file(content: str) -> Spoil:
    def spoil(folder: Path) -> dict[str, object]:
        (folder / "settings.yaml").write_text(content)
        return {"settings": folder / "settings.yaml"}

    return spoil


def transposed(folder: Path) -> dict[str, object]:
    entry = json.loads((folder / "camera.json").read_text())
    entry["cam_K"] = np.array(entry["cam_K"]).reshape(3, 3).T.ravel().tolist()
    (folder / "camera.json").write_text(json.dumps(entry))
    return {}


def without_texture(folder: Path) -> dict[str, object]:
    (folder / "object.png").unlink()
    return {}


def output_is_a_file(folder: Path) -> dict[str, object]:
    (folder / "taken").write_text("")
    return {"out": folder / "taken"}


def two_labels(mask: np.ndarray) -> np.ndarray:
    labels = (mask > 127).astype(np.uint8)
    labels[:40, :60] = 2
    return labels


MISTAKES: dict[str, tuple[Spoil, str]] = {
    "no such mesh": (flag(mesh="nowhere.ply"), "nowhere.ply"),
    "no such camera": (flag(camera="nowhere.json"), "camera.*nowhere.json"),
    "no such start": (flag(init="nowhere.json"), "init.*nowhere.json"),
    "no such photograph": (flag(rgb="nowhere.png"), "rgb.*nowhere.png"),
    "no such depth": (flag(depth="nowhere.png"), "depth.*nowhere.png"),
    "no such mask": (flag(mask="nowhere.png"), "mask.*nowhere.png"),
    "no image at all": (flag(rgb=None, depth=None, mask=None), "at least one of --rgb, --depth and --mask"),
    "a folder for a file": (flag(rgb="."), "rgb"),
    "width and height swapped": (edit("camera.json", width=480, height=640), "swapped"),
    "K transposed": (transposed, "transposed"),
    "principal point outside": (scaled("camera.json", "cam_K", 10.0), "cam_K|principal point|K"),
    "depth in metres said to be mm": (flag(depth_scale=1e-4), "depth"),
    "depth a thousand times too far": (flag(depth_scale=100.0), "--depth-scale 100; .* --depth-scale is millimetres"),
    "no depth scale": (edit("camera.json", depth_scale=None), "give --depth-scale"),
    "mask of another size": (picture("mask.png", lambda m: m[:100]), "mask: expected shape"),
    "mask turned on its side": (picture("mask.png", lambda m: np.ascontiguousarray(m.T)), "swapped"),
    "empty mask": (picture("mask.png", lambda m: m * 0), "mask"),
    "depth in three channels": (
        picture("depth.png", lambda d: np.repeat((d >> 8).astype(np.uint8)[..., None], 3, 2)), "depth"
    ),
    "broken photograph": (text("rgb.png", "not a picture"), "rgb.*rgb.png"),
    "broken mesh": (text("object.ply", "ply\nformat"), "object.ply"),
    "texture missing": (without_texture, "object.png"),
    "mesh in metres": (flag(unit="m"), "give --unit mm"),
    "a mesh of no unit": (flag(unit="0"), "--unit: expected one of m, .* or a number .*got 0"),
    "a mesh of a billionth": (flag(unit="1e-9"), "--mesh: expected a diameter"),
    "mesh a thousand times too small": (scaled("init.json", "cam_t_m2c", 1e-3), "metres: multiply by 1000"),
    "lens distortion": (edit("camera.json", dist_coeffs="in calib.yaml"), "dist_coeffs: expected no lens distortion"),
    "distortion of two numbers": (edit("camera.json", dist_coeffs=[0.1, 0]), "distortion: expected 4 or 5"),
    "labels for a mask": (picture("mask.png", two_labels), "mask: expected one object, got the labels 1, 2;"),
    "a label that is not there": (flag(mask_id=9), r"a label of .*mask.png \(none: it shows one object\), got 9"),
    "start without rotation": (edit("init.json", cam_R_m2c=None), "cam_R_m2c"),
    "start with another key": (text("init.json", '{"R": [1], "t": [2]}'), "the key cam_R_m2c"),
    "not a rotation": (scaled("init.json", "cam_R_m2c", 2.0), "R_m2c|rotation"),
    "a reflection": (scaled("init.json", "cam_R_m2c", -1.0), "left-handed|reflection|det"),
    "start is no JSON": (text("init.json", "R = 3"), "JSON"),
    "unknown preset": (flag(preset="papr"), "preset: expected one of default, fast, paper"),
    "no threads": (flag(threads=0), "threads: expected at least 1"),
    "typo in YAML": (yaml_file("descent:\n  iteration: 3\n"), "did you mean iterations"),
    "word for a number": (yaml_file("descent:\n  hypotheses: many\n"), "hypotheses: expected a whole number"),
    "output is a file": (output_is_a_file, "out: expected a folder"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_helpful_line(mistake: str, inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil, words = MISTAKES[mistake]
    given = arguments(inputs, **spoil(inputs))
    before = sorted(inputs.parent.rglob("*"))
    assert main(given) == 2
    complaint = capsys.readouterr().err.strip()
    assert complaint.startswith("error: ")
    assert "\n" not in complaint
    assert "Traceback" not in complaint
    assert re.search(words, complaint), complaint
    assert sorted(inputs.parent.rglob("*")) == before  # nothing written, not even a folder


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--descent.iterations", "0"], "iterations: expected at least 1, got 0"),
        (["--descent.iteration", "3"], "--descent.iteration"),
        (["--descent.hypotheses", "many"], "hypotheses"),
    ],
)
def test_a_wrong_flag_is_explained_by_the_parser(
    inputs: Path, capsys: pytest.CaptureFixture[str], words: list[str], complaint: str
) -> None:
    assert main([*arguments(inputs), *words]) == 2
    shown = capsys.readouterr().err
    assert complaint in " ".join(shown.replace("│", " ").split())
    assert "Traceback" not in shown
    assert not (inputs.parent / "out").exists()


def moved_start(folder: Path, shift_mm: tuple[float, float, float], flip: bool = False) -> None:
    entry = json.loads((folder / "init.json").read_text())
    t = np.array(entry["cam_t_m2c"])
    entry["cam_t_m2c"] = (-t if flip else t + shift_mm).tolist()
    (folder / "init.json").write_text(json.dumps(entry))


@pytest.mark.parametrize(
    ("shift", "flip", "status", "words"),
    [
        ((0, 0, 0), True, "behind_camera", "OpenGL"),
        ((3000, 0, 0), False, "out_of_view", "outside the image"),
        ((200, 0, 0), False, "no_overlap", "do not overlap"),
    ],
)
def test_a_hopeless_start_is_reported_with_its_reason(
    inputs: Path,
    capsys: pytest.CaptureFixture[str],
    shift: tuple[float, float, float],
    flip: bool,
    status: str,
    words: str,
) -> None:
    moved_start(inputs, shift, flip)
    assert main(arguments(inputs)) == 1
    entry = json.loads((inputs.parent / "out" / "result.json").read_text())
    assert entry["status"] == status
    assert entry["cost"] is None
    assert words in entry["message"]
    assert words.split()[0] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["scene", "--camera", "--object", "a.ply", "--rgb", "a.png", "--out", "out"],
         "--camera: expected a camera file"),
        (["view", "out", "--html", "."], "--html: expected the file to write"),
        (["view", "out", "--root", "no"], "--root: expected a folder that exists"),
        (["scene", "--camera", "c.json", "--object", "a.ply", "--rgb", "a.png", "--image-id", "-1", "--out", "out"],
         "--image-id: expected at least 0, got -1"),
        (["track", "--mesh", "a.ply", "--camera", "c.json", "--rgb", "rgb", "--base-link", "foot", "--out", "out"],
         "--base-link: expected --urdf beside it"),
        (["track", "--mesh", "a.ply", "--camera", "c.json", "--rgb", "rgb", "--tolerance-s", "-1", "--out", "out"],
         "--tolerance-s: expected --bag beside it"),
        (["annotate", "--rgb", "rgb", "--camera", "c.json", "--mesh", "a.ply", "--objects", "1", "--out", "out"],
         "--objects: expected --dataset beside it"),
        (["annotate", "--rgb", "rgb", "--camera", "c.json", "--mesh", "a.ply", "--split", "../up", "--out", "out"],
         "--split: expected the name of a folder in --out"),
        (["bop", "merge", "no.jsonl", "--out", "out.csv"], "parts: cannot read no.jsonl"),
    ],
)  # fmt: skip
def test_lists_that_are_empty_or_of_other_numbers(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert capsys.readouterr().err.startswith(f"error: {said}") and not list(tmp_path.iterdir())
