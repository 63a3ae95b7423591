"""Where there is no mask: a box is checked, and counts against results; the surest of several is taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.error_kinds import NothingSaysWhereError
from diffdope.errors import as_floats, check_finite, check_shape, expected
from diffdope.estimate.confidence import sigmoid
from diffdope.geometry.crop import Box, CropWindow
from diffdope.io.regions import note_on_corners, note_on_cut
from diffdope.note_codes import Note, NoteCode, code_of
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.locating.standing import as_it_stands
from diffdope.pipelines.lowered_confidence import with_lower_confidence
from diffdope.pipelines.searcher import MeshSearcher
from diffdope.pipelines.settings import Preset
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.checks.contradictions import NONE
from diffdope.search.checks.outline_evidence import drawn_around, outline_evidence
from diffdope.search.checks.support_penetration import of_support
from diffdope.search.descent import Progress
from diffdope.search.features.feature_boxes import tells_by_pattern
from diffdope.search.features.keypoints import check_can_detect
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.box_masks import Guess
from diffdope.search.proposals.box_proposals import InBox, lies_in_box, share_in_picture
from diffdope.search.settings import SearchSettings

_MOSTLY = 0.5  # of the object that a picture has to show: one face at the border fits any table
_AT_MOST = 0.25  # probability where it does not
_WORTH_A_WORD = 2.0  # times what boxes are off by
_FILLED = 0.98  # share of its bounding box that a rectangle fills, whose corners may be a little off after rectifying
_FEWEST = 64  # pixels: fewer may fill their box by chance
IN_A_PIECE = Note(
    NoteCode.BY_DEPTH, "found without mask and box, in a piece that stands out from the planes of the depth image"
)
AMONG_OTHERS = Note(NoteCode.BY_DEPTH, "found without mask and box, where depth shows something that is no large plane")
NO_PATTERN = "the mesh has no pattern by which a photograph tells what in the box is the object: give depth, or a mask"
NO_POSE_IN_BOX = (
    "no pose agrees with enough keypoints of the photograph in the box: give a mask, or depth, or a start pose"
)
NOTHING_IN_BOX = (
    "no place of the object in the box agrees with any depth there: check the box, the depth, K, the mesh and its unit"
)
NOTHING_APART = (
    "without mask and box, no piece of depth that is no larger than the object stands out from planes and other "
    "things: give a mask or a box, where it touches others, lies flat or fills the picture; or K or the unit is wrong"
)
BY_KEYPOINTS = Note(
    NoteCode.BY_KEYPOINTS, "found in the box by keypoints of the photograph; how far away it is, nothing else confirms"
)
NO_POSE_IN_PICTURE = (
    "no place of the photograph has enough keypoints that look like the object's: give a mask, a box, depth, or a "
    "start pose"
)
IN_THE_PICTURE = Note(NoteCode.WHOLE_PICTURE, "found without mask, box and depth, by keypoints of the whole photograph")
RECTANGLE = Note(
    NoteCode.MASK_RECTANGLE,
    "the mask fills a rectangle: if it is a detector's box, it tells nothing of the pose of a mesh without a pattern; "
    "give depth, or a mask that ends where the object does",
)
_DRAWN = Note(NoteCode.MASK_DRAWN, "the mask was drawn from the box: what fits the object there")


def checked_box(box: ArrayLike, observation: Observation) -> Box:
    """First and last column and row (x0, y0, x1, y1) of a box (x, y, width, height), pixels.

    Raises:
        DiffDopeError: if it is no box, or has no pixel in the image, or if there is a mask as well, or neither depth
            nor a photograph in which OpenCV could find the object.
    """
    four = as_floats("box", box)
    check_shape("box", four, (4,))
    check_finite("box", four)
    if observation.modalities in ((), ("mask",)):
        raise expected("box", "none, for the observation has neither RGB nor depth", _listed(four))
    if observation.mask_box is not None:
        raise expected("box", "none, for the observation has a mask", _listed(four), "give one of them")
    if "depth" not in observation.modalities:
        check_can_detect("box")
    x, y, width, height = (float(one) for one in four)
    if not (width > 0.0 and height > 0.0):
        raise expected("box", "(x, y, width, height) of a width and a height above 0, in pixels", _listed(four))
    camera = observation.camera
    x0, y0 = max(x, 0.0), max(y, 0.0)
    x1, y1 = min(x + width, camera.width) - 1.0, min(y + height, camera.height) - 1.0
    if x1 < x0 or y1 < y0:
        cure = "it is (x, y, width, height) in pixels of the whole image, not corners and not shares of it"
        got = f"{_listed(four)} in an image of {camera.width} x {camera.height}"
        raise expected("box", "at least one pixel of the image in it", got, cure)
    return x0, y0, x1, y1


def _listed(box: NDArray[np.float64]) -> str:
    return ", ".join(f"{one:g}" for one in box)


def check_can_be_found(observation: Observation, mesh: Mesh) -> None:
    """Refuses an observation without a box in which nothing says where the object is.

    Raises:
        NothingSaysWhereError: if there is neither a mask nor depth, nor a photograph that shows the mesh's pattern and
            OpenCV.
    """
    if observation.mask_box is not None or "depth" in observation.modalities:
        return
    if tells_by_pattern(observation, mesh):
        return
    cure = "give the mask of a detector, or depth, with a box or without, or refine from a start pose"
    wanted = "a mask that says where the object is, or depth"
    raise expected("observation", wanted, "neither", cure, kind=NothingSaysWhereError)


def notes_on_box(box: ArrayLike, observation: Observation, *, found: bool) -> tuple[str, ...]:
    """What is to be known of a box that was checked: that a part of it lies outside of the image, or what it may mean.

    Args:
        box: (x, y, width, height), pixels.
        observation: the image.
        found: whether the object was found in it.
    """
    four = as_floats("box", box).tolist()
    cut = note_on_cut(four, (observation.camera.height, observation.camera.width))
    return (*((cut,) if cut else ()), *(() if found else note_on_corners(four)))


def box_of_mask(observation: Observation, mesh: Mesh) -> Box | None:
    """The box that a mask fills: a detector's box, drawn as a mask; None if it does not, or nothing is found in a box.

    Args:
        observation: with or without a mask.
        mesh: the object; without depth, it is found in a box by its pattern.
    """
    told = "depth" in observation.modalities or tells_by_pattern(observation, mesh)
    return filled_box(observation) if told else None


def filled_box(observation: Observation) -> Box | None:
    """The box that a mask fills; None if there is none, or it leaves some of it out."""
    box = observation.mask_box
    if box is None:
        return None
    x0, y0, x1, y1 = (int(one) for one in box)
    alone = observation.without_rgb().without_depth()  # a crop copies its images, and the picture may be large
    mask = alone.crop(CropWindow(x0, y0, x1 - x0 + 1, y1 - y0 + 1, 1)).mask
    assert mask is not None
    inside = mask > 0.5
    if inside.size < _FEWEST or np.count_nonzero(inside) < _FILLED * inside.size:
        return None
    return box


def doubted_rectangle(
    attempt: Attempt, observation: Observation, mesh: Mesh, search: SearchSettings
) -> Attempt:  # fmt: skip
    """An attempt that is not sure where a rectangle is all there is: it may be a detector's box, drawn as a mask.

    Args:
        attempt: made in the mask.
        observation: with a mask.
        mesh: the object.
        search: of the search.
    """
    told = "depth" in observation.modalities or mesh.has_pattern
    if told or not attempt.result.answers or filled_box(observation) is None:
        return attempt
    some = 1.0 - (attempt.result.none_of_these or 0.0)
    result = with_lower_confidence(attempt.result, min(some, _AT_MOST), search)
    return attempt._replace(result=replace(result, notes=(*result.notes, RECTANGLE)))


def with_note(attempt: Attempt, note: Note) -> Attempt:
    """An attempt whose result says one thing more."""
    result = attempt.result
    return attempt._replace(result=replace(result, notes=(*result.notes, note)))


def by_keypoints(attempt: Attempt) -> Attempt:
    """An attempt in a box of a photograph, which says so, and no more that the box was read as a mask."""
    kept = tuple(note for note in attempt.result.notes if code_of(note) is not NoteCode.MASK_BOX)
    return attempt._replace(result=replace(attempt.result, notes=(*kept, BY_KEYPOINTS)))


def surest(found: Iterable[Attempt], enough: float) -> Attempt:
    """The surest of some attempts, at least one; none is made after one that is as sure as is enough."""
    best: Attempt | None = None
    for one in found:
        if best is None or (one.result.confidence or 0.0) > (best.result.confidence or 0.0):
            best = one
        if best.result.ok and (best.result.confidence or 0.0) >= enough:
            break
    assert best is not None
    return best


def in_guess(
    searcher: MeshSearcher, preset: Preset, observation: Observation, guess: Guess, box: Box | None,
    progress: Progress | None = None,
) -> Attempt:  # fmt: skip
    """An attempt in a mask that may be the object's, doubted by the box that led there; a note where a piece did.

    Args:
        searcher: of the object.
        preset: of the search.
        observation: with depth, without a mask.
        guess: the mask, and the poses to begin with, if known.
        box: first and last column and row (x0, y0, x1, y1), pixels; None for a piece that stands out.
        progress: as `Refiner.refine` has it.
    """
    masked = observation.with_mask(guess.mask)
    found = searcher.attempt(preset, masked, None, progress=progress, guesses=guess.poses)
    if box is None:
        found = with_note(found, IN_A_PIECE)
        return as_it_stands(found, searcher.meshes, observation, preset.resolved_search)
    return doubted(found, searcher.meshes, observation, box, preset.resolved_search)


def doubted(
    attempt: Attempt, meshes: MeshLevels, observation: Observation, box: Box | None, search: SearchSettings
) -> Attempt:
    """An attempt whose result is less sure the more of its visible part lies outside of the box, or falls short of it.

    Boxes are off by shares of about sigma: the log odds of a share s are lower by (s / sigma)^2 / 2, as those of a
    normal distribution. What is drawn from a box fits its own mask, so this is all that a box says. What
    lies mostly outside of the picture is not believed, for a box says nothing about it; nor what has an outline that
    the image does not show (`search/checks/outline_evidence.py`), or that reaches through what it lies on
    (`search/checks/support_penetration.py`).

    Args:
        attempt: made in a mask that was drawn from the box, in the object's own frame.
        meshes: the object.
        observation: with depth, without a mask.
        box: first and last column and row (x0, y0, x1, y1), pixels; None where no box led there.
        search: of the search.
    """
    result = attempt.result
    if not result.answers:
        return attempt
    observation = observation.surfaces
    lies = InBox(0.0, 0.0)
    if box is not None:
        lies = lies_in_box(meshes, observation, box, result.pose, search.box.depth_range_fine)
    off, short = lies.outside / search.box.sticking_out, lies.short / search.box.falling_short
    some = 1.0 - (result.none_of_these or 0.0)
    lower = float(np.exp(-0.5 * (off**2 + short**2)))
    still = some * lower / (1.0 - some + some * lower) if some < 1.0 else 1.0
    cut = share_in_picture(meshes, observation, result.pose) < _MOSTLY
    if cut:
        still = min(still, _AT_MOST)
    around = drawn_around(meshes, observation, result.pose)
    support = NONE if around is None else of_support(*around, meshes.length_m)
    still = min(still, sigmoid(support.at_most))
    outline = outline_evidence(meshes, observation, result.pose)
    still = min(still, _AT_MOST + (1.0 - _AT_MOST) * outline.credible)
    notes = [*result.notes, _DRAWN if box is not None else AMONG_OTHERS]
    if off > _WORTH_A_WORD:
        text = f"box: {100 * lies.outside:.0f} % of what is seen of the result lies outside of it"
        notes.append(Note(NoteCode.BOX_MISFIT, text))
    if short > _WORTH_A_WORD:
        text = f"box: what is seen of the result leaves {100 * lies.short:.0f} % of a side empty"
        notes.append(Note(NoteCode.BOX_MISFIT, text))
    if outline.note:
        notes.append(outline.note)
    if support.note:
        notes.append(support.note)
    if cut:
        text = "most of the object would lie outside of the picture: little of it is compared"
        notes.append(Note(NoteCode.OUT_OF_PICTURE, text))
    return attempt._replace(result=replace(with_lower_confidence(result, still, search), notes=tuple(notes)))
