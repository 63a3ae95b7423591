"""The files of one moment: camera, photograph, depth and mask, read together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, expected, some_of
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.io.camera_info import ROS_DEPTH_NOTE, is_camera_info
from diffdope.io.camera_sizes import ROUNDED
from diffdope.io.cameras import depth_scale_m, entry_in, image_in, load_camera_of_image
from diffdope.io.depth import DepthReader, DepthSource, Kind
from diffdope.io.depth_extrinsics import read_depth_extrinsics
from diffdope.io.exif_turns import check_upright, cure_of, exchanges_sides, notes_on_turn, orientation_of
from diffdope.io.images import notes_on_rgb, read_depth, read_rgb
from diffdope.io.masks import Mask, MaskFile, mask_in_box
from diffdope.io.memory_file import Source, source_of
from diffdope.io.stereo import pixels_per_unit, stereo_of
from diffdope.note_codes import Note, NoteCode

_LISTED = 12  # labels that an error names


@dataclass(frozen=True, eq=False)
class Capture:
    """What the files hold, as `Observation` takes it: `Observation(capture.camera, **capture.images)`.

    Attributes:
        camera: of the images.
        rgb: (H, W, 3) or (H, W), in the file's number type, or None.
        depth: (H, W) integers or float metres, or None.
        mask: (H, W) bool, or None.
        depth_scale: METRES per unit of depth; None for float metres.
        depth_rectified: whether depth is that of `camera.rectified` already.
        notes: what a user should know about what was read.
    """

    camera: Camera
    rgb: NDArray[Any] | None
    depth: NDArray[Any] | None
    mask: NDArray[Any] | None
    depth_scale: float | None
    depth_rectified: bool = False
    notes: tuple[str, ...] = ()

    @property
    def images(self) -> dict[str, Any]:
        """The images, what is said of depth, and the notes by name."""
        images = {"rgb": self.rgb, "depth": self.depth, "mask": self.mask, "depth_scale": self.depth_scale}
        return {**images, "depth_rectified": self.depth_rectified, "notes": self.notes}


@dataclass(frozen=True, kw_only=True)
class CaptureFiles:
    """Which files show one moment, and what a user says about them; `read` reads them.

    Attributes:
        camera: file of the camera: see `load_camera`.
        rgb: file of the photograph; like those of depth and mask, it may be one in memory.
        depth: file of the depth image.
        mask: file of the mask: see `MaskFile`.
        depth_scale_mm: MILLIMETRES per unit of depth, as BOP's files have it; wins over the camera's file. Of
            disparities, PIXELS per unit.
        mask_label: of the object, where the mask holds the labels of several.
        mask_inverted: see `MaskFile`.
        box: x, y, width, height around the object, pixels, in place of a mask.
        depth_kind: "axis", "ray" or "disparity": see `DepthSource`.
        depth_baseline_mm: MILLIMETRES between the cameras of a disparity; wins over Middlebury's calib.txt.
        depth_camera: file of the camera that took depth, where it is another than the photograph's.
        depth_extrinsics: pose of the depth camera's frame in the photograph's, or its file: see
            `read_depth_extrinsics`.
        depth_rectified: whether depth is without the lens already, while the photograph is not.
        image_id: which entry of a scene_camera.json, which image of a mask file.
        camera_id: see `load_camera`.
        camera_size: see `load_camera`.
        rectified: see `load_camera`.
    """

    camera: str | Path
    rgb: Source | None = None
    depth: Source | None = None
    mask: Source | None = None
    depth_scale_mm: float | None = None
    mask_label: int | None = None
    mask_inverted: bool | None = None
    box: tuple[float, float, float, float] | None = None
    depth_kind: Kind = "axis"
    depth_baseline_mm: float | None = None
    depth_camera: str | Path | None = None
    depth_extrinsics: str | Path | Pose | None = None
    depth_rectified: bool = False
    image_id: int | None = None
    camera_id: int | None = None
    camera_size: tuple[int, int] | None = None
    rectified: bool = False

    def read(self) -> Capture:
        """Camera and images; the size is that of the images where the camera's file has none.

        Raises:
            DiffDopeError: if there is no image, a file cannot be read, or depth has no scale and needs one.
        """
        rgb = None if self.rgb is None else read_rgb(self.rgb)
        told = self.depth_kind == "disparity" or self.depth_scale_mm is not None
        depth = None if self.depth is None else read_depth(self.depth, told=told)
        mask = self._mask(next((image.shape for image in (rgb, depth) if image is not None), None))
        shape = next(
            (image.shape for image in (rgb, depth, None if mask is None else mask.pixels) if image is not None), None
        )
        if shape is None:
            raise expected("images", "at least one of --rgb, --depth and --mask", "none")
        turn = 1 if self.rgb is None else orientation_of(self.rgb)
        if rgb is not None:
            for name, image in (("mask", None if mask is None else mask.pixels), ("depth", depth)):
                check_upright(name, image, rgb, turn)
        camera, file_mm = self._upright_camera(shape, turn)
        scale: float | None = None
        notes: list[str] = [*notes_on_lens(camera, depth_rectified=depth is not None and self.depth_rectified)]
        notes += (*notes_on_size(self.camera_size, camera), *notes_on_rgb(rgb))
        beside = {"mask": self.mask, "box": self.box, "depth": self.depth}
        notes += notes_on_turn(rgb, turn, [name for name, given in beside.items() if given is not None])
        self._check_one_size(rgb, None if mask is None else mask.pixels)
        if depth is not None:
            depth, scale, said = self.depth_reader(camera, file_mm, depth).read(depth)
            notes += said
        notes += () if mask is None else mask.notes
        pixels = None if mask is None else mask.pixels
        return Capture(camera, rgb, depth, pixels, scale, self.depth_rectified, tuple(notes))

    def _check_one_size(self, rgb: NDArray[Any] | None, mask: NDArray[Any] | None) -> None:
        """Refuses a mask of the photograph's shape, but of another size: which of both was resized, nobody knows."""
        if rgb is None or mask is None or rgb.shape[:2] == mask.shape[:2]:
            return
        (rows, columns), (high, wide) = rgb.shape[:2], mask.shape[:2]
        if rows * columns * high * wide == 0 or abs(high / rows * columns / wide - 1.0) > ROUNDED:
            return  # `Observation` refuses it
        cure = f"one of both was resized, the mask is {wide / columns:.4g} times as large: give both in the same size"
        raise expected("mask", f"{columns} x {rows} pixels as the photograph", f"{wide} x {high}", cure)

    def _upright_camera(self, shape: tuple[int, ...], turn: int) -> tuple[Camera, float | None]:
        """See `read_camera`; that a camera is of the picture before EXIF turned it is said, where it is so."""
        try:
            return self.read_camera(shape)
        except DiffDopeError:
            rows, columns = shape[:2]
            if exchanges_sides(turn) and self._is_of((columns, rows)):
                wanted = f"that of the upright picture, {columns} x {rows} (EXIF's orientation is {turn})"
                raise expected("camera", wanted, f"one of {rows} x {columns}", cure_of("camera")) from None
            raise

    def _is_of(self, shape: tuple[int, ...]) -> bool:
        try:
            self.read_camera(shape)
        except DiffDopeError:
            return False
        return True

    def read_camera(self, shape: tuple[int, ...]) -> tuple[Camera, float | None]:
        """The camera of images (H, W, ...), and the depth scale in its file, millimetres."""
        return load_camera_of_image(
            self.camera, shape, image_id=self._image_of_camera, camera_id=self.camera_id, camera_size=self.camera_size,
            rectified=self.rectified,
        )  # fmt: skip

    @property
    def _image_of_camera(self) -> int | None:
        """The number that was chosen, or, of a file with a camera for each image, that of the photograph's name."""
        if self.image_id is not None or self.camera_id is not None or not isinstance(self.rgb, str | Path):
            return self.image_id
        return image_in(self.camera, Path(self.rgb).name)

    def depth_reader(self, camera: Camera, file_mm: float | None, depth: NDArray[Any]) -> DepthReader:
        """What makes depth images like a given one those of the photograph's camera."""
        own, own_mm = None, None
        if self.depth_camera is not None:
            own, own_mm = load_camera_of_image(self.depth_camera, depth.shape)
        place, said = self.place_of_depth
        named = self.camera if self.depth_camera is None else self.depth_camera
        given = self.depth_scale_mm is not None
        scale_m = None
        if self.depth_kind == "disparity":
            scale_m = pixels_per_unit(self.depth_scale_mm, depth)
        elif depth.ndim == 2 or given:  # else it is a picture for viewing, which is refused when it is read
            file_mm = file_mm if own_mm is None else own_mm
            scale_m = depth_scale_m(self.depth_scale_mm, file_mm, named, depth=depth)
        source = DepthSource(self.depth_kind, own, place, *self._stereo(named), self.depth_rectified)
        if not given and self.depth_kind != "disparity" and self._as_ros_has_it(depth, named):
            said = (*said, ROS_DEPTH_NOTE)
        return DepthReader(source, camera, scale_m, str(self.depth), scale_given=given, notes=said)

    @property
    def place_of_depth(self) -> tuple[Pose | None, tuple[Note, ...]]:
        """The pose of the depth camera in the photograph's, metres, and what to say of it; None where there is none."""
        place = self.depth_extrinsics
        return (place, ()) if place is None or isinstance(place, Pose) else read_depth_extrinsics(place)

    def _stereo(self, camera: str | Path) -> tuple[float | None, float]:
        """Baseline of a disparity in metres, and its offset in focal lengths, of the user or of the camera's file."""
        if self.depth_kind != "disparity":
            return None if self.depth_baseline_mm is None else 1e-3 * self.depth_baseline_mm, 0.0
        ids = (self._image_of_camera, self.camera_id) if self.depth_camera is None else (None, None)
        baseline_mm, offset = stereo_of(self.entry_of(camera, *ids))
        found = baseline_mm if self.depth_baseline_mm is None else self.depth_baseline_mm
        return None if found is None else 1e-3 * found, offset

    def _as_ros_has_it(self, depth: NDArray[Any], camera: str | Path) -> bool:
        """Whether nothing but ROS's rules says what a unit of depth is."""
        if depth.dtype.kind not in "iu":
            return False
        ids = (self._image_of_camera, self.camera_id) if self.depth_camera is None else (None, None)
        entry = self.entry_of(camera, *ids)
        return entry.get("depth_scale") is None and is_camera_info(entry)

    def entry_of(self, camera: str | Path, image_id: int | None, camera_id: int | None) -> Mapping[str, Any]:
        """What the file of a camera says of one image."""
        return entry_in(Path(camera), image_id, camera_id)

    def _mask(self, shape: tuple[int, ...] | None) -> Mask | None:
        """The mask of the file or of the box, for an image of a shape."""
        size = None if shape is None else (shape[0], shape[1])
        if self.box is not None and self.mask is not None:
            raise expected("box", "a box or a mask", "both", "leave one of them out")
        if self.box is not None:
            if size is None:
                raise expected("images", "--rgb or --depth beside --box", "none")
            return mask_in_box(self.box, size)
        if self.mask is None:
            return None
        file = MaskFile(source_of(self.mask), self.mask_label, self.image_id, self.mask_inverted)
        found = file.read(size=size, picture=None if self.rgb is None else str(self.rgb))
        if self.mask_label is not None and not found.pixels.any():
            labels = file.labels()
            known = some_of(labels, most=_LISTED) if labels else "none: it shows one object"
            raise expected("mask", f"a label of {self.mask} ({known})", self.mask_label, "see --mask-id")
        return found


def read_capture(camera: str | Path, **files: Any) -> Capture:
    """Reads camera and images of one moment; for the arguments see `CaptureFiles`."""
    return CaptureFiles(camera=camera, **files).read()


def notes_on_size(camera_size: tuple[int, int] | None, camera: Camera) -> list[Note]:
    """That K was converted, and by how much, where pictures were resized.

    Args:
        camera_size: (width, height) of the pictures that K in the file is for; None if nobody said.
        camera: of the pictures.
    """
    if camera_size is None or camera_size == (camera.width, camera.height):
        return []
    own, size = f"{camera_size[0]} x {camera_size[1]}", f"{camera.width} x {camera.height}"
    text = f"K of {own} pictures was converted to {size}: times {camera.width / camera_size[0]:.4g}"
    return [Note(NoteCode.CAMERA_RESIZED, text)]


def notes_on_lens(camera: Camera, *, depth_rectified: bool = False) -> list[Note]:
    """That images are rectified, where they are, but for depth that was already, and what poses refer to."""
    if camera.distortion is None:
        return []
    pinhole = camera.rectified
    K = f"fx {pinhole.fx:g}, fy {pinhole.fy:g}, cx {pinhole.cx:g}, cy {pinhole.cy:g}"
    removed = "removed from all but depth" if depth_rectified else "removed"
    text = f"lens distortion ({camera.distortion.model}) was {removed}; poses refer to the pinhole with {K}"
    return [Note(NoteCode.LENS_REMOVED, text)]
