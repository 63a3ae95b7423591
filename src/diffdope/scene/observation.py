"""What the camera saw: any of RGB, depth and the object's mask, validated once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.errors import as_array, check_shape, check_type, expected
from diffdope.geometry.camera import CAMERA_CURE, Camera
from diffdope.geometry.crop import CropWindow
from diffdope.note_codes import NoteCode, code_of
from diffdope.scene.image_checks import (
    check_drawn_depth,
    check_no_paths,
    checked_depth,
    checked_mask,
    checked_notes,
    checked_rgb,
    notes_on_camera,
    notes_on_mask,
)
from diffdope.scene.image_files import images_of
from diffdope.scene.rectify import rectified
from diffdope.scene.stored_image import StoredImage

BY_NAME = "Observation(camera, rgb=..., depth=..., mask=...)"
_DEPTHS = ("depth", "others")  # images that must not be averaged over two surfaces
F32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Observation:
    """Images of one moment from one camera; at least one of rgb, depth and mask.

    Images are kept in the numbers in which they are given, a quarter of the size of floats. `rgb`, `depth` and `mask`
    are float32 arrays that cannot be written to, converted when first asked for; `crop` converts nothing but its
    result. To know which of them there are, look at `modalities`.

    Images of a camera with lens distortion are rectified when they are given: what is kept are those of the pinhole
    `camera.rectified`.

    Attributes:
        camera: a pinhole whose size the images have.
        taken_by: the camera that was given, with its distortion; of a crop, the crop's.
        notes: what a user should know about where the images come from.
        left_out: names of images that were given, and that an observation made of this one goes without.
    """

    camera: Camera
    _images: Mapping[str, StoredImage]
    taken_by: Camera
    notes: tuple[str, ...]
    left_out: frozenset[str]

    def __init__(
        self,
        camera: Camera,
        *unnamed: object,
        rgb: ArrayLike | None = None,
        depth: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        depth_scale: float | None = None,
        depth_rectified: bool = False,
        notes: Iterable[str] = (),
    ) -> None:
        """Validates and copies; what is given may be overwritten afterwards.

        Args:
            camera: of these images; with a distortion, as the lens drew them.
            unnamed: nothing; images are named.
            rgb: (H, W, 3), or grey (H, W): uint8 (/ 255), uint16 (/ 65535, 4095 or 255), floats in [0, 1].
            depth: (H, W) along the optical axis, 0 (or masked) where missing: float metres or integers (see
                depth_scale).
            mask: (H, W): bool, float in [0, 1], or integers, of which `diffdope.io.masks` says what is the object.
            depth_scale: METRES per unit of `depth`; required for integers. (BOP's is in millimetres.)
            depth_rectified: whether depth is that of the pinhole `camera.rectified`, and only the others show the lens.
            notes: what a user should know about where the images come from; results repeat it.

        Raises:
            DiffDopeError: if there is no image, a size is not the camera's, or values break these rules.
        """
        if unnamed:
            got = ", ".join(type(one).__name__ for one in (camera, *unnamed))
            raise expected("observation", "a camera, and images by name", got, BY_NAME)
        check_type("camera", camera, Camera, cure=CAMERA_CURE)
        check_type("depth_rectified", depth_rectified, bool)
        check_no_paths(rgb=rgb, depth=depth, mask=mask)
        if rgb is None and depth is None and mask is None:
            raise expected("observation", "at least one of rgb, depth and mask", "none")
        images: dict[str, StoredImage] = {}
        on_rgb, on_depth = (), ()  # type: tuple[str, ...], tuple[str, ...]
        if rgb is not None:
            images["rgb"], on_rgb = checked_rgb(as_array("rgb", rgb), camera)
        if depth is not None:
            images["depth"], on_depth = checked_depth(as_array("depth", depth, masked=0), camera, depth_scale)
        if mask is not None:
            images["mask"] = checked_mask(as_array("mask", mask), camera)
        said = (*checked_notes(notes), *notes_on_camera(camera), *on_rgb, *on_depth, *notes_on_mask(images))
        images = rectified(images, camera, depth_rectified=depth_rectified)
        self._set(camera.rectified, images, camera, said, frozenset())

    def _set(self, *values: object) -> None:
        for name, value in zip(("camera", "_images", "taken_by", "notes", "left_out"), values, strict=True):
            object.__setattr__(self, name, value)

    def _of(self, camera: Camera, images: dict[str, StoredImage], taken_by: Camera | None = None) -> Observation:
        """Other images of the same moment, without checks: a crop may well hold no depth and nothing of the mask."""
        made = object.__new__(type(self))
        left_out = (self.left_out | self._images.keys()) - images.keys()
        made._set(camera, images, camera if taken_by is None else taken_by, self.notes, left_out)
        return made

    @classmethod
    def load(
        cls,
        camera: Camera | str | Path,
        *,
        rgb: str | Path | None = None,
        depth: str | Path | None = None,
        mask: str | Path | None = None,
        depth_scale: float | None = None,
        depth_rectified: bool = False,
        image_id: int | None = None,
    ) -> Observation:
        """Reads image files, and with them the camera's, if that is a file; .npy will do as well.

        Args:
            camera: of these images, or its file (see `load_camera`), whose depth_scale then holds for integers.
            rgb: 8-bit or grey 16-bit image file; an opaque alpha channel is dropped.
            depth: single-channel image file, integers with `depth_scale` or float metres.
            mask: image, .npy, .json or .txt file, of which `diffdope.io.masks` says what is the object.
            depth_scale: METRES per stored unit of depth; wins over the camera's file.
            depth_rectified: as the constructor takes it.
            image_id: which entry of a scene_camera.json, which image of a mask's .json, if several.

        Raises:
            DiffDopeError: if a file is missing or no image, or for what the constructor and `load_camera` refuse.
        """
        taken_by, images = images_of(camera, rgb, depth, mask, depth_scale=depth_scale, image_id=image_id)
        return cls(taken_by, depth_rectified=depth_rectified, **images)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Which of "rgb", "depth" and "mask" there are; looking at them would convert the whole image."""
        return tuple(name for name in ("rgb", "depth", "mask") if name in self._images)

    @property
    def rgb(self) -> F32 | None:
        """Colours (H, W, 3) in [0, 1], or None."""
        return self._floats("rgb")

    @property
    def depth(self) -> F32 | None:
        """Metres along the optical axis (H, W), 0 where missing, or None."""
        return self._floats("depth")

    @property
    def mask(self) -> F32 | None:
        """Shares of pixels (H, W) that are the object's, in [0, 1], or None."""
        return self._floats("mask")

    @property
    def is_grey(self) -> bool:
        """Whether the photograph has no colours: one channel, or three that are equal."""
        return "rgb" in self._images and self._images["rgb"].is_grey

    def _floats(self, name: str) -> F32 | None:
        return self._images[name].floats if name in self._images else None

    @cached_property
    def mask_box(self) -> tuple[float, float, float, float] | None:
        """Pixels (x0, y0, x1, y1) between which the mask is not 0; None without a mask, or for one that is empty."""
        if "mask" not in self._images:
            return None
        mask = self._images["mask"].values
        numbers = mask.view(np.uint8) if mask.dtype == np.bool_ else mask  # of which the largest are found far faster
        rows = np.flatnonzero(numbers.max(axis=1))
        if len(rows) == 0:
            return None
        columns = np.flatnonzero(numbers[rows[0] : rows[-1] + 1].max(axis=0))
        return float(columns[0]), float(rows[0]), float(columns[-1]), float(rows[-1])

    @property
    def is_sparse(self) -> bool:
        """Whether depth is of single points or lines, as a lidar's."""
        return "depth" in self._images and self._images["depth"].is_sparse

    @cached_property
    def surfaces(self) -> Observation:
        """The same images; depth that is sparse, continued from each point to the pixels that are nearest to it."""
        if not self.is_sparse:
            return self
        from diffdope.scene.sparse_depth import filled

        return self._with("depth", StoredImage(filled(self._images["depth"].floats)))

    def with_mask(self, mask: ArrayLike) -> Observation:
        """The same images with another mask; they are shared, not copied and checked again.

        Args:
            mask: (H, W), as the constructor takes it: of the picture as the lens drew it, where there is a distortion.

        Raises:
            DiffDopeError: for what the constructor refuses of a mask.
        """
        taken = checked_mask(as_array("mask", mask), self.taken_by)
        images = {**self._images, **rectified({"mask": taken}, self.taken_by)}
        made = self._of(self.camera, images, self.taken_by)
        kept = (note for note in self.notes if code_of(note) is not NoteCode.MASK_INVERTED)
        object.__setattr__(made, "notes", (*kept, *notes_on_mask(images)))
        return made

    @property
    def others(self) -> F32 | None:
        """Depth (H, W) of other objects as drawn, metres, 0 where there is none; None where nothing is known of any."""
        return self._floats("others")

    def with_others(self, depth_m: ArrayLike) -> Observation:
        """The same images, and what is known of other objects: where one is nearer, the object is hidden.

        Args:
            depth_m: (H, W) float metres, of the nearest of them as drawn by the pinhole `camera`, 0 for none; an array
                of float32 is given away, not copied.

        Raises:
            DiffDopeError: if it has another shape, holds anything but finite numbers of at least 0, or if those look
                like millimetres.
        """
        depth = as_array("depth_m", depth_m)
        check_shape("depth_m", depth, (self.camera.height, self.camera.width))
        check_drawn_depth("depth_m", depth)
        stored = StoredImage(np.ascontiguousarray(depth, np.float32))
        return self._with("others", stored)

    def without_mask(self) -> Observation:
        """The same images, and nothing that says which pixels are the object's."""
        return self._without("mask")

    def without_depth(self) -> Observation:
        """The same images without depth."""
        return self._without("depth")

    def without_rgb(self) -> Observation:
        """The same images without colours."""
        return self._without("rgb")

    def with_rgb(self, rgb: F32) -> Observation:
        """The same images with other colours; nothing is checked again.

        Args:
            rgb: (H, W, 3) float32, which may leave [0, 1].
        """
        return self._with("rgb", StoredImage(np.ascontiguousarray(rgb, np.float32)))

    def with_shares(self, shares: F32) -> Observation:
        """The same images with a mask of shares; nothing is checked.

        Args:
            shares: (H, W) float32 in [0, 1].
        """
        return self._with("mask", StoredImage(np.ascontiguousarray(shares, np.float32)))

    def _with(self, name: str, image: StoredImage) -> Observation:
        return self._of(self.camera, {**self._images, name: image}, self.taken_by)

    def _without(self, name: str) -> Observation:
        return self._of(self.camera, {key: one for key, one in self._images.items() if key != name}, self.taken_by)

    def in_mirror(self) -> Observation:
        """The same images as a mirrored camera sees them: columns in reverse."""
        camera = replace(self.camera, cx=self.camera.width - 1.0 - self.camera.cx)
        return self._of(camera, {name: image.in_mirror() for name, image in self._images.items()})

    def crop(self, window: CropWindow) -> Observation:
        """The part in a window, each k x k block of pixels reduced to one.

        Colours and mask are averaged. Depth is the mean of the block's samples close to their median, so that
        it never mixes two surfaces; it is missing where fewer than half of the block's pixels have one, or, of depth
        that is sparse, none.

        Args:
            window: a part of this image.

        Raises:
            DiffDopeError: if the window leaves the image.
        """
        camera = window.camera(self.camera)
        reduced = {
            name: image.depth(window) if name in _DEPTHS else image.mean(window) for name, image in self._images.items()
        }
        return self._of(camera, reduced)

    def __repr__(self) -> str:
        return f"Observation({self.camera.width} x {self.camera.height}, {' + '.join(self.modalities)})"
