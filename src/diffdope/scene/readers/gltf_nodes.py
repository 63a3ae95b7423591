"""The nodes of a glTF scene: which meshes there are, and where."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import refused
from diffdope.geometry import so3
from diffdope.scene.readers.gltf_file import Gltf, Json
from diffdope.scene.readers.placing import scaling, translation

F64 = NDArray[np.float64]

_INSTANCES = "EXT_mesh_gpu_instancing"


def placed_meshes(gltf: Gltf) -> list[tuple[int, F64]]:
    """Index of mesh and matrix (4, 4) to the scene, for each node of the scene that has a mesh.

    A file without scenes has all nodes that no other node holds; one without nodes has its meshes as they are.

    Raises:
        DiffDopeError: if a node holds itself.
    """
    nodes = gltf.list("nodes")
    if not nodes:
        return [(k, np.eye(4)) for k in range(len(gltf.list("meshes")))]
    scenes = gltf.list("scenes")
    if scenes:
        roots = scenes[gltf.tree.get("scene", 0)].get("nodes", [])
    else:
        held = {child for node in nodes for child in node.get("children", ())}
        roots = [k for k in range(len(nodes)) if k not in held]
    found: list[tuple[int, F64]] = []
    waiting = [(root, np.eye(4), 0) for root in reversed(roots)]
    while waiting:
        index, above, depth = waiting.pop()
        if depth > len(nodes):
            raise refused("mesh", "a node of the scene holds itself; the file is damaged")
        node = nodes[index]
        matrix = above @ _matrix(node)
        if "mesh" in node:
            if "skin" in node:
                # The format says so: skinned vertices are placed by their bones, which at rest leave them.
                gltf.source.note("the mesh has a skeleton; it is taken at rest")
                found.append((node["mesh"], np.eye(4)))
            else:
                found.extend((node["mesh"], matrix @ instance) for instance in _instances(gltf, node))
        waiting.extend((child, matrix, depth + 1) for child in reversed(node.get("children", [])))
    return found


def _matrix(node: Json) -> F64:
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    return _of_trs(
        np.array(node.get("translation", (0, 0, 0)), np.float64),
        np.array(node.get("rotation", (0, 0, 0, 1)), np.float64),
        np.array(node.get("scale", (1, 1, 1)), np.float64),
    )


def _of_trs(offset: F64, xyzw: F64, factors: F64) -> F64:
    turn = np.eye(4)
    length = np.linalg.norm(xyzw)
    if length > 0:
        turn[:3, :3] = so3.matrix_from_wxyz(np.roll(xyzw, 1))
    result: F64 = translation(offset) @ turn @ scaling(factors)
    return result


def _instances(gltf: Gltf, node: Json) -> list[F64]:
    """The matrices of a node that shows its mesh many times; of any other, the identity."""
    attributes = node.get("extensions", {}).get(_INSTANCES, {}).get("attributes", {})
    arrays = {name: gltf.array(index).astype(np.float64) for name, index in attributes.items() if name[0] != "_"}
    if not arrays:
        return [np.eye(4)]
    count = len(next(iter(arrays.values())))
    offsets = arrays.get("TRANSLATION", np.zeros((count, 3)))
    turns = arrays.get("ROTATION", np.tile([0.0, 0.0, 0.0, 1.0], (count, 1)))
    factors = arrays.get("SCALE", np.ones((count, 3)))
    return [_of_trs(*trs) for trs in zip(offsets, turns, factors, strict=True)]
