"""A film of one object on a table, drawn along a path: blur, noise, changing light, an occluder.

The object is drawn at twice the resolution that the tracker sees and averaged; depth is drawn at pixel centres. It is
our own renderer, so model and picture agree better than a photograph would: shading, shadows and reflections are
missing, and so are rolling shutter and the errors of a calibration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from diffdope.experiments.shapes import grid_box, icosphere, mottled, painted
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.render.renderer import RenderedImages, Renderer
from diffdope.scene.mesh import Mesh

F32 = NDArray[np.float32]
CAMERA = Camera(605.0, 605.0, 321.4, 237.8, 640, 480)
FINE = CAMERA.resize(2 * CAMERA.width, 2 * CAMERA.height)
OCCLUDED_EVERY_S, OCCLUDED_S = 4.0, 1.0


@dataclass(frozen=True)
class Shot:
    """A frame as the sensor gives it, and the truth.

    rgb (480, 640, 3) uint8; depth (480, 640) float32 metres; mask (480, 640) bool, with a noisy border; visible: share
    of the object's pixels that nothing hides, of those inside the picture.
    """

    time_s: float
    rgb: NDArray[np.uint8]
    depth: F32
    mask: NDArray[np.bool_]
    truth: Pose
    visible: float


class Film:
    """Draws the frames of one path.

    Args:
        mesh: the object.
        poses: at 30 frames a second.
        seed: of noise, light and drops.
        occluder: whether a card passes in front, one second in four.
        drop: share of the frames that are missing, in runs of up to five.
    """

    def __init__(self, mesh: Mesh, poses: list[Pose], *, seed: int, occluder: bool, drop: float) -> None:
        self._poses, self._occluder = poses, occluder
        self._rng = np.random.default_rng(seed)
        self._dropped = dropped(len(poses), drop, self._rng)
        self._balance = self._rng.uniform(0.93, 1.07, 3)
        card = painted("card", *grid_box(np.array([0.12, 0.25, 0.004]), 8), mottled)
        parts = {"room": room(), "table": table(mesh, poses), "object": mesh, "card": card}
        self._fine = {name: Renderer(parts[name], FINE) for name in ("object", "card")}
        self._coarse = {name: Renderer(part, CAMERA) for name, part in parts.items()}

    def __iter__(self) -> Iterator[Shot]:
        """The frames that were not dropped."""
        for k, pose in enumerate(self._poses):
            if not self._dropped[k]:
                yield self._shot(k, pose)

    def _shot(self, k: int, pose: Pose) -> Shot:
        rng, time_s = self._rng, k / 30.0
        placed = {"room": pose, "table": pose, "object": pose} | self._card(time_s, pose)
        coarse = {name: self._coarse[name].render(where.R_m2c, where.t_m2c) for name, where in placed.items()}
        rgb = np.zeros((CAMERA.height, CAMERA.width, 3), np.float32)
        for name in placed:
            if name == "object":  # what is behind it need not be sharp
                rgb = np.repeat(np.repeat(rgb, 2, 0), 2, 1)
            where = placed[name]
            fine = self._fine[name].render(where.R_m2c, where.t_m2c) if name in self._fine else coarse[name]
            over(rgb, fine)
        depth, owner = nearest(coarse)
        drawn, mask = coarse["object"].coverage[0] > 0.5, owner == list(coarse).index("object")
        return Shot(
            time_s, self._photographed(rgb, time_s), sensed(depth, rng), noisy_mask(mask, rng), pose,
            float(mask.sum() / max(drawn.sum(), 1)),
        )  # fmt: skip

    def _card(self, time_s: float, pose: Pose) -> dict[str, Pose]:
        phase = (time_s % OCCLUDED_EVERY_S - 1.5) / OCCLUDED_S
        if not self._occluder or not 0.0 <= phase <= 1.0:
            return {}
        return {"card": Pose(np.eye(3), 0.75 * pose.t_m2c + [0.5 * (phase - 0.5), 0.0, 0.0])}

    def _photographed(self, rgb: F32, time_s: float) -> NDArray[np.uint8]:
        """Averaged to the sensor's pixels, blurred, in a light that changes by a fifth, with shot and read noise."""
        h, w = CAMERA.height, CAMERA.width
        mean = np.clip(rgb, 0.0, 1.0).reshape(h, 2, w, 2, 3).mean(axis=(1, 3))
        lit = gaussian_filter(mean, (0.6, 0.6, 0)) * self._balance * (1.0 + 0.2 * np.sin(2.0 * time_s))
        noise = self._rng.standard_normal(lit.shape, np.float32) * np.sqrt(0.006**2 + 0.012**2 * lit)
        return np.asarray(np.round(255.0 * np.clip(lit + noise, 0.0, 1.0)), np.uint8)


def over(rgb: F32, images: RenderedImages) -> None:
    """Draws a rendering over a picture (H, W, 3), in place."""
    rgb *= 1.0 - np.clip(images.coverage[0], 0.0, 1.0)[..., None]
    rgb += images.rgb[0]


def nearest(images: dict[str, RenderedImages]) -> tuple[F32, NDArray[np.intp]]:
    """Depth of the nearest surface, 0 where there is none, and whose it is."""
    stack = np.stack([np.where(image.coverage[0] >= 0.5, image.depth[0], np.inf) for image in images.values()])
    owner = stack.argmin(axis=0)
    depth = np.take_along_axis(stack, owner[None], 0)[0]
    return np.where(np.isfinite(depth), depth, 0.0).astype(np.float32), owner


def sensed(depth: F32, rng: np.random.Generator) -> F32:
    """sigma(z) = 1.2 mm + 1.9 mm/m^2 (z - 0.4 m)^2; 0.3 % are missing, and most of the pixels at depth edges."""
    sigma = 0.0012 + 0.0019 * (depth - 0.4) ** 2
    noisy = depth + sigma * rng.standard_normal(depth.shape, np.float32)
    jump = np.zeros(depth.shape, bool)
    for axis in (0, 1):
        step = np.abs(np.diff(depth, axis=axis)) > 0.02
        jump |= np.pad(step, [(0, int(axis == 0)), (0, int(axis == 1))])
        jump |= np.pad(step, [(int(axis == 0), 0), (int(axis == 1), 0)])
    chance = rng.random(depth.shape, np.float32)
    gone = (depth <= 0) | (chance < 0.003) | (jump & (chance < 0.7))
    return np.where(gone, 0.0, np.maximum(np.round(noisy * 1e4) * 1e-4, 0.0)).astype(np.float32)


def noisy_mask(mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Its border moved smoothly, by 1.5 pixels root mean square, another way in every frame."""
    if not mask.any():
        return mask
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    part = (slice(max(rows[0] - 8, 0), rows[-1] + 9), slice(max(columns[0] - 8, 0), columns[-1] + 9))
    inside = distance_transform_edt(mask[part]) - distance_transform_edt(~mask[part])
    field = gaussian_filter(rng.standard_normal(inside.shape), 6.0)
    result = np.zeros_like(mask)
    result[part] = inside - 0.5 * np.sign(inside) > 1.5 * field / field.std()
    return result


def dropped(count: int, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which frames are missing; never the first."""
    gone = np.zeros(count, bool)
    while share > 0.0 and gone.mean() < share:
        start = int(rng.integers(1, count))
        gone[start : start + int(rng.integers(1, 6))] = True
    return gone


def room() -> Mesh:
    """A large ball around the scene, seen from inside."""
    vertices, faces = icosphere(4, 2.4)
    return painted("room", vertices, faces[:, ::-1], mottled)


def table(mesh: Mesh, poses: list[Pose]) -> Mesh:
    """A patterned plane under the object: at its end that points down for a camera that looks down a little."""
    down = np.mean([pose.R_m2c.T @ [0.0, 1.0, 0.6] for pose in poses], axis=0)
    axis = int(np.argmax(np.abs(down)))
    side = float(np.sign(down[axis]))
    level = side * float((side * mesh.vertices_m[:, axis]).max())
    middle = mesh.vertices_m.mean(axis=0)
    cells = 40
    s, r = (grid.ravel() for grid in np.meshgrid(*[np.linspace(-0.5, 0.5, cells + 1)] * 2))
    vertices = np.empty((len(s), 3))
    vertices[:, axis] = level
    vertices[:, (axis + 1) % 3], vertices[:, (axis + 2) % 3] = 1.6 * s, 1.6 * r
    vertices += np.where(np.arange(3) == axis, 0.0, middle)
    index = np.arange((cells + 1) ** 2).reshape(cells + 1, cells + 1)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    uv = np.stack([s + 0.5, r + 0.5], axis=1)
    return Mesh(vertices, faces, uv=uv, texture=pattern(np.random.default_rng(1)), name="table")


def pattern(rng: np.random.Generator, size: int = 1024) -> NDArray[np.uint8]:
    """Blotches of many sizes."""
    picture = np.full((size, size, 3), 0.45)
    for width, strength in ((2.0, 0.05), (8.0, 0.08), (30.0, 0.10), (90.0, 0.08)):
        field = gaussian_filter(rng.standard_normal((size, size, 3)), (width, width, 0), mode="wrap")
        picture += strength * field / field.std()
    return np.asarray(np.round(255.0 * np.clip(picture, 0.0, 1.0)), np.uint8)
