"""The pose of a depth camera in the photograph's camera, of a file that may say by a name which way it goes.

| name | what it is |
|---|---|
| `depth_to_color`, `T_depth_to_color`, `depth2rgb` | from depth's frame to the photograph's, as it is needed |
| `T_color_depth`, `color_T_depth` | the same: p_color = T p_depth, as in `T_base_flange` |
| `color_to_depth`, `T_depth_color`, `depth_T_color` and the like | its inverse |

The depth camera may also be `ir`, `infra1` or `left`, the other one `colour`, `rgb`, `image` or `photo`. A file without
such a name holds what is needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffdope.error_kinds import UnknownKeysError, unknown_keys
from diffdope.geometry.pose import Pose
from diffdope.io.json_files import parse_json, read_text
from diffdope.io.pose_objects import POSE_OF_A_CAMERA, entries_of
from diffdope.io.poses import of_cameras, read_extrinsics
from diffdope.io.yaml_files import parse_yaml
from diffdope.note_codes import Note, NoteCode

_NAME = "depth-extrinsics"
_WITH_NAMES = (".json", ".yaml", ".yml")
_DEPTH, _PHOTO = "depth|ir|infra1?|left", "colou?r|rgb|image|photo"
_CAMERA = "(?:_?(?:camera|cam|optical|frame))*"
# Of each name: whether the transform leads to the photograph's frame.
_NAMES = tuple(
    (re.compile(pattern.format(depth=f"(?:{_DEPTH}){_CAMERA}", photo=f"(?:{_PHOTO}){_CAMERA}")), direct)
    for pattern, direct in (
        (r"(?:t_)?{depth}_?(?:to|2)_?{photo}", True), (r"t_{photo}_{depth}", True), (r"{photo}_t_{depth}", True),
        (r"(?:t_)?{photo}_?(?:to|2)_?{depth}", False), (r"t_{depth}_{photo}", False), (r"{depth}_t_{photo}", False),
    )
)  # fmt: skip


def read_depth_extrinsics(path: str | Path) -> tuple[Pose, tuple[Note, ...]]:
    """Reads T_depth2rgb, p_rgb = T p_depth, metres, and says where it was inverted because of its name.

    Args:
        path: see `read_extrinsics`; or JSON or YAML with a transform under a name of the table above.

    Raises:
        DiffDopeError: for what `read_extrinsics` refuses.
    """
    path = Path(path)
    named = _named(path)
    if named is None:
        try:
            return read_extrinsics(path, name=_NAME), ()
        except UnknownKeysError as error:
            if path.suffix.lower() not in _WITH_NAMES:
                raise
            cure = "name it depth_to_color (or T_color_depth), or color_to_depth (T_depth_color) for the inverse"
            raise unknown_keys(error.argument, POSE_OF_A_CAMERA, error.keys, cure) from error
    name, value, direct = named
    pose = of_cameras(entries_of(value, f"{_NAME} file {path}, {name}"), path, _NAME)
    if direct:
        return pose, ()
    text = f"{_NAME}: {name} leads from the photograph's camera to that of depth, and was inverted"
    return pose.inverse(), (Note(NoteCode.DEPTH_CONVERTED, text),)


def _named(path: Path) -> tuple[str, Any, bool] | None:
    """The transform of a file under a name that says which way it goes, and whether that is the needed one."""
    ending = path.suffix.lower()
    if ending not in _WITH_NAMES:
        return None
    text = read_text(path, _NAME)
    data = parse_json(text, _NAME, f"JSON in {path}") if ending == ".json" else parse_yaml(text, path, _NAME)
    if isinstance(data, list) and len(data) == 1:  # the only document of a YAML file
        (data,) = data
    if not isinstance(data, Mapping):
        return None
    found = [
        (key, value, direct)
        for key, value in data.items()
        for pattern, direct in _NAMES
        if isinstance(key, str) and pattern.fullmatch(re.sub(r"[^a-z0-9]+", "_", key.lower()).strip("_"))
    ]
    return max(found, key=lambda one: one[2], default=None)  # of both ways, the one that needs no word
