"""What makes a picture harder, in stated amounts: occluders, other objects, wrong masks, wrong brightness."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.experiments.shapes import grid_box, icosphere, mottled, painted, tube
from diffdope.experiments.synthetic import blotches
from diffdope.geometry.perturb import random_rotation
from diffdope.geometry.pose import Pose
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

F32 = NDArray[np.float32]
_GAP_M = 0.04  # by which an occluder is nearer than the nearest point of the object


def occlude(observation: Observation, share: float, rng: np.random.Generator) -> Observation:
    """Hides a share of the object's mask behind a card with a straight edge, coming from a random side.

    Args:
        observation: with a mask.
        share: of the mask's pixels, in [0, 1); met to the pixel.
        rng: of the side and of the card's colours.

    Raises:
        DiffDopeError: if the share is out of range or there is no mask.
    """
    if not 0.0 <= share < 1.0:
        raise expected("share", "a share in [0, 1)", share)
    mask = mask_of(observation)
    angle = rng.uniform(0.0, 2.0 * np.pi)
    rows, columns = np.nonzero(mask)
    along = np.cos(angle) * np.arange(mask.shape[1])[None, :] + np.sin(angle) * np.arange(mask.shape[0])[:, None]
    count = round(share * len(rows))
    if count == 0:
        return observation
    card = along <= np.sort(along[mask])[count - 1]
    margin = max(np.ptp(rows), np.ptp(columns)) // 2
    near = np.zeros_like(mask)
    near[max(rows.min() - margin, 0) : rows.max() + margin, max(columns.min() - margin, 0) : columns.max() + margin] = (
        True
    )
    card &= near
    rgb, depth = observation.rgb, observation.depth
    if rgb is not None:
        rgb = np.where(card[..., None], blotches(rng, *mask.shape), rgb)
    if depth is not None:
        # In front of the object and of all else that it covers.
        nearest = float(depth[(mask | card) & (depth > 0)].min(initial=np.inf))
        nearest = nearest if np.isfinite(nearest) else float(np.median(depth[depth > 0]))
        depth = np.where(card, np.float32(max(nearest - _GAP_M, 0.5 * nearest)), depth)
    return Observation(observation.camera, rgb=rgb, depth=depth, mask=mask & ~card)


def wrong_mask(observation: Observation, pixels: float, rng: np.random.Generator) -> Observation:
    """Moves the border of the mask in and out by a smooth random field of `pixels` root mean square.

    Raises:
        DiffDopeError: if `pixels` is negative or there is no mask.
    """
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    if not pixels >= 0.0:
        raise expected("pixels", "a length >= 0", pixels)
    mask = mask_of(observation)
    # Signed distance to the border, which runs half way between the last pixel of the object and the first beside it.
    inside = distance_transform_edt(mask) - distance_transform_edt(~mask)
    inside -= 0.5 * np.sign(inside)
    field = gaussian_filter(rng.standard_normal(mask.shape), 6.0)
    border = np.abs(inside) < 1.0
    field *= pixels / np.sqrt(np.mean(field[border] ** 2))
    moved = inside > field
    return observation.with_mask(moved if moved.any() else mask)


def with_gain(observation: Observation, gain: float) -> Observation:
    """The picture `gain` times as bright, clipped at white.

    Raises:
        DiffDopeError: if the gain is not positive.
    """
    if not gain > 0.0:
        raise expected("gain", "a factor > 0", gain)
    if observation.rgb is None:
        return observation
    rgb = np.clip(observation.rgb * np.float32(gain), 0.0, 1.0)
    return Observation(observation.camera, rgb=rgb, depth=observation.depth, mask=observation.mask)


def with_neighbours(
    observation: Observation, truth: Pose, size_m: float, count: int, rng: np.random.Generator
) -> Observation:
    """Draws `count` painted primitives around the object, none in front of it: they touch its outline at most.

    Args:
        observation: with a mask.
        truth: pose of the object, around which they are placed.
        size_m: the object's diameter, metres; the others are about half as large.
        count: how many.
        rng: of kinds, places and colours.
    """
    mask = mask_of(observation)
    rgb, depth = (None if image is None else image.copy() for image in (observation.rgb, observation.depth))
    for _ in range(count):
        mesh, pose = _neighbour(truth, size_m, rng)
        images = Renderer(mesh, observation.camera).render(pose.R_m2c, pose.t_m2c)
        seen = (images.depth[0] > 0) & ~mask
        if depth is not None:
            seen &= (depth == 0) | (images.depth[0] < depth)
            depth[seen] = images.depth[0][seen]
        if rgb is not None:
            rgb[seen] = np.clip(images.rgb[0] / np.maximum(images.coverage[0], 0.05)[..., None], 0.0, 1.0)[seen]
    return Observation(observation.camera, rgb=rgb, depth=depth, mask=mask)


def without_mask(observation: Observation) -> Observation:
    """The same without its mask."""
    return Observation(observation.camera, rgb=observation.rgb, depth=observation.depth)


def mask_of(observation: Observation) -> NDArray[np.bool_]:
    """The mask (H, W) of an observation.

    Raises:
        DiffDopeError: if there is none.
    """
    if observation.mask is None:
        raise expected("mask", "an observation with a mask", "none", "see --mask")
    return np.asarray(observation.mask > 0.5)


def _neighbour(truth: Pose, size_m: float, rng: np.random.Generator) -> tuple[Mesh, Pose]:
    size = size_m * rng.uniform(0.25, 0.45)
    kinds = (icosphere(3, size / 2), tube(32, 8, size / 3, size), grid_box(size * rng.uniform(0.4, 1.0, 3), 8))
    vertices, faces = kinds[rng.integers(len(kinds))]
    mesh = painted("neighbour", vertices, faces, mottled)
    assert mesh.colors is not None
    mesh = replace(mesh, colors=np.clip(mesh.colors * rng.uniform(0.5, 1.4, 3), 0.0, 1.0))
    angle, reach = rng.uniform(0.0, 2.0 * np.pi), size_m * rng.uniform(0.3, 0.8)
    offset = np.array([reach * np.cos(angle), reach * np.sin(angle), size_m * rng.uniform(-0.2, 0.3)])
    return mesh, Pose(random_rotation(rng), truth.t_m2c + offset)
