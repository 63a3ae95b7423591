"""What ROS camera_info says beside the camera: the name of its frame, and what depth images beside it hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffdope.errors import DiffDopeError
from diffdope.geometry.distortion import plain_word
from diffdope.io.yaml_files import read_yaml
from diffdope.note_codes import Note, NoteCode

_UNNAMED = "camera_optical_frame"
DEPTH_MM = 1.0
"""Millimetres per unit of depth in integers: REP 118 says so of images of kind 16UC1."""
ROS_DEPTH_NOTE = Note(
    NoteCode.DEPTH_UNIT_TAKEN, "depth was taken for millimetres, as ROS has it (REP 118); --depth-scale says otherwise"
)


def is_camera_info(entry: Mapping[str, Any]) -> bool:
    """Whether a camera's entry is ROS's: K and a model of distortion under its names, with P or the name of a frame."""
    words = {plain_word(str(key)) for key in entry}
    asked = (("distortionmodel",), ("cameramatrix", "k"), ("projectionmatrix", "p", "frameid", "header"))
    return all(words & set(names) for names in asked)


def optical_frame_of(path: Path) -> str:
    """The name of the optical frame that a camera_info file states; camera_optical_frame where it states none."""
    if path.suffix.lower() not in (".yaml", ".yml"):
        return _UNNAMED
    try:
        entry = read_yaml(path, "camera")
    except DiffDopeError:  # a dialect in which no frame has a name
        return _UNNAMED
    header = entry.get("header") if isinstance(entry, dict) else None
    stated = (entry.get("frame_id") if isinstance(entry, dict) else None) or (
        header.get("frame_id") if isinstance(header, dict) else None
    )
    return stated if isinstance(stated, str) and stated else _UNNAMED
