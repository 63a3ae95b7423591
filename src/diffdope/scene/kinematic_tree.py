"""Links, joints, and whether they make a tree."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, expected
from diffdope.geometry import so3

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Kind = Literal["revolute", "continuous", "prismatic", "fixed"]
KINDS = ("revolute", "continuous", "prismatic", "fixed")
_BEYOND = 20.0  # times its limits: what slides is that far beyond them in millimetres alone


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
        mimic: (joint, factor, offset) of a joint that follows another one, which may follow a third, or None.
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


def check_within_reach(joint: Joint, value: float, where: str) -> None:
    """Refuses the value of a joint that slides where it is millimetres: many times what its limits allow.

    Args:
        joint: with limits, or without, where nothing is known.
        value: metres.
        where: the argument to blame.

    Raises:
        DiffDopeError: naming the joint and its limits.
    """
    reach = max(abs(joint.lower), abs(joint.upper))
    if joint.kind == "prismatic" and joint.lower < joint.upper < np.inf and abs(value) > _BEYOND * reach:
        limits = f"{joint.lower:g} to {joint.upper:g}"
        raise expected(f"{where}, {joint.name}", f"metres, for it slides ({limits})", f"{value:g}", "millimetres?")


def from_the_root(joints: Sequence[Joint], links: Sequence[str], robot: str) -> tuple[Joint, ...]:
    """The joints so that each comes after that of its parent.

    Args:
        joints: of a robot.
        links: names of its links.
        robot: its name, for messages.

    Raises:
        DiffDopeError: if they make no tree, or a name is missing or used twice.
    """
    for joint in joints:
        for link in (joint.parent, joint.child):
            if link not in links:
                raise no_such(f"joint {joint.name}: link", link, links)
    moving = [joint.name for joint in joints if joint.moves]
    for joint in joints:
        if joint.mimic is not None and joint.mimic[0] not in moving:
            raise no_such(f"joint {joint.name}: mimicked joint", joint.mimic[0], moving)
    children = {joint.child for joint in joints}
    if len(children) != len(joints) or len({joint.name for joint in joints}) != len(joints):
        raise DiffDopeError(f"joints of {robot}: expected each name and each child link once")
    done = set(links) - children
    ordered: list[Joint] = []
    left = list(joints)
    while left:
        ready = [joint for joint in left if joint.parent in done]
        if not ready:
            raise expected(f"joints of {robot}", "a tree", f"a ring through {left[0].parent}")
        ordered += ready
        done |= {joint.child for joint in ready}
        left = [joint for joint in left if joint.child not in done]
    return tuple(ordered)


def led_by_moving(joints: Sequence[Joint]) -> tuple[Joint, ...]:
    """The joints, of which those that follow one that follows another follow the first of them.

    One that follows a fixed joint, which stands at 0, stands where its offset has it.

    Args:
        joints: of a robot.

    Raises:
        DiffDopeError: if joints follow each other in a ring.
    """
    named = {joint.name: joint for joint in joints}
    return tuple(_led_by_first(joint, named) for joint in joints)


def _led_by_first(joint: Joint, named: Mapping[str, Joint]) -> Joint:
    seen = [joint.name]
    while joint.mimic is not None:
        leader = named.get(joint.mimic[0])
        if leader is not None and leader.kind == "fixed":
            return replace(joint, kind="fixed", origin=joint.origin @ joint.motion(joint.mimic[2]), mimic=None)
        if leader is None or leader.mimic is None:
            break
        if leader.name in seen:
            raise expected(f"joint {joint.name}: mimicked joint", "one that moves", f"a ring through {leader.name}")
        seen.append(leader.name)
        (_, outer, shift), (first, factor, offset) = joint.mimic, leader.mimic
        joint = replace(joint, mimic=(first, outer * factor, outer * offset + shift))
    return joint


def root_of(joints: Sequence[Joint], links: Sequence[str], robot: str) -> str:
    """The link that no joint carries; for the arguments see `from_the_root`.

    Raises:
        DiffDopeError: if there is not exactly one.
    """
    children = {joint.child for joint in joints}
    roots = [link for link in links if link not in children]
    if len(roots) != 1:
        cure = "a fixed joint holds what stands beside the robot" if roots else ""
        raise expected(f"links of {robot}", "one root", ", ".join(roots) or "a ring", cure)
    return roots[0]


def no_such(what: str, name: str, names: Sequence[str]) -> DiffDopeError:
    """An error that lists the names there are, and guesses which one was meant."""
    near = difflib.get_close_matches(str(name), names, n=1)
    return expected(what, f"one of {', '.join(names)}", name, f"did you mean {near[0]}?" if near else "")
