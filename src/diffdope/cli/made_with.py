"""The flags that a result was made with, from what stands in its file, with its paths where they lie now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from diffdope.cli.input_flags import OF_THE_FORMAT
from diffdope.errors import expected

Flags = TypeVar("Flags")


@dataclass(frozen=True)
class Places:
    """Where the files of a result may lie: paths in it are as they were typed, from a folder that nobody wrote down.

    Attributes:
        folder: of the result.
        root: the folder that they begin from, if somebody knows; None to look here and in the folders above the result.
    """

    folder: Path
    root: Path | None = None

    @property
    def title(self) -> str:
        """The folder's name: pages are sent to others, whom the path to it does not concern."""
        return self.folder.resolve().name or "result"

    def find(self, path: str) -> Path:
        """Where a file is; the path as it was typed where it is nowhere."""
        typed = Path(path)
        if typed.is_absolute() and self.root is None:
            return typed
        above = (self.folder.resolve(), *self.folder.resolve().parents)
        for start in (Path(), *above) if self.root is None else (self.root,):
            if (start / typed).exists():
                return start / typed
        return typed


def flags_of(kind: type[Flags], inputs: Mapping[str, Any], places: Places, **given: Any) -> Flags:
    """The arguments of a command, of the inputs that its result names; names that it does not know are passed over.

    Args:
        kind: dataclass of the arguments.
        inputs: as they stand in the file.
        places: where its files are.
        given: wins over them.

    Raises:
        DiffDopeError: if the result does not say what the command needs.
    """
    hints, values = get_type_hints(kind), dict(given)
    for name, value in inputs.items():
        if name not in hints or name in given or value in (None, OF_THE_FORMAT):
            continue
        if Path in (hints[name], *get_args(hints[name])):
            found = [places.find(str(one)) for one in (value if isinstance(value, list) else [value])]
            several = isinstance(value, list) or get_origin(hints[name]) is tuple  # of which one may stand alone
            values[name] = tuple(found) if several else found[0]
        else:
            values[name] = tuple(value) if isinstance(value, list) else value
    try:
        return kind(**values)
    except TypeError as error:
        known = ", ".join(inputs) or "none"
        needed = ", ".join(field.name for field in fields(kind) if field.name not in values)  # type: ignore[arg-type]
        raise expected("result", f"inputs such as {needed}", known, "make it again with this version") from error
