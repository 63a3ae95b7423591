"""One scene of a data set: its images, cameras, truth and masks, read when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.error_kinds import unknown_keys
from diffdope.errors import DiffDopeError, check_number, check_positive, expected
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.io.cameras import camera_of_picture
from diffdope.io.images import read_depth, read_rgb
from diffdope.io.json_files import entry_of, field_of, integer_field, read_numbered, read_object
from diffdope.io.masks import read_mask
from diffdope.io.numbers import is_whole
from diffdope.io.poses import pose_of, world_of

ENDINGS = ("png", "jpg", "jpeg", "tif", "tiff", "bmp")
F32 = NDArray[np.float32]


@dataclass(frozen=True)
class Instance:
    """One annotated object.

    Attributes:
        gt_id: its index in the image's list in scene_gt.json.
        obj_id: which model.
        pose: the truth.
        visib_fract: visible share of its silhouette; None where scene_gt_info.json does not say.
        bbox: (x, y, width, height) of its visible part, pixels; None if unknown.
    """

    gt_id: int
    obj_id: int
    pose: Pose
    visib_fract: float | None = None
    bbox: tuple[float, float, float, float] | None = None


class BopScene:
    """A folder SPLIT/SCENE.

    Args:
        folder: with scene_camera.json, scene_gt.json, rgb or gray, depth, mask_visib; any of them may be missing.
        suffix: "" or "_CAMTYPE", appended to the names of files and folders (scene_gt_CAMTYPE.json, rgb_CAMTYPE).
        fallback: the data set's camera.json, for scenes without a camera file.
    """

    def __init__(self, folder: Path, *, suffix: str = "", fallback: Path | None = None) -> None:
        self.folder, self.suffix = folder, suffix
        self.scene_id = int(folder.name)
        self._fallback = fallback

    @cached_property
    def image_ids(self) -> tuple[int, ...]:
        """Ids of all images: of the camera file, else of the truth, else of the picture files."""
        for entries in (self._cameras, self._truth):
            if entries:
                return tuple(sorted(entries))
        folders = (folder for kind in ("rgb", "gray", "depth") for folder in self._picture_folders(kind))
        stems = {path.stem for folder in folders for path in folder.glob("*.*")}
        return tuple(sorted(int(stem) for stem in stems if is_whole(stem)))

    def truth(self, im_id: int) -> tuple[Instance, ...]:
        """The annotated objects, in file order; none where nothing is annotated.

        Raises:
            DiffDopeError: naming file and key, if an entry is broken.
        """
        path = self._file("scene_gt")
        entries = self._truth.get(im_id, [])
        if not isinstance(entries, list):
            raise expected(f"{path}, key {im_id}", "a list of objects", type(entries).__name__)
        return tuple(self._instance(im_id, gt_id, entry, path) for gt_id, entry in enumerate(entries))

    @property
    def truth_file(self) -> Path:
        """scene_gt.json, which may be missing."""
        return self._file("scene_gt")

    def camera(self, im_id: int, *, pictured: bool = True) -> Camera:
        """The camera of an image; its size is that of the picture file.

        Args:
            im_id: the image.
            pictured: whether there must be a picture; else the size that a camera file states will do, as it does for
                comparing poses.

        Raises:
            DiffDopeError: if there is no camera for it, or nothing that tells the size.
        """
        path, entry = self._camera_entry(im_id)
        width, height = self._size(im_id, None if pictured else entry)
        try:
            return camera_of_picture(entry, width, height)
        except DiffDopeError as error:
            raise DiffDopeError(f"{path}, key {im_id}: {error}") from error

    def world(self, im_id: int) -> Pose | None:
        """T_w2c of an image, metres; None where the camera file does not say.

        Raises:
            DiffDopeError: if it says so, but not by a pose.
        """
        path, entry = self._camera_entry(im_id)
        return world_of(entry, f"{path}, key {im_id}")

    def place(self, im_id: int) -> Pose:
        """T_w2c of an image, metres, which several views need.

        Raises:
            DiffDopeError: if the camera file does not say where the camera stands.
        """
        T_w2c = self.world(im_id)
        if T_w2c is None:
            path, entry = self._camera_entry(im_id)
            cure = "leave --multiview out: pictures are then refined one by one"
            where = f"{path}, key {im_id}"
            raise unknown_keys(where, "cam_R_w2c and cam_t_w2c (where the camera stands)", entry, cure)
        return T_w2c

    def depth_scale_m(self, im_id: int) -> float | None:
        """Metres per stored unit of the depth image; None where no file says."""
        path, entry = self._camera_entry(im_id)
        if "depth_scale" not in entry:
            path, entry = self._fallback_entry() or (path, entry)
        if "depth_scale" not in entry:
            return None
        check_positive(f"{path}, key {im_id}, depth_scale", field_of(entry, "depth_scale", str(path)))
        return 1e-3 * float(entry["depth_scale"])

    def rgb(self, im_id: int) -> NDArray[Any] | None:
        """The photograph (H, W, 3) or grey (H, W), in the file's own number type; None where there is none."""
        path = self.picture("rgb", im_id) or self.picture("gray", im_id)
        return None if path is None else read_rgb(path)

    def depth(self, im_id: int) -> F32 | None:
        """The depth image (H, W), metres, 0 where missing; None where there is none.

        Raises:
            DiffDopeError: if it cannot be read, or holds integers and nothing gives their scale.
        """
        path = self.picture("depth", im_id)
        if path is None:
            return None
        array = read_depth(path)
        scale = self.depth_scale_m(im_id)
        if scale is None:
            where = self._file("scene_camera")
            raise expected(f"{where}, key {im_id}", "the key depth_scale (millimetres per unit)", "none")
        return np.asarray(array * scale, dtype=np.float32)

    def mask(self, im_id: int, gt_id: int, folder: str = "mask_visib") -> NDArray[np.bool_] | None:
        """The mask (H, W) of an instance; None where there is no such file."""
        path = self.mask_path(im_id, gt_id, folder)
        return None if path is None else np.asarray(read_mask(path) > 0)

    def mask_path(self, im_id: int, gt_id: int, folder: str = "mask_visib") -> Path | None:
        """The file of an instance's mask, if it exists."""
        return _existing(self._folder(folder), f"{im_id:06d}_{gt_id:06d}")

    def picture(self, kind: str, im_id: int) -> Path | None:
        """The file of an image of that kind (rgb, gray, depth), whatever its ending; None if there is none."""
        found = (_existing(folder, f"{im_id:06d}") for folder in self._picture_folders(kind))
        return next((path for path in found if path is not None), None)

    def _picture_folders(self, kind: str) -> list[Path]:
        """Where pictures may be: rgb_CAMTYPE; of a stream that is named after its kind (HOT3D's gray1), that alone."""
        stream = self.suffix.removeprefix("_")
        return [self._folder(kind), *([self.folder / stream] if stream.startswith(kind) else [])]

    def _folder(self, kind: str) -> Path:
        return self.folder / f"{kind}{self.suffix}"

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}{self.suffix}.json"

    @cached_property
    def _truth(self) -> dict[int, Any]:
        return self._optional("scene_gt")

    @cached_property
    def _truth_info(self) -> dict[int, Any]:
        return self._optional("scene_gt_info")

    @cached_property
    def _cameras(self) -> dict[int, Any]:
        return self._optional("scene_camera")

    def _optional(self, name: str) -> dict[int, Any]:
        path = self._file(name)
        return read_numbered(path) if path.is_file() else {}

    def _camera_entry(self, im_id: int) -> tuple[Path, dict[str, Any]]:
        path = self._file("scene_camera")
        if self._cameras:
            entry = entry_of(self._cameras, im_id, path, "image")
            field_of(
                entry,
                "cam_model" if isinstance(entry, dict) and "cam_model" in entry else "cam_K",
                f"{path}, key {im_id}",
            )
            return path, entry
        found = self._fallback_entry()
        if found is None:
            raise expected(str(path), "scene_camera.json, or camera.json for the scene or the data set", "neither")
        return found

    def _fallback_entry(self) -> tuple[Path, dict[str, Any]] | None:
        for path in (self._file("camera"), self.folder / "camera.json", self._fallback):
            if path is not None and path.is_file():
                return path, read_object(path)
        return None

    def _size(self, im_id: int, entry: dict[str, Any] | None) -> tuple[int, int]:
        from PIL import Image

        for kind in ("rgb", "gray", "depth"):
            path = self.picture(kind, im_id)
            if path is not None:
                try:
                    with Image.open(path) as image:
                        return image.size
                except Exception as error:  # of a damaged file Pillow raises whatever its fields lead to
                    raise expected(str(path), "an image", str(error)) from error
        picture = f"a picture {im_id:06d} in rgb, gray or depth"
        if entry is None:
            raise expected(f"{self.folder}", picture, "none")
        path, beside = self._fallback_entry() or (self._file("camera"), {})
        for where, one in ((f"{self._file('scene_camera')}, key {im_id}", entry), (str(path), beside)):
            if "width" in one and "height" in one:
                return integer_field(one, "width", where), integer_field(one, "height", where)
        raise expected(f"{self.folder}", f"{picture}, or width and height in {path.name}", "none")

    def _instance(self, im_id: int, gt_id: int, entry: Any, path: Path) -> Instance:
        where = f"{path}, key {im_id}, object {gt_id}"
        info = self._truth_info.get(im_id, [])
        about = info[gt_id] if isinstance(info, list) and gt_id < len(info) and isinstance(info[gt_id], dict) else {}
        of_info = f"{self._file('scene_gt_info')}, key {im_id}, object {gt_id}"
        visible, box = about.get("visib_fract"), about.get("bbox_visib")
        return Instance(
            gt_id, integer_field(entry, "obj_id", where), pose_of(entry, where),
            None if visible is None else check_number(f"{of_info}, visib_fract", visible), _box_of(box, of_info),
        )  # fmt: skip


def _box_of(box: Any, where: str) -> tuple[float, float, float, float] | None:
    if box is None:
        return None
    if not isinstance(box, list) or len(box) != 4:
        raise expected(f"{where}, bbox_visib", "x, y, width and height", repr(box)[:60])
    x, y, width, height = (check_number(f"{where}, bbox_visib", side) for side in box)
    return x, y, width, height


def _existing(folder: Path, stem: str) -> Path | None:
    for ending in ENDINGS:
        for path in (folder / f"{stem}.{ending}", folder / f"{stem}.{ending.upper()}"):
            if path.is_file():
                return path
    return None
