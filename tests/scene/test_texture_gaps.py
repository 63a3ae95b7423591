"""What lies between the charts of a texture is no colour of the object, from however far it is seen."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.geometry.camera import Camera
from diffdope.render.renderer import Renderer
from diffdope.scene.lod import level_of_detail
from diffdope.scene.texture import build_pyramid
from diffdope.scene.texture_gaps import without_gaps
from tests.scene.shapes_with_charts import charts_of_ball

SIZE = 64
SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
HALVES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def charts(places: list[tuple[float, float, float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """uv and faces of rectangles (left, top, right, bottom), texels."""
    uv = np.concatenate(
        [(np.array([left, top]) + SQUARE * [right - left, bottom - top]) / SIZE for left, top, right, bottom in places]
    )
    return uv, np.concatenate([HALVES + 4 * i for i in range(len(places))])


def test_gaps_take_the_colour_beside_them_and_charts_stay(rng: np.random.Generator) -> None:
    texture = np.zeros((SIZE, SIZE, 3), np.uint8)
    texture[4:20, 8:30], texture[40:60, 10:50] = (200, 40, 40), (40, 40, 200)
    texture[4:20, 8:30] += rng.integers(0, 20, (16, 22, 3)).astype(np.uint8)
    filled = without_gaps(texture, *charts([(8, 4, 30, 20), (10, 40, 50, 60)]))
    np.testing.assert_array_equal(filled[4:20, 8:30], texture[4:20, 8:30])
    np.testing.assert_array_equal(filled[40:60, 10:50], texture[40:60, 10:50])
    assert filled[2, 2:32, 0].min() >= 200 and filled[2, 2:32, 2].max() < 60  # beside the upper one
    assert filled[62, :, 2].min() >= 190
    assert filled.min() >= 40  # nowhere is it as dark as the gaps were


def test_the_coarsest_copies_are_means_of_what_is_shown(rng: np.random.Generator) -> None:
    texture = np.zeros((SIZE, SIZE, 3), np.uint8)
    texture[16:32, 16:32] = 120
    filled = without_gaps(texture, *charts([(16, 16, 32, 32)]))
    assert {int(texel) for texel in build_pyramid(filled).texels} == {120 | 120 << 8 | 120 << 16 | 255 << 24}


@pytest.mark.parametrize("shape", [(64, 64), (1, 1), (1, 7), (5, 1), (33, 18), (2, 64)])
def test_any_shape_of_texture_is_filled(shape: tuple[int, int]) -> None:
    texture = np.zeros((*shape, 3), np.uint8)
    texture[0, 0] = 90
    uv = np.array([[0.1, 0.1], [0.9, 0.1], [0.1, 0.9]]) / np.array([shape[1], shape[0]])  # within the first texel
    assert (without_gaps(texture, uv, np.array([[0, 1, 2]], np.int32)) == 90).all()


def test_faces_smaller_than_a_texel_show_the_one_they_lie_in() -> None:
    texture = np.zeros((SIZE, SIZE, 3), np.uint8)
    texture[10, 20] = 200
    uv = (np.array([20.5, 10.5]) + 0.3 * np.array([[0.1, 0.1], [1.0, 0.2], [0.2, 1.0]])) / SIZE
    assert (without_gaps(texture, uv, np.array([[0, 1, 2]], np.int32)) == 200).all()


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("width", [0.0, 0.3])
def test_faces_thinner_than_a_texel_show_all_that_they_cross(turned: bool, width: float) -> None:
    # A ramp of colours, of which each face is a line: a diagonal, that misses the middles of most texels.
    texture = np.repeat(np.arange(SIZE, dtype=np.uint8)[:, None, None], SIZE, axis=1).repeat(3, axis=2)
    line = np.array([[2.3, 1.0], [22.9, 60.0], [2.3 + width, 1.0]]) / SIZE
    if turned:
        texture, line = texture.transpose(1, 0, 2).copy(), line[:, ::-1].copy()
    filled = without_gaps(texture, line, np.array([[0, 1, 2]], np.int32))
    rows = np.arange(1, 60)
    way = (rows + 0.5 - 1.0) / 59.0
    columns = np.rint(2.3 + 20.6 * way + 0.5 * width * (1.0 - way) - 0.5).astype(int)
    shown = filled[columns, rows] if turned else filled[rows, columns]
    np.testing.assert_array_equal(shown[:, 0], rows)


def test_a_texture_that_shows_everywhere_is_left_as_it_is() -> None:
    texture = np.zeros((SIZE, SIZE, 3), np.uint8)
    assert without_gaps(texture, *charts([(0, 0, SIZE, SIZE)])) is texture
    # Each face on most of the picture: too much to look at, and no charts that lie apart.
    uv = np.array([[0.0, 0.0], [0.9, 0.0], [0.0, 0.9]])
    assert without_gaps(texture, uv, np.tile(np.array([[0, 1, 2]], np.int32), (1000, 1))) is texture


def test_seams_and_slanted_faces_are_as_bright_as_the_rest() -> None:
    # A white ball, whose charts lie apart on black: every pixel that is covered is white, from afar and reduced, too.
    mesh = charts_of_ball()
    camera = Camera(70.0, 70.0, 19.5, 19.5, 40, 40)
    for seen in (mesh, level_of_detail(mesh, 300, 0.02)):
        images = Renderer(seen, camera, threads=1).render(np.eye(3), np.array([0.0, 0.0, 0.25]))
        covered = images.coverage[0] > 0.5
        white = images.rgb[0][covered] / images.coverage[0][covered][:, None]
        assert covered.sum() > 300
        assert white.min() > 0.97


def test_what_no_face_shows_is_no_pattern() -> None:
    mesh = charts_of_ball()
    assert not mesh.has_pattern
    assert mesh.texture is not None and mesh.shown_texture is not None
    assert mesh.texture.min() == 0 and mesh.shown_texture.min() == 255
