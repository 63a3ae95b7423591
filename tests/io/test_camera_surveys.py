"""Camera files of Metashape and ZED."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.io.cameras import load_camera
from tests.oracle.files import written

CALIBRATION = """<calibration type="frame" class="adjusted"><resolution width="2256" height="1504"/>
<f>1940.5</f><cx>13.25</cx><cy>9.5</cy><b1>2.5</b1>
<k1>-0.1</k1><k2>0.2</k2><k3>-0.05</k3><p1>0.002</p1><p2>0.0005</p2>{more}</calibration>"""
SENSOR = '<sensor id="{number}" type="frame"><calibration class="initial"><f>1</f></calibration>{one}</sensor>'
DOCUMENT = '<?xml version="1.0"?>\n<document version="1.5.0"><chunk><sensors>{sensors}</sensors></chunk></document>'
ZED = """[LEFT_CAM_HD]
fx=699.5
fy=698.5
cx=642.25
cy=362.75
k1=-0.17
k2=0.03
p1=0.001
p2=-0.002
k3=0.005

[RIGHT_CAM_HD]
fx=701
fy=702
cx=630
cy=350
k1=-0.16
k2=0.02

[LEFT_CAM_2K]
fx=1399
fy=1397
cx=1115
cy=640
k1=-0.17
k2=0.03

[STEREO]
Baseline=120.0
CV_HD=0.004
"""


def distorted(x: float, y: float, k: tuple[float, float, float], p: tuple[float, float]) -> tuple[float, float]:
    """Metashape's formulas, with its p1 and p2."""
    r2 = x * x + y * y
    radial = 1 + k[0] * r2 + k[1] * r2**2 + k[2] * r2**3
    return (
        x * radial + p[0] * (r2 + 2 * x * x) + 2 * p[1] * x * y,
        y * radial + p[1] * (r2 + 2 * y * y) + 2 * p[0] * x * y,
    )


@pytest.mark.parametrize("alone", [True, False])
def test_metashape(tmp_path: Path, alone: bool) -> None:
    one = CALIBRATION.format(more="")
    text = one if alone else DOCUMENT.format(sensors=SENSOR.format(number=0, one=one))
    camera, _ = load_camera(written(tmp_path / "cameras.xml", text))
    assert (camera.width, camera.height) == (2256, 1504)
    assert camera.distortion is not None
    x, y = 0.3, -0.2
    xd, yd = distorted(x, y, (-0.1, 0.2, -0.05), (0.002, 0.0005))
    # From the corner of the first pixel, whose middle is 0 here.
    u, v = 2256 / 2 + 13.25 + xd * (1940.5 + 2.5) - 0.5, 1504 / 2 + 9.5 + yd * 1940.5 - 0.5
    lens = np.ravel(camera.distortion.distort(np.array([x]), np.array([y])))
    assert [camera.fx * lens[0] + camera.cx, camera.fy * lens[1] + camera.cy] == pytest.approx([u, v])


def test_of_several_sensors_one_is_chosen(tmp_path: Path) -> None:
    sensors = [
        SENSOR.format(number=k, one=CALIBRATION.format(more="").replace("1940.5", f"{1000 + k}")) for k in (0, 3)
    ]
    path = written(tmp_path / "cameras.xml", DOCUMENT.format(sensors="".join(sensors)))
    with pytest.raises(DiffDopeError, match="camera_id"):
        load_camera(path)
    assert load_camera(path, camera_id=3)[0].fy == 1003.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CALIBRATION.format(more="<b2>1.5</b2>"), "skew"), (CALIBRATION.format(more="<k4>0.1</k4>"), "k4"),
        (CALIBRATION.format(more="").replace("frame", "fisheye"), "frame camera"),
        (CALIBRATION.format(more="").replace("<f>1940.5</f>", "<fx>1940.5</fx>"), "no f"),
        (DOCUMENT.format(sensors=""), "a sensor with a calibration"),
    ],
)  # fmt: skip
def test_what_opencvs_model_has_not_is_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DiffDopeError, match=said):
        load_camera(written(tmp_path / "camera.xml", text))


def test_zed(tmp_path: Path) -> None:
    path = written(tmp_path / "SN21531.conf", ZED)
    with pytest.raises(DiffDopeError, match="LEFT_CAM_HD, camera 0, RIGHT_CAM_HD, camera 1"):
        load_camera(path)
    left, _ = load_camera(path, camera_id=0)
    assert (left.fx, left.fy, left.cx, left.cy, left.width, left.height) == (699.5, 698.5, 642.25, 362.75, 1280, 720)
    assert left.distortion is not None
    assert list(left.distortion.coefficients)[:5] == [-0.17, 0.03, 0.001, -0.002, 0.005]
    assert load_camera(path, camera_id=2)[0].width == 2208


def test_a_picture_of_another_size_is_told(tmp_path: Path) -> None:
    with pytest.raises(DiffDopeError, match="1280"):
        load_camera(written(tmp_path / "SN1.conf", ZED), camera_id=0, width=640, height=480)
