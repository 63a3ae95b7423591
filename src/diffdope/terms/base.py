"""What every term has: settings and what it says of a pose; image terms have noise and a say in fit quality, too."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.render.renderer import RenderedImages
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.terms.layout import Canvas
from diffdope.terms.quadratic_factor import QuadraticFactor

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

LEAST_PIXELS = 12  # fewer say nothing about a fit


class Rendering(NamedTuple):
    """Images of one pose: rgb (H, W, 3), depth (H, W) metres, 0 where nothing is, coverage (H, W)."""

    rgb: F32
    depth: F32
    coverage: F32

    @classmethod
    def of(cls, images: RenderedImages) -> Rendering:
        """The first of several."""
        return cls(images.rgb[0], images.depth[0], images.coverage[0])

    @classmethod
    def on(cls, canvas: Canvas, width: int, height: int) -> Rendering:
        """Flat images in their shape."""
        return cls(
            canvas.rgb.reshape(height, width, 3), canvas.depth.reshape(height, width),
            canvas.coverage.reshape(height, width),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Comparison:
    """A rendering beside what was observed in the same crop.

    rendering: of the pose; crop: what was observed, in its own light; silhouette: (H, W), how much a pixel counts for
    the mask, 0 where something may hide the object; length_m: the object's diameter.
    """

    rendering: Rendering
    crop: Observation
    silhouette: F32
    length_m: float
    memo: dict[str, Any] = field(default_factory=dict)
    """What terms work out of it and need again."""

    @cached_property
    def drawn(self) -> Bool:
        """Pixels (H, W) that the object covers by more than half."""
        return np.asarray(self.rendering.coverage > 0.5)

    @cached_property
    def visible(self) -> Bool:
        """Those of them that nothing hides."""
        seen = self.drawn & (self.silhouette > 0.5)
        if self.crop.depth is not None:
            margin = max(0.1 * self.length_m, 0.01)
            seen &= ~((self.crop.depth > 0) & (self.crop.depth < self.rendering.depth - margin))
        return seen

    @cached_property
    def own(self) -> Bool:
        """Those of them that the mask, if there is one, gives to the object."""
        return self.visible if self.crop.mask is None else self.visible & (self.crop.mask > 0.5)


class PixelGeometry(NamedTuple):
    """What a residual's error is measured in: distance_m to the object, and pixel_m, the length of a pixel there."""

    distance_m: float
    pixel_m: float


class ImageTerm(ABC):
    """One kind of evidence that an image gives, pixel by pixel.

    Its settings and noise are the fields of a mixin of `ObjectiveSettings` and of `NoiseSettings` that begin with its
    name; its loss is a function of scalars, and its columns are filled by the fused pass (`problem/fused_pass.py`).
    """

    name: ClassVar[str]
    image: ClassVar[str]
    """Which image it compares: rgb, depth or mask."""
    needs_color: ClassVar[bool] = False

    @abstractmethod
    def least_deviation(self, noise: Any) -> float:
        """Least standard deviation of its residuals."""

    def weight(self, settings: Any) -> float:
        """Its share in the cost."""
        return float(getattr(settings, f"{self.name}_weight"))

    def why_off(self, mesh: Mesh, observation: Observation, settings: Any) -> str | None:
        """Why it is not compared; None if it is."""
        if self.image not in observation.modalities:
            return "it was left out" if self.image in observation.left_out else f"no {self.image} image was given"
        if self.needs_color and not mesh.has_color:
            return "the mesh has no colours"
        return "its weight is 0" if self.weight(settings) == 0.0 else None

    def common_error(self, jacobian: F32, noise: Any, geometry: PixelGeometry) -> F32 | None:
        """(N,) what one deviation of an error that the whole object shares adds to its residuals; None for nothing.

        Args:
            jacobian: (C, 6, N) of the residuals by the pose.
            noise: `NoiseSettings`.
            geometry: of the object's pixels.
        """
        return None

    def unknown_error(self, jacobian: F32, noise: Any, geometry: PixelGeometry) -> F32 | None:
        """The same of an error that is an unknown of the last steps, as the light is: other terms may tell it."""
        return None

    def assess(self, seen: Comparison) -> dict[str, float | None]:
        """What it says about how good a fit is: values of fields of `FitQuality`; none where nothing is compared."""
        return {}


class PoseTerm(ABC):
    """One kind of evidence about the pose alone, without an image: it is linearised at a pose, for steps nearby.

    Its settings are a mixin of `ObjectiveSettings`, as those of image terms are.
    """

    @abstractmethod
    def factor(self, vertices_m: F64, pose: Pose, settings: Any) -> QuadraticFactor | None:
        """Its part of a level's cost near a pose; None where it is off.

        Args:
            vertices_m: (V, 3) of the object.
            pose: of the object.
            settings: `ObjectiveSettings`.
        """

    @abstractmethod
    def evidence(self, vertices_m: F64, pose: Pose, settings: Any) -> QuadraticFactor | None:
        """The same as half a squared error over its variance, whose curvature is the information about the pose."""


def median(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Along the last axis, by a partition at one place: at two, or with numpy's median, it takes five times as long."""
    count = values.shape[-1]
    middle = count // 2
    parted = np.partition(values, middle)
    upper = parted[..., middle]
    return np.asarray(upper if count % 2 else (parted[..., :middle].max(axis=-1) + upper) / 2)
