"""A robot: links with surfaces, joints between them, and where every link is at given joint values."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, check_number, check_positive, expected
from diffdope.geometry import solids
from diffdope.scene.kinematic_tree import (
    Joint,
    Link,
    check_within_reach,
    from_the_root,
    led_by_moving,
    no_such,
    root_of,
)
from diffdope.scene.lod import levels_of_detail
from diffdope.scene.mesh import Mesh
from diffdope.scene.mesh_checks import kept_parts

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_LEAST_LINK_M = 2e-3  # links that are smaller have nothing to be simplified


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
    """All links as one mesh, each in its own frame, and the link of each vertex and triangle."""

    mesh: Mesh
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
        names = list(self._number)
        self.joints = from_the_root(led_by_moving(joints), names, name)
        root = root_of(joints, names, name)
        self.base = root if base is None else base
        if self.base not in self._number:
            raise no_such("base link", self.base, names)
        if not any(len(link.faces) for link in self.links):
            raise expected("robot", "links with a surface", f"none in {name}", "the description names no meshes")

    @property
    def moving(self) -> tuple[Joint, ...]:
        """The joints that have values of their own, from the root on."""
        return tuple(joint for joint in self.joints if joint.moves)

    @cached_property
    def sliding(self) -> tuple[str, ...]:
        """Names of the joints whose values are metres."""
        return tuple(joint.name for joint in self.joints if joint.kind == "prismatic")

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """Names of the joints that move something with a surface: their values must be known."""
        moved = self.screws({joint.name: 0.0 for joint in self.moving})
        solid = np.array([len(link.faces) > 0 for link in self.links])
        acts = (np.abs(moved.axis) + np.abs(moved.shift)).max(axis=2)[:, solid].max(axis=1) > 0.0
        return tuple(joint.name for joint, one in zip(self.moving, acts, strict=True) if one)

    @cached_property
    def still(self) -> tuple[int, ...]:
        """Numbers of the links that no joint moves in the base."""
        moved = self.screws({joint.name: 0.0 for joint in self.moving})
        acts = (np.abs(moved.axis) + np.abs(moved.shift)).max(axis=2).max(axis=0, initial=0.0) > 0.0
        return tuple(np.flatnonzero(~acts).tolist())

    def checked(self, values: Mapping[str, float], where: str = "joints") -> dict[str, float]:
        """Values of all moving joints; 0 for those that move nothing with a surface and are not given.

        Args:
            values: by name, radians or metres; other names are passed over.
            where: the argument to blame.

        Raises:
            DiffDopeError: naming the joints that are missing, and what was given instead, or one that slides by many
                times as much as it can.
        """
        missing = [name for name in self.needed if name not in values]
        if missing:
            known = {joint.name for joint in self.joints}
            other = [name for name in values if name not in known]
            near = difflib.get_close_matches(missing[0], other, n=1)
            cure = f"did you mean {missing[0]} by {near[0]}?" if near else "give a value for each joint"
            got = f"none for {', '.join(missing)}" + (f"; {', '.join(other)} are no joints of it" if other else "")
            raise expected(where, f"values of the joints {', '.join(self.needed)} of {self.name}", got, cure)
        given = {
            one.name: check_number(f"{where}, {one.name}", values[one.name])
            for one in self.moving
            if one.name in values
        }
        for one in self.moving:
            check_within_reach(one, given.get(one.name, 0.0), where)
        return {one.name: given.get(one.name, 0.0) for one in self.moving}

    def forward(self, values: Mapping[str, float]) -> F64:
        """T_base_link (L, 4, 4), metres, in the order of `links`.

        Args:
            values: of all moving joints, radians or metres; other names are passed over.

        Raises:
            DiffDopeError: naming joints that have no value.
        """
        T = self._from_root(values)
        inverse = np.linalg.inv(T[self._number[self.base]])
        return np.asarray(inverse @ T)

    def screws(self, values: Mapping[str, float]) -> Screws:
        """How links move with each of `moving`.

        Args:
            values: of all moving joints.

        Raises:
            DiffDopeError: naming joints that have no value.
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

        Raises:
            DiffDopeError: naming joints that have no value.
        """
        T, rest = self.forward(values), self._rest
        corners = np.einsum("vik,vk->vi", T[rest.owner, :3, :3], rest.mesh.vertices_m) + T[rest.owner, :3, 3]
        return Posed(_bent(rest.mesh, corners), rest.link)

    @cached_property
    def apart(self) -> Mesh:
        """All links so far from each other that no two share a place: which triangles meet is told from it."""
        rest = self._rest
        size = 1.0 + float(np.ptp(rest.mesh.vertices_m, axis=0).max())
        return _bent(rest.mesh, rest.mesh.vertices_m + size * np.array([1.0, 0.0, 0.0]) * rest.owner[:, None])

    def simplified(self, *tolerances_m: float) -> tuple[Robot, ...]:
        """The same robot with fewer triangles, once for each tolerance.

        Args:
            tolerances_m: how far a surface may be off, metres; coarser ones are made from finer ones.

        Raises:
            DiffDopeError: if a tolerance is not positive.
        """
        for tolerance_m in tolerances_m:
            check_positive("tolerances_m", tolerance_m)
        each = [_simplified(link, tolerances_m) for link in self.links]
        return tuple(Robot(links, self.joints, base=self.base, name=self.name) for links in zip(*each, strict=True))

    @cached_property
    def _rest(self) -> _Rest:
        """All links, each in its own frame."""
        own, faces = solids.joined((link.vertices_m, link.faces) for link in self.links)
        number = np.repeat(np.arange(len(self.links)), [len(link.vertices_m) for link in self.links])
        mesh = Mesh(own, faces.astype(np.int32), name=self.name)
        _, kept = kept_parts(own, faces.astype(np.int32))  # flat triangles are gone, and vertices that only they use
        return _Rest(mesh, number[kept], number[kept][mesh.faces[:, 0]])

    def _from_root(self, values: Mapping[str, float]) -> F64:
        missing = [joint.name for joint in self.moving if joint.name not in values]
        if missing:
            raise expected("values", "a value for each moving joint", f"none for {', '.join(missing)}")
        T = np.broadcast_to(np.eye(4), (len(self.links), 4, 4)).copy()
        for joint in self.joints:
            if joint.mimic is None:
                value = values[joint.name] if joint.moves else 0.0
            else:
                leader, factor, offset = joint.mimic
                value = factor * values[leader] + offset
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


def _bent(mesh: Mesh, vertices_m: F64) -> Mesh:
    """The mesh with its parts moved, each rigidly: triangles that have an area keep it, so nothing is checked again."""
    other = copy(mesh)
    shape = ("bounds", "center_m", "radius_m", "diameter", "_hull", "is_closed", "is_inside_out", "_piece_volumes")
    for name in shape:
        other.__dict__.pop(name, None)
    vertices_m.flags.writeable = False
    object.__setattr__(other, "vertices_m", vertices_m)
    return other


def _simplified(link: Link, tolerances_m: Sequence[float]) -> list[Link]:
    """With as few triangles as each tolerance allows."""
    if len(link.faces) < 8 or np.ptp(link.vertices_m, axis=0).max() < _LEAST_LINK_M:
        return [link] * len(tolerances_m)
    mesh = Mesh(link.vertices_m, link.faces.astype(np.int32), name=link.name)
    counts = [8 + n for n in np.argsort(np.argsort(-np.asarray(tolerances_m))).tolist()]  # levels go by their counts
    levels = levels_of_detail(mesh, counts, [tolerance / mesh.diameter for tolerance in tolerances_m])
    return [Link(link.name, levels[n].vertices_m, levels[n].faces.astype(np.int64)) for n in counts]
