"""What is printed on an object, against the photograph, once the frame's light is known face by face.

Depth fits at every turn of a can about its axis, and its outline stays. Its print would tell, but in one gain and bias
for the whole object, the side that faces the light disagrees more than a print that is some pixels off. So once a frame
of a film has been compared in that light, colours of what is drawn are compared as those of a keyframe are: their light
may also change by the direction in which a surface faces. Unlike a keyframe's, they are where the mesh has them, so
that no error of a frame before goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.scene.observation import Observation
from diffdope.terms.base import Rendering
from diffdope.terms.contour import smoothed
from diffdope.terms.keyframe import Keyframe, inside
from diffdope.terms.photometric_gain import fit_gain_at
from diffdope.terms.quadratic_factor import QuadraticFactor

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_WEIGHT = 15.0  # five times that of learned colours, whose own frame may have been off
_WEIGHT_ALONE = 60.0  # without depth, where nothing else knows the distance as well
_SHOWN = 1e-3  # cost over a tolerance by which a motion must change the print to count in how far it would lead
_TURNED = 1e-6  # of a turn about an axis of revolution, which moves no surface


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
    _shown: list[tuple[F32, F32]] = field(default_factory=list, init=False, repr=False, compare=False)
    """Coverage (H, W) at the pose that was drawn, and that of what is the object's; not of copies with other pixels."""

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
        shown = _of_own(drawn.coverage, own, crop)
        frame = Keyframe.of(lit, shown, drawn.depth, crop, pose, length_m)
        if frame is None:
            return None
        seen = cls(frame, smooth, crop, own, length_m)
        seen._shown.append((drawn.coverage, shown))
        return seen

    def factor(self, drawn: Rendering, pose: Pose) -> QuadraticFactor | None:
        """What moves the print to where the photograph shows it; None if too little of it is seen.

        Args:
            drawn: the rendering at the pose.
            pose: about which it is linear.
        """
        known = [shown for coverage, shown in self._shown if coverage is drawn.coverage]
        shown = known[0] if known else _of_own(drawn.coverage, self.own, self.crop)
        images = shown, drawn.depth, self.crop, pose, self.length_m
        alone = self.crop.depth is None
        return self.frame.factor(self.smooth, *images, weight=_WEIGHT_ALONE if alone else _WEIGHT, edges=True)


def step_of(asked: QuadraticFactor, form: F64, length_m: float, tolerance_m: float) -> float:
    """How far a print's next step alone would lead the surface, root mean square, metres.

    Args:
        asked: what would move it.
        form: (6, 6) of `displacement_form`.
        length_m: the object's diameter.
        tolerance_m: of a pose; motions that hardly change the print over that do not count.
    """
    turn = np.zeros((6, 6))
    turn[:3, :3] = turn[3:, 3:] = asked.at.R_m2c
    form = turn @ form @ turn.T + _TURNED * np.diag(np.repeat([1.0, length_m**2], 3))
    step = np.linalg.solve(asked.curvature + _SHOWN / tolerance_m**2 * form, asked.slope)
    return float(np.sqrt(step @ form @ step))


def _of_own(coverage: F32, own: NDArray[np.bool_], crop: Observation) -> F32:
    """Coverage (H, W) of what is the object's; without depth, only where nothing from beside it is blurred in."""
    if crop.depth is None:  # beside depth, a keyframe leaves them out itself
        own = inside((coverage > 0.5) & own)
    return np.where(own, coverage, np.float32(0.0))
