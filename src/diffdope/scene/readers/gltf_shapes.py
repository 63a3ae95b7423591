"""The shape that a glTF primitive has at rest: blended with its morph targets, and bent by its skeleton."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.scene.parts import Part
from diffdope.scene.readers.corners import compact
from diffdope.scene.readers.gltf_file import Gltf, Json
from diffdope.scene.readers.gltf_nodes import PlacedMesh
from diffdope.scene.readers.placing import moved

F64 = NDArray[np.float64]


def in_place(gltf: Gltf, part: Part, primitive: Json, placed: PlacedMesh) -> Part:
    """The part as the file shows it, in the scene: shapes first, then bones, else the node's matrix (glTF 2.0, 3.7).

    Vertices that it does not use are left out.

    Args:
        gltf: the file.
        part: of the primitive, with all vertices of its accessor.
        primitive: what shapes and bones are listed in.
        placed: how far they are on, and where they are.

    Raises:
        DiffDopeError: if there are fewer shapes, bones or numbers of them than are named.
    """
    if not placed.weights and placed.bones is None:
        return moved(compact(part), placed.matrix)
    if placed.weights:
        gltf.source.note("the mesh has shapes to blend (morph targets); they are on as far as the file says")
        part = replace(part, vertices=_blended(gltf, part.vertices, primitive, placed.weights))
    if placed.bones is None:
        return moved(compact(part), placed.matrix)
    gltf.source.note("the mesh has a skeleton; it is taken as the file's bones stand, without its animations")
    if "JOINTS_0" not in primitive.get("attributes", {}):
        return moved(compact(part), placed.matrix)
    matrices = _of_vertices(gltf, primitive["attributes"], placed.bones, len(part.vertices))
    vertices = np.einsum("vij,vj->vi", matrices[:, :3, :3], part.vertices) + matrices[:, :3, 3]
    mirrors = np.linalg.det(matrices[part.faces[:, 0], :3, :3]) < 0.0
    return compact(replace(part, vertices=vertices, faces=np.where(mirrors[:, None], part.faces[:, ::-1], part.faces)))


def _blended(gltf: Gltf, vertices: F64, primitive: Json, weights: tuple[float, ...]) -> F64:
    targets = primitive.get("targets", ())
    if len(targets) < len(weights):
        raise expected("mesh", f"{len(weights)} shapes to blend", len(targets), "the file is damaged")
    blended = vertices.copy()
    for weight, target in zip(weights, targets, strict=False):
        if weight and "POSITION" in target:
            offsets = gltf.array(target["POSITION"])
            _check("offsets", len(offsets), len(vertices))
            blended += weight * offsets.astype(np.float64)
    return blended


def _of_vertices(gltf: Gltf, attributes: Json, bones: F64, count: int) -> F64:
    """The matrix of each vertex (V, 4, 4): that of its bones, weighted."""
    joints, weights = (np.concatenate([gltf.array(attributes[name]) for name in _sets(attributes, kind)], axis=1)
                       for kind in ("JOINTS", "WEIGHTS"))  # fmt: skip
    for what, array in (("bones", joints), ("weights of bones", weights)):
        _check(what, len(array), count)
    weights = weights.astype(np.float64)
    used = np.where(weights > 0.0, joints, 0).astype(np.intp)
    if joints.shape != weights.shape or used.max(initial=0) >= len(bones):
        raise expected("mesh", f"bones from 0 to {len(bones) - 1}", int(used.max(initial=0)), "the file is damaged")
    total = weights.sum(axis=1, keepdims=True)
    weights = np.where(total > 0.0, weights / np.where(total > 0.0, total, 1.0), np.eye(1, weights.shape[1]))
    return np.asarray(np.einsum("vk,vkij->vij", weights, bones[used]), np.float64)


def _sets(attributes: Json, kind: str) -> list[str]:
    """JOINTS_0, JOINTS_1 and so on, as many as there are: four bones each."""
    return sorted(
        (name for name in attributes if name.startswith(f"{kind}_")), key=lambda name: int(name[len(kind) + 1 :])
    )


def _check(what: str, got: int, count: int) -> None:
    if got != count:
        raise expected("mesh", f"{what} for each of {count} vertices", got, "the file is damaged")
