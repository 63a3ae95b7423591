"""Between a viewer's screen and the photograph: rays, pixels, boxes, fields of view."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.annotate.snap import Box
from diffdope.geometry.camera import Camera
from diffdope.geometry.so3 import exp, matrix_from_wxyz
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.viz.compose import to_bytes

F64 = NDArray[np.float64]

UPRIGHT = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Models stand along their z; in a picture, up is -y. Then x points right and y away from the viewer."""
# How pictures of models are taken: three sides of a box show, and the top the least.
_FROM_ABOVE, _FROM_ASIDE = np.radians(25.0), np.radians(30.0)
_MARGIN = 1.06  # of the photograph, around it on the screen
_LEAST_BOX = 4.0  # pixels: smaller ones are clicks


def pixel_on(camera: Camera, origin_c: F64, direction_c: F64, depth_m: float) -> tuple[float, float] | None:
    """The pixel in which a ray meets the photograph; None where it passes beside it.

    Args:
        camera: of the photograph.
        origin_c: (3,) where the ray begins, in the camera's frame.
        direction_c: (3,) of any length.
        depth_m: of the plane in which the photograph is shown.
    """
    if direction_c[2] <= 0.0:
        return None
    length = (depth_m - origin_c[2]) / direction_c[2]
    u, v = camera.project(origin_c + length * direction_c)
    inside = -0.5 <= u <= camera.width - 0.5 and -0.5 <= v <= camera.height - 0.5
    return (float(u), float(v)) if inside and length > 0.0 else None


def box_on(corners: Sequence[tuple[float, float] | None]) -> Box | None:
    """x, y, width and height between two pixels; None where one is missing, or they are closer than a box."""
    found = [corner for corner in corners if corner is not None]
    if len(found) != 2:
        return None
    (u0, v0), (u1, v1) = found
    width, height = abs(u1 - u0), abs(v1 - v0)
    if min(width, height) < _LEAST_BOX:
        return None
    return min(u0, u1), min(v0, v1), width, height


def ray_to(x: float, y: float, *, wxyz: ArrayLike, fov: float, aspect: float) -> F64:
    """Direction (3,) of the ray to a place on the screen.

    Args:
        x: from 0 at the left to 1 at the right.
        y: from 0 at the top to 1 at the bottom.
        wxyz: of the viewer (OpenCV axes) in the camera's frame.
        fov: vertical field of view, radians.
        aspect: width of the screen by its height.
    """
    half = np.tan(0.5 * fov)
    own = np.array([(2.0 * x - 1.0) * half * aspect, (2.0 * y - 1.0) * half, 1.0])
    return np.asarray(matrix_from_wxyz(wxyz) @ own)


def middle_of(camera: Camera) -> F64:
    """Direction (3,) to the middle of the image, which need not be the optical axis."""
    u, v = 0.5 * (camera.width - 1), 0.5 * (camera.height - 1)
    return np.array([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, 1.0])


def fitting_fov(camera: Camera, aspect: float, share: float = 1.0) -> float:
    """Vertical field of view, radians, in which a share of the image fits on a screen."""
    height = camera.height / camera.fy
    width = camera.width / camera.fx / max(aspect, 1e-3)
    return float(2.0 * np.arctan(0.5 * _MARGIN * share * max(height, width)))


def thumbnail(mesh: Mesh) -> NDArray[np.uint8]:
    """The object, standing upright, from a little above and beside: (80, 240, 3), on white."""
    width, height = 240, 80
    camera = Camera(2.0 * height, 2.0 * height, 0.5 * (width - 1), 0.5 * (height - 1), width, height)
    R = exp([_FROM_ABOVE, 0.0, 0.0]) @ UPRIGHT @ exp([0.0, 0.0, _FROM_ASIDE])
    away = np.array([0.0, 0.0, 4.6 * mesh.radius_m])  # the ball around it just fits in
    images = Renderer(mesh, camera).render(R, away - R @ mesh.center_m)
    covered = np.clip(np.asarray(images.coverage[0], np.float64), 0.0, 1.0)[..., None]
    if mesh.has_color:
        drawn = np.asarray(images.rgb[0], np.float64)
    else:
        depth = np.where(covered[..., 0] > 0.5, images.depth[0], np.nan)
        near = (away[2] + mesh.radius_m - depth) / (2.0 * mesh.radius_m)
        drawn = np.repeat(np.nan_to_num(0.15 + 0.6 * near)[..., None] * covered, 3, axis=2)
    return to_bytes(drawn + 1.0 - covered)
