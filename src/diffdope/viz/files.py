"""Files appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`, which takes its place if the block succeeds and vanishes if not."""
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def save_png(path: Path, picture: NDArray[np.uint8]) -> None:
    """Writes (H, W, 3) uint8."""
    from PIL import Image

    with atomic(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG")
