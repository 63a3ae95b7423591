"""The nodes of a glTF scene: which meshes there are, and where."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected, refused
from diffdope.geometry import so3
from diffdope.scene.readers.gltf_file import Gltf, Json
from diffdope.scene.readers.placing import scaling, translation

F64 = NDArray[np.float64]

_INSTANCES = "EXT_mesh_gpu_instancing"
_VISIBILITY = "KHR_node_visibility"


class PlacedMesh(NamedTuple):
    """A mesh where a node shows it.

    Attributes:
        mesh: its number in the file.
        matrix: (4, 4), to the scene.
        weights: how far each of its shapes to blend (morph targets) is on.
        bones: matrices (B, 4, 4) of its skeleton, from the mesh to the scene; None where it has none.
    """

    mesh: int
    matrix: F64
    weights: tuple[float, ...] = ()
    bones: F64 | None = None


def placed_meshes(gltf: Gltf) -> list[PlacedMesh]:
    """Each mesh that a node of the scene shows.

    A file without scenes has all nodes that no other node holds; one without nodes has its meshes as they are.

    Raises:
        DiffDopeError: if a node holds itself.
    """
    nodes = gltf.list("nodes")
    if not nodes:
        return [PlacedMesh(k, np.eye(4), _weights(gltf, k, {})) for k in range(len(gltf.list("meshes")))]
    scenes = gltf.list("scenes")
    if scenes:
        if len(scenes) > 1:
            which = "that which it names" if "scene" in gltf.tree else "its first"
            gltf.source.note(f"the file has {len(scenes)} scenes; {which} is taken")
        roots = scenes[gltf.tree.get("scene", 0)].get("nodes", [])
    else:
        held = {child for node in nodes for child in node.get("children", ())}
        roots = [k for k in range(len(nodes)) if k not in held]
    found: list[PlacedMesh] = []
    waiting = [(root, np.eye(4), 0) for root in reversed(roots)]
    while waiting:
        index, above, depth = waiting.pop()
        if depth > len(nodes):
            raise refused("mesh", "a node of the scene holds itself; the file is damaged")
        node = nodes[index]
        if not node.get("extensions", {}).get(_VISIBILITY, {}).get("visible", True):
            gltf.source.note(f"what the file hides ({_VISIBILITY}) is left out")
            continue
        matrix = above @ _matrix(node)
        if "mesh" in node:
            weights = _weights(gltf, node["mesh"], node)
            bones = _bones(gltf, node["skin"]) if "skin" in node else None
            instances = [np.eye(4)] if bones is not None else _instances(gltf, node)
            found.extend(PlacedMesh(node["mesh"], matrix @ instance, weights, bones) for instance in instances)
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


def _weights(gltf: Gltf, mesh: int, node: Json) -> tuple[float, ...]:
    """How far shapes are on: as the node says, else as its mesh does; empty where none is."""
    stated = node if "weights" in node else gltf.list("meshes")[mesh]
    weights = tuple(float(k) for k in stated.get("weights", ()))
    return weights if any(weights) else ()


def _bones(gltf: Gltf, index: int) -> F64:
    """The matrices of a skin's bones (B, 4, 4), from the mesh as it was bound to the scene as the nodes have them.

    Raises:
        DiffDopeError: if there are fewer matrices than bones.
    """
    skin = gltf.list("skins")[index]
    above = {child: k for k, node in enumerate(gltf.list("nodes")) for child in node.get("children", ())}
    placed = np.stack([_to_scene(gltf, joint, above) for joint in skin["joints"]])
    if "inverseBindMatrices" not in skin:
        return placed
    bound = gltf.array(skin["inverseBindMatrices"]).astype(np.float64).reshape(-1, 4, 4).transpose(0, 2, 1)
    if len(bound) < len(placed):
        raise expected("mesh", f"a matrix for each of {len(placed)} bones", len(bound), "the file is damaged")
    result: F64 = placed @ bound[: len(placed)]
    return result


def _to_scene(gltf: Gltf, index: int, above: dict[int, int]) -> F64:
    """A node's matrix (4, 4) to the scene, given which node holds which."""
    nodes = gltf.list("nodes")
    matrix = _matrix(nodes[index])
    for _ in nodes:
        if index not in above:
            return matrix
        index = above[index]
        matrix = _matrix(nodes[index]) @ matrix
    raise refused("mesh", "a node of the scene holds itself; the file is damaged")


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
