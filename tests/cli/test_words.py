"""What is said of mistyped words and of files that are something else: options and plain English."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffdope.cli.annotate_command import AnnotateArguments
from diffdope.cli.commands import BOP_COMMANDS, COMMANDS
from diffdope.cli.completion import flags_of, flags_of_command
from diffdope.cli.docstrings import texts_below_fields
from diffdope.cli.eye_in_hand_command import EyeInHandArguments
from diffdope.cli.help_text import example_of, short_help
from diffdope.cli.lists import joined
from diffdope.cli.locate_command import LocateArguments
from diffdope.cli.main import main, with_options
from diffdope.cli.repeated import gathered
from diffdope.cli.scene_inputs import masks_of, of_views
from diffdope.cli.scene_objects import ObjectFlags
from diffdope.cli.serve_command import ServeArguments
from diffdope.cli.track_report import are_right, never_found
from diffdope.cli.view_command import ViewArguments
from diffdope.errors import DiffDopeError, expected, placed, told_more
from diffdope.geometry.camera import Camera
from diffdope.io.cameras import load_camera
from diffdope.io.files import atomic, check_folder
from diffdope.io.wording import in_options
from diffdope.jobs.journal import Journal
from diffdope.pipelines.locating.in_box import checked_box
from diffdope.problem.failure import MESSAGES, Status
from diffdope.scene.observation import Observation
from diffdope.scene.view import View
from tests.cli.conftest import arguments


def complaint(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(words) == 2
    said = capsys.readouterr()
    return " ".join((said.err + said.out).replace("│", " ").replace("|", " ").split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--search.far.angle-deg", "sixty"], "--search.far.angle-deg: expected a number, got sixty"),
        (["--seed", "1.5"], "--seed: expected a whole number, got 1.5"),
        (["--search.near.sizes", "3", "x"], "expected a whole number, got x"),
        (["--objective.mask-weight", "-3"], "--objective.mask-weight: expected a number >= 0, got -3"),
        (["--search.far.angle-deg", "-3"], "--search.far.angle-deg: expected 0 to 180 degrees, got -3"),
        (["--search.confidence.odds=0"], "--search.confidence.odds: expected a number > 0, got 0"),
        (["--out", ""], "--out: expected a path, got an empty word: is a variable of the shell not set?"),
        (["--rgb", ""], "--rgb: expected a path, got an empty word"),
    ],
)
def test_a_word_that_is_none_is_named_with_its_option(
    words: list[str], said: str, inputs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(inputs.parent)
    assert said in complaint([*arguments(inputs), *words], capsys)
    assert [path.name for path in inputs.parent.iterdir()] == ["inputs"]


@pytest.mark.parametrize(
    ("argument", "typed", "named"),
    [
        ("mesh", "", "--mesh"),
        ("depth_scale", "", "--depth-scale"),
        ("camera, k4", "", "--camera, k4"),
        ("init file start.txt", "", "--init file start.txt"),
        ("pose", "", "--init"),
        ("odds", "", "--search.confidence.odds"),
        ("sizes", "--search.far.sizes 40", "--search.far.sizes"),
        ("sizes", "", "sizes"),
        ("hypotheses, iterations", "--descent.iterations=9", "--descent.iterations: hypotheses, iterations"),
        ("descent, sizes", "--descent.iterations=9", "descent, sizes"),
        ("rgb.png", "", "rgb.png"),
    ],
)
def test_an_error_names_the_options_that_its_arguments_are(argument: str, typed: str, named: str) -> None:
    error = expected(argument, "one", "none")
    assert with_options(error, ["refine", *typed.split()]) == f"{named}: expected one, got none"
    assert (
        with_options(placed("view 1: ", error), ["refine", *typed.split()])
        == f"view 1: {named}: expected one, got none"
    )
    assert with_options(DiffDopeError(f"{argument}: one"), ["refine", *typed.split()]) == f"{argument}: one"
    longer = told_more(error, " (in a file)")
    assert with_options(longer, ["refine", *typed.split()]) == f"{named}: expected one, got none (in a file)"


@pytest.mark.parametrize("name", ["rgb", "depth", "mask", "mesh", "camera", "init"])
def test_a_folder_in_the_place_of_a_file_is_called_one(
    name: str, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"folder{f' {inputs}' if name not in ('camera', 'init') else ''}" in complaint(
        arguments(inputs, **{name: inputs}), capsys
    )


@pytest.mark.parametrize(
    ("words", "one_word"),
    [
        ("--objects 22 11 3", "--objects 22,11,3"),
        ("--objects 22, 11, 3-5 --out x", "--objects 22,11,3-5 --out x"),
        ("--images 1 --scenes 2 3", "--images 1 --scenes 2,3"),
        ("--box 10 20 30 40", "--box 10,20,30,40"),
        ("--box 10,20,30,40", "--box 10,20,30,40"),
        ("--extrinsics-sigma 10 1", "--extrinsics-sigma 10,1"),
        ("--camera-size 640 480", "--camera-size 640x480"),
        ("--objects 1 a.csv 2", "--objects 1 a.csv 2"),
        ("--seed 1 2", "--seed 1 2"),
    ],
)
def test_lists_may_be_several_words(words: str, one_word: str) -> None:
    assert joined(words.split()) == one_word.split()


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("5.2 mm (search.confidence.tolerance_m): see", "5.2 mm (--search.confidence.tolerance-m): see"),
        ("objective.mask_weight has no effect", "--objective.mask-weight has no effect"),
        ("got crop.png", "got crop.png"),
        ("got runs/search.near", "got runs/search.near"),
        ("allow it by --search.near.iterations", "allow it by --search.near.iterations"),
    ],
)
def test_settings_are_named_as_they_are_typed(said: str, typed: str) -> None:
    assert in_options(said) == typed


def test_every_command_that_takes_a_mesh_names_all_kinds_of_files() -> None:
    kinds = [getattr(one.load(), one.arguments) for one in COMMANDS.values() if one.arguments]
    texts = [text for kind in kinds if "PLY" in (text := texts_below_fields(kind).get("mesh", ""))]
    assert len(texts) > 3
    for text in texts:
        assert all(name in text for name in ("OBJ", "STL", "GLB", "COLLADA", "3MF", "STEP")), text


def test_what_is_given_without_a_name_is_no_option() -> None:
    assert "--html" in flags_of_command(["view"]) and "--result" not in flags_of_command(["view"])


def test_what_ran_out_of_steps_names_the_options_that_give_more() -> None:
    said = in_options(MESSAGES[Status.ITERATION_LIMIT])
    for flag in re.findall(r"--[\w.-]+\w", said):
        assert flag in flags_of_command(["refine"]), flag
    assert said.count("iterations") == 3


def test_a_film_in_which_nothing_is_found_names_what_was_given() -> None:
    first = "lost for 1 frame (the start pose projects outside the image); the pose is a guess"
    assert never_found(first, 22).startswith("lost for all 22 frames (the start")
    assert never_found(first, 1) == first
    assert are_right([{"modalities": ["rgb"]}]) == "are K, the mesh, its unit and the first pose right?"
    assert "its unit, the depth scale and the first" in are_right([{"modalities": ["rgb", "depth"]}])


def test_a_view_may_have_no_mask_and_a_list_that_is_too_short_is_told_what_counts(inputs: Path) -> None:
    camera, _ = load_camera(inputs / "camera.json")
    views = [View(Observation(camera, rgb=np.zeros((480, 640, 3), np.uint8))) for _ in range(2)]
    labels = np.zeros((480, 640), np.uint8)
    labels[90:120, 100:150] = 1
    labels[150:190, 100:150] = 2
    Image.fromarray(labels).save(inputs / "labels.png")
    objects = [ObjectFlags(mesh=inputs / "object.ply", label=2)]
    found = masks_of(objects, views, [inputs / "labels.png", Path("-")], [], [])
    assert {key: int(mask.sum()) for key, mask in found.items()} == {(0, 0): 40 * 50}
    with pytest.raises(DiffDopeError, match="rgb: expected one for each of 3 views, got 1; the longest of --camera"):
        of_views("rgb", ("a.png",), 3, alone=False)


def test_the_help_says_what_an_option_switches_off() -> None:
    assert "Do not compile and load the kernels" in short_help(ServeArguments, "diffdope serve")


def arguments_of_commands() -> dict[str, type]:
    """Of each command that has options of its own, as it is typed, the class of its arguments."""
    tables = (("diffdope", COMMANDS), ("diffdope bop", BOP_COMMANDS))
    own = {f"{before} {name}": one for before, table in tables for name, one in table.items() if one.arguments}
    found = {prog: getattr(command.load(), command.arguments) for prog, command in own.items()}
    return found | {"diffdope calibrate --eye-in-hand": EyeInHandArguments}


@pytest.mark.parametrize(("prog", "kind"), arguments_of_commands().items())
def test_the_help_of_a_command_has_an_example_that_can_be_typed(prog: str, kind: type) -> None:
    example, shown = example_of(kind), short_help(kind, prog)
    assert example.startswith(prog)
    typed = shown.partition("example:\n")[2].partition("\n\n")[0].replace("\\\n", "")
    assert shlex.split(typed) == example.split()
    given = {word for word in example.removeprefix(prog).split() if word.startswith("--")}
    assert given <= set(flags_of(kind))
    usage = shown.partition("\n")[0].removeprefix(f"usage: {prog}")
    assert set(re.findall(r"--[a-z-]+", usage)) <= given


def test_an_image_of_a_file_of_several_is_asked_for_by_its_option(tmp_path: Path) -> None:
    entry = {"cam_K": [500.0, 0, 320, 0, 500, 240, 0, 0, 1]}
    (tmp_path / "scene_camera.json").write_text(json.dumps({"3": entry, "7": entry}))
    with pytest.raises(DiffDopeError, match=r"one of the 2 of the file \(3, 7\), got none chosen; give --image-id"):
        load_camera(tmp_path / "scene_camera.json", width=640, height=480)


def test_a_box_is_shown_as_it_is_typed() -> None:
    seen = Observation(Camera(500, 500, 320, 240, 640, 480), depth=np.ones((480, 640), np.float32))
    with pytest.raises(DiffDopeError, match="above 0, in pixels, got 10, 10, 0, 5$"):
        checked_box((10, 10, 0, 5), seen)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder in which nobody can write")
def test_a_folder_that_cannot_be_made_is_refused_before_any_work() -> None:
    with pytest.raises(DiffDopeError, match=r"out: expected a folder that can be written, got /proc/x; /proc is not"):
        check_folder(Path("/proc/x"))


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing") as caught, atomic(tmp_path / "missing" / "a.json") as temporary:
        temporary.write_text("")
    assert caught.value.filename == f"{tmp_path}{os.sep}missing{os.sep}a.json"


def test_a_run_over_other_tasks_is_said_in_words(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    Journal.open(path, {"task_count": 1, "tasks_sha256": "aa", "seed": 0}).close()
    with pytest.raises(DiffDopeError, match=r"got other tasks than before \(1 before, 3 now\): which scenes") as caught:
        Journal.open(path, {"task_count": 3, "tasks_sha256": "bb", "seed": 0})
    assert "sha256" not in str(caught.value)
    with pytest.raises(DiffDopeError, match="got other tasks than before: which scenes.*; seed: 0 became 1"):
        Journal.open(path, {"task_count": 1, "tasks_sha256": "bb", "seed": 1})


def test_of_two_files_none_is_left_out_without_a_word(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words, rgb = arguments(inputs), str(inputs / "rgb.png")
    assert "--rgb: expected to be given once, got " in complaint([*words, "--rgb", "b.png"], capsys)
    assert "--rgb: expected to be given once, got " in complaint([*words, "--rgb=b.png"], capsys)
    assert "--init: expected" in complaint(
        [*words, "--rgb", rgb, "--init", str(inputs / "init.json"), "--init=b"], capsys
    )
    said = complaint([*words, "--mesh", "b.ply"], capsys)
    assert "--mesh: expected one file, got " in said and "`diffdope scene --object A.ply B.ply`" in said


def test_of_two_things_that_are_meant_none_is_left_out_without_a_word() -> None:
    for words in (
        ["--mask-id", "1", "--mask_id", "3"],
        ["--box=1,2,3,4", "--box", "2,3,4,5"],
        ["--obj-id=1", "--obj-id", "2"],
    ):
        with pytest.raises(DiffDopeError, match="expected to be given once, got .* and .*; leave one of them out"):
            gathered(LocateArguments, words)
    assert gathered(LocateArguments, ["--seed", "1", "--seed", "2"]) == ["--seed", "1", "--seed", "2"]


def test_all_of_the_help_fits_into_the_window(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("calibrate", "view"):
        assert main([name, "--help-all"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) > 20 and max(map(len, lines)) <= 100


def test_repeated_options_that_may_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert gathered(ViewArguments, ["--html", "a", "out", "--html", "a", "--port", "1", "--port", "2"]) == [
        "--html", "a", "out", "--port", "1", "--port", "2",
    ]  # fmt: skip
    assert gathered(AnnotateArguments, ["--mesh", "a", "--out", "o", "--mesh", "b"]) == [
        "--mesh", "a", "b", "--out", "o",
    ]  # fmt: skip
