"""What people expect of a command line: words of its own, completion, films as phones take them."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from diffdope.cli import progress, report
from diffdope.cli.completion import options, script
from diffdope.cli.help_text import short_help
from diffdope.cli.input_flags import InputFlags
from diffdope.cli.locate_command import LocateArguments, parse
from diffdope.cli.made_with import Places, flags_of
from diffdope.cli.main import main
from diffdope.cli.refine_command import RefineArguments
from diffdope.geometry.pose import Pose
from diffdope.io.frames import Film, open_frames, upright
from diffdope.io.images import read_rgb
from diffdope.io.wording import in_options
from diffdope.pipelines.result import RefinementResult, Status, nothing_compared
from tests.cli.conftest import arguments


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("depth: expected a median of 0.005 to 20.0 m, got 500 m; it looks like millimetres: depth_scale is "
         "METRES per unit, 0.001 for millimetres",
         "expected a median of 5 to 20000 mm, got 5e+05 mm; it looks like millimetres: "
         "--depth-scale is millimetres per unit: 1 for those"),
        ('mesh: expected a diameter of 0.005 to 5.0 m, got 85 m; load it with unit="mm"',
         "expected a diameter of 5 to 5000 mm, got 8.5e+04 mm; give --unit mm"),
        ("must be converted with Pose.from_opengl, or", "is read with --init-kind m2c-opengl, or"),
        ("inverse of OpenGL (Pose.from_opengl(pose.inverse()))", "inverse of OpenGL (--init-kind c2m-opengl)"),
        ("camera to object? (pose.inverse())", "camera to object? (--init-kind c2m)"),
        ("m with depth_scale 0.1; x", "m with --depth-scale 100; x"),
        ("640 x 480, 3 metres, 20 mm", "640 x 480, 3 metres, 20 mm"),
    ],
)  # fmt: skip
def test_messages_speak_of_options_and_millimetres(said: str, meant: str) -> None:
    assert meant in in_options(said)


def test_a_message_names_the_option_of_its_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "val" / "000001").mkdir(parents=True)
    (tmp_path / "val" / "000001" / "scene_gt_left.json").write_text("{}")
    words = ["bop", "eval", "--dataset", str(tmp_path), "--split", "val", "--results", "r.csv"]
    assert main([*words, "--camera-type", "right"]) == 2
    assert capsys.readouterr().err.startswith("error: --camera-type: expected one of left, got right")


@pytest.mark.parametrize("numbers", [["1", "2", "30.5", "40"], ["1,2,30.5,40"]])
def test_a_box_of_four_words_is_a_box(numbers: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["locate", "--mesh", "no.ply", "--camera", "no.json", "--rgb", "no.png", "--out", "no", "--box", *numbers]
    assert main(words) == 2
    assert "none at no.png" in capsys.readouterr().err  # the words were understood


def test_completion_knows_every_option() -> None:
    known = options()
    assert {"--mesh", "--init-kind", "--film", "--no-film", "--descent.iterations", "--help-all"} <= set(
        known["refine"]
    )
    assert "compare" in known["bop"] and "--dataset" in known["bop eval"]
    for shell in ("bash", "zsh", "fish"):
        text = script(shell)
        assert "diffdope" in text and "compare" in text and "init-kind" in text


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["diffdope", "ref"], "refine"), (["diffdope", "refine", "--init-k"], "--init-kind"),
        (["diffdope", "bop", "com"], "compare"),
    ],
)  # fmt: skip
def test_bash_completes(words: list[str], offered: str, tmp_path: Path) -> None:
    (tmp_path / "complete.bash").write_text(script("bash"))
    line = " ".join(words)
    code = f"source complete.bash; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _diffdope; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert offered in done.stdout.split()


def test_an_unknown_shell(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--completion", "csh"]) == 2
    assert "bash, zsh, fish" in capsys.readouterr().err
    assert main(["--completion", "bash"]) == 0
    assert "complete -o filenames" in capsys.readouterr().out


def test_an_object_may_have_the_number_0(inputs: Path) -> None:
    entry = json.loads((inputs / "init.json").read_text())
    (inputs / "init.json").write_text(json.dumps([entry | {"obj_id": 0}, entry | {"obj_id": 1}]))
    assert main([*arguments(inputs, obj_id=0), "--no-film"]) == 0
    out = inputs.parent / "out"
    assert json.loads((out / "scene_gt.json").read_text())["0"][0]["obj_id"] == 0
    assert np.loadtxt(out / "pose.txt").shape == (4, 4)


class Turned:
    """A frame of a film that says it is to be turned."""

    def __init__(self, rotation: int) -> None:
        self.rotation = rotation


def test_frames_are_turned_as_the_film_says() -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert np.array_equal(upright(Turned(90), array), np.rot90(array))
    assert np.array_equal(upright(Turned(-90), array), np.rot90(array, -1))
    assert np.array_equal(upright(Turned(180), array), array[::-1, ::-1])
    assert upright(Turned(0), array) is array and upright(object(), array) is array


def test_photographs_are_turned_as_they_say(tmp_path: Path) -> None:
    array = np.zeros((8, 16, 3), np.uint8)
    array[:, :8] = 255
    tag = Image.Exif()
    tag[0x0112] = 6  # to be turned clockwise
    Image.fromarray(array).save(tmp_path / "p.jpg", exif=tag, quality=95)
    read = read_rgb(tmp_path / "p.jpg")
    assert read.shape == (16, 8, 3) and read[:6].mean() > 240 and read[-6:].mean() < 15


def test_folders_of_depth_beside_a_film(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "film.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 32, 24
        for k in range(4):
            frame = av.VideoFrame.from_ndarray(np.full((24, 32, 3), 60 * k, np.uint8), format="rgb24")
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    (tmp_path / "depth").mkdir()
    for k in (0, 1, 2, 10):
        Image.fromarray(np.full((24, 32), 500 + k, np.uint16)).save(tmp_path / "depth" / f"{k}.png")
    folders = {"rgb": tmp_path / "film.mp4", "depth": tmp_path / "depth"}
    frames = list(open_frames(folders).read())
    assert [frame.depth[0, 0] for frame in frames] == [500, 501, 502, 510]  # type: ignore[index]
    assert [round(frame.time_s, 3) for frame in frames] == [0.0, 0.1, 0.2, 0.3]
    assert [frame.depth[0, 0] for frame in open_frames(folders).read(2)] == [502, 510]  # type: ignore[index]
    assert isinstance(open_frames({"rgb": tmp_path / "film.mp4"}), Film)
    (tmp_path / "depth" / "10.png").unlink()
    with pytest.raises(ValueError, match="depth: expected an image for each of the 4 frames of the film, got 3 images"):
        list(open_frames(folders).read())


def test_long_work_without_a_terminal_says_what_it_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "FIRST_S", 0.02)
    result = nothing_compared(Pose.identity(), Status.FAILED, "")

    def work(tell: object) -> RefinementResult:
        time.sleep(0.2)
        return result

    assert report.with_progress(work, "locating") is result
    captured = capsys.readouterr()
    assert captured.err.startswith("locating: ")
    assert captured.out == ""


def test_a_log_says_how_far_and_how_long_still(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "FIRST_S", 0.05)
    monkeypatch.setattr(progress, "EVERY_S", 0.05)
    with progress.Activity("tracking", total=40, done=20) as activity:
        for _ in range(10):
            time.sleep(0.02)
            activity.advance()
    lines = [line for line in capsys.readouterr().err.splitlines() if line]
    assert len(lines) >= 2
    assert all(re.fullmatch(r"tracking: \d+ of 40 after \d+ s(, \d+ s left)?", line) for line in lines), lines
    done = [int(line.split()[1]) for line in lines]
    assert done == sorted(done) and done[0] >= 20


def test_the_time_left_does_not_count_what_an_earlier_run_did() -> None:
    activity = progress.Activity("tracking", total=120, done=100)
    activity._began = time.monotonic() - 10.0
    activity.update(105)
    assert activity.line() == "tracking: 105 of 120 after 10 s, 30 s left"


def test_short_work_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.Activity("nothing much"):
        pass
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_a_bar() -> None:
    shown = io.StringIO()
    with progress.Activity("tracking", Console(file=shown, force_terminal=True, width=100), total=4) as activity:
        activity.update(3)
    assert "tracking" in shown.getvalue() and "3/4" in shown.getvalue() and "left" in shown.getvalue()


class NotebookDisplay:
    """What IPython shows below a cell: what is there now, and what has been."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def display(self, text: str, *, display_id: bool) -> NotebookDisplay:
        assert display_id
        self.update(text)
        return self

    def update(self, text: str) -> None:
        self.texts.append(text)


def test_a_notebook_shows_a_bar_below_the_cell_and_nothing_afterwards(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = NotebookDisplay()
    module = SimpleNamespace(display=shown.display, HTML=str)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(display=module))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    monkeypatch.setattr(progress, "_NOTEBOOK_S", 0.02)
    with progress.Activity("tracking a < b", Console(force_jupyter=True), total=40, done=20) as activity:
        for _ in range(5):
            time.sleep(0.05)
            activity.advance()
    bars = [text for text in shown.texts if "progress" in text]
    assert len(bars) >= 3 and '<progress value="24" max="40"></progress> tracking a &lt; b: 24 of 40' in bars[-1]
    assert shown.texts[0] == "" and shown.texts[-1] == ""
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("command", [name.split() for name in options() if name != "bop"], ids=" ".join)
def test_every_command_has_both_helps(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for word in ("--help", "--help-all"):
        assert main([*command, word]) == 0
        said = capsys.readouterr().out
        assert f"usage: diffdope {' '.join(command)}" in said and "{None}" not in said
    short, rest = len(said), "--help-all lists" in said
    assert short and not rest  # what lists everything names no other list


def test_an_option_of_another_command_is_named(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["locate", *arguments(inputs)[1:]]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: --init: expected an option of `diffdope locate`, got one of refine, ")
    assert "`diffdope refine` goes on from one" in said
    (inputs / "rgb").mkdir()
    (inputs / "rgb.png").rename(inputs / "rgb" / "0.png")
    track = ["track", "--mesh", str(inputs / "object.ply"), "--camera", str(inputs / "camera.json"), "--out", "x"]
    assert main([*track, "--search.step.max-step", "3"]) == 2
    assert "a file for --settings may hold it: search: {step: {max_step: ...}}" in capsys.readouterr().err
    assert main([*track, "--rgb", str(inputs / "rgb")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: --init: expected a start pose for the first frame, or a mask to find the object in")
    assert said.endswith("give --init, the pose in the first frame, or a mask or box in it (--mask, --box)\n")
    assert main(track) == 2
    assert "at least one of --rgb, --depth and --mask, or a recording, --bag" in capsys.readouterr().err
    assert main([*arguments(inputs), "--fps", "3"]) == 2
    assert "got one of track" in capsys.readouterr().err
    one = arguments(inputs)
    at = one.index("--mesh") + 2
    assert main([*one[:at], "box.ply", *one[at:]]) == 2  # locate takes several kinds, refine one
    said = capsys.readouterr().err
    assert said.startswith("error: --mesh: expected one file, got ") and " box.ply; " in said
    assert "`diffdope scene --object A.ply B.ply`" in said
    assert main([*arguments(inputs), "--nonsense"]) == 2
    assert "Unrecognized options" in capsys.readouterr().err


def test_a_format_that_has_a_unit_keeps_it(inputs: Path) -> None:
    """GLB is in metres, COLLADA says its unit; only --unit says otherwise."""
    flags: dict[str, Any] = {"camera": inputs / "camera.json", "rgb": inputs / "rgb.png"}
    points = "0 0 0 {0} 0 0 0 {0} 0"
    text = (
        '<COLLADA version="1.4.1"><asset><unit name="centimeter" meter="0.01"/></asset><library_geometries>'
        '<geometry id="g"><mesh><source id="p"><float_array id="a" count="9">'
        + points.format(20)
        + '</float_array><technique_common><accessor source="#a" count="3" stride="3"/></technique_common></source>'
        '<vertices id="v"><input semantic="POSITION" source="#p"/></vertices><triangles count="1">'
        '<input semantic="VERTEX" source="#v" offset="0"/><p>0 1 2</p></triangles></mesh></geometry>'
        '</library_geometries><library_visual_scenes><visual_scene id="s"><node><instance_geometry url="#g"/></node>'
        '</visual_scene></library_visual_scenes><scene><instance_visual_scene url="#s"/></scene></COLLADA>'
    )
    (inputs / "a.dae").write_text(text)
    given = InputFlags(mesh=inputs / "a.dae", **flags)
    mesh = given.load_mesh()
    assert np.ptp(mesh.vertices_m, axis=0).max() == pytest.approx(0.2)
    assert not any("was not used" in note for note in mesh.warnings)
    assert InputFlags(mesh=inputs / "object.ply", **flags).inputs["unit"] == "mm"
    assert given.inputs["unit"] == "of the format"


def test_a_scan_without_a_scale_has_a_number_for_a_unit(inputs: Path) -> None:
    """Metres in one unit of the file; a result keeps it, and `diffdope view` reads the same mesh."""
    flags: dict[str, Any] = {"mesh": inputs / "object.ply", "camera": inputs / "camera.json", "out": inputs}
    words = [word for name, value in flags.items() for word in (f"--{name}", str(value))]
    given = parse([*words, "--rgb", str(inputs / "rgb.png"), "--unit", "0.002"])
    in_mm = InputFlags(mesh=inputs / "object.ply", camera=inputs / "camera.json").load_mesh()
    assert given.load_mesh().diameter == pytest.approx(2.0 * in_mm.diameter)
    assert given.inputs["unit"] == 0.002
    again = flags_of(LocateArguments, {**given.inputs, "rgb": "rgb.png"}, Places(inputs), out=inputs)
    assert again.load_mesh().diameter == given.load_mesh().diameter


def test_near_turns_a_located_result(inputs: Path) -> None:
    words = ["locate", *(w for w in arguments(inputs, init=None)[1:]), "--near", str(inputs / "init.json")]
    assert main(words) == 0
    entry = json.loads((inputs.parent / "out" / "result.json").read_text())
    start = json.loads((inputs / "init.json").read_text())
    found, near = (Pose.from_bop(one["cam_R_m2c"], one["cam_t_m2c"]) for one in (entry, start))
    assert found.angle_to(near) < np.radians(30.0)
    assert main([*words[:-1], str(inputs / "nowhere.json")]) == 2


def test_the_help_of_locate_names_no_start() -> None:
    assert "--init" in short_help(RefineArguments, "diffdope refine")
    box = " ".join(short_help(LocateArguments, "diffdope locate").split("--box")[1].split("\n  --")[0].split())
    assert "without --init" not in box and "in place of a mask" in box
