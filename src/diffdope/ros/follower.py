"""What the node does with messages, without ROS: it pairs images, tracks, and returns the messages to publish."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_above_zero, expected
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.io.depth import DepthReader, DepthSource
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.ros.bag_frames import TOLERANCE_S, stamp_ns
from diffdope.ros.cameras import camera_of_info, entry_of, frame_of
from diffdope.ros.images import image_of
from diffdope.ros.messages import (
    DETECTIONS,
    POSE,
    TF,
    FoundObject,
    StampedPose,
    TrackedObject,
    Types,
    detections_message,
    pose_message,
    tf_message,
)
from diffdope.ros.pairing import NS_PER_S, partners, reach_ns
from diffdope.scene.observation import Observation

_KEPT = 30  # messages of a topic that wait for their partners: a second of pictures, for masks that come late
_MM = 1e-3  # metres per unit of integer depth: REP 118
_JUMP_NS = NS_PER_S  # by which a clock that goes back has begun anew; less is a message that came late


@dataclass(frozen=True)
@checked_fields()
class FollowerSettings:
    """How messages are put together.

    Attributes:
        kinds: of images that are subscribed to, of "rgb", "depth" and "mask".
        tolerance_s: seconds by which images of one moment differ at most.
        rectified: whether images are rectified already.
        depth_rectified: whether depth is, while photographs and masks are not.
        init: pose in the first frame; None to locate the object in a mask.
        publishes: types that can be published.
    """

    kinds: tuple[str, ...] = ("rgb", "depth")
    tolerance_s: float = TOLERANCE_S
    rectified: bool = False
    depth_rectified: bool = False
    init: Pose | None = None
    publishes: tuple[str, ...] = (POSE, DETECTIONS, TF)

    def __post_init__(self) -> None:
        """Refuses images that have no time to belong together."""
        check_above_zero(self, "tolerance_s")


class Follower:
    """Follows one object through messages as they come.

    Every picture is paired with the depth of its time. While the object is not found, or lost, and masks are subscribed
    to, pictures wait for their masks, which come late; of thirty that none came for, the last is looked at without.

    Args:
        make_refiner: makes a refiner of the object, at the beginning and when the clock goes back.
        thing: the object.
        settings: how messages are put together.
        types: classes of the messages that are returned.
    """

    def __init__(
        self, make_refiner: Callable[[], Refiner], thing: TrackedObject, settings: FollowerSettings, types: Types
    ) -> None:  # fmt: skip
        if not any(kind in settings.kinds for kind in ("rgb", "depth")):
            raise expected("topics", "photographs or depth", ", ".join(settings.kinds) or "none")
        self._make, self._thing, self._settings, self._types = make_refiner, thing, settings, types
        self._waiting: Mapping[str, deque[Any]] = {kind: deque(maxlen=_KEPT) for kind in settings.kinds}
        self._stamps: Mapping[str, deque[int]] = {kind: deque(maxlen=_KEPT) for kind in settings.kinds}
        self._main = "rgb" if "rgb" in settings.kinds else "depth"
        self._info: Any = None
        self._camera: tuple[tuple[int, ...], Camera] | None = None
        self._start_over()

    def _start_over(self) -> None:
        self._refiner = self._make()
        self._first_ns: int | None = None
        self._last_ns = -1
        self._passed = 0  # pictures since one was looked at
        self._following = self._settings.init is not None

    def on_info(self, message: Any) -> None:
        """Takes a camera_info."""
        if self._info is None or entry_of(message) != entry_of(self._info):
            self._info, self._camera = message, None

    def on_image(self, kind: str, message: Any) -> list[tuple[str, Any]]:
        """Takes an image, and returns what is to be published: (type, message), nothing while partners are missing.

        Args:
            kind: "rgb", "depth" or "mask".
            message: sensor_msgs/Image or CompressedImage.

        Raises:
            DiffDopeError: if an image cannot be used; the next one may be.
        """
        stamp = stamp_ns(message)
        if stamp == 0:  # it cannot be told from the next one, nor what belongs to it
            cure = "set header.stamp where the images are published"
            raise expected(kind, "images with the time at which they were taken", "a header without", cure)
        if kind == self._main and stamp < self._last_ns - _JUMP_NS:
            for kept in (*self._waiting.values(), *self._stamps.values()):
                kept.clear()
            self._start_over()
        self._waiting[kind].append(message)
        self._stamps[kind].append(stamp)
        self._passed += kind == self._main
        if self._info is None:
            return []
        published = []
        for moment in self._moments():
            self._last_ns, self._passed = stamp_ns(moment[self._main]), 0
            self._forget(moment)
            published += self._messages(moment)
        return published

    def _forget(self, moment: Mapping[str, Any]) -> None:
        """Drops what was looked at, and what is older: the next picture's own may still be on its way."""
        for kind, used in moment.items():
            later = [one for one in self._waiting[kind] if stamp_ns(one) > stamp_ns(used)]
            self._waiting[kind].clear()
            self._waiting[kind].extend(later)

    def _moments(self) -> list[dict[str, Any]]:
        """The latest picture whose partners are there, if it is later than the one before; or none."""
        pictures = sorted((one for one in self._waiting[self._main] if stamp_ns(one) > self._last_ns), key=stamp_ns)
        moments: list[dict[str, Any]] = [{self._main: picture} for picture in pictures]
        for kind, waiting in self._waiting.items():
            if kind == self._main:
                continue
            others = list(waiting)
            reach = reach_ns(self._stamps[kind], round(self._settings.tolerance_s * NS_PER_S))
            found = partners([stamp_ns(one) for one in pictures], [stamp_ns(one) for one in others], reach)
            for moment, number in zip(moments, found, strict=True):
                if number is not None:
                    moment[kind] = others[number]
        unmasked = self._following or self._passed >= _KEPT
        needed = set(self._settings.kinds) - ({"mask"} if unmasked else set())
        return [moment for moment in moments if needed <= moment.keys()][-1:]

    def _messages(self, moment: dict[str, Any]) -> list[tuple[str, Any]]:
        picture = moment[self._main]
        stamp = stamp_ns(picture)
        result = self._tracked(self._observation(moment), stamp)
        lost = result.status == Status.LOST or not result.ok
        self._following = not lost or "mask" not in self._settings.kinds
        seen = None if lost else FoundObject(result.pose, result.covariance, float(result.confidence or 0.0))
        said = StampedPose(stamp, frame_of(picture), seen)
        messages = {
            POSE: pose_message(said, self._types),
            DETECTIONS: detections_message(said, self._thing, self._types) if self._publishes(DETECTIONS) else None,
            TF: tf_message(said, self._thing, self._types) if self._publishes(TF) else None,
        }
        return [(kind, message) for kind, message in messages.items() if message is not None]

    def _publishes(self, kind: str) -> bool:
        return kind in self._settings.publishes

    def _tracked(self, observation: Observation, stamp: int) -> RefinementResult:
        first = self._first_ns is None
        self._first_ns = stamp if self._first_ns is None else self._first_ns
        init = self._settings.init if first else None
        return self._refiner.track(observation, init, time_s=(stamp - self._first_ns) / NS_PER_S)

    def _observation(self, moment: dict[str, Any]) -> Observation:
        images = {kind: image_of(message, kind) for kind, message in moment.items()}
        camera = self._camera_of(images[self._main].shape)
        depth, scale = images.get("depth"), None
        notes: tuple[str, ...] = ()
        if depth is not None:
            self._check_frames(moment)
            unit = _MM if depth.dtype.kind in "iu" else None
            source = DepthSource(rectified=self._settings.depth_rectified)
            depth, scale, notes = DepthReader(source, camera, unit, "depth", scale_given=False).read(depth)
            depth = depth if np.any(np.nan_to_num(depth)) else None
        mask = images.get("mask")
        mask = mask if mask is not None and np.any(mask) else None
        return Observation(
            camera, rgb=images.get("rgb"), depth=depth, mask=mask, depth_scale=scale,
            depth_rectified=self._settings.depth_rectified, notes=notes,
        )  # fmt: skip

    def _check_frames(self, moment: dict[str, Any]) -> None:
        frames = {frame_of(moment[kind]) for kind in ("rgb", "depth") if kind in moment}
        if len(frames) > 1:
            cure = "subscribe to the depth that was aligned to the photographs"
            raise expected("depth", "depth in the frame of the photographs", " and ".join(sorted(frames)), cure)

    def _camera_of(self, shape: tuple[int, ...]) -> Camera:
        if self._camera is None or self._camera[0] != shape:
            self._camera = (shape, camera_of_info(self._info, shape, rectified=self._settings.rectified))
        return self._camera[1]
