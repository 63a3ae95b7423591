"""The renderer's public face: B poses of one mesh into one crop, and back from images to poses."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.errors import check_finite, check_shape, check_type, expected
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.render.arrays import pinhole_of
from diffdope.render.buffers import Buffers
from diffdope.render.kernels.calls import call_entry
from diffdope.render.kernels.images import backward_pose, render_poses
from diffdope.render.scratches import Lease
from diffdope.scene.mesh import Mesh

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


class RenderedImages(NamedTuple):
    """B renderings.

    rgb (B, H, W, 3): antialiased, over black; composite over your own background with `rgb + (1 - coverage) * it`.
    depth (B, H, W): metres, 0 where nothing is drawn. coverage (B, H, W): antialiased, 1 inside the object; it may
    leave [0, 1] a little where the object is thinner than a pixel. triangle_id (B, H, W): -1 where nothing is drawn.
    """

    rgb: F32
    depth: F32
    coverage: F32
    triangle_id: NDArray[np.int32]


class Renderer:
    """Renders poses of `mesh` as seen by `camera`, and turns image gradients into pose gradients.

    Keep it: its buffers are allocated once. Any number of threads may call it at a time.

    Args:
        mesh: the object.
        camera: gives the size of the images.
        threads: None for the library setting (all cores unless `set_threads` said otherwise).
        buffers: share those of another renderer or refiner of the same mesh, instead of making new ones.

    Raises:
        DiffDopeError: if an argument is of another type, or `threads` below 1.
    """

    def __init__(
        self, mesh: Mesh, camera: Camera, *, threads: int | None = None, buffers: Buffers | None = None
    ) -> None:
        check_type("mesh", mesh, Mesh)
        check_type("camera", camera, Camera)
        if camera.distortion is not None:
            cure = "give camera.rectified, which is what observations are compared through"
            raise expected("camera", "a pinhole", "a camera with lens distortion", cure)
        self.mesh = mesh
        self.camera = camera
        self._buffers = buffers or Buffers(mesh, threads=threads)
        self._view = pinhole_of(camera)

    def render(self, R_m2c: ArrayLike, t_m2c: ArrayLike) -> RenderedImages:
        """Renders B poses.

        Args:
            R_m2c: rotations (B, 3, 3) or (3, 3).
            t_m2c: translations (B, 3) or (3,), metres.

        Raises:
            DiffDopeError: if a shape is wrong or a number is not finite.
        """
        R, t = pose_batch(R_m2c, t_m2c)
        b, h, w = len(R), self.camera.height, self.camera.width
        images = RenderedImages(
            np.empty((b, h * w, 3), np.float32), np.empty((b, h * w), np.float32),
            np.empty((b, h * w), np.float32), np.empty((b, h * w), np.int32),
        )  # fmt: skip

        shared = (self._buffers.addresses, self._buffers.arrays, self._view)

        with self._lease(b) as scratch:

            def work(worker: int, first: int, last: int) -> None:
                call_entry(render_poses, *shared, R, t, first, last, scratch[worker], *images)

            self._buffers.pool.run(work, b, self._passes(b))
        return RenderedImages(
            images.rgb.reshape(b, h, w, 3), images.depth.reshape(b, h, w),
            images.coverage.reshape(b, h, w), images.triangle_id.reshape(b, h, w),
        )  # fmt: skip

    def backward(
        self,
        R_m2c: ArrayLike,
        t_m2c: ArrayLike,
        *,
        d_rgb: ArrayLike | None = None,
        d_depth: ArrayLike | None = None,
        d_coverage: ArrayLike | None = None,
    ) -> F64:
        """Pose gradients of any cost, from its derivatives by the images that `render` returned for these poses.

        Args:
            R_m2c: rotations (B, 3, 3) or (3, 3).
            t_m2c: translations (B, 3) or (3,), metres.
            d_rgb: d cost / d rgb (B, H, W, 3), None for zero.
            d_depth: d cost / d depth (B, H, W), per metre.
            d_coverage: d cost / d coverage (B, H, W).

        Returns:
            Gradient (B, 6) in the tangent order (rho [1/m], phi [1/rad]): R <- Exp(phi) R, t <- t + rho.

        Raises:
            DiffDopeError: if a shape is wrong or a number is not finite.
        """
        R, t = pose_batch(R_m2c, t_m2c)
        rgb = self._upstream("d_rgb", d_rgb, len(R), (3,))
        depth = self._upstream("d_depth", d_depth, len(R), ())
        coverage = self._upstream("d_coverage", d_coverage, len(R), ())
        gradient = np.zeros((len(R), 6))

        shared = (self._buffers.addresses, self._buffers.arrays, self._view)

        with self._lease(len(R)) as scratch:

            def work(worker: int, first: int, last: int) -> None:
                for i in range(first, last):
                    upstream = (rgb[i], depth[i], coverage[i])
                    call_entry(backward_pose, *shared, R[i], t[i], scratch[worker], *upstream, gradient[i])

            self._buffers.pool.run(work, len(R), self._passes(len(R)))
        return gradient

    def _lease(self, b: int) -> Lease:
        workers = self._buffers.pool.workers(b, self._passes(b))
        return self._buffers.lease(self.camera.width, self.camera.height, workers)

    def _passes(self, b: int) -> int:
        return b * self._buffers.passes(self.camera.width, self.camera.height)

    def _upstream(self, name: str, values: ArrayLike | None, b: int, last: tuple[int, ...]) -> F32:
        h, w = self.camera.height, self.camera.width
        if values is None:
            return np.zeros((b, h * w, *last), np.float32)
        array = np.asarray(values, np.float32)
        if array.ndim == 2 + len(last):
            array = array[None]
        check_shape(name, array, (b, h, w, *last))
        check_finite(name, array)
        return np.ascontiguousarray(array).reshape(b, h * w, *last)


def draw(buffers: Buffers, camera: Camera, pose: Pose) -> RenderedImages:
    """One pose as `Renderer.render` draws it, in the calling thread; for those that know their arguments are right."""
    h, w = camera.height, camera.width
    images = RenderedImages(
        np.empty((1, h, w, 3), np.float32), np.empty((1, h, w), np.float32), np.empty((1, h, w), np.float32),
        np.empty((1, h, w), np.int32),
    )  # fmt: skip
    with buffers.lease(w, h) as scratch:
        call_entry(
            render_poses, buffers.addresses, buffers.arrays, pinhole_of(camera), pose.R_m2c[None].astype(np.float32),
            pose.t_m2c[None].astype(np.float32), 0, 1, scratch[0], images.rgb.reshape(1, h * w, 3),
            images.depth.reshape(1, h * w), images.coverage.reshape(1, h * w), images.triangle_id.reshape(1, h * w),
        )  # fmt: skip
    return images


def pose_batch(R_m2c: ArrayLike, t_m2c: ArrayLike) -> tuple[F32, F32]:
    """Poses as float32 batches (B, 3, 3) and (B, 3), checked."""
    # Copies: what the caller or another thread writes into theirs must not reach the kernels unchecked.
    R, t = np.array(R_m2c, np.float32, order="C"), np.array(t_m2c, np.float32, order="C")
    R, t = (R[None] if R.ndim == 2 else R), (t[None] if t.ndim == 1 else t)
    check_shape("R_m2c", R, (len(t), 3, 3))
    check_shape("t_m2c", t, (len(t), 3))
    check_finite("R_m2c", R)
    check_finite("t_m2c", t)
    return R, t
