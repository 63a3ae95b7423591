"""The edge modality: gradient magnitude of the composite's intensity against that of the observation.

The composite's intensity is the observed one plus the mean colour residual, so one plane of residuals is all that
has to be stored. The derivative goes back through the magnitude and the Sobel stencil to that plane.
"""

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.accumulate import add_gradient, add_outer, add_row_gradient, mirror_lower
from diffdope.render.kernels.calls import prepare_at, shade_at
from diffdope.render.kernels.layout import (
    C_B,
    C_BU,
    C_BV,
    C_G,
    C_GB,
    C_GG,
    C_GR,
    C_GU,
    C_GV,
    C_GZ,
    C_R,
    C_RU,
    C_RV,
    C_X,
    C_Y,
    C_Z,
    CHANNEL_COVERAGE,
    CHUNK,
)  # fmt: skip
from diffdope.render.kernels.motion import fixed_pixel_row, torque
from diffdope.render.kernels.options import CALLED, ENTRY, KERNEL, SCALAR
from diffdope.render.kernels.prepare import release_pose
from diffdope.terms.layout import EDGE
from diffdope.terms.losses import capped_l1

ZERO, ONE = np.float32(0.0), np.float32(1.0)
THIRD, TWO, EIGHTH = np.float32(1.0 / 3.0), np.float32(2.0), np.float32(0.125)
SMOOTH = np.float32(1e-6)  # keeps the magnitude differentiable where the image is flat


@njit(**SCALAR)
def sobel(a, b, c, d, e, f, g, h):
    """Horizontal and vertical slope from the eight neighbours, row by row (no centre)."""
    gx = (c - a) + TWO * (e - d) + (h - f)
    gy = (f - a) + TWO * (g - b) + (h - c)
    return gx * EIGHTH, gy * EIGHTH


@njit(**ENTRY)
def magnitude_image(intensity, width, height, out):
    """Gradient magnitude of a flat image, into `out`; its border is left alone."""
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            p = y * width + x
            gx, gy = slopes_at(intensity, p, width)
            out[p] = np.sqrt(gx * gx + gy * gy + SMOOTH)


@njit(**SCALAR)
def slopes_at(i, p, w):
    """Sobel slopes of a flat image at an inner pixel."""
    return sobel(i[p - w - 1], i[p - w], i[p - w + 1], i[p - 1], i[p + 1], i[p + w - 1], i[p + w], i[p + w + 1])


@njit(**KERNEL)
def clear_intensity(view, planes, with_normal):
    """Residual planes start at zero: where nothing is drawn, the composite is the observation."""
    for p in range(view.width * view.height):
        planes.residual[p] = planes.upstream[p] = planes.by_coverage[p] = ZERO
        if with_normal:
            for k in range(6):
                planes.jacobian[p, k] = ZERO


@njit(**KERNEL)
def chunk_jacobian(view, t, f, jacobian, first, count):
    """Jacobian of the mean colour of a chunk of fragments."""
    c = f.chunk
    for i in range(count):
        z = c[C_Z + i]
        xn, yn = (c[C_X + i] - view.cx) / view.fx, (c[C_Y + i] - view.cy) / view.fy
        su = (c[C_RU + i] + c[C_GU + i] + c[C_BU + i]) * THIRD
        sv = (c[C_RV + i] + c[C_GV + i] + c[C_BV + i]) * THIRD
        r0, r1, r2 = fixed_pixel_row(su, sv, view.fx, view.fy, xn, yn, z)
        q0, q1, q2 = torque(xn * z - t[0], yn * z - t[1], z - t[2], r0, r1, r2)
        pixel = f.pixel[first + i]
        row = (r0, r1, r2, q0, q1, q2)
        for k in range(6):
            jacobian[pixel, k] = row[k]


@njit(**KERNEL)
def fill_intensity(at, mesh, view, t, s, observed, n, n_rows, with_normal):
    """Mean colour residual of every pixel that the hypothesis covers or touches."""
    f, planes = s.fragments, s.intensity
    c = f.chunk
    for first in range(0, n, CHUNK):
        count = min(CHUNK, n - first)
        shade_at(at.shade, mesh.skin, s.visible.planes, f, first, count, True)
        for i in range(count):
            pixel = f.pixel[first + i]
            planes.residual[pixel] = (c[C_R + i] + c[C_G + i] + c[C_B + i]) * THIRD - observed.intensity[pixel]
        if with_normal:
            chunk_jacobian(view, t, f, planes.jacobian, first, count)
    v, j = s.contours.value, s.contours.jacobian
    for row in range(n_rows):
        pixel = s.contours.pixel[row]
        seen = observed.intensity[pixel]
        planes.residual[pixel] = (v[row, 0] + v[row, 1] + v[row, 2]) * THIRD - v[row, 4] * seen
        if with_normal:
            for k in range(6):
                mean = (j[row, 0, k] + j[row, 1, k] + j[row, 2, k]) * THIRD
                planes.jacobian[pixel, k] = mean - j[row, 4, k] * seen


@njit(**SCALAR)
def composite_slopes(s, observed, p, w):
    """Sobel slopes of the composite's intensity."""
    ax, ay = slopes_at(s.intensity.residual, p, w)
    bx, by = slopes_at(observed.intensity, p, w)
    return ax + bx, ay + by


@njit(**SCALAR)
def coverage_at(s, p):
    """Antialiased coverage of a pixel."""
    row = s.contours.row[p]
    if row >= 0:
        return s.contours.value[row, 4]
    return ONE if s.buffer.face[p] >= 0 else ZERO


@njit(**SCALAR)
def scatter(plane, p, w, ax, ay):
    """Transpose of the Sobel stencil: adds ax * d gx + ay * d gy to the neighbours."""
    ax, ay = ax * EIGHTH, ay * EIGHTH
    plane[p - w - 1] -= ax + ay
    plane[p - w] -= TWO * ay
    plane[p - w + 1] += ax - ay
    plane[p - 1] -= TWO * ax
    plane[p + 1] += TWO * ax
    plane[p + w - 1] += ay - ax
    plane[p + w] += TWO * ay
    plane[p + w + 1] += ax + ay


@njit(**SCALAR)
def edge_terms(s, observed, terms, p, w):
    """(loss, its slopes by gx and gy, by coverage, weight, gx / m, gy / m) of one pixel."""
    gx, gy = composite_slopes(s, observed, p, w)
    m = np.sqrt(gx * gx + gy * gy + SMOOTH)
    loss, slope, by_coverage, weight = capped_l1(
        m - observed.edge[p], coverage_at(s, p), terms.cap_edge, terms.kappa_edge, terms.floor
    )
    return loss, slope, by_coverage, weight, gx / m, gy / m


@njit(**KERNEL)
def edge_pass(view, s, observed, terms):
    """Edge loss less what an empty pixel pays; fills the upstream planes."""
    total = 0.0
    w = view.width
    for y in range(1, view.height - 1):
        for p in range(y * w + 1, y * w + w - 1):
            gate = observed.gate[p]
            if gate == ZERO:
                continue
            loss, slope, by_coverage, _, nx, ny = edge_terms(s, observed, terms, p, w)
            total += gate * (loss - terms.kappa_edge)
            scale = terms.edge * gate
            s.intensity.by_coverage[p] = scale * by_coverage
            if slope != ZERO:
                scatter(s.intensity.upstream, p, w, scale * slope * nx, scale * slope * ny)
    return total


@njit(**SCALAR)
def stencil_row(jacobian, p, w, nx, ny, out):
    """Jacobian row of the magnitude at a pixel."""
    for k in range(6):
        gx, gy = sobel(
            jacobian[p - w - 1, k], jacobian[p - w, k], jacobian[p - w + 1, k], jacobian[p - 1, k],
            jacobian[p + 1, k], jacobian[p + w - 1, k], jacobian[p + w, k], jacobian[p + w + 1, k],
        )  # fmt: skip
        out[k] = nx * gx + ny * gy


@njit(**KERNEL)
def add_edge_normal(view, s, observed, terms, j, normal):
    """Adds the edge modality's J^T W J."""
    w = view.width
    for y in range(1, view.height - 1):
        for p in range(y * w + 1, y * w + w - 1):
            if observed.gate[p] == ZERO:
                continue
            _, slope, _, weight, nx, ny = edge_terms(s, observed, terms, p, w)
            if slope != ZERO:
                stencil_row(s.intensity.jacobian, p, w, nx, ny, j)
                add_outer(terms.edge * observed.gate[p] * weight, j, normal)


@njit(**KERNEL)
def edge_fragments(at, mesh, view, t, s, n, gradient):
    """Gradient of the fragments next to no contour."""
    f = s.fragments
    c = f.chunk
    for first in range(0, n, CHUNK):
        count = min(CHUNK, n - first)
        shade_at(at.shade, mesh.skin, s.visible.planes, f, first, count, True)
        for i in range(count):
            upstream = s.intensity.upstream[f.pixel[first + i]] * THIRD
            c[C_GR + i] = c[C_GG + i] = c[C_GB + i] = upstream
            c[C_GZ + i] = ZERO
        add_gradient(view, t, c, count, True, gradient)


@njit(**KERNEL)
def edge_contours(contours, n_rows, observed, planes, gradient):
    """Gradient of the pixels next to a contour."""
    for row in range(n_rows):
        pixel = contours.pixel[row]
        upstream = planes.upstream[pixel]
        for c in range(3):
            add_row_gradient(contours.jacobian, row, c, upstream * THIRD, gradient)
        by_coverage = planes.by_coverage[pixel] - upstream * observed.intensity[pixel]
        add_row_gradient(contours.jacobian, row, CHANNEL_COVERAGE, by_coverage, gradient)


@njit(**CALLED)
def add_gradient_magnitude(at, mesh, view, R, t, s, planes, terms, empty_cost, with_normal, cost, gradient, normal):
    """Adds the term's cost, gradient and normal matrix at one pose to the sums of the other terms.

    A pass of its own: it needs whole images, which the other terms do not, and few presets use it.
    """
    n, n_rows, used = prepare_at(at.prepare, mesh, view, R, t, s, at.shade, True)
    clear_intensity(view, s.intensity, with_normal)
    fill_intensity(at, mesh, view, t, s, planes, n, n_rows, with_normal)
    cost[EDGE] = empty_cost[EDGE] + edge_pass(view, s, planes, terms)
    edge_fragments(at, mesh, view, t, s, n, gradient)
    edge_contours(s.contours, n_rows, planes, s.intensity, gradient)
    if with_normal:
        add_edge_normal(view, s, planes, terms, s.contours.row6, normal)
        mirror_lower(normal)
    release_pose(view, s, used)
