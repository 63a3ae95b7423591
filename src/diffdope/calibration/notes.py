"""What a user should know about a calibration, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from diffdope.calibration.links import Misfit
from diffdope.calibration.result import Contradiction, PictureResidual, UncertainValue
from diffdope.calibration.shots import Shot
from diffdope.calibration.solution import CalibrationNoise, Solution
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.diagnosis.implausible_inputs import size_factor
from diffdope.problem.failure import Status
from diffdope.scene.robot import Robot

_CONTRADICTS = 2.0, 0.003  # deviations, and share, by which depths must be off to be called a contradiction
_KNOWN = 0.7  # share of its prior's deviation above which an offset is not observed
_FAR_DEG = 40.0  # from a start: more than its searches reach
STILL_RAD = np.radians(5.0)  # joints that move by less stand still


DISAGREE = "the pictures do not agree well enough; see the notes"
DOUBTED = "a pose was found, but masks and outlines do not meet; see the notes and the overlays"


def on_doubt(iou: float, away_px: float) -> Note:
    """Masks and outlines that do not meet: overlap without the base, and pixels between them."""
    return Note(
        NoteCode.OUTLINES_APART,
        f"not sure: without the base, masks and drawn robot overlap by {iou:.2f} only, and their outlines are "
        f"{away_px:.1f} px apart; do the masks lack links, or show something else? Another pose may be right: give "
        "depth, or masks of all links",
    )


def on_unsure(deviation: tuple[float, float], zero_rad: float, *, offsets: bool) -> list[Note]:
    """That the camera is less sure than a calibration may be.

    Args:
        deviation: of the camera in the base, mm and degrees.
        zero_rad: of joints' zeros, which are in it; 0 where offsets were looked for.
        offsets: whether they can be.
    """
    zeros = (
        f"zeros of joints are in it with {np.degrees(zero_rad):.2f} degrees, as the pictures tell: " if zero_rad else ""
    )
    text = (
        f"the camera is unsure by {deviation[0]:.0f} mm and {deviation[1]:.1f} degrees: {zeros}take more pictures, in "
        "which all joints move, or nearer ones"
    )
    return [
        Note(NoteCode.CAMERA_UNSURE, text + (", or estimate offsets (--joint-offsets)" if zero_rad and offsets else ""))
    ]


def on_shaky(shaken: tuple[float, float], target: str = "the camera stand still") -> list[Note]:
    """That other pictures would lead elsewhere.

    Args:
        shaken: leave-one-out error, mm and degrees.
        target: what has to stand still, as a question.
    """
    return [
        Note(
            NoteCode.LEAVE_ONE_OUT,
            f"the leave-one-out error is {shaken[0]:.0f} mm and {shaken[1]:.1f} degrees, so other pictures would lead "
            f"elsewhere: are the joints' zeros and the URDF right, does {target}, and do joints and pictures belong "
            "together?",
        )
    ]


def on_left_out(left_out: int, count: int) -> list[Note]:
    """That so many pictures of all do not fit where the others do that these may be the wrong ones."""
    return [
        Note(
            NoteCode.PICTURES_DISAGREE,
            f"{left_out} of {count} pictures do not fit where the others do, and these may be the wrong ones: was the "
            "camera or the robot's base moved in between? Calibrate with the pictures of one place",
        )
    ]


def on_links(
    robot: Robot, misfit: Misfit, pictures: Sequence[PictureResidual]
) -> tuple[list[Note], list[Note]]:  # fmt: skip
    """Links that do not fit: what is wrong with the camera's place, and with the links alone.

    Args:
        robot: the robot.
        misfit: which links.
        pictures: what each says; without masks, depths alone tell.
    """
    count, masks = sum(one.used for one in pictures), any(one.iou is not None for one in pictures)
    seen = "the outline is not where it is drawn" if masks else "depths are not where it is drawn"
    contradicts: list[Note] = []
    told: list[Note] = []
    behind = dict(zip(misfit.links, misfit.by_depth, strict=True))
    still = [number for number in misfit.links if number in robot.still]
    if still and robot.needed:
        names, first = ", ".join(robot.links[number].name for number in still), robot.needed[0]
        where = f"{names}: in most of {count} pictures {seen}, though what moves fits"
        if any(behind[number] for number in still):
            contradicts.append(
                Note(
                    NoteCode.JOINT_ZERO,
                    f"{where}{', and depths are not, either' if masks else ''}: is the zero of {first} wrong? It turns "
                    "the camera about that joint's axis (--joint-offsets)",
                )
            )
        else:
            told.append(
                Note(
                    NoteCode.LINK_MISFIT,
                    f"{where}: do the masks lack a part of it, or is the zero of {first} wrong, which turns the camera "
                    "about that joint's axis (--joint-offsets)?",
                )
            )
    lack = ", do masks lack it, or do they show what the description lacks (a gripper, a cable)" if masks else ""
    moved = [robot.links[number].name for number in misfit.links if number not in robot.still]
    if moved:
        told.append(
            Note(
                NoteCode.LINK_MISFIT,
                f"{', '.join(moved)}: in most of {count} pictures {seen}: is a joint's zero or sign, a length or the "
                f"mesh wrong from there on{lack}?",
            )
        )
    return contradicts, told


def on_zeros(
    turned_deg: Mapping[str, UncertainValue], slid_mm: Mapping[str, UncertainValue], moved: tuple[float, float]
) -> list[Note]:
    """Zeros of joints that are wrong in all pictures alike.

    Args:
        turned_deg: offsets of joints that turn, by name.
        slid_mm: offsets of joints that slide, by name.
        moved: by how much they move the camera, mm and degrees.
    """
    kinds = [
        ", ".join(f"{name} by {one.value:.2f} (+- {one.deviation:.2f})" for name, one in some.items()) + f" {unit}"
        for some, unit in ((turned_deg, "degrees"), (slid_mm, "mm"))
        if some
    ]
    each, offsets = ", ".join(kinds), [*turned_deg, *slid_mm]
    word = "the zero of" if len(offsets) == 1 else "the zeros of"
    return [
        Note(
            NoteCode.JOINT_ZERO,
            f"{word} {each}: with that added to the joint, all pictures surely fit better, and the camera is "
            f"{moved[0]:.1f} mm and {moved[1]:.2f} degrees elsewhere; correct it, or estimate it (--joint-offsets)",
        )
    ]


def on_depth_off(away_mm: float) -> list[Note]:
    """That depths lie off the drawn robot, by so much."""
    side = "behind" if away_mm > 0.0 else "before"
    return [
        Note(
            NoteCode.DEPTH_APART,
            f"depths lie {abs(away_mm):.0f} mm {side} the robot as it is drawn, farther than a depth camera errs: do "
            "joints and pictures belong together, and are K, depth_scale and the URDF right?",
        )
    ]


def message_of(status: Status) -> str:
    """The status in words."""
    if status is Status.CONVERGED:
        return "found; look at the overlays before you use it"
    if status is Status.AMBIGUOUS:
        return "several poses fit the pictures alike; see the notes"
    return "no pose was found that fits the pictures; check the camera file, the joints' order and unit, and the masks"


def on_pictures(shots: Sequence[Shot], solution: Solution, bad: Mapping[int, str]) -> list[Note]:
    """Pictures that were left out, or say nothing."""
    notes = [Note(NoteCode.PICTURE_LEFT_OUT, f"{shots[n].name}: {text}") for n, text in bad.items()]
    for n, shot in enumerate(shots):
        if n not in bad and not solution.rows[n]:
            text = f"{shot.name}: says nothing; the robot is out of the picture, or too little of it is seen"
            notes.append(Note(NoteCode.PICTURE_SILENT, text))
    return notes


def on_configurations(robot: Robot, shots: Sequence[Shot]) -> list[Note]:
    """What the choice of joint configurations leaves open."""
    if len(shots) == 1:
        text = "one picture: errors of the joints' values are not told from the camera's place; take three at least"
        return [Note(NoteCode.FEW_PICTURES, text)]
    values = np.array([[shot.joints[name] for name in robot.needed] for shot in shots])
    moving = [name for name, one in zip(robot.needed, np.ptp(values, axis=0), strict=True) if one > STILL_RAD]
    if not moving:
        text = "the robot is in the same configuration in all pictures: they count as one"
        return [Note(NoteCode.MOTIONS_ALIKE, text)]
    if len(moving) == 1 and len(robot.needed) > 1:
        others = "errors of the other joints are not told from the camera's place"
        return [Note(NoteCode.MOTIONS_ALIKE, f"only {moving[0]} moves between the pictures: {others}")]
    return []


def on_start(away: tuple[float, float] | None) -> list[Note]:
    """A start that was not believed, by how far the result is from it (mm, degrees)."""
    if away is None or away[1] < _FAR_DEG:
        return []
    size = f"{away[0]:.0f} mm and {away[1]:.0f} degrees"
    text = f"the result is {size} from the start: is that T_camera_base, in the optical frame, and in metres?"
    return [Note(NoteCode.START_ELSEWHERE, text)]


def on_alternatives(apart: Sequence[tuple[float, float]]) -> list[Note]:
    """Other poses that fit nearly as well, by how far away they are (mm, degrees)."""
    if not apart:
        return []
    sizes = ", ".join(f"{millimetres:.0f} mm and {degrees:.0f} degrees" for millimetres, degrees in apart)
    return [Note(NoteCode.AMBIGUOUS, f"ambiguous: other poses fit nearly as well, away by {sizes}; take more pictures")]


def on_second(away: tuple[float, float]) -> list[Note]:
    """A second robot in the masks, by how far its base is from the first one's (mm, degrees)."""
    text = (
        f"ambiguous: the masks show a second robot of the kind in step with this one, {away[0]:.0f} mm and "
        f"{away[1]:.0f} degrees from it, and nothing tells which of both is meant; give masks of one, or a start"
    )
    return [Note(NoteCode.AMBIGUOUS, text)]


def on_contradiction(found: Contradiction | None) -> list[Note]:
    """Depth against outlines, if they disagree by more than their errors."""
    deviations, least = _CONTRADICTS
    if found is None or abs(found.depth_scale.value) < max(deviations * found.depth_scale.deviation, least):
        return []
    return [Note(NoteCode.DEPTH_BESIDE_OUTLINES, found.text)]


def on_depth_scale(robot: Robot, shots: Sequence[Shot]) -> list[Note]:
    """That depth makes the robot far longer or shorter than it is, by a factor of units."""
    found = [size_factor(robot.posed(robot.checked(one.joints, one.name)).mesh, one.observation) for one in shots]
    sizes = [one for one in found if one is not None]
    if 2 * len(sizes) <= len(shots) or len({factor for *_, factor in sizes}) > 1:
        return []
    length_m, diameter_m, factor = sizes[0]
    off = f"{factor:g} times too large" if factor > 1.0 else f"{1.0 / factor:g} times too small"
    return [
        Note(
            NoteCode.UNITS,
            f"by masks and depth the robot is {length_m:.2g} m long, by its description {diameter_m:.2g} m: is "
            f"depth_scale {off}?",
        )
    ]


def on_offsets(
    turned_deg: Mapping[str, UncertainValue], slid_mm: Mapping[str, UncertainValue], noise: CalibrationNoise
) -> list[Note]:
    """Joints whose offsets the pictures do not tell.

    Args:
        turned_deg: offsets of joints that turn.
        slid_mm: offsets of joints that slide.
        noise: deviations that were expected before.
    """
    kinds = ((turned_deg, noise.offset_deg), (slid_mm, noise.offset_mm))
    hidden = [name for some, least in kinds for name, one in some.items() if one.deviation > _KNOWN * least]
    if not hidden:
        return []
    text = f"offsets of {', '.join(hidden)} are not observed: they stay near 0, because they are expected to be small"
    return [Note(NoteCode.OFFSET_UNOBSERVED, text)]
