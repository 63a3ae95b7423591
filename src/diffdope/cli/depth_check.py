"""Whether depth is what it was said to be: along the optical axis, or along the ray to each pixel.

A pose that follows the wrong kind is off by up to a centimetre or two, with confidence: along the ray, an object away
from the middle is farther than along the axis, by a factor that hardly changes over it. Colours and mask tell its true
distance. So it is refined once more with depth taken the other way, and a fit that is much better is told.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from diffdope.geometry.pose import Pose
from diffdope.io.depth import Kind
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.scene.observation import Observation

_BENT = 1.005  # factor between both kinds below which nobody can tell them apart
_BETTER = 0.5  # share of the depth's cost that is left where the other kind is right


def other_kind(
    refiner: Refiner, observation: Observation, result: RefinementResult, kind: Kind, starts: Sequence[Pose] = ()
) -> str:
    """A note that depth fits as the other kind; empty where it does not, or where nobody could tell.

    Args:
        refiner: of the object.
        observation: what it was compared with.
        result: of that.
        kind: as which depth was taken.
        starts: from which it was refined.
    """
    others = {"rgb", "mask"} & set(result.modalities)
    if "depth" not in result.modalities or not others or not result.pose.t_m2c[2] > 0:
        return ""
    factor = float(np.linalg.norm(result.pose.t_m2c) / result.pose.t_m2c[2])
    if factor < _BENT:
        return ""
    changed = as_other_kind(observation, kind)
    scale = 1.0 / factor if kind == "axis" else factor
    moved = Pose(result.pose.R_m2c, scale * result.pose.t_m2c)
    found = refiner.refine(changed, [moved, *starts])
    before, after = result.cost_per_modality["depth"], found.cost_per_modality.get("depth", np.inf)
    if not (found.ok and found.cost < result.cost and after < _BETTER * before):
        return ""
    word, flag = ("the ray", "ray") if kind == "axis" else ("the optical axis", "axis")
    off = 1e3 * found.pose.distance_to(result.pose)
    return (
        f"depth fits better as distances along {word} (cost {before:.3f} -> {after:.3f}), with a pose {off:.1f} mm "
        f"away: give --depth-kind {flag}"
    )


def as_other_kind(observation: Observation, kind: Kind) -> Observation:
    """The same images, with depth taken for the other kind."""
    assert observation.depth is not None
    camera = observation.camera
    lengths = np.linalg.norm(camera.back_project(np.ones((camera.height, camera.width))), axis=-1)
    depth = observation.depth / lengths if kind == "axis" else observation.depth * lengths
    return Observation(camera, rgb=observation.rgb, depth=depth.astype(np.float32), mask=observation.mask)
