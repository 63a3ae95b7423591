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
    (r"--init-kind (m2c-opengl|c2m-opengl|c2m)", r"it as \1"),
    (r"less exact than --extrinsics-sigma says", "less exact than sigma says"),
    (r"with --extrinsics-sigma its place is refined", "with sigma its place is refined"),
    (r"mask=FILE, label=N, box=X:Y:WIDTH:HEIGHT or init=FILE after its mesh",
     "mask_id with a mask, the part mask.VIEW.OBJECT, box or start"),
    (r"give --rgb or --depth, whose size it then has", "send rgb or depth, whose size it then has"),
    (r"--init\b(?!-)", "start"),
    (r"\bView with sigma\b", "view with sigma"),
    (r"; see --mask-id\b", ""),
    (r"\bobservation: expected a mask that says where the object is, or depth",
     "pictures: expected mask, which says where the object is, or depth"),
    (r"\bobject (\d+) \(([^)]*)\): expected", r"objects[\1] (\2): expected"),
    (r"\bmasks\[\(?(\d+), (\d+)\)?\]", r"mask.\1.\2"),
    (r"\bview (\d+): (?=\w+: expected)", r"views[\1], "),
)  # fmt: skip
_OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)")


def in_keys(message: str) -> str:
    """A message of the library, or of the command line, as the service says it."""
    message = in_options(message)
    for pattern, words in _WORDS:
        message = re.sub(pattern, words, message)
    return _OPTION.sub(lambda match: match[1].replace("-", "_"), message)
