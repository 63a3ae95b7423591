"""Notes of results: texts for people, each with a code on which programs can act.

The codes are listed here and nowhere else; `docs/refinement.md` says of each what it means and what to do, and
`docs/calibration.md` of those of a camera and a robot.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum


class NoteCode(StrEnum):
    """What a note is about. A code is also its text: `"depth-scale" in result.note_codes`."""

    OTHER = "other"

    # The inputs as they were read.
    MESH = "mesh"
    MESH_UNIT = "mesh-unit"
    MESH_SIZE = "mesh-size"
    MESH_STRAY = "mesh-stray"
    INPUT = "input"
    LENS_REMOVED = "lens-removed"
    CAMERA_RESIZED = "camera-resized"
    CAMERA_OFF_CENTRE = "camera-off-centre"
    RGB_BITS = "rgb-bits"
    DEPTH_CONVERTED = "depth-converted"
    DEPTH_UNIT = "depth-unit"
    DEPTH_UNIT_TAKEN = "depth-unit-taken"
    MASK_BOX = "mask-box"
    MASK_LOGITS = "mask-logits"
    MASK_INVERTED = "mask-inverted"
    MASK_EMPTY = "mask-empty"
    RGB_LIKE_DEPTH = "rgb-like-depth"
    RGB_UPRIGHT = "rgb-upright"
    BOX_CUT = "box-cut"
    BOX_CORNERS = "box-corners"
    START_UNIT = "start-unit"
    START_BEHIND = "start-behind"
    START_FRAME = "start-frame"
    RECORD_LACKS = "record-lacks"

    # What was compared.
    RGB_OFF = "rgb-off"
    DEPTH_OFF = "depth-off"
    MASK_OFF = "mask-off"
    EDGE_OFF = "edge-off"
    MASK_REFUSED = "mask-refused"
    MASK_SHIFTED = "mask-shifted"
    DEPTH_LEFT_OUT = "depth-left-out"
    COLOURS_LEFT_OUT = "colours-left-out"
    NO_MASK = "no-mask"
    OUTLINE_BY_EDGES = "outline-by-edges"
    SETTING_IDLE = "setting-idle"

    # How the pose was found.
    BEST_START = "best-start"
    TURNED = "turned"
    MASK_DRAWN = "mask-drawn"
    BY_DEPTH = "by-depth"
    BY_KEYPOINTS = "by-keypoints"
    WHOLE_PICTURE = "whole-picture"

    # How far it can be trusted.
    UNOBSERVED = "unobserved"
    TOLERANCE = "tolerance"
    FOCAL_LENGTH = "focal-length"
    SCALE_UNKNOWN = "scale-unknown"
    TOO_FAR = "too-far"
    OUTLINE_BESIDE_EDGES = "outline-beside-edges"
    OUTLINE_UNSEEN = "outline-unseen"
    OUTLINE_SIZE = "outline-size"
    MASK_BESIDE_EDGES = "mask-beside-edges"
    OUT_OF_PICTURE = "out-of-picture"
    LITTLE_SEEN = "little-seen"
    MASK_RECTANGLE = "mask-rectangle"
    BOX_MISFIT = "box-misfit"
    UNCONFIRMED = "unconfirmed"
    HALF_TURN = "half-turn"
    SAME_PLACE = "same-place"
    THROUGH_SUPPORT = "through-support"

    # What contradicts it.
    DEPTH_SCALE = "depth-scale"
    DEPTH_SCALE_UNSURE = "depth-scale-unsure"
    DEPTH_BESIDE_PRINT = "depth-beside-print"
    DEPTH_KIND = "depth-kind"
    DISTANCE = "distance"
    DISTANCE_UNSURE = "distance-unsure"
    FILM_DISTANCE = "film-distance"
    REGISTRATION = "registration"

    # Why it failed.
    UNITS = "units"
    START_KIND = "start-kind"
    START_VOID = "start-void"
    START_TOO_FAR = "start-too-far"
    MASK_COVERS = "mask-covers"
    MASK_SHOWS_MORE = "mask-shows-more"
    MASK_TURNED = "mask-turned"
    DEPTH_TURNED = "depth-turned"
    RGB_TURNED = "rgb-turned"
    PICTURE_SIZE = "picture-size"
    DEPTH_MISSING = "depth-missing"
    DEPTH_MISFITS = "depth-misfits"
    COLOURS_ALIKE = "colours-alike"
    COLOURS_MISFIT = "colours-misfit"
    CHANNELS_SWAPPED = "channels-swapped"
    TEXTURE_FLIPPED = "texture-flipped"
    MESH_MIRRORED = "mesh-mirrored"

    # Frames of a film.
    IN_DOUBT = "in-doubt"
    USUAL_CONFIDENCE = "usual-confidence"
    EDGES_ALONE = "edges-alone"
    DRIFT = "drift"
    DEPTH_LATE = "depth-late"
    FOUND_WIDER = "found-wider"
    FOUND_AGAIN = "found-again"
    FOUND_FAR = "found-far"

    # Several views.
    VIEW_FAILED = "view-failed"
    VIEW_SILENT = "view-silent"
    VIEW_CONTRADICTS = "view-contradicts"
    VIEW_LEFT_OUT = "view-left-out"
    VIEWS_MISFIT = "views-misfit"
    VIEWS_SIZE = "views-size"
    VIEWS_KIND = "views-kind"
    VIEWS_APART = "views-apart"
    CAMERA_MOVED = "camera-moved"
    CAMERA_HELD = "camera-held"
    PLACE_OPEN = "place-open"
    WORLD_VIEW = "world-view"
    CONTACT_UNUSED = "contact-unused"
    CONTACT_REFUSED = "contact-refused"

    # A recording of ROS.
    RECORDING_CUT = "recording-cut"
    STAMPS_MISSING = "stamps-missing"
    FRAMES_LEFT_OUT = "frames-left-out"

    # Figures of a data set.
    FIGURES_PARTIAL = "figures-partial"
    POINTS_SUBSAMPLED = "points-subsampled"
    FEW_RESULTS = "few-results"
    CONFIDENCE_BLIND = "confidence-blind"

    # A camera before a robot, or on its hand.
    PICTURE_LEFT_OUT = "picture-left-out"
    PICTURE_SILENT = "picture-silent"
    PICTURES_DISAGREE = "pictures-disagree"
    LEAVE_ONE_OUT = "leave-one-out"
    CAMERA_UNSURE = "camera-unsure"
    FEW_PICTURES = "few-pictures"
    MOTIONS_ALIKE = "motions-alike"
    OUTLINES_APART = "outlines-apart"
    DEPTH_APART = "depth-apart"
    DEPTH_BESIDE_OUTLINES = "depth-beside-outlines"
    LINK_MISFIT = "link-misfit"
    JOINT_ZERO = "joint-zero"
    JOINTS_EXCHANGED = "joints-exchanged"
    PICTURES_MIRRORED = "pictures-mirrored"
    OFFSET_UNOBSERVED = "offset-unobserved"
    FLANGE_INVERSE = "flange-inverse"
    START_ELSEWHERE = "start-elsewhere"
    TARGET_ELSEWHERE = "target-elsewhere"
    AMBIGUOUS = "ambiguous"


CONTRADICTIONS = frozenset({NoteCode.DEPTH_SCALE, NoteCode.DEPTH_KIND, NoteCode.DISTANCE, NoteCode.FILM_DISTANCE})
"""What makes a result fail though its images fit: one of the inputs is wrong, and nobody knows which."""


class Note(str):
    """A text that knows what it is about. It is a str in everything else: it prints, compares and is written as one.

    Args:
        code: what it is about.
        text: for people.
    """

    __slots__ = ("code",)
    code: NoteCode

    def __new__(cls, code: NoteCode, text: str) -> Note:
        """A text and its code: a str cannot change once it is made."""
        note = super().__new__(cls, text)
        note.code = code
        return note

    def __getnewargs__(self) -> tuple[NoteCode, str]:  # type: ignore[override]
        return self.code, str(self)

    def worded(self, text: str) -> Note:
        """The same in other words."""
        return Note(self.code, text)


def code_of(note: str) -> NoteCode:
    """What a note is about; `OTHER` of a text that does not say so."""
    return note.code if isinstance(note, Note) else NoteCode.OTHER


def codes_of(notes: Iterable[str]) -> tuple[NoteCode, ...]:
    """What each of some notes is about."""
    return tuple(code_of(note) for note in notes)


def coded(notes: Iterable[str], code: NoteCode) -> tuple[Note, ...]:
    """Notes whose code is `code` where they have none of their own."""
    return tuple(note if isinstance(note, Note) else Note(code, note) for note in notes)


def of_codes(notes: Iterable[str], codes: Collection[NoteCode]) -> tuple[str, ...]:
    """Those of some notes that are about one of some things."""
    return tuple(note for note in notes if code_of(note) in codes)


def without_codes(notes: Iterable[str], codes: Collection[NoteCode]) -> tuple[str, ...]:
    """Those of some notes that are about none of some things."""
    return tuple(note for note in notes if code_of(note) not in codes)


def from_record(notes: Iterable[str], codes: Iterable[str]) -> tuple[str, ...]:
    """Notes of a file, with their codes.

    Args:
        notes: the texts.
        codes: of each; those that this version does not know, and those that an earlier version left out, are `OTHER`.
    """
    known = {str(code): code for code in NoteCode}
    given = [*codes]
    return tuple(
        Note(known.get(given[k], NoteCode.OTHER), note) if k < len(given) else note for k, note in enumerate(notes)
    )
