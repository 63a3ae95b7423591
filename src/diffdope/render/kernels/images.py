"""The open entry: antialiased images of one pose, and the pose gradient of upstream image gradients."""

import numpy as np
from numba import njit

from diffdope.render.kernels.accumulate import add_gradient, add_row_gradient
from diffdope.render.kernels.blend import blend_contours, collect_fragments, release_rows
from diffdope.render.kernels.contour import find_contours, release_pairs
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
from diffdope.render.kernels.options import ENTRY, KERNEL, STAGE
from diffdope.render.kernels.raster import project_vertices, rasterise, turn_faces
from diffdope.render.kernels.shade import shade_chunk
from diffdope.render.kernels.visible import list_covered, read_blocks, release_covered, setup_visible_faces

ZERO, ONE = np.float32(0.0), np.float32(1.0)
FAINT = np.float32(1e-6)  # coverage below which a pixel has no depth


@njit(**STAGE)
def prepare_pose(mesh, view, R, t, s):
    """Visibility and contours of one pose: fragments, contour rows, and what `release_pose` wants to know."""
    left, right, top, bottom, some_behind = project_vertices(mesh.shape, view, R, t, s.screen)
    turn_faces(mesh.shape, R, t, s.screen, some_behind)
    n_drawn = rasterise(mesh.shape, view, s.screen, s.buffer.blocks)
    read_blocks(view, left, right, top, bottom, s.buffer)
    n_covered, n_slots = list_covered(view, left, right, top, bottom, s.buffer.face, s.screen.drawn, n_drawn, s.visible)
    setup_visible_faces(mesh.shape.faces, mesh.skin, s.screen, s.visible, n_slots)
    n_pairs = find_contours(mesh.edges, view, mesh.shape.closed, s.screen, s.buffer, s.pairs)
    n_rows = blend_contours(
        mesh.skin, mesh.edges.vertices, view, t, s.screen, s.buffer.face, s.visible, s.fragments, s.pairs, s.contours,
        n_pairs,
    )  # fmt: skip
    n = collect_fragments(view, s.buffer.face, s.visible, n_covered, s.contours.row, s.fragments)
    return n, n_rows, (n_covered, n_slots, n_pairs, n_rows)


@njit(**STAGE)
def release_pose(view, s, used):
    """Leaves the scratch clean for the next pose."""
    n_covered, n_slots, n_pairs, n_rows = used
    release_pairs(view, s.pairs, n_pairs)
    release_rows(s.contours, n_rows)
    release_covered(s.buffer.face, s.visible, n_covered, n_slots)


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
def render_pose(mesh, view, R, t, s, rgb, depth, coverage, face_id):
    """Writes flat images: rgb (H*W, 3) premultiplied, depth (H*W,) in metres, coverage, face_id."""
    n, n_rows, used = prepare_pose(mesh, view, R, t, s)
    clear_images(rgb, depth, coverage)
    for pixel in range(face_id.size):
        face_id[pixel] = s.buffer.face[pixel]
    with_color = mesh.skin.shading != 0
    for first in range(0, n, CHUNK):
        count = min(CHUNK, n - first)
        shade_chunk(mesh.skin, s.visible.planes, s.fragments, first, count, with_color)
        paint_chunk(s.fragments, first, count, with_color, rgb, depth, coverage)
    paint_rows(s.contours, n_rows, rgb, depth, coverage)
    release_pose(view, s, used)


@njit(**ENTRY)
def backward_pose(mesh, view, R, t, s, d_rgb, d_depth, d_coverage, gradient):
    """Gradient (6,) in (rho, phi) from d cost / d (rgb, depth, coverage) of the images of `render_pose`."""
    n, n_rows, used = prepare_pose(mesh, view, R, t, s)
    f, jacobian, value = s.fragments, s.contours.jacobian, s.contours.value
    for k in range(6):
        gradient[k] = 0.0
    with_color = mesh.skin.shading != 0
    for first in range(0, n, CHUNK):
        count = min(CHUNK, n - first)
        shade_chunk(mesh.skin, s.visible.planes, f, first, count, with_color)
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
