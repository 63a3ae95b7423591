"""`diffdope refine`: one image, one object, one pose."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from diffdope.checked_fields import check_fields
from diffdope.cli.preset_flags import Numbers, default_numbers, parse_flags
from diffdope.geometry.pose import Pose
from diffdope.io.capture import read_capture
from diffdope.io.files import check_folder, results_folder
from diffdope.io.poses import read_start_pose
from diffdope.io.results import write_result
from diffdope.pipelines.settings import DEFAULT, Preset
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation


@dataclass(frozen=True)
class Arguments:
    """Refines the pose of a known object in one image of your own. Lengths in files are millimetres, as in BOP."""

    mesh: Path
    """PLY, OBJ, GLB or STL."""
    camera: Path
    """JSON with BOP's scene_camera keys (cam_K, depth_scale), a camera.json, or a whole scene_camera.json."""
    out: Path
    """Folder for result.json, overlay.png, costs.png and the film."""
    init: Path | None = None
    """Start pose: JSON with cam_R_m2c and cam_t_m2c (mm), or BOP results CSV. Without it, the object is located."""
    rgb: Path | None = None
    """Photograph."""
    depth: Path | None = None
    """Depth image; integers times the depth scale are millimetres, 0 = missing."""
    mask: Path | None = None
    """Image that is white where the object is visible; grey counts from half on, a varying alpha channel wins."""
    mask_id: int | None = None
    """Which label of a mask that shows several objects."""
    unit: Literal["m", "mm", "cm", "inch"] = "mm"
    """Unit of the mesh file."""
    depth_scale: float | None = None
    """Millimetres per unit of the depth image; overrides the camera file."""
    image_id: int | None = None
    """Which image of a scene_camera.json or results CSV."""
    obj_id: int | None = None
    """Which object of a results CSV."""
    preset: str = DEFAULT
    """Complete set of numbers to start from."""
    settings: Path | None = None
    """YAML that changes numbers of the preset; flags win over it."""
    seed: int = 0
    """Same seed, same result."""
    threads: int | None = None
    """Default: all cores."""
    film: bool = True
    """Write an animation of the optimisation."""
    allow_missing_texture: bool = False
    """Go on without colours where the mesh's texture file is missing."""
    numbers: Annotated[Numbers, tyro.conf.arg(name="")] = field(default_factory=Numbers)


def parse(arguments: list[str]) -> Arguments:
    """Reads the flags."""
    numbers = default_numbers(arguments)
    missing: Any = tyro.MISSING
    default = Arguments(missing, missing, missing, numbers=numbers)
    given = parse_flags(Arguments, arguments, default=default, prog="diffdope refine")
    check_fields(given, {"mask_id": 0, "image_id": 0, "obj_id": 0, "seed": 0, "threads": 1})
    return given


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code."""
    given = parse(arguments)
    check_folder(given.out)
    preset = given.numbers.preset(given.preset)
    pose = None
    if given.init is not None:
        pose = read_start_pose(given.init, obj_id=given.obj_id, image_id=given.image_id)
    observation = read_observation(given)
    mesh = Mesh.load(given.mesh, unit=given.unit, allow_missing_texture=given.allow_missing_texture)
    return refine_and_write(given, preset, mesh, observation, pose)


def read_observation(given: Arguments) -> Observation:
    """Camera and images, as the flags say."""
    return observation_of(
        given.camera, rgb=given.rgb, depth=given.depth, mask=given.mask, depth_scale_mm=given.depth_scale,
        image_id=given.image_id, mask_label=given.mask_id,
    )  # fmt: skip


def observation_of(camera: Path, **files: Any) -> Observation:
    """Camera and images of files; for the arguments see `read_capture`."""
    capture = read_capture(camera, **files)
    return Observation(capture.camera, **capture.images)


def inputs_of(given: Any) -> dict[str, str]:
    """Files and unit of a command's arguments, as they stand beside its result."""
    names = ("mesh", "camera", "init", "rgb", "depth", "mask")
    files = {name: str(path) for name in names if (path := getattr(given, name, None)) is not None}
    return files | {"unit": given.unit}


def described(preset: Preset, inputs: dict[str, str]) -> dict[str, Any]:
    """What stands beside a result: how it was made."""
    from diffdope import __version__

    return {"settings": preset, "inputs": inputs, "diffdope_version": __version__}


def refine_and_write(
    given: Arguments, preset: Preset, mesh: Mesh, observation: Observation, pose: Pose | None
) -> int:  # fmt: skip
    """Refines, or locates without a start, writes all files at once, prints the summary."""
    from rich.console import Console

    from diffdope.cli.pictures import Draughtsman
    from diffdope.cli.report import print_summary, refine_with_progress, with_progress
    from diffdope.pipelines.refiner import Refiner

    console = Console(stderr=False)
    refiner = Refiner(mesh, preset=preset, seed=given.seed, threads=given.threads)
    if pose is None:
        console.print("no --init: the object is located first, as `diffdope locate` does")
        result = with_progress(lambda report: refiner.locate(observation, progress=report), "locating", console)
    else:
        result = refine_with_progress(refiner, observation, pose, console)
    titles = ("first proposal" if pose is None else "start", f"refined: {result.status}")
    with results_folder(given.out) as folder:
        write_result(folder / "result.json", result, described(preset, inputs_of(given)))
        Draughtsman(mesh, observation, result).draw(folder, titles=titles, film=given.film)
    print_summary(result, given.out, console)
    return 0 if result.ok else 1
