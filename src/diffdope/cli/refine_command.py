"""`diffdope refine`: one image, one object, one pose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from diffdope.checked_fields import check_fields
from diffdope.cli.extrinsics_doubt import told_of_inverse
from diffdope.cli.input_flags import InputFlags, StartFlags, observation_of
from diffdope.cli.preset_flags import NumbersFlags, parse_flags
from diffdope.cli.progress import Activity
from diffdope.cli.rerun_flag import RerunFlag
from diffdope.io.capture import Capture
from diffdope.io.files import check_folder, results_folder
from diffdope.io.histories import write_history
from diffdope.io.pose_outputs import write_pose_files
from diffdope.io.poses import StartPoses
from diffdope.io.results import write_result
from diffdope.pipelines.settings import Preset
from diffdope.scene.mesh import Mesh


@dataclass(frozen=True, kw_only=True)
class RefineArguments(NumbersFlags, StartFlags, InputFlags, RerunFlag):
    """Refines the pose of a known object in one image of your own. Lengths in files are millimetres, as in BOP.

    Example: diffdope refine --mesh cup.ply --unit mm --camera camera.json --rgb rgb.png --depth depth.png --init
    start.json --out result
    """

    out: Path
    """Folder for result.json, history.npz, the pose in other formats (pose.txt, pose.csv, scene_gt.json), pictures and
    the film."""
    image_id: int | None = None
    """Which image of a scene_camera.json, of start poses, or of a mask file."""
    obj_id: int | None = None
    """Which object of a file of start poses; also the number written into pose.csv (1 if not given)."""
    film: bool = True
    """Write an animation of the optimisation."""


def parse(arguments: list[str]) -> RefineArguments:
    """Reads the flags."""
    given = parse_flags(RefineArguments, arguments, prog="diffdope refine")
    check_fields(given, {"mask_id": 0, "image_id": 0, "camera_id": 0, "obj_id": 0, "seed": 0, "threads": 1})
    given.check_box()
    given.check_used()
    return given


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code."""
    given = parse(arguments)
    check_folder(given.out)
    given.check_rerun()
    preset = given.chosen_preset
    start = given.start_poses(obj_id=given.obj_id, image_id=given.image_id)
    return refine_and_write(given, preset, given.load_mesh(), given.files().read(), start)


def described(preset: Preset, inputs: dict[str, Any]) -> dict[str, Any]:
    """What stands beside a result: how it was made."""
    from diffdope import __version__

    return {"settings": preset, "inputs": inputs, "diffdope_version": __version__}


def refine_and_write(
    given: RefineArguments, preset: Preset, mesh: Mesh, capture: Capture, start: StartPoses | None
) -> int:  # fmt: skip
    """Refines, or locates without a start, writes all files at once, prints the summary."""
    from rich.console import Console

    from diffdope.cli.located import located
    from diffdope.cli.pictures import Draughtsman
    from diffdope.cli.report import print_summary, refine_with_progress
    from diffdope.pipelines.refiner import Refiner

    console, observation = Console(stderr=False), observation_of(capture)
    refiner = Refiner(mesh, preset=preset, seed=given.seed, threads=given.threads)
    if start is None:
        console.print("no --init: the object is located first, as `diffdope locate` does")
        found = partial(located, given, refiner)
    else:
        found = partial(refine_with_progress, refiner, pose=list(start.poses))
    result = told_of_inverse(given, found(observation), found)
    if start is not None:
        result = replace(result, notes=(*start.notes, *result.notes))
    titles = ("first proposal" if start is None else "start", f"refined: {result.status}")
    with Activity("drawing pictures and the film"), results_folder(given.out, "poses") as folder:
        write_result(folder / "result.json", result, described(preset, given.inputs))
        write_history(folder, result.history)
        write_pose_files(
            folder, result.pose, score=float(result.confidence or 0.0), seconds=result.elapsed_s,
            im_id=given.image_id or 0, obj_id=1 if given.obj_id is None else given.obj_id,
        )  # fmt: skip
        draughtsman = Draughtsman(mesh, observation, result)
        draughtsman.draw(folder, titles=titles, film=given.film)
        draughtsman.draw_on_original(folder, capture.rgb)
    given.write_rerun(mesh, observation, result)
    print_summary(result, given.out, console)
    return 0 if result.ok else 1
