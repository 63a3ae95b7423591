#!/usr/bin/env bash
# imageio 2.38.1, imageio-ffmpeg 0.8.1, PyAV 18.1.0 and opencv-python-headless 5.0.0.93: frame 50 of a film is not frame 50.
#
# Telephones make fewer frames in poor light, so their films have frames at uneven times, and poses, masks and depth
# are filed by the frame's number. Of a film of 90 frames, 45 at 30 a second and 45 at 10, imageio's FFMPEG plugin (imiter,
# and imread by index) gives 180: frames are repeated to keep a rate; number 50 is what was 46, and number 80 was 56. Its pyav plugin
# gives the 90. cv2.VideoCapture reads the 90 in order; sent to one by CAP_PROP_POS_FRAMES, it gives the frame 11 after it from 67
# on, and nothing from 79 on. Nor is it the same picture: of a film of a telephone held upright, the note to turn it is followed by
# OpenCV and the FFMPEG plugin, and neither by the pyav plugin nor by PyAV's to_ndarray, so that one has 240 x 320 pixels and the
# other 320 x 240, and K fits one of them. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  imageio==2.38.1 imageio-ffmpeg==0.8.1 av==18.1.0 opencv-python-headless==5.0.0.93 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import subprocess
from fractions import Fraction
from importlib.metadata import version

import av
import cv2
import imageio.v3 as iio
import imageio_ffmpeg
import numpy as np

print(*(f"{name} {version(name)}" for name in ("imageio", "imageio-ffmpeg", "av", "opencv-python-headless")), sep=", ")
WIDTH, HEIGHT, FRAMES, TICKS = 320, 240, 90, 90000
STRIPE = 40  # columns for each bit of a frame's number


def drawn(number):
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for bit in range(7):
        picture[:, STRIPE * bit : STRIPE * (bit + 1)] = 255 * (number >> bit & 1)
    return picture


def number_in(picture):
    return sum(int(picture[HEIGHT // 2, STRIPE * bit + STRIPE // 2].mean() > 128) << bit for bit in range(7))


with av.open("uneven.mp4", "w") as file:
    stream = file.add_stream("libx264", rate=30)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    stream.codec_context.time_base = Fraction(1, TICKS)
    time = 0
    for k in range(FRAMES):
        frame = av.VideoFrame.from_ndarray(drawn(k), "rgb24")
        frame.pts, frame.time_base = time, Fraction(1, TICKS)
        time += TICKS // 30 if k < FRAMES // 2 else TICKS // 10
        file.mux(stream.encode(frame))
    file.mux(stream.encode())

ASKED = [10, 50, 80]
for plugin in ("FFMPEG", "pyav"):
    all_of_them = [number_in(one) for one in iio.imiter("uneven.mp4", plugin=plugin)]
    one_by_one = [number_in(iio.imread("uneven.mp4", plugin=plugin, index=k)) for k in ASKED]
    print(f"imageio, {plugin}: {len(all_of_them)} frames; {ASKED} are {[all_of_them[k] for k in ASKED]}, by index {one_by_one}")
    if plugin == "FFMPEG":
        assert len(all_of_them) == 180 and one_by_one == [all_of_them[k] for k in ASKED] == [10, 46, 56]
    else:
        assert all_of_them == list(range(FRAMES)) and one_by_one == ASKED

film = cv2.VideoCapture("uneven.mp4")
in_order = [number_in(film.read()[1]) for _ in range(int(film.get(cv2.CAP_PROP_FRAME_COUNT)))]
sent = []
for k in range(FRAMES):
    film = cv2.VideoCapture("uneven.mp4")
    film.set(cv2.CAP_PROP_POS_FRAMES, k)
    read, picture = film.read()
    sent.append(number_in(picture) if read else None)
missing = [k for k in range(FRAMES) if sent[k] is None]
others = [(k, sent[k]) for k in range(FRAMES) if sent[k] not in (k, None)]
print(f"OpenCV in order: {len(in_order)} frames; sent to each: nothing at {missing}, another at {others}")
assert in_order == list(range(FRAMES)) and len(missing) > 5 and len(others) > 5

command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-display_rotation", "90", "-i", "uneven.mp4", "-c", "copy"]
subprocess.run([*command, "upright.mp4"], check=True)
with av.open("upright.mp4") as file:
    first = next(file.decode(video=0))
shapes = {
    "OpenCV": cv2.VideoCapture("upright.mp4").read()[1].shape,
    "imageio, FFMPEG": iio.imread("upright.mp4", plugin="FFMPEG", index=0).shape,
    "imageio, pyav": iio.imread("upright.mp4", plugin="pyav", index=0).shape,
    "PyAV": first.to_ndarray(format="rgb24").shape,
}
print("a film with a quarter turn noted, rows and columns:", {name: shape[:2] for name, shape in shapes.items()})
assert shapes["OpenCV"][:2] == shapes["imageio, FFMPEG"][:2] == (WIDTH, HEIGHT)
assert shapes["PyAV"][:2] == shapes["imageio, pyav"][:2] == (HEIGHT, WIDTH)
print("as found: number, count and attitude depend on the reader")
PYTHON
