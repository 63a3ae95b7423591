"""Pictures of a part of the sensor, or with pixels put together: roi and binning of ROS camera_info.

As REP 104 and sensor_msgs/CameraInfo say: K, D and P are those of the whole sensor at full resolution; the region is
in its pixels; binning is applied to the region.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from diffdope.errors import check_count, expected
from diffdope.geometry.distortion import leaves, plain_word

_NAMES = ("xoffset", "yoffset", "binningx", "binningy")


@dataclass(frozen=True)
class SensorPart:
    """What a picture shows of a sensor.

    Attributes:
        whole: (width, height) of the sensor, pixels.
        x0: first column.
        y0: first row.
        width: columns.
        height: rows.
        binning: (across, down): pixels that are put together into one.
    """

    whole: tuple[int, int]
    x0: int
    y0: int
    width: int
    height: int
    binning: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the picture."""
        return self.width // self.binning[0], self.height // self.binning[1]


def part_of(entry: Mapping[str, Any]) -> SensorPart | None:
    """What a camera_info states of region and binning; None where pictures show the whole sensor as it is.

    Raises:
        DiffDopeError: if that makes no picture.
    """
    values = {".".join(map(plain_word, map(str, path))): value for path, value in leaves(entry)}
    found = {name: _count(name, next((v for k, v in values.items() if k.endswith(name)), 0)) for name in _NAMES}
    binning = max(found["binningx"], 1), max(found["binningy"], 1)  # 0 is 1, says the format
    x0, y0 = found["xoffset"], found["yoffset"]
    size = _count("roi.width", values.get("roi.width", 0)), _count("roi.height", values.get("roi.height", 0))
    if not (x0 or y0 or any(size)) and binning == (1, 1):
        return None
    names = [(name, short) for name, short in (("width", "w"), ("height", "h"))]
    whole = tuple(_count(name, values.get(name, values.get(f"image{name}", 0))) for name, _ in names)
    width, height = size if all(size) else (whole[0] - x0, whole[1] - y0)
    if not all(whole) or not (0 < width <= whole[0] - x0 and 0 < height <= whole[1] - y0):
        got = f"{width} x {height} at ({x0}, {y0}) of {whole[0]} x {whole[1]}"
        raise expected("camera, roi", "a region within the sensor, whose width and height are stated", got)
    if width // binning[0] < 1 or height // binning[1] < 1:
        raise expected("camera, binning", f"fewer pixels than the {width} x {height} region has", binning)
    return SensorPart((whole[0], whole[1]), x0, y0, width, height, binning)


def _count(name: str, value: Any) -> int:
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    return check_count(f"camera, {name}", 0 if whole is None else whole, least=0)
