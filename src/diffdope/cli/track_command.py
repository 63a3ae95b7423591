"""`diffdope track`: one object through a film or a folder of images."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import tyro
from rich.console import Console

from diffdope.cli.output import check_output
from diffdope.cli.overrides import read_settings
from diffdope.cli.refine_command import depth_scale_of, load_camera_of
from diffdope.cli.start_pose import read_start
from diffdope.cli.track_report import TrackDisplay, write_files
from diffdope.cli.track_run import Video, check_same_frames, track_into
from diffdope.errors import expected
from diffdope.jobs.journal import Journal
from diffdope.pipelines.settings import Preset
from diffdope.pipelines.settings import preset as find_preset
from diffdope.pipelines.tracker import tracking_presets
from diffdope.scene.frames import Film, Frames, ImageFolders
from diffdope.scene.mesh import Mesh

# Of the arguments, those with which an interrupted run may go on; preset and settings are compared number by number.
_MAY_CHANGE = frozenset({"out", "preset", "settings", "threads", "film", "fresh", "allow_missing_texture"})


@dataclass(frozen=True)
class Arguments:
    """Follows a known object through a film or a folder of images. Lengths in files are millimetres, as in BOP."""

    mesh: Path
    """PLY, OBJ, GLB or STL."""
    camera: Path
    """JSON with BOP's scene_camera keys (cam_K, depth_scale), a camera.json, or a whole scene_camera.json."""
    init: Path
    """Pose in the first frame: JSON with cam_R_m2c and cam_t_m2c (mm), or BOP results CSV."""
    out: Path
    """Folder for poses.jsonl, poses.csv, track.png and track.mp4; if it holds an interrupted run, that goes on."""
    rgb: Path | None = None
    """Folder of photographs, sorted by name, or a film (needs diffdope[video])."""
    depth: Path | None = None
    """Folder of depth images with the same names; integers times the depth scale are millimetres, 0 = missing."""
    mask: Path | None = None
    """Folder of images with the same names that are not black where the object is visible."""
    unit: Literal["m", "mm", "cm", "inch"] = "mm"
    """Unit of the mesh file."""
    depth_scale: float | None = None
    """Millimetres per unit of the depth images; overrides the camera file."""
    image_id: int | None = None
    """Which entry of a scene_camera.json or results CSV."""
    obj_id: int | None = None
    """Which object of a results CSV; also the number written into poses.csv (1 if not given)."""
    fps: float | None = None
    """Frames a second; default: what the film says, 30 for a folder."""
    preset: str = "fast"
    """Complete set of numbers to start from; fast or default."""
    settings: Path | None = None
    """YAML that changes numbers of the preset."""
    seed: int = 0
    """Same seed, same result."""
    threads: int | None = None
    """Default: all cores."""
    film: bool = True
    """Write a film with the contour in every frame (needs diffdope[video])."""
    fresh: bool = False
    """Start over, whatever is in the folder."""
    allow_missing_texture: bool = False
    """Go on without colours where the mesh's texture file is missing."""


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code: 1 if the object was lost at the end."""
    given = tyro.cli(Arguments, args=arguments, prog="diffdope track")
    check_output(given.out)
    if given.threads is not None and given.threads < 1:
        raise expected("threads", "at least 1", given.threads)
    preset = preset_of(given)
    start = read_start(given.init, obj_id=given.obj_id, image_id=given.image_id)
    video = read_video(given)
    mesh = Mesh.load(given.mesh, unit=given.unit, allow_missing_texture=given.allow_missing_texture)
    console = Console()
    made = not given.out.exists()
    try:
        with Journal.open(given.out / "poses.jsonl", header_of(given, preset), fresh=given.fresh) as journal:
            track(given, preset, mesh, video, start, journal, console)
            records = dict(journal.done)
    finally:
        if made:
            forget_empty(given.out)
    return write_files(given.out, mesh, video, records, preset, console, film=given.film, obj_id=given.obj_id or 1)


def preset_of(given: Arguments) -> Preset:
    """The preset with the numbers of the settings file."""
    preset = find_preset(given.preset)
    if given.settings is not None:
        preset = read_settings(given.settings, preset)
    tracking_presets(preset)  # refuses those that cannot track, before any work
    return preset


def read_video(given: Arguments) -> Video:
    """Frames and camera; the first frame is read, so that mistakes come to light before anything is written."""
    frames = frames_of(given)
    first = next(frames.read(), None)
    if first is None:
        raise expected("rgb", "at least one frame", f"none in {given.rgb}")
    height, width = first.size
    camera, scale_mm = load_camera_of(given.camera, given.image_id, width, height)
    integers = first.depth is not None and first.depth.dtype.kind in "iu"
    video = Video(frames, camera, depth_scale_of(given.depth_scale, scale_mm, given.camera, needed=integers))
    video.observation(first)
    return video


def frames_of(given: Arguments) -> Frames:
    """Folders, or a film."""
    folders = {name: path for name in ("rgb", "depth", "mask") if (path := getattr(given, name)) is not None}
    if given.rgb is not None and not given.rgb.is_dir():
        if len(folders) > 1 and given.rgb.exists():
            cure = "give a folder of images as --rgb"
            raise expected("depth, mask", "none beside a film", " and ".join(sorted(folders.keys() - {"rgb"})), cure)
        return Film(given.rgb, fps=given.fps)
    return ImageFolders(folders, fps=30.0 if given.fps is None else given.fps)


def header_of(given: Arguments, preset: Preset) -> dict[str, Any]:
    """What must be the same for a run to go on."""
    values = {name: value for name, value in vars(given).items() if name not in _MAY_CHANGE}
    inputs = {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}
    return {"inputs": inputs, "settings": asdict(preset)}


def track(
    given: Arguments, preset: Preset, mesh: Mesh, video: Video, start: Any, journal: Journal, console: Console
) -> None:
    """Tracks what is not tracked yet, under a progress bar."""
    from diffdope.pipelines.refiner import Refiner

    check_same_frames(journal.done, video.frames)
    if journal.complete:
        return
    refiner = Refiner(mesh, preset=preset, seed=given.seed, threads=given.threads)
    with TrackDisplay(video.frames.count, journal.done, given.out, console) as display:
        journal.finish(track_into(journal, refiner, video, start, display.add))


def forget_empty(out: Path) -> None:
    """Removes the folder again if nothing came of it."""
    journal = out / "poses.jsonl"
    if journal.exists() and journal.read_text(encoding="utf-8").count("\n") <= 1:
        journal.unlink()
    with suppress(OSError):  # there is something in it
        out.rmdir()
