"""The library's messages in the words of a request: its keys and parts, and millimetres."""

from __future__ import annotations

import re

from diffdope.io.wording import in_options

# What the command line says of its options, and what is meant in a request; in this order.
_WORDS = (
    (r"give --preset default or fast", "register the mesh with preset default or fast"),
    (r"give --mask-inverted yes(?: \(inverted=True\))?, or no if it is right",
     "mask_inverted says true, or false if it is right"),
    (r"(?:with |give )?--unit (\w+)", r"register the mesh with unit \1"),
    (r"--init-unit or --depth-scale wrong", "the unit of the start or depth_scale wrong"),
    (r"is read with --init-kind m2c-opengl, or its translation is negated",
     "is sent with its second and third row negated, or its translation"),
    (r"--init-kind c2m-opengl", "send its inverse, with the second and third row negated"),
    (r"--init-kind m2c-opengl", "send it with its second and third row negated"),
    (r"--init-kind c2m", "send its inverse"),
    (r"(\(all of them camera to world\?) --extrinsics-kind c2w\)", r"\1)"),
    (r"\(--extrinsics-kind c2w\)", "(send the inverse of each)"),
    (r"\(--extrinsics-kind w2c-opengl\)", "(send each with its second and third row negated)"),
    (r"\(--extrinsics-kind c2w-opengl\)", "(send the inverse of each, with its second and third row negated)"),
    (r"less exact than --extrinsics-sigma says", "less exact than sigma says"),
    (r"with --extrinsics-sigma its place is refined", "with sigma its place is refined"),
    (r"mask=FILE, label=N, box=X:Y:WIDTH:HEIGHT or init=FILE after its mesh",
     "mask_id with a mask, the part mask.VIEW.OBJECT, box or start"),
    (r"give --rgb or --depth, whose size it then has", "send rgb or depth, whose size it then has"),
    (r"\bpose: expected a start pose for the first frame", "start: expected a pose for the first frame"),
    (r"give --init, the pose in the first frame, or a mask or box in it \(--mask, --box\)",
     "send start or mask with it"),
    (r"\s*give the pose in the first frame \(--init\)", " send start with the first frame"),
    (r"--init\b(?!-)", "start"),
    (r'give Refiner\(mesh, preset="fast"\)', "register the mesh with preset fast"),
    (r"for the observation has", "for the request has"),
    (r"\bcamera file camera\.json(?=:)", "camera"),
    (r"^camera: camera: ", "camera: "),
    (r"as in the camera file", "as camera says"),
    (r"in camera\.json or --depth-scale", "in camera or beside it"),
    (r"give --camera-size (\d+)x(\d+)", r"give camera_size [\1, \2]"),
    (r", which converts K, or correct the file", ", which converts K, or another K"),
    (r"16-bit PNG, or float metres in \.npy, \.tiff or \.exr", "a PNG of 16 bits"),
    (r"\b(depth|mask) \1(?=: )", r"\1"),
    (r" \((?:mask)(?:[.\d]*)\)$", ""),
    (r"unit='?([\w.-]+)'?", r"unit \1"),
    (r"\bT_m2c: expected last row", "start: expected the last row"),
    (r"\bView with sigma\b", "view with sigma"),
    (r"; see --mask-id\b", ""),
    (r"\bobservation: expected a mask that says where the object is, or depth",
     "pictures: expected mask, which says where the object is, or depth"),
    (r"\bobject (\d+) \(([^)]*)\): expected", r"objects[\1] (\2): expected"),
    (r"\bmasks\[\(?(\d+), (\d+)\)?\]", r"mask.\1.\2"),
    (r"\bview (\d+): (?=\w+: expected)", r"views[\1], "),
)  # fmt: skip
# What Python says of values, and JSON's words for it.
_VALUES = (
    (r"got NoneType\b", "got null"),
    (r"got str(; it holds <U\d+)?(?=$|[;,])", "got a text"),
    (r"got (list|tuple)(?=$|[;,])", "got a list"),
    (r"got dict\b", "got an object"),
    (r"got (int|float)(?=$|[;,])", "got a number"),
    (r"got bool\b", "got true or false"),
    (r"; it holds <U\d+", " with texts in it"),
    (r"; setting an array element with a sequence\..*", " of lists of different lengths"),
    (r"expected an array of numbers", "expected numbers"),
    (r"expected a str\b", "expected a text"),
    (r"expected a bool\b", "expected true or false"),
    (r"Exceeds the limit .*", "a number of too many digits"),
    (r"maximum recursion depth exceeded.*", "one that is nested too deep"),
    (r"Out of range float values are not JSON compliant", "one that is infinite"),
)
_OPTION = re.compile(r"--([a-z]+(?:[.-][a-z]+)*)")


def in_keys(message: str) -> str:
    """A message of the library, or of the command line, as the service says it."""
    message = in_options(message)
    for pattern, words in (*_WORDS, *_VALUES):
        message = re.sub(pattern, words, message)
    return _OPTION.sub(lambda match: match[1].replace("-", "_"), message)
