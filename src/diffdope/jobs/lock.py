"""One writer a file, over all processes of a machine; the lock of a killed process is free at once."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from diffdope.errors import expected


class WriterLock:
    """Held from construction to `release`; FILE.lock is beside the file meanwhile."""

    def __init__(self, path: Path) -> None:
        """Takes the lock, or fails at once.

        Raises:
            DiffDopeError: if another process has it.
            OSError: if the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        self._path = path.with_name(f"{path.name}.lock")
        self._lock = FileLock(self._path)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            cure = "wait for it, stop it, or choose another name"
            raise expected(str(path), "no other process that writes it", f"one that holds {self._path}", cure) from None

    def release(self) -> None:
        """Gives the lock back and removes its file.

        It is removed while it is held: whoever opened it before finds, having locked it, that it has lost its name
        (filelock checks that), and tries again.
        """
        if self._lock.is_locked:
            with suppress(OSError):  # Windows does not remove an open file
                self._path.unlink(missing_ok=True)
            self._lock.release()
