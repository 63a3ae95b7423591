"""`diffdope track --bag`: a recording of ROS in, and one with poses out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from diffdope.cli.input_flags import box_of
from diffdope.cli.progress import Activity
from diffdope.cli.track_flags import TrackArguments
from diffdope.cli.track_run import Video, poses_of
from diffdope.errors import expected
from diffdope.geometry.camera import Camera
from diffdope.io.capture import CaptureFiles, notes_on_lens
from diffdope.io.frames import Frame
from diffdope.pipelines.result import Status
from diffdope.ros.bag_frames import BagFrames
from diffdope.ros.cameras import camera_of_info
from diffdope.ros.messages import moment_of
from diffdope.ros.topics import TopicNames, says_rectified
from diffdope.ros.write import thing_of, write_moments
from diffdope.scene.mesh import Mesh

_MM = 1.0  # a unit of integer depth: REP 118


def read_bag(given: TrackArguments, path: Path, console: Console) -> Video:
    """Frames and camera of a recording; the first frame is read, so that mistakes come to light at once."""
    names = TopicNames(given.rgb_topic, given.depth_topic, given.info_topic, given.mask_topic)
    with Activity(f"reading the times in {path.name}") as activity:
        frames = BagFrames(
            path, names, tolerance_s=given.tolerance_s, info_needed=given.camera is None,
            other_depth_frame=given.depth_extrinsics is not None, mask_label=given.mask_id,
            mask_inverted=given.inverted, report=activity.update,
        )  # fmt: skip
    topics = ", ".join(f"{kind} {topic.name}" for kind, topic in frames.topics.images.items())
    console.print(f"topics: {topics}; frame {frames.frame_id}", highlight=False, markup=False, soft_wrap=True)
    for note in frames.notes:
        console.print(f"note: {note}", highlight=False, markup=False, soft_wrap=True)
    first = next(frames.read(), None)
    if first is None:
        raise expected("bag", "at least one frame", f"none in {path}")
    topic = frames.topics.depth
    plain = given.depth_rectified or _depth_alone_is_rectified(given, frames)
    files = given.files(
        mask=None, box=None, depth=None if topic is None else topic.name, camera=given.camera or path,
        depth_rectified=plain,
    )  # fmt: skip
    camera, file_mm = camera_of(given, files, frames, first)
    if first.depth is not None and first.depth.dtype.kind in "iu" and files.depth_scale_mm is None:
        files = replace(files, depth_scale_mm=file_mm or _MM)
    depth = None if first.depth is None else files.depth_reader(camera, file_mm, first.depth)
    notes = (*frames.notes, *notes_on_lens(camera, depth_rectified=depth is not None and plain))
    video = Video(frames, camera, depth, box_of("box", given.box), notes)
    video.observation(first)
    return video


def _depth_alone_is_rectified(given: TrackArguments, frames: BagFrames) -> bool:
    """Whether topics are named so; what `--rectified` says of all, and of another camera's depth, is told elsewhere."""
    topics = frames.topics
    named = topics.depth is not None and says_rectified(topics.depth)
    return named and given.depth_camera is None


def camera_of(
    given: TrackArguments, files: CaptureFiles, frames: BagFrames, first: Frame
) -> tuple[Camera, float | None]:  # fmt: skip
    """The camera of the images: of the file, or else of camera_info; and the depth scale of the file."""
    if given.camera is not None or frames.info is None or frames.topics.info is None:
        return files.read_camera(first.size)
    main = next(iter(frames.topics.images.values()))
    rectified = given.rectified or says_rectified(main)
    camera = camera_of_info(
        frames.info, first.size, topic=frames.topics.info.name, camera_size=files.camera_size, rectified=rectified
    )  # fmt: skip
    return camera, None


def write_bag(path: Path, records: Mapping[str, Mapping[str, Any]], frames: BagFrames, mesh: Mesh, name: str) -> None:
    """Writes the poses of all frames, in which the object was not lost, as messages of ROS 2.

    Args:
        path: of the .mcap file.
        records: of the frames, by their names, which are the times of their headers.
        frames: of the recording.
        mesh: of the object.
        name: of the object.
    """
    stamps = dict(zip(frames.names, frames.stamps_ns, strict=True))
    moments = (
        moment_of(stamps[frame], frames.frame_id, record, pose, lost=record["status"] == Status.LOST)
        for frame, pose, record in poses_of(records)
    )
    write_moments(path, moments, thing_of(mesh, name))
