#!/usr/bin/env bash
# bpy (Blender) 5.0.1, trimesh 5.2.0 and assimp-py 1.1.0: one object, exported to five formats, is in three frames.
#
# A model for poses is exported from Blender as it comes. STL and PLY keep Blender's axes, z up. OBJ, GLB and FBX of the
# same menu are turned by -90 degrees about x, y up; of OBJ and PLY, the two that hold models for the field, nothing in
# the file says so. FBX moreover counts centimetres: 0.1 x 0.3 x 0.2 m come as 10 x 30 x 20 by Assimp, with which many
# programs read FBX. So a pose that was found with the OBJ is a quarter turn off for the PLY of the same object, and an
# object that is not at the world's origin lies elsewhere: its place is in the file too. Blender reads all five back in
# one place, so going there and back hides it. forward_axis="Y", up_axis="Z" of obj_export, and their likes, are the
# cure; of GLB there is no other frame. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  bpy==5.0.1 trimesh==5.2.0 assimp-py==1.1.0 pillow==13.0.0
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import assimp_py
import bpy
import numpy as np
import trimesh

print(*(f"{name} {version(name)}" for name in ("bpy", "trimesh", "assimp-py")), sep=", ")
SIZE, PLACE = np.array([0.1, 0.2, 0.3]), np.array([1.0, 2.0, 3.0])  # of a box, in metres, z up
TO_Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
EXPORTS = {
    "stl": bpy.ops.wm.stl_export,
    "ply": bpy.ops.wm.ply_export,
    "obj": bpy.ops.wm.obj_export,
    "glb": bpy.ops.export_scene.gltf,
    "fbx": bpy.ops.export_scene.fbx,
}
IMPORTS = {
    "stl": bpy.ops.wm.stl_import,
    "ply": bpy.ops.wm.ply_import,
    "obj": bpy.ops.wm.obj_import,
    "glb": bpy.ops.import_scene.gltf,
    "fbx": bpy.ops.import_scene.fbx,
}


def box_of(vertices):
    """Middle and size."""
    lower, upper = np.min(vertices, axis=0), np.max(vertices, axis=0)
    return (lower + upper) / 2.0, upper - lower


def read(kind):
    """The vertices in the frame of the file."""
    if kind != "fbx":
        return trimesh.load_scene(f"part.{kind}").to_geometry().vertices
    flags = assimp_py.Process_Triangulate | assimp_py.Process_PreTransformVertices
    scene = assimp_py.import_file("part.fbx", flags)
    return np.vstack([np.reshape(mesh.vertices, (-1, 3)) for mesh in scene.meshes])


bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.mesh.primitive_cube_add(size=1.0)
part = bpy.context.object
part.scale = SIZE
bpy.ops.object.transform_apply(scale=True)
part.location = PLACE
bpy.context.view_layer.update()
for kind, export in EXPORTS.items():
    export(filepath=f"part.{kind}")

for kind, load in IMPORTS.items():
    middle, size = box_of(read(kind))
    print(f"{kind}: {size.round(3).tolist()} at {middle.round(3).tolist()}")
    axes = np.eye(3) if kind in ("stl", "ply") else TO_Y_UP
    unit = 100.0 if kind == "fbx" else 1.0
    assert np.allclose(middle, unit * axes @ PLACE, rtol=1e-4) and np.allclose(size, unit * abs(axes @ SIZE), rtol=1e-4)

    bpy.ops.wm.read_factory_settings(use_empty=True)
    load(filepath=f"part.{kind}")
    bpy.context.view_layer.update()
    back = next(item for item in bpy.context.scene.objects if item.type == "MESH")
    middle, size = box_of([back.matrix_world @ vertex.co for vertex in back.data.vertices])
    assert np.allclose(middle, PLACE, atol=1e-4) and np.allclose(size, SIZE, atol=1e-4)
print("as found: three frames, and one again in Blender")
PYTHON
