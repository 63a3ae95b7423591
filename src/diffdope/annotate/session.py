"""An annotation session without a screen: what each command changes, undo, and a still scene's shared poses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from diffdope.annotate.state import Annotations, Origin, Placement
from diffdope.annotate.undo import History
from diffdope.errors import DiffDopeError, as_floats, check_choice, check_shape, expected
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose

_MOST_UNDO = 500  # steps that can be taken back
_SAME_M, _SAME_RAD = 1e-6, 1e-6  # a pose that is no further off is the one that was checked


class Session:
    """The commands of an annotator.

    Every change calls `saved` with the new state before the command returns, so that nothing is lost when the process
    is killed then.

    Args:
        pictures: numbers of the pictures, in their order, at least one.
        objects: numbers of the models that there are.
        state: to go on with; None to begin.
        cameras: T_w2c of the pictures whose cameras' places are known.
        still: whether objects stand still in the world: then their poses are shared over those pictures.
        saved: takes each new state; an error that it raises undoes the change and goes on to the caller.
        history: states that undo and redo go through, of a run before; none where one of them is of other pictures or
            objects.
        recorded: takes what undo and redo go through, and the state, after each change.

    Raises:
        DiffDopeError: if there are no pictures, a still scene has fewer than two cameras of known places, or the state
            is of other pictures or objects.
    """

    def __init__(
        self,
        pictures: Sequence[int],
        objects: Sequence[int],
        *,
        state: Annotations | None = None,
        cameras: Mapping[int, Pose] | None = None,
        still: bool = False,
        saved: Callable[[Annotations], None] = lambda state: None,
        history: History = ([], []),
        recorded: Callable[[History, Annotations], None] = lambda history, state: None,
    ) -> None:
        if not pictures or len(set(pictures)) != len(pictures):
            raise expected("pictures", "at least one, each number once", len(pictures))
        self.pictures, self.objects = tuple(pictures), tuple(objects)
        self._cameras = {im_id: T for im_id, T in (cameras or {}).items() if im_id in self.pictures}
        self.still = still
        if still and len(self._cameras) < 2:
            wanted = "at least two pictures whose cameras' places are known, for a still scene"
            raise expected("cameras", wanted, len(self._cameras), "cam_R_w2c and cam_t_w2c of scene_camera.json")
        self._saved, self._recorded = saved, recorded
        self._done, self._undone = self._known(history)
        self._gesture: str | None = None
        self.state = self._checked(state) if state is not None else Annotations(self.pictures[0])

    def _checked(self, state: Annotations) -> Annotations:
        state.check()
        for im_id in {state.im_id, *(one.im_id for one in state.placements)}:
            if im_id not in self.pictures:
                raise expected("state", f"pictures {self.pictures[0]} to {self.pictures[-1]}", im_id)
        for thing in state.things:
            if thing.obj_id not in self.objects:
                known = ", ".join(map(str, self.objects))
                raise expected("state", f"objects {known}", thing.obj_id, "give the mesh of this object too")
        return state

    def _known(self, history: History) -> History:
        try:
            done, undone = ([self._checked(state) for state in states] for states in history)
        except DiffDopeError:
            return [], []
        return done, undone

    # What is looked at.

    def go_to(self, im_id: int) -> None:
        """Looks at another picture. One without objects begins with those of the picture that was left.

        Raises:
            DiffDopeError: if there is no such picture.
        """
        if self.state.within(im_id) or not self.state.within(self.state.im_id):
            self.look_at(im_id)
            return
        self._check_picture(im_id)
        carried = [Placement(im_id, one.thing, one.pose, Origin.BEFORE) for one in self.state.within(self.state.im_id)]
        self._change(self.state.with_placements(*carried).looking_at(im_id))

    def look_at(self, im_id: int) -> None:
        """Looks at another picture, and brings no poses along.

        Raises:
            DiffDopeError: if there is no such picture.
        """
        self._check_picture(im_id)
        if im_id != self.state.im_id:
            self._look(self.state.looking_at(im_id))

    def _check_picture(self, im_id: int) -> None:
        if im_id not in self.pictures:
            raise expected("picture", f"one of {self.pictures[0]} to {self.pictures[-1]}", im_id)

    def step(self, by: int) -> bool:
        """Looks at the next picture (1) or the one before (-1); False at the end."""
        place = self.pictures.index(self.state.im_id) + by
        if not 0 <= place < len(self.pictures):
            return False
        self.go_to(self.pictures[place])
        return True

    def select(self, thing: int) -> None:
        """Works on another object of this picture.

        Raises:
            DiffDopeError: if it is not in this picture.
        """
        if self.state.at(self.state.im_id, thing) is None:
            known = ", ".join(str(one.thing) for one in self.state.within(self.state.im_id)) or "there is none"
            raise expected("object", f"one of this picture: {known}", thing)
        self._look(replace(self.state, selected=thing))

    # What changes.

    def add(self, obj_id: int, pose: Pose, origin: Origin = Origin.HAND) -> int:
        """Puts one more object into this picture, and selects it; returns its number.

        Raises:
            DiffDopeError: if there is no such model.
        """
        check_choice("object", str(obj_id), [str(one) for one in self.objects])
        state = self.state.with_thing(obj_id)
        assert state.selected is not None
        self._place(state, Placement(state.im_id, state.selected, pose, origin))
        return state.selected

    def move(
        self,
        pose: Pose,
        origin: Origin = Origin.HAND,
        *,
        gesture: str | None = None,
        confidence: float | None = None,
        sigma_mm: float | None = None,
        sigma_deg: float | None = None,
        ambiguous: bool = False,
    ) -> None:
        """Gives the selected object another pose; what was said about the old one is forgotten.

        Args:
            pose: model to camera.
            origin: where it comes from.
            gesture: of one drag, all moves have the same name; they are undone together.
            confidence: of the pose.
            sigma_mm: of the object's middle.
            sigma_deg: of its rotation.
            ambiguous: whether the picture cannot tell it.

        Raises:
            DiffDopeError: if no object is selected.
        """
        old = self._selected()
        said = {"confidence": confidence, "sigma_mm": sigma_mm, "sigma_deg": sigma_deg, "ambiguous": ambiguous}
        self._place(self.state, Placement(old.im_id, old.thing, pose, origin, **said), gesture)  # type: ignore[arg-type]

    def nudge(
        self,
        shift_m: ArrayLike = (0.0, 0.0, 0.0),
        turn_rad: ArrayLike = (0.0, 0.0, 0.0),
        middle_m: ArrayLike = (0.0, 0.0, 0.0),
    ) -> None:
        """Moves and turns the selected object a little.

        Args:
            shift_m: (3,) along the camera's axes, metres.
            turn_rad: (3,) about the camera's axes, radians.
            middle_m: (3,) the point of the model, in its frame, that it turns about.

        Raises:
            DiffDopeError: if no object is selected, or these are no three numbers.
        """
        shift, turn, middle = (as_floats(name, value) for name, value in
                               (("shift_m", shift_m), ("turn_rad", turn_rad), ("middle_m", middle_m)))  # fmt: skip
        for name, value in (("shift_m", shift), ("turn_rad", turn), ("middle_m", middle)):
            check_shape(name, value, (3,))
        old = self._selected().pose
        R = so3.exp(turn) @ old.R_m2c
        self.move(Pose(R, old.apply(middle) + shift - R @ middle))

    def mark(self, *, checked: bool | None = None, ambiguous: bool | None = None) -> None:
        """Says that the selected pose was looked at, or that the picture cannot tell it.

        Raises:
            DiffDopeError: if no object is selected.
        """
        old = self._selected()
        new = replace(
            old, checked=old.checked if checked is None else checked,
            ambiguous=old.ambiguous if ambiguous is None else ambiguous,
        )  # fmt: skip
        if (new.checked, new.ambiguous) != (old.checked, old.ambiguous):
            self._change(self.state.with_placements(new))

    def remove(self) -> None:
        """Takes the selected object out of this picture; of a still scene, out of all that share it.

        Raises:
            DiffDopeError: if no object is selected.
        """
        old = self._selected()
        state = self.state
        for im_id in self._sharing(old.im_id):
            if im_id != old.im_id:
                state = replace(state, placements=tuple(p for p in state.placements if p.key != (im_id, old.thing)))
        self._change(state.without(old.im_id, old.thing))

    # Undo.

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether something was taken back."""
        return bool(self._undone)

    def undo(self) -> bool:
        """Takes the last change back; False if there is none."""
        return self._exchange(self._done, self._undone)

    def redo(self) -> bool:
        """Makes the change that was taken back; False if there is none."""
        return self._exchange(self._undone, self._done)

    def _exchange(self, source: list[Annotations], other: list[Annotations]) -> bool:
        if not source:
            return False
        self._saved(source[-1])
        other.append(self.state)
        self.state = source.pop()
        self._gesture = None
        self._recorded((self._done, self._undone), self.state)
        return True

    def _look(self, state: Annotations) -> None:
        """Another place to look at: no change that could be taken back, but where a restart begins."""
        self._saved(state)
        self.state, self._gesture = state, None
        self._recorded((self._done, self._undone), state)

    def _change(self, state: Annotations, gesture: str | None = None) -> None:
        self._saved(state)
        if gesture is None or gesture != self._gesture:
            self._done.append(self.state)
            del self._done[:-_MOST_UNDO]
        self._undone.clear()
        self.state, self._gesture = state, gesture
        self._recorded((self._done, self._undone), state)

    def _selected(self) -> Placement:
        current = self.state.current
        if current is None:
            raise expected("object", "one that is selected", "none", "add an object, or click one")
        return current

    def _sharing(self, im_id: int) -> tuple[int, ...]:
        """The pictures in which an object of this one stands where the cameras say."""
        return tuple(self._cameras) if self.still and im_id in self._cameras else (im_id,)

    def _place(self, state: Annotations, placed: Placement, gesture: str | None = None) -> None:
        """Places an object in its picture, and in those that share it."""
        all_placed = [placed]
        for im_id in self._sharing(placed.im_id):
            if im_id == placed.im_id:
                continue
            pose = self._cameras[im_id] @ self._cameras[placed.im_id].inverse() @ placed.pose
            old = state.at(im_id, placed.thing)
            if old is not None and _same(old.pose, pose):
                continue
            shared = replace(placed, im_id=im_id, pose=pose, origin=Origin.SCENE, checked=False)
            all_placed.append(shared)
        self._change(state.with_placements(*all_placed), gesture)


def _same(one: Pose, other: Pose) -> bool:
    return one.distance_to(other) <= _SAME_M and one.angle_to(other) <= _SAME_RAD and bool(np.isfinite(one.t_m2c).all())
