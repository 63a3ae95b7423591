"""The nodes of a COLLADA scene: which geometries there are, where, and with which materials."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected, refused
from diffdope.io.numbers import numbers_in
from diffdope.scene.readers.placing import about_axis, scaling, translation
from diffdope.scene.readers.xml_tree import Element, by_id

F64 = NDArray[np.float64]

_DEEPEST = 200  # nodes in one another; more are a node that holds itself


class Placed(NamedTuple):
    """A geometry or controller in place.

    Attributes:
        geometry: its id.
        matrix: (4, 4), to the scene.
        materials: by symbol, the material's id, and the set of texture coordinates for each name that its effect
            uses.
        skeletons: ids of the nodes below which a controller's bones are.
    """

    geometry: str
    matrix: F64
    materials: dict[str, tuple[str | None, dict[str, str]]]
    skeletons: tuple[str, ...] = ()


def instances(root: Element) -> list[Placed]:
    """All geometries of the file's scene; of the first, where the file does not say which.

    Raises:
        DiffDopeError: if nodes hold each other in a circle.
    """
    scenes = by_id(root, "visual_scene")
    if not scenes:
        return [Placed(key, np.eye(4), {}) for key in by_id(root, "geometry")]
    shown = root.find("scene/instance_visual_scene")
    scene = scenes.get(_id(shown)) if shown is not None else None
    tree = _Tree(by_id(root, "node"))
    found: list[Placed] = []
    for node in (scene if scene is not None else next(iter(scenes.values()))).findall("node"):
        tree.walk(node, np.eye(4), found, 0)
    return found


class _Tree:
    """The nodes that others refer to."""

    def __init__(self, nodes: dict[str, Element]) -> None:
        self.nodes = nodes

    def walk(self, node: Element, above: F64, found: list[Placed], depth: int) -> None:
        if depth > _DEEPEST:
            raise refused("mesh", "a node of the scene holds itself; the file is damaged")
        matrix = above @ transform_of(node)
        for child in node:
            if child.tag == "instance_geometry":
                found.append(Placed(_id(child), matrix, _materials(child)))
            elif child.tag == "instance_controller":
                skeletons = tuple((one.text or "").strip().rpartition("#")[2] for one in child.findall("skeleton"))
                found.append(Placed(_id(child), matrix, _materials(child), skeletons))
            elif child.tag == "node":
                self.walk(child, matrix, found, depth + 1)
            elif child.tag == "instance_node" and _id(child) in self.nodes:
                self.walk(self.nodes[_id(child)], matrix, found, depth + 1)


def transform_of(node: Element) -> F64:
    """A node's matrix (4, 4): all its transforms, the last one first.

    Raises:
        ValueError: if one has too few numbers.
    """
    matrix = np.eye(4)
    for child in node:
        if child.tag == "matrix":
            matrix = matrix @ _numbers(child, 16).reshape(4, 4)
        elif child.tag == "translate":
            matrix = matrix @ translation(_numbers(child, 3))
        elif child.tag == "rotate":
            numbers = _numbers(child, 4)
            matrix = matrix @ about_axis(numbers[:3], np.deg2rad(numbers[3]))
        elif child.tag == "scale":
            matrix = matrix @ scaling(_numbers(child, 3))
        elif child.tag == "lookat":
            matrix = matrix @ _looking(_numbers(child, 9).reshape(3, 3))
        elif child.tag == "skew":
            raise refused("mesh", "a node is skewed (<skew>), which is not read; apply the transform and export it")
    return matrix


def _looking(numbers: F64) -> F64:
    """The matrix of something at a place that looks, along -z, at another, with a direction up."""
    eye, target, up = numbers
    back = (eye - target) / np.linalg.norm(eye - target)
    right = np.cross(up, back)
    right /= np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[:3] = np.stack([right, np.cross(back, right), back, eye], axis=1)
    return matrix


def _materials(instance: Element) -> dict[str, tuple[str | None, dict[str, str]]]:
    materials: dict[str, tuple[str | None, dict[str, str]]] = {}
    for bound in instance.iter("instance_material"):
        sets = {
            entry.get("semantic", ""): entry.get("input_set", "0")
            for entry in bound.findall("bind_vertex_input")
            if entry.get("input_semantic") == "TEXCOORD"
        }
        materials[bound.get("symbol", "")] = (_id(bound, "target"), sets)
    return materials


def _numbers(element: Element, count: int) -> F64:
    numbers = numbers_in("mesh", element.text or "")
    if len(numbers) != count:
        raise expected("mesh", f"{count} numbers in <{element.tag}>", len(numbers), "it is damaged")
    return numbers


def _id(element: Element, attribute: str = "url") -> str:
    """The id that an element refers to in the same file."""
    return element.get(attribute, "").rpartition("#")[2]
