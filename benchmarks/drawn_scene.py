"""Scenes of the set sim, drawn by our renderer from several cameras: truth that only a drawing has.

Objects, poses and the first camera are those of a path traced picture; the other cameras look at the same objects from
around them. Light differs from view to view, noise and blur are a camera's, the background is a smooth pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import diffdope as dd
from benchmarks.shared_data import SETS, Case, by_image, load_mesh
from diffdope.geometry import so3

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

TURNS_DEG = ((0.0, 0.0), (50.0, 0.0), (-50.0, 0.0), (0.0, 40.0))
"""Of each camera about the middle of the objects: about the first camera's y and x."""
_SAMPLES = 2  # per pixel and axis
_NOISE, _BLUR_PX = 0.01, 0.5
_GAIN = (0.75, 1.15)  # of the light, and 5 % more or less a channel


@dataclass(frozen=True)
class DrawnScene:
    """One scene.

    Attributes:
        objects: in the order of the picture.
        truth: T_m2w of each; the world is the first camera.
        views: as drawn, without masks, at the true places.
        masks: visible pixels (H, W), by view and object.
        visible: share of each object that is not hidden, by view and object.
    """

    objects: tuple[dd.SceneObject, ...]
    truth: tuple[dd.Pose, ...]
    views: tuple[dd.View, ...]
    masks: dict[tuple[int, int], NDArray[np.bool_]]
    visible: dict[tuple[int, int], float]


def scene_cases() -> dict[int, list[Case]]:
    """Objects of each picture of sim."""
    return by_image(SETS["sim"].cases("10"))


def drawn_scene(cases: Sequence[Case], rng: np.random.Generator) -> DrawnScene:
    """Draws a picture's objects from all cameras."""
    meshes = [load_mesh(case.mesh_path) for case in cases]
    truth = tuple(case.truth for case in cases)
    middle = np.mean([pose.apply(mesh.center_m) for pose, mesh in zip(truth, meshes, strict=True)], axis=0)
    camera = cases[0].observation.camera
    views, masks, visible = [], {}, {}
    for number, turns in enumerate(TURNS_DEG):
        T_w2c = around(middle, turns)
        rgb, shown, share = _drawn(meshes, [T_w2c @ pose for pose in truth], camera, rng)
        views.append(dd.View(dd.Observation(camera, rgb=rgb), T_w2c, name=f"camera {number}"))
        for obj, mask in enumerate(shown):
            masks[number, obj], visible[number, obj] = mask, share[obj]
    objects = tuple(dd.SceneObject(mesh, name=f"{n}") for n, mesh in enumerate(meshes))
    return DrawnScene(objects, truth, tuple(views), masks, visible)


def around(middle: F64, turns_deg: tuple[float, float]) -> dd.Pose:
    """World to camera, of a camera that is turned about a point of the world and looks at it from as far."""
    yaw, pitch = np.radians(turns_deg)
    R = so3.exp(np.array([pitch, 0.0, 0.0])) @ so3.exp(np.array([0.0, yaw, 0.0]))
    return dd.Pose(R, middle - R @ middle)


def off(T_w2c: dd.Pose, metres: float, degrees: float, rng: np.random.Generator) -> dd.Pose:
    """A camera whose centre is off by some metres, and which is turned by some degrees, in random directions."""
    shift, turn = (v / np.linalg.norm(v) for v in rng.normal(size=(2, 3)))
    R = so3.exp(np.radians(degrees) * turn)
    return dd.Pose(R @ T_w2c.R_m2c, R @ T_w2c.t_m2c + metres * shift)


def _drawn(
    meshes: Sequence[dd.Mesh], poses: Sequence[dd.Pose], camera: dd.Camera, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], list[NDArray[np.bool_]], list[float]]:
    """Photograph, and of each object its visible pixels and the share of it that is visible."""
    from scipy.ndimage import gaussian_filter

    height, width = camera.height, camera.width
    fine = camera.resize(_SAMPLES * width, _SAMPLES * height)
    color = _background(fine.height, fine.width, rng)
    nearest, owner = np.full((height, width), np.inf, np.float32), np.full((height, width), -1)
    fine_nearest = np.full((fine.height, fine.width), np.inf, np.float32)
    covers = []
    for number, (mesh, pose) in enumerate(zip(meshes, poses, strict=True)):
        drawn = dd.Renderer(mesh, fine).render(pose.R_m2c, pose.t_m2c)
        depth = drawn.depth[0]
        front = (drawn.triangle_id[0] >= 0) & (depth < fine_nearest)
        fine_nearest[front] = depth[front]
        color[front] = drawn.rgb[0][front] / np.maximum(drawn.coverage[0][front], 0.25)[:, None]  # not over black
        images = dd.Renderer(mesh, camera).render(pose.R_m2c, pose.t_m2c)
        plain, there = images.depth[0], images.triangle_id[0] >= 0
        covers.append(there)
        front = there & (plain < nearest)
        nearest[front], owner[front] = plain[front], number
    photo = color.reshape(height, _SAMPLES, width, _SAMPLES, 3).mean(axis=(1, 3))
    gain = rng.uniform(*_GAIN) * rng.uniform(0.95, 1.05, 3)
    photo = gaussian_filter(photo * gain, (_BLUR_PX, _BLUR_PX, 0.0)) + rng.normal(0.0, _NOISE, photo.shape)
    shown = [owner == number for number in range(len(meshes))]
    share = [float(one.sum() / max(cover.sum(), 1)) for one, cover in zip(shown, covers, strict=True)]
    return np.round(255.0 * np.clip(photo, 0.0, 1.0)).astype(np.uint8), shown, share


def _background(height: int, width: int, rng: np.random.Generator) -> F32:
    from scipy.ndimage import gaussian_filter, zoom

    coarse = gaussian_filter(rng.uniform(0.0, 1.0, (12, 16, 3)), (0.7, 0.7, 0.0))
    image = zoom(coarse, (height / 12, width / 16, 1.0), order=1)
    return np.ascontiguousarray(0.2 + 0.6 * image, np.float32)
