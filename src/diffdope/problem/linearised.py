"""The image terms seen as a regression: residuals and Jacobians of one pose, each term in its own units."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.render.kernels.layout import Pinhole

F32 = NDArray[np.float32]

CHANNELS = {"rgb": slice(0, 3), "depth": slice(3, 4), "mask": slice(4, 5)}


class PixelLists(NamedTuple):
    """What the kernel fills; see there."""

    pixel: NDArray[np.int32]
    offset: F32
    rendered: F32
    jacobian: F32
    residual: F32
    weight: F32
    sensitivity: F32

    @staticmethod
    def of(size: int) -> PixelLists:
        """For images of so many pixels."""
        f32 = np.float32
        return PixelLists(
            np.empty(size, np.int32), np.empty((3, size), f32), np.empty((5, size), f32), np.empty((5, 6, size), f32),
            np.empty((5, size), f32), np.empty((3, size), f32), np.empty(size, f32),
        )  # fmt: skip


class ResidualBlock(NamedTuple):
    """One term at one pose, the pixels (N) last: they are many, and what is summed over should lie side by side.

    residual (C, N) rendered less observed: colours in [0, 1] (C = 3), metres of depth or share of coverage (C = 1);
    jacobian (C, 6, N) of it by (rho [m], phi [rad]); rendered (C, N); weight (N,) in [0, 1], how much a pixel counts;
    pixel (N,) row-major index in the crop; offset (3, N) metres, from the object's origin to the surface point;
    normal_sensitivity (N,): square of how far a value moves if the surface leans by a small angle, over that of its own
    Jacobian: a colour that is seen straight on does not notice; depth_jacobian (6, N): of the depth [m] of what is seen
    there, None on an outline.
    """

    residual: F32
    jacobian: F32
    rendered: F32
    weight: F32
    pixel: NDArray[np.int32]
    offset: F32
    normal_sensitivity: F32
    depth_jacobian: F32 | None


class Linearised(NamedTuple):
    """All terms at one pose, by name: rgb, depth, mask; those that are off or seen nowhere are missing."""

    blocks: dict[str, ResidualBlock]
    width: int
    height: int


def blocks_of(
    lists: PixelLists, n: int, end: int, view: Pinhole, t_m2c: F32, names: tuple[str, ...]
) -> dict[str, ResidualBlock]:
    """The residual blocks of the terms in `names`, from what `linearise_pose` has listed.

    Args:
        lists: filled up to `end`; pixels up to `n` are covered wholly, the others lie next to a contour.
        n: see there.
        end: see there.
        view: of the crop.
        t_m2c: of the pose, (3,) metres.
        names: of the terms that count.
    """
    blocks = {}
    for number, (name, channels) in enumerate(CHANNELS.items()):
        on_rim = name == "mask"
        part = slice(n, end) if on_rim else slice(0, n)
        weight = lists.weight[number, part]
        if name not in names or not weight.any():
            continue
        pixel = lists.pixel[part]
        blocks[name] = ResidualBlock(
            lists.residual[channels, part], lists.jacobian[channels, :, part], lists.rendered[channels, part], weight,
            pixel, at_distance(pixel, view, t_m2c) if on_rim else lists.offset[:, part],
            lists.sensitivity[part] if name == "rgb" else np.ones(len(pixel), np.float32),
            None if on_rim else lists.jacobian[3, :, part],
        )  # fmt: skip
    return blocks


def at_distance(pixel: NDArray[np.int32], view: Pinhole, t_m2c: F32) -> F32:
    """Places (3, N) relative to the object's origin of pixels at its distance: where on a contour is not known."""
    z = t_m2c[2]
    v, u = np.divmod(pixel, view.width)
    x, y = (u - view.cx) / view.fx * z - t_m2c[0], (v - view.cy) / view.fy * z - t_m2c[1]
    return np.stack([x, y, np.zeros_like(x)]).astype(np.float32)
