"""What is left between the images and a rendering: colours, depth, silhouette against mask."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.crop import CropWindow
from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.viz.compose import Image, caption, color_bar, enlarge, signed_map, stacked, to_bytes
from diffdope.viz.draw import view_of, whole_window
from diffdope.viz.overlay import RenderedView, depth_difference_mm, depth_limit_mm, depth_panel

_WIDTH = 420  # pixels of a picture, about
_ONLY_DRAWN, _ONLY_SEEN, _BOTH = (0.95, 0.25, 0.2), (0.1, 0.55, 1.0), (0.55, 0.55, 0.55)
_COLOR_LIMIT = 0.5  # of differences of colours in [0, 1]: light alone makes a quarter


def residual_pictures(
    mesh: Mesh, observation: Observation, pose: Pose, window: CropWindow | None = None
) -> Mapping[str, NDArray[np.uint8]]:
    """The residuals that the images have, by name: "colours", "depth" and "mask", each (H, W, 3).

    Args:
        mesh: the object.
        observation: the whole image.
        pose: of the object.
        window: the part of the image that is shown; None for all of it.
    """
    crop = observation.crop(window or whole_window(observation.camera))
    view = view_of(mesh, crop.camera, pose)
    factor = max(1, round(_WIDTH / crop.camera.width))
    pictures: dict[str, Image] = {}
    if crop.rgb is not None and view.rgb is not None:
        pictures["colours"] = _colors(view, np.asarray(crop.rgb, np.float64), factor)
    if crop.depth is not None:
        difference = depth_difference_mm(view, crop.depth)
        pictures["depth"] = depth_panel(difference, depth_limit_mm([difference]), factor)
    if crop.mask is not None:
        pictures["mask"] = _mask(view, np.asarray(crop.mask, np.float64), factor)
    return {name: to_bytes(picture) for name, picture in pictures.items()}


def _colors(view: RenderedView, photo: Image, factor: int) -> Image:
    """Drawn less photographed brightness, blue to red, where the object covers the pixel."""
    assert view.rgb is not None
    covered = np.asarray(view.coverage, np.float64)
    drawn = np.asarray(view.rgb, np.float64) / np.maximum(covered, 1e-3)[..., None]
    picture = signed_map((drawn - photo).mean(axis=2), _COLOR_LIMIT, covered > 0.5)
    picture = np.repeat(np.repeat(picture, factor, 0), factor, 1)
    bar = color_bar(picture.shape[1], "darker", "brighter")
    return caption(stacked(bar, picture, gap=0), "rendered - photographed brightness", size=13)


def _mask(view: RenderedView, mask: Image, factor: int) -> Image:
    """Where only the rendering is, only the mask, or both."""
    drawn = np.clip(np.asarray(view.coverage, np.float64), 0.0, 1.0)[..., None]
    seen = np.clip(mask, 0.0, 1.0)[..., None]
    parts = ((drawn * (1.0 - seen), _ONLY_DRAWN), (seen * (1.0 - drawn), _ONLY_SEEN), (seen * drawn, _BOTH))
    picture = 0.08 + np.asarray(sum(weight * (np.asarray(color) - 0.08) for weight, color in parts))
    return caption(enlarge(picture, factor), "red: rendered only; blue: mask only", size=13)
