"""The other ways round in which an object may be seen: turns that change little of its shape."""

from __future__ import annotations

import numpy as np

from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries
from diffdope.problem.failure import Failure
from diffdope.search.candidates import Candidates
from diffdope.search.descent import Descent
from diffdope.search.levels import Level
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.settings import SearchSettings
from diffdope.search.symmetric_alternatives import symmetric_alternatives
from diffdope.search.turns import about_other_axes, turned_alternatives, upside_down


def other_ways(
    found: Candidates, meshes: MeshLevels, descent: Descent, settings: SearchSettings, start: Pose | None, faces: int,
    *, told: bool,
) -> tuple[list[Pose], bool]:  # fmt: skip
    """The pose turned otherwise, the best first, and whether one of these is a turn about an axis.

    Args:
        found: the pose.
        meshes: the object, about its own middle.
        descent: prepares levels.
        settings: of the search.
        start: around which was searched; None where there was none.
        faces: triangles of the mesh that is drawn.
        told: whether the start has told the turn about an axis of revolution.
    """
    ways = meshes.approximate_symmetries if settings.symmetric_alternatives else Symmetries.none()
    around = settings.turns.count > 0 and settings.turns.all_around
    axis = meshes.axis if around and not told else None
    # Templates are some 25 degrees apart, and a descent from there ends halfway where little of the object is seen.
    doubted = start is None and axis is None and found.doubtful(settings.fallback_confidence)
    if doubted and around:
        axis = meshes.long_axis
    turned: list[Pose] = []
    if axis is not None:
        turns, given = settings.turns, {"rgb"} & set(found.level.modalities)
        level = descent.prepared(found.pose, Level(turns.size, faces=turns.faces))
        free = start is None or (bool(given) and meshes.mesh.has_pattern)
        if not isinstance(level, Failure):
            turned = turned_alternatives(
                found.pose, axis, upside_down(axis, ways) if free else None, level, meshes.buffers(turns.faces), turns,
                descent.steps, meshes.alikeness, meshes.length_m,
            )  # fmt: skip
        if start is not None and not free:  # it is better evidence than a shape that is nearly round
            most = np.radians(settings.far.angle_deg)
            turned = [pose for pose in turned if pose.angle_to(start) <= most]
        ways = ways if doubted else about_other_axes(axis, ways)
    same_shape = symmetric_alternatives(found.pose, ways, found.rough, meshes.buffers(faces), meshes.length_m)
    return [*turned, *same_shape], bool(turned)
