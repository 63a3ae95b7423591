#!/usr/bin/env bash
# viser 1.1.1: what its defaults do, with no warning.
#
# A server listens on all interfaces, without a password. A port that is taken becomes the next free one; only get_port()
# tells. verbose=False prints a banner and a farewell all the same. Points of a cloud are halved in precision: at one metre
# they are rounded to half a millimetre or a whole one, more than a depth camera's noise. Fails if any of this changes.
#
# In a browser, there are two more (seen with chromium 150; not checked here): in a panel that is docked
# (gui.main_panel.dock_right()), images of gui.add_image that were added before the browser came are asked for twice, the
# second time after their URL was revoked (ERR_FILE_NOT_FOUND in the console); and arrow keys on a slider that has the
# focus also turn the camera of the scene.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check viser==1.1.1 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import contextlib
import inspect
import io
import socket
from importlib.metadata import version

import numpy as np
import viser

print("viser", version("viser"))
host = inspect.signature(viser.ViserServer).parameters["host"].default
print("default host:", host)
assert host == "0.0.0.0"

with socket.socket() as taken:
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    port = taken.getsockname()[1]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        server = viser.ViserServer(host="127.0.0.1", port=port, verbose=False)
    got = server.get_port()
    print(f"port {port} is taken; asked for it, the server took {got}; with verbose=False it printed {len(said.getvalue())} letters")
    assert got != port and said.getvalue()

    points = np.array([[0.0, 0.0, 1.0004], [0.0, 0.0, 0.7003]], np.float32)
    cloud = server.scene.add_point_cloud("/points", points, (255, 0, 0))
    off = 1e3 * np.abs(np.asarray(cloud.points, np.float64) - points).max(axis=1)
    print(f"points at {points[:, 2].tolist()} m are kept as {cloud.points.dtype}: {off[0]:.2f} and {off[1]:.2f} mm off")
    assert cloud.points.dtype == np.float16 and off.max() > 0.2
    exact = server.scene.add_point_cloud("/exact", points, (255, 0, 0), precision="float32")
    assert np.array_equal(exact.points, points)
    with contextlib.redirect_stdout(io.StringIO()):
        server.stop()
PYTHON
