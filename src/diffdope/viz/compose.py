"""Pixels: blending, contours, colour maps, captions. Images are (H, W, 3) float in [0, 1].

`caption`, `side_by_side` and `stacked` take 8-bit ones, too, and then give such: an eighth of the memory to fill.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.errors import check_shape
from diffdope.scene.signed_distance import signed_distance

Image = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Either = TypeVar("Either", Image, Bytes)
Color = tuple[float, float, float]

GREEN: Color = (0.15, 0.95, 0.35)
MAGENTA: Color = (1.0, 0.2, 0.85)
CYAN: Color = (0.1, 0.8, 1.0)
RED: Color = (0.95, 0.25, 0.2)

_MARGIN, _SMALLEST = 8, 7  # beside a caption, and the least size of its letters that can be read, pixels


def blend(image: ArrayLike, rendered_rgb: ArrayLike, coverage: ArrayLike, *, alpha: float = 0.6) -> Image:
    """The rendering laid over the photograph.

    Args:
        image: photograph (H, W, 3) in [0, 1].
        rendered_rgb: rendering over black (H, W, 3).
        coverage: (H, W).
        alpha: opacity of the rendering.

    Raises:
        DiffDopeError: if the shapes differ.
    """
    photo, over, covered = _checked(image, coverage, rendered_rgb)
    assert over is not None
    return np.asarray(photo * (1.0 - alpha * covered[..., None]) + alpha * over)


def tint(image: ArrayLike, coverage: ArrayLike, *, color: Color = CYAN, alpha: float = 0.45) -> Image:
    """The silhouette in one colour: for objects without colours of their own."""
    photo, _, covered = _checked(image, coverage, None)
    weight = alpha * covered[..., None]
    return np.asarray(photo * (1.0 - weight) + weight * np.asarray(color))


def contour(image: ArrayLike, coverage: ArrayLike, *, color: Color = GREEN, thickness: float = 1.5) -> Image:
    """Draws the line where coverage crosses one half, antialiased.

    Args:
        image: (H, W, 3) in [0, 1].
        coverage: (H, W).
        color: of the line.
        thickness: in pixels.
    """
    photo, _, covered = _checked(image, coverage, None)
    inside = covered >= 0.5
    if not inside.any() or inside.all():
        return photo.copy()
    reach = int(np.ceil(0.5 * thickness)) + 2  # no pixel of the line is farther from the border
    rows, columns = (_around(np.flatnonzero(inside.any(axis=axis)), reach) for axis in (1, 0))
    weight = np.clip(0.5 * thickness + 0.5 - np.abs(signed_distance(inside[rows, columns])), 0.0, 1.0)
    drawn, line = photo.copy(), np.nonzero(weight)
    share = weight[line][:, None]
    drawn[rows, columns][line] = photo[rows, columns][line] * (1.0 - share) + share * np.asarray(color)
    return drawn


def _around(used: NDArray[np.intp], reach: int) -> slice:
    return slice(max(int(used[0]) - reach, 0), int(used[-1]) + reach + 1)


def signed_map(values: ArrayLike, limit: float, valid: ArrayLike) -> Image:
    """Blue for negative, white for zero, red for positive, grey where not valid."""
    x = np.clip(np.asarray(values, np.float64) / limit, -1.0, 1.0)[..., None]
    red, blue, white = np.array([0.8, 0.1, 0.1]), np.array([0.1, 0.25, 0.8]), np.ones(3)
    colors = white + np.maximum(x, 0.0) * (red - white) + np.maximum(-x, 0.0) * (blue - white)
    return np.asarray(np.where(np.asarray(valid, bool)[..., None], colors, 0.25))


def color_bar(width: int, low: str, high: str) -> Image:
    """The scale of `signed_map`, `width` pixels long, with its ends and the zero in words."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    height = 18
    ramp = np.broadcast_to(np.linspace(-1.0, 1.0, width), (height, width))
    bar = Pillow.fromarray(to_bytes(signed_map(ramp, 1.0, np.ones_like(ramp))))
    draw, font, middle = ImageDraw.Draw(bar), ImageFont.load_default(size=12), height / 2
    draw.text((6, middle), low, fill=(255, 255, 255), font=font, anchor="lm")
    draw.text((width / 2, middle), "0", fill=(0, 0, 0), font=font, anchor="mm")
    draw.text((width - 6, middle), high, fill=(255, 255, 255), font=font, anchor="rm")
    return np.asarray(bar, np.float64) / 255.0


def enlarge(image: Image, factor: int) -> Image:
    """Each pixel becomes factor x factor, smoothly; (H, W, 3) or (H, W)."""
    from PIL import Image as Pillow

    if factor == 1:
        return image
    height, width = image.shape[:2]
    picture = Pillow.fromarray(to_bytes(image)).resize((width * factor, height * factor), Pillow.Resampling.BILINEAR)
    return np.asarray(picture, np.float64) / 255.0


def written(image: Image, text: str, at: tuple[float, float], *, color: Color = GREEN, size: int = 15) -> Image:
    """Text in an image, its middle at a pixel (column, row), on a dark ground."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    picture = Pillow.fromarray(to_bytes(image))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=size)
    draw.rectangle(draw.textbbox(at, text, font=font, anchor="mm"), fill=(24, 26, 30))
    draw.text(at, text, fill=tuple(round(255 * part) for part in color), font=font, anchor="mm")
    return np.asarray(picture, np.float64) / 255.0


def caption(image: Either, text: str, *, size: int = 15) -> Either:
    """Adds a dark band with white text above an image; a line that is too long for it is written smaller."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    lines = text.split("\n")
    band = Pillow.new("RGB", (image.shape[1], 6 + (size + 4) * len(lines)), (24, 26, 30))
    draw = ImageDraw.Draw(band)
    font, room = ImageFont.load_default(size=size), image.shape[1] - 2 * _MARGIN
    for k, line in enumerate(lines):
        share = room / max(font.getlength(line), 1.0)
        own = font if share >= 1.0 else ImageFont.load_default(size=max(_SMALLEST, int(share * size)))
        draw.text((_MARGIN, 2 + k * (size + 4)), line, fill=(240, 240, 240), font=own)
    dark = np.asarray(band)
    return np.concatenate([dark if image.dtype == np.uint8 else dark / 255.0, image])


def side_by_side(*images: Either, gap: int = 6) -> Either:
    """Images of any height in a row, padded below."""
    height = max(image.shape[0] for image in images)
    ground = 0.09 if images[0].dtype != np.uint8 else round(0.09 * 255)
    size = height, sum(image.shape[1] for image in images) + gap * (len(images) - 1), 3
    row = np.full(size, ground, images[0].dtype)
    at = 0
    for image in images:
        row[: image.shape[0], at : at + image.shape[1]] = image
        at += image.shape[1] + gap
    return row


def stacked(*images: Either, gap: int = 6) -> Either:
    """Images of any width above one another, padded to the right."""
    return np.swapaxes(side_by_side(*(np.swapaxes(image, 0, 1) for image in images), gap=gap), 0, 1)


def to_bytes(image: Image) -> NDArray[np.uint8]:
    """8-bit colours."""
    scaled = np.clip(image, 0.0, 1.0)
    scaled *= 255.0
    return np.asarray(np.rint(scaled, out=scaled), np.uint8)


def _checked(image: ArrayLike, coverage: ArrayLike, over: ArrayLike | None) -> tuple[Image, Image | None, Image]:
    photo = np.asarray(image, np.float64)
    check_shape("image", photo, (None, None, 3))
    covered = np.clip(np.asarray(coverage, np.float64), 0.0, 1.0)
    check_shape("coverage", covered, photo.shape[:2])
    rendered = None if over is None else np.asarray(over, np.float64)
    if rendered is not None:
        check_shape("rendered_rgb", rendered, photo.shape)
    return photo, rendered, covered
