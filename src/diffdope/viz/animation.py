"""A film of the optimisation: mp4 where PyAV with x264 is installed, an animated GIF where it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import check_shape, expected, not_installed
from diffdope.io.files import atomic
from diffdope.viz.compose import Image, caption, enlarge, side_by_side, to_bytes
from diffdope.viz.overlay import RenderedView, layered

if TYPE_CHECKING:
    from diffdope.pipelines.result import History

Frame = NDArray[np.uint8]
Render = Callable[[NDArray[np.float64], NDArray[np.float64]], RenderedView]


def optimisation_frames(
    photo: NDArray[np.floating], history: History, winner: int, last: int, render: Render, *, width: int = 240
) -> Iterator[Frame]:
    """One frame an iteration of the winning hypothesis: contour | rendering blended in.

    Args:
        photo: the crop (H, W, 3) in [0, 1].
        history: of the refinement.
        winner: hypothesis to show.
        last: iteration to end with, the one of the result.
        render: from R (3, 3) and t (3,) to a view of the crop.
        width: each panel is enlarged to about this many pixels.
    """
    image: Image = np.asarray(photo, np.float64)
    factor = max(1, round(width / image.shape[1]))
    large = enlarge(image, factor)
    for k in np.flatnonzero(np.isfinite(history.costs[: last + 1, winner])):  # those in which it took part
        view = render(history.R_m2c[k, winner], history.t_m2c[k, winner])
        outlined, mixed = layered(large, view, None, factor)
        text = f"iteration {k}   cost {history.costs[k, winner]:.4f}"
        yield caption(side_by_side(to_bytes(outlined), to_bytes(mixed)), text)


def write_animation(path_stem: Path, frames: Iterable[Frame], *, fps: int = 12, hold: int = 12) -> Path:
    """Writes a film and returns its path: `path_stem` with .mp4, or .gif without PyAV or its x264.

    Args:
        path_stem: path without an ending.
        frames: (H, W, 3) uint8, all of one size.
        fps: frames a second.
        hold: how often the last frame is repeated.

    Raises:
        DiffDopeError: if there are no frames, or one is not uint8 or of another size than the first.
    """
    given = list(frames)
    if not given:
        raise expected("frames", "at least one", "none")
    for k, frame in enumerate(given):
        check_shape(f"frames[{k}]", frame, given[0].shape)
    pictures = [_even(frame) for frame in given]
    pictures += [pictures[-1]] * hold
    # Not with_suffix: a stem such as "run.v1" has a dot of its own.
    if has_h264():
        return _write_mp4(path_stem.with_name(f"{path_stem.name}.mp4"), pictures, fps)
    return _write_gif(path_stem.with_name(f"{path_stem.name}.gif"), pictures, fps)


def write_film(path: Path, frames: Iterable[Frame], *, fps: float = 30.0) -> None:
    """Writes an mp4 of any length: one frame in memory at a time.

    Args:
        path: ending in .mp4; it appears when all frames are in it.
        frames: (H, W, 3) uint8, all of one size.
        fps: frames a second.

    Raises:
        DiffDopeError: if PyAV or its x264 is missing, without frames, or for one that `write_animation` refuses.
    """
    if not has_h264():
        raise not_installed("film", "PyAV with x264", "video")
    _write_mp4(path, (_even(frame) for frame in frames), Fraction(fps).limit_denominator(1001))


def has_h264() -> bool:
    """Whether PyAV is here, loads, and was built with x264."""
    if find_spec("av") is None:
        return False
    try:
        import av
    except ImportError:
        return False
    return "libx264" in av.codecs_available


def _even(frame: Frame) -> Frame:
    """H.264 with 4:2:0 colours wants even sizes."""
    check_shape("frames", frame, (None, None, 3))
    if frame.dtype != np.uint8 or min(frame.shape[:2]) < 2:
        raise expected("frames", "uint8 of at least 2 x 2 pixels", f"{frame.dtype} of shape {frame.shape}")
    return np.ascontiguousarray(frame[: frame.shape[0] // 2 * 2, : frame.shape[1] // 2 * 2])


def _write_mp4(path: Path, frames: Iterable[Frame], fps: int | Fraction) -> Path:
    import av

    with atomic(path) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        stream = None
        for k, frame in enumerate(frames):
            if stream is None:
                stream = container.add_stream("libx264", rate=Fraction(fps))
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt = "yuv420p"
                stream.options = {"crf": "20", "preset": "veryfast"}
            check_shape(f"frames[{k}]", frame, (stream.height, stream.width, 3))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        if stream is None:
            raise expected("frames", "at least one", "none")
        container.mux(stream.encode())
    return path


def _write_gif(path: Path, frames: list[Frame], fps: int) -> Path:
    from PIL import Image as Pillow

    pictures = [Pillow.fromarray(frame).quantize(128) for frame in frames]
    with atomic(path) as temporary:
        pictures[0].save(
            temporary, format="GIF", save_all=True, append_images=pictures[1:], duration=round(1000 / fps), loop=0
        )
    return path
