#!/usr/bin/env bash
# webdataset 1.0.2: every way to decode pictures makes 16-bit depth 8 bits, and all beyond 255 mm becomes 255.
#
# BOP's data sets come as WebDataset too, tar files in which an image's rgb.jpg stands beside its depth.png of 16 bits, and .decode
# with "rgb8", "rgb", "pil" or "l8" is how their pictures are read. The word chosen is for all pictures of a sample: depth.png goes
# the same way, is turned into 8 bits and cut off, not scaled: depth of 300, 800 and 6000 comes back as 255, 255 and 255, or
# as 1.0 of float32, and where there is no depth as 0. Nothing is said. What is left is a valid flat wall where anything was
# seen, at a quarter of a metre. The bytes themselves, with no .decode or with a handler of one's own, are whole. Fails if any of
# this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check webdataset==1.0.2 pillow==12.0.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import io
from importlib.metadata import version

import numpy as np
import webdataset
from PIL import Image

print("webdataset", version("webdataset"))
DEPTH = np.array([[0, 100, 254], [300, 800, 6000]], np.uint16)  # mm
file = io.BytesIO()
Image.fromarray(DEPTH).save(file, "PNG")
with webdataset.TarWriter("shard-000000.tar") as shard:
    shard.write({"__key__": "000000", "depth.png": file.getvalue()})


def read(*how):
    samples = webdataset.WebDataset("shard-000000.tar", shardshuffle=False)
    return next(iter(samples.decode(*how) if how else samples))["depth.png"]


def whole(key, data):
    return np.asarray(Image.open(io.BytesIO(data))) if key.endswith("depth.png") else None


for word, largest in (("rgb8", 255), ("rgb", 1.0), ("pil", 255), ("l8", 255), ("l", 1.0)):
    numbers = np.asarray(read(word))
    plane = numbers[..., 0] if numbers.ndim == 3 else numbers
    print(f'decode("{word}"): {numbers.dtype} {plane.tolist()} for {DEPTH.tolist()}')
    assert np.allclose(plane * (255.0 / largest), np.minimum(DEPTH, 255), atol=0.01)
for name, numbers in (("the bytes", np.asarray(Image.open(io.BytesIO(read())))), ("a handler", read(whole, "rgb8"))):
    print(f"{name}: {numbers.dtype} {numbers.tolist()}")
    assert (numbers == DEPTH).all()
print("as found: depth ends at 255")
PYTHON
