"""The oracle itself, against figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from diffdope.render.reference import ReferenceImages, ReferenceScene, render
from diffdope.render.reference_shade import mip_level
from diffdope.scene.texture import build_pyramid
from tests.oracle.scenes import SCENE_COUNT, random_scene, reference_scene
from tests.oracle.shapes import icosphere

Array = NDArray[np.float64]

# At z = 1 m a metre is 100 pixels, and the point x = y = 0 is seen at pixel (0, 0).
K = (100.0, 100.0, 0.0, 0.0)
SIZE = 24
UNIT_UV = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
SQUARE_FACES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
IDENTITY = np.eye(3)
ORIGIN = np.zeros(3)


def quad(u0: float, v0: float, u1: float, v1: float, z: float = 1.0) -> Array:
    """Corners (clockwise on the image from the top left) of a fronto-parallel rectangle given in pixels."""
    return np.array([[u0, v0], [u1, v0], [u1, v1], [u0, v1]]) @ (np.eye(2, 3) * z / 100) + [0, 0, z]


def pixels_at(points_px: Array, z: Array) -> Array:
    """(n, 3) points in metres that are seen at these pixels at these depths."""
    return np.column_stack([np.asarray(points_px) / 100 * np.asarray(z)[:, None], z])


def see(scene: ReferenceScene, t: Array = ORIGIN, width: int = SIZE, height: int = SIZE) -> ReferenceImages:
    return render(scene, K, width, height, IDENTITY, np.asarray(t))


def plain(vertices_m: Array, faces: ArrayLike = SQUARE_FACES) -> ReferenceScene:
    return reference_scene(np.asarray(vertices_m, float), np.asarray(faces, np.int32))


# --- coverage ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("left", [4.1, 4.5, 4.9])
@pytest.mark.parametrize("right", [15.2, 15.5, 15.7])
def test_a_square_across_the_image_covers_its_area(left: float, right: float) -> None:
    """Upright borders only, the other two are out of the image: every row holds right - left pixels."""
    images = see(plain(quad(left, -10, right, SIZE + 10)))
    assert np.abs(images.A.sum(axis=1) - (right - left)).max() < 1e-9
    assert np.abs(see(plain(quad(-10, left, SIZE + 10, right))).A.sum(axis=0) - (right - left)).max() < 1e-9


def test_the_pixels_of_an_upright_border_hold_their_own_area() -> None:
    """Pixel i spans i - 1/2 .. i + 1/2: a border at 4.1 leaves 0.4 of pixel 4, one at 15.7 gives 0.2 of pixel 16."""
    row = see(plain(quad(4.1, -10, 15.7, SIZE + 10))).A[10]
    expected = np.zeros(SIZE)
    expected[4], expected[5:16], expected[16] = 0.4, 1.0, 0.2
    assert np.abs(row - expected).max() < 1e-12


def test_a_square_covers_its_area_but_for_the_corners() -> None:
    """Off its corner pixels an upright square is exact; a corner blends along one of its borders only."""
    images = see(plain(quad(4.1, 6.3, 15.7, 12.8)))
    area = (15.7 - 4.1) * (12.8 - 6.3)
    assert abs(images.A.sum() - area) < 4 * 0.5
    assert images.A[8:12].sum(axis=1) == pytest.approx(np.full(4, 15.7 - 4.1), abs=1e-9)
    assert images.A[:, 6:15].sum(axis=0) == pytest.approx(np.full(9, 12.8 - 6.3), abs=1e-9)


@pytest.mark.parametrize("angle_deg", [0, 7, 20, 45, 63, 88])
def test_a_long_straight_border_covers_half_a_plane(angle_deg: float) -> None:
    """Averaged over sub-pixel positions, coverage is area to a few thousandths of a pixel per pixel of border."""
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    errors = []
    for offset in np.linspace(0, 1, 21, endpoint=False):
        corners = np.array([[-60, 0], [60, 0], [60, 120], [-60, 120]]) @ np.array([[c, s], [-s, c]])
        middle = np.array([12.0 - offset * s, 11.5 + offset * c])
        scene = plain(pixels_at(corners + middle, np.ones(4)))
        distance = (np.indices((SIZE, SIZE))[::-1].reshape(2, -1).T - middle) @ [-s, c]
        inner = (slice(2, -2), slice(2, -2))
        ramp = np.clip(distance / max(c, s) + 0.5, 0, 1).reshape(SIZE, SIZE)
        errors.append((see(scene).A - ramp)[inner].sum() / (SIZE - 4))
    assert abs(np.mean(errors)) < 5e-3


@pytest.mark.parametrize("upright", [True, False])
def test_a_border_that_passes_pixel_centres_moves_coverage_without_jumps(upright: bool) -> None:
    """Steps of 1/200 px over two pixels; never exactly on a centre, where a border's pixel would count as inside."""

    def total(low: float, high: float) -> float:
        corners = quad(low, -40, high, 60) if upright else quad(-40, low, 60, high)
        return float(see(plain(corners)).A.sum())

    shift = np.arange(400) / 200 + 1e-4
    moving = [total(4.1 + by, 15.7 + by) for by in shift]
    assert np.abs(np.diff(moving)).max() < 1e-9
    growing = [total(-50, 5.3 + by) for by in shift]
    assert np.diff(growing) == pytest.approx(np.full(399, SIZE / 200), abs=1e-9)


def test_a_tilted_square_jumps_by_no_more_than_its_corners() -> None:
    """A corner hands over from one border to the next: the one jump left, below half a pixel."""
    c, s = np.cos(0.4), np.sin(0.4)
    corners = np.array([[-5, -5], [5, -5], [5, 5], [-5, 5]]) @ np.array([[c, s], [-s, c]])
    path = np.array([10.0, 11.0]) + np.arange(1000)[:, None] / 500 * [1.0, 0.7]
    totals = np.array([see(plain(pixels_at(corners + middle, np.ones(4)))).A.sum() for middle in path])
    changes = np.abs(np.diff(totals))
    # Two columns and 1.4 rows are passed by each of four corners; in between the total is nearly constant.
    assert (changes > 0.01).sum() <= 4 * (2 + 2)
    assert changes.max() < 0.5
    assert totals.mean() == pytest.approx(100, abs=0.3)


# --- depth, colour, texture -------------------------------------------------------------------------------------


def test_depth_of_a_slanted_plane() -> None:
    """The plane Z = 1 + X, seen along the ray (u / 100, v / 100, 1): Z = 1 / (1 - u / 100)."""
    corners = np.array([[2, 2], [20, 2], [20, 20], [2, 20]], float)
    images = see(plain(pixels_at(corners, 1 / (1 - corners[:, 0] / 100))))
    u = np.arange(4, 19)
    assert images.raw_depth[10, 4:19] == pytest.approx(1 / (1 - u / 100), abs=1e-12)
    assert images.depth[10, 4:19] == pytest.approx(1 / (1 - u / 100), abs=1e-12)
    assert images.depth[0, 0] == 0.0


def test_public_depth_at_a_border_is_not_mixed_with_the_background() -> None:
    images = see(plain(quad(4.1, -10, 15.7, SIZE + 10, z=1.0)))
    assert 0 < images.A[10, 16] < 1
    assert images.depth[10, 16] == pytest.approx(1.0, abs=1e-12)


def test_vertex_colours_are_perspective_correct() -> None:
    """From depth 1 to depth 3, the middle of the image of a side is a quarter along it, not half."""
    vertices = pixels_at(np.array([[2, 2], [22, 2], [22, 22], [2, 22]], float), np.array([1.0, 3.0, 3.0, 1.0]))
    scene = reference_scene(vertices, SQUARE_FACES, colors=np.array([[0, 0, 1], [1, 0, 1], [1, 0, 1], [0, 0, 1.0]]))
    images = see(scene)
    assert images.raw_rgb[12, 12] == pytest.approx([0.25, 0, 1], abs=1e-12)
    assert images.raw_depth[12, 12] == pytest.approx(1.5, abs=1e-12)
    assert images.P[12, 12] == pytest.approx([0.25, 0, 1], abs=1e-12)


def test_a_texture_has_its_origin_at_the_top_left() -> None:
    """Red top left, green top right, blue bottom left, white bottom right; no flip between texture and image."""
    texture = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8)
    scene = reference_scene(quad(1.5, 1.5, 21.5, 21.5), SQUARE_FACES, uv=UNIT_UV, texture=texture)
    rgb = see(scene).raw_rgb
    assert rgb[3, 3] == pytest.approx([1, 0, 0])
    assert rgb[3, 20] == pytest.approx([0, 1, 0])
    assert rgb[20, 3] == pytest.approx([0, 0, 1])
    assert rgb[20, 20] == pytest.approx([1, 1, 1])


def test_a_magnified_texture_is_bilinear() -> None:
    """Texel centres are at 1/4 and 3/4 of a 2 x 1 texture: ten pixels apart in twenty, linear between."""
    texture = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    scene = reference_scene(quad(1.5, 1.5, 21.5, 21.5), SQUARE_FACES, uv=UNIT_UV, texture=texture)
    u = np.arange(2, 22)
    expected = np.clip((u - 1.5 - 5) / 10, 0, 1)
    assert see(scene).raw_rgb[9, 2:22, 0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("texels", "level"), [(20, 0.0), (10, 0.0), (40, 1.0), (80, 2.0), (56.5685424949238, 1.5)])
def test_the_level_halves_the_texture_as_often_as_it_must(texels: float, level: float) -> None:
    """20 pixels across show so many texels; square texture of 128."""
    pyramid = build_pyramid(np.zeros((128, 128, 3), np.uint8))
    corners = quad(0, 0, 20, 20)[None, :3, :2] * 100
    assert mip_level(pyramid, corners, UNIT_UV[None, :3] * texels / 128)[0] == pytest.approx(level, abs=1e-9)


def test_the_level_follows_the_shorter_side_on_the_image() -> None:
    pyramid = build_pyramid(np.zeros((64, 64, 3), np.uint8))
    corners = quad(0, 0, 64, 8)[None, :3, :2] * 100
    assert mip_level(pyramid, corners, UNIT_UV[None, :3])[0] == pytest.approx(3.0)


def test_a_minified_checker_is_grey() -> None:
    """64 x 64 alternating texels on 16 pixels: level 2, every texel of which is the mean."""
    checker = np.repeat((np.indices((64, 64)).sum(axis=0) % 2 * 255)[..., None], 3, axis=2).astype(np.uint8)
    images = see(reference_scene(quad(3.5, 3.5, 19.5, 19.5), SQUARE_FACES, uv=UNIT_UV, texture=checker))
    assert np.abs(images.raw_rgb[4:20, 4:20] - 0.5).max() < 0.5 / 255 + 1e-12


def test_levels_are_blended() -> None:
    """Left half black, right half white; level 1/2 is half of level 0 and half of level 1."""
    texture = np.zeros((32, 32, 3), np.uint8)
    texture[:, 16:] = 255
    side = 32 / np.sqrt(2)
    scene = reference_scene(quad(0.3, 0.3, 0.3 + side, 0.3 + side), SQUARE_FACES, uv=UNIT_UV, texture=texture)
    u = np.arange(2, 22)
    x = (u - 0.3) / side
    expected = (np.clip(x * 32 - 15.5, 0, 1) + np.clip(x * 16 - 7.5, 0, 1)) / 2
    assert see(scene).raw_rgb[10, 2:22, 1] == pytest.approx(expected, abs=1e-12)


def test_a_colourless_mesh_is_black_but_covers() -> None:
    images = see(plain(quad(4, 4, 16, 16)))
    assert not images.P.any()
    assert images.A[10, 10] == 1.0


# --- visibility and contours inside the object --------------------------------------------------------------------


def test_the_nearer_wins_and_of_equals_the_first() -> None:
    near, far = quad(4, 4, 12, 12, z=1.0), quad(0, 0, 20, 20, z=1.5)
    faces = np.concatenate([SQUARE_FACES + 4, SQUARE_FACES])
    ids = see(plain(np.concatenate([near, far]), faces)).ids
    assert ids[8, 10] == 2  # the near square comes second in the list
    assert ids[18, 19] in (0, 1)
    twice = np.concatenate([SQUARE_FACES, SQUARE_FACES])
    assert set(np.unique(see(plain(near, twice)).ids)) == {-1, 0, 1}


def test_the_border_of_a_part_before_another_blends_colour_and_depth() -> None:
    """A white part ends at 10.3, a black one lies behind: pixel 10 spans 9.5 .. 10.5 and is white for 0.8."""
    vertices = np.concatenate([quad(-50, -50, 10.3, 80, z=1.0), quad(-50, -50, 80, 80, z=1.5)])
    colors = np.repeat([[1.0, 1, 1], [0, 0, 0]], 4, axis=0)
    images = see(reference_scene(vertices, np.concatenate([SQUARE_FACES, SQUARE_FACES + 4]), colors=colors))
    assert np.abs(images.A - 1.0).max() < 1e-12
    assert images.P[9, 8:13, 0] == pytest.approx([1, 1, 0.8, 0, 0], abs=1e-12)
    assert images.AD[9, 8:13] == pytest.approx([1, 1, 0.8 * 1 + 0.2 * 1.5, 1.5, 1.5], abs=1e-12)


def test_the_border_behind_another_part_does_nothing() -> None:
    vertices = np.concatenate([quad(-50, -50, 80, 80, z=1.0), quad(-50, -50, 10.3, 80, z=1.5)])
    colors = np.repeat([[0.2, 0.4, 0.6], [1, 1, 1]], 4, axis=0)
    images = see(reference_scene(vertices, np.concatenate([SQUARE_FACES, SQUARE_FACES + 4]), colors=colors))
    assert np.array_equal(images.P, images.raw_rgb)
    assert np.abs(images.P - [0.2, 0.4, 0.6]).max() < 1e-12


def test_a_fold_is_a_contour() -> None:
    """A sheet folded at u = 10.3 with its back behind it and shorter: the fold is the outline on the right."""
    u = np.array([-50, 10.3, -50])
    z = np.array([1.0, 1.0, 1.2])
    top, bottom = pixels_at(np.column_stack([u, [-50] * 3]), z), pixels_at(np.column_stack([u, [80] * 3]), z)
    faces = np.array([[0, 1, 4], [0, 4, 3], [1, 2, 5], [1, 5, 4]], np.int32)
    row = see(plain(np.concatenate([top, bottom]), faces)).A[12]
    assert row[8:13] == pytest.approx([1, 1, 0.8, 0, 0], abs=1e-12)


def test_an_edge_between_two_visible_faces_is_no_contour() -> None:
    """The square's diagonal and a crease leave no trace in coverage, whatever the winding."""
    for turned in (SQUARE_FACES, np.array([[0, 1, 2], [3, 2, 0]], np.int32)):
        images = see(plain(quad(-50, -50, 80, 80), turned))
        assert np.array_equal(images.A, np.ones((SIZE, SIZE)))


def test_a_seam_blends_colours_that_jump() -> None:
    """Two sheets side by side share the line u = 10.3 but not their colours: 0.8 of pixel 10 is the left one."""
    vertices = np.concatenate([quad(-50, -50, 10.3, 80), quad(10.3, -50, 80, 80)])
    colors = np.repeat([[1.0, 0, 0], [0, 0, 1]], 4, axis=0)
    images = see(reference_scene(vertices, np.concatenate([SQUARE_FACES, SQUARE_FACES + 4]), colors=colors))
    assert np.abs(images.A - 1.0).max() < 1e-12
    assert images.P[10, 9:12, 0] == pytest.approx([1, 0.8, 0], abs=1e-12)
    assert images.P[10, 9:12, 2] == pytest.approx([0, 0.2, 1], abs=1e-12)


def test_outlines_of_triangles_below_a_pixel_are_those_of_coarse_ones() -> None:
    """A strip cut into 300 slices of 0.1 px has the coverage of one rectangle."""
    cuts = np.linspace(-3, 27, 301)
    corners = np.concatenate([np.column_stack([cuts, [4.3] * 301]), np.column_stack([cuts, [17.6] * 301])])
    a = np.arange(300)
    faces = np.concatenate([np.stack([a, a + 1, a + 302], 1), np.stack([a, a + 302, a + 301], 1)]).astype(np.int32)
    fine = see(plain(pixels_at(corners, np.ones(602)), faces)).A
    assert np.abs(fine - see(plain(quad(-3, 4.3, 27, 17.6))).A).max() < 1e-9


# --- what is not drawn ----------------------------------------------------------------------------------------------


def test_degenerate_triangles_are_not_drawn() -> None:
    images = see(plain(pixels_at(np.array([[2, 2], [12, 12], [20, 20]], float), np.ones(3)), [[0, 1, 2]]))
    assert not images.A.any()
    assert (images.ids == -1).all()


@pytest.mark.parametrize("z", [-0.5, 0.0, 0.001])
def test_of_a_triangle_that_crosses_the_near_plane_what_lies_before_it_is_drawn(z: float) -> None:
    """A table 5 cm below the camera, which begins at or behind the near plane and ends at v = 5.3."""
    far = 100 * 0.05 / 5.3
    vertices = np.array([[-1, 0.05, z], [1, 0.05, z], [1, 0.05, far], [-1, 0.05, far]])
    images = see(plain(vertices))
    depth = 100 * 0.05 / np.maximum(np.arange(SIZE), 1e-9)
    assert images.raw_depth[6:, 5] == pytest.approx(depth[6:], abs=1e-12)
    assert not images.raw_depth[:6].any()
    assert images.A[5, 5] == pytest.approx(0.2, abs=1e-12)
    assert (images.A[6:] == 1.0).all()


@pytest.mark.parametrize("z", [-0.5, 0.0, 0.001])
def test_triangles_on_or_behind_the_near_plane_are_not_drawn(z: float) -> None:
    assert not see(plain(quad(2, 2, 20, 20) - [0, 0, 1 - z])).A.any()


@pytest.mark.parametrize("t", [(0, 0, -0.5), (9.0, 0, 0.6), (0, -9.0, 0.6)])
def test_out_of_sight_is_an_empty_image(t: tuple[float, float, float]) -> None:
    shape = icosphere(2)
    images = see(plain(shape.vertices_m, shape.faces), np.array(t))
    for image in (images.P, images.AD, images.A, images.raw_rgb, images.raw_depth, images.depth):
        assert not image.any()
    assert (images.ids == -1).all()
    assert images.ids.dtype == np.int32


def test_huge_projections_neither_overflow_nor_hang() -> None:
    images = see(plain(np.array([[-9e6, -9e6, 0.01], [9e6, -9e6, 0.01], [0, 9e6, 0.01]]), [[0, 1, 2]]))
    assert np.array_equal(images.A, np.ones((SIZE, SIZE)))


# --- on all scenes of the generator --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(0, SCENE_COUNT, 2))
def test_images_of_random_scenes_are_consistent(seed: int) -> None:
    scene = random_scene(seed)
    images = scene.images()
    seen = images.ids >= 0
    assert images.P.shape == (scene.height, scene.width, 3)
    assert np.array_equal(images.raw_depth > 0, seen)
    assert seen.any()
    for image in (images.P, images.AD, images.A):
        assert np.isfinite(image).all()
    # Blending moves no coverage further than to a neighbour.
    near = np.pad(seen, 1)
    near = near[1:-1, 1:-1] | near[:-2, 1:-1] | near[2:, 1:-1] | near[1:-1, :-2] | near[1:-1, 2:]
    assert not images.A[~near].any()
    assert images.A.min() > -1.0
    assert images.A.max() < 2.0


@pytest.mark.parametrize("seed", [1, 5, 8, 13])
def test_winding_changes_no_image(seed: int) -> None:
    """Nothing in the forward model knows which side of a face is out."""
    scene = random_scene(seed)
    turned = scene.faces[:, ::-1].copy()
    attributes = scene.uv if scene.uv is not None else scene.colors
    assert attributes is not None
    other = reference_scene(scene.vertices_m, turned, uv=scene.uv, texture=scene.texture, colors=scene.colors)
    a, b = scene.images(), replace(scene, reference=other).images()
    assert np.array_equal(a.ids, b.ids)
    assert np.abs(a.P - b.P).max() < 1e-9
    assert np.abs(a.A - b.A).max() < 1e-9
