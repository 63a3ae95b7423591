"""Draws what `benchmarks.against` gives to both builds: starts, a film, photographs, a ball; files in one folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

from benchmarks.ball import ball_camera, bumpy_ball, observe, poses
from benchmarks.shared_data import DATA
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.perturb import perturb
from diffdope.geometry.pose import Pose
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.packaged import packaged_example

LEVELS = {"010_trans_004": (10.0, 4.0), "040_trans_016": (40.0, 16.0)}
SIZES = {"small": (640, 480), "large": (4000, 3000)}
FILLED = 0.5  # share of the photograph that the object covers
DEPTH_UNIT_M = 1e-4
_STEP_DEG, _STEP_MM = 1.5, 3.0  # between frames of the film: a hand that moves slowly
_SEED = 0


def write_inputs(folder: Path, count: int) -> None:
    """Writes all files.

    Args:
        folder: is there, and empty.
        count: starts of each level; the film has one frame more.
    """
    mesh, observation, _, truth = packaged_example()
    for level, (angle_deg, distance_mm) in LEVELS.items():
        save_poses(folder / f"starts-{level}", perturbed(truth, angle_deg, distance_mm, count))
    write_film(folder, mesh, observation.camera, truth, count + 1)
    write_photographs(folder, mesh, truth, count)
    write_ball(folder)
    hope = DATA / "hope"
    (folder / "plan.json").write_text(json.dumps({"hope": str(hope) if hope.is_dir() else None}))


def perturbed(truth: Pose, angle_deg: float, distance_mm: float, count: int) -> list[Pose]:
    """Poses off by just that much, in random directions."""
    rng = np.random.default_rng(_SEED)
    angle_rad, distance_m = np.radians(angle_deg), 1e-3 * distance_mm
    return [perturb(truth, angle_rad=angle_rad, distance_m=distance_m, rng=rng) for _ in range(count)]


def save_poses(path: Path, given: list[Pose], **images: NDArray[np.generic]) -> None:
    """Poses, and images beside them, as one file."""
    np.savez(path, R=np.stack([p.R_m2c for p in given]), t=np.stack([p.t_m2c for p in given]), **images)


def picture(mesh: Mesh, camera: Camera, pose: Pose, rng: np.random.Generator) -> dict[str, NDArray[np.generic]]:
    """A drawn RGB-D picture with a background, noise and the object's mask: uint8, uint16 of `DEPTH_UNIT_M`, bool.

    The noise of depth has 640 x 480 pixels, whatever the picture's size: as from a sensor, registered to a photograph.
    """
    images = Renderer(mesh, camera).render(pose.R_m2c, pose.t_m2c)
    coverage = np.clip(images.coverage[0], 0.0, 1.0)[..., None]
    shape = (camera.height, camera.width)
    blotches = gaussian_filter(rng.standard_normal((48, 64, 3)), (2.0, 2.0, 0.0))
    factors = (shape[0] / 48, shape[1] / 64, 1.0)
    behind = np.clip(0.5 + 0.5 * zoom(blotches, factors, order=1), 0.0, 1.0)[: shape[0], : shape[1]]
    rgb = images.rgb[0] + (1.0 - coverage) * behind + 0.01 * rng.standard_normal((*shape, 3), np.float32)
    mask = coverage[..., 0] > 0.5
    depth_m = np.where(mask, images.depth[0], pose.t_m2c[2] + mesh.diameter)
    depth_m = depth_m + 0.001 * stretched(rng.standard_normal((480, 640), np.float32), shape)
    return {
        "rgb": np.asarray(np.round(255.0 * np.clip(rgb, 0.0, 1.0)), np.uint8),
        "depth": np.asarray(np.round(depth_m / DEPTH_UNIT_M), np.uint16),
        "mask": mask,
    }


def stretched(image: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """An image (h, w) of another size, each pixel the nearest one's."""
    rows, columns = (np.arange(n) * m // n for n, m in zip(shape, image.shape, strict=True))
    return image[rows[:, None], columns]


def write_film(folder: Path, mesh: Mesh, camera: Camera, first: Pose, frames: int) -> None:
    """The object swings; its poses are true."""
    rng = np.random.default_rng(_SEED)
    turn, shift = (v / np.linalg.norm(v) for v in rng.normal(size=(2, 3)))
    swing = np.sin(2.0 * np.pi * np.arange(frames) / 20.0) * 20.0 / (2.0 * np.pi)  # steps of at most 1
    path = [
        Pose(so3.exp(turn * np.radians(_STEP_DEG) * s) @ first.R_m2c, first.t_m2c + 1e-3 * _STEP_MM * s * shift)
        for s in swing
    ]
    seen = [picture(mesh, camera, pose, rng) for pose in path]
    images = {name: np.stack([frame[name] for frame in seen]) for name in ("rgb", "mask")}
    depth = np.stack([frame["depth"] for frame in seen]).astype(np.float32) * np.float32(DEPTH_UNIT_M)
    save_poses(folder / "film", path, depth=depth, **images)


def write_photographs(folder: Path, mesh: Mesh, pose: Pose, count: int) -> None:
    """The same view at both sizes, and starts for it; the object lies along the picture and fills half of it."""
    turned = Pose(so3.exp(np.array([0.0, 0.0, np.pi / 2])) @ pose.R_m2c, np.array([0.0, 0.0, pose.t_m2c[2]]))
    small = Camera(1.0, 1.0, 319.5, 239.5, *SIZES["small"])
    focal = filling_focal(mesh, small, turned)
    camera = Camera(focal, focal, small.cx, small.cy, small.width, small.height)
    for name, (width, height) in SIZES.items():
        seen = picture(mesh, sized := camera.resize(width, height), turned, np.random.default_rng(_SEED))
        np.savez(folder / f"photograph-{name}", K=sized.K, **seen)
    save_poses(folder / "photograph-starts", perturbed(turned, *LEVELS["010_trans_004"], count))


def filling_focal(mesh: Mesh, camera: Camera, pose: Pose) -> float:
    """The focal length at which the object covers `FILLED` of the picture, by bisection."""
    low, high = 100.0, 10_000.0
    for _ in range(12):
        focal = float(np.sqrt(low * high))
        wide = Camera(focal, focal, camera.cx, camera.cy, camera.width, camera.height)
        covered = Renderer(mesh, wide).render(pose.R_m2c, pose.t_m2c).coverage.mean()
        low, high = (focal, high) if covered < FILLED else (low, focal)
    return low


def write_ball(folder: Path) -> None:
    """The case of the passes: see `benchmarks.speed`."""
    ball = bumpy_ball(10_000)
    seen, coverage = observe(ball, camera := ball_camera(ball, 160))
    R, t = poses(32)
    np.savez(folder / "ball", vertices=ball.vertices_m, faces=ball.faces, uv=ball.uv, texture=ball.texture)
    np.savez(folder / "ball-seen", K=camera.K, rgb=seen.rgb, depth=seen.depth, mask=coverage)
    np.savez(folder / "ball-poses", R=R, t=t)
