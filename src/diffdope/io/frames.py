"""Frames of a video, read one at a time: folders of images with the same names, or a film."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, check_positive, expected, none_at, not_installed
from diffdope.io.files import is_file, is_folder
from diffdope.io.images import ENDINGS, endings_in, read_depth, read_rgb, without_images
from diffdope.io.mask_files import mask_endings
from diffdope.io.masks import MaskFile
from diffdope.io.names import counted, times_of


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
    """Images in folders, one folder for each kind, in the order of their numbers; the same stem is the same moment.

    Where the names count (000010, frame_12, 1403636579.76), the numbers are the clock too: the usual step between
    two of them takes 1 / fps seconds, so that frames that were dropped leave a gap in time. Other names are sorted as
    text and evenly spaced.

    Args:
        folders: "rgb", "depth" and "mask", any of them.
        fps: frames a second.
        mask_label: of the object, where masks hold the labels of several: see `MaskFile`.
        mask_inverted: see `MaskFile`.
        gaps: whether a folder may lack images that the first has: detectors write no mask where they see nothing.

    Attributes:
        missing: of each kind that lacks some, how many.

    Raises:
        DiffDopeError: if a folder is missing or empty, holds a stem twice, or lacks one that the first has (all of
            them, with `gaps`).
    """

    def __init__(
        self,
        folders: dict[str, Path],
        *,
        fps: float = 30.0,
        mask_label: int | None = None,
        mask_inverted: bool | None = None,
        gaps: bool = False,
    ) -> None:
        check_positive("fps", fps)
        if not folders:
            raise expected("images", "at least one of rgb, depth and mask", "none")
        self.fps = fps
        self._files = {name: _by_stem(name, folder) for name, folder in folders.items()}
        first = next(iter(folders))
        self.names = counted(self._files[first])
        self._times_s = times_of(self.names, fps)
        self._mask = partial(MaskFile, label=mask_label, inverted=mask_inverted)
        self.missing: dict[str, int] = {}
        for name, files in self._files.items():
            missing = [stem for stem in self.names if stem not in files]
            if missing and gaps and len(missing) < len(self.names):
                self.missing[name] = len(missing)
            elif missing:
                wanted = f"an image for each of the {len(self.names)} of {first}"
                raise expected(name, wanted, f"none for {len(missing)} of them, such as {missing[0]}")

    @property
    def count(self) -> int | None:
        """Number of frames."""
        return len(self.names)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of the folders."""
        return tuple(self._files)

    def files(self, k: int) -> dict[str, Path]:
        """The files of the k-th frame, by kind, without those that are missing."""
        name = self.names[k]
        return {kind: files[name] for kind, files in self._files.items() if name in files}

    def read(self, first: int = 0) -> Iterator[Frame]:
        """The frames from number `first` on."""
        for k in range(first, len(self.names)):
            name = self.names[k]
            yield Frame(name, self._times_s[k], **self._images(self.files(k)))

    def _images(self, files: dict[str, Path]) -> dict[str, NDArray[Any]]:
        """What the files of one moment hold; the others tell a mask in text its size."""
        images = {kind: _READERS[kind](path) for kind, path in files.items() if kind in _READERS}
        if "mask" in files:
            shape = next((image.shape for image in images.values()), None)
            size = None if shape is None else (shape[0], shape[1])
            images["mask"] = self._mask(files["mask"]).read(size=size).pixels
        return images


_FOLDER = "give the folder that holds it; single images are for refine and locate"
_OF_ONE_PICTURE = ("_pipe", "image2")  # what ffmpeg calls formats of single pictures, whatever the file's ending
_READERS: dict[str, Callable[[Path], NDArray[Any]]] = {"rgb": read_rgb, "depth": read_depth}


def _by_stem(name: str, folder: Path) -> dict[str, Path]:
    if is_file(folder):
        raise expected(name, "a folder of images", f"the single file {folder}", _FOLDER)
    if not is_folder(folder):
        raise none_at(name, "a folder of images", folder)
    files: dict[str, Path] = {}
    listed = sorted(folder.iterdir())
    endings = mask_endings(listed, ENDINGS) if name == "mask" else endings_in(name, listed)
    for path in listed:
        if path.suffix.lower() not in endings:
            continue
        if path.stem in files:
            raise expected(name, "each name once", f"{files[path.stem].name} and {path.name} in {folder}")
        files[path.stem] = path
    if not files:
        raise without_images(name, folder)
    return files


def open_frames(
    folders: dict[str, Path], *, fps: float | None = None, **how: Any
) -> Film | FilmWithFolders | ImageFolders:
    """The frames of image folders, or of a film if that is what "rgb" names, with folders of depth and masks beside it.

    Args:
        folders: "rgb", "depth" and "mask", any of them.
        fps: frames a second; None for what the film says, 30 for folders.
        how: mask_label, mask_inverted and gaps: see `ImageFolders`.

    Raises:
        DiffDopeError: for what `Film`, `FilmWithFolders` and `ImageFolders` refuse.
    """
    rgb = folders.get("rgb")
    if rgb is None or is_folder(rgb):
        return ImageFolders(folders, fps=30.0 if fps is None else fps, **how)
    if is_file(rgb) and rgb.suffix.lower() in ENDINGS:  # which PyAV takes for a film of one frame
        raise _single_image(rgb)
    film = Film(rgb, fps=fps)
    others = {name: folder for name, folder in folders.items() if name != "rgb"}
    return FilmWithFolders(film, others, **how) if others else film


def _single_image(path: Path) -> DiffDopeError:
    return expected("rgb", "a folder of photographs or a film", f"the single image {path}", _FOLDER)


def upright(picture: Any, array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A frame (H, W, 3) turned as its film says it is to be shown: phones film lying on the side.

    Args:
        picture: as PyAV gives it.
        array: its pixels.
    """
    quarters = round(float(getattr(picture, "rotation", 0) or 0) / 90.0) % 4
    return np.ascontiguousarray(np.rot90(array, quarters)) if quarters else array


class FilmWithFolders:
    """A film beside folders of depth or masks, whose files belong to its frames one by one, in their order.

    Args:
        film: the photographs.
        folders: "depth" and "mask", any of them.
        how: mask_label, mask_inverted and gaps: see `ImageFolders`.

    Raises:
        DiffDopeError: for what `ImageFolders` refuses, or if the film says that it has another number of frames.
    """

    def __init__(self, film: Film, folders: dict[str, Path], **how: Any) -> None:
        self._film, self._folders = film, ImageFolders(folders, fps=film.fps, **how)
        self.missing = self._folders.missing
        if film.count is not None:
            self._check(film.count)

    def _check(self, frames: int) -> None:
        if frames != self._folders.count:
            wanted = f"an image for each of the {frames} frames of the film"
            raise expected(" and ".join(self._folders.kinds), wanted, f"{self._folders.count} images")

    @property
    def count(self) -> int | None:
        """Number of frames."""
        return self._folders.count

    @property
    def fps(self) -> float:
        """Frames a second, of the film."""
        return self._film.fps

    def read(self, first: int = 0) -> Iterator[Frame]:
        """The frames from number `first` on."""
        others = self._folders.read(first)
        for number, frame in enumerate(self._film.read(first), first):
            images = next(others, None)
            if images is None:
                self._check(number + 1)
                return
            yield replace(frame, depth=images.depth, mask=images.mask)


class Film:
    """A film, decoded by PyAV.

    Args:
        path: any file that ffmpeg reads.
        fps: frames a second; None for what the film says.

    Raises:
        DiffDopeError: if PyAV is missing, or the file is none or holds no pictures.
    """

    def __init__(self, path: Path, *, fps: float | None = None) -> None:
        if not is_file(path):
            raise none_at("rgb", "a film or a folder of images", path)
        if find_spec("av") is None:
            package = f"PyAV, which reads the film {path.name}"
            raise not_installed("rgb", package, "video", otherwise="or give a folder of images")
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
        if container.format.name.endswith(_OF_ONE_PICTURE):
            container.close()
            raise _single_image(self._path)
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
                yield Frame(f"{k:06d}", time_s, upright(picture, np.asarray(picture.to_ndarray(format="rgb24"))))
