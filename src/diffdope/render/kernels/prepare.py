"""What every entry begins with: which pixels a pose shows, and what its contours make of their neighbours."""

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.blend import blend_contours, collect_fragments, release_rows
from diffdope.render.kernels.calls import PREPARED, SHADED, Addresses, address_of
from diffdope.render.kernels.contour import find_contours, release_pairs
from diffdope.render.kernels.crossing import draw_crossing, setup_crossing_faces
from diffdope.render.kernels.layout import MeshArrays, Pinhole, Scratch
from diffdope.render.kernels.options import CALLED, KERNEL
from diffdope.render.kernels.raster import project_vertices, rasterise, turn_faces
from diffdope.render.kernels.shade import shade_chunk
from diffdope.render.kernels.visible import list_covered, read_blocks, release_covered, setup_visible_faces


@njit(**CALLED)
def prepare_pose(mesh, view, R, t, s, shade, with_contours):
    """Visibility and contours of one pose: fragments, contour rows, and what `release_pose` wants to know.

    Without contours, each pixel shows what its centre does: all that are covered are fragments.
    """
    left, right, top, bottom, some_behind = project_vertices(mesh.shape, view, R, t, s.screen)
    turn_faces(mesh.shape, R, t, s.screen, some_behind)
    # From inside a closed mesh its back is seen, and then a part of it is behind the camera.
    closed = mesh.shape.closed != 0 and not some_behind
    n_drawn = rasterise(mesh.shape, view, s.screen, closed, s.buffer.blocks)
    if some_behind:
        n_whole = n_drawn
        n_drawn = draw_crossing(mesh.shape, view, R, t, s.screen, s.buffer.blocks, n_whole)
        if n_drawn > n_whole:  # they may reach any border of the image
            left, right = np.int32(0), np.int32(view.width - 1)
            top, bottom = np.int32(0), np.int32(view.height - 1)
    read_blocks(view, left, right, top, bottom, s.buffer)
    n_covered, n_slots = list_covered(view, left, right, top, bottom, s.buffer.face, s.screen.drawn, n_drawn, s.visible)
    setup_visible_faces(mesh.shape.faces, mesh.skin, s.screen, s.visible, n_slots)
    if some_behind:
        setup_crossing_faces(mesh.shape, mesh.skin, view, R, t, s.screen, s.visible, n_slots)
    n_pairs = n_rows = 0
    if with_contours:
        n_pairs = find_contours(mesh.shape, mesh.edges, view, R, t, closed, s.screen, s.buffer, s.pairs)
        n_rows = blend_contours(
            shade, mesh, view, R, t, s.screen, s.buffer.face, s.visible, s.fragments, s.pairs, s.contours, n_pairs
        )
    n = collect_fragments(view, s.buffer.face, s.visible, n_covered, s.contours.row, s.fragments)
    return n, n_rows, (n_covered, n_slots, n_pairs, n_rows)


@njit(**KERNEL)
def release_pose(view, s, used):
    """Leaves the scratch clean for the next pose."""
    n_covered, n_slots, n_pairs, n_rows = used
    release_pairs(view, s.pairs, n_pairs)
    release_rows(s.contours, n_rows)
    release_covered(s.buffer.face, s.visible, n_covered, n_slots)


def compiled_addresses(mesh: MeshArrays, s: Scratch) -> Addresses:
    """Compiles what entries call by address, or loads it; types are all that counts of the arguments."""
    one = np.float32(1.0)
    R, t = np.eye(3, dtype=np.float32), np.zeros(3, np.float32)
    shade = address_of(shade_chunk, SHADED, mesh.skin, s.visible.planes, s.fragments, 0, 0, True)
    view = Pinhole(one, one, one, one, 1, 1)
    return Addresses(address_of(prepare_pose, PREPARED, mesh, view, R, t, s, shade, True), shade)
