"""Silhouettes of poses in a whole image, coarse, to tell which mask or instance a pose belongs to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh

_LONGEST_SIDE = 640  # pixels: larger pictures are compared as blocks


def stride_of(camera: Camera) -> int:
    """Every how many pixels an image is looked at."""
    return max(1, -(-max(camera.width, camera.height) // _LONGEST_SIDE))


def silhouette(mesh: Mesh, camera: Camera, pose: Pose) -> NDArray[np.bool_]:
    """Where the object is, at every k-th pixel of the image, k = `stride_of(camera)`: (ceil(H / k), ceil(W / k))."""
    k = stride_of(camera)
    width, height = -(-camera.width // k), -(-camera.height // k)
    # Pixel (k i, k j) of the image is pixel (i, j) here: the centres stay, nothing is averaged.
    coarse = Camera(camera.fx / k, camera.fy / k, camera.cx / k, camera.cy / k, width, height)
    images = Renderer(mesh, coarse, threads=1).render(pose.R_m2c, pose.t_m2c)
    return np.asarray(images.coverage[0] >= 0.5)
