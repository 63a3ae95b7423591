"""A robot: links with surfaces, joints between them, and where every link is at given joint values."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, check_number, expected
from diffdope.geometry import so3
from diffdope.scene.lod import levels_of_detail
from diffdope.scene.mesh import Mesh

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Kind = Literal["revolute", "continuous", "prismatic", "fixed"]
KINDS = ("revolute", "continuous", "prismatic", "fixed")

_LEAST_LINK_M = 2e-3  # links that are smaller have nothing to be simplified


@dataclass(frozen=True, eq=False)
class Link:
    """One rigid part: vertices (V, 3) metres in the link's frame, and triangles (F, 3); both may be empty."""

    name: str
    vertices_m: F64
    faces: I64


@dataclass(frozen=True, eq=False)
class Joint:
    """What holds a link at its parent.

    Attributes:
        name: of the joint.
        kind: how it moves.
        parent: name of the link that carries.
        child: name of the link that is carried.
        origin: T_parent_child (4, 4), metres, where the joint is at 0.
        axis: (3,) unit vector in the joint's own frame.
        lower: least value, radians or metres; -inf if there is none.
        upper: greatest value.
        mimic: (joint, factor, offset) of a joint that follows another one, or None.
    """

    name: str
    kind: Kind
    parent: str
    child: str
    origin: F64
    axis: F64
    lower: float = -np.inf
    upper: float = np.inf
    mimic: tuple[str, float, float] | None = None

    @property
    def moves(self) -> bool:
        """Whether it has a value of its own."""
        return self.kind != "fixed" and self.mimic is None

    def motion(self, value: float) -> F64:
        """(4, 4) of the child in its frame at value 0."""
        T = np.eye(4)
        if self.kind == "prismatic":
            T[:3, 3] = value * self.axis
        elif self.kind != "fixed":
            T[:3, :3] = so3.exp(value * self.axis)
        return T


class Screws(NamedTuple):
    """How links move with the joints' values, in the base frame, for J joints and L links.

    axis (J, L, 3): of a turning joint its axis, else 0; shift (J, L, 3): velocity of the link's point at the base's
    origin. A point X moves by axis x X + shift. Both are 0 where a joint does not carry a link.
    """

    axis: F64
    shift: F64


@dataclass(frozen=True, eq=False)
class Posed:
    """The robot at given joint values: one rigid surface in the base frame, and the link of each of its triangles."""

    mesh: Mesh
    link: I64


class _Rest(NamedTuple):
    """All links as one mesh: its vertices in their links' frames (V, 3), and the link of each vertex and triangle."""

    mesh: Mesh
    vertices_m: F64
    owner: I64
    link: I64


class Robot:
    """Links and joints, with all poses told in the frame of one link, the base.

    Args:
        links: of the robot, each name once.
        joints: between them; they must make a tree.
        base: the link whose frame poses are told in; None for the root of the tree.
        name: for messages.

    Raises:
        DiffDopeError: if links and joints make no tree, a name is missing or used twice, or nothing has a surface.
    """

    def __init__(
        self, links: Sequence[Link], joints: Sequence[Joint], *, base: str | None = None, name: str = "robot"
    ) -> None:
        self.links, self.name = tuple(links), name
        self._number = {link.name: n for n, link in enumerate(self.links)}
        if len(self._number) != len(self.links):
            raise DiffDopeError(f"links of {name}: expected each name once, got {', '.join(x.name for x in links)}")
        self.joints = self._from_the_root(tuple(joints))
        root = self._root()
        self.base = root if base is None else base
        if self.base not in self._number:
            raise _no_such("base link", self.base, list(self._number))
        if not any(len(link.faces) for link in self.links):
            raise expected("robot", "links with a surface", f"none in {name}", "the description names no meshes")

    @property
    def moving(self) -> tuple[Joint, ...]:
        """The joints that have values of their own, from the root on."""
        return tuple(joint for joint in self.joints if joint.moves)

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """Names of the joints that move something with a surface: their values must be known."""
        moved = self.screws({joint.name: 0.0 for joint in self.moving})
        solid = np.array([len(link.faces) > 0 for link in self.links])
        acts = (np.abs(moved.axis) + np.abs(moved.shift)).max(axis=2)[:, solid].max(axis=1) > 0.0
        return tuple(joint.name for joint, one in zip(self.moving, acts, strict=True) if one)

    def checked(self, values: Mapping[str, float], where: str = "joints") -> dict[str, float]:
        """Values of all moving joints; 0 for those that move nothing with a surface and are not given.

        Args:
            values: by name, radians or metres; other names are passed over.
            where: the argument to blame.

        Raises:
            DiffDopeError: naming the joints that are missing, and what was given instead.
        """
        missing = [name for name in self.needed if name not in values]
        if missing:
            known = {joint.name for joint in self.joints}
            other = [name for name in values if name not in known]
            near = difflib.get_close_matches(missing[0], other, n=1)
            cure = f"did you mean {missing[0]} by {near[0]}?" if near else "give a value for each joint"
            got = f"none for {', '.join(missing)}" + (f"; {', '.join(other)} are no joints of it" if other else "")
            raise expected(where, f"values of the joints {', '.join(self.needed)} of {self.name}", got, cure)
        names = [joint.name for joint in self.moving]
        return {name: check_number(f"{where}, {name}", values[name]) if name in values else 0.0 for name in names}

    def forward(self, values: Mapping[str, float]) -> F64:
        """T_base_link (L, 4, 4), metres, in the order of `links`.

        Args:
            values: of all moving joints, radians or metres.
        """
        T = self._from_root(values)
        inverse = np.linalg.inv(T[self._number[self.base]])
        return np.asarray(inverse @ T)

    def screws(self, values: Mapping[str, float]) -> Screws:
        """How links move with each of `moving`.

        Args:
            values: of all moving joints.
        """
        T = self.forward(values)
        moving = self.moving
        axis, shift = (np.zeros((len(moving), len(self.links), 3)) for _ in range(2))
        row = {joint.name: n for n, joint in enumerate(moving)}
        base = self._number[self.base]
        for joint in self.joints:
            if joint.kind == "fixed":
                continue
            leader, factor = (joint.name, 1.0) if joint.mimic is None else joint.mimic[:2]
            if leader not in row:
                continue
            carried = np.array([self._carries(joint, link.name) for link in self.links], np.float64)
            carried -= carried[base]  # what carries the base turns everything else the other way
            child = T[self._number[joint.child]]
            direction = factor * (child[:3, :3] @ joint.axis)
            if joint.kind == "prismatic":
                shift[row[leader]] += carried[:, None] * direction
            else:
                axis[row[leader]] += carried[:, None] * direction
                shift[row[leader]] += carried[:, None] * np.cross(child[:3, 3], direction)
        return Screws(axis, shift)

    def posed(self, values: Mapping[str, float]) -> Posed:
        """The surface at joint values.

        Args:
            values: of all moving joints.
        """
        T, rest = self.forward(values), self._rest
        corners = np.einsum("vik,vk->vi", T[rest.owner, :3, :3], rest.vertices_m) + T[rest.owner, :3, 3]
        return Posed(rest.mesh.bent(corners), rest.link)

    def simplified(self, *tolerances_m: float) -> tuple[Robot, ...]:
        """The same robot with fewer triangles, once for each tolerance.

        Args:
            tolerances_m: how far a surface may be off, metres; coarser ones are made from finer ones.
        """
        each = [_simplified(link, tolerances_m) for link in self.links]
        return tuple(Robot(links, self.joints, base=self.base, name=self.name) for links in zip(*each, strict=True))

    @cached_property
    def _rest(self) -> _Rest:
        """All links, at joint values of 0."""
        T, vertices, faces, owner, first = self.forward({joint.name: 0.0 for joint in self.moving}), [], [], [], 0
        for n, link in enumerate(self.links):
            vertices.append(link.vertices_m)
            faces.append(link.faces + first)
            owner.append(np.full(len(link.vertices_m), n))
            first += len(link.vertices_m)
        own, number = np.concatenate(vertices), np.concatenate(owner)
        placed = np.einsum("vik,vk->vi", T[number, :3, :3], own) + T[number, :3, 3]
        mesh = Mesh(placed, np.concatenate(faces).astype(np.int32), name=self.name)
        return _Rest(mesh, own, number, number[mesh.faces[:, 0]])

    def _from_root(self, values: Mapping[str, float]) -> F64:
        T = np.broadcast_to(np.eye(4), (len(self.links), 4, 4)).copy()
        for joint in self.joints:
            if joint.mimic is None:
                value = values[joint.name] if joint.moves else 0.0
            else:
                leader, factor, offset = joint.mimic
                value = factor * values.get(leader, 0.0) + offset
            T[self._number[joint.child]] = T[self._number[joint.parent]] @ joint.origin @ joint.motion(value)
        return T

    @cached_property
    def _parent(self) -> dict[str, str]:
        return {joint.child: joint.parent for joint in self.joints}

    def _carries(self, joint: Joint, link: str) -> bool:
        while link != joint.child:
            if link not in self._parent:
                return False
            link = self._parent[link]
        return True

    def _root(self) -> str:
        children = {joint.child for joint in self.joints}
        roots = [link.name for link in self.links if link.name not in children]
        if len(roots) != 1:
            raise expected(f"links of {self.name}", "one root", ", ".join(roots) or "a ring")
        return roots[0]

    def _from_the_root(self, joints: tuple[Joint, ...]) -> tuple[Joint, ...]:
        """The joints so that each comes after that of its parent."""
        for joint in joints:
            for link in (joint.parent, joint.child):
                if link not in self._number:
                    raise _no_such(f"joint {joint.name}: link", link, list(self._number))
        names = [joint.name for joint in joints]
        for joint in joints:
            if joint.mimic is not None and joint.mimic[0] not in names:
                raise _no_such(f"joint {joint.name}: mimicked joint", joint.mimic[0], names)
        children = {joint.child for joint in joints}
        if len(children) != len(joints) or len(set(names)) != len(names):
            raise DiffDopeError(f"joints of {self.name}: expected each name and each child link once")
        done = {link.name for link in self.links} - children
        ordered: list[Joint] = []
        left = list(joints)
        while left:
            ready = [joint for joint in left if joint.parent in done]
            if not ready:
                raise expected(f"joints of {self.name}", "a tree", f"a ring through {left[0].parent}")
            ordered += ready
            done |= {joint.child for joint in ready}
            left = [joint for joint in left if joint.child not in done]
        return tuple(ordered)


def _simplified(link: Link, tolerances_m: Sequence[float]) -> list[Link]:
    """With as few triangles as each tolerance allows."""
    if len(link.faces) < 8 or np.ptp(link.vertices_m, axis=0).max() < _LEAST_LINK_M:
        return [link] * len(tolerances_m)
    mesh = Mesh(link.vertices_m, link.faces.astype(np.int32), name=link.name)
    counts = [8 + n for n in np.argsort(np.argsort(-np.asarray(tolerances_m))).tolist()]  # levels go by their counts
    levels = levels_of_detail(mesh, counts, [tolerance / mesh.diameter for tolerance in tolerances_m])
    return [Link(link.name, levels[n].vertices_m, levels[n].faces.astype(np.int64)) for n in counts]


def _no_such(what: str, name: str, names: Sequence[str]) -> DiffDopeError:
    near = difflib.get_close_matches(name, names, n=1)
    return expected(what, f"one of {', '.join(names)}", name, f"did you mean {near[0]}?" if near else "")
