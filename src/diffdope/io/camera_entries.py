"""What the names in a camera file mean, whichever tool wrote them: K, size, lens.

| tool | K | lens |
|---|---|---|
| BOP | cam_K, or fx fy cx cy; cam_model (FISHEYE624) | cam_model |
| ROS camera_info | camera_matrix or K, projection_matrix or P | distortion_model, D, rectification_matrix or R |
| OpenCV | camera_matrix, cameraMatrix, mtx | distortion_coefficients, dist; fisheye_model |
| Kalibr | intrinsics: 4 numbers | distortion_model, distortion_coeffs |
| RealSense, Open3D, nerfstudio | fx fy ppx ppy; intrinsic_matrix; fl_x fl_y cx cy | model and coeffs; k1 k2 ... |
| Zivid, Orbbec | fx fy cx cy in an object | Distortion, rgbDistortion beside it |
| MegaPose, Record3D | K | none |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffdope.errors import as_floats, check_count, check_number, expected
from diffdope.geometry.calibration_matrix import intrinsics_of
from diffdope.geometry.camera import Camera
from diffdope.geometry.distortion import CURE, check_none, leaves, plain_word
from diffdope.geometry.lens import Distortion, no_distortion
from diffdope.io.sensor_part import part_of

Path = tuple[str, ...]

_MATRICES = "camk", "k", "cameramatrix", "intrinsicmatrix", "mtx", "intrinsics", "intrinsic", "cameraintrinsics", "m1"
_BY_COLUMNS = ("intrinsicmatrix", "intrinsics", "cameraintrinsics")  # of these, some tools' matrices
_SCALARS = {
    "fx": ("fx", "flx", "focalx"), "fy": ("fy", "fly", "focaly"),
    "cx": ("cx", "ppx"), "cy": ("cy", "ppy"),
    "width": ("width", "imagewidth", "w", "resolutionwidth"),
    "height": ("height", "imageheight", "h", "resolutionheight"),
}  # fmt: skip
_SIZES = ("resolution", "imagesize", "imageresolution", "size")
_COEFFICIENTS = (
    "d", "dist", "distcoeffs", "distcoeff", "distcoefs", "distcoef", "distortion", "distortioncoefficients",
    "distortioncoeffs", "distortionparams", "distortionparameters", "coeffs", "d1",
)  # fmt: skip
_OF_FISHEYE = 4  # cv2.fisheye returns so many, and its users call them D; cv2.calibrateCamera returns five
_NAMED = ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6", "s1", "s2", "s3", "s4")
_MODEL = ("distortionmodel", "model", "cameramodel", "cammodel", "modeltype", "distortiontype", "projectionmodeltype")
_FAMILY = {
    "opencv": ("opencv", "plumbbob", "rationalpolynomial", "radtan", "radialtangential", "brownconrady", "fullopencv",
               "brown", "perspective", "standard"),
    "fisheye": ("fisheye", "equidistant", "opencvfisheye", "kannalabrandt", "kannalabrandt4", "kb4", "equi"),
    "thin_prism_fisheye": ("thinprismfisheye",), "fov": ("fov",),
}  # fmt: skip
_KNOWN = ("plumb_bob", "rational_polynomial", "equidistant", "fov")
_MEGAPOSE = {"k", "resolution"}  # all names of MegaPose's camera_data.json, whose resolution is (height, width)
_RECORD3D = "perframeintrinsiccoeffs", "poses", "fps"  # beside its K, which is written column by column
_FROM_CORNER = ("flx", "fly")  # nerfstudio and instant-ngp: the first pixel's centre is at half a pixel, as COLMAP's
_PLAIN = ("", "none", "pinhole", "simplepinhole", "null", "nodistortion")


@dataclass
class Stated:
    """A camera entry of which it is noted what was understood.

    Attributes:
        values: (keys from the outside in) -> value.
        used: those that were understood.
    """

    values: dict[Path, Any]
    used: set[Path]

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Stated:
        """All values of an entry."""
        return cls({tuple(map(str, path)): value for path, value in leaves(entry)}, set())

    def find(self, *words: str) -> Any:
        """The value under the first of these names, wherever it is; None where there is none."""
        for word in words:
            for path, value in self.values.items():
                if plain_word(path[-1]) == word and value is not None:
                    self.used.add(path)
                    return value
        return None

    def numbers(self, *words: str) -> list[float] | None:
        """The list of numbers under the first of these names that has one; None where there is none."""
        for word in words:
            for path, value in self.values.items():
                if plain_word(path[-1]) == word and (numbers := numbers_of(value)):
                    self.used.add(path)
                    return numbers
        return None

    def only(self, word: str) -> bool:
        """Whether what was understood of the lens stands under this name, and no other."""
        names = {plain_word(path[-1]) for path in self.used}
        return word in names and not names & (set(_COEFFICIENTS) - {word})

    def has(self, *words: str) -> bool:
        """Whether one of these names stands somewhere; it is not understood by that."""
        return any(plain_word(key) in words for path in self.values for key in path)

    def rest(self) -> Iterator[tuple[Path, Any]]:
        """What was not understood."""
        return ((path, value) for path, value in self.values.items() if path not in self.used)


def holds_camera(entry: Mapping[str, Any]) -> bool:
    """Whether an object of a file has a camera's numbers directly among its values."""
    words = {plain_word(str(key)): value for key, value in entry.items()}
    if any(word in words for word in ("projectionparams", "projectionmatrix", *_SCALARS["fx"])):
        return True
    return any(numbers_of(words.get(word)) for word in _MATRICES)


def size_of(entry: Mapping[str, Any]) -> tuple[int, int] | None:
    """(width, height) as an entry states them; None where it does not state both."""
    stated = Stated.of(entry)
    if (part := part_of(entry)) is not None:
        return part.size
    numbers: list[Any] | None = stated.numbers(*_SIZES)
    if numbers is not None and {plain_word(str(key)) for key in entry} == _MEGAPOSE:
        numbers = numbers[::-1]
    if numbers is None or len(numbers) != 2:
        numbers = [stated.find(*_SCALARS[name]) for name in ("width", "height")]
    if any(number is None or number == 0 for number in numbers):
        return None
    width, height = (_pixels(name, number) for name, number in zip(("width", "height"), numbers, strict=True))
    return width, height


def camera_of(
    entry: Mapping[str, Any], *, width: int, height: int, rectified: bool = False, check: bool = True
) -> Camera:
    """The camera of an entry, for pictures of the size that its K is for.

    Args:
        entry: names and values.
        width: columns of those pictures.
        height: rows.
        rectified: whether the pictures show what the lens drew (False), or were rectified already, so that P or K is
            the pinhole.
        check: whether the principal point must lie where it does in a picture that was not cropped.

    Raises:
        DiffDopeError: if K is missing or refused, or the lens is of a kind that is not understood.
    """
    stated = Stated.of(entry)
    if (found := _cam_model(stated, width, height)) is not None:
        return found
    P = _pinhole_of(stated)
    K = _matrix_of(stated, P)
    distortion = _distortion_of(stated, P)
    off = check_number("camera, focal_deviation", stated.find("focaldeviation") or 0.0)
    check_none(stated.rest())
    if rectified and P is not None:
        K = np.array([[P[0], 0.0, P[2]], [0.0, P[1], P[3]], [0.0, 0.0, 1.0]])
    bent, part = None if rectified else distortion, part_of(entry)
    if part is not None:
        whole = Camera(*intrinsics_of(as_floats("K", K)), *part.whole, bent, off)
        return whole.crop(part.x0, part.y0, part.width, part.height).resize(*part.size)
    if check:
        return Camera.from_K(K, width=width, height=height, distortion=bent, focal_deviation=off)
    return Camera(*intrinsics_of(as_floats("K", K)), width, height, bent, off)


def _matrix_of(stated: Stated, P: tuple[float, ...] | None) -> Any:
    scalars = {name: stated.find(*_SCALARS[name]) for name in ("fx", "fy", "cx", "cy")}
    for word in _MATRICES:
        numbers = stated.numbers(word)
        if numbers is not None and len(numbers) == 4:
            fx, fy, cx, cy = numbers
            return np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
        columns = word in _BY_COLUMNS or (word == "k" and stated.has(*_RECORD3D))
        if columns and numbers is not None and len(numbers) == 9 and not (numbers[2] or numbers[5]):
            return np.reshape(numbers, (3, 3)).T  # Open3D, ARKit and Record3D write columns
        if numbers is not None:
            return np.asarray(numbers)
    if all(value is not None for value in scalars.values()):
        fx, fy, cx, cy = (check_number(name, value) for name, value in scalars.items())
        if stated.has(*_FROM_CORNER):
            cx, cy = cx - 0.5, cy - 0.5
        return np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
    if P is not None:
        return np.array([[P[0], 0.0, P[2]], [0.0, P[1], P[3]], [0.0, 0.0, 1.0]])
    names = ", ".join(sorted({path[0] for path in stated.values})) or "none"
    raise expected("camera", "cam_K, or fx, fy, cx and cy", f"keys {names}")


def _pinhole_of(stated: Stated) -> tuple[float, float, float, float] | None:
    """ROS's P; its last column is the baseline of a stereo pair, which no picture shows."""
    numbers = stated.numbers("projectionmatrix", "p")
    if numbers is None or len(numbers) != 12 or not (numbers[0] > 0 and numbers[5] > 0):
        return None
    return numbers[0], numbers[5], numbers[2], numbers[6]


def _distortion_of(stated: Stated, P: tuple[float, float, float, float] | None) -> Distortion | None:
    name = stated.find(*_MODEL)
    family = _family(name, "fisheye" if stated.find("fisheyemodel") else None)
    coefficients = _coefficients(stated, family) or []
    if not any(coefficients) and "fisheye" not in str(family):
        return None
    if family is None or plain_word(str(name)).startswith(("inverse", "modified")):
        if name is not None and plain_word(str(name)) not in _PLAIN:
            raise expected("camera, lens model", f"one of {', '.join(_KNOWN)}", repr(name), CURE)
        family = "opencv"
    if family == "fisheye" and not any(coefficients[4:]):  # RealSense writes 5, COLMAP up to 4
        coefficients = [*coefficients[:4], *[0.0] * (4 - len(coefficients))]
    made = Distortion(tuple(coefficients), family, P, _rotation_of(stated))  # type: ignore[arg-type]
    return made if made.bends and not no_distortion(made) else None


def _coefficients(stated: Stated, family: str | None) -> list[float] | None:
    """The coefficients in the order of their model; None where none are stated."""
    if family == "fov":
        omega = stated.find("omega", "w1")
        numbers = [omega] if omega is not None else stated.numbers(*_COEFFICIENTS)
        return None if numbers is None else [check_number("omega", numbers[0])]
    listed = stated.numbers(*_COEFFICIENTS)
    if listed:
        if family is None and len(listed) == _OF_FISHEYE and any(listed) and stated.only("d"):
            cure = "name the lens model: distortion_model: plumb_bob (k1 k2 p1 p2), or equidistant (of cv2.fisheye)"
            raise expected("camera, D of four", "a lens model that says what they are", "none", cure)
        return listed
    named = {name: value for name in _NAMED if (value := stated.find(name)) is not None}
    if not named:
        return None
    values = {name: check_number(name, _number(value)) for name, value in named.items()}
    if family == "fisheye":
        order = ("k1", "k2", "k3", "k4")
        if any(values.get(name) for name in set(values) - set(order)):
            raise expected("camera, lens", "k1 to k4 of a fisheye lens", ", ".join(sorted(values)), CURE)
        return [values.get(name, 0.0) for name in order]
    count = next(n for n in (4, 5, 8, 12) if not any(values.get(name) for name in _NAMED[n:]))
    if family is None and values.get("k4") and not (values.get("k5") or values.get("k6")):
        cure = "name the lens model: distortion_model: rational_polynomial, or equidistant"
        raise expected("camera, k4", "a lens model that says what it is", "none", cure)
    return [values.get(name, 0.0) for name in _NAMED[:count]]


def _family(name: Any, otherwise: str | None) -> str | None:
    """Which of our models a name means; None for a pinhole and for what is not known."""
    if not isinstance(name, str):
        return otherwise
    word = plain_word(name.rsplit(".", 1)[-1])
    found = next((family for family, words in _FAMILY.items() if word in words), otherwise)
    return found


def _rotation_of(stated: Stated) -> tuple[float, ...] | None:
    numbers = stated.numbers("rectificationmatrix", "r")
    if numbers is None or len(numbers) != 9 or not any(numbers):
        return None
    return tuple(numbers)


def _cam_model(stated: Stated, width: int, height: int) -> Camera | None:
    """BOP's cam_model of HOT3D: FISHEYE624, f cx cy (or fx fy cx cy), k1 to k6, p1 p2, s1 to s4."""
    numbers = stated.numbers("projectionparams")
    if numbers is None:
        return None
    kind = str(stated.find("projectionmodeltype"))
    if "FISHEYE624" not in kind.upper() or len(numbers) not in (15, 16):
        got = f"{kind} with {len(numbers)} numbers"
        raise expected("cam_model", "FISHEYE624 with 15 or 16 projection_params", got, CURE)
    fx, fy, cx, cy = (numbers[0], *numbers[:3]) if len(numbers) == 15 else numbers[:4]
    return Camera(fx, fy, cx, cy, width, height, Distortion(tuple(numbers[-12:]), "fisheye"))


def numbers_of(value: Any) -> list[float] | None:
    """A list of numbers, however it is nested or written; None for something else."""
    if isinstance(value, Mapping):
        value = value.get("data")
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    if not isinstance(value, list | tuple):
        return None
    flat: list[float] = []
    for part in value:
        numbers = numbers_of(part) if isinstance(part, list | tuple) else [_number(part)]
        if numbers is None or any(number is None for number in numbers):
            return None
        flat += numbers  # type: ignore[arg-type]
    return flat


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _pixels(name: str, value: Any) -> int:
    number = _number(value)
    whole = int(number) if number is not None and np.isfinite(number) and number.is_integer() else value
    return check_count(name, whole, expectation="a positive whole number of pixels")
