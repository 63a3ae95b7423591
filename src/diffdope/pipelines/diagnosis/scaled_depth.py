"""Whether an object that was not found lies at its start, once depth is multiplied: its scale, K or the model is wrong.

Without a mask nothing but the start says where the object is, and depth of another scale has it percents of the way
farther off than any search from there looks. What is found in its stead is a table or a neighbour, and fails. So depth
is multiplied, and the object looked for at its start.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.diagnosis.mirrored_mesh import log_odds_found, searched
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.settings import SearchSettings

_TIMES = (1.05, 0.95, 1.1, 0.9)  # what lies between is found from the nearest; more is a matter of units and of K
_BETTER = 1.0  # log odds by which a fast search fits better with depth that is multiplied than with depth as it is
_NEARER = 2.0  # times as near to the start as where depth as it is has the object: less tells nothing


def of_depth_scale(
    meshes: MeshLevels, observation: Observation, start: Pose, settings: SearchSettings
) -> Iterator[Note]:  # fmt: skip
    """What depth must be multiplied by so that the object is found at its start; nothing where it is there as it is.

    Fast searches tell which factor it may be, and one like that which has failed whether it is.

    Args:
        meshes: the object.
        observation: with depth and no mask.
        start: in the object's own frame.
        settings: of the search.
    """
    own, *others = (
        log_odds_found(searched(meshes, depth_times(observation, factor), start)) for factor in (1.0, *_TIMES)
    )
    best = int(np.argmax(others))
    times = _TIMES[best]
    if others[best] < own + _BETTER:
        return
    found = searched(meshes, depth_times(observation, times), start, settings)
    if found is None or (found.confidence or 0.0) < settings.least_confidence:
        return
    there_m, given_m = (float(np.linalg.norm(one.t_m2c)) for one in (found.pose, start))
    if _NEARER * abs(there_m - given_m) < abs(1.0 - 1.0 / times) * there_m:
        share, larger = abs(round(100.0 * (times - 1.0))), times < 1.0
        yield Note(
            NoteCode.DEPTH_SCALE,
            f"contradiction: the object is found where the start has it if depth were {share} % "
            f"{'less' if larger else 'more'}, or the object about {share} % {'larger' if larger else 'smaller'} than "
            "its model: is the depth scale, the unit, the CAD model or K (of another picture size?) wrong?",
        )


def depth_times(observation: Observation, factor: float) -> Observation:
    """The same images with depth that is a multiple.

    Args:
        observation: with depth.
        factor: above 0.
    """
    assert observation.depth is not None
    images = {name: getattr(observation, name) for name in observation.modalities}
    return Observation(observation.camera, **{**images, "depth": observation.depth * np.float32(factor)})
