"""Faces that cross the near plane: what lies before it is drawn.

A corner behind the camera has no place on the image. But a ray that meets a triangle is still a sum of its corners P_i
(camera frame) with weights that are not negative,

    ray = b_0 P_0 + b_1 P_1 + b_2 P_2,        b_i = (P_j x P_k) . ray / det(P_0, P_1, P_2)

and the weights are affine on the image, as 1/Z = sum b_i and attribute/Z = sum a_i b_i are (Olano and Greer, Triangle
Scan Conversion using 2D Homogeneous Coordinates, 1997). So no triangle has to be cut.

Few faces need this, and they come close to the camera: here float64 goes before speed.
"""

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.cut_edges import camera_point
from diffdope.render.kernels.lanes import BLOCK, LANES, draw_lanes
from diffdope.render.kernels.layout import PLANE, SHADE_NONE, SHADE_TEXTURE, SHADE_VERTEX
from diffdope.render.kernels.options import KERNEL, SCALAR
from diffdope.render.kernels.raster import AWAY, NEAR, TOWARDS
from diffdope.render.kernels.raster import BORDER as RASTER_BORDER
from diffdope.render.kernels.visible import put_level

F32_ZERO = np.float32(0.0)
NEAR_M, LARGEST = float(NEAR), 1.0 / float(NEAR)  # and the largest 1/Z
GRAZING_M = 1e-5  # planes that pass the camera's centre this close are seen edge-on, thinner than a pixel
BORDER = float(RASTER_BORDER)
FLAT = 1e-9  # slopes of less than this share a pixel change nothing within an image


@njit(**SCALAR)
def face_points(shape, R, t, face):
    """Its three corners in the camera's frame."""
    a, b, c = shape.faces[face, 0], shape.faces[face, 1], shape.faces[face, 2]
    return camera_point(shape, R, t, a), camera_point(shape, R, t, b), camera_point(shape, R, t, c)


@njit(**SCALAR)
def crosses(faces, iz, face):
    """Whether a face has corners on both sides of the near plane."""
    a, b, c = iz[faces[face, 0]], iz[faces[face, 1]], iz[faces[face, 2]]
    return (min(a, min(b, c)) <= F32_ZERO) & (max(a, max(b, c)) > F32_ZERO)


@njit(**SCALAR)
def cross(p, q):
    """Vector product."""
    return p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]


@njit(**SCALAR)
def middle_of(view):
    """Pixel from which the planes of these faces are measured, as one of their corners may lie anywhere."""
    return np.float64(view.width // 2), np.float64(view.height // 2)


@njit(**SCALAR)
def weight_plane(view, product, det):
    """Value in the middle of the image and slopes of the weight of one corner."""
    x, y = middle_of(view)
    bx, by, bz = product[0] / (det * view.fx), product[1] / (det * view.fy), product[2] / det
    return bx * (x - view.cx) + by * (y - view.cy) + bz, bx, by


@njit(**KERNEL)
def weight_planes(view, p0, p1, p2):
    """Planes of the three weights, and det(P_0, P_1, P_2): negative if the face turns towards the camera.

    It is 0 for faces that are not drawn, because the camera lies in their plane.
    """
    c0, c1, c2 = cross(p1, p2), cross(p2, p0), cross(p0, p1)
    det = p0[0] * c0[0] + p0[1] * c0[1] + p0[2] * c0[2]
    nx, ny, nz = c0[0] + c1[0] + c2[0], c0[1] + c1[1] + c2[1], c0[2] + c1[2] + c2[2]
    if abs(det) <= GRAZING_M * np.sqrt(nx * nx + ny * ny + nz * nz):
        det = 0.0
    divisor = det if det != 0.0 else 1.0
    return weight_plane(view, c0, divisor), weight_plane(view, c1, divisor), weight_plane(view, c2, divisor), det


@njit(**SCALAR)
def mixed(a, b, c, b0, b1, b2):
    """Plane of attribute/Z from the attribute of the three corners."""
    return (
        a * b0[0] + b * b1[0] + c * b2[0],
        a * b0[1] + b * b1[1] + c * b2[1],
        a * b0[2] + b * b1[2] + c * b2[2],
    )


@njit(**KERNEL)
def part_in_front(view, p0, p1, p2):
    """Pixel box (left, right, top, bottom) of what lies before the near plane, and the pixel of its middle.

    The middle is the mean of the corners of that part, in space. An empty box has its left beyond its right.
    """
    corners = (p0, p1, p2)
    left, right, top, bottom = 1e30, -1e30, 1e30, -1e30
    x = y = z = 0.0
    for k in range(6):  # every corner, and every side's cut
        p, q = corners[k // 2], corners[(k // 2 + 1) % 3]
        px, py, pz = p
        if k % 2 == 1:
            if (pz > NEAR_M) == (q[2] > NEAR_M):
                continue
            share = (NEAR_M - pz) / (q[2] - pz)
            px, py, pz = px + share * (q[0] - px), py + share * (q[1] - py), NEAR_M
        elif pz <= NEAR_M:
            continue
        u, v = view.fx * px / pz + view.cx, view.fy * py / pz + view.cy
        left, right, top, bottom = min(left, u), max(right, u), min(top, v), max(bottom, v)
        x, y, z = x + px, y + py, z + pz
    if z == 0.0:
        return left, right, top, bottom, 0.0, 0.0
    return left, right, top, bottom, view.fx * x / z + view.cx, view.fy * y / z + view.cy


@njit(**SCALAR)
def in_pixels(plane):
    """A plane scaled so that it grows by about 1 a pixel: it is then the distance from its zero line."""
    value, by_x, by_y = plane
    size = abs(by_x) + abs(by_y)
    if size <= FLAT * abs(value):  # the line is out of reach, only its side counts
        return value, 0.0, 0.0
    return value / size, by_x / size, by_y / size


@njit(**SCALAR)
def side_plane(view, weight, det, u, v, iz, j, k):
    """Distance from the side between corners j and k, whose opposite corner has this weight; positive inside.

    A side that is whole is taken as it is on the image: so its neighbour is drawn, and its contour followed. Else the
    rounding of its ends to float32 would leave cracks, or pixels that are covered beyond the contour.
    """
    if min(iz[j], iz[k]) <= F32_ZERO:
        return in_pixels(weight)
    mx, my = middle_of(view)
    uj, vj = np.float64(u[j]), np.float64(v[j])
    by_x, by_y = vj - v[k], u[k] - uj
    if det < 0.0:
        by_x, by_y = -by_x, -by_y
    return in_pixels((by_x * (mx - uj) + by_y * (my - vj), by_x, by_y))


@njit(**SCALAR)
def narrow(low, high, plane, dy, middle):
    """Keeps the part of low .. high, in the row dy below the middle, where a plane is not negative."""
    value, slope = plane[0] + plane[2] * dy + BORDER, plane[1]
    if slope > FLAT:
        return max(low, middle - value / slope), high
    if slope < -FLAT:
        return low, min(high, middle - value / slope)
    return (low, high) if value >= 0.0 else (low, low - 1.0)


@njit(**KERNEL)
def fill_crossing(face, view, side0, side1, side2, nearness, left, right, top, bottom, blocks):
    """Depth-tests one face row by row within a pixel box; returns whether it covers a pixel centre."""
    width = np.int64(view.width)
    mx, my = middle_of(view)
    before = in_pixels((LARGEST - nearness[0], -nearness[1], -nearness[2]))
    first_x, last_x = max(left - BORDER, 0.0), min(right + BORDER, np.float64(width - 1))
    first_y, last_y = max(np.ceil(top - BORDER), 0.0), min(np.floor(bottom + BORDER), np.float64(view.height - 1))
    covers = False
    if first_y > last_y or first_x > last_x:
        return covers
    for y in range(np.int64(first_y), np.int64(last_y) + 1):
        dy = y - my
        low, high = narrow(first_x, last_x, side0, dy, mx)
        low, high = narrow(low, high, side1, dy, mx)
        low, high = narrow(low, high, side2, dy, mx)
        low, high = narrow(low, high, before, dy, mx)
        low, high = np.ceil(low), np.floor(high)
        if low > high:
            continue
        covers = True
        row = y * width
        z = np.float32(nearness[0] + nearness[1] * (low - mx) + nearness[2] * dy)
        for block in range((row + np.int64(low)) // LANES, (row + np.int64(high)) // LANES + 1):
            x = np.float32(np.int32(block * LANES - row))
            draw_lanes(
                blocks, block * BLOCK, face, x, np.float32(low), np.float32(high), np.float32(low), F32_ZERO, F32_ZERO,
                F32_ZERO, F32_ZERO, F32_ZERO, F32_ZERO, F32_ZERO, z, np.float32(nearness[1]),
            )  # fmt: skip
    return covers


@njit(**KERNEL)
def draw_crossing(shape, view, R, t, screen, blocks, n_drawn):
    """Draws the faces that cross the near plane, adds them to the drawn ones, and says which way they turn.

    Returns the number of all drawn faces.
    """
    faces, u, v, iz, orientation, drawn = (
        shape.faces, screen.u, screen.v, screen.iz, screen.orientation, screen.drawn,
    )  # fmt: skip
    n = np.uint64(n_drawn)
    for every in range(faces.shape[0]):
        face = np.uint32(every)
        if not crosses(faces, iz, face):
            continue
        p0, p1, p2 = face_points(shape, R, t, face)
        b0, b1, b2, det = weight_planes(view, p0, p1, p2)
        if det == 0.0:
            continue
        orientation[face] = TOWARDS if det < 0.0 else AWAY
        left, right, top, bottom, _, _ = part_in_front(view, p0, p1, p2)
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        side0 = side_plane(view, b0, det, u, v, iz, b, c)
        side1 = side_plane(view, b1, det, u, v, iz, c, a)
        side2 = side_plane(view, b2, det, u, v, iz, a, b)
        nearness = mixed(1.0, 1.0, 1.0, b0, b1, b2)
        if fill_crossing(np.int32(face), view, side0, side1, side2, nearness, left, right, top, bottom, blocks):
            drawn[n] = face
            n += np.uint64(1)
    return n


@njit(**SCALAR)
def footprint(plane, nearness, dx, dy, size):
    """Texels a pixel along both axes of the image, of a texture coordinate at a place."""
    inverse = nearness[0] + nearness[1] * dx + nearness[2] * dy
    value = (plane[0] + plane[1] * dx + plane[2] * dy) / inverse
    return (plane[1] - value * nearness[1]) / inverse * size, (plane[2] - value * nearness[2]) / inverse * size


@njit(**KERNEL)
def setup_crossing_faces(shape, skin, view, R, t, screen, visible, n_slots):
    """Planes of the visible faces that cross the near plane, as `visible.setup_plane` writes those of others."""
    planes, attributes, faces = visible.planes, skin.attributes, shape.faces
    middle_x, middle_y = middle_of(view)
    for slot in range(n_slots):
        face = np.uint32(visible.face[slot])
        if not crosses(faces, screen.iz, face):
            continue
        p0, p1, p2 = face_points(shape, R, t, face)
        b0, b1, b2, _ = weight_planes(view, p0, p1, p2)
        nearness = mixed(1.0, 1.0, 1.0, b0, b1, b2)
        row = np.uint64(slot * PLANE)
        planes[row], planes[row + 1] = middle_x, middle_y
        planes[row + 2], planes[row + 3], planes[row + 4] = nearness
        if skin.shading == SHADE_NONE:
            continue
        i, j, k = faces[face, 0], faces[face, 1], faces[face, 2]
        for c in range(3 if skin.shading == SHADE_VERTEX else 2):
            plane = mixed(attributes[i, c], attributes[j, c], attributes[k, c], b0, b1, b2)
            planes[row + 5 + 3 * c], planes[row + 6 + 3 * c], planes[row + 7 + 3 * c] = plane
        if skin.shading == SHADE_TEXTURE:
            _, _, _, _, u, v = part_in_front(view, p0, p1, p2)
            across = mixed(attributes[i, 0], attributes[j, 0], attributes[k, 0], b0, b1, b2)
            down = mixed(attributes[i, 1], attributes[j, 1], attributes[k, 1], b0, b1, b2)
            sx, sy = footprint(across, nearness, u - middle_x, v - middle_y, skin.widths[0])
            tx, ty = footprint(down, nearness, u - middle_x, v - middle_y, skin.heights[0])
            longest = max(sx * sx + tx * tx, sy * sy + ty * ty)
            put_level(planes, row, np.float32(0.5 * np.log2(max(longest, 1e-12))), skin.widths, skin.heights)
