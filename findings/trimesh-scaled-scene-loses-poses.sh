#!/usr/bin/env bash
# trimesh 5.2.0: a scene that is converted from metres to millimetres has no poses any more.
#
# A scene holds each mesh in its own frame, and a pose for each of its nodes; the ground truth of a picture, or a bin
# of parts, is written as a GLB so. Scene.scaled(1000) and Scene.convert_units("mm") are said to scale "meshes and
# scene transforms". What comes back looks the same, with the same bounds in mm. But the vertices have taken the pose
# of the first node that has them, rotation and place, and that node's pose is the identity: of a scene with a mesh for
# each object, all poses say that it is at the origin and not turned. A second node of the same mesh has its pose
# relative to the first. A part that is taken out as a model has another origin and other axes, and whatever is found
# with it is off by the pose that it lay in, here half a metre. convert_units to the unit that the scene has keeps all,
# so a test in metres is right. Scaling the meshes and the translations oneself is the cure. Fails if any of this
# changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  trimesh==5.2.0 numpy==2.4.6 scipy==1.17.1 networkx==3.6.1
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import trimesh

print("trimesh", version("trimesh"))
part = trimesh.creation.box((0.10, 0.06, 0.04))
first = trimesh.transformations.rotation_matrix(0.5, (0.0, 0.0, 1.0))
second = trimesh.transformations.rotation_matrix(-0.8, (1.0, 0.0, 0.0))
first[:3, 3], second[:3, 3] = (0.3, 0.2, 0.1), (-0.3, 0.0, 0.5)
TO_MM = np.diag([1000.0, 1000.0, 1000.0, 1.0])


def poses_of(scene):
    return [scene.graph[name][0] for name in ("one", "two")]


def in_mm(pose):
    return TO_MM @ pose @ np.linalg.inv(TO_MM)


for shared in (False, True):
    scene = trimesh.Scene()
    scene.add_geometry(part, node_name="one", geom_name="part", transform=first)
    if shared:
        scene.graph.update("two", matrix=second, geometry="part")
    else:
        scene.add_geometry(part, node_name="two", geom_name="other", transform=second)
    scene.units = "m"
    assert len(scene.geometry) == 2 - shared and np.allclose(poses_of(scene), (first, second))
    assert np.allclose(poses_of(scene.convert_units("m")), (first, second))
    print("two nodes of one mesh" if shared else "two nodes, each with its mesh")
    for name, scaled in (("scaled(1000)", scene.scaled(1000.0)), ('convert_units("mm")', scene.convert_units("mm"))):
        assert np.allclose(scaled.bounds, 1000.0 * scene.bounds)
        found = poses_of(scaled)
        places = [(pose[:3, 3].round(1) + 0.0).tolist() for pose in found]
        middles = [np.linalg.norm(mesh.bounds.mean(axis=0)) for mesh in scaled.geometry.values()]
        print(f"  {name}: poses at {places} mm; meshes {np.round(middles)} mm from their origins")
        expected = in_mm(second @ np.linalg.inv(first)) if shared else np.eye(4)
        assert np.allclose(found, (np.eye(4), expected), atol=1e-6)
        for mesh, pose in zip(scaled.geometry.values(), (first, second), strict=False):
            assert np.allclose(mesh.vertices, 1000.0 * trimesh.transform_points(part.vertices, pose))
print("as found: the poses went into the vertices")
PYTHON
