"""The open entry: antialiased images of poses, and the pose gradient of upstream image gradients."""

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.accumulate import add_gradient, add_row_gradient
from diffdope.render.kernels.calls import prepare_at, shade_at
from diffdope.render.kernels.layout import (
    C_B,
    C_G,
    C_GB,
    C_GG,
    C_GR,
    C_GZ,
    C_R,
    C_Z,
    CHANNEL_COVERAGE,
    CHANNEL_DEPTH,
    CHUNK,
)
from diffdope.render.kernels.options import ENTRY, KERNEL
from diffdope.render.kernels.prepare import release_pose

ZERO, ONE = np.float32(0.0), np.float32(1.0)
FAINT = np.float32(1e-6)  # coverage below which a pixel has no depth


@njit(**KERNEL)
def clear_images(rgb, depth, coverage):
    """Images of nothing."""
    for pixel in range(coverage.size):
        rgb[pixel, 0] = rgb[pixel, 1] = rgb[pixel, 2] = depth[pixel] = coverage[pixel] = ZERO


@njit(**KERNEL)
def paint_chunk(f, first, count, with_color, rgb, depth, coverage):
    """Writes a chunk of shaded fragments, which cover their pixels fully."""
    c, pixels = f.chunk, f.pixel
    for i in range(count):
        pixel = pixels[first + i]
        depth[pixel], coverage[pixel] = c[C_Z + i], ONE
        if with_color:
            rgb[pixel, 0], rgb[pixel, 1], rgb[pixel, 2] = c[C_R + i], c[C_G + i], c[C_B + i]


@njit(**KERNEL)
def paint_rows(contours, n_rows, rgb, depth, coverage):
    """Writes the pixels next to a contour."""
    value, pixels = contours.value, contours.pixel
    for row in range(n_rows):
        pixel = pixels[row]
        covered = value[row, 4]
        for c in range(3):
            rgb[pixel, c] = value[row, c]
        coverage[pixel] = covered
        if covered > FAINT:
            depth[pixel] = value[row, 3] / covered


@njit(**ENTRY)
def render_poses(at, mesh, view, R, t, first, last, s, rgb, depth, coverage, face_id):
    """Writes flat images of poses first to last (excluded) of B, R (B, 3, 3) and t (B, 3).

    rgb (B, H*W, 3) premultiplied, depth (B, H*W) in metres, coverage, face_id. To hand over the mesh's arrays takes as
    long as to draw a small image, so one call draws them all.
    """
    with_color = mesh.skin.shading != 0
    for b in range(first, last):
        n, n_rows, used = prepare_at(at.prepare, mesh, view, R[b], t[b], s, at.shade, True)
        clear_images(rgb[b], depth[b], coverage[b])
        for pixel in range(face_id.shape[1]):
            face_id[b, pixel] = s.buffer.face[pixel]
        for begin in range(0, n, CHUNK):
            count = min(CHUNK, n - begin)
            shade_at(at.shade, mesh.skin, s.visible.planes, s.fragments, begin, count, with_color)
            paint_chunk(s.fragments, begin, count, with_color, rgb[b], depth[b], coverage[b])
        paint_rows(s.contours, n_rows, rgb[b], depth[b], coverage[b])
        release_pose(view, s, used)


@njit(**ENTRY)
def backward_pose(at, mesh, view, R, t, s, d_rgb, d_depth, d_coverage, gradient):
    """Gradient (6,) in (rho, phi) from d cost / d (rgb, depth, coverage) of the images of `render_poses`."""
    n, n_rows, used = prepare_at(at.prepare, mesh, view, R, t, s, at.shade, True)
    f, jacobian, value = s.fragments, s.contours.jacobian, s.contours.value
    for k in range(6):
        gradient[k] = 0.0
    with_color = mesh.skin.shading != 0
    for first in range(0, n, CHUNK):
        count = min(CHUNK, n - first)
        shade_at(at.shade, mesh.skin, s.visible.planes, f, first, count, with_color)
        for i in range(count):
            pixel = f.pixel[first + i]
            f.chunk[C_GZ + i] = d_depth[pixel]
            f.chunk[C_GR + i], f.chunk[C_GG + i], f.chunk[C_GB + i] = (
                d_rgb[pixel, 0],
                d_rgb[pixel, 1],
                d_rgb[pixel, 2],
            )
        add_gradient(view, t, f.chunk, count, with_color, gradient)
    for row in range(n_rows):
        pixel = s.contours.pixel[row]
        for c in range(3):
            add_row_gradient(jacobian, row, c, d_rgb[pixel, c], gradient)
        by_coverage = d_coverage[pixel]
        covered = value[row, 4]
        if covered > FAINT:  # depth is premultiplied depth over coverage
            by_depth = d_depth[pixel] / covered
            add_row_gradient(jacobian, row, CHANNEL_DEPTH, by_depth, gradient)
            by_coverage -= by_depth * value[row, 3] / covered
        add_row_gradient(jacobian, row, CHANNEL_COVERAGE, by_coverage, gradient)
    release_pose(view, s, used)
