"""Depth for VSD: of a mesh at pixel centres, without antialiasing, in a window around the poses that are compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.bop.metrics.pairs import PosePairs
from diffdope.bop.metrics.vsd import VSD_TAUS, vsd_errors
from diffdope.errors import as_floats, check_shape
from diffdope.geometry.camera import Camera
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh

F64 = NDArray[np.float64]
_NEAR_M = 1e-3  # nearer points are not drawn


class HardDepth:
    """Depth of one mesh; keep it, its buffers are made once. Not for two threads at a time.

    The renderer says which face a pixel's centre sees; where its ray meets that face's plane is computed here in
    float64. The renderer's own depth is blended along outlines, which would put points between two surfaces.

    Args:
        mesh: the object.
        threads: None for the library setting.
    """

    def __init__(self, mesh: Mesh, *, threads: int | None = 1) -> None:
        self.mesh = mesh
        # Without colours, which would be shaded for nothing.
        self._plain = replace(mesh, uv=None, texture=None, colors=None)
        self._buffers = Buffers(self._plain, threads=threads)

    def render(self, R_m2c: ArrayLike, t_m2c: ArrayLike, camera: Camera) -> F64:
        """Depths (B, H, W), metres, 0 where nothing is drawn, of poses R (B, 3, 3) and t (B, 3), metres."""
        R, t = as_floats("R_m2c", R_m2c).reshape(-1, 3, 3), as_floats("t_m2c", t_m2c).reshape(-1, 3)
        faces = Renderer(self._plain, camera, buffers=self._buffers).render(R, t).triangle_id
        depth_m = np.zeros(faces.shape)
        for image, face, R_b, t_b in zip(depth_m, faces, R, t, strict=True):
            x_c = self.mesh.vertices_m @ R_b.T + t_b
            _fill(image.reshape(-1), face.reshape(-1), x_c, self.mesh.faces, camera)
        return depth_m


def _fill(depth_m: F64, face: NDArray[np.int32], x_c: F64, faces: NDArray[np.int32], camera: Camera) -> None:
    """Writes the depths of the drawn pixels of a flat image, from the vertices in the camera's frame (V, 3)."""
    pixels = np.flatnonzero(face >= 0)
    which = face[pixels]
    v, u = np.divmod(pixels, camera.width)
    shown = np.flatnonzero(np.bincount(which, minlength=len(faces)))
    row = np.zeros(len(faces), np.int32)
    row[shown] = np.arange(len(shown))
    per_u, per_v, constant, least, largest = (part.take(row[which]) for part in _planes(x_c[faces[shown]], camera))
    # A face seen nearly edge-on may be drawn a hair beyond its border, where its plane is already far away.
    depth_m[pixels] = 1.0 / np.clip(per_u * u + per_v * v + constant, least, largest)


def _planes(corners: F64, camera: Camera) -> tuple[F64, F64, F64, F64, F64]:
    """1 / depth of faces (F, 3, 3), linear in the pixel: factors of u, v and 1; its least and largest value."""
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    # On the plane normal . x = height; with x = depth * ray, 1 / depth = normal . ray / height.
    height = np.einsum("ni,ni->n", normal, corners[:, 0])
    nx, ny, nz = normal.T / np.where(height == 0.0, np.inf, height)
    per_u, per_v = nx / camera.fx, ny / camera.fy
    constant = nz - per_u * camera.cx - per_v * camera.cy
    return per_u, per_v, constant, 1.0 / corners[:, :, 2].max(axis=1), 1.0 / corners[:, :, 2].min(axis=1)


def window_of(pairs: PosePairs, points_m: F64, camera: Camera) -> tuple[int, int, int, int] | None:
    """Left, top, width and height of the part of the image that holds the points in all the poses.

    None if no pixel does. All of the image if a point is beside or behind the camera.
    """
    R, t = np.concatenate([pairs.R_est, pairs.R_true]), np.concatenate([pairs.t_est, pairs.t_true])
    x_c = points_m @ np.swapaxes(R, 1, 2) + t[:, None]
    if x_c[..., 2].max() <= _NEAR_M:
        return None
    if x_c[..., 2].min() <= _NEAR_M:
        return 0, 0, camera.width, camera.height
    u, v = camera.project(x_c)
    # One pixel more, for the renderer works in float32.
    left, top = max(int(np.floor(u.min())) - 1, 0), max(int(np.floor(v.min())) - 1, 0)
    right = min(int(np.ceil(u.max())) + 1, camera.width - 1)
    bottom = min(int(np.ceil(v.max())) + 1, camera.height - 1)
    if right < left or bottom < top:
        return None
    return left, top, right - left + 1, bottom - top + 1


def vsd_of_poses(
    pairs: PosePairs,
    model: HardDepth,
    observed_depth_m: ArrayLike,
    camera: Camera,
    diameter_m: float,
) -> F64:
    """VSD of N pairs in one image, (N, T); a pair at a time, in the window around it, whose figure is the image's.

    Args:
        pairs: N estimates with their truths.
        model: of the mesh to draw.
        observed_depth_m: measured depth of the whole image (H, W), metres, 0 where missing.
        camera: of the whole image.
        diameter_m: of the model, metres.

    Raises:
        DiffDopeError: if the depth image has not the camera's size, or as `vsd_errors`.
    """
    observed = np.asarray(observed_depth_m)
    check_shape("observed_depth_m", observed, (camera.height, camera.width))
    result = np.ones((len(pairs), np.size(VSD_TAUS)))
    vertices_m = model.mesh.vertices_m
    for row in range(len(pairs)):
        pair = pairs[row : row + 1]
        window = window_of(pair, vertices_m, camera)
        if window is None:
            continue  # neither is in the image
        left, top, width, height = window
        crop = camera.crop(*window)
        poses = np.stack([pair.R_est[0], pair.R_true[0]]), np.stack([pair.t_est[0], pair.t_true[0]])
        estimate, truth = model.render(*poses, crop)
        seen = observed[top : top + height, left : left + width]
        result[row] = vsd_errors(estimate, truth, seen, crop, diameter_m)
    return result
