"""The annotator's panel and keys: what is pressed becomes a command, and fields say what is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from diffdope.annotate.editor import Editor
from diffdope.annotate.seeing import thumbnail
from diffdope.annotate.state import Origin, Placement
from diffdope.viewer.window import as_html, as_markdown

Command = Callable[[], str | None]

MODES = {
    "drag": "", "put": "click where the object stands", "points": "click a point on the model",
    "box": "drag a box around the object",
}  # fmt: skip
"""What the mouse does, and what the window asks for."""
_HINT = (
    "drag: the gizmo (G); put: click where it stands; points: click model and photograph in turns; box: drag a box "
    "around it, and it is located there (B)"
)
_KEYS = (
    "after a click on the picture:", "R refine, X checked, Z undo, Y redo",
    "N next picture, P previous, M next to do", "T next object, delete removes it", "B box, G gizmo",
    "V see through, H hide", "J L I K U O move by a step, with shift turn", "arrows and wheel move, too",
)  # fmt: skip
STEPS_MM = ("0.2", "1", "5", "20")
_DEG_PER_MM = 0.5  # a step turns by so much, so that both look about alike on an object of 20 cm
# Keys of viser's camera are W A S D Q E, so these lie on the other side; with Shift, they turn.
MOVES = {"J": "left", "L": "right", "I": "up", "K": "down", "U": "nearer", "O": "farther"}
TURNS = {"J": ("y", 1.0), "L": ("y", -1.0), "I": ("x", 1.0), "K": ("x", -1.0), "U": ("z", -1.0), "O": ("z", 1.0)}
ARROWS = {"arrowleft": "left", "arrowright": "right", "arrowup": "up", "arrowdown": "down"}
FROM = {
    Origin.HAND: "by hand", Origin.POINTS: "from points", Origin.REFINED: "refined", Origin.LOCATED: "located",
    Origin.SCENE: "from another picture", Origin.TRACKED: "tracked",
    Origin.FILE: "from scene_gt.json", Origin.BEFORE: "of the picture before",
}  # fmt: skip


class Does(Protocol):
    """What a window does for its panel."""

    def do(self, command: Command, busy: str = "") -> None:
        """Runs a command and shows what came of it."""

    def use_mouse(self, mode: str) -> None:
        """Lets clicks mean something else."""

    def look_through(self, client: Any, *, zoom: bool = False) -> None:
        """Puts a browser into the camera's place."""

    def hold(self, held: bool) -> None:
        """Keeps browsers there, or lets them go."""


class Panel:
    """Fields, buttons and keys.

    Args:
        gui: of a server of viser.
        editor: the commands.
        window: what does them.
    """

    def __init__(self, gui: Any, editor: Editor, window: Does) -> None:
        self._gui, self._editor, self._window = gui, editor, window
        gui.configure_theme(control_width="medium", show_share_button=False)
        gui.main_panel.dock_right()
        self._windows = gui.add_markdown("", visible=False)
        self._message = gui.add_markdown("")
        with gui.add_folder("picture"):
            self._add_picture()
        with gui.add_folder("object"):
            self._add_object()
        with gui.add_folder("pose"):
            self._add_pose()
        with gui.add_folder("keys", expand_by_default=False):
            gui.add_markdown(as_markdown(_KEYS))
        self._arrows: list[Any] = []
        self._add_keys()

    @property
    def clear(self) -> bool:
        """Whether models can be seen through."""
        return bool(self._see_through.value)

    @property
    def hidden(self) -> bool:
        """Whether the photograph is shown alone."""
        return bool(self._hide.value)

    def tell(self, words: str) -> None:
        """Shows a line."""
        self._message.content = as_markdown((words or "ready",))

    def tell_windows(self, count: int) -> None:
        """Says so where several browsers show the session."""
        text = f"{count} windows show this session: they share picture, selection and what the mouse does"
        self._windows.content = as_markdown((text,))
        self._windows.visible = count > 1

    def nudge(self, direction: str, steps: int = 1) -> str:
        """Moves the selected object by steps of the size that is chosen."""
        return self._editor.nudge(direction, steps * float(self._step.value))

    def fill(self) -> None:
        """Lets the fields say what the session's state is."""
        editor, state = self._editor, self._editor.session.state
        placed, current = state.within(state.im_id), state.current
        number, count = editor.session.pictures.index(state.im_id) + 1, len(editor.session.pictures)
        some = f"{len(placed)} object{'' if len(placed) == 1 else 's'}, {sum(one.checked for one in placed)} checked"
        if count > 1:
            some += f"; {count - len(state.to_do(editor.session.pictures))} of {count} pictures done"
        self._where.content = as_markdown((f"picture {number} of {count}: {editor.pictures.name(state.im_id)}", some))
        self._number.value = number
        names = tuple(self._name(one) for one in placed) or ("none",)
        if tuple(self._things.options) != names:
            self._things.options = names
        self._things.value = names[0] if current is None else self._name(current)
        self._said.content = as_markdown(said_of(current, editor))
        self._checked.value = current is not None and current.checked
        self._ambiguous.value = current is not None and current.ambiguous

    def _add_picture(self) -> None:
        gui, editor, window = self._gui, self._editor, self._window
        self._where = gui.add_markdown("")
        count = len(editor.session.pictures)
        self._number = gui.add_number("number", 1, min=1, max=count, step=1, visible=count > 1)
        self._number.on_update(self._go_to)
        self._buttons("go", {"previous": lambda: editor.go(-1), "next": lambda: editor.go(1), "to do": editor.go_to_do})
        view = gui.add_button_group("view", ("whole picture", "zoom"))
        view.on_click(lambda event: window.look_through(event.client, zoom=view.value == "zoom"))
        held = gui.add_checkbox("hold the view", True, hint="arrows and wheel then move the object")
        held.on_update(lambda _: self._hold(bool(held.value)))

    def _add_object(self) -> None:
        gui, editor = self._gui, self._editor
        self._models = gui.add_dropdown("model", [editor.name_of(one) for one in editor.session.objects])
        self._models.on_update(lambda _: self._show_model())
        self._picture = gui.add_html("", visible=len(editor.session.objects) > 1)
        self._show_model()
        gui.add_button("add").on_click(lambda _: self._window.do(lambda: editor.add(self._model())))
        self._things = gui.add_dropdown("selected", ["none"])
        self._things.on_update(self._select)
        self._buttons("change", {"undo": self._undo, "redo": self._redo, "remove": editor.remove})

    def _add_pose(self) -> None:
        gui, editor, window = self._gui, self._editor, self._window
        self._said = gui.add_markdown("")
        self._buttons("snap", {"refine": editor.refine, "locate": editor.locate}, busy=True)
        self._checked = gui.add_checkbox("checked", False)
        self._checked.on_update(lambda event: self._mark(event, checked=self._checked.value))
        self._ambiguous = gui.add_checkbox("ambiguous", False)
        self._ambiguous.on_update(lambda event: self._mark(event, ambiguous=self._ambiguous.value))
        self._mouse = gui.add_dropdown("mouse", tuple(MODES), hint=_HINT)
        self._pairs = self._buttons("points", {"solve": editor.solve, "drop a point": editor.drop_pair})
        self._pairs.visible = False
        self._mouse.on_update(lambda _: self._use_mouse())
        self._step = gui.add_dropdown("step, mm", STEPS_MM, initial_value="1")
        self._see_through = gui.add_checkbox("see through", False)
        self._hide = gui.add_checkbox("hide", False, hint="the photograph alone: press H to and fro to compare")
        for box in (self._see_through, self._hide):
            box.on_update(lambda _: window.do(lambda: None))

    def _buttons(self, label: str, commands: dict[str, Command], *, busy: bool = False) -> Any:
        group = self._gui.add_button_group(label, tuple(commands))
        group.on_click(lambda _: self._window.do(commands[group.value], f"{group.value} ..." if busy else ""))
        return group

    def _add_keys(self) -> None:
        for key, direction in MOVES.items():
            self._key(f"move {direction}", key, None, partial(self.nudge, direction))
            axis, sign = TURNS[key]
            self._key(f"turn about {axis}, {'+' if sign > 0 else '-'}", key, "shift", partial(self._turn, axis, sign))
        for key, direction in ARROWS.items():
            self._arrows.append(self._key(f"{direction}, by arrow", key, None, partial(self.nudge, direction)))
        editor = self._editor
        for key, (label, command) in {
            "R": ("refine", editor.refine), "Z": ("undo", self._undo), "Y": ("redo", self._redo),
            "N": ("next picture", lambda: editor.go(1)), "P": ("previous picture", lambda: editor.go(-1)),
            "X": ("checked", lambda: editor.session.mark(checked=True)), "M": ("next picture to do", editor.go_to_do),
            "T": ("next object", editor.select_next), "delete": ("remove", editor.remove),
        }.items():  # fmt: skip
            self._key(label, key, None, command)
        for label, key, field, value in (
            ("drag with the gizmo", "G", self._mouse, "drag"), ("box around the object", "B", self._mouse, "box"),
            ("see through", "V", self._see_through, None), ("hide", "H", self._hide, None),
        ):  # fmt: skip
            handle = self._gui.add_command(label, hotkey=key)
            handle.on_trigger(partial(_set, field, value))

    def _key(self, label: str, key: str, modifier: str | None, command: Command) -> Any:
        handle = self._gui.add_command(label, hotkey=key, modifier=modifier)
        handle.on_trigger(lambda _: self._window.do(command))
        return handle

    def _use_mouse(self) -> None:
        self._pairs.visible = self._mouse.value == "points"
        self._window.use_mouse(self._mouse.value)

    def _go_to(self, event: Any) -> None:
        if _is_users(event):
            self._window.do(lambda: self._editor.look_at(int(self._number.value)))

    def _hold(self, held: bool) -> None:
        """viser's camera has the arrows too; they are the object's only while the view is put back."""
        for arrow in self._arrows:
            arrow.disabled = not held
        self._window.hold(held)

    def _turn(self, axis: str, sign: float) -> str:
        return self._editor.turn(axis, sign * _DEG_PER_MM * float(self._step.value))

    def _undo(self) -> str:
        return "taken back" if self._editor.session.undo() else "there is nothing to take back"

    def _redo(self) -> str:
        return "made again" if self._editor.session.redo() else "there is nothing to make again"

    def _model(self) -> int:
        return int(self._models.value.split()[0])

    def _show_model(self) -> None:
        self._picture.content = as_html("", thumbnail(self._editor.mesh_of(self._model())))

    def _select(self, event: Any) -> None:
        number = self._things.value.split(":")[0]
        if _is_users(event) and number.isdecimal():
            self._window.do(lambda: self._editor.select(int(number)))

    def _mark(self, event: Any, **marks: bool) -> None:
        if _is_users(event):
            self._window.do(lambda: self._editor.session.mark(**marks))

    def _name(self, one: Placement) -> str:
        return f"{one.thing}: model {self._editor.name_of(self._editor.session.state.obj_id(one.thing))}"


def _set(field: Any, value: str | None, _: Any) -> None:
    """Gives a field a value, or turns a box over; what the field does when it is changed comes of that."""
    field.value = (not field.value) if value is None else value


def _is_users(event: Any) -> bool:
    """Whether a field was changed in a browser, and not by this program."""
    return event.client_id is not None


def said_of(current: Placement | None, editor: Editor) -> tuple[str, ...]:
    """What is known of the selected pose, in lines."""
    if current is None:
        return ("no object is selected",)
    x, y, z = 1e3 * current.pose.apply(editor.mesh.center_m)
    lines = [f"{FROM[current.origin]}: middle at ({x:.1f}, {y:.1f}, {z:.1f}) mm"]
    if not current.is_annotation:
        lines.append("not in the files until it is moved, refined or checked")
    if current.confidence is not None:
        lines.append(f"confidence {current.confidence:.2f}")
    if current.sigma_mm is not None and current.sigma_deg is not None:
        lines.append(f"sigma {current.sigma_mm:.2g} mm, {current.sigma_deg:.2g} deg at most")
    return tuple(lines)
