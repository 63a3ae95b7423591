#!/usr/bin/env bash
# pye57 0.4.19: points of 64 bits are written with 32, so a cloud in map coordinates comes back up to a quarter of a metre off.
#
# E57 is the format of terrestrial scanners, and holds coordinates with 64 bits, with 32, or as scaled whole numbers.
# write_scan_raw takes arrays of float64 as anything in numpy, writes 32 bits without a word, and read_scan_raw and
# read_scan give float64 again, so that nothing in the arrays tells. In coordinates of UTM, as scans are registered in,
# northing steps by 0.5 m, easting by 31 mm: a board of targets that is used to calibrate a camera is a few rows of
# steps. Points about their scanner, with the same place in `translation`, are exact to 0.1 micrometres, and read_scan
# puts them there with 64 bits. There is no argument for it. Fails if this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pye57==0.4.19 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import pye57

print("pye57", version("pye57"))
rng = np.random.default_rng(0)
PLACE = np.array([432_100.0, 5_412_300.0, 251.0])  # easting, northing, height, metres
NAMES = ("cartesianX", "cartesianY", "cartesianZ")
scan = rng.uniform(-2.0, 2.0, (500, 3))


def through(points, place):
    """What comes back of a file, raw and in place."""
    file = pye57.E57("scan.e57", mode="w")
    file.write_scan_raw(dict(zip(NAMES, points.T.copy())), rotation=np.array([1.0, 0.0, 0.0, 0.0]), translation=place)
    file.close()
    file = pye57.E57("scan.e57")
    raw, placed = file.read_scan_raw(0), file.read_scan(0, ignore_missing_fields=True)
    file.close()
    return (np.stack([one[name] for name in NAMES], axis=1) for one in (raw, placed))


for name, points, place in (("about the map", scan + PLACE, np.zeros(3)), ("about the scanner", scan, PLACE)):
    assert points.dtype == np.float64
    raw, placed = through(points, place)
    assert raw.dtype == placed.dtype == np.float64
    assert np.array_equal(raw, points.astype(np.float32))  # just that
    errors = 1e3 * np.abs(placed - (scan + PLACE)).max(axis=0)
    print(f"{name}: off by {errors.round(4).tolist()} mm; {len(np.unique(placed[:, 1]))} northings of {len(points)}")
    if name == "about the map":
        assert 14.0 < errors[0] < 16.0 and 240.0 < errors[1] <= 250.1 and len(np.unique(placed[:, 1])) <= 10
    else:
        assert errors.max() < 0.001
print("as found: 32 bits of 64")
PYTHON
