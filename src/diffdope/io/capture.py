"""The files of one moment: camera, photograph, depth and mask, read together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.geometry.camera import Camera
from diffdope.io.cameras import depth_scale_m, load_camera_of_image
from diffdope.io.images import read_depth, read_rgb
from diffdope.io.masks import BOX_NOTE, Mask, MaskFile
from diffdope.io.regions import mask_of_box


@dataclass(frozen=True, eq=False)
class Capture:
    """What the files hold, as `Observation` takes it: `Observation(capture.camera, **capture.images)`.

    Attributes:
        camera: of the images.
        rgb: (H, W, 3) or (H, W), in the file's number type, or None.
        depth: (H, W) integers or float metres, or None.
        mask: (H, W) bool, or None.
        depth_scale: METRES per unit of depth; None for float metres.
        notes: what a user should know about what was read.
    """

    camera: Camera
    rgb: NDArray[Any] | None
    depth: NDArray[Any] | None
    mask: NDArray[Any] | None
    depth_scale: float | None
    notes: tuple[str, ...] = ()

    @property
    def images(self) -> dict[str, Any]:
        """The images, the depth scale and the notes by name."""
        images = {"rgb": self.rgb, "depth": self.depth, "mask": self.mask, "depth_scale": self.depth_scale}
        return {**images, "notes": self.notes}


def read_capture(
    camera: str | Path,
    *,
    rgb: str | Path | None = None,
    depth: str | Path | None = None,
    mask: str | Path | None = None,
    depth_scale_mm: float | None = None,
    mask_label: int | None = None,
    mask_inverted: bool | None = None,
    box: tuple[float, float, float, float] | None = None,
    **how_camera: Any,
) -> Capture:
    """Reads camera and images; the size is that of the images where the camera's file has none.

    Args:
        camera: file of the camera: see `load_camera`.
        rgb: file of the photograph.
        depth: file of the depth image.
        mask: file of the mask: see `MaskFile`.
        depth_scale_mm: MILLIMETRES per unit of depth, as BOP's files have it; wins over the camera's file.
        mask_label: of the object, where the mask holds the labels of several.
        mask_inverted: see `MaskFile`.
        box: x, y, width, height around the object, pixels, in place of a mask.
        how_camera: image_id and the like: see `load_camera`.

    Raises:
        DiffDopeError: if there is no image, a file cannot be read, or depth has no scale and needs one.
    """
    images = {
        "rgb": None if rgb is None else read_rgb(rgb),
        "depth": None if depth is None else read_depth(depth),
    }
    shapes = [image.shape[:2] for image in images.values() if image is not None]
    size = (shapes[0][0], shapes[0][1]) if shapes else None
    found = _mask_of(mask, box, mask_label, mask_inverted, size, rgb, how_camera.get("image_id"))
    images["mask"] = None if found is None else found.pixels
    there = [image for image in images.values() if image is not None]
    if not there:
        raise expected("images", "at least one of --rgb, --depth and --mask", "none")
    model, file_mm = load_camera_of_image(camera, there[0].shape, **how_camera)
    scale = depth_scale_m(depth_scale_mm, file_mm, camera, depth=images["depth"])
    return Capture(
        model, **images, depth_scale=scale, notes=(*notes_on_lens(model), *(() if found is None else found.notes))
    )


def _mask_of(
    path: str | Path | None,
    box: tuple[float, float, float, float] | None,
    label: int | None,
    inverted: bool | None,
    size: tuple[int, int] | None,
    picture: str | Path | None,
    image_id: int | None,
) -> Mask | None:
    """The mask of a file or of a box."""
    if box is not None and path is not None:
        raise expected("box", "a box or a mask", "both", "leave one of them out")
    if box is not None:
        if size is None:
            raise expected("images", "--rgb or --depth beside --box", "none")
        return Mask(mask_of_box(box, size), (BOX_NOTE,))
    if path is None:
        return None
    file = MaskFile(Path(path), label, image_id, inverted)
    return file.read(size=size, picture=None if picture is None else str(picture))


def notes_on_lens(camera: Camera) -> list[str]:
    """That images are rectified, where they are, and what poses refer to."""
    if camera.distortion is None:
        return []
    pinhole = camera.rectified
    K = f"fx {pinhole.fx:g}, fy {pinhole.fy:g}, cx {pinhole.cx:g}, cy {pinhole.cy:g}"
    return [f"lens distortion ({camera.distortion.model}) was removed; poses refer to the pinhole with {K}"]
