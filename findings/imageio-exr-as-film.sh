#!/usr/bin/env bash
# imageio 2.38.1 with PyAV 18.1.0: depth of an EXR file comes as a film's picture, 8 bits with a gamma, and all beyond 1 m as 255.
#
# OpenEXR is what Blender and simulators write float depth to, and imageio lists it as a format that it reads. What reads it
# is a plugin that has to be put in; where that is missing and PyAV is there, for films, imread asks PyAV. That has a
# decoder of EXR, for compositing: the floats are raised to 1 / 2.2 or so, cut off at 1 and made uint8 RGB. Depth of 0.3,
# 0.8, 1.5 and 6 m comes as 71, 220, 255 and 255, with imageio.v3 as one picture of a film (1, H, W, 3), with imageio.v2
# just as (H, W, 3), and with extension=".exr" or format="exr" it is no other. No warning. Divided by 255, it is a smooth
# relief with a flat wall at 1 m. Without PyAV, the same call stops and says what to install. The file is whole: OpenEXR's
# own module gives the floats. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  imageio==2.38.1 OpenEXR==3.5.3 numpy==2.4.6 pillow==13.0.0
cd "$work"
cat > read.py <<'PYTHON'
import sys
import warnings
from importlib.metadata import version

import imageio.v2 as v2
import imageio.v3 as v3
import numpy as np
import OpenEXR

DEPTH = np.repeat(np.repeat(np.array([[0.3, 0.8], [1.5, 6.0]], np.float32), 24, 0), 32, 1)
HEADER = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
with OpenEXR.File(HEADER, {"Y": DEPTH}) as file:
    file.write("depth.exr")
with OpenEXR.File("depth.exr") as file:
    assert np.array_equal(file.channels()["Y"].pixels, DEPTH)

if sys.argv[1] == "without":
    print("imageio", version("imageio"), "without PyAV")
    warnings.simplefilter("ignore")
    for read in (v3.imread, v2.imread):
        try:
            read("depth.exr")
        except Exception as error:  # of which class is not the point
            print(f"  {read.__module__}: {type(error).__name__}: {str(error).splitlines()[0]}")
        else:
            raise AssertionError("read")
else:
    print("imageio", version("imageio"), "with PyAV", version("av"))
    warnings.simplefilter("error")  # there is none
    ways = {
        "v3": v3.imread("depth.exr"),
        "v3, extension": v3.imread("depth.exr", extension=".exr"),
        "v2": v2.imread("depth.exr"),
        "v2, format": v2.imread("depth.exr", format="exr"),
    }
    for name, image in ways.items():
        red = image[..., 0].reshape(DEPTH.shape)
        levels = [int(red[row, column]) for row in (12, 36) for column in (16, 48)]
        print(f"  {name}: {image.dtype} {image.shape}; 0.3, 0.8, 1.5 and 6 m as {levels}")
        assert image.dtype == np.uint8 and image.shape[-3:] == (*DEPTH.shape, 3)
        assert 50 < levels[0] < 200 < levels[1] < 255 and levels[2:] == [255, 255]
    assert ways["v3"].ndim == 4 and ways["v2"].ndim == 3
PYTHON
"$work/venv/bin/python" read.py without
"$work/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0
"$work/venv/bin/python" read.py with
echo "as found: depth is read as a film"
