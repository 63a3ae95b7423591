#!/usr/bin/env bash
# open3d-cpu 0.20.0: depth that is cast with a camera comes back half a pixel off when its points are made with it.
#
# RaycastingScene.create_rays_pinhole sends the ray of pixel (u, v) through (u + 0.5, v + 0.5): the middle of the first
# pixel is (0.5, 0.5). PointCloud.create_from_depth_image and project_to_depth_image, of the same library and given the same
# intrinsic matrix, have it at (0, 0), as OpenCV has. Points of a depth image that was cast are therefore aside of the mesh
# by half a pixel, here 0.83 mm at 1 m with a focal length of 600: a plane that is seen at 50 degrees is off by 0.6 mm
# everywhere, on one side, and not as noise. Points need a matrix whose centres are 0.5 less. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check open3d-cpu==0.20.0 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import numpy as np
import open3d as o3d

print("open3d", o3d.__version__)
WIDTH, HEIGHT = 640, 480
K = np.array([[600.0, 0.0, 319.5], [0.0, 600.0, 239.5], [0.0, 0.0, 1.0]])
slant = np.radians(50.0)
R = np.array([[np.cos(slant), 0.0, np.sin(slant)], [0.0, 1.0, 0.0], [-np.sin(slant), 0.0, np.cos(slant)]])
middle = np.array([0.0, 0.0, 1.0])
plate = (0.3 * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) @ R.T + middle).astype(np.float32)
scene = o3d.t.geometry.RaycastingScene()
scene.add_triangles(o3d.core.Tensor(plate), o3d.core.Tensor(np.array([[0, 1, 2], [0, 2, 3]], np.uint32)))


def tensor(array):
    return o3d.core.Tensor(np.ascontiguousarray(array))


def cast(K):
    """Depth in m of the plate with an intrinsic matrix, 0 beside it, and the direction of the first pixel's ray."""
    rays = scene.create_rays_pinhole(tensor(K), tensor(np.eye(4)), WIDTH, HEIGHT)
    depth = scene.cast_rays(rays)["t_hit"].numpy()
    return np.where(np.isfinite(depth), depth, 0.0).astype(np.float32), rays.numpy()[0, 0, 3:]


def off(points):
    """Signed distances in mm of points from the plate's plane."""
    return 1e3 * (points - middle) @ R[:, 2]


depth, first = cast(K)
print(f"the first pixel's ray goes through {(first[:2] / first[2] * 600.0 + K[:2, 2]).round(3).tolist()}")
assert np.allclose(first[:2] / first[2] * 600.0 + K[:2, 2], 0.5, atol=1e-3)

more = {"depth_scale": 1.0, "depth_max": 10.0}
image = o3d.t.geometry.Image(tensor(depth[..., None]))
cloud = o3d.t.geometry.PointCloud.create_from_depth_image(image, tensor(K), **more)
camera = o3d.camera.PinholeCameraIntrinsic(WIDTH, HEIGHT, K)
legacy = o3d.geometry.PointCloud.create_from_depth_image(o3d.geometry.Image(depth), camera, depth_scale=1.0, depth_trunc=10.0)
moved = K - [[0.0, 0.0, 0.5], [0.0, 0.0, 0.5], [0.0, 0.0, 0.0]]
right = o3d.t.geometry.PointCloud.create_from_depth_image(image, tensor(moved), **more)
ways = {
    "tensor, the same matrix": cloud.point.positions.numpy(),
    "legacy, the same matrix": np.asarray(legacy.points),
    "tensor, centres less 0.5": right.point.positions.numpy(),
}
found = {name: off(points) for name, points in ways.items()}
for name, each in found.items():
    print(f"points from the plane, {name}: {each.min():+.3f} to {each.max():+.3f} mm")
again = cloud.project_to_depth_image(WIDTH, HEIGHT, tensor(K), **more).as_tensor().numpy()[..., 0]
print(f"the cloud's own projection differs from the depth by {np.abs(again - depth).max():.1e} m")
for name in list(ways)[:2]:
    assert 0.5 < abs(found[name].mean()) < 0.8 and np.ptp(np.sign(found[name])) == 0, name
assert np.abs(found["tensor, centres less 0.5"]).max() < 0.01
assert np.abs(again - depth).max() < 1e-5
print("as found: casting and back-projecting differ by half a pixel")
PYTHON
