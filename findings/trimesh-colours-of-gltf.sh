#!/usr/bin/env bash
# trimesh 5.2.0: what becomes of colours in glTF, with no warning.
#
# COLOR_0 is linear light by the format. trimesh takes and writes its numbers as sRGB levels, so a colour that goes from PLY
# through GLB into another viewer is brighter. Of normalised 16-bit COLOR_0, only the low bytes are kept (0.5 comes back as
# 0.5 by luck or as anything else). Normalised 16-bit TEXCOORD_0 comes back as 0 to 65535 instead of 0 to 1, and
# KHR_texture_transform is not applied, even where the file says that it cannot be read without. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check trimesh==5.2.0 numpy==2.4.6 pillow==13.0.0 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
import io
import json
import struct
from importlib.metadata import version

import numpy as np
import trimesh
from PIL import Image

print("trimesh", version("trimesh"))
PLATE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
FACES = np.array([0, 1, 2, 0, 2, 3], np.uint16)
DOWN = np.array([[0, 1], [1, 1], [1, 0], [0, 0]])


def glb(color=None, uv=None, transform=None):
    """A plate with 16-bit normalised colours, or with a picture."""
    data, views, accessors = b"", [], []

    def view(raw):
        nonlocal data
        data += b"\0" * (-len(data) % 4)
        views.append({"buffer": 0, "byteOffset": len(data), "byteLength": len(raw)})
        data += raw
        return len(views) - 1

    def accessor(array, kind, width, **more):
        accessors.append({"bufferView": view(array.tobytes()), "componentType": kind, "count": len(array), "type": width, **more})
        return len(accessors) - 1

    attributes = {"POSITION": accessor(PLATE, 5126, "VEC3", min=[0, 0, 0], max=[1, 1, 0])}
    primitive = {"attributes": attributes, "indices": accessor(FACES, 5123, "SCALAR")}
    tree = {"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}]}
    if color is not None:
        attributes["COLOR_0"] = accessor(np.array(color, np.uint16), 5123, "VEC4", normalized=True)
    if uv is not None:
        more = {"normalized": True} if uv.dtype == np.uint16 else {}
        attributes["TEXCOORD_0"] = accessor(uv, 5123 if more else 5126, "VEC2", **more)
        picture = io.BytesIO()
        Image.new("RGB", (4, 4), (255, 0, 0)).save(picture, "png")
        info = {"index": 0}
        if transform is not None:
            info["extensions"] = {"KHR_texture_transform": transform}
            tree["extensionsUsed"] = tree["extensionsRequired"] = ["KHR_texture_transform"]
        primitive["material"] = 0
        tree["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": info}}]
        tree |= {"textures": [{"source": 0}], "images": [{"bufferView": view(picture.getvalue()), "mimeType": "image/png"}]}
    data += b"\0" * (-len(data) % 4)
    tree |= {"meshes": [{"primitives": [primitive]}], "bufferViews": views, "accessors": accessors}
    text = json.dumps(tree | {"buffers": [{"byteLength": len(data)}]}).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(data))
    whole = head + struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
    scene = trimesh.load_scene(io.BytesIO(whole), file_type="glb", process=False)
    return next(iter(scene.geometry.values()))


def written_colors(mesh):
    data = mesh.export(file_type="glb")
    size = struct.unpack_from("<I", data, 12)[0]
    tree, binary = json.loads(data[20 : 20 + size]), data[28 + size :]
    entry = tree["accessors"][tree["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"]]
    assert entry["componentType"] == 5121 and entry.get("normalized"), entry
    return binary[tree["bufferViews"][entry["bufferView"]].get("byteOffset", 0)]


grey = trimesh.Trimesh(PLATE, FACES.reshape(-1, 3), vertex_colors=[(128, 128, 128, 255)] * 4, process=False)
stored = written_colors(grey)
print(f"sRGB level 128 is written as COLOR_0 {stored}; as linear light it would be 55")
sixteen = glb(color=[(0x3700, 0x8080, 0xFFFF, 0xFFFF)] * 4).visual.vertex_colors[0]
print(f"16-bit COLOR_0 0x3700, 0x8080, 0xffff are read as {sixteen[:3].tolist()}, not as 55, 128, 255")
coordinates = np.asarray(glb(uv=(DOWN * 65535).astype(np.uint16)).visual.uv)
print(f"16-bit TEXCOORD_0 is read as {coordinates.min():g} to {coordinates.max():g}")
plain = np.asarray(glb(uv=DOWN.astype(np.float32)).visual.uv)
halved = np.asarray(glb(uv=DOWN.astype(np.float32), transform={"scale": [0.5, 0.5]}).visual.uv)
print(f"a texture that is scaled by a half goes from {halved.min():g} to {halved.max():g}")
assert stored == 128
assert sixteen[:3].tolist() == [0x00, 0x80, 0xFF], sixteen
assert coordinates.max() > 60000
assert np.array_equal(plain, halved)
print("as found: linear and sRGB are not told apart, integers are not normalised, the transform is left out")
PYTHON
