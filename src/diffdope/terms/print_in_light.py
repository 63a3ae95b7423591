"""What is printed on an object, against the photograph, once the frame's light is known face by face.

Depth fits at every turn of a can about its axis, and its outline stays. Its print would tell, but in one gain and bias
for the whole object, the side that faces the light disagrees more than a print that is some pixels off. So once a frame
of a film has been compared in that light, colours of what is drawn are compared as those of a keyframe are: their light
may also change by the direction in which a surface faces. Unlike a keyframe's, they are where the mesh has them, so
that no error of a frame before goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.scene.observation import Observation
from diffdope.terms.base import Rendering
from diffdope.terms.contour import smoothed
from diffdope.terms.keyframe import Keyframe
from diffdope.terms.photometric_gain import fit_gain_at
from diffdope.terms.quadratic_factor import QuadraticFactor

F32 = NDArray[np.float32]

_WEIGHT = 15.0  # five times that of learned colours, whose own frame may have been off


@dataclass(frozen=True)
class PrintInLight:
    """Points of an object with the colours of its mesh, as they look in a photograph near the pose that was drawn."""

    frame: Keyframe
    smooth: F32
    """The photograph (H, W, 3), slightly blurred."""
    crop: Observation
    """What was observed there, with colours."""
    own: NDArray[np.bool_]
    """Pixels (H, W) of the photograph that count."""
    length_m: float
    """The object's diameter."""

    @classmethod
    def of(
        cls, smooth: F32, drawn: Rendering, crop: Observation, appearance: F32, pose: Pose, length_m: float, *,
        hold: float,
    ) -> PrintInLight | None:  # fmt: skip
        """None if too little of it is seen.

        Args:
            smooth: the photograph (H, W, 3), slightly blurred.
            drawn: the rendering at the pose.
            crop: what was observed there, with colours.
            appearance: weights (H, W) of its pixels; those that count less than half are something else's.
            pose: of the object.
            length_m: its diameter.
            hold: of the light's bias, as in `fit_gain`.
        """
        assert crop.rgb is not None
        light = fit_gain_at(drawn.rgb, crop.rgb, drawn.coverage, appearance, with_bias=True, hold=hold)
        gain, bias = light.gain.astype(np.float32), light.bias.astype(np.float32)
        lit = smoothed(drawn.rgb * gain + bias)
        own = appearance > 0.5
        frame = Keyframe.of(lit, _of_own(drawn.coverage, own), drawn.depth, crop, pose, length_m)
        return None if frame is None else cls(frame, smooth, crop, own, length_m)

    def factor(self, drawn: Rendering, pose: Pose) -> QuadraticFactor | None:
        """What moves the print to where the photograph shows it; None if too little of it is seen.

        Args:
            drawn: the rendering at the pose.
            pose: about which it is linear.
        """
        images = _of_own(drawn.coverage, self.own), drawn.depth, self.crop, pose, self.length_m
        return self.frame.factor(self.smooth, *images, weight=_WEIGHT)


def _of_own(coverage: F32, own: NDArray[np.bool_]) -> F32:
    return np.where(own, coverage, np.float32(0.0))
