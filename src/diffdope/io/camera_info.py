"""What ROS camera_info YAML says beside the camera: the name of its frame."""

from __future__ import annotations

from pathlib import Path

from diffdope.io.json_files import read_text

_UNNAMED = "camera_optical_frame"


def optical_frame_of(path: Path) -> str:
    """The name of the optical frame that a camera_info file states; camera_optical_frame where it states none."""
    import yaml

    if path.suffix.lower() not in (".yaml", ".yml"):
        return _UNNAMED
    try:
        entry = yaml.safe_load(read_text(path, "camera"))
    except yaml.YAMLError:  # a dialect, such as OpenCV's, in which no frame has a name
        return _UNNAMED
    header = entry.get("header") if isinstance(entry, dict) else None
    stated = (entry.get("frame_id") if isinstance(entry, dict) else None) or (
        header.get("frame_id") if isinstance(header, dict) else None
    )
    return stated if isinstance(stated, str) and stated else _UNNAMED
