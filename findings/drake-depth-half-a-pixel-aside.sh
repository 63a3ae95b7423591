#!/usr/bin/env bash
# drake 1.51.1: a rendered depth image is half a pixel aside of its own camera, and so are the points made of it.
#
# CameraInfo(width, height, fov_y) has its principal point at (W - 1) / 2, (H - 1) / 2, and is documented as OpenCV's
# model: the middle of the first pixel is (0, 0). RenderEngineVtk draws with K as if it were (0.5, 0.5): what is at the
# pixel (u, v) by K is drawn at (u - 0.5, v - 0.5). With the principal point that Drake chose itself, the picture is
# therefore not symmetrical about the axis. DepthImageToPointCloud, of the same library and with the same CameraInfo,
# counts from (0, 0): of a ball at 1.5 m, seen with f = 104 pixels, the points lie 7 mm to the left and 7 mm above, all
# to one side; with f = 600 it is 1.3 mm. Poses that are fitted to such pictures have it for a bias. A camera that is
# given cx + 0.5 and cy + 0.5 draws what K says, and the points then need the K without. Drawn by the system's OpenGL,
# here Mesa's without a graphics card. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check drake==1.51.1 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import pydrake.all as drake

print("drake", version("drake"))
WIDTH, HEIGHT = 160, 120
BALL, RADIUS, WALL = np.array([0.15, 0.10, 1.5]), 0.1, 2.0
graph = drake.SceneGraph()
graph.AddRenderer("vtk", drake.MakeRenderEngineVtk(drake.RenderEngineVtkParams()))
source = graph.RegisterSource("scene")
for name, place, shape in (
    ("ball", BALL, drake.Sphere(RADIUS)),
    ("wall", (0.0, 0.0, WALL + 0.05), drake.Box(9.0, 9.0, 0.1)),
):
    geometry = drake.GeometryInstance(drake.RigidTransform(place), shape, name)
    properties = drake.PerceptionProperties()
    properties.AddProperty("label", "id", drake.RenderLabel(1))
    geometry.set_perception_properties(properties)
    graph.RegisterAnchoredGeometry(source, geometry)


def drawn(info):
    """Depth in metres, from the world's origin."""
    core = drake.RenderCameraCore("vtk", info, drake.ClippingRange(0.05, 10.0), drake.RigidTransform())
    camera = drake.DepthRenderCamera(core, drake.DepthRange(0.1, 5.0))
    query = graph.get_query_output_port().Eval(graph.CreateDefaultContext())
    return query.RenderDepthImage(camera, graph.world_frame_id(), drake.RigidTransform())


def expected(K, middle):
    """Depth of ball and wall where the middle of the first pixel is at (middle, middle)."""
    columns, rows = np.meshgrid(np.arange(WIDTH) + middle, np.arange(HEIGHT) + middle)
    rays = np.dstack([(columns - K[0, 2]) / K[0, 0], (rows - K[1, 2]) / K[1, 1], np.ones_like(columns)])
    along, square = rays @ BALL, np.sum(rays**2, axis=2)
    root = along**2 - square * (BALL @ BALL - RADIUS**2)
    return np.where(root > 0.0, (along - np.sqrt(np.maximum(root, 0.0))) / square, WALL)


for name, info in (
    ("fov_y", drake.CameraInfo(WIDTH, HEIGHT, np.pi / 3.0)),
    ("K", drake.CameraInfo(WIDTH, HEIGHT, 150.0, 150.0, 70.0, 65.0)),
):
    K, image = info.intrinsic_matrix(), drawn(info)
    depth = np.array(image.data)[..., 0]
    errors = {}
    for middle in (0.0, 0.5):
        truth = expected(K, middle)
        both = (truth < 1.55) & (depth < 1.55)  # not the rim
        errors[middle] = 1e3 * np.abs(truth - depth)[both].mean(), int(np.sum((truth < 1.9) != (depth < 1.9)))
    print(f"{name}, cx {K[0, 2]}: how much the ball's depth and mask are off, by the first pixel's middle:")
    for middle, (mean, wrong) in errors.items():
        print(f"  ({middle}, {middle}): {mean:.2f} mm, {wrong} pixels")
    assert errors[0.0][0] > 2.0 and errors[0.0][1] > 10 and errors[0.5][0] < 0.5 and errors[0.5][1] <= 3

    converter = drake.DepthImageToPointCloud(info)
    context = converter.CreateDefaultContext()
    converter.depth_image_input_port().FixValue(context, image)
    points = np.array(converter.point_cloud_output_port().Eval(context).xyzs()).T
    near = points[points[:, 2] < 1.55].astype(float)
    # The ball through the points: |p|^2 = 2 c p + (r^2 - |c|^2).
    system = np.column_stack([2.0 * near, np.ones(len(near))])
    middle = np.linalg.lstsq(system, np.sum(near**2, axis=1), rcond=None)[0][:3]
    off = 1e3 * (middle - BALL)
    half = 500.0 * BALL[2] / K[0, 0]
    print(f"  the ball of the point cloud is {off.round(1).tolist()} mm off; half a pixel is {half:.1f}")
    assert np.allclose(off[:2], -half, rtol=0.2) and abs(off[2]) < 1.0
print("as found: the camera draws half a pixel aside of its K")
PYTHON
