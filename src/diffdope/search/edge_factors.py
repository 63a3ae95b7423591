"""What a photograph's edges and prints say near a pose, linearised anew before each round of steps."""

from __future__ import annotations

from diffdope.geometry.pose import Pose
from diffdope.problem.level_problem import LevelProblem, hold_of
from diffdope.search.mesh_levels import MeshLevels
from diffdope.terms.base import Rendering
from diffdope.terms.contour import smoothed
from diffdope.terms.inner_contour import inner_factor
from diffdope.terms.keyframe import Keyframe
from diffdope.terms.print_in_light import PrintInLight
from diffdope.terms.quadratic_factor import QuadraticFactor


def along_outline(
    level: LevelProblem, pose: Pose, images: Rendering | None, reach_px: float, meshes: MeshLevels,
    keyframe: Keyframe | None, *, inner: bool,
) -> tuple[QuadraticFactor | None, tuple[QuadraticFactor, ...]]:  # fmt: skip
    """Of the photograph's edges near a pose; and of the mask's border, creases, and colours that a film has shown.

    Args:
        level: that is compared.
        pose: about which it is linear.
        images: the pose, drawn; None where it was not.
        reach_px: how far to both sides of the outline edges are looked for.
        meshes: the object.
        keyframe: what a film has shown of it from about there; None for nothing.
        inner: whether creases are looked for, too.
    """
    edges = level.contours
    if edges is None or images is None or not level.contour_active:
        return None, ()
    drawn = images.coverage, images.depth
    contour = edges.factor(*drawn, pose, reach_px, images.rgb if level.colored else None)
    length_m, beside = meshes.length_m, [edges.border_factor(*drawn, pose)]
    if inner:
        beside.append(inner_factor(edges, meshes.creases, *drawn, pose, reach_px, length_m))
    if keyframe is not None:
        beside.append(keyframe.factor(edges.smooth, *drawn, level.crop, pose, length_m))
    return contour, tuple(factor for factor in beside if factor is not None)


def print_of(level: LevelProblem, pose: Pose, drawn: Rendering, length_m: float) -> PrintInLight | None:
    """What is printed on the object, as a level with colours should show it; None if too little of it is seen.

    Args:
        level: that is compared.
        pose: of the object.
        drawn: the pose, drawn.
        length_m: the object's diameter.
    """
    assert level.crop.rgb is not None
    appearance = level.responsibility.appearance
    smooth = smoothed(level.crop.rgb) if level.contours is None else level.contours.smooth
    return PrintInLight.of(smooth, drawn, level.crop, appearance, pose, length_m, hold=hold_of(level.crop))
