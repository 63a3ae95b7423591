"""A pose that would hide what depth shows behind it, led back to where depth steps.

In depth alone a descent may end along a face of the object: pixels far behind what is drawn have no slope, as depth
goes by what is near, and the face fits wherever it has slid to. But depth steps where the object ends. Such a pose is
searched once more with those steps beside depth, as edges of a photograph hold an outline that no mask does.
"""

from __future__ import annotations

from dataclasses import replace

from diffdope.problem.failure import Failure
from diffdope.search.candidates import Candidates, Hypotheses
from diffdope.search.checks.depth_steps import stepped
from diffdope.search.checks.free_space import share_seen_through
from diffdope.search.descent import Descent
from diffdope.search.last_steps import LastSteps
from diffdope.search.levels import PyramidSettings
from diffdope.search.mesh_levels import MeshLevels

WORTH_STEPS = 0.01
"""Share of the drawn pixels behind which depth is seen: of boxes that slid by 2.5 % of their diameter 0.012, of right
results in scenes that were path-traced 0.008 at most. Of real ones, whose depth is off by pixels, many have more, which
costs them a descent."""
_LEFT = 0.5  # of that share: what does not halve it has found no other place


def ended_by_depth(
    found: Candidates, descent: Descent, again: PyramidSettings, steps: LastSteps
) -> Candidates:  # fmt: skip
    """The same, or a pose where less of what is drawn is seen through, found with depth's steps beside depth.

    Args:
        found: in depth alone.
        descent: of the search.
        again: levels of one pose.
        steps: the last ones.
    """
    inputs = descent.inputs
    meshes, observation, settings = inputs.meshes, inputs.observation, inputs.settings
    if observation.modalities != ("depth",):
        return found
    share = _seen_through(found, meshes)
    if share < WORTH_STEPS:
        return found
    outline = replace(settings.outline, weight_with_depth=settings.outline.plain, closing_px=(), inner=0.0)
    held = descent.of(stepped(observation, found.pose, meshes.length_m)).colourless(outline)
    ended = held.run(again, Hypotheses.of(found.pose, found.winner), found.pose)
    if isinstance(ended, Failure):
        return found
    level = descent.levels.last(ended.pose, again.levels[-1])
    rough = level if len(again.levels) == 1 else descent.levels.before_last(ended.pose, again.levels[-2])
    if isinstance(level, Failure) or isinstance(rough, Failure):
        return found
    edges = steps.edges(ended)
    quality = replace(ended.quality, outline=None, agreement=found.quality.agreement)
    moved = replace(
        ended, start=found.start, level=level, rough=rough, quality=quality, evidence=() if edges is None else (edges,)
    )  # fmt: skip
    return moved if _seen_through(moved, meshes) < _LEFT * share else found


def _seen_through(found: Candidates, meshes: MeshLevels) -> float:
    """At the last level: a strip of a face is a few pixels wide."""
    level = found.level
    return share_seen_through(level.crop, level.drawn(meshes.buffers(), found.pose), meshes.length_m)
