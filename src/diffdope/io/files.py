"""Files and folders appear whole or not at all, and what stood there before is lost only when the new is complete."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from diffdope.errors import DiffDopeError, expected, none_at, refused
from diffdope.io.former_files import Kind, take_over
from diffdope.io.interrupts import interrupts_recorded
from diffdope.io.written import put_in_place

_FULL = {getattr(errno, name, errno.ENOSPC) for name in ("ENOSPC", "EDQUOT", "EFBIG")}  # Windows lacks some


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`, which takes its place if the block succeeds and vanishes if not."""
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        with _named(temporary, path):
            yield temporary
            temporary.replace(path)
            put_in_place(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _named(temporary: Path, path: Path) -> Iterator[None]:
    """Errors name the file that was asked for, for nobody knows the temporary one, or what is within it."""
    try:
        yield
    except OSError as error:
        name = str(error.filename or "")
        if not name and error.errno in _FULL:  # a write that failed knows no name
            raise OSError(error.errno, error.strerror, str(path)) from error
        if name != str(temporary) and not name.startswith(f"{temporary}{os.sep}"):
            raise
        asked = f"{path}{name.removeprefix(str(temporary))}"
        raise OSError(error.errno, error.strerror, asked) from error


def is_file(path: Path) -> bool:
    """Whether there is such a file; there is none of a name that no file can have: too long, or with a zero in it."""
    return _is(path, Path.is_file)


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; see `is_file`."""
    return _is(path, Path.is_dir)


def _is(path: Path, asked: Callable[[Path], bool]) -> bool:
    try:
        return asked(path)
    except ValueError:
        return False
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return False


def missing_file(name: str, kind: str, path: object) -> DiffDopeError:
    """The error of a path at which there is no file: it may be a folder.

    Args:
        name: the argument to blame.
        kind: what the file should be, with its article: "an image file".
        path: of the file.
    """
    if isinstance(path, str | os.PathLike) and is_folder(Path(path)):
        return expected(name, kind, f"the folder {path}", "give one of its files")
    return none_at(name, kind, path)


def unreadable(path: Path, name: str, error: OSError | ValueError) -> DiffDopeError:
    """The error of a file that could not be read; see `bytes_of`."""
    folder = isinstance(error, IsADirectoryError)
    why = "it is a folder: give one of its files" if folder else getattr(error, "strerror", None) or str(error)
    return refused(name, f"cannot read {path}: {why}")


def bytes_of(path: Path, name: str) -> bytes:
    """What a file holds.

    Args:
        path: the file.
        name: the argument to blame.

    Raises:
        DiffDopeError: if it cannot be read.
    """
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # the latter of a zero in its name
        raise unreadable(path, name, error) from error


def write_durably(path: Path, text: str) -> None:
    """Replaces `path` at once and waits for the disk: a crash leaves the old file or the new one.

    Raises:
        OSError: if the folder cannot be written; the old file stays.
    """
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes a rename last; where folders cannot be opened (Windows) the system sees to it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, entry: Mapping[str, Any]) -> None:
    """Writes indented JSON, whole or not at all.

    Raises:
        ValueError: for NaN and infinity, which JSON does not have: see `diffdope.io.plain`.
    """
    text = json.dumps(dict(entry), indent=2, allow_nan=False) + "\n"
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def results_folder(out: Path, kind: Kind) -> Iterator[Path]:
    """Yields a temporary folder; if the block succeeds, its files replace those that a former run wrote into `out`.

    Files that no run wrote stay, and those of runs of another kind.

    Args:
        out: the folder.
        kind: of what is written.

    Raises:
        KeyboardInterrupt: after all files are in their places, if it came while they were put there.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary: Path | None = None
    try:
        with interrupts_recorded():
            temporary = _temporary_in(out.parent, out, "out")
        with _named(temporary, out):
            yield temporary
            _move_all(temporary, out, kind)
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _temporary_in(parent: Path, out: Path, name: str) -> Path:
    """A new folder beside `out`; making it is the only sure sign that one can be made.

    Raises:
        DiffDopeError: if none can.
    """
    try:
        return Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=parent))
    except (OSError, ValueError) as error:
        cure = f"{parent} is not writable ({getattr(error, 'strerror', None) or error})"
        raise expected(name, "a folder that can be written", f"{out}", cure) from error


def _move_all(temporary: Path, out: Path, kind: Kind) -> None:
    try:
        with interrupts_recorded():  # files of two runs would not belong together
            out.mkdir(exist_ok=True)
            names = sorted(path.relative_to(temporary) for path in temporary.rglob("*") if path.is_file())
            for name in names:
                (out / name).parent.mkdir(exist_ok=True)
                (temporary / name).replace(out / name)
            take_over(out, kind, [PurePosixPath(name.as_posix()) for name in names])
            put_in_place(out)
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(f"interrupted; {out} had been written") from interrupt


def check_folder(out: Path, name: str = "out") -> None:
    """Refuses a folder that cannot be written, before any work is done.

    Args:
        out: the folder; it need not exist.
        name: the argument to blame.

    Raises:
        DiffDopeError: if `out` is a file, or its nearest parent that exists is none or read-only.
    """
    folder = is_folder(out)
    if not folder and _is(out, Path.exists):
        raise expected(name, "a folder", f"the file {out}")
    parent = out if folder else out.absolute().parent
    while not _is(parent, Path.exists):
        parent = parent.parent
    if not parent.is_dir():
        raise expected(name, "a folder that can be written", f"{out}", f"{parent} is not writable")
    _temporary_in(parent, out, name).rmdir()  # permissions say too little: of root, and of file systems that are none


def check_csv(out: Path) -> None:
    """Refuses a CSV file that cannot be written. Its folder is made with it: what is refused later leaves none.

    Raises:
        DiffDopeError: if `out` is a folder or does not end in .csv, or its folder cannot be written.
    """
    if out.suffix.lower() != ".csv" or out.is_dir():
        raise expected("out", "a file ending in .csv", str(out))
    check_folder(out.absolute().parent)
