"""COLLADA's controllers at rest: geometries that are blended (morph), and bent by bones (skin)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected, refused
from diffdope.io.numbers import numbers_in
from diffdope.scene.readers.collada_geometry import Geometry
from diffdope.scene.readers.collada_nodes import Placed, transform_of
from diffdope.scene.readers.source import MeshSource
from diffdope.scene.readers.xml_tree import Element, by_id, text_of

F64 = NDArray[np.float64]
Int = NDArray[np.intp]

_DEEPEST = 20  # controllers of controllers; more are one that holds itself


class Shaped(NamedTuple):
    """A geometry in its shape at rest.

    Attributes:
        geometry: its id.
        points: (V, 3) in place of its own; None where they stay.
        matrix: (4, 4), to the scene.
        mirrors: whether bones turn it inside out.
    """

    geometry: str
    points: F64 | None
    matrix: F64
    mirrors: bool = False


class Shapes:
    """The controllers of a file, and the nodes that are their bones."""

    def __init__(self, root: Element, geometries: Mapping[str, Geometry], source: MeshSource) -> None:
        self._geometries = geometries
        self._controllers = by_id(root, "controller")
        self._sources = by_id(root, "source")
        self._file = source
        self._scenes = list(root.iter("visual_scene"))
        self._places: dict[Element, F64] | None = None

    def of(self, placed: Placed) -> Shaped | None:
        """What is shown at a place; None where it is no triangles.

        Raises:
            DiffDopeError: if weights, bones or shapes are missing.
        """
        controller = self._controllers.get(placed.geometry)
        if controller is None:
            return Shaped(placed.geometry, None, placed.matrix) if placed.geometry in self._geometries else None
        skin = controller.find("skin")
        if skin is None:
            found = self._blended(placed.geometry)
            return None if found is None else Shaped(*found, placed.matrix)
        found = self._blended(_key(skin.get("source")))
        return None if found is None else self._bent(*found, skin, placed)

    def _blended(self, key: str, depth: int = 0) -> tuple[str, F64] | None:
        """The geometry that a chain of morphs ends in, and its points."""
        if key in self._geometries:
            return key, self._geometries[key].places
        controller = self._controllers.get(key)
        morph = controller.find("morph") if controller is not None else None
        if morph is None or depth > _DEEPEST:
            return None
        self._file.note("the mesh has shapes to blend (morph); they are on as far as the file says")
        base = self._blended(_key(morph.get("source")), depth + 1)
        if base is None:
            return None
        names = self._words(_input_of(morph.find("targets"), "MORPH_TARGET"))
        weights = self._numbers(_input_of(morph.find("targets"), "MORPH_WEIGHT"))
        if len(weights) != len(names):
            raise expected("mesh", f"a weight for each of {len(names)} shapes", len(weights), "the file is damaged")
        relative = morph.get("method", "NORMALIZED") == "RELATIVE"
        blended = base[1] * (1.0 if relative else 1.0 - weights.sum())
        for name, weight in zip(names, weights, strict=True):
            target = self._blended(_key(name), depth + 1) if weight else None
            if weight and (target is None or target[1].shape != blended.shape):
                raise expected("mesh", f"a shape {name} of {len(blended)} vertices", "another", "the file is damaged")
            if target is not None:
                blended = blended + weight * target[1]
        return base[0], blended

    def _bent(self, key: str, points: F64, skin: Element, placed: Placed) -> Shaped:
        self._file.note("the mesh has a skeleton; it is taken as the file's bones stand, without its animations")
        bind = text_of(skin, "bind_shape_matrix")
        shape = numbers_in("mesh", bind).reshape(4, 4) if bind else np.eye(4)
        bones = self._bones(skin, placed.skeletons)
        if bones is None:
            return Shaped(key, points, placed.matrix @ shape)
        matrices = self._of_vertices(skin, bones, len(points)) @ shape
        bent = np.einsum("vij,vj->vi", matrices[:, :3, :3], points) + matrices[:, :3, 3]
        return Shaped(key, bent, np.eye(4), bool(np.median(np.linalg.det(matrices[:, :3, :3])) < 0.0))

    def _bones(self, skin: Element, skeletons: tuple[str, ...]) -> F64 | None:
        """Matrices (B, 4, 4) of the bones, from where the shape was bound to the scene; None without their nodes."""
        joints = skin.find("joints")
        names = self._words(_input_of(joints, "JOINT"))
        nodes = [self._node(name, skeletons) for name in names]
        bound = self._numbers(_input_of(joints, "INV_BIND_MATRIX"))
        if not names or any(node is None for node in nodes):
            return None
        if len(bound) != 16 * len(names):
            raise expected("mesh", f"a matrix for each of {len(names)} bones", len(bound) / 16, "the file is damaged")
        placed = np.stack([self._all_places()[node] for node in nodes if node is not None])
        result: F64 = placed @ bound.reshape(-1, 4, 4)
        return result

    def _node(self, name: str, skeletons: tuple[str, ...]) -> Element | None:
        """The node of a bone, below one of the skeletons if they are there: by its sid, else by its id."""
        every = self._all_places()
        roots = [node for node in every if node.get("id") in skeletons]
        near = [node for root in roots for node in root.iter("node")] or list(every)
        for attribute in ("sid", "id", "name"):
            found = next((node for node in near if node.get(attribute) == name), None)
            if found is not None:
                return found
        return None

    def _all_places(self) -> dict[Element, F64]:
        """Matrices (4, 4) of all nodes to the scene."""
        if self._places is None:
            self._places = {}
            waiting = [(node, np.eye(4)) for scene in self._scenes for node in scene.findall("node")]
            while waiting:
                node, above = waiting.pop(0)
                self._places[node] = above @ transform_of(node)
                waiting.extend((child, self._places[node]) for child in node.findall("node"))
        return self._places

    def _of_vertices(self, skin: Element, bones: F64, count: int) -> F64:
        """The matrix of each vertex (V, 4, 4): that of its bones, weighted; of one that has none, no motion."""
        held = skin.find("vertex_weights")
        if held is None:
            raise expected("mesh", "weights of the bones", "none", "the file is damaged")
        offsets = {entry.get("semantic", ""): int(entry.get("offset", "0")) for entry in held.findall("input")}
        sizes = numbers_in("mesh", text_of(held, "vcount")).astype(np.intp)
        table = numbers_in("mesh", text_of(held, "v")).astype(np.intp).reshape(-1, 1 + max(offsets.values()))
        if len(sizes) != count or sizes.sum() != len(table):
            raise expected("mesh", f"weights of {count} vertices", len(sizes), "the file is damaged")
        numbers = self._numbers(_input_of(held, "WEIGHT"))
        bone, at = table[:, offsets["JOINT"]], table[:, offsets["WEIGHT"]]
        if len(table) and (bone.max() >= len(bones) or at.max() >= len(numbers) or at.min() < 0):
            raise refused("mesh", "expected bones and weights that are there; the file is damaged")
        matrices = np.concatenate([bones, np.eye(4)[None]])[np.where(bone < 0, len(bones), bone)]
        owner, weight = np.repeat(np.arange(count), sizes), numbers[at]
        total = np.bincount(owner, weight, count)
        summed = np.zeros((count, 4, 4))
        np.add.at(summed, owner, weight[:, None, None] * matrices)
        still = total <= 0.0
        summed[still] = np.eye(4)
        result: F64 = summed / np.where(still, 1.0, total)[:, None, None]
        return result

    def _words(self, key: str) -> list[str]:
        element = self._sources.get(key)
        return (text_of(element, "Name_array") or text_of(element, "IDREF_array")).split()

    def _numbers(self, key: str) -> F64:
        return numbers_in("mesh", text_of(self._sources.get(key), "float_array"))


def _key(reference: str | None) -> str:
    return (reference or "").rpartition("#")[2]


def _input_of(element: Element | None, semantic: str) -> str:
    """The id of the source that an element names for something."""
    entries = element.findall("input") if element is not None else []
    return next((_key(entry.get("source")) for entry in entries if entry.get("semantic") == semantic), "")
