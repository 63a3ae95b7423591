"""`diffdope refine`: one image, one object, one pose."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from diffdope.cli.output import check_output, result_entry, results_folder, write_json
from diffdope.cli.preset_flags import Numbers, default_numbers, parse_flags
from diffdope.cli.start_pose import read_start
from diffdope.errors import DiffDopeError, check_positive, expected
from diffdope.geometry.camera import Camera, load_camera
from diffdope.geometry.pose import Pose
from diffdope.pipelines.settings import DEFAULT, Preset
from diffdope.scene.images import read_image
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation


@dataclass(frozen=True)
class Arguments:
    """Refines the pose of a known object in one image of your own. Lengths in files are millimetres, as in BOP."""

    mesh: Path
    """PLY, OBJ, GLB or STL."""
    camera: Path
    """JSON with BOP's scene_camera keys (cam_K, depth_scale), a camera.json, or a whole scene_camera.json."""
    init: Path
    """Start pose: JSON with cam_R_m2c and cam_t_m2c (mm), or BOP results CSV."""
    out: Path
    """Folder for result.json, overlay.png, costs.png and the film."""
    rgb: Path | None = None
    """Photograph."""
    depth: Path | None = None
    """Depth image; integers times the depth scale are millimetres, 0 = missing."""
    mask: Path | None = None
    """Image that is not black where the object is visible."""
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
    default = Arguments(missing, missing, missing, missing, numbers=numbers)
    return parse_flags(Arguments, arguments, default=default, prog="diffdope refine")


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code."""
    given = parse(arguments)
    check_output(given.out)
    if given.threads is not None and given.threads < 1:
        raise expected("threads", "at least 1", given.threads)
    preset = given.numbers.preset(given.preset)
    pose = read_start(given.init, obj_id=given.obj_id, image_id=given.image_id)
    observation = read_observation(given)
    mesh = Mesh.load(given.mesh, unit=given.unit, allow_missing_texture=given.allow_missing_texture)
    return refine_and_write(given, preset, mesh, observation, pose)


def read_observation(given: Arguments) -> Observation:
    """Camera and images, with the image's size where the camera file has none."""
    paths = {"rgb": given.rgb, "depth": given.depth, "mask": given.mask}
    there = {name: path for name, path in paths.items() if path is not None}
    if not there:
        raise expected("images", "at least one of --rgb, --depth and --mask", "none")
    height, width = read_image(*next(iter(there.items()))).shape[:2]
    camera, scale_mm = load_camera_of(given.camera, given.image_id, width, height)
    integers = given.depth is not None and read_image("depth", given.depth).dtype.kind in "iu"
    depth_scale = depth_scale_of(given.depth_scale, scale_mm, given.camera, needed=integers)
    return Observation.load(camera, rgb=given.rgb, depth=given.depth, mask=given.mask, depth_scale=depth_scale)


def load_camera_of(path: Path, image_id: int | None, width: int, height: int) -> tuple[Camera, float | None]:
    """The camera; the size of the image serves where the file has none."""
    try:
        return load_camera(path, image_id=image_id)
    except DiffDopeError:
        return load_camera(path, width=width, height=height, image_id=image_id)


def depth_scale_of(asked_mm: float | None, file_mm: float | None, camera: Path, *, needed: bool) -> float | None:
    """Metres per unit of depth, from the flag or else the camera's file (both in millimetres)."""
    if asked_mm is not None:
        check_positive("depth-scale", asked_mm)
    scale_mm = file_mm if asked_mm is None else asked_mm
    if needed and scale_mm is None:
        cure = "give --depth-scale (1 for millimetres, 0.1 for tenths, 1000 for metres)"
        raise expected("depth", f"a depth_scale in {camera} or --depth-scale", "neither", cure)
    return None if scale_mm is None else scale_mm * 1e-3


def refine_and_write(given: Arguments, preset: Preset, mesh: Mesh, observation: Observation, pose: Pose) -> int:
    """Refines, writes all files at once, prints the summary."""
    from rich.console import Console

    from diffdope.cli.pictures import Draughtsman
    from diffdope.cli.report import print_summary, refine_with_progress
    from diffdope.pipelines.refiner import Refiner

    console = Console(stderr=False)
    refiner = Refiner(mesh, preset=preset, seed=given.seed, threads=given.threads)
    result = refine_with_progress(refiner, observation, pose, console)
    names = ("mesh", "camera", "init", "rgb", "depth", "mask")
    inputs = {name: str(path) for name in names if (path := getattr(given, name)) is not None} | {"unit": given.unit}
    titles = ("start", f"refined: {result.status}")
    with results_folder(given.out) as folder:
        write_json(folder / "result.json", result_entry(result, preset, inputs))
        Draughtsman(mesh, observation, result).draw(folder, titles=titles, film=given.film)
    print_summary(result, given.out, console)
    return 0 if result.ok else 1
