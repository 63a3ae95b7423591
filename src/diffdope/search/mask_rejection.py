"""Masks that are off, of objects without colours in a photograph: edges know the outline better than such a mask does.

Where colours are compared, they show at the last level that a mask is off, and it gives way to edges there
(`problem/level_problem.py`). Where the mask is all that is compared, its whole search goes astray with it. So the
search is made again with edges, beside which the mask's border counts with its own variance: from the start, and if
that does not convince, from many places to which the mask led, in case the start is too far off for them. Edges fit at
many places, and the border of such a mask fits best at a wrong one: both together tell the right one. The mask still
says what of the object is hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.problem.failure import Failure
from diffdope.problem.level_problem import LevelProblem
from diffdope.problem.responsibility import border_error
from diffdope.problem.variables import Variables
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from diffdope.search.candidates import Candidates, Hypotheses
from diffdope.search.descent import Descent
from diffdope.search.levels import PyramidSettings
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.priors import PLAIN_ANGLE_DEG
from diffdope.search.settings import beside_border
from diffdope.search.stages import Stages
from diffdope.terms.pose_prior import PosePrior

Run = Callable[[PyramidSettings, Pose], Candidates | Failure]

DEVIATION = 1.25
"""Of a normal distribution, for a mean absolute error of 1: sqrt(pi / 2)."""

_KEPT = 3  # places that all steps are made from, as many as the wider search takes to its last level
_LOYALTY = 2.0  # log odds that a result near the start has ahead, as in `Stages`


class FoundByEdges(NamedTuple):
    """What edges find beside a mask that is off, the descent that led there, and its levels of one pose."""

    best: Candidates
    descent: Descent
    again: PyramidSettings


def found_by_edges(found: Candidates, start: Pose, descent: Descent, stages: Stages) -> FoundByEdges | None:
    """What edges find beside a mask that is off, from the start and from where the mask led.

    None if the mask is not off, or nothing can be compared without it.

    Args:
        found: of a search in which the mask may be all that is compared.
        start: around which was searched.
        descent: as it was found.
        stages: of the search.
    """
    inputs = descent.inputs
    length_m, observation, settings = inputs.meshes.length_m, inputs.observation, inputs.settings
    border_px = off_px(found, inputs.meshes)
    if border_px < settings.mask_refused_px:
        return None
    if not (inputs.filmed or inputs.meshes.mesh.has_pattern):
        settings = beside_border(settings)
    near, far = settings.near, settings.far
    hides = Observation(observation.camera, mask=observation.mask)
    whole_px = DEVIATION * border_px * observation.camera.fx / found.level.crop.camera.fx
    descent = descent.of(observation.without_mask(), hides, whole_px)
    at_start = descent.run(near, stages.proposals(start, near, 0), start)
    if isinstance(at_start, Failure):
        return None
    again = near.of_one_pose(1)
    best, turn_rad = at_start, np.radians(near.angle_deg or PLAIN_ANGLE_DEG)
    if not convinces(at_start, turn_rad):
        led = stages.led_by_mask(near.hypotheses[0]) if settings.fallback_confidence > 0.0 else found
        prior = PosePrior(start, np.radians(far.angle_deg), far.distance * length_m, settings.prior_unmasked)
        pyramid = replace(again, angle_deg=far.angle_deg, distance=far.distance)

        def run(pyramid: PyramidSettings, pose: Pose) -> Candidates | Failure:
            return descent.run(pyramid, Hypotheses.of(pose, near.hypotheses[0]), pose, expected=start)

        others = raced(run, pyramid, poses_of(found if isinstance(led, Failure) else led), prior, length_m)
        best = without_mask(at_start, others, prior, turn_rad, length_m)
    return FoundByEdges(replace(best, level=replace(best.level, mask_refused_px=border_px)), descent, again)


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


def poses_of(found: Candidates) -> list[Pose]:
    """All that reached the end of a search, those of the lowest cost first."""
    solution = found.ended.solution
    return [Pose(solution.R[k, 0], solution.t[k, 0]) for k in np.argsort(solution.cost, kind="stable")]


def raced(
    run: Run, pyramid: PyramidSettings, poses: Sequence[Pose], prior: PosePrior, length_m: float
) -> list[Candidates]:
    """What edges find from poses: each makes the first level, and the likeliest of them the others.

    Args:
        run: takes a pose through levels.
        pyramid: of one pose.
        poses: where they begin.
        prior: see `without_mask`.
        length_m: the object's diameter.
    """
    first, rest = pyramid.of_level(0), replace(pyramid, levels=pyramid.levels[1:] or pyramid.levels)
    begun = [one for one in (run(first, pose) for pose in poses) if isinstance(one, Candidates)]
    begun.sort(key=lambda one: -log_likelihood(one, prior, length_m))
    ended = (run(rest, one.pose) for one in begun[:_KEPT])
    return [one for one in ended if isinstance(one, Candidates)]


def convinces(at_start: Candidates, turn_rad: float) -> bool:
    """Whether what edges find from the start needs no other beside it: it is turned as expected, and likely for that.

    Args:
        at_start: from the start.
        turn_rad: by which the start is expected to be off.
    """
    return _near(at_start, turn_rad) and at_start.log_odds + _LOYALTY > 0.0


def without_mask(
    at_start: Candidates, others: Sequence[Candidates], prior: PosePrior, turn_rad: float, length_m: float
) -> Candidates:
    """What edges and the mask's border find from the start, or from where the mask led, whichever is likelier.

    A pose that is turned from the start as expected is left for one that is clearly likelier alone. How far it moved is
    not asked: edges know the distance badly.

    Args:
        at_start: from the start.
        others: from where the mask led.
        prior: of the start, as far off as the wider search takes it to be.
        turn_rad: by which the start is expected to be off.
        length_m: the object's diameter.
    """
    every = (at_start, *others)
    odds = np.array([log_likelihood(one, prior, length_m) for one in every])
    odds[0] += _LOYALTY if _near(at_start, turn_rad) else 0.0
    return replace(every[int(np.argmax(odds))], start=at_start.start)


def _near(at_start: Candidates, turn_rad: float) -> bool:
    return at_start.pose.angle_to(at_start.start) <= turn_rad


def log_likelihood(found: Candidates, prior: PosePrior, length_m: float) -> float:
    """Of the best pose, by its edges, border and prior, of which differences count."""
    level = found.level
    problem = level.problem(Variables.one_object(0.5 * length_m), prior, found.ended.quadratics)
    R, t = np.array(found.pose.R_m2c)[None], np.array(found.pose.t_m2c)[None]
    cost = float(problem.evaluate(R, t, with_normal=False).cost[0])
    return 0.0 if level.contours is None else -level.contours.likelihoods(cost)


def refused(level: LevelProblem) -> tuple[str, ...]:
    """A note, if the mask was left out."""
    if level.mask_refused_px is None:
        return ()
    text = f"mask is off: its border is {level.mask_refused_px:.1f} pixels of the crop from the object's outline"
    return (Note(NoteCode.MASK_REFUSED, text),)
