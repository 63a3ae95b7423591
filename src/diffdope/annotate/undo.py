"""What can be taken back, and made again, in a file: each state by what it has otherwise than the one after it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from diffdope.annotate.state import AnnotatedObject, Annotations, Placement
from diffdope.errors import expected
from diffdope.io.plain import from_plain, to_plain

History = tuple[list[Annotations], list[Annotations]]
"""States that undo goes back through, and those that redo does; of each, the next one is the last."""


class UndoText:
    """Writes histories; a step that was written before is not looked at again."""

    def __init__(self) -> None:
        self._steps: dict[tuple[int, int], tuple[Annotations, Annotations, dict[str, Any]]] = {}

    def entry(self, history: tuple[Sequence[Annotations], Sequence[Annotations]], state: Annotations) -> dict[str, Any]:
        """The history of a state, as JSON can hold it.

        Args:
            history: what undo and redo go through.
            state: that they start from.
        """
        used: dict[tuple[int, int], tuple[Annotations, Annotations, dict[str, Any]]] = {}
        chains = []
        for states in history:
            pairs = zip((state, *reversed(states)), reversed(states), strict=False)
            chains.append([self._step(one, other, used) for one, other in pairs])
        self._steps = used
        return {"of": signature(state), "undo": chains[0], "redo": chains[1]}

    def _step(
        self, one: Annotations, other: Annotations,
        used: dict[tuple[int, int], tuple[Annotations, Annotations, dict[str, Any]]],
    ) -> dict[str, Any]:  # fmt: skip
        key = id(one), id(other)
        used[key] = self._steps[key] if key in self._steps else (one, other, step_between(one, other))
        return used[key][2]


def history_of(entry: Mapping[str, Any], state: Annotations) -> History:
    """The history of a state, of what `UndoText` wrote; none where it is another state's.

    Args:
        entry: as it came from JSON.
        state: that was loaded.

    Raises:
        DiffDopeError: if it is broken.
    """
    if entry.get("of") != signature(state):
        return [], []
    histories = []
    for name in ("undo", "redo"):
        states, current = [], state
        for k, step in enumerate(entry.get(name, ())):
            current = after_step(current, step, f"{name}[{k}]")
            states.append(current)
        histories.append(states[::-1])
    return histories[0], histories[1]


def signature(state: Annotations) -> str:
    """What tells a state from any other."""
    return hashlib.sha256(json.dumps(to_plain(state)).encode()).hexdigest()[:24]


def step_between(one: Annotations, other: Annotations) -> dict[str, Any]:
    """What makes the other state of one."""
    before = {placed.key: placed for placed in one.placements}
    after = {placed.key: placed for placed in other.placements}
    changed = [to_plain(placed) for key, placed in after.items() if before.get(key) is not placed]
    step = {"im_id": other.im_id, "selected": other.selected, "placements": changed}
    if gone := [list(key) for key in before if key not in after]:
        step["gone"] = gone
    if one.things != other.things:
        step["things"] = to_plain(other.things)
    return step


def after_step(state: Annotations, step: Any, where: str) -> Annotations:
    """The state that a step leads to.

    Raises:
        DiffDopeError: if the step is broken, or leads to what cannot be.
    """
    if not isinstance(step, dict):
        raise expected(where, "an object", type(step).__name__)
    changed = from_plain(tuple[Placement, ...], step.get("placements"), f"{where}, placements")
    gone = {tuple(key) for key in from_plain(tuple[tuple[int, int], ...], step.get("gone", []), f"{where}, gone")}
    things = state.things
    if "things" in step:
        things = from_plain(tuple[AnnotatedObject, ...], step["things"], f"{where}, things")
    kept = tuple(one for one in state.placements if one.key not in gone)
    moved = replace(state, things=things, placements=kept).with_placements(*changed)
    made = replace(
        moved, im_id=from_plain(int, step.get("im_id"), f"{where}, im_id"),
        selected=from_plain(int | None, step.get("selected"), f"{where}, selected"),
    )  # fmt: skip
    made.check()
    return made
