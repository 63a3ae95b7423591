"""What `diffdope annotate` is given: pictures, meshes, and what is refused before anything is written."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from diffdope.cli import annotate_command
from diffdope.cli.annotate_command import AnnotateArguments, inputs_of
from diffdope.cli.main import main
from diffdope.errors import DiffDopeError
from diffdope.scene.packaged import packaged_example
from tests.annotate.test_tracks import run_of


def given(folder: Path, **changes: object) -> AnnotateArguments:
    for kind in ("rgb", "depth"):
        (folder / kind).mkdir(exist_ok=True)
        shutil.copy(folder / f"{kind}.png", folder / kind / "frame_a.png")
    values = {
        "out": folder.parent / "out", "rgb": folder / "rgb", "depth": folder / "depth",
        "camera": folder / "camera.json", "mesh": (folder / "object.ply",),
    }  # fmt: skip
    return AnnotateArguments(**{**values, **changes})  # type: ignore[arg-type]


def test_objects_have_the_number_in_their_name_or_are_counted(inputs: Path) -> None:
    for name in ("obj_000001.ply", "obj_000012.ply", "mug.ply"):
        shutil.copy(inputs / "object.ply", inputs / name)
    meshes = tuple(inputs / name for name in ("obj_000001.ply", "mug.ply", "obj_000012.ply", "object.ply"))
    made = inputs_of(given(inputs, mesh=meshes))
    assert made.objects == (1, 2, 12, 3) and made.names == {2: "mug", 3: "object"}
    assert made.mesh_of(12).name == "obj_000012"
    assert made.pictures.ids == (0,) and made.pictures.name(0) == "frame_a"
    with pytest.raises(DiffDopeError, match="each object once, got object 1 twice"):
        inputs_of(given(inputs, mesh=(inputs / "mug.ply", inputs / "obj_000001.ply")))


def test_the_depth_scale_of_the_command_wins(inputs: Path) -> None:
    one, two = (inputs_of(given(inputs, depth_scale=scale)).pictures.observation(0) for scale in (None, 0.2))
    assert two.depth is not None and one.depth is not None
    assert two.depth.max() == pytest.approx(2 * one.depth.max(), rel=1e-5)


def test_a_data_set_gives_pictures_and_models(shared_data: Path) -> None:
    asked = AnnotateArguments(out=Path("x"), dataset=shared_data / "sim", dataset_split="dev", objects="1,3")
    made = inputs_of(asked)
    assert made.objects == (1, 3) and len(made.pictures.ids) == 8
    assert made.pictures.observation(made.pictures.ids[0]).modalities == ("rgb", "depth")
    with pytest.raises(DiffDopeError, match="objects: expected some of"):
        inputs_of(AnnotateArguments(out=Path("x"), dataset=shared_data / "sim", dataset_split="dev", objects="99"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"rgb": None, "depth": None}, "pictures: expected .* got neither"),
        ({"dataset": Path("y")}, "got both"),
        ({"rgb": None, "depth": None, "dataset": Path("y")}, "dataset-split"),
        ({"camera": None}, "camera: expected a camera file beside --rgb and --depth, got none"),
        ({"mesh": ()}, "mesh: expected one file or more beside"),
        ({"mesh": (Path("nowhere.ply"),)}, "nowhere.ply"),
        ({"rgb": Path("nowhere")}, "rgb: expected a folder of images"),
    ],
)
def test_what_does_not_belong_together_is_refused(inputs: Path, changes: dict[str, object], why: str) -> None:
    with pytest.raises(DiffDopeError, match=why):
        inputs_of(given(inputs, **changes))


@pytest.mark.skipif(importlib.util.find_spec("viser") is None, reason="the extra `viewer` is not installed")
def test_mistakes_are_one_line_and_write_nothing(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given(inputs)
    words = ["annotate", "--rgb", str(inputs / "rgb"), "--mesh", str(inputs / "object.ply")]
    out = inputs.parent / "out"
    assert main([*words, "--out", str(out), "--no-open"]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not out.exists()
    more = ["--camera", str(inputs / "camera.json"), "--out", str(out), "--no-open", "--still"]
    assert main([*words, *more]) == 2
    assert "cam_R_w2c" in capsys.readouterr().err
    assert not out.exists()
    out.mkdir()
    assert main([*words, *more]) == 2
    assert out.exists() and not list(out.iterdir())


@pytest.mark.skipif(importlib.util.find_spec("viser") is None, reason="the extra `viewer` is not installed")
@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("inputs_of", "ended before the window was open; nothing was changed"),
        ("_annotate", "ended before the window was open; nothing was changed"),
        ("window", "nothing was annotated, and nothing is written"),
    ],
)
def test_ctrl_c_ends_it_at_any_time_and_says_what_there_is(
    inputs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, where: str, said: str
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    if where == "window":
        monkeypatch.setattr("diffdope.annotate.window.AnnotationWindow.wait", interrupted)
    else:
        monkeypatch.setattr(annotate_command, where, interrupted)
    asked, out = given(inputs), inputs.parent / "out"
    words = ["--rgb", asked.rgb, "--camera", asked.camera, "--mesh", asked.mesh[0], "--out", out, "--no-open"]
    assert main(["annotate", *map(str, words)]) == 0
    told = capsys.readouterr()
    assert said in told.out and "files:" not in told.out and not told.err
    assert not out.exists()


@pytest.mark.skipif(importlib.util.find_spec("viser") is None, reason="the extra `viewer` is not installed")
def test_a_session_begins_with_tracked_objects_and_goes_on_without_them(
    inputs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, out = given(inputs), inputs.parent / "out"
    run = run_of(inputs.parent / "run", str(asked.mesh[0]), {"frame_a": packaged_example().truth})

    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("diffdope.annotate.window.AnnotationWindow.wait", ended)
    words = ["annotate", "--rgb", asked.rgb, "--camera", asked.camera, "--mesh", asked.mesh[0], "--out", out]
    words = [*map(str, words), "--no-open", "--tracked", str(run)]
    for said in ("files: ", "--tracked: not read again"):
        assert main(words) == 0
        assert said in capsys.readouterr().out
        truth = json.loads((out / "annotated" / "000001" / "scene_gt.json").read_text())
        assert [one["obj_id"] for one in truth["0"]] == [1]
    assert (out / "annotated" / "000001" / "mask" / "000000_000000.png").is_file()
    (out / "annotated" / "000001" / "annotation.json").unlink()
    assert main(words) == 2
    assert "tracked: expected an --out without poses" in capsys.readouterr().err
