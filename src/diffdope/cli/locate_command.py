"""`diffdope locate`: one image, one kind of object, no start pose; one object or as many as the mask has labels."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diffdope.checked_fields import check_fields
from diffdope.cli.extrinsics_doubt import told_of_inverse
from diffdope.cli.input_flags import InputFlags, observation_of
from diffdope.cli.preset_flags import NumbersFlags, parse_flags
from diffdope.cli.progress import Activity
from diffdope.cli.refine_command import described
from diffdope.cli.report import print_answers, view_line
from diffdope.cli.rerun_flag import RerunFlag
from diffdope.errors import expected
from diffdope.geometry.pose import Pose
from diffdope.io.capture import Capture
from diffdope.io.files import check_folder, results_folder, write_json
from diffdope.io.histories import write_history
from diffdope.io.plain import to_plain
from diffdope.io.pose_outputs import write_pose_files, write_pose_list
from diffdope.io.poses import read_start_pose
from diffdope.io.results import encode, write_result
from diffdope.note_codes import NoteCode, of_codes
from diffdope.pipelines.locating.divided_masks import in_divided_masks
from diffdope.pipelines.locating.instance_assignment import Located, settled
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import Preset
from diffdope.problem.failure import Status
from diffdope.scene.observation import Observation

if TYPE_CHECKING:
    from rich.console import Console

NONE_FOUND = (
    "nothing that stands apart from large planes explains more than it contradicts: are K, the mesh and its unit, and "
    "the depth scale right? Or are the parts mirror images of the mesh?"
)


@dataclass(frozen=True, kw_only=True)
class LocateArguments(NumbersFlags, InputFlags, RerunFlag):
    """Finds the pose of a known object in one image of your own, with no start pose. Lengths in files are millimetres.

    A mask that holds the labels of several instances gives each its own result; --instances finds several without one.

    Example: diffdope locate --mesh cup.ply --unit mm --camera camera.json --rgb rgb.png --depth depth.png --mask
    mask.png --out result
    """

    out: Path
    """Folder for result.json, the pose in other formats (pose.txt, pose.csv, scene_gt.json) and pictures; of several
    instances, results.json, poses.csv, scene_gt.json and one picture."""
    mask: Path | None = None
    """Image that is white where the object is visible, or that holds a label for each instance."""
    box: str | None = None
    """X,Y,WIDTH,HEIGHT in pixels around the object's visible part, in place of a mask. Without --depth, the object is
    found by what is painted on it (needs diffdope[features])."""
    mask_id: int | None = None
    """Which label of a mask that shows several objects; all of them without it."""
    instances: int | None = None
    """How many to look for at most where depth shows several of one kind that no mask tells apart, as in a bin. What
    is found comes first the surest."""
    obj_id: int | None = None
    """The object's number in pose.csv, poses.csv and scene_gt.json (1 if not given)."""
    near: Path | None = None
    """Pose file, as --init of `refine`: of poses that look the same, the one that is turned least from it is the
    result. It is no start."""

    @property
    def bop_ids(self) -> dict[str, int]:
        """Of the image and the object, in BOP's files."""
        return {"im_id": self.image_id or 0, "obj_id": 1 if self.obj_id is None else self.obj_id}


def parse(arguments: list[str]) -> LocateArguments:
    """Reads the flags."""
    given = parse_flags(LocateArguments, arguments, prog="diffdope locate")
    least = {"mask_id": 0, "image_id": 0, "camera_id": 0, "obj_id": 0, "seed": 0, "threads": 1, "instances": 1}
    check_fields(given, least)
    check_alone(given)
    given.check_box()
    given.check_used()
    return given


def check_alone(given: LocateArguments) -> None:
    """Refuses --instances beside what says where one of them is, and without depth.

    Raises:
        DiffDopeError: if there is a mask or a box, or no depth.
    """
    if given.instances is None:
        return
    for name, other in (("mask", given.mask), ("box", given.box)):
        if other is not None:
            cure = "a mask or a box says where one is: leave one of both out"
            raise expected("instances", f"no --{name} beside it", given.instances, cure)
    if given.depth is None:
        raise expected("instances", "--depth, which tells several of one kind apart", given.instances)


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code: 0 if every instance, or of --instances any, was found."""
    given = parse(arguments)
    check_folder(given.out)
    given.check_rerun()
    preset = given.chosen_preset
    near = None if given.near is None else read_start_pose(given.near, name="near")
    labels = given.mask_labels()
    capture = given.files(mask_label=labels[0] if labels else given.mask_id).read()
    refiner = Refiner(given.load_mesh(), preset=preset, seed=given.seed, threads=given.threads)
    if labels:
        return locate_all(given, refiner, observation_of(capture), labels, near, described(preset, given.inputs))
    if given.instances is not None:
        return locate_instances(given, refiner, observation_of(capture), near, described(preset, given.inputs))
    return locate_one(given, refiner, capture, preset, near)


def locate_one(given: LocateArguments, refiner: Refiner, capture: Capture, preset: Preset, near: Pose | None) -> int:
    """Locates, writes all files at once, prints the summary."""
    from rich.console import Console

    from diffdope.cli.located import located
    from diffdope.cli.pictures import Draughtsman
    from diffdope.cli.report import print_summary

    console, observation = Console(), observation_of(capture)
    result = located(given, refiner, observation, near)
    result = told_of_inverse(given, result, lambda other: located(given, refiner, other, near))
    with Activity("drawing pictures"), results_folder(given.out, "poses") as folder:
        write_result(folder / "result.json", result, described(preset, given.inputs))
        write_history(folder, result.history)
        score = float(result.confidence or 0.0)
        write_pose_files(folder, result.pose, score=score, seconds=result.elapsed_s, **given.bop_ids)
        draughtsman = Draughtsman(refiner.mesh, observation, result)
        draughtsman.draw(folder, titles=("first proposal", f"located: {result.status}"), film=False)
        draughtsman.draw_answers(folder / "answers.png")
        draughtsman.draw_on_original(folder, capture.rgb)
    given.write_rerun(refiner.mesh, observation, result)
    print_summary(result, given.out, console)
    return 0 if result.ok else 1


def locate_all(
    given: LocateArguments, refiner: Refiner, observation: Observation, labels: list[int], near: Pose | None,
    beside: dict[str, Any],
) -> int:  # fmt: skip
    """Every label of the mask: one JSON, one picture, a line each."""
    from rich.console import Console

    console, found, began = Console(), [], time.perf_counter()
    camera = observation.taken_by
    masks = {label: given.mask_of(label, (camera.height, camera.width)) for label in labels}
    with Activity("locating", total=len(labels)) as activity:
        for label, mask in masks.items():
            found.append(Located(label, refiner.locate(observation.with_mask(mask), near=near)))
            activity.update(len(found), text="locating")
        activity.say("looking for masks that show several, or a part of one")
        found = settled(in_divided_masks(refiner, observation, found, masks, near), refiner.mesh.diameter)
    for one in found:
        print_brief(f"label {one.label}", one.result, console)
    good = write_all(given, refiner, observation, found, beside, time.perf_counter() - began)
    console.print(f"{good} of {len(found)} found; files: {given.out}")
    console.print(view_line(given.out), highlight=False, soft_wrap=True)
    return 0 if good == len(found) else 1


def locate_instances(
    given: LocateArguments, refiner: Refiner, observation: Observation, near: Pose | None, beside: dict[str, Any]
) -> int:  # fmt: skip
    """As many as depth shows, numbered from 1 on, the surest first: one JSON, one picture, a line each."""
    from rich.console import Console

    assert given.instances is not None
    console, began = Console(), time.perf_counter()
    with Activity("locating", total=given.instances) as activity:

        def seen(one: RefinementResult) -> None:
            activity.advance()
            activity.say(f"locating: the last found {in_brief(one)}")

        results = refiner.locate_all(observation, most=given.instances, near=near, on_instance=seen)
    seconds = time.perf_counter() - began
    found = [Located(number, one) for number, one in enumerate(results, start=1)]
    for one in found:
        print_brief(str(one.label), one.result, console)
    beside = beside if found else {"message": NONE_FOUND, **beside}
    good = write_all(given, refiner, observation, found, beside, seconds)
    if not found:
        console.print(NONE_FOUND, highlight=False, soft_wrap=True)
    console.print(f"{good} found; files: {given.out}")
    console.print(view_line(given.out), highlight=False, soft_wrap=True)
    return 0 if good else 1


def write_all(
    given: LocateArguments, refiner: Refiner, observation: Observation, found: list[Located], beside: dict[str, Any],
    seconds: float,
) -> int:  # fmt: skip
    """Writes the results of one image, which took some seconds, and returns how many were found."""
    from diffdope.cli.pictures import Draughtsman, draw_all

    with Activity("drawing"), results_folder(given.out, "poses") as folder:
        entries = [{"label": one.label, **encode(one.result)} for one in found]
        write_json(folder / "results.json", {"results": entries, **to_plain(beside)})
        compared = [one for one in found if one.result.modalities]  # of others, the pose stands for none
        drawn = [(str(one.label), one.result.ok, refiner.mesh, one.result.pose) for one in compared]
        draw_all(folder / "overlay.png", observation, drawn)
        good = [one.result for one in found if one.result.ok]
        scores = [(one.pose, one.confidence or 0.0) for one in good]
        write_pose_list(folder, scores, seconds=seconds, **given.bop_ids)
        for one in found:
            if one.result.status is Status.AMBIGUOUS:
                picture = folder / f"answers_{one.label}.png"
                Draughtsman(refiner.mesh, observation, one.result).draw_answers(picture)
    for one in found:
        given.write_rerun(refiner.mesh, observation, one.result, label=one.label)
    return len(good)


def print_brief(name: str, result: RefinementResult, console: Console) -> None:
    """A line of what was found, and what of its mask is not its own; of what is ambiguous, a line an answer, too."""
    console.print(f"{name}: {in_brief(result)}", highlight=False, soft_wrap=True, markup=False)
    for note in of_codes(result.notes, (NoteCode.SAME_PLACE, NoteCode.MASK_SHOWS_MORE)):
        console.print(f"  {note}", highlight=False, soft_wrap=True, markup=False)
    if result.status is Status.AMBIGUOUS:
        print_answers(result.answers, console)


def in_brief(result: RefinementResult) -> str:
    """One line; why, where nothing was compared."""
    if not result.modalities:
        return f"{result.status}: {result.message}"
    x, y, z = 1e3 * np.asarray(result.pose.t_m2c)
    sure = "" if result.confidence is None else f", confidence {result.confidence:.2f}"
    return f"{result.status}{sure}, at ({x:.1f}, {y:.1f}, {z:.1f}) mm"
