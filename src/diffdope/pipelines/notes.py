"""What a result says beside its numbers: what was not compared, and which settings had no effect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from diffdope.note_codes import Note, NoteCode, coded
from diffdope.pipelines.settings import PRESETS, Preset
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.terms.registry import IMAGE_TERMS

OFF = {"rgb": NoteCode.RGB_OFF, "depth": NoteCode.DEPTH_OFF, "mask": NoteCode.MASK_OFF, "edge": NoteCode.EDGE_OFF}
"""Codes of modalities that are not compared, by their names."""


def notes_on(
    mesh: Mesh, observation: Observation, preset: Preset, modalities: tuple[str, ...], *, boxed: bool = False
) -> tuple[str, ...]:
    """What was switched off, and why; what was compared instead; which settings had no effect.

    Args:
        mesh: the object.
        observation: the images.
        preset: that was used.
        modalities: what was compared.
        boxed: whether a box was given instead of a mask, and keypoints in it: no mask is missing then.
    """
    notes = [*coded(mesh.warnings, NoteCode.MESH), *coded(observation.notes, NoteCode.INPUT)]
    off = observation.camera.focal_deviation
    if off > 0.0:
        what = "how far from the picture's middle things are" if "depth" in modalities else "distances"
        text = (
            f"the focal length is known to {100.0 * off:.3g} % only, and so are {what}, which the covariance holds: "
            "calibrate the camera to know more"
        )
        notes.append(Note(NoteCode.FOCAL_LENGTH, text))
    for term in IMAGE_TERMS:
        why = None if boxed and term.name == "mask" else term.why_off(mesh, observation, preset.objective)
        # What nobody gives and nobody asks for is not worth a word: gradients are off unless they are asked for.
        if why is not None and (term.name != "edge" or term.weight(preset.objective) > 0.0):
            notes.append(Note(OFF[term.name], f"{term.name} is off: {why}"))
    if "mask" not in observation.modalities and not boxed:
        notes.append(Note(NoteCode.NO_MASK, "without a mask, everything inside the projected start region counts"))
    if "outline" in modalities:
        text = "outline: in place of a mask, the photograph's edges hold the object's outline"
        notes.append(Note(NoteCode.OUTLINE_BY_EDGES, text))
    for name, why in without_effect(preset, observation, modalities):
        notes.append(Note(NoteCode.SETTING_IDLE, f"{name} has no effect: {why}"))
    return tuple(notes)


def without_effect(preset: Preset, observation: Observation, modalities: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Settings that differ from the named preset's and did not matter, and why.

    Args:
        preset: that was used.
        observation: what there was.
        modalities: what was compared.
    """
    base = PRESETS.get(preset.name, PRESETS["default"])
    for name in differing_fields(preset, base):
        why = why_idle(name, preset, observation, modalities)
        if why is not None:
            yield name, why


def differing_fields(one: Any, other: Any, prefix: str = "") -> Iterator[str]:
    """Dotted names of the fields in which two settings differ."""
    for field in fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if a == b or field.name == "name":
            continue
        if is_dataclass(a) and type(a) is type(b):
            yield from differing_fields(a, b, f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}"


def why_idle(name: str, preset: Preset, observation: Observation, modalities: tuple[str, ...]) -> str | None:
    """Why a setting does not matter; None if it may."""
    objective, masked = preset.objective, "mask" in observation.modalities
    group, _, leaf = name.partition(".")
    if group == "descent" and preset.solver != "descent":
        return f"the preset's solver is {preset.solver}"
    if group == "search" and preset.solver != "newton":
        return f"the preset's solver is {preset.solver}"
    if name == "crop.size" and preset.solver == "newton":
        return "each level has a size of its own (search.near.sizes, search.far.sizes)"
    if name.startswith("search.outline.") and "outline" not in modalities:
        return "the photograph's edges do not hold the outline here"
    if name.startswith("search.region.") and (set(observation.modalities) != {"rgb"} or "outline" in modalities):
        return "it counts in films of photographs alone, where edges do not hold the outline"
    if name == "search.prior" and not masked:
        return "without a mask, search.prior_unmasked counts"
    if name == "search.prior_unmasked" and masked:
        return "it counts without a mask only"
    if name.startswith("search.mask_") and not masked:
        return "there is no mask"
    if name == "search.light" and "rgb" not in modalities:
        return "colours are not compared"
    if group != "objective":
        return None
    if leaf.endswith("_unmasked"):
        return "it counts without a mask only" if masked else None
    if leaf == "uncovered" and not masked:
        return "without a mask, objective.uncovered_unmasked counts"
    if leaf == "occlusion_margin" and not masked:
        return "there is no mask in which an occluder could leave a gap"
    for term in ("rgb", "depth"):
        if leaf == f"{term}_cap" and not masked and getattr(objective, leaf) > getattr(objective, f"{leaf}_unmasked"):
            return f"without a mask, the lesser objective.{leaf}_unmasked counts"
    owner = leaf.split("_", 1)[0]
    owned = owner in {term.name for term in IMAGE_TERMS} and owner not in modalities
    if owned and not (leaf.endswith("_weight") and getattr(objective, leaf) == 0.0):
        return f"{owner} is not compared"
    if owner == "plane" and not objective.plane and leaf != "plane":
        return "no objective.plane is given"
    return None
