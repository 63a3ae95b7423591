"""Whether the mirror image of a mesh fits where the mesh itself was found: one of its axes is the wrong way.

A mirrored mesh of an object that is nearly its own mirror image (a box, a can, a bottle) is found, within a percent or
two, and what is painted on it is the wrong way round. So at a result the mesh is reflected in each plane across one of
its axes, brought to where most of it is on the mesh's own surface, and drawn. Where one of these fits about as well as
the mesh itself, both are searched for from there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.confidence import TOLERANCE, log_odds_of
from diffdope.estimate.fit_quality import FitQuality, assess
from diffdope.geometry.crop import choose_crop
from diffdope.geometry.pose import Pose, between
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.pipelines.settings import FAST
from diffdope.problem.failure import Failure
from diffdope.problem.region import projected_box
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import draw
from diffdope.scene.mirror_planes import ACROSS
from diffdope.scene.observation import Observation
from diffdope.search.checks.contradictions import LEAST
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.outcome import Outcome
from diffdope.search.search import Search
from diffdope.search.search_inputs import SearchInputs
from diffdope.search.settings import SearchSettings
from diffdope.terms.base import Comparison, Rendering
from diffdope.terms.registry import ObjectiveSettings

F64 = NDArray[np.float64]

MESH_MIRRORED = Note(
    NoteCode.MESH_MIRRORED,
    "the mirror image of the mesh fits: is one of its axes the wrong way (a left-handed frame), or is this the other "
    "part of a pair, left for right?",
)
MOST_FACES = 200_000
"""Of a mesh that is mirrored: more take longer than the refinement itself."""
_CROP_PX, _MARGIN = 64, 0.25  # of the drawings: which of them is better is all that is asked
_FACES = 2000  # of what is drawn, more than such crops show: as many as searches draw at a level before the last
_PATTERN = 0.6  # correlation of colours that are not the wrong way round: of mirrored meshes at most 0.56
_WORTH_A_SEARCH = 0.7
"""Log odds by which a reflection may fit less, before any step. Of right meshes the best fits 0.7 to 4 less; of 12 that
were mirrored it fits more than the mesh, and it is the best that is found in the end."""
_TRIED = 3  # reflections from which a search begins, at most, of a result that is believed
_CHEAPER = 0.93  # times the cost: of mirrored meshes 0.48 to 0.87, of right ones 1.08 and more
_OTHER_PART = 0.05  # share of a mirror image that is elsewhere, from which on it is another part: 0 of tins and bottles
_MUCH_CHEAPER, _AS_SURE = 0.85, 1.0  # times the cost at which it may be less sure, by log odds: good fits are all sure
_SETTINGS = replace(FAST, contradictions=False)  # cost and fit are compared: what else the images say is asked before


class MirrorImage(NamedTuple):
    """The mirror image of a mesh, where it fits better than the mesh, from a result on.

    Attributes:
        off: share of it that lies off where the mesh was found by more than a right pose may be, 3 % of the diameter.
        surer: whether its fit is the surer, and not its cost alone the lower.
    """

    off: float
    surer: bool

    @property
    def contradicts(self) -> bool:
        """Whether it is rather another part, or another mesh, that is seen."""
        return self.surer and self.off > _OTHER_PART


class _Reflected(NamedTuple):
    """Log odds of a reflection's fit at a result, and the pose of the mirrored mesh."""

    log_odds: float
    pose: Pose


def mirror_image(result: RefinementResult, meshes: MeshLevels, observation: Observation) -> MirrorImage | None:
    """The mirror image of a mesh, if it fits better than the mesh, from a result on; None if not, or it is the same.

    Args:
        result: in the object's own frame.
        meshes: the object.
        observation: the images.
    """
    every = _reflected(result, meshes, observation)
    if not every:
        return None
    seen, pose = last_compared(result, observation), result.pose
    here = searched(meshes, seen, pose)
    if here is None:
        return None
    least = log_odds_found(here) if result.ok else max(log_odds_found(here), 0.0)
    for one in every:
        there = searched(meshes.mirrored, seen, one.pose)
        if there is None:
            continue
        ratio, surplus = there.cost / max(here.cost, LEAST), log_odds_found(there) - least
        if (ratio < _CHEAPER and surplus > 0.0) or (ratio < _MUCH_CHEAPER and surplus > -_AS_SURE and result.ok):
            off = meshes.alikeness.mirror_image_off(*between(pose, there.pose), ACROSS, TOLERANCE * meshes.length_m)
            return MirrorImage(off, surplus > 0.0)
    return None


def _reflected(result: RefinementResult, meshes: MeshLevels, observation: Observation) -> list[_Reflected]:
    """Reflections of the mesh that may fit about as well as a result, the best first; none where it is the same."""
    mesh, pose = meshes.mesh, result.pose
    texture = None if result.evidence is None else result.evidence.texture
    if result.ok and (texture or 0.0) > _PATTERN:
        return []
    if meshes.is_own_mirror_image(colours="rgb" in observation.modalities):
        return []
    box = projected_box(meshes.corners_m, pose, observation.camera)
    if len(mesh.faces) > MOST_FACES or isinstance(box, Status):
        return []
    crop = observation.crop(choose_crop([box], observation.camera, margin=_MARGIN, max_size=_CROP_PX))
    drawn, length_m = meshes.buffers(_FACES), meshes.length_m
    own = log_odds_of(_fit(drawn, crop, pose, length_m))
    poses = [pose @ Pose(R, t) for R, t in meshes.from_mirrored]
    # In a looking glass, the mirror image of the mesh looks as the mesh does itself.
    looking_glass = crop.in_mirror()
    every = [_Reflected(log_odds_of(_fit(drawn, looking_glass, in_mirror(one), length_m)), one) for one in poses]
    every.sort(key=lambda one: -one.log_odds)
    return [one for one in every[:_TRIED] if one.log_odds >= own - _WORTH_A_SEARCH] if result.ok else every


def mirror_image_cost(result: RefinementResult, meshes: MeshLevels, observation: Observation) -> float | None:
    """What the mirror image costs from a result on, times what the mesh does there; None where it fits far less.

    Args:
        result: in the object's own frame.
        meshes: the object.
        observation: the images.
    """
    every = _reflected(result, meshes, observation)
    if not every:
        return None
    seen = last_compared(result, observation)
    here, there = searched(meshes, seen, result.pose), searched(meshes.mirrored, seen, every[0].pose)
    return None if here is None or there is None else there.cost / max(here.cost, LEAST)


def in_mirror(pose: Pose) -> Pose:
    """The pose of a mesh in a mirrored picture (`Observation.in_mirror`), where its mirror image has the given one."""
    return Pose(ACROSS[:, None] * pose.R_m2c * ACROSS, ACROSS * pose.t_m2c)


def last_compared(result: RefinementResult, observation: Observation) -> Observation:
    """What was compared at the last level: a photograph may be large."""
    return observation if result.window is None else observation.crop(result.window)


def searched(
    meshes: MeshLevels, observation: Observation, pose: Pose | None, settings: SearchSettings = _SETTINGS
) -> Outcome | None:  # fmt: skip
    """A search near a pose, or everywhere, a fast one by default; None if nothing could be compared."""
    inputs = SearchInputs(meshes, observation, settings, ObjectiveSettings(irls_floor=0.01), margin=0.25)
    outcome = Search(inputs, pose, seed=0).run()
    return None if isinstance(outcome, Failure) else outcome


def log_odds_found(found: Outcome | None) -> float:
    """By its fit; those of nothing are below all others."""
    return -np.inf if found is None or found.quality is None else log_odds_of(found.quality)


def _fit(buffers: Buffers, crop: Observation, pose: Pose, length_m: float) -> FitQuality:
    drawing = Rendering.of(draw(buffers, crop.camera, pose))
    return assess(Comparison(drawing, crop, np.ones_like(drawing.coverage), length_m))
