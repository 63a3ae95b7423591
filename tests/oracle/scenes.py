"""Seeded random scenes: a mesh, a camera, a pose, and an observation made from another pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.render.reference import ReferenceImages, ReferenceScene, render
from diffdope.scene.texture import build_pyramid
from diffdope.scene.texture_gaps import without_gaps
from diffdope.scene.topology import build_edges
from tests.oracle import shapes
from tests.oracle.differences import rotation
from tests.oracle.objective import ReferenceObservation

Array = NDArray[np.float64]
Intrinsics = tuple[float, float, float, float]

KINDS = (
    "icosphere_coarse",
    "icosphere_medium",
    "icosphere_fine",  # more than one triangle a pixel
    "box",
    "box_cells",
    "torus",
    "two_spheres",  # one passes into the other
    "sphere_and_box",  # one stands before the other
    "sheet",  # open
    "torus_miswound",
    "soup",
)
COLOURINGS = ("texture", "vertex", "none")
SCENE_COUNT = len(KINDS) * len(COLOURINGS)


@dataclass(frozen=True)
class Scene:
    """All that a test needs; seeds 0 .. SCENE_COUNT - 1 cover every kind with every colouring.

    Attributes:
        name: kind/colouring/seed.
        vertices_m: (V, 3) metres.
        faces: (F, 3) int32.
        uv: (V, 2) or None.
        texture: (H, W, 3) uint8 or None.
        colors: (V, 3) in [0, 1] or None.
        reference: the same for the reference renderer.
        K: (fx, fy, cx, cy) pixels.
        width: pixels.
        height: pixels.
        R: (3, 3) pose to evaluate at.
        t: (3,) metres.
        R_true: (3, 3) pose of the observation.
        t_true: (3,) metres.
        observation: what was seen from the true pose.
        length: diameter of the object, metres.
    """

    name: str
    vertices_m: Array
    faces: NDArray[np.int32]
    uv: Array | None
    texture: NDArray[np.uint8] | None
    colors: Array | None
    reference: ReferenceScene
    K: Intrinsics
    width: int
    height: int
    R: Array
    t: Array
    R_true: Array
    t_true: Array
    observation: ReferenceObservation
    length: float

    def images(self, R: Array | None = None, t: Array | None = None) -> ReferenceImages:
        """Reference images at a pose, by default the scene's."""
        R, t = self.R if R is None else R, self.t if t is None else t
        return render(self.reference, self.K, self.width, self.height, R, t)


def random_scene(seed: int) -> Scene:
    """Scene number `seed`, the same every time."""
    rng = np.random.default_rng([20240, seed])
    kind, colouring = KINDS[seed % len(KINDS)], COLOURINGS[seed // len(KINDS) % len(COLOURINGS)]
    shape = random_shape(kind, rng)
    texture = random_texture(rng) if colouring == "texture" else None
    colors = random_vertex_colors(shape, kind, rng) if colouring == "vertex" else None
    uv = shape.uv if texture is not None else None
    reference = reference_scene(shape.vertices_m, shape.faces, uv=uv, texture=texture, colors=colors)

    centre = (shape.vertices_m.max(axis=0) + shape.vertices_m.min(axis=0)) / 2
    length = 2 * float(np.linalg.norm(shape.vertices_m - centre, axis=1).max())
    width, height = (int(size) for size in rng.integers(32, 65, 2))
    K, R_true, t_true = random_view(rng, centre, length, width, height)
    turn = random_direction(rng) * np.radians(rng.uniform(5.0, 15.0))
    R = rotation(turn) @ R_true
    # turned about the middle of the object, not about its origin
    t = t_true + R_true @ centre - R @ centre + random_direction(rng) * rng.uniform(0.001, 0.005)
    seen = render(reference, K, width, height, R_true, t_true)
    return Scene(
        name=f"{kind}/{colouring}/{seed}",
        vertices_m=shape.vertices_m,
        faces=shape.faces,
        uv=uv,
        texture=texture,
        colors=colors,
        reference=reference,
        K=K,
        width=width,
        height=height,
        R=R,
        t=t,
        R_true=R_true,
        t_true=t_true,
        observation=observe(rng, seen, binary_mask=bool(rng.random() < 0.5)),
        length=length,
    )


def reference_scene(
    vertices_m: Array,
    faces: NDArray[np.int32],
    *,
    uv: Array | None = None,
    texture: NDArray[np.uint8] | None = None,
    colors: Array | None = None,
) -> ReferenceScene:
    """Arrays of a mesh as the reference renderer wants them: edges found, texture reduced."""
    attributes = uv if texture is not None else colors
    if texture is not None and uv is not None:
        texture = without_gaps(texture, uv, faces)
    return ReferenceScene(
        vertices_m=vertices_m,
        faces=faces,
        edges=build_edges(vertices_m, faces, None if attributes is None else attributes),
        uv=uv if texture is not None else None,
        pyramid=build_pyramid(texture) if texture is not None else None,
        colors=colors,
    )


def random_shape(kind: str, rng: np.random.Generator) -> shapes.Shape:
    """Mesh of a kind."""
    coarse = shapes.icosphere(1, 0.03)
    makers = {
        "icosphere_coarse": lambda: shapes.icosphere(0),
        "icosphere_medium": lambda: shapes.icosphere(2),
        "icosphere_fine": lambda: shapes.icosphere(4),
        "box": lambda: shapes.box(),
        "box_cells": lambda: shapes.box((0.09, 0.05, 0.04), cells=5),
        "torus": lambda: shapes.torus(24, 12),
        "two_spheres": lambda: shapes.join([coarse, shapes.shifted(shapes.icosphere(2, 0.03), (0.035, 0, 0.01))]),
        "sphere_and_box": lambda: shapes.join([shapes.shifted(shapes.box(), (0, 0, 0.07)), coarse]),
        "sheet": lambda: shapes.sheet(8),
        "torus_miswound": lambda: shapes.inconsistently_wound(rng, shapes.torus(16, 8)),
        "soup": lambda: shapes.soup(rng, 30),
    }
    return makers[kind]()


def random_direction(rng: np.random.Generator) -> Array:
    """(3,) unit vector."""
    direction = rng.normal(size=3)
    return np.asarray(direction / np.linalg.norm(direction))


def random_view(
    rng: np.random.Generator, centre: Array, length: float, width: int, height: int
) -> tuple[Intrinsics, Array, Array]:
    """Camera of a crop and a pose: the object fills half of the crop or overflows it, sometimes half outside."""
    z = rng.uniform(0.5, 0.8)
    focal = rng.uniform(0.6, 1.15) * min(width, height) * z / length
    K = (focal, focal * rng.uniform(0.98, 1.02), rng.uniform(-1, 2) * width, rng.uniform(-1, 2) * height)
    spread = 0.5 if rng.random() < 0.25 else 0.1  # a quarter of them partly out of the image
    u, v = (np.array([width, height]) - 1) * (0.5 + rng.uniform(-spread, spread, 2))
    R = rotation(random_direction(rng) * rng.uniform(0, np.pi))
    middle_c = z * np.array([(u - K[2]) / K[0], (v - K[3]) / K[1], 1.0])
    return K, R, middle_c - R @ centre


def smooth_noise(rng: np.random.Generator, height: int, width: int, waves: int = 6) -> Array:
    """(H, W) in [0, 1], a few sines."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    total = np.zeros((height, width))
    for _ in range(waves):
        fx, fy = rng.uniform(-4.0, 4.0, 2)
        total += rng.uniform(0.3, 1.0) * np.sin(2 * np.pi * (fx * x + fy * y) + rng.uniform(0, 2 * np.pi))
    return np.asarray((total - total.min()) / (total.max() - total.min()))


def smooth_rgb(rng: np.random.Generator, height: int, width: int) -> Array:
    """(H, W, 3) in [0, 1]."""
    return np.stack([smooth_noise(rng, height, width) for _ in range(3)], axis=-1)


def random_texture(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Smooth texture of some size, odd ones too."""
    height, width = (int(size) for size in rng.integers(24, 130, 2))
    return np.round(smooth_rgb(rng, height, width) * 255).astype(np.uint8)


def random_vertex_colors(shape: shapes.Shape, kind: str, rng: np.random.Generator) -> Array:
    """(V, 3) colours: smooth in space, but every sheet of a box its own and every corner of a soup its own."""
    if kind == "soup":
        return rng.uniform(0, 1, shape.vertices_m.shape)
    waves = rng.normal(0, 40.0, (3, 3))
    phase = rng.uniform(0, 2 * np.pi, 3)
    if kind.startswith("box"):
        phase = np.repeat(rng.uniform(0, 2 * np.pi, (6, 3)), len(shape.vertices_m) // 6, axis=0)
    return np.asarray(0.5 + 0.45 * np.sin(shape.vertices_m @ waves + phase))


def observe(rng: np.random.Generator, seen: ReferenceImages, *, binary_mask: bool) -> ReferenceObservation:
    """An image of the object over a smooth background, with noise, missing depth and a mask; the mask is the gate."""
    height, width = seen.A.shape
    coverage = np.clip(seen.A, 0.0, 1.0)
    background = smooth_rgb(rng, height, width)
    rgb = seen.P + (1.0 - coverage[..., None]) * background + rng.normal(0, 0.02, (height, width, 3))

    far = 0.9 + 0.2 * smooth_noise(rng, height, width)
    depth = np.where(seen.raw_depth > 0, seen.raw_depth, far) + rng.normal(0, 0.0007, (height, width))
    depth[rng.random((height, width)) < 0.1] = 0.0

    mask = (coverage > 0.5).astype(np.float64) if binary_mask else coverage
    return ReferenceObservation(O=np.clip(rgb, 0.0, 1.0), D=depth, M=mask, G=mask)
