"""Frames whose colours contradict depth and mask: what these find without them.

Colours of a fine pattern, or in a light that the frame before did not have, have minima of their own everywhere: where
depth and mask would lead to the object, a descent that compares all three may rest on its way there. Depth and mask
hold a pose on their own. So what they find is one attempt more, and colours are compared again from there: where the
pose is less sure with them, they are left out of the frame.

A regular print fits as well a cell farther on, and one of inverted colours fits best there, and speaks for that more
than anything else speaks against it. So colours that do not agree at all where the object was found are compared after
depth and mask, and where they then lead to where these fit clearly worse, they are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from diffdope.estimate.confidence import log_odds_of
from diffdope.estimate.fit_quality import FitQuality
from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode, without_codes
from diffdope.pipelines.attempt import Attempt, Follow, Refine
from diffdope.pipelines.diagnosis.modality_rejection import LEFT_OUT
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.tracking.frame import sureness
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.terms.photometric_gain import PhotometricGain

_APART = 0.01  # of the diameter: a third of the confidence's tolerance, below which both are the same pose
_WORSE = 0.5  # log odds of depth and mask: a tenth of depths that no longer fit, or three hundredths of a good overlap
_NOTE = Note(
    NoteCode.COLOURS_LEFT_OUT,
    "colours are left out of this frame: depth and mask hold the object, and are surer without them",
)
_NOT_THERE = Note(
    NoteCode.COLOURS_LEFT_OUT,
    "colours are left out of this frame: they agree only where depth and mask do not: is the print regular, or of "
    "other colours than the mesh?",
)


@dataclass(frozen=True)
class ByDepth:
    """Attempts with colours and without.

    Only of frames that are followed: which way round a lost object is, colours tell as a rule, and of bodies of
    revolution, they alone tell the turn.

    Attributes:
        meshes: the object, about its own middle; None for no such attempts.
    """

    meshes: MeshLevels | None = None

    @property
    def _print_tells(self) -> bool:
        """Whether the object's print alone tells its turn, for it is of revolution."""
        return self.meshes is not None and self.meshes.axis is not None and self.meshes.mesh.has_pattern

    def tells(self, observation: Observation, *, masked: bool = True) -> bool:
        """Whether depth and mask hold the object in a frame in which colours are compared as well.

        Args:
            observation: the frame.
            masked: whether it takes a mask.
        """
        asked = {"rgb", "depth", "mask"} if masked else {"rgb", "depth"}
        if self.meshes is None or not set(observation.modalities) >= asked:
            return False
        return self.meshes.mesh.has_color and self.meshes.axis is None

    def attempts(
        self, follow: Refine, with_all: Refine, observation: Observation, start: Pose, *, first: bool
    ) -> Iterator[Callable[[], Attempt]]:  # fmt: skip
        """With colours, and what depth and mask lead to, if they tell.

        Args:
            follow: refines a frame from a start.
            with_all: the same, where all images are compared at once, and the mask may be left out. A print that alone
                tells the turn is not compared again without it.
            observation: the frame.
            start: where the object is expected.
            first: whether depth and mask lead first, for colours were no good in the frame before.
        """
        with_all = follow if self._print_tells else with_all
        if not first:
            yield partial(with_all, observation, start)
        yield from self.alone(follow, observation, start, masked=not first)
        if first:
            yield partial(with_all, observation, start)

    def alone(
        self, follow: Refine, observation: Observation, start: Pose, *, masked: bool = True
    ) -> Iterator[Callable[[], Attempt]]:  # fmt: skip
        """What depth and mask find, or what is found from there with colours, where that is as sure; or nothing.

        Args:
            follow: refines a frame from a start.
            observation: the frame.
            start: where the object is expected.
            masked: see `tells`.
        """
        if self.tells(observation, masked=masked):
            yield partial(self._by_depth_first, follow, observation, start)

    def at_start(self, follow: Refine, observation: Observation, result: RefinementResult) -> Attempt | None:
        """What depth and mask find from where a film begins, if colours have led away from there; None if not.

        Args:
            follow: refines a frame from a start.
            observation: the first frame.
            result: of it.
        """
        if not result.ok or not self.tells(observation, masked=False):
            return None
        alone = follow(observation.without_rgb(), result.initial_pose)
        return _noted(alone, _NOT_THERE) if self._contradicted(result, alone.result) else None

    def _by_depth_first(self, follow: Refine, observation: Observation, start: Pose) -> Attempt:
        alone = follow(observation.without_rgb(), start)
        if not alone.result.ok:
            return _noted(alone)
        coloured = follow(observation, alone.result.pose)
        if self._contradicted(coloured.result, alone.result):
            return _noted(alone, _NOT_THERE)
        # Without a mask, colours that agree hold what depth leaves open.
        held = self.tells(observation) or not _agree(coloured.result)
        return _surer(coloured, alone) if held else coloured

    def _contradicted(self, coloured: RefinementResult, alone: RefinementResult) -> bool:
        """Whether colours have led elsewhere, where depth and mask fit clearly worse than on their own."""
        if self.meshes is None or coloured.evidence is None or alone.evidence is None:
            return False
        turned = 0.5 * coloured.pose.angle_to(alone.pose)
        away = np.hypot(coloured.pose.distance_to(alone.pose) / self.meshes.length_m, turned)
        return bool(away > _APART and _shared(alone.evidence) - _shared(coloured.evidence) > _WORSE)


def colours_mislead(result: RefinementResult) -> bool:
    """Whether a frame's colours were left out, or do not correlate at all where depth has the object."""
    return NoteCode.COLOURS_LEFT_OUT in result.note_codes or not _agree(result)


def in_light(follow: Follow, gain: PhotometricGain | None) -> Refine:
    """Follows a frame in the light of the frame before."""
    return lambda observation, start: follow(observation, start, gain)


def _agree(result: RefinementResult) -> bool:
    seen = result.evidence
    return seen is None or seen.depth_inliers is None or seen.texture is None or seen.texture >= 0.0


def _shared(seen: FitQuality) -> float:
    """Log odds by depth and mask alone."""
    return log_odds_of(replace(seen, texture=None, outline=None, edges=None))


def _surer(coloured: Attempt, alone: Attempt) -> Attempt:
    """Of two attempts at a frame the surer one."""
    alone = _noted(alone)
    return coloured if sureness(coloured.result) >= sureness(alone.result) else alone


def _noted(alone: Attempt, note: Note = _NOTE) -> Attempt:
    """An attempt without colours, which says so, for they were given; and less sure, for something is wrong."""
    result, notes = alone.result, without_codes(alone.result.notes, {NoteCode.RGB_OFF})
    sure = None if result.confidence is None else min(result.confidence, LEFT_OUT)
    return alone._replace(result=replace(result, confidence=sure, notes=(*notes, note)))
