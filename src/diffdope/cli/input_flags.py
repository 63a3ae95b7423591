"""The flags that say what is looked at: mesh, camera and images; the same for every command that looks at one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from diffdope.cli.lists import flag_of
from diffdope.errors import expected
from diffdope.io.capture import Capture, CaptureFiles
from diffdope.io.masks import MaskFile
from diffdope.io.numbers import is_whole
from diffdope.io.poses import StartPoses, read_start_poses
from diffdope.scene.mesh import Mesh
from diffdope.scene.mesh_io import Unit, unit_of
from diffdope.scene.observation import Observation
from diffdope.scene.view import LARGEST_DEG, LARGEST_M
from diffdope.search.features.keypoints import check_can_detect

OF_THE_FORMAT = "of the format"
"""What stands beside a result for the unit of a mesh whose format states it."""


@dataclass(frozen=True, kw_only=True)
class InputFlags:
    """Mesh, camera and images, as flags; a command's arguments are a subclass. Lengths in files are millimetres."""

    mesh: Path
    """PLY, OBJ, STL, GLB, glTF, COLLADA (.dae), 3MF, STEP (diffdope[cad]) or USD (diffdope[usd])."""
    camera: Path
    """Camera file: BOP, ROS camera_info, OpenCV, COLMAP, Kalibr, RealSense, or 3 x 3 numbers; see docs/files.md. Lens
    distortion in it is removed from the images. Of a camera that is not calibrated, a photograph with EXIF."""
    rgb: Path | None = None
    """Photograph."""
    depth: Path | None = None
    """Depth image; integers times the depth scale are millimetres, 0 = missing."""
    mask: Path | None = None
    """Image that is white where the object is visible (grey counts from half on, a varying alpha channel wins), .npy,
    COCO's .json, or YOLO's .txt; see docs/files.md."""
    mask_id: int | None = None
    """Which label of a mask that shows several objects; of a list, 1 is the first."""
    mask_inverted: Literal["yes", "no"] | None = None
    """yes: the mask is black on the object; no: it is not, though it looks so."""
    box: str | None = None
    """X,Y,WIDTH,HEIGHT in pixels around the object's visible part, in place of a mask; without --init. Without
    --depth, the object is found by what is painted on it (needs diffdope[features])."""
    unit: Unit | None = None
    """Unit of the mesh file; of a scan without a scale a number, metres in one unit of the file. Default: mm of PLY,
    OBJ and STL, which do not say; of GLB, .dae, 3MF, STEP and USD their own."""
    depth_scale: float | None = None
    """Millimetres per unit of the depth image; overrides the camera file. Of disparities, pixels per unit."""
    depth_kind: Literal["axis", "ray", "disparity"] = "axis"
    """Depth is measured along the optical axis, or along the ray to each pixel; or it is the disparity of two cameras
    in pixels, with --depth-baseline."""
    depth_baseline: float | None = None
    """Millimetres between the two cameras of a disparity; not needed if --camera is Middlebury's calib.txt."""
    depth_camera: Path | None = None
    """Camera file of the depth image, where another camera took it; with --depth-extrinsics."""
    depth_extrinsics: Path | None = None
    """4 x 4 (or R and t): from the depth camera's frame to the photograph's."""
    depth_rectified: bool = False
    """Depth is without the lens already (librealsense's aligned_depth_to_color), while the photograph shows it."""
    image_id: int | None = None
    """Which image of a scene_camera.json."""
    camera_id: int | None = None
    """Which camera of a file with several: COLMAP's number, 0 for Kalibr's cam0."""
    camera_size: str | None = None
    """WIDTHxHEIGHT of the pictures that K in the camera file is for, if these were resized; K is converted."""
    rectified: bool = False
    """The images were rectified already (ROS image_rect): the camera file's P, or K, is their pinhole."""
    allow_missing_texture: bool = False
    """Go on without colours where the mesh's texture file is missing."""

    @property
    def inputs(self) -> dict[str, Any]:
        """Files, unit, and whatever else was said of how they are read, as it stands beside a result."""
        read = {field.name: field.default for kind in (InputFlags, StartFlags) for field in fields(kind)}
        given = {name: getattr(self, name) for name in read if hasattr(self, name)}
        kept = {name: value for name, value in given.items() if value != read[name]}
        if len(self.mesh_files) > 1:
            kept["mesh"] = [str(one) for one in self.mesh_files]
        elif self.mesh_files:
            kept["mesh"] = self.mesh_files[0]
        plain = {name: str(value) if isinstance(value, Path) else value for name, value in kept.items()}
        return plain | {"unit": self.unit_of_mesh or OF_THE_FORMAT}

    @property
    def mesh_files(self) -> tuple[Path, ...]:
        """Of the object; of a robot there is none, and of several kinds one each."""
        mesh: Path | None = self.mesh
        return () if mesh is None else (mesh,)

    @property
    def unit_of_mesh(self) -> Unit | None:
        """As was said; else millimetres where the format states none, and None for the format's own.

        None, too, where several files have not the same.
        """
        if not self.mesh_files:
            return self.unit
        units = {unit_of(mesh, self.unit) for mesh in self.mesh_files}
        return units.pop() if len(units) == 1 else None

    def check_box(self) -> None:
        """Refuses a box that would be of no use.

        Raises:
            DiffDopeError: if there is one, and a start pose, or neither depth nor OpenCV, which finds objects without.
        """
        if self.box is None:
            return
        if getattr(self, "init", None) is not None:
            raise expected("box", "no --init beside it", self.box, "with a start pose nothing is looked for in a box")
        if self.depth is None and getattr(self, "bag", None) is None:
            check_can_detect("box")

    def check_used(self) -> None:
        """Refuses what is said of a mask or of depth that is not given: who says so has forgotten it.

        Raises:
            DiffDopeError: naming the option.
        """
        recorded = getattr(self, "bag", None) is not None
        topic = getattr(self, "mask_topic", None) is not None
        without_mask = () if self.mask is not None or topic else ("mask_id", "mask_inverted")
        depths = (
            "depth_scale", "depth_kind", "depth_baseline", "depth_camera", "depth_extrinsics", "depth_rectified",
        )  # fmt: skip
        without_depth = () if self.depth is not None or recorded else depths
        check_idle(self, dict.fromkeys(without_mask, "--mask") | dict.fromkeys(without_depth, "--depth"))

    def load_mesh(self) -> Mesh:
        """The mesh, as the flags say; of several kinds, the first."""
        return self.load_meshes()[0]

    def load_meshes(self) -> list[Mesh]:
        """The meshes, each in its own unit."""
        return [
            Mesh.load(path, unit=unit_of(path, self.unit), allow_missing_texture=self.allow_missing_texture)
            for path in self.mesh_files
        ]

    def files(self, **changed: Any) -> CaptureFiles:
        """What the flags say of files; `changed` wins."""
        given: dict[str, Any] = {
            "camera": self.camera, "rgb": self.rgb, "depth": self.depth, "mask": self.mask,
            "depth_scale_mm": self.depth_scale, "mask_label": self.mask_id, "mask_inverted": self.inverted,
            "box": box_of("box", self.box), "depth_kind": self.depth_kind, "depth_baseline_mm": self.depth_baseline,
            "depth_camera": self.depth_camera, "depth_extrinsics": self.depth_extrinsics,
            "depth_rectified": self.depth_rectified, "image_id": self.image_id, "camera_id": self.camera_id,
            "camera_size": size_of("camera-size", self.camera_size), "rectified": self.rectified,
        }  # fmt: skip
        return CaptureFiles(**{**given, **changed})

    def mask_labels(self) -> list[int]:
        """Of a mask that shows several objects of which none was chosen; none of another."""
        if self.mask is None or self.mask_id is not None:
            return []
        return self._mask_file(None).labels(picture=None if self.rgb is None else self.rgb.name)

    def mask_of(self, label: int, size: tuple[int, int]) -> NDArray[Any]:
        """The mask of one of several objects, for an image (height, width)."""
        return self._mask_file(label).read(size=size, picture=None if self.rgb is None else self.rgb.name).pixels

    def _mask_file(self, label: int | None) -> MaskFile:
        assert self.mask is not None
        return MaskFile(self.mask, label, self.image_id, self.inverted)

    @property
    def inverted(self) -> bool | None:
        """As `MaskFile` takes it."""
        return None if self.mask_inverted is None else self.mask_inverted == "yes"


def observation_of(capture: Capture) -> Observation:
    """Camera and images as the library takes them."""
    return Observation(capture.camera, **capture.images)


def check_idle(given: Any, needed: Mapping[str, str]) -> None:
    """Refuses options that say something of what is not given.

    Args:
        given: the arguments of a command, a dataclass.
        needed: by field, the option that it speaks of, for those of which that is missing.

    Raises:
        DiffDopeError: naming the first one that has not its default.
    """
    defaults = {field.name: field.default for field in fields(given)}
    for name, option in needed.items():
        if getattr(given, name) != defaults[name]:
            raise expected(flag_of(name), f"{option} beside it", "none", f"give {option}, or leave it out")


def box_of(name: str, text: str | None) -> tuple[float, float, float, float] | None:
    """(x, y, width, height) from "120,80,64,48"; None stays None.

    Raises:
        DiffDopeError: if it is something else.
    """
    if text is None:
        return None
    try:
        x, y, width, height = (float(word) for word in text.replace(" ", ",").split(",") if word)
    except ValueError as error:
        raise expected(name, "X,Y,WIDTH,HEIGHT in pixels, such as 120,80,64,48", repr(text)) from error
    return x, y, width, height


def sigma_of(text: str | None) -> tuple[float, float] | None:
    """(metres, degrees) by which cameras may be off, from "10,1" (millimetres, degrees); None stays None.

    Raises:
        DiffDopeError: if it is something else, or farther off than a camera's place says anything.
    """
    if text is None:
        return None
    wanted = f"MM,DEG such as 10,1, each above 0, at most {1e3 * LARGEST_M:g} mm and {LARGEST_DEG:g} degrees"
    try:
        mm, degrees = (float(word) for word in text.split(","))
    except ValueError as error:
        raise expected("extrinsics-sigma", wanted, repr(text)) from error
    if not (0.0 < mm <= 1e3 * LARGEST_M and 0.0 < degrees <= LARGEST_DEG):
        cure = "leave it out where the cameras' places are exact"
        raise expected("extrinsics-sigma", wanted, repr(text), cure)
    return 1e-3 * mm, degrees


def size_of(name: str, text: str | None) -> tuple[int, int] | None:
    """(width, height) from "1280x720"; None stays None.

    Raises:
        DiffDopeError: if it is something else.
    """
    if text is None:
        return None
    words = text.lower().replace("*", "x").split("x")
    if len(words) != 2 or not all(is_whole(word.strip()) for word in words):
        raise expected(name, "WIDTHxHEIGHT such as 1280x720", repr(text))
    return int(words[0]), int(words[1])


@dataclass(frozen=True, kw_only=True)
class StartFlags:
    """The start pose, as flags; a command's arguments are a subclass."""

    init: Path | None = None
    """Start pose: BOP's JSON, scene_gt.json or results CSV, a 4 x 4 (.txt, .npy, .json), MegaPose, ROS or TUM; several
    are all tried. Without it, the object is located."""
    init_kind: Literal["m2c", "c2m", "m2c-opengl", "c2m-opengl"] = "m2c"
    """m2c: model to camera; c2m: the inverse; -opengl: of a camera that looks along -z, y up."""
    init_unit: Literal["m", "mm", "cm", "inch"] | None = None
    """Unit of the start pose; default: what its format, or the distance, says."""

    def start_poses(self, *, obj_id: int | None, image_id: int | None) -> StartPoses | None:
        """The start poses; None without --init."""
        if self.init is None:
            return None
        return read_start_poses(self.init, obj_id=obj_id, image_id=image_id, unit=self.init_unit, kind=self.init_kind)
