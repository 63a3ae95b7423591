"""Masks that are off, of objects without colours in a photograph: edges know the outline better than such a mask does.

Where colours are compared, they show at the last level that a mask is off, and it gives way to edges there
(`problem/level_problem.py`). Where the mask is all that is compared, its whole search goes astray with it. So the
search is made again with edges alone: from the start, and from where the mask led, in case the start is too far off for
them. The mask still says what of the object is hidden.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Failure
from diffdope.problem.responsibility import border_error
from diffdope.render.renderer import Renderer
from diffdope.search.candidates import Candidates
from diffdope.search.mesh_levels import MeshLevels

Run = Callable[[Pose], Candidates | Failure]


def off_px(found: Candidates, meshes: MeshLevels) -> float:
    """How far a mask's border is from the outline of the best pose, pixels of the last crop; 0 if more is compared.

    Args:
        found: of a search in which the mask may be all that is compared.
        meshes: the object.
    """
    level, pose = found.level, found.pose
    if level.crop.mask is None or level.modalities != ("mask",):
        return 0.0
    renderer = Renderer(meshes.mesh, level.crop.camera, buffers=meshes.buffers())
    coverage = renderer.render(pose.R_m2c, pose.t_m2c).coverage[0]
    return border_error(coverage, level.crop.mask, level.responsibility.silhouette)


def without_mask(run: Run, start: Pose, found: Candidates, border_px: float, surplus: float) -> Candidates:
    """What edges alone find from the start, or, where they fit clearly better there, from where the mask led.

    Args:
        run: a search with the mask left out, from a pose.
        start: that was given.
        found: with the mask.
        border_px: how far off the mask's border is.
        surplus: log odds by which the mask's way must be surer than the start: edges fit at many places.
    """
    at_start = run(start)
    if isinstance(at_start, Failure):
        return found
    where_found, best = run(found.pose), at_start
    if isinstance(where_found, Candidates) and where_found.surer_than(at_start, surplus):
        best = where_found
    return replace(best, level=replace(best.level, mask_refused_px=border_px))
