"""What has been annotated: values that never change, from one to the next by functions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from diffdope.errors import expected
from diffdope.geometry.pose import Pose


class Origin(StrEnum):
    """Where a pose comes from."""

    HAND = "hand"
    """Placed, dragged or nudged."""
    POINTS = "points"
    """Solved from clicked points."""
    REFINED = "refined"
    LOCATED = "located"
    SCENE = "scene"
    """Of another picture of a still scene, by the known cameras."""
    TRACKED = "tracked"
    """Of a run of `track`."""
    FILE = "file"
    """Of the scene_gt.json that was there."""
    BEFORE = "before"
    """Of the picture before: a start that nobody has looked at, so no file holds it."""


@dataclass(frozen=True, eq=False)
class Placement:
    """One object in one picture.

    Attributes:
        im_id: number of the picture.
        thing: number of the object among those of the session; the same physical object in all pictures.
        pose: model to camera.
        origin: where the pose comes from.
        confidence: of refining or locating; None of other poses.
        sigma_mm: largest deviation of the object's middle; None where unknown.
        sigma_deg: largest deviation of its rotation; None where unknown.
        checked: whether somebody looked at it and agreed.
        ambiguous: whether the picture cannot tell the pose.
    """

    im_id: int
    thing: int
    pose: Pose
    origin: Origin
    confidence: float | None = None
    sigma_mm: float | None = None
    sigma_deg: float | None = None
    checked: bool = False
    ambiguous: bool = False

    @property
    def key(self) -> tuple[int, int]:
        """Picture and object."""
        return self.im_id, self.thing

    @property
    def is_annotation(self) -> bool:
        """Whether it belongs into the files."""
        return self.origin != Origin.BEFORE or self.checked


@dataclass(frozen=True)
class AnnotatedObject:
    """A physical object.

    Attributes:
        number: of the session.
        obj_id: which model.
    """

    number: int
    obj_id: int


@dataclass(frozen=True, eq=False)
class Annotations:
    """Everything that a session knows about the pictures.

    Attributes:
        im_id: the picture that is looked at.
        selected: the object that is worked on; None where there is none.
        things: all objects, in the order in which they were added.
        placements: where they are, at most one an object and picture.
    """

    im_id: int
    selected: int | None = None
    things: tuple[AnnotatedObject, ...] = ()
    placements: tuple[Placement, ...] = ()

    def at(self, im_id: int, thing: int) -> Placement | None:
        """Where an object is in a picture."""
        return next((one for one in self.placements if one.key == (im_id, thing)), None)

    def within(self, im_id: int) -> tuple[Placement, ...]:
        """All objects of a picture, in the order of `things`."""
        order = {thing.number: k for k, thing in enumerate(self.things)}
        return tuple(sorted((p for p in self.placements if p.im_id == im_id), key=lambda p: order[p.thing]))

    def annotations(self, im_id: int) -> tuple[Placement, ...]:
        """Those of a picture that belong into its files."""
        return tuple(one for one in self.within(im_id) if one.is_annotation)

    def to_do(self, pictures: Iterable[int]) -> list[int]:
        """Which of these pictures have no object, or one that nobody has checked."""
        unchecked = {one.im_id for one in self.placements if not one.checked}
        done = {one.im_id for one in self.placements} - unchecked
        return [im_id for im_id in pictures if im_id not in done]

    def obj_id(self, thing: int) -> int:
        """Which model an object has."""
        return next(one.obj_id for one in self.things if one.number == thing)

    @property
    def current(self) -> Placement | None:
        """The selected object in this picture."""
        return None if self.selected is None else self.at(self.im_id, self.selected)

    def with_thing(self, obj_id: int) -> Annotations:
        """With one more object, which is selected."""
        number = 1 + max((thing.number for thing in self.things), default=0)
        return replace(self, things=(*self.things, AnnotatedObject(number, obj_id)), selected=number)

    def with_placements(self, *placed: Placement) -> Annotations:
        """With objects placed, or placed anew."""
        new = {one.key: one for one in placed}
        kept = [new.pop(one.key, one) for one in self.placements]
        return replace(self, placements=(*kept, *new.values()))

    def without(self, im_id: int, thing: int) -> Annotations:
        """Without an object in a picture; one that is in no picture any more is forgotten."""
        kept = tuple(one for one in self.placements if one.key != (im_id, thing))
        there = {one.thing for one in kept}
        things = tuple(one for one in self.things if one.number in there or one.number != thing)
        rest = [one.thing for one in kept if one.im_id == im_id]
        return replace(self, placements=kept, things=things, selected=rest[-1] if rest else None)

    def looking_at(self, im_id: int) -> Annotations:
        """At another picture; the same object stays selected where it is there."""
        there = [one.thing for one in self.within(im_id)]
        selected = self.selected if self.selected in there else there[0] if there else None
        return replace(self, im_id=im_id, selected=selected)

    def check(self) -> None:
        """Refuses what cannot be: files may have been edited.

        Raises:
            DiffDopeError: naming the placement.
        """
        numbers, seen = {thing.number for thing in self.things}, set()
        if len(numbers) != len(self.things):
            raise expected("things", "each number once", len(self.things))
        for one in self.placements:
            if one.thing not in numbers:
                raise expected(f"placement in picture {one.im_id}", "an object of the session", one.thing)
            if one.key in seen:
                raise expected(f"placements in picture {one.im_id}", f"object {one.thing} once", "twice")
            seen.add(one.key)
