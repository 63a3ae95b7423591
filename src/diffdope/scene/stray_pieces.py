"""Pieces of a mesh that hardly have a surface, but lie so far away that its diameter is theirs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import some_of
from diffdope.geometry.vectors import areas
from diffdope.note_codes import Note, NoteCode
from diffdope.scene.extent import diameter

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
Bool = NDArray[np.bool_]
Int = NDArray[np.intp]

_SPECK = 1e-3  # of the surface: no camera that sees the rest well sees it
_LESS = 0.9  # of the diameter: where tolerances and crops change by a tenth, it is worth a word
_MOST = 8  # pieces that are looked for


def note_on_stray_pieces(vertices_m: F64, faces: I32, diameter_m: float) -> tuple[Note, ...]:
    """A note where the diameter without all specks is less by a tenth or more.

    Args:
        vertices_m: (V, 3) of the mesh, all of them used.
        faces: (F, 3).
        diameter_m: of the mesh, metres.
    """
    area = areas(vertices_m, faces)
    away = vertices_m - area @ vertices_m[faces].mean(axis=1) / area.sum()
    kept = np.ones(len(faces), np.bool_)
    pieces: list[F64] = []
    while len(pieces) < _MOST and kept.any():
        beyond = _beyond_a_gap(away, faces, area, kept)
        if beyond is None:
            break
        pieces.append(vertices_m[faces[beyond]].mean(axis=(0, 1)))
        kept[beyond] = False
    if not pieces:
        return ()
    rest_m = diameter(vertices_m[np.unique(faces[kept])])
    if rest_m > _LESS * diameter_m:
        return ()
    count = int(np.count_nonzero(~kept))
    places = [f"({', '.join(f'{1e3 * value:.4g}' for value in one)}) mm" for one in pieces]
    share = area[~kept].sum() / area.sum()
    text = (
        f"{count} of {len(faces)} triangles lie apart from all others, at {some_of(places, most=3)}, and have "
        f"{100 * share:.2g} % of the surface: with them, the diameter is {1e3 * diameter_m:.4g} mm, without "
        f"{1e3 * rest_m:.4g} mm; crops and tolerances go by the diameter, so remove them from the mesh if they are no "
        "part of the object"
    )
    return (Note(NoteCode.MESH_STRAY, text),)


def _beyond_a_gap(away: F64, faces: I32, area: F64, kept: Bool) -> Int | None:
    """The faces at the far end of the mesh, behind a plane that nothing crosses; None if they are more than specks.

    Args:
        away: vertices (V, 3) as seen from the middle of the surface.
        faces: (F, 3).
        area: of the faces (F,).
        kept: faces (F,) that are looked at.
    """
    chosen = np.flatnonzero(kept)
    shown = faces[chosen]
    tip = shown.ravel()[np.argmax(np.einsum("ij,ij->i", away, away)[shown])]
    along = (away @ away[tip])[shown]
    first, last = along.min(axis=1), along.max(axis=1)
    order = np.argsort(first)
    reached = np.maximum.accumulate(last[order])
    gaps = np.flatnonzero(first[order][1:] > reached[:-1]) + 1
    beyond = np.cumsum(area[chosen[order]][::-1])[::-1]  # the surface of a face and of all behind it
    gaps = gaps[beyond[gaps] < _SPECK * area.sum()]
    return None if len(gaps) == 0 else np.asarray(chosen[order[gaps[0] :]], np.intp)
