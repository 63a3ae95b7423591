"""Pictures of painted meshes, made by our own renderer: the truth is exact, and nothing but noise is unexplained.

Results on them say how the method behaves, not how well it does on photographs: model and picture share one renderer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import checked_fields
from diffdope.errors import expected
from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import CropWindow
from diffdope.geometry.perturb import random_rotation
from diffdope.geometry.pose import Pose
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

F32 = NDArray[np.float32]
CAMERA = Camera(640.0, 640.0, 159.5, 119.5, 320, 240)
_SAMPLES = 3  # drawn so many times as large, then averaged
_WALL_M = 1.2  # distance of the wall behind the objects
_BORDER_PX = 2  # by which the renderer's images reach beyond contours, rounded up


@dataclass(frozen=True)
@checked_fields(least={"rgb": 0.0, "depth_m": 0.0, "depth_slope": 0.0, "missing": 0.0})
class SensorNoise:
    """What the camera adds: standard deviations, and the share of pixels without depth.

    The depth's noise is depth_m + depth_slope * (z - 0.4 m)^2, as structured-light cameras have it.
    """

    rgb: float = 0.01
    depth_m: float = 0.0012
    depth_slope: float = 0.0019
    missing: float = 0.003


def random_pose(rng: np.random.Generator, *, distance_m: float = 0.55) -> Pose:
    """Any orientation, near the middle of the picture."""
    return Pose(random_rotation(rng), np.array([*rng.uniform(-0.02, 0.02, 2), distance_m]))


def picture(
    parts: Sequence[tuple[Mesh, Pose]],
    rng: np.random.Generator,
    *,
    camera: Camera = CAMERA,
    noise: SensorNoise | None = None,
    samples: int = _SAMPLES,
) -> Observation:
    """RGB, depth and the visible mask of the first of several objects before a blotchy wall.

    Args:
        parts: meshes and their poses; the nearest surface is seen.
        rng: of background and noise.
        camera: of the picture.
        noise: None for none.
        samples: per pixel and axis; odd, so that one lies at the pixel's centre. With 1, no pixel mixes what is on
            either side of an edge.

    Raises:
        DiffDopeError: if `samples` is not odd.
    """
    k = samples
    if k < 1 or k % 2 == 0:
        raise expected("samples", "an odd number of at least 1", samples)
    fine = camera.resize(k * camera.width, k * camera.height)
    rgb = np.repeat(np.repeat(blotches(rng, camera.height, camera.width), k, 0), k, 1)
    depth = np.full((fine.height, fine.width), _WALL_M, np.float32)
    owner = np.full(depth.shape, -1)
    for number, (mesh, pose) in enumerate(parts):
        window = _window(mesh, pose, fine)
        if window is None:
            continue
        images = Renderer(mesh, window.camera(fine)).render(pose.R_m2c, pose.t_m2c)
        rows, columns = (slice(a, a + n) for a, n in ((window.y0, window.height), (window.x0, window.width)))
        # The renderer's images fade out at contours, beyond which they reach by up to half a pixel; each fine sample is
        # all object or none of it.
        in_front = (images.coverage[0] >= 0.5) & (images.depth[0] < depth[rows, columns])
        colour = images.rgb[0] / np.maximum(images.coverage[0], 0.5)[..., None]
        rgb[rows, columns][in_front] = colour[in_front]
        depth[rows, columns][in_front], owner[rows, columns][in_front] = images.depth[0][in_front], number
    middle = slice(k // 2, None, k)
    mask = _mean_of_blocks((owner == 0).astype(np.float32), k) >= 0.5
    clean = np.clip(_mean_of_blocks(rgb, k), 0.0, 1.0)
    sensed = add_noise(clean, depth[middle, middle], rng, noise or SensorNoise(0.0, 0.0, 0.0, 0.0))
    return Observation(camera, rgb=sensed[0], depth=sensed[1], mask=mask)


def _window(mesh: Mesh, pose: Pose, camera: Camera) -> CropWindow | None:
    """Where the object is seen, None for nowhere; buffers for all of a picture take longer than what is drawn there."""
    seen = pose.apply(mesh.vertices_m)
    if seen[:, 2].min() <= 0.0:
        return CropWindow(0, 0, camera.width, camera.height)
    u, v = camera.project(seen)
    x0, y0 = (max(int(np.floor(low.min())) - _BORDER_PX, 0) for low in (u, v))
    x1 = min(int(np.ceil(u.max())) + _BORDER_PX, camera.width)
    y1 = min(int(np.ceil(v.max())) + _BORDER_PX, camera.height)
    return CropWindow(x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None


def add_noise(rgb: F32, depth: F32, rng: np.random.Generator, noise: SensorNoise) -> tuple[F32, F32]:
    """Noisy copies of a picture (H, W, 3) in [0, 1] and a depth image (H, W), metres."""
    noisy = np.clip(rgb + noise.rgb * rng.standard_normal(rgb.shape), 0.0, 1.0)
    sigma = noise.depth_m + noise.depth_slope * (depth - 0.4) ** 2
    deep = np.maximum(depth + (depth > 0) * sigma * rng.standard_normal(depth.shape), 0.0)
    deep[rng.random(depth.shape) < noise.missing] = 0.0
    return noisy.astype(np.float32), deep.astype(np.float32)


def blotches(rng: np.random.Generator, height: int, width: int) -> F32:
    """A smooth random picture (H, W, 3) in [0, 1]."""
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(rng.standard_normal((height, width, 3)), (8, 8, 0))
    shades: F32 = np.clip(0.5 + 0.18 * field / field.std(), 0.0, 1.0).astype(np.float32)
    return shades


def _mean_of_blocks(image: F32, k: int) -> F32:
    h, w = image.shape[:2]
    mean: F32 = image.reshape(h // k, k, w // k, k, *image.shape[2:]).mean(axis=(1, 3), dtype=np.float32)
    return mean
