#!/usr/bin/env bash
# Pillow 10.2.0 and 10.3.0: the array of a 16-bit PNG is int32 with the one and uint16 with the other, so that differences of depth wrap.
#
# Up to 10.2.0 a grey PNG of 16 bits opens as mode I, and numpy.asarray makes it int32: 500 - 1200 is -700. From 10.3.0
# on (12.0.0 looked at) it opens as mode I;16, and the array is uint16: 500 - 1200 is 64836, without an error, and
# numpy.abs changes nothing of it. Of a rendered depth 2 mm before the measured one, a script that compares two depth
# images, as benchmarks and refiners do, gets 65.5 m, and its mean, with as many pixels before as behind, is 32.8 m. The
# median of small errors of both signs is wrong as well. TIFF of 16 bits had no sign before. Fails if any of this
# changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >differences.py <<'PYTHON'
import sys

import numpy as np
from PIL import Image, __version__

measured = np.full((40, 50), 800, np.uint16)
rendered = measured.copy()
rendered[:, ::2] -= 2
rendered[:, 1::2] += 2
arrays = []
for name, depth in (("measured", measured), ("rendered", rendered)):
    Image.fromarray(depth).save(f"{name}.png")
    with Image.open(f"{name}.png") as image:
        mode, array = image.mode, np.asarray(image)
    arrays.append(array)
off = np.abs(arrays[1] - arrays[0])
print(f"Pillow {__version__}: {mode}, {arrays[0].dtype}; two millimetres off in turn: mean {off.mean():.0f}, most {off.max()}")
Image.fromarray(measured).save("measured.tiff")
with Image.open("measured.tiff") as image:
    assert np.asarray(image).dtype == np.uint16
if sys.argv[1] == "signed":
    assert (mode, arrays[0].dtype, off.mean(), off.max()) == ("I", np.int32, 2.0, 2)
else:
    assert (mode, arrays[0].dtype, off.mean(), off.max()) == ("I;16", np.uint16, 32768.0, 65534)
PYTHON
for case in 10.2.0:signed 10.3.0:unsigned 12.0.0:unsigned; do
  "${PYTHON:-python3}" -m venv "$work/${case%:*}"
  "$work/${case%:*}/bin/pip" install --quiet --disable-pip-version-check "pillow==${case%:*}" numpy==2.4.6
  "$work/${case%:*}/bin/python" differences.py "${case#*:}"
done
echo "as found: depth lost its sign"
