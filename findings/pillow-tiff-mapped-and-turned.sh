#!/usr/bin/env bash
# pillow 13.0.0: an uncompressed TIFF that is to be shown upright comes sheared, if it is opened by its name.
#
# Cameras held upright write the picture as it lies and a tag, Orientation, that says how to turn it. Pillow turns a TIFF by itself
# when it is loaded. Given a path, it maps uncompressed files of one channel of 8 or 16 bits, and of RGBA, into memory,
# and cuts them into rows whose length is that of the turned picture; then it turns that. Of 640 x 480 pixels of depth in rows
# of 640, rows of 480 are made, and what comes back has again 640 x 480, in place of 480 x 640, with all in another place: a square
# is stripes all over the picture. Numbers, type and their histogram are right, and no word is said. Image.size is 480 x 640
# before the pixels are read. The same file as an open file, with LZW, as RGB, or as 32 bits is right. Fails if any of this
# changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import warnings

import numpy as np
import PIL
from PIL import Image

warnings.simplefilter("error")  # there is none
print("pillow", PIL.__version__)
ORIENTATION = 274
TURNS = {3: 2, 6: -1, 8: 1}  # quarters to the left that the tag asks for
# A near square before a wall, as the sensor has it: 640 x 480.
mm = np.full((480, 640), 1200, np.uint16)
mm[100:200, 120:220] = 800
grey = (mm // 5).astype(np.uint8)
KINDS = {
    "I;16": mm, "L": grey, "RGBA": np.repeat(grey[..., None], 4, axis=2), "RGB": np.repeat(grey[..., None], 3, axis=2),
    "F": mm.astype(np.float32),
}  # fmt: skip
MAPPED = ("I;16", "L", "RGBA")
for mode, pixels in KINDS.items():
    for tag, quarters in TURNS.items():
        right = np.rot90(pixels, quarters)
        for compression in ("raw", "tiff_lzw"):
            Image.fromarray(pixels).save("p.tiff", tiffinfo={ORIENTATION: tag}, compression=compression)
            with Image.open("p.tiff") as image:
                assert image.mode == mode
                before, by_name = image.size, np.asarray(image)
            with open("p.tiff", "rb") as stream, Image.open(stream) as image:
                assert np.array_equal(np.asarray(image), right)
            wrong = mode in MAPPED and compression == "raw" and tag != 3
            assert before == right.shape[1::-1] and np.array_equal(by_name, right) is not wrong
            if wrong:
                rows, columns = np.nonzero((by_name if by_name.ndim == 2 else by_name[..., 0]) == pixels.min())
                print(
                    f"{mode}, tag {tag}: {by_name.shape[1]} x {by_name.shape[0]} in place of {before[0]} x {before[1]}; the"
                    f" square of 100 x 100 is spread over {np.ptp(columns) + 1} x {np.ptp(rows) + 1}"
                )
                assert by_name.shape == pixels.shape and max(np.ptp(rows), np.ptp(columns)) > 300
                assert np.array_equal(np.sort(by_name, axis=None), np.sort(pixels, axis=None))
print("as found: rows are cut before the picture is turned, for the picture after it")
PYTHON
