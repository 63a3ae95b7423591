"""The text of a camera file as names and values, whichever tool wrote it; what they mean: `io/camera_entries.py`.

JSON, YAML (also in OpenCV's two dialects, `%YAML:1.0` and `%YAML 1.2`, and as `ros2 topic echo` prints it), OpenCV's
XML and Metashape's, ZED's .conf, Middlebury's calib.txt, COLMAP's cameras.txt and cameras.bin, the ost.txt of ROS's
camera_calibration, a matrix of 3 x 3 numbers, .npy, .npz and .mat; and photographs, by their EXIF.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.errors import DiffDopeError, as_floats, expected
from diffdope.io.array_files import read_arrays
from diffdope.io.camera_surveys import is_zed, of_metashape, of_zed
from diffdope.io.colmap import cameras_of_text, is_cameras_text, is_images_text, read_cameras_bytes
from diffdope.io.exif_camera import PHOTOGRAPHS, entry_of_photograph
from diffdope.io.json_files import parse_json, read_text
from diffdope.io.matlab_files import read_structs
from diffdope.io.numbers import check_decimal_points, is_number
from diffdope.io.stereo import is_middlebury, of_middlebury
from diffdope.io.yaml_files import yaml_documents

_PINCAM = ("width", "height", "fx", "fy", "cx", "cy")
_BLOCKS = ("distortion", "rectification", "projection")  # headings of ost.txt
_FEW = 64  # characters of a text that an error shows


def read_names(path: Path, name: str = "camera") -> dict[str, Any]:
    """What a camera file holds: names and values; of COLMAP's and of several entries, those by their number or name.

    Args:
        path: the file.
        name: the argument to blame.

    Raises:
        DiffDopeError: if it cannot be read, or is none of the formats.
    """
    if path.suffix.lower() in (".npy", ".npz"):
        return _arrays(path, name)
    if path.suffix.lower() == ".mat":
        return _structs(path, name)
    if path.suffix.lower() == ".bin":
        return read_cameras_bytes(path, name)
    if path.suffix.lower() in PHOTOGRAPHS:
        return entry_of_photograph(path, name)
    text = read_text(path, name)
    start = text.lstrip()[:1]
    if start == "{" and text.lstrip()[:2] != "{%":
        return _object(text, path, name)
    if start == "<":
        return _xml(text, path, name)
    lines = [line.strip() for line in text.splitlines()]
    if "camera matrix" in lines:
        return _ini(lines, f"{name} file {path}")
    if is_zed(lines):
        return of_zed(lines, f"{name} file {path}")
    if is_middlebury(lines):
        return of_middlebury(lines, f"{name} file {path}")
    rows = [line for line in lines if line and not line.startswith("#")]
    if is_cameras_text(rows):
        return cameras_of_text(rows, f"{name} file {path}")
    if is_images_text(rows):
        cure = "give cameras.txt, which lies beside it; images.txt is for --extrinsics"
        raise expected(f"{name} file {path}", "a camera", "COLMAP's images.txt, the places of images", cure)
    check_decimal_points(f"{name} file {path}", rows)
    numbers = re.sub(r"[\[\],;]", " ", " ".join(rows)).split()
    if numbers and all(is_number(word) for word in numbers):
        if path.suffix.lower() == ".pincam" and len(numbers) == len(_PINCAM):  # ARKitScenes
            return dict(zip(_PINCAM, map(float, numbers), strict=True))
        return _matrix([float(word) for word in numbers], path, name)
    return _yaml(text, path, name)


def _matrix(numbers: list[float], path: Path, name: str) -> dict[str, Any]:
    if len(numbers) not in (9, 16, 12) or (len(numbers) != 9 and not _is_wide_K(numbers)):
        wanted = "a camera matrix of 3 x 3 numbers"
        raise expected(f"{name} file {path}", wanted, f"{len(numbers)} numbers")
    width = {9: 3, 12: 4, 16: 4}[len(numbers)]
    return {"cam_K": np.reshape(numbers, (-1, width))[:3, :3].ravel().tolist()}


def _is_wide_K(numbers: list[float]) -> bool:
    """Whether 3 x 4 or 4 x 4 numbers are K beside zeros."""
    matrix = np.reshape(numbers, (-1, 4))
    return not matrix[:3, 3].any() and matrix[2, 2] == 1.0 and (len(matrix) == 3 or (matrix[3] == [0, 0, 0, 1]).all())


def _object(text: str, path: Path, name: str) -> dict[str, Any]:
    try:
        data = parse_json(text, name, f"JSON in {path}")
    except DiffDopeError as error:
        if isinstance(error.__cause__, RecursionError):
            raise
        try:  # OpenCV wrote numbers such as '600.' for years, which YAML takes
            data = _yaml(text, path, name)
        except DiffDopeError:
            raise error from error.__cause__
    if not isinstance(data, dict):
        raise expected(name, f"a JSON object in {path}", type(data).__name__)
    return data


def _yaml(text: str, path: Path, name: str) -> dict[str, Any]:
    import yaml

    try:
        documents = yaml_documents(text)
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, AttributeError, KeyError) as error:
        wanted = f"JSON, YAML, a COLMAP camera or 3 x 3 numbers in {path}"
        mark = getattr(error, "problem_mark", None)
        lines = text.splitlines()
        where = f" (line {mark.line + 1}: {lines[mark.line][:_FEW]!r})" if mark and mark.line < len(lines) else ""
        cure = (
            'write {"fx": .., "fy": .., "cx": .., "cy": .., "width": .., "height": ..}, and the lens\'s k1, k2, p1, p2'
        )
        raise expected(name, wanted, f"text of another kind{where}", cure) from error
    data = documents[0] if documents else None
    if isinstance(data, list) and data and not isinstance(data[0], Mapping):
        data = {"cam_K": data}
    if not isinstance(data, dict):
        got = "nothing" if data is None else repr(data)[:_FEW]
        raise expected(name, f"JSON, YAML, a COLMAP camera or 3 x 3 numbers in {path}", got)
    return {str(key): value for key, value in data.items()}


def _ini(lines: list[str], where: str) -> dict[str, Any]:
    """ROS's ost.txt: headings, and numbers below them; of cameras' names and comments nothing is needed."""
    blocks: dict[str, list[float]] = {}
    heading = ""
    for line in lines:
        words = line.split()
        if words and all(map(is_number, words)):
            blocks.setdefault(heading, []).extend(map(float, words))
        elif words and not line.startswith("#"):
            heading = line
            if heading in blocks:
                raise expected(where, "one camera", f"{heading} twice", "give a file for each camera")
    if len(blocks.get("camera matrix", [])) != 9:
        raise expected(where, "9 numbers below camera matrix", len(blocks.get("camera matrix", [])))
    empty = [heading for heading in _BLOCKS if heading in lines and heading not in blocks]
    if empty:  # a lens without numbers would be taken for none
        raise expected(where, f"numbers below {empty[0]}", "none")
    names = {
        "width": "width", "height": "height", "camera matrix": "K", "distortion": "D", "rectification": "R",
        "projection": "P",
    }  # fmt: skip
    found: dict[str, Any] = {name: blocks[key] for key, name in names.items() if key in blocks}
    found |= {name: found[name][0] for name in ("width", "height") if name in found}
    count = len(found.get("D", []))
    return {**found, "distortion_model": {4: "equidistant", 8: "rational_polynomial"}.get(count, "plumb_bob")}


def _xml(text: str, path: Path, name: str) -> dict[str, Any]:
    from xml.etree import ElementTree

    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise expected(name, f"OpenCV's XML in {path}", str(error)) from error
    if root.tag in ("document", "calibration"):
        return of_metashape(root, f"{name} file {path}")
    if root.tag != "opencv_storage":
        raise expected(name, f"OpenCV's XML in {path}", f"XML of <{root.tag}>")
    try:
        return {node.tag: _node(node) for node in root}
    except RecursionError as error:
        raise expected(name, f"OpenCV's XML in {path}", "elements in elements without end") from error


def _node(node: Any) -> Any:
    if len(node):
        return {child.tag: _node(child) for child in node}
    words = (node.text or "").split()
    numbers = [float(word) for word in words] if words and all(map(is_number, words)) else None
    if numbers is None:
        return " ".join(words).strip('"')
    return numbers if len(numbers) > 1 or node.tag == "data" else numbers[0]


def _structs(path: Path, name: str) -> dict[str, Any]:
    found = read_structs(path, name)
    if "K" in found and len(found) == 1:
        cure = "save toStruct(cameraParams) (MATLAB, from 1), or name it cam_K if it counts from 0"
        raise expected(f"{name} file {path}, K", "a word on whether pixels are counted from 0 or 1", "none", cure)
    return found


def _arrays(path: Path, name: str) -> dict[str, Any]:
    stored = read_arrays(name, path)
    if isinstance(stored, np.ndarray):
        return _matrix(as_floats(f"{name} file {path}", stored).ravel().tolist(), path, name)
    return {key: array.tolist() for key, array in stored.items()}
