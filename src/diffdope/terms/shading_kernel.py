"""The loops of `shading.py`: normals of what is drawn, the light that fits them, the photograph without shading."""

# mypy: allow-untyped-defs

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.options import ENTRY, KERNEL
from diffdope.terms.photometric_gain_kernel import FEWEST, LEAST_GAIN, LEAST_RESIDUAL, MOST_GAIN, OWN, SPREAD, WHOLE

COLUMNS = 5  # gain, bias, and a slope by each coordinate of the normal
_UNKNOWN = np.float32(2.0)  # in place of a coordinate of a normal
_DARKEST, _BRIGHTEST = 0.5, 2.0  # of what is lit, over the mean: a line through the normals that were seen says no more


@njit(**KERNEL)
def go_on(facing, y, x, v, u):
    """Takes the normal of a neighbour (v, u) for a pixel that has none, if that is in the picture and has one."""
    inside = 0 <= v < facing.shape[0] and 0 <= u < facing.shape[1]
    if inside and facing[y, x, 0] == _UNKNOWN and facing[v, u, 0] != _UNKNOWN:
        for k in range(3):
            facing[y, x, k] = facing[v, u, k]


@njit(**KERNEL)
def face_camera(triangle, shape, R, t, facing):
    """Unit normals (H, W, 3) in the camera's frame, towards the camera; beyond the outline, those of a pixel close by.

    The nearest along rows and columns is taken in two sweeps, from above and from below.
    """
    height, width = triangle.shape
    for y in range(height):
        for x in range(width):
            face = triangle[y, x]
            facing[y, x, 0] = _UNKNOWN
            if face < 0:
                continue
            a, b, c, d = shape.normal_x[face], shape.normal_y[face], shape.normal_z[face], shape.offset[face]
            size = np.sqrt(a * a + b * b + c * c)
            if size <= 0.0:
                continue
            # The camera is at -R^T t in the object's frame: on the outer side of the face, or of the inner one's back.
            side = d
            for k in range(3):
                side -= (R[k, 0] * a + R[k, 1] * b + R[k, 2] * c) * t[k]
            size = size if side >= 0.0 else -size
            for k in range(3):
                facing[y, x, k] = (R[k, 0] * a + R[k, 1] * b + R[k, 2] * c) / size
    for y in range(height):
        for x in range(width):
            go_on(facing, y, x, y, x - 1)
            go_on(facing, y, x, y - 1, x)
    for y in range(height - 1, -1, -1):
        for x in range(width - 1, -1, -1):
            go_on(facing, y, x, y, x + 1)
            go_on(facing, y, x, y + 1, x)


@njit(**KERNEL)
def solve_in_place(matrix, size):
    """Solves a positive definite system (size, size + 1) by elimination: the last column becomes the solution."""
    for k in range(size):
        for i in range(k + 1, size):
            share = matrix[i, k] / matrix[k, k]
            for j in range(k, size + 1):
                matrix[i, j] -= share * matrix[k, j]
    for k in range(size - 1, -1, -1):
        for j in range(k + 1, size):
            matrix[k, size] -= matrix[k, j] * matrix[j, size]
        matrix[k, size] /= matrix[k, k]


@njit(**ENTRY)
def remove_shading(
    model, photo, coverage, appearance, triangle, shape, R, t, rounds, hold, held, facing, listed, matrix, lines,
    middle, flat,
):  # fmt: skip
    """Fits gain, bias and slopes by normals to each channel, and writes the photograph without the slopes.

    Args:
        model: rendered colours (H * W, 3).
        photo: observed ones (H * W, 3).
        coverage: of the rendering (H * W,).
        appearance: weights (H * W,) of the photograph's pixels.
        triangle: (H, W) number of the face that is drawn, -1 for none.
        shape: of the mesh that was drawn.
        R: (3, 3) of the pose that was drawn.
        t: (3,) of it.
        rounds: of reweighting.
        hold: how strongly the bias is held to 0; see `fit_gain`.
        held: the same of slopes, as a share of what normals all around would say about them.
        facing: (H, W, 3), room.
        listed: (H * W,) int64, room.
        matrix: (5, 6), room.
        lines: (5, 3) of each channel; in: the gain and the bias that fit best without a slope, and 0; out: of all.
        middle: (3,) out: mean normal, where there is no shading.
        flat: (H * W, 3) out: the photograph as it would be in that light alone. Left alone if nothing was fitted.

    Returns:
        Whether something was fitted: not to too few pixels, nor to gains that no light has.
    """
    width = triangle.shape[1]
    count = 0
    for i in range(len(coverage)):
        if coverage[i] > WHOLE and appearance[i] > OWN and triangle[i // width, i % width] >= 0:
            listed[count] = i
            count += 1
    if count < FEWEST * COLUMNS:
        return False
    face_camera(triangle, shape, R, t, facing)
    for k in range(3):
        middle[k] = 0.0
        for n in range(count):
            middle[k] += facing[listed[n] // width, listed[n] % width, k] / count
    for c in range(3):
        for _ in range(rounds):
            matrix[:] = 0.0
            total = 0.0
            for n in range(count):
                i = listed[n]
                value, seen = np.float64(model[i, c]), np.float64(photo[i, c])
                u = value * (facing[i // width, i % width, 0] - middle[0])
                v = value * (facing[i // width, i % width, 1] - middle[1])
                w = value * (facing[i // width, i % width, 2] - middle[2])
                left = seen - lines[0, c] * value - lines[1, c] - lines[2, c] * u - lines[3, c] * v - lines[4, c] * w
                weight = 1.0 / max(abs(left), LEAST_RESIDUAL)
                total += weight
                matrix[0, 0] += weight * value * value
                matrix[0, 1] += weight * value
                matrix[0, 2] += weight * value * u
                matrix[0, 3] += weight * value * v
                matrix[0, 4] += weight * value * w
                matrix[0, 5] += weight * value * seen
                matrix[1, 2] += weight * u
                matrix[1, 3] += weight * v
                matrix[1, 4] += weight * w
                matrix[1, 5] += weight * seen
                matrix[2, 2] += weight * u * u
                matrix[2, 3] += weight * u * v
                matrix[2, 4] += weight * u * w
                matrix[2, 5] += weight * u * seen
                matrix[3, 3] += weight * v * v
                matrix[3, 4] += weight * v * w
                matrix[3, 5] += weight * v * seen
                matrix[4, 4] += weight * w * w
                matrix[4, 5] += weight * w * seen
            prior, slopes = 0.01 * total * SPREAD**2, held * matrix[0, 0] + 1e-12
            matrix[0, 0] += prior
            matrix[0, 5] += prior
            matrix[1, 1] = total * (1.0 + hold)
            for k in range(2, COLUMNS):
                matrix[k, k] += slopes
            for k in range(COLUMNS):
                for j in range(k):
                    matrix[k, j] = matrix[j, k]
            solve_in_place(matrix, COLUMNS)
            for k in range(COLUMNS):
                lines[k, c] = matrix[k, COLUMNS]
        if not LEAST_GAIN < lines[0, c] < MOST_GAIN:
            return False
    for i in range(len(flat)):
        for c in range(3):
            lit = 0.0
            for k in range(3):
                lit += lines[2 + k, c] * (facing[i // width, i % width, k] - middle[k])
            lit = min(max(1.0 + lit / lines[0, c], _DARKEST), _BRIGHTEST)
            flat[i, c] = np.float32((photo[i, c] - lines[1, c]) / lit + lines[1, c])
    return True
