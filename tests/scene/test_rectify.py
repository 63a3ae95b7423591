"""Pictures through a lens: what `Observation` makes of them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import diffdope as dd
from diffdope.errors import DiffDopeError
from diffdope.geometry.camera import Camera
from diffdope.geometry.lens import Distortion
from diffdope.render.renderer import Renderer
from diffdope.scene.rectify import rectifying_map

LENS = Distortion((-0.2, 0.05, 1e-3, -2e-3), pinhole=(190.0, 192.0, 79.0, 61.0))
CAMERA = Camera(200.0, 201.0, 80.5, 59.5, 160, 120, LENS)
PINHOLE = CAMERA.rectified


def pattern(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A smooth scene by rectified pixels, in [0, 1]."""
    return np.stack([0.5 + 0.4 * np.sin(u / 9), 0.5 + 0.4 * np.cos(v / 7), 0.5 + 0.4 * np.sin((u + v) / 11)], axis=-1)


def seen_at() -> tuple[np.ndarray, np.ndarray]:
    """Rectified pixels that each pixel of the picture shows."""
    x, y, _ = np.moveaxis(CAMERA.back_project(np.ones((120, 160))), -1, 0)
    return PINHOLE.fx * x + PINHOLE.cx, PINHOLE.fy * y + PINHOLE.cy


@pytest.fixture(scope="module")
def inside() -> np.ndarray:
    """Rectified pixels that lie well within the picture."""
    places = rectifying_map(CAMERA)
    return (places.columns > 1) & (places.columns < 158) & (places.rows > 1) & (places.rows < 118)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_colours_are_those_of_the_pinhole(kind: type, inside: np.ndarray) -> None:
    u, v = np.meshgrid(np.arange(160.0), np.arange(120.0))
    full = 1 if kind is np.float32 else np.iinfo(kind).max
    picture = (pattern(*seen_at()) * full + (0.5 if full > 1 else 0)).astype(kind)
    observation = dd.Observation(CAMERA, rgb=picture)
    assert observation.camera == PINHOLE and observation.taken_by == CAMERA
    assert observation.rgb is not None and observation.rgb.shape == (120, 160, 3)
    off = np.abs(observation.rgb - pattern(u, v))[inside]
    assert off.max() < 0.01
    assert np.abs(picture / full - pattern(u, v))[inside].max() > 0.15
    grey = dd.Observation(CAMERA, rgb=picture[..., 0]).rgb
    assert grey is not None and np.abs(grey[..., 1] - pattern(u, v)[..., 0])[inside].max() < 0.01


def test_depth_of_two_surfaces_is_never_mixed(inside: np.ndarray) -> None:
    u, v = seen_at()
    near = np.hypot(u - 80, v - 60) < 30
    depth = np.where(near, 500 + 0.5 * u, 900)
    observation = dd.Observation(CAMERA, depth=depth.astype(np.uint16), depth_scale=0.001)
    got, at = observation.depth, np.arange(160.0)[None, :] + np.zeros((120, 1))
    assert got is not None
    distance = np.minimum(np.abs(got - (0.5 + 0.0005 * at)), np.abs(got - 0.9))
    assert distance[inside].max() < 0.0012  # whole millimetres
    share = ((got > 0) & (got < 0.7)).sum() / (np.pi * 30**2)
    assert abs(share - 1) < 0.02


def test_depth_that_was_rectified_stays_as_it_is_beside_a_photograph_that_was_not(inside: np.ndarray) -> None:
    u, v = np.meshgrid(np.arange(160.0), np.arange(120.0))
    depth = np.where(np.hypot(u - 120, v - 30) < 15, 500, 900).astype(np.uint16)
    rgb = pattern(*seen_at()).astype(np.float32)
    both = dd.Observation(CAMERA, rgb=rgb, depth=depth, depth_scale=0.001, depth_rectified=True)
    assert both.depth is not None and both.rgb is not None
    assert both.depth == pytest.approx(depth * 1e-3)
    assert np.abs(both.rgb - pattern(u, v))[inside].max() < 0.01
    twice = dd.Observation(CAMERA, depth=depth, depth_scale=0.001).depth
    assert twice is not None and (np.abs(twice - both.depth) > 0.1).sum() > 50
    masked = both.with_mask(np.hypot(*(seen_at() - np.array([120, 30])[:, None, None])) < 15)  # type: ignore[operator]
    assert masked.mask is not None
    assert ((masked.mask > 0) == (both.depth < 0.7)).mean() > 0.995  # both of the pinhole
    plain = dd.Observation(PINHOLE, depth=depth, depth_scale=0.001, depth_rectified=True).depth
    assert plain is not None and np.array_equal(plain, both.depth)  # without a lens it says nothing


def test_missing_depth_stays_missing() -> None:
    depth = np.full((120, 160), 0.8, np.float32)
    depth[50:70, 60:90] = 0
    got = dd.Observation(CAMERA, depth=depth).depth
    assert got is not None
    assert set(np.unique(got)) == {np.float32(0), np.float32(0.8)}


def test_a_pixel_is_the_masks_if_half_of_it_is() -> None:
    u, v = seen_at()
    mask = np.hypot(u - 80, v - 60) < 30
    observation = dd.Observation(CAMERA, mask=mask)
    rows, columns = np.mgrid[:120, :160]
    true = np.hypot(columns - 80, rows - 60) < 30
    assert observation.mask is not None
    both = (observation.mask > 0) & true
    assert both.sum() / ((observation.mask > 0) | true).sum() > 0.96
    soft = dd.Observation(CAMERA, mask=mask.astype(np.float32)).mask
    assert soft is not None and 0 < soft[(soft > 0) & (soft < 1)].mean() < 1
    again = dd.Observation(CAMERA, depth=np.ones((120, 160), np.float32)).with_mask(mask)
    assert np.array_equal(again.mask, observation.mask)  # type: ignore[arg-type]
    assert pickle.loads(pickle.dumps(again)).taken_by == CAMERA


def test_a_turned_camera_measures_along_its_new_axis() -> None:
    angle = np.radians(4.0)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    camera = Camera(200, 200, 79.5, 59.5, 160, 120, Distortion((1e-9, 0, 0, 0), rotation=tuple(turn.ravel())))
    normal, distance = turn @ np.array([0.1, 0.2, 1.0]), 0.8  # of a plane, in the rectified frame
    rays = camera.back_project(np.ones((120, 160)))
    got = dd.Observation(camera, depth=(distance / (rays @ normal)).astype(np.float32)).depth
    pinhole = camera.rectified.back_project(np.ones((120, 160)))
    assert got is not None
    places = rectifying_map(camera)
    within = (places.columns > 0) & (places.columns < 159) & (places.rows > 0) & (places.rows < 119)
    assert np.abs(got - distance / (pinhole @ normal))[within].max() < 1e-5
    assert (got > 0).mean() > 0.8


def test_what_nothing_can_be_made_of_is_refused() -> None:
    far = Camera(200, 200, 80, 60, 160, 120, Distortion((0.1, 0, 0, 0), pinhole=(200, 200, 5000, 60)))
    with pytest.raises(DiffDopeError, match="distortion: expected a lens that shows some of the rectified picture"):
        dd.Observation(far, rgb=np.zeros((120, 160, 3), np.uint8))
    corner = np.zeros((120, 160), bool)
    corner[0, 0] = True
    zoomed = Camera(200, 200, 80, 60, 160, 120, Distortion((0.1, 0, 0, 0), pinhole=(400, 400, 80, 60)))
    with pytest.raises(
        DiffDopeError, match="mask: expected some pixels on the object after lens distortion is removed"
    ):
        dd.Observation(zoomed, mask=corner)
    mesh = dd.Mesh([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0]], [[0, 1, 2]])
    with pytest.raises(DiffDopeError, match="camera: expected a pinhole, got a camera with lens distortion"):
        Renderer(mesh, CAMERA)
    assert dd.Refiner(mesh, CAMERA).camera == PINHOLE
