"""`diffdope locate`: one image, no start pose; one object, as many as the mask has labels or depth shows, or kinds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffdope.checked_fields import check_fields
from diffdope.cli.extrinsics_doubt import told_of_inverse
from diffdope.cli.input_flags import InputFlags, observation_of
from diffdope.cli.located_instances import (
    Kind,
    ShownInstance,
    check_kinds,
    in_brief,
    kinds_of,
    print_found,
    write_all,
)
from diffdope.cli.preset_flags import NumbersFlags, parse_flags
from diffdope.cli.progress import Activity
from diffdope.cli.refine_command import described
from diffdope.cli.rerun_flag import RerunFlag
from diffdope.errors import expected
from diffdope.geometry.pose import Pose
from diffdope.io.capture import Capture
from diffdope.io.files import check_folder, results_folder
from diffdope.io.histories import write_history
from diffdope.io.pose_outputs import write_pose_files
from diffdope.io.poses import read_start_pose
from diffdope.io.results import write_result
from diffdope.pipelines.locating.divided_masks import in_divided_masks
from diffdope.pipelines.locating.instance_assignment import Located, settled
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import Preset
from diffdope.pipelines.several_kinds import MOST_OF_A_KIND, locate_objects, surest_first
from diffdope.scene.observation import Observation

NONE_FOUND = (
    "nothing that stands apart from large planes explains more than it contradicts: are K, the mesh and its unit, and "
    "the depth scale right? Or are the parts mirror images of the mesh?"
)


@dataclass(frozen=True, kw_only=True)
class LocateArguments(NumbersFlags, InputFlags, RerunFlag):
    """Finds the pose of a known object in one image of your own, with no start pose. Lengths in files are millimetres.

    A mask that holds the labels of several instances gives each its own result; --instances finds several without one,
    and several --mesh find each kind, as in a box of mixed parts.

    Example: diffdope locate --mesh cup.ply --unit mm --camera camera.json --rgb rgb.png --depth depth.png --mask
    mask.png --out result
    """

    mesh: tuple[Path, ...]  # type: ignore[assignment]  # of several kinds, one each
    """PLY, OBJ, STL, GLB, glTF, COLLADA (.dae), 3MF, or STEP (needs diffdope[cad]). Several, one a kind: with --depth,
    and neither mask nor box; every instance of each is looked for."""
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
    """How many to look for at most, of each kind, where depth shows several that no mask tells apart, as in a bin. What
    is found comes first the surest. Default, of several kinds: 20."""
    obj_id: int | None = None
    """The object's number in pose.csv, poses.csv and scene_gt.json (1 if not given). Of several kinds it is that of the
    mesh's name, as in obj_000007.ply, or its place among them."""
    near: Path | None = None
    """Pose file, as --init of `refine`: of poses that look the same, the one that is turned least from it is the
    result. It is no start."""

    @property
    def mesh_files(self) -> tuple[Path, ...]:
        """One a kind."""
        return self.mesh

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
    """Refuses --instances, and several kinds, beside what says where one of them is, and without depth.

    Raises:
        DiffDopeError: if there is a mask or a box, or no depth; or, of several kinds, what is of one.
    """
    if len(given.mesh) > 1:
        check_kinds(given)
        name, got, whose = "mesh", ", ".join(map(str, given.mesh)), "several kinds"
    elif given.instances is not None:
        name, got, whose = "instances", str(given.instances), "several of one kind"
    else:
        return
    for other, value in (("mask", given.mask), ("box", given.box)):
        if value is not None:
            cure = "a mask or a box says where one is: leave one of both out"
            raise expected(name, f"no --{other} beside {'it' if name == 'instances' else whose}", got, cure)
    if given.depth is None:
        raise expected(name, f"--depth, which tells {whose} apart", got)


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code: 0 if every instance, or of --instances any, was found."""
    given = parse(arguments)
    check_folder(given.out)
    given.check_rerun()
    preset = given.chosen_preset
    near = None if given.near is None else read_start_pose(given.near, name="near")
    labels = given.mask_labels()
    capture = given.files(mask_label=labels[0] if labels else given.mask_id).read()
    refiners = [Refiner(one, preset=preset, seed=given.seed, threads=given.threads) for one in given.load_meshes()]
    refiner = refiners[0]
    if len(refiners) > 1:
        return locate_kinds(given, refiners, observation_of(capture), described(preset, given.inputs))
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
    found, began = [], time.perf_counter()
    camera = observation.taken_by
    masks = {label: given.mask_of(label, (camera.height, camera.width)) for label in labels}
    with Activity("locating", total=len(labels)) as activity:
        for label, mask in masks.items():
            found.append(Located(label, refiner.locate(observation.with_mask(mask), near=near)))
            activity.update(len(found), text="locating")
        activity.say("looking for masks that show several, or a part of one")
        found = settled(in_divided_masks(refiner, observation, found, masks, near), refiner.mesh.diameter)
    kind = Kind(refiner.mesh, given.bop_ids["obj_id"])
    shown = [ShownInstance(one.label, one.result, kind) for one in found]
    good = write_all(given, observation, shown, beside, time.perf_counter() - began)
    print_found(given, shown, f"{good} of {len(found)} found", name="label ")
    return 0 if good == len(found) else 1


def locate_instances(
    given: LocateArguments, refiner: Refiner, observation: Observation, near: Pose | None, beside: dict[str, Any]
) -> int:  # fmt: skip
    """As many as depth shows, numbered from 1 on, the surest first: one JSON, one picture, a line each."""
    assert given.instances is not None
    began = time.perf_counter()
    with Activity("locating", total=given.instances) as activity:

        def seen(one: RefinementResult) -> None:
            activity.advance()
            activity.say(f"locating: the last found {in_brief(one)}")

        results = refiner.locate_all(observation, most=given.instances, near=near, on_instance=seen)
    kind = Kind(refiner.mesh, given.bop_ids["obj_id"])
    found = [ShownInstance(number, one, kind) for number, one in enumerate(results, start=1)]
    return told_and_written(given, observation, found, beside, time.perf_counter() - began)


def locate_kinds(
    given: LocateArguments, refiners: list[Refiner], observation: Observation, beside: dict[str, Any]
) -> int:  # fmt: skip
    """Every instance of several kinds, numbered from 1 on, the surest first: one JSON, one picture, a line each."""
    began, kinds = time.perf_counter(), kinds_of(given.mesh, [one.mesh for one in refiners])
    most = MOST_OF_A_KIND if given.instances is None else given.instances
    with Activity(f"locating {len(kinds)} kinds") as activity:

        def seen(number: int, one: RefinementResult) -> None:
            activity.advance()
            activity.say(f"locating {len(kinds)} kinds: the last found {kinds[number].name} {in_brief(one)}")

        every = locate_objects(refiners, observation, most=most, on_instance=seen)
    found = [ShownInstance(label, one, kinds[k]) for label, (k, one) in enumerate(surest_first(every), start=1)]
    return told_and_written(given, observation, found, beside, time.perf_counter() - began)


def told_and_written(
    given: LocateArguments, observation: Observation, found: list[ShownInstance], beside: dict[str, Any], seconds: float
) -> int:  # fmt: skip
    """Writes and prints what depth showed, and returns the exit code."""
    good = write_all(given, observation, found, beside if found else {"message": NONE_FOUND, **beside}, seconds)
    print_found(given, found, f"{good} found", why="" if found else NONE_FOUND)
    return 0 if good else 1
