"""Why a result failed, from what its evidence says: which image, or what about the mesh, does not go with the others.

Units and kinds of starts are told by `plausible.py`, before. Nothing is concluded from results that are right, and what
takes a search of its own (a mirrored mesh, channels the other way round) is tried on failed results alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.confidence import confidence_of, log_odds
from diffdope.geometry.pose import Pose
from diffdope.note_codes import CONTRADICTIONS, Note, NoteCode, of_codes
from diffdope.pipelines.diagnosis.implausible_inputs import EVERYTHING, covered_share
from diffdope.pipelines.diagnosis.mirrored_mesh import (
    MESH_MIRRORED,
    MOST_FACES,
    last_compared,
    log_odds_found,
    mirror_image,
    searched,
)
from diffdope.pipelines.diagnosis.scaled_depth import of_depth_scale
from diffdope.pipelines.diagnosis.swapped_inputs import (
    CHANNELS_SWAPPED,
    TEXTURE_FLIPPED,
    mask_elsewhere,
    other_way_round,
    second_part,
    texture_upside_down,
)
from diffdope.pipelines.lowered_confidence import with_lower_confidence
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.problem.region import projected_box
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.alternatives.canonical import nearest_alike
from diffdope.search.checks.contradictions import CONTRADICTED
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.outcome import Outcome
from diffdope.search.proposals.box_proposals import share_in_picture
from diffdope.search.settings import SearchSettings

F64 = NDArray[np.float64]

_MOSTLY = 0.5  # of an object that lies outside of the picture
_OFF_CENTRE = 0.25  # share by which both coordinates of a principal point differ from the picture's middle ...
_ALIKE = 0.06  # ... by the same factor
_FITS = 0.8  # overlap with the mask of what is in place
_COVERS_MORE = 0.7  # overlap with a mask below which it may show two objects
_MISFITS = 0.35  # share of depths where they are not the object's
_PATTERN, _NO_PATTERN = 0.3, 0.15  # correlation of colours of a right pose, and of colours of something else
_SURE = 0.8  # probability from which another kind of input explains the images
_FEW_DEPTHS = 0.05  # share of the mask's pixels
_CROP_PX = 128  # shares need not be known better
_SAME, _SAME_DEG = 0.1, 10.0  # of the diameter, and degrees: what is found from any start is no nearer without one
_SETTINGS = SearchSettings()
_ASIDE = 0.3  # of the diameter from the start: what is nearer may hide a mask that is turned round
_FLAT = 0.02  # standard deviation of rendered colours: less is one colour


def with_reasons(
    result: RefinementResult, meshes: MeshLevels, observation: Observation, start: Pose | None, *, explain: bool = True,
    settings: SearchSettings = _SETTINGS,
) -> RefinementResult:  # fmt: skip
    """A result that failed, with what its evidence says of the cause in message and notes.

    Of others, notes say what was found out about an image that does not go with them: a mask that covers more than the
    object, depth that was left out. One that the mirror image of the mesh fits better is contradicted where a part of
    that lies elsewhere: what is seen is another part (left for right), or the mesh is wrong. Where both surfaces are
    the same to the tolerance, as those of a tin with a print, a note is all.

    Args:
        result: in the object's own frame.
        meshes: the object.
        observation: what it was compared with.
        start: as it was given, in the own frame; None where there was none.
        explain: whether other kinds of input are tried on a result that failed, which takes as long as a refinement.
        settings: of the search.
    """
    search = settings.contradictions and (explain or result.ok)  # who is in a hurry gets none
    if result.ok:
        hurried = result.covariance is None  # `fast`: another drawing of each plane would be felt
        beside = [*_beside(result, meshes, observation)]
        asked = search and not hurried and result.evidence is not None
        mirrored = mirror_image(result, meshes, observation) if asked else None
        if mirrored is not None:
            beside.append(MESH_MIRRORED)
        why = MESH_MIRRORED if mirrored is not None and mirrored.contradicts else None
        if settings.contradictions and start is not None and result.pose.distance_to(start) > _ASIDE * meshes.length_m:
            for turned in mask_elsewhere(meshes, observation, start):  # the pose has followed it
                beside.append(turned)
                why = turned
        if why is not None and result.confidence is not None:
            some = 1.0 - (result.none_of_these or 0.0) if result.answers else result.confidence
            result = with_lower_confidence(result, min(some, CONTRADICTED), settings, why)
        return replace(result, notes=(*result.notes, *beside)) if beside else result
    texture = None if result.evidence is None else result.evidence.texture
    unlike = texture is not None and texture < _NO_PATTERN  # then which of several answers is right is not the question
    if result.status is Status.LOST or (result.status is Status.AMBIGUOUS and not unlike):
        return result
    found = [*of_pictures(meshes.mesh, observation, start)]
    if start is not None:
        found += other_way_round(meshes, observation, start, ("mask",))
    if search and result.evidence is not None and mirror_image(result, meshes, observation) is not None:
        found.append(MESH_MIRRORED)
    elif result.evidence is not None and not of_codes(result.notes, CONTRADICTIONS):
        if not found:
            found += second_part(meshes, observation, result.pose)
            found += other_way_round(meshes, observation, result.pose, ("depth", "rgb"))
        found += of_evidence(result, meshes, observation)
        if not found and search:
            given = set(observation.modalities)
            if start is not None and "depth" in given and "mask" not in given:
                found += of_depth_scale(meshes, observation, start, settings)
            if not found:
                found += of_other_kinds(result, meshes, observation, started=start is not None)
    if not found:
        return result
    return replace(result, message=f"{result.message}; {found[0]}", notes=(*result.notes, *found))


def _beside(result: RefinementResult, meshes: MeshLevels, observation: Observation) -> Iterator[Note]:
    """What is wrong with an image beside which a result is to be believed."""
    evidence = result.evidence
    if evidence is not None and evidence.overlap is not None and evidence.overlap < _COVERS_MORE:
        yield from second_part(meshes, observation, result.pose)
    if NoteCode.DEPTH_LEFT_OUT in result.note_codes:
        yield from other_way_round(meshes, observation, result.pose, ("depth",))
    if NoteCode.COLOURS_LEFT_OUT in result.note_codes:
        yield from other_way_round(meshes, observation, result.pose, ("rgb",))


def of_pictures(mesh: Mesh, observation: Observation, start: Pose | None) -> Iterator[Note]:
    """What mask and K say without any pose, or with the start alone.

    Args:
        mesh: the object.
        observation: the images.
        start: as it was given.
    """
    camera = observation.camera
    box = observation.mask_box
    share = 0.0 if box is None else covered_share(observation, box)
    if share > EVERYTHING:
        drawn = None if start is None else _drawn_share(mesh, observation, start)
        if drawn is None or drawn < 0.5 * share:  # the start may have it that near
            yield Note(
                NoteCode.MASK_COVERS,
                f"the mask covers {100 * share:.0f} % of the picture: is it inverted, or the mask of something else? "
                "It must be white where the object is",
            )
    factors = 2.0 * np.array([(camera.cx + 0.5) / camera.width, (camera.cy + 0.5) / camera.height])
    if np.all(np.abs(factors - 1.0) > _OFF_CENTRE) and abs(factors[0] - factors[1]) < _ALIKE * factors.mean():
        times = float(factors.mean())
        yield Note(
            NoteCode.PICTURE_SIZE,
            f"K's principal point ({camera.cx:.0f}, {camera.cy:.0f}) is the middle of a picture {times:.2g} times as "
            f"large as these {camera.width} x {camera.height} pixels: does K belong to another picture size? "
            "(camera.resize)",
        )


def of_evidence(result: RefinementResult, meshes: MeshLevels, observation: Observation) -> Iterator[Note]:
    """What fits at the result, and what does not."""
    evidence, length_m = result.evidence, meshes.length_m
    assert evidence is not None
    inside = share_in_picture(meshes, observation, result.pose)
    if inside < _MOSTLY:
        share = f"{100 * (1 - inside):.0f} %"
        text = f"{share} of the object would lie outside of the picture: little of it is compared"
        yield Note(NoteCode.OUT_OF_PICTURE, text)
    masked = evidence.overlap is not None and evidence.overlap > _FITS
    colored = evidence.texture is not None and evidence.texture > _PATTERN
    crop = last_compared(result, observation)
    if masked and crop.depth is not None and crop.mask is not None:
        there = float(np.mean(crop.depth[crop.mask > 0.5] > 0.0)) if (crop.mask > 0.5).any() else 1.0
        if there < _FEW_DEPTHS and not observation.is_sparse:
            yield Note(
                NoteCode.DEPTH_MISSING,
                f"only {100 * there:.0f} % of the mask's pixels have a depth: is the object of glass, black or "
                "too near? Leave depth out",
            )
        elif evidence.depth_inliers is not None and evidence.depth_inliers < _MISFITS:
            yield Note(
                NoteCode.DEPTH_MISFITS,
                f"outline{' and colours' if colored else ''} fit, but only {100 * evidence.depth_inliers:.0f} % of the "
                f"depths are within {1e3 * max(0.03 * length_m, 0.003):.0f} mm: is the object of glass or shiny, is "
                "depth of another moment, or its scale wrong?",
            )
    if result.modalities in (("rgb",), ("rgb", "outline")) and (evidence.contrast or 0.0) < _FLAT:
        text = "the mesh's colours say nothing, for they are alike all over: give depth or a mask"
        yield Note(NoteCode.COLOURS_ALIKE, text)


def of_other_kinds(
    result: RefinementResult, meshes: MeshLevels, observation: Observation, *, started: bool
) -> Iterator[Note]:
    """Whether the images fit without the start, or when channels, texture or mesh are the other way round."""
    evidence, pose = result.evidence, result.pose
    assert evidence is not None
    crop = last_compared(result, observation)
    rgb = crop.rgb
    if rgb is not None and evidence.texture is not None and evidence.texture < _PATTERN:
        if _patterned(searched(meshes, crop.with_rgb(rgb[..., ::-1]), pose), evidence.texture):
            yield CHANNELS_SWAPPED
            return
        near = pose if started or crop.mask_box is None else None  # which way round it was found says nothing
        flipped = None if meshes.mesh.uv is None else searched(texture_upside_down(meshes), crop, near)
        if _patterned(flipped, evidence.texture):
            yield TEXTURE_FLIPPED
            return
    fits = (evidence.overlap or 1.0) > _FITS and (evidence.depth_inliers or 1.0) > _FITS
    if fits and evidence.texture is not None and evidence.texture < _NO_PATTERN:
        text = "the shape fits, but the colours do not: is it another object's texture, or does the light hide them?"
        yield Note(NoteCode.COLOURS_MISFIT, text)
        return
    if len(meshes.mesh.faces) <= MOST_FACES and crop.mask_box is not None:
        own = searched(meshes, crop, None) if started else None
        same = meshes.is_own_mirror_image(colours=crop.rgb is not None)
        reflected = None if same else searched(meshes.mirrored, crop, None)
        if log_odds_found(reflected) > max(log_odds_found(own), log_odds(_SURE)):
            yield MESH_MIRRORED
        elif own is not None and log_odds_found(own) > log_odds(_SURE):
            there = nearest_alike(own.pose, result.pose, meshes.unnoticed)
            away_mm, away_deg = 1e3 * there.distance_to(result.pose), np.degrees(there.angle_to(result.pose))
            if away_mm < 1e3 * _SAME * meshes.length_m and away_deg < _SAME_DEG:
                return
            yield Note(
                NoteCode.START_TOO_FAR,
                f"the object is found without the start, {away_mm:.0f} mm and {away_deg:.0f} degrees from this result: "
                "the start is too far off; locate needs none",
            )


def _patterned(found: Outcome | None, before: float) -> bool:
    """Whether colours fit an outcome, where their correlation was `before`."""
    if found is None or found.quality is None or found.quality.texture is None:
        return False
    texture = found.quality.texture
    return texture > _PATTERN and texture - before > 0.5 * _PATTERN and confidence_of(found.quality) > _SURE


def _drawn_share(mesh: Mesh, observation: Observation, start: Pose) -> float | None:
    """Share of the picture that is in the box in which a start draws the object; None where it draws none."""
    box = projected_box(mesh.vertices_m, start, observation.camera)
    if isinstance(box, Status):
        return None
    camera = observation.camera
    width = min(box[2], camera.width - 1.0) - max(box[0], 0.0) + 1.0
    height = min(box[3], camera.height - 1.0) - max(box[1], 0.0) + 1.0
    return max(width, 0.0) * max(height, 0.0) / (camera.width * camera.height)
