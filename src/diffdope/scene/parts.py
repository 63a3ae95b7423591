"""Pieces of a mesh file with a material each, and joining them into one: one texture, or vertex colours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.scene.doubled_faces import first_of_doubled

F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]

GREY = 0.5  # of pieces without a colour in a mesh whose other pieces have one
Way = Literal["repeat", "clamp", "mirror"]
Wrap = tuple[Way, Way]
REPEAT: Wrap = ("repeat", "repeat")
_MAX_TILES = 8  # an axis, of a texture that repeats: they are laid side by side
_MAX_TEXELS = 2**26  # of all textures together, which are laid into one
_GUTTER = 16  # rows between stacked textures, so that their smaller copies do not mix at once
_OVERSHOOT = 1e-3  # texture coordinates this far outside are rounding, not tiling


@dataclass(frozen=True)
class Part:
    """A piece of a mesh: vertices (V, 3) in the file's unit, faces (F, 3), and at most one kind of colour.

    uv (V, 2) has its origin at the top left of texture (H, W, 3), v down; colors (V, 3) are in [0, 1]. `wrap` says
    how the texture goes on outside of [0, 1], along u and along v.
    """

    vertices: F64
    faces: NDArray[Any]
    uv: F64 | None = None
    texture: U8 | None = None
    colors: F64 | None = None
    wrap: Wrap = REPEAT

    @property
    def has_color(self) -> bool:
        """Whether it has a texture or colours."""
        return self.texture is not None or self.colors is not None


def join(parts: list[Part]) -> tuple[Part, tuple[str, ...]]:
    """One part of many, and warnings.

    Raises:
        DiffDopeError: if textures and varying vertex colours are mixed, or a texture is repeated too often.
    """
    parts = [tile(part) for part in parts]
    warnings = []
    if any(part.has_color for part in parts) and not all(part.has_color for part in parts):
        bare = sum(not part.has_color for part in parts)
        warnings.append(f"{bare} of {len(parts)} pieces of the mesh have no colour and are taken as grey")
        parts = [p if p.has_color else replace(p, colors=np.full((len(p.vertices), 3), GREY)) for p in parts]
    if len(parts) > 1 and any(part.texture is not None for part in parts):
        parts = _share_texture([part if part.texture is not None else _with_swatch(part) for part in parts])
    offsets = np.cumsum([0] + [len(part.vertices) for part in parts])
    joined = Part(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.faces + offset for part, offset in zip(parts, offsets[:-1], strict=True)]),
        _concatenate([part.uv for part in parts]),
        parts[0].texture,
        _concatenate([part.colors for part in parts]),
    )
    return joined, tuple(warnings)


def without_doubled(part: Part) -> tuple[Part, tuple[str, ...]]:
    """The part without triangles, and vertices of these alone, that stand in the place of earlier ones; and a note."""
    count, faces = len(part.vertices), np.asarray(part.faces)
    if faces.dtype.kind not in "iu" or faces.ndim != 2 or faces.min() < 0 or faces.max() >= count:
        return part, ()  # which the mesh will refuse
    first = first_of_doubled(part.vertices, faces)
    if first.all():
        return part, ()
    kept, dropped = (np.isin(np.arange(count), faces[which]) for which in (first, ~first))
    kept |= ~dropped
    number = np.cumsum(kept) - 1
    uv, colors = (None if one is None else one[kept] for one in (part.uv, part.colors))
    once = replace(part, vertices=part.vertices[kept], faces=number[faces[first]], uv=uv, colors=colors)
    doubled = f"{np.count_nonzero(~first)} of {len(faces)} triangles stand in the place of others and were dropped"
    return once, (doubled,)


def tile(part: Part) -> Part:
    """Repeats, mirrors or extends the texture as far as the texture coordinates ask, which then lie in [0, 1].

    Raises:
        DiffDopeError: if that is more than 8 times along an axis, or too large.
    """
    if part.uv is None or part.texture is None:
        return part
    if not _fits(part):
        part = _near_the_origin(part)
    assert part.uv is not None and part.texture is not None
    low, count = _span(part.uv)
    if not _fits(part):
        got = f"{part.uv.min(axis=0).round(3).tolist()} to {part.uv.max(axis=0).round(3).tolist()}"
        cure = "bake the repeated texture into one image"
        raise expected("mesh", f"texture coordinates that span at most {_MAX_TILES} tiles an axis", got, cure)
    height, width = part.texture.shape[:2]
    columns, rows = (
        _texels(size, int(start), int(tiles), wrap)
        for size, start, tiles, wrap in zip((width, height), low, count, part.wrap, strict=True)
    )
    as_it_is = np.array_equal(columns, np.arange(width)) and np.array_equal(rows, np.arange(height))
    texture = part.texture if as_it_is else part.texture[rows[:, None], columns]
    return replace(part, uv=np.clip((part.uv - low) / count, 0.0, 1.0), texture=texture, wrap=REPEAT)


def _span(uv: F64) -> tuple[F64, F64]:
    """The first tile along u and v, and how many there are."""
    least, most = uv.min(axis=0), uv.max(axis=0)
    # What is all at 1 is at the end of the first tile, not at the beginning of the next.
    low = np.where((least >= -_OVERSHOOT) & (most <= 1 + _OVERSHOOT), 0.0, np.floor(least + _OVERSHOOT))
    return low, np.maximum(np.ceil(most - _OVERSHOOT) - low, 1)


def _fits(part: Part) -> bool:
    assert part.uv is not None and part.texture is not None
    _, count = _span(part.uv)
    return bool(count.max() <= _MAX_TILES and part.texture[..., 0].size * count.prod() <= _MAX_TEXELS)


def _near_the_origin(part: Part) -> Part:
    """The part with each face moved by whole periods of its texture to the first tile; vertices are split for it."""
    assert part.uv is not None
    period = np.array([{"repeat": 1.0, "mirror": 2.0, "clamp": np.inf}[wrap] for wrap in part.wrap])
    shift = np.floor((part.uv[part.faces].min(axis=1) + _OVERSHOOT) / period)
    shift = np.where(np.isinf(period), 0.0, shift * np.where(np.isinf(period), 0.0, period))
    shifts, which = np.unique(shift, axis=0, return_inverse=True)
    keys, faces = np.unique(part.faces.astype(np.int64) * len(shifts) + which.reshape(-1, 1), return_inverse=True)
    vertex = keys // len(shifts)
    uv = part.uv[vertex] - shifts[keys % len(shifts)]
    colors = None if part.colors is None else part.colors[vertex]
    return replace(part, vertices=part.vertices[vertex], faces=faces.reshape(-1, 3), uv=uv, colors=colors)


def _texels(size: int, low: int, tiles: int, wrap: str) -> NDArray[np.intp]:
    """Which texels of an axis lie in a number of tiles, from the first one on."""
    index = np.arange(low * size, (low + tiles) * size)
    if wrap == "clamp":
        return np.clip(index, 0, size - 1)
    if wrap == "mirror":
        index = index % (2 * size)
        return np.where(index < size, index, 2 * size - 1 - index)
    return index % size


def _with_swatch(part: Part) -> Part:
    """A part of one colour, painted by a small texture of that colour."""
    assert part.colors is not None
    if np.ptp(part.colors, axis=0).max() > 1e-3:
        cure = "bake the vertex colours into a texture, or load the pieces as meshes of their own"
        raise expected("mesh", "either textures or vertex colours", "both in different pieces", cure)
    color = np.rint(255 * part.colors[0]).astype(np.uint8)
    uv = np.full((len(part.vertices), 2), 0.5)
    return replace(part, colors=None, uv=uv, texture=np.tile(color, (4, 4, 1)))


def _share_texture(parts: list[Part]) -> list[Part]:
    """Stacks the textures of the parts, each one once, into one image; texture coordinates move along."""
    textures: list[U8] = []
    which = []
    for part in parts:
        assert part.texture is not None
        same = [
            i for i, texture in enumerate(textures) if texture is part.texture or np.array_equal(texture, part.texture)
        ]
        which.append(same[0] if same else len(textures))
        textures += [] if same else [part.texture]
    width = max(texture.shape[1] for texture in textures)
    gutter = _GUTTER if len(textures) > 1 else 0
    atlas = np.concatenate(
        [np.pad(t, ((0, gutter), (0, width - t.shape[1]), (0, 0)), mode="edge") for t in textures], axis=0
    )
    texels = atlas[..., 0].size
    if texels > _MAX_TEXELS:
        raise expected("mesh", f"textures of at most {_MAX_TEXELS} texels together", texels, "shrink them")
    tops = np.cumsum([0] + [texture.shape[0] + gutter for texture in textures])
    shared = []
    for part, index in zip(parts, which, strict=True):
        assert part.uv is not None
        height, own_width = textures[index].shape[:2]
        texel = part.uv * [own_width, height] + [0, tops[index]]
        shared.append(replace(part, uv=texel / [width, atlas.shape[0]], texture=atlas))
    return shared


def _concatenate(arrays: list[F64 | None]) -> F64 | None:
    present = [array for array in arrays if array is not None]
    return np.concatenate(present) if len(present) == len(arrays) else None
