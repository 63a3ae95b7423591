"""The film of a tracked object, drawn after the tracking: one frame in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.cli.track_run import Video, events_of, poses_of
from diffdope.cli.track_target import TrackTarget
from diffdope.geometry.pose import Pose
from diffdope.pipelines.result import Status
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from diffdope.viz.compose import Color, caption, enlarge, to_bytes
from diffdope.viz.draw import whole_window
from diffdope.viz.tracking import DOUBTFUL, GOOD, LOST, outlined

F64 = NDArray[np.float64]
_WIDTH = 640  # small images are enlarged to about this many pixels, so that the caption can be read


def film_frames(
    tracked: TrackTarget, video: Video, records: Mapping[str, Mapping[str, Any]], *, doubt: float
) -> Iterator[NDArray[np.uint8]]:
    """Each frame with the object's contour, and what is known of it in a caption.

    Args:
        tracked: the object.
        video: the frames that were tracked.
        records: of all frames, in order.
        doubt: confidence below which the contour is drawn as doubtful.
    """
    pinhole = video.camera.rectified
    window = whole_window(pinhole)
    factor = max(1, round(_WIDTH / window.size[0]))
    for frame, (name, pose, record) in zip(video.frames.read(), poses_of(records), strict=False):
        picture = enlarge(backdrop(video.observation(frame).crop(window)), factor)
        buffers = tracked.buffers(name)
        renderer = Renderer(buffers.mesh, window.camera(pinhole), buffers=buffers)
        drawn = outlined(picture, enlarge(coverage(renderer, pose), factor), color_of(record, doubt))
        yield to_bytes(caption(drawn, described(name, record)))


def coverage(renderer: Renderer, pose: Pose) -> F64:
    """The silhouette (H, W); empty behind the camera."""
    return np.asarray(renderer.render(pose.R_m2c, pose.t_m2c).coverage[0], np.float64)


def backdrop(frame: Observation) -> F64:
    """The photograph (H, W, 3); without one, depth or mask as grey."""
    if frame.rgb is not None:
        return np.asarray(frame.rgb, np.float64)
    if frame.depth is not None:
        there = frame.depth[frame.depth > 0]
        near, far = np.percentile(there, [2.0, 98.0]) if len(there) else (0.0, 1.0)
        grey = np.where(frame.depth > 0, 0.9 - 0.8 * (frame.depth - near) / max(far - near, 1e-6), 0.0)
    else:
        assert frame.mask is not None
        grey = 0.3 + 0.3 * frame.mask
    return np.repeat(np.clip(grey, 0.0, 1.0)[..., None].astype(np.float64), 3, axis=2)


def color_of(record: Mapping[str, Any], doubt: float) -> Color:
    """Green, amber in doubt, red when lost."""
    if record["status"] == Status.LOST:
        return LOST
    return GOOD if (record["confidence"] or 0.0) >= doubt else DOUBTFUL


def described(name: str, record: Mapping[str, Any]) -> str:
    """The caption: three lines, whatever happens, since the frames of a film are of one size."""
    confidence = "unknown" if record["confidence"] is None else f"{record['confidence']:.2f}"
    cost = "" if record["cost"] is None else f"   cost {record['cost']:.4f}"
    lost = record["status"] == Status.LOST
    state = "LOST (contour: a guess)" if lost else str(record["status"])
    return f"{name}   {record['time_s']:.2f} s   {state}\nconfidence {confidence}{cost}\n{events_of(record)}"
