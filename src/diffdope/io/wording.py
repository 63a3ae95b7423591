"""The library's messages in the words of the command line: its options, and millimetres."""

from __future__ import annotations

import re
from collections.abc import Callable

# What the library says of Python, and what is meant on the command line; in this order.
_WORDS: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"depth_scale is METRES per unit, ([\d.e-]+) for (?:millimetres|centimetres|tenths of a millimetre)",
     lambda match: f"--depth-scale is millimetres per unit: {1e3 * float(match[1]):g} for those"),
    (r"depth_scale is METRES per unit, and none is needed for float metres",
     "--depth-scale is millimetres per unit, and none is needed for float metres"),
    (r"give depth_scale, metres per unit: 0\.001 where the file holds millimetres",
     "give --depth-scale, millimetres per unit: 1 where the file holds millimetres"),
    (r'load it with unit="(\w+)"', r"give --unit \1"),
    (r"\(unit=0\.25\)", "(--unit 0.25)"),
    (r"must be converted with Pose\.from_opengl", "is read with --init-kind m2c-opengl"),
    (r"as Pose\.from_opengl does", "before they are written"),
    (r"choose one by read_mask\(\.\.\., label=\) or --mask-id", "choose one by --mask-id"),
    (r" \((?:camera_size|camera_id|image_id|inverted)=\w*\)", ""),
    (r"resize them, or use camera\.resize", "resize them, or give --camera-size"),
    (r"pass width and height", "give --rgb or --depth, whose size it then has"),
    (r"drop the alpha channel: rgb\[\.\.\., :3\]", "save it without the alpha channel"),
    (r"take one channel: (\w+)\[\.\.\., 0\]", r"save \1 as one channel"),
    (r"\(a true off-centre crop: build Camera\(fx, fy, cx, cy, width, height\)\)",
     "(of a crop whose top-left pixel was (x0, y0), subtract it from cx and cy)"),
    (r"less exact than it was said to be \(View's sigma\)", "less exact than --extrinsics-sigma says"),
    (r"\(all of them T_c2w: camera to world\?\)", "(all of them camera to world? --extrinsics-kind c2w)"),
    (r"\(Pose\.from_opengl\(T_w2c\)\)", "(--extrinsics-kind w2c-opengl)"),
    (r"\(Pose\.from_opengl\(T_w2c\.inverse\(\)\)\)", "(--extrinsics-kind c2w-opengl)"),
    (r"\(T_w2c\.inverse\(\)\)", "(--extrinsics-kind c2w)"),
    (r"a View with sigma has its place refined", "with --extrinsics-sigma its place is refined"),
    (r"say how far off it may be \(target_sigma\)", "say how far off it may be by --target-sigma"),
    (r"allow more iterations \(.*?\)",
     "allow more by --search.near.iterations and --search.far.iterations (of preset paper --descent.iterations)"),
    (r"use default or fast", "give --preset default or fast"),
    (r"masks=\{\(view, object\): mask\}, or starts=.*",
     "mask=FILE, label=N, box=X:Y:WIDTH:HEIGHT or init=FILE after its mesh"),
    (r"locate with default or fast", "give --preset default or fast"),
    (r"give the pose in the first frame, track\(observation, pose=\.\.\.\), or a mask or box in it",
     "give --init, the pose in the first frame, or a mask or box in it (--mask, --box)"),
    (r"\(Pose\.from_opengl\(pose\.inverse\(\)\)\)", "(--init-kind c2m-opengl)"),
    (r"\(pose\.inverse\(\)\)", "(--init-kind c2m)"),
    (r"\(Pose\.from_opengl\(pose\)\)", "(--init-kind m2c-opengl)"),
    (r"the unit of the start wrong \(Pose takes metres\), or depth_scale", "--init-unit or --depth-scale wrong"),
    (r"is depth_scale (.*?) too (large|small)", r"is --depth-scale \1 too \2"),
    (r"allow_missing_texture=True", "--allow-missing-texture"),
    (r"with depth_scale ([\d.e+-]+)", lambda match: f"with --depth-scale {1e3 * float(match[1]):g}"),
)  # fmt: skip
_SETTING = re.compile(r"(?<![\w./'\"-])(?:objective|descent|crop|search)(?:\.[a-z_]+)+\b(?![./]\w)")
# Of files that may have such a name.
_ENDINGS = frozenset({"csv", "glb", "jpg", "json", "npy", "npz", "obj", "ply", "png", "stl", "txt", "yaml", "yml"})
_METRES = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?(?:e[+-]?\d+)?) m(?=[\s;,.]|$)")
_RANGE = re.compile(r"(\d+(?:\.\d+)?) to (\d+(?:\.\d+)?) m(?=[\s;,.]|$)")


def in_options(message: str) -> str:
    """A message of the library as the command line says it."""
    for pattern, words in _WORDS:
        message = re.sub(pattern, words, message)
    message = _SETTING.sub(lambda m: _option(m[0]), message)
    message = _RANGE.sub(lambda m: f"{1e3 * float(m[1]):g} to {1e3 * float(m[2]):g} mm", message)
    return _METRES.sub(lambda m: f"{1e3 * float(m[1]):.4g} mm", message)


def _option(setting: str) -> str:
    """The option of a setting, such as search.confidence.odds; a file's name as it is."""
    return setting if setting.rpartition(".")[2] in _ENDINGS else "--" + setting.replace("_", "-")
