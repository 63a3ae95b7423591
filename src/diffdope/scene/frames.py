"""Frames of a video, read one at a time: folders of images with the same names, or a film."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, check_positive, expected
from diffdope.scene.images import read_image, read_mask, read_rgb

_IMAGES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".npy"})


@dataclass(frozen=True)
class Frame:
    """What the files of one moment hold, unchanged: see `Observation` for what it takes.

    Attributes:
        name: stem of its files, or its number in the film.
        time_s: seconds from the first frame.
        rgb: (H, W, 3) or (H, W), or None.
        depth: (H, W), or None.
        mask: (H, W), or None.
    """

    name: str
    time_s: float
    rgb: NDArray[Any] | None = None
    depth: NDArray[Any] | None = None
    mask: NDArray[Any] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of its images."""
        image = next(image for image in (self.rgb, self.depth, self.mask) if image is not None)
        return image.shape[0], image.shape[1]


class Frames(Protocol):
    """A video: `count` is None where only reading it to its end would tell."""

    @property
    def count(self) -> int | None: ...  # noqa: D102

    @property
    def fps(self) -> float: ...  # noqa: D102

    def read(self, first: int = 0) -> Iterator[Frame]:
        """The frames from number `first` on; only one is in memory."""
        ...


class ImageFolders:
    """Images in folders, one folder for each kind, sorted by name; the same stem is the same moment.

    Args:
        folders: "rgb", "depth" and "mask", any of them.
        fps: frames a second.

    Raises:
        DiffDopeError: if a folder is missing or empty, holds a stem twice, or lacks one that the first has.
    """

    def __init__(self, folders: dict[str, Path], *, fps: float = 30.0) -> None:
        check_positive("fps", fps)
        if not folders:
            raise expected("images", "at least one of rgb, depth and mask", "none")
        self.fps = fps
        self._files = {name: _by_stem(name, folder) for name, folder in folders.items()}
        first = next(iter(folders))
        self.names = sorted(self._files[first])
        for name, files in self._files.items():
            missing = [stem for stem in self.names if stem not in files]
            if missing:
                wanted = f"an image for each of the {len(self.names)} of {first}"
                raise expected(name, wanted, f"none for {len(missing)} of them, such as {missing[0]}")

    @property
    def count(self) -> int | None:
        """Number of frames."""
        return len(self.names)

    def read(self, first: int = 0) -> Iterator[Frame]:
        """The frames from number `first` on."""
        readers = {"rgb": read_rgb, "depth": lambda path: read_image("depth", path), "mask": read_mask}
        for k in range(first, len(self.names)):
            name = self.names[k]
            images = {kind: readers[kind](files[name]) for kind, files in self._files.items()}
            yield Frame(name, k / self.fps, **images)


def _by_stem(name: str, folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise DiffDopeError(f"{name}: expected a folder of images, but there is none at {folder}")
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in _IMAGES:
            continue
        if path.stem in files:
            raise expected(name, "each name once", f"{files[path.stem].name} and {path.name} in {folder}")
        files[path.stem] = path
    if not files:
        raise expected(name, f"images in {folder}", "none", f"known endings: {', '.join(sorted(_IMAGES))}")
    return files


class Film:
    """A film, decoded by PyAV.

    Args:
        path: any file that ffmpeg reads.
        fps: frames a second; None for what the film says.

    Raises:
        DiffDopeError: if PyAV is missing, or the file is none or holds no pictures.
    """

    def __init__(self, path: Path, *, fps: float | None = None) -> None:
        if not path.is_file():
            raise DiffDopeError(f"rgb: expected a film or a folder of images, but there is none at {path}")
        if find_spec("av") is None:
            cure = 'pip install "diffdope[video]", or give a folder of images'
            raise expected("rgb", f"PyAV, which reads the film {path.name}", "none", cure)
        if fps is not None:
            check_positive("fps", fps)
        self._path = path
        with self._open() as container:
            stream = container.streams.video[0]
            self.count: int | None = stream.frames or None
            self._own_times = fps is None
            self.fps = float(fps or stream.average_rate or 30.0)

    def _open(self) -> Any:
        import av

        try:
            container = av.open(str(self._path))
        except (av.FFmpegError, OSError) as error:
            raise expected("rgb", f"a film in {self._path}", f"unreadable data ({error})") from error
        if not container.streams.video:
            container.close()
            raise expected("rgb", f"a film in {self._path}", "a file without pictures")
        return container

    def read(self, first: int = 0) -> Iterator[Frame]:
        """The frames from number `first` on; those before are decoded too, since films have no other way."""
        with self._open() as container:
            began: float | None = None
            for k, picture in enumerate(container.decode(video=0)):
                began = picture.time if began is None else began
                if k < first:
                    continue
                timed = self._own_times and picture.time is not None and began is not None
                time_s = float(picture.time - began) if timed else k / self.fps
                yield Frame(f"{k:06d}", time_s, np.asarray(picture.to_ndarray(format="rgb24")))
