"""Flags of both calibrations, camera before the robot and on its hand, and how the pictures are read by them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from numpy.typing import NDArray

from diffdope.cli.input_flags import check_idle
from diffdope.cli.robot_flags import RobotFlags
from diffdope.errors import expected
from diffdope.geometry.camera import Camera
from diffdope.io.cameras import depth_scale_m, load_camera_of_image
from diffdope.io.frames import Frame, ImageFolders
from diffdope.scene.observation import Observation

T = TypeVar("T")
_OF_THE_RUN = frozenset({"out", "threads", "suggestions", "camera_frame"})  # not of how the pictures are read


@dataclass(frozen=True, kw_only=True)
class CalibrationFlags(RobotFlags):
    """What both calibrations take."""

    camera: Path
    """Camera file: ROS camera_info, BOP, OpenCV, COLMAP, Kalibr, RealSense, or 3 x 3 numbers; see docs/files.md. Lens
    distortion in it is removed from the images."""
    out: Path
    """Folder for result.json, overlays, and files for ROS, MoveIt, easy_handeye and OpenCV."""
    rgb: Path | None = None
    """Folder of photographs."""
    mask: Path | None = None
    """Folder of masks, with the same names."""
    depth: Path | None = None
    """Folder of depth images with the same names, 0 = missing."""
    camera_frame: str | None = None
    """Name of the camera's optical frame; default: what the camera file says, or camera_optical_frame."""
    mask_id: int | None = None
    """Which label of masks that show several objects."""
    mask_inverted: Literal["yes", "no"] | None = None
    """yes: masks are black on what they show; no: they are not, though they look so."""
    depth_scale: float | None = None
    """Millimetres per unit of the depth images; default: the camera file's, 1 beside a camera_info.yaml."""
    depth_rectified: bool = False
    """Depth is without the lens already (librealsense's aligned_depth_to_color), while the other images show it."""
    suggestions: int = 3
    """How many poses of the robot to suggest for further pictures."""
    seed: int = 0
    """Same seed, same result."""
    threads: int | None = None
    """Default: all cores."""

    def check_used(self) -> None:
        """Refuses what is said of masks or of depth that is not given.

        Raises:
            DiffDopeError: naming the option.
        """
        without_mask = () if self.mask is not None else ("mask_id", "mask_inverted")
        without_depth = () if self.depth is not None else ("depth_scale", "depth_rectified")
        check_idle(self, dict.fromkeys(without_mask, "--mask") | dict.fromkeys(without_depth, "--depth"))

    def folders(self) -> dict[str, Path]:
        """Of images, by kind."""
        return {name: folder for name in ("mask", "depth", "rgb") if (folder := getattr(self, name)) is not None}

    def pictures(self) -> ImageFolders:
        """The images, unread."""
        inverted = None if self.mask_inverted is None else self.mask_inverted == "yes"
        return ImageFolders(self.folders(), mask_label=self.mask_id, mask_inverted=inverted)

    def inputs(self, *always: str) -> dict[str, Any]:
        """What stands beside the result: files, and whatever else was said of how they are read.

        Args:
            always: fields that stand there even where they have their default.
        """
        kept = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in always or (field.name not in _OF_THE_RUN and value != field.default):
                kept[field.name] = str(value) if isinstance(value, Path) else value
        return kept


def observed(
    given: CalibrationFlags, pictures: ImageFolders, told: Sequence[T], *, photographs: bool, shows: str
) -> Iterator[tuple[Observation, T, str]]:
    """Each picture with what was told of the robot in it, and its name; those that show nothing are left out.

    Args:
        given: the flags.
        pictures: the images.
        told: of each picture.
        photographs: whether a picture without mask and depth is one, too.
        shows: what is in the pictures, for messages.

    Raises:
        DiffDopeError: if none is left, or a file cannot be read.
    """
    camera: Camera | None = None
    scale, count = None, 0
    for frame, one in zip(pictures.read(), told, strict=True):
        if camera is None:
            camera, file_mm = load_camera_of_image(given.camera, frame.size)
            scale = depth_scale_m(given.depth_scale, file_mm, given.camera, depth=frame.depth)
        images = showing_something(frame)
        if images is None and photographs and frame.mask is None and frame.depth is None:
            images = {}
        if images is None:
            print(f"note: {frame.name}: its mask or depth is empty, so it is left out")
            continue
        count += 1
        observation = Observation(
            camera, rgb=frame.rgb, **images, depth_scale=scale if "depth" in images else None,
            depth_rectified=given.depth_rectified,
        )  # fmt: skip
        yield observation, one, frame.name
    if count == 0:
        raise expected("images", f"pictures that show the {shows}", "empty masks or depth only")


def showing_something(frame: Frame) -> dict[str, NDArray[Any]] | None:
    """Mask and depth of a picture that are not empty; None if its mask is, or nothing is left."""
    if frame.mask is not None and not frame.mask.any():
        return None
    given: Mapping[str, NDArray[Any] | None] = {"mask": frame.mask, "depth": frame.depth}
    return {name: image for name, image in given.items() if image is not None and image.any()} or None
