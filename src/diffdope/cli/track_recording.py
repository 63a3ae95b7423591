"""A tracked film for the viewer of rerun."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diffdope.cli.track_run import Video, events_of, poses_of
from diffdope.pipelines.result import Status
from diffdope.scene.mesh import Mesh

if TYPE_CHECKING:
    from diffdope.viz.rerun_file import TrackedFrame


def write_track_recording(path: Path, mesh: Mesh, video: Video, records: Mapping[str, Mapping[str, Any]]) -> None:
    """Writes a tracked film for rerun's viewer, from its frames and records."""
    from diffdope.viz.rerun_file import write_track

    write_track(path, mesh, video.camera, tracked_frames(video, records))


def tracked_frames(video: Video, records: Mapping[str, Mapping[str, Any]]) -> Iterator[TrackedFrame]:
    """What is drawn of each frame; one at a time is in memory."""
    from diffdope.viz.rerun_file import TrackedFrame

    stamps = getattr(video.frames, "stamps_ns", None)  # of a recording of ROS
    for k, (frame, (_, pose, record)) in enumerate(zip(video.frames.read(), poses_of(records), strict=False)):
        lost = record["status"] == Status.LOST
        covariance = record.get("covariance")
        event = "lost" if lost else events_of(record)
        yield TrackedFrame(
            frame.time_s, video.observation(frame), None if lost else pose, record["confidence"],
            None if covariance is None else np.asarray(covariance, float), event, None if stamps is None else stamps[k],
        )  # fmt: skip
