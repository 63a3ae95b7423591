"""A pose drawn into the picture as the lens took it, with its distortion."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.errors import as_array, check_shape
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.render.renderer import Renderer
from diffdope.scene.image_checks import checked_rgb
from diffdope.scene.mesh import Mesh
from diffdope.viz.compose import GREEN, contour, to_bytes

F64 = NDArray[np.float64]


def coverage_through_lens(mesh: Mesh, camera: Camera, pose: Pose) -> F64:
    """The silhouette (H, W) as the lens shows it: that of the rectified pinhole, bent.

    Args:
        mesh: the object.
        camera: with its distortion, or a pinhole.
        pose: in the rectified camera.
    """
    pinhole = camera.rectified
    drawn = np.asarray(Renderer(mesh, pinhole).render(pose.R_m2c, pose.t_m2c).coverage[0], np.float64)
    if camera.distortion is None:
        return drawn
    from scipy.ndimage import map_coordinates

    u, v = pinhole.project(camera.back_project(np.ones((camera.height, camera.width))))
    places = np.stack([np.nan_to_num(v, nan=-9.0), np.nan_to_num(u, nan=-9.0)])
    return np.asarray(map_coordinates(drawn, places, order=1, cval=0.0), np.float64)


def outlined_original(rgb: ArrayLike, mesh: Mesh, camera: Camera, pose: Pose) -> NDArray[np.uint8]:
    """The picture that was taken, with the object's outline where the lens shows it.

    Args:
        rgb: (H, W, 3) or (H, W), as `Observation` takes it, not rectified.
        mesh: the object.
        camera: with its distortion.
        pose: as a result has it: in the rectified camera.

    Returns:
        (H, W, 3) uint8.

    Raises:
        DiffDopeError: if the picture is not of the camera's size.
    """
    photo = np.asarray(checked_rgb(as_array("rgb", rgb), camera)[0].floats, np.float64)
    check_shape("rgb", photo, (camera.height, camera.width, 3))
    return to_bytes(contour(photo, coverage_through_lens(mesh, camera, pose), color=GREEN, thickness=2.0))
