"""Light by normals, taken out of photographs that were made in a known one, and against the same in plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import RenderedImages, draw
from diffdope.scene.mesh import Mesh
from diffdope.terms.photometric_gain import NEUTRAL, PhotometricGain, fit_gain_at
from diffdope.terms.shading import Unshaded, without_shading
from tests.oracle import shapes

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
CAMERA = Camera(90.0, 90.0, 31.5, 27.5, 64, 56)
POSE = Pose(so3.exp(np.array([0.3, -0.4, 0.2])), np.array([0.004, -0.002, 0.22]))
LIGHT = np.array([[0.25, -0.1, -0.2], [0.2, -0.1, -0.25], [0.15, 0.0, -0.3]])


def mesh_of(shape: shapes.Shape) -> Mesh:
    colours = 0.3 + 0.4 * np.random.default_rng(3).random((len(shape.vertices_m), 3))
    return Mesh(shape.vertices_m, shape.faces, colors=colours)


def normals_of(mesh: Mesh, pose: Pose, triangle: NDArray[np.int32]) -> F64:
    """(H, W, 3) towards the camera, in its frame; 0 where nothing is drawn."""
    corners = pose.apply(mesh.vertices_m[mesh.faces].reshape(-1, 3)).reshape(-1, 3, 3)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    normals *= -np.sign((normals * corners[:, 0]).sum(axis=1, keepdims=True))
    return np.where(triangle[..., None] >= 0, normals[triangle], 0.0)


def lit(images: RenderedImages, normals: F64, slope: F64) -> F32:
    """The drawing in a light: gain 0.8, bias 0.05, and slopes (3, 3) by channel about the mean normal."""
    inside = images.coverage[0] > 0.99
    shade = 0.8 + (normals - normals[inside].mean(axis=0)) @ slope.T
    return np.asarray(shade * images.rgb[0] + 0.05, np.float32)


def found(mesh: Mesh, images: RenderedImages, photo: F32, weights: F32 | None = None, hold: float = 1e-4) -> Unshaded:
    weights = np.ones_like(images.coverage[0]) if weights is None else weights
    first = fit_gain_at(images.rgb[0], photo, images.coverage[0], weights, with_bias=True, hold=hold)
    return without_shading(images, Buffers(mesh, threads=1).arrays.shape, POSE, photo, weights, first, hold=hold)


@pytest.mark.parametrize("turned", [False, True])
def test_a_light_by_normals_is_taken_out(turned: bool) -> None:
    """Also of a mesh whose faces are inside out, for what is seen faces the camera."""
    shape = shapes.icosphere(2)
    mesh = mesh_of(shape._replace(faces=np.ascontiguousarray(shape.faces[:, ::-1])) if turned else shape)
    images = draw(Buffers(mesh, threads=1), CAMERA, POSE)
    inside, normals = images.coverage[0] > 0.99, normals_of(mesh, POSE, images.triangle_id[0])
    photo = lit(images, normals, LIGHT)
    photo[20:26, 24:30] = 1.0  # a highlight
    kept = inside.copy()
    kept[20:26, 24:30] = False
    result = found(mesh, images, photo)
    np.testing.assert_allclose(result.gain.removed(result.rgb)[kept], images.rgb[0][kept], atol=0.03)
    np.testing.assert_allclose(result.gain.gain, 0.8, atol=0.03)
    plain = fit_gain_at(
        images.rgb[0], photo, images.coverage[0], np.ones_like(images.coverage[0]), with_bias=True, hold=1e-4
    )
    left, before = (
        np.abs(one - images.rgb[0])[kept].mean() for one in (result.gain.removed(result.rgb), plain.removed(photo))
    )
    assert left < 0.1 * before


def test_it_is_what_numpy_finds(rng: np.random.Generator) -> None:
    mesh = mesh_of(shapes.icosphere(2))
    images = draw(Buffers(mesh, threads=1), CAMERA, POSE)
    normals = normals_of(mesh, POSE, images.triangle_id[0])
    photo = lit(images, normals, LIGHT) + rng.normal(0.0, 0.05, images.rgb[0].shape).astype(np.float32)
    weights = rng.random(images.coverage[0].shape).astype(np.float32)
    result = found(mesh, images, photo, weights, hold=0.1)
    first = fit_gain_at(images.rgb[0], photo, images.coverage[0], weights, with_bias=True, hold=0.1)
    used = (images.coverage[0] > 0.99) & (weights > 0.5)
    n = normals[used] - normals[used].mean(axis=0)
    for c in range(3):
        x, y = images.rgb[0][used][:, c].astype(float), photo[used][:, c].astype(float)
        A = np.column_stack([x, np.ones_like(x), x[:, None] * n])
        solution = np.array([first.gain[c], first.bias[c], 0.0, 0.0, 0.0])
        for _ in range(2):
            w = 1.0 / np.maximum(np.abs(y - A @ solution), 0.02)
            prior = np.diag([0.01 * 0.05**2 * w.sum(), 0.1 * w.sum(), *3 * [0.1 * (w * x * x).sum()]])
            solution = np.linalg.solve(
                A.T @ (w[:, None] * A) + prior, A.T @ (w * y) + prior @ [1.0, 0.0, 0.0, 0.0, 0.0]
            )
        assert [result.gain.gain[c], result.gain.bias[c]] == pytest.approx(solution[:2], abs=1e-4)
        shade = np.clip(1.0 + n @ solution[2:] / solution[0], 0.5, 2.0)
        np.testing.assert_allclose(result.rgb[used][:, c], (y - solution[1]) / shade + solution[1], atol=1e-3)


def test_one_face_has_one_light() -> None:
    """Its normal is the same everywhere, so that only gain and bias are left."""
    corners = np.array([[-0.05, -0.05, 0.0], [0.05, -0.05, 0.0], [0.05, 0.05, 0.0], [-0.05, 0.05, 0.0]])
    mesh = Mesh(
        corners, np.array([[0, 1, 2], [0, 2, 3]]), colors=np.array([[0.2] * 3, [0.5] * 3, [0.9] * 3, [0.4] * 3])
    )
    images = draw(Buffers(mesh, threads=1), CAMERA, POSE)
    photo = np.asarray(0.6 * images.rgb[0] + 0.1, np.float32)
    np.testing.assert_allclose(found(mesh, images, photo).rgb, photo, atol=1e-5)


def test_too_few_pixels_change_nothing() -> None:
    mesh = mesh_of(shapes.icosphere(2))
    images = draw(Buffers(mesh, threads=1), CAMERA, POSE)
    weights = np.zeros_like(images.coverage[0])
    weights[28, 20:40] = 1.0
    photo = lit(images, normals_of(mesh, POSE, images.triangle_id[0]), LIGHT)
    result = without_shading(images, Buffers(mesh, threads=1).arrays.shape, POSE, photo, weights, NEUTRAL, hold=0.01)
    assert result.rgb is photo and result.gain is NEUTRAL


def test_a_gain_that_no_light_has_changes_nothing() -> None:
    mesh = mesh_of(shapes.icosphere(2))
    images = draw(Buffers(mesh, threads=1), CAMERA, POSE)
    black, dark = np.zeros_like(images.rgb[0]), PhotometricGain(np.full(3, 0.2), np.zeros(3))
    shape, ones = Buffers(mesh, threads=1).arrays.shape, np.ones_like(images.coverage[0])
    result = without_shading(images, shape, POSE, black, ones, dark, hold=0.01)
    assert result.rgb is black and result.gain is dark


def test_beyond_the_outline_the_light_goes_on() -> None:
    """A pose that is a little off covers pixels that the drawing does not."""
    mesh = mesh_of(shapes.icosphere(2))
    images = draw(Buffers(mesh, threads=1), CAMERA, POSE)
    photo = lit(images, normals_of(mesh, POSE, images.triangle_id[0]), LIGHT)
    covered = images.triangle_id[0] >= 0
    row = int(np.flatnonzero(covered.sum(axis=1) == covered.sum(axis=1).max())[0])
    last = int(np.flatnonzero(covered[row])[-1])
    photo[row, last:] = photo[row, last]
    result = found(mesh, images, photo)
    np.testing.assert_allclose(result.rgb[row, last + 1], result.rgb[row, last], atol=1e-6)
    assert np.isfinite(result.rgb).all()
