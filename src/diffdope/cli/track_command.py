"""`diffdope track`: one object through a film or a folder of images."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from diffdope.checked_fields import check_fields
from diffdope.cli.help_text import parsed
from diffdope.cli.input_flags import box_of, check_idle
from diffdope.cli.overrides import read_settings
from diffdope.cli.progress import Activity
from diffdope.cli.track_bag import read_bag, write_bag
from diffdope.cli.track_flags import TrackArguments
from diffdope.cli.track_recording import write_track_recording
from diffdope.cli.track_report import TrackDisplay, write_files
from diffdope.cli.track_run import Video, check_same_frames, has_grown, track_into
from diffdope.cli.track_target import RigidTarget, TrackTarget, check_object, object_of, start_of
from diffdope.errors import expected
from diffdope.geometry.pose import Pose
from diffdope.io.capture import notes_on_lens, notes_on_size
from diffdope.io.files import check_folder, is_file
from diffdope.io.frames import Frame, Frames, open_frames
from diffdope.io.images import notes_on_rgb
from diffdope.io.masks import Mask, MaskFile
from diffdope.jobs.journal import Journal
from diffdope.pipelines.attempt import tracking_presets
from diffdope.pipelines.confidence_file import with_confidence_file
from diffdope.pipelines.settings import Preset
from diffdope.pipelines.settings import preset as find_preset
from diffdope.ros.bag_frames import BagFrames

# Of the arguments, those with which an interrupted run may go on; preset and settings are compared number by number.
_MAY_CHANGE = frozenset(
    {"out", "preset", "settings", "confidence_file", "threads", "film", "fresh", "rerun", "allow_missing_texture"}
)
# What runs of 0.1.0 hold; flags that came later stand in a journal only where they were given.
_OF_0_1_0 = frozenset({
    "mesh", "camera", "init", "rgb", "depth", "mask", "unit", "depth_scale", "image_id", "obj_id", "fps", "seed",
})  # fmt: skip


_DEFAULTS = {field.name: field.default for field in fields(TrackArguments)}


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code: 1 if the object was lost at the end."""
    given: TrackArguments = parsed(TrackArguments, arguments, "diffdope track")
    check_fields(given, {"mask_id": 0, "image_id": 0, "camera_id": 0, "obj_id": 0, "seed": 0, "threads": 1})
    check_object(given)
    check_sources(given)
    given.check_box()
    given.check_used()
    check_folder(given.out)
    given.check_rerun()
    preset = preset_of(given)
    start, notes = start_of(given)
    console = Console()
    video = read_video(given) if given.bag is None else read_bag(given, given.bag, console)
    tracked = object_of(given, preset, video.frames)
    for note in notes:
        console.print(f"note: {note}")
    made = not given.out.exists()
    try:
        with Journal.open(given.out / "poses.jsonl", header_of(given, preset), fresh=given.fresh) as journal:
            track(given, tracked, video, start, journal, console)
            records = dict(journal.done)
    finally:
        if made:
            forget_empty(given.out)
    obj_id = 1 if given.obj_id is None else given.obj_id
    try:
        if isinstance(video.frames, BagFrames) and isinstance(tracked, RigidTarget) and given.mesh is not None:
            write_bag(given.out / "poses.mcap", records, video.frames, tracked.mesh, given.mesh.stem)
        if given.rerun is not None and isinstance(tracked, RigidTarget):
            with Activity("writing the recording for rerun"):
                write_track_recording(given.rerun, tracked.mesh, video, records)
        return write_files(
            given.out, tracked, video, records, preset, console, film=given.film, obj_id=obj_id,
            started=start is not None,
        )  # fmt: skip
    except KeyboardInterrupt:
        text = f"interrupted while pictures were made; all {len(records)} poses are in {given.out}"
        raise KeyboardInterrupt(text) from None


def preset_of(given: TrackArguments) -> Preset:
    """The preset with the numbers of the settings file."""
    preset = find_preset(usual_preset(given) if given.preset == "auto" else given.preset)
    if given.settings is not None:
        preset = read_settings(given.settings, preset)
    preset = with_confidence_file(preset, given.confidence_file)
    if given.bag is not None:  # poses of ROS have a covariance, which folders do without for speed
        polish = replace(preset.search.polish, covariance=True)
        preset = replace(preset, search=replace(preset.search, polish=polish))
    tracking_presets(preset)  # refuses those that cannot track, before any work
    return preset


def usual_preset(given: TrackArguments) -> str:
    """The preset where none is named.

    In photographs without depth, `fast` refines most frames anew, so that `default` takes little longer, and is right
    far more often (docs/studies/2026-12-01-presets-of-photographs.md). A recording is played as a camera would.
    """
    photographs = given.rgb is not None and given.depth is None and given.bag is None and given.urdf is None
    return "default" if photographs else "fast"


def read_video(given: TrackArguments) -> Video:
    """Frames and camera; the first frame is read, so that mistakes come to light before anything is written."""
    frames = frames_of(given)
    first = next(frames.read(), None)
    if first is None:
        raise expected("rgb", "at least one frame", f"none in {given.rgb}")
    files = given.files(mask=None, box=None)
    camera, file_mm = files.read_camera(first.size)
    depth = None if first.depth is None else files.depth_reader(camera, file_mm, first.depth)
    lens = notes_on_lens(camera, depth_rectified=given.depth_rectified)
    notes = (*lens, *notes_on_size(files.camera_size, camera), *notes_on_rgb(first.rgb))
    video = Video(frames, camera, depth, box_of("box", given.box), notes, first_mask_of(given, first))
    video.observation(first)
    return video


def check_sources(given: TrackArguments) -> None:
    """Refuses images from two places, or a camera from none.

    Raises:
        DiffDopeError: naming the argument.
    """
    if given.bag is None:
        if given.camera is None:
            raise expected("camera", "a camera file", "none", "a recording (--bag) has its own")
        if all(getattr(given, name) is None for name in ("rgb", "depth", "mask")):
            raise expected("images", "at least one of --rgb, --depth and --mask, or a recording, --bag", "none")
        of_bags = ("rgb_topic", "depth_topic", "info_topic", "mask_topic", "tolerance_s")
        check_idle(given, dict.fromkeys(of_bags, "--bag"))
        return
    for name in (name for name in ("rgb", "depth", "mask") if getattr(given, name) is not None):
        raise expected(name, "no folder beside --bag", getattr(given, name), f"name the topic: --{name}-topic")


def has_first_mask(given: TrackArguments) -> bool:
    """Whether the mask is one file, of the first frame, beside frames of something else."""
    return given.mask is not None and is_file(given.mask) and (given.rgb is not None or given.depth is not None)


def first_mask_of(given: TrackArguments, first: Frame) -> Mask | None:
    """The mask of the first frame, where `has_first_mask`.

    Raises:
        DiffDopeError: if it is none, has another size, or a box is given as well.
    """
    if given.mask is None or not has_first_mask(given):
        return None
    if given.box is not None:
        raise expected("box", "a box or a mask", "both", "leave one of them out")
    mask = MaskFile(given.mask, given.mask_id, given.image_id, given.inverted).read(size=first.size, picture=first.name)
    if mask.pixels.shape != first.size:
        high, wide = first.size
        got = "{1} x {0}".format(*mask.pixels.shape)
        raise expected("mask", f"{wide} x {high} pixels, as the first frame has, or a folder with a mask a frame", got)
    return mask


def frames_of(given: TrackArguments) -> Frames:
    """Folders, or a film."""
    names = ("rgb", "depth") if has_first_mask(given) else ("rgb", "depth", "mask")
    folders = {name: path for name in names if (path := getattr(given, name)) is not None}
    return open_frames(folders, fps=given.fps, mask_label=given.mask_id, mask_inverted=given.inverted, gaps=True)


def header_of(given: TrackArguments, preset: Preset) -> dict[str, Any]:
    """What must be the same for a run to go on."""
    values = {name: value for name, value in vars(given).items() if name not in _MAY_CHANGE}
    values["unit"] = given.unit_of_mesh
    for name in values.keys() - _OF_0_1_0:  # runs that 0.1.0 began may go on
        if values[name] == _DEFAULTS[name]:
            del values[name]
    inputs = {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}
    return {"inputs": inputs, "settings": asdict(preset)}


def track(
    given: TrackArguments, tracked: TrackTarget, video: Video, start: Pose | None, journal: Journal, console: Console
) -> None:
    """Tracks what is not tracked yet, under a progress bar."""
    check_same_frames(journal.done, video.frames)
    if journal.complete:
        if not has_grown(journal.done, video.frames):
            return
        journal.reopen()
    with TrackDisplay(video.frames.count, journal.done, given.out, console) as display:
        journal.finish(track_into(journal, tracked, video, start, display.add))


def forget_empty(out: Path) -> None:
    """Removes the folder again if nothing came of it."""
    journal = out / "poses.jsonl"
    if journal.exists() and journal.read_text(encoding="utf-8").count("\n") <= 1:
        journal.unlink()
    with suppress(OSError):  # there is something in it
        out.rmdir()
