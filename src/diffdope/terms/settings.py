"""Numbers that a user may set about the cost."""

from __future__ import annotations

from dataclasses import dataclass

from diffdope.errors import DiffDopeError


@dataclass(frozen=True)
class ObjectiveSettings:
    """Weights of the modalities, and how robust they are.

    Costs are means over the observed mask (or start region), rgb in [0, 1], depth over the object's diameter, so that
    the weights mean the same at every resolution. A residual above its cap does not grow further; a pixel of the mask
    that the object leaves uncovered pays the cap too, so that leaving the mask is never a gain.
    """

    rgb_weight: float = 0.7
    depth_weight: float = 1.0
    mask_weight: float = 1.0
    edge_weight: float = 0.0
    rgb_cap: float = 0.5
    depth_cap: float = 0.5
    edge_cap: float = 0.5
    uncovered: float = 1.0
    """What an uncovered pixel pays, as a share of the cap."""
    occlusion_margin: float = 0.1
    """Share of the object's size by which an observed surface must be nearer than the object, or, without depth, a
    gap in the mask deeper, to be taken for an occluder, behind which the mask says nothing."""
    irls_floor: float = 1e-3
    """Residuals below it do not gain weight in the normal matrix."""

    def __post_init__(self) -> None:
        """Refuses numbers that make no cost."""
        for name in (
            "rgb_weight",
            "depth_weight",
            "mask_weight",
            "edge_weight",
            "uncovered",
            "occlusion_margin",
        ):
            if not getattr(self, name) >= 0.0:
                raise DiffDopeError(f"{name}: expected a number >= 0, got {getattr(self, name)}")
        for name in ("rgb_cap", "depth_cap", "edge_cap", "irls_floor"):
            if not getattr(self, name) > 0.0:
                raise DiffDopeError(f"{name}: expected a number > 0, got {getattr(self, name)}")
        if self.rgb_weight + self.depth_weight + self.mask_weight + self.edge_weight == 0.0:
            raise DiffDopeError("weights: expected at least one modality with a weight > 0, got none")
