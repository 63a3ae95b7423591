"""A pose drawn over the images that it was found in, in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.errors import check_type
from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import CropWindow, choose_crop
from diffdope.geometry.pose import Pose, PoseLike, as_pose
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.viz.on_original import outlined_original
from diffdope.viz.overlay import RenderedView, overlay_image

if TYPE_CHECKING:
    from diffdope.pipelines.result import RefinementResult

_LONGEST_SIDE = 640  # of a whole image, of which there are two side by side


def overlay(
    mesh: Mesh, observation: Observation, result: RefinementResult | PoseLike, *, original: ArrayLike | None = None
) -> NDArray[np.uint8]:
    """Draws a result over its images: before and after, outline, blend and depth differences.

    Args:
        mesh: the object.
        observation: what it was compared with.
        result: of a refinement, or a pose alone (a `Pose`, or a matrix (4, 4), metres), which is drawn in the whole
            image.
        original: the photograph as the lens took it, (H, W, 3) or (H, W), where it has distortion: the picture is then
            that one with the outline in it.

    Returns:
        (H, W, 3) uint8, for `PIL.Image.fromarray` or a notebook.

    Raises:
        DiffDopeError: if an argument is of another type or size.
    """
    check_type("mesh", mesh, Mesh)
    check_type("observation", observation, Observation)
    pose = as_pose("result", getattr(result, "pose", result), "a RefinementResult, a Pose or a matrix (4, 4)")
    if original is not None:
        return outlined_original(original, mesh, observation.taken_by, pose)
    window = getattr(result, "window", None) or whole_window(observation.camera)
    start = getattr(result, "initial_pose", None)
    crop = observation.crop(window)
    poses = [pose] if start is None else [start, pose]
    titles = ["pose"] if start is None else ["start", f"refined: {getattr(result, 'status', '')}"]
    views = [view_of(mesh, crop.camera, one, title) for one, title in zip(poses, titles, strict=True)]
    return overlay_image(backdrop_of(crop), views, observed_depth=crop.depth)


def whole_window(camera: Camera) -> CropWindow:
    """The whole image, reduced to a size for looking at."""
    whole = (0.0, 0.0, camera.width - 1.0, camera.height - 1.0)
    return choose_crop([whole], camera, margin=0.0, max_size=_LONGEST_SIDE)


def view_of(mesh: Mesh, camera: Camera, pose: Pose, title: str = "") -> RenderedView:
    """One rendering."""
    images = Renderer(mesh, camera).render(pose.R_m2c, pose.t_m2c)
    return RenderedView(images.rgb[0] if mesh.has_color else None, images.coverage[0], images.depth[0], title)


def backdrop_of(crop: Observation) -> NDArray[np.floating]:
    """What lies underneath: the photograph, or grey with the mask a little brighter."""
    if crop.rgb is not None:
        return crop.rgb
    mask = np.zeros((crop.camera.height, crop.camera.width)) if crop.mask is None else crop.mask
    return np.repeat((0.35 + 0.25 * mask)[..., None], 3, axis=2)
