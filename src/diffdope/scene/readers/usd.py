"""USD and USDZ: the meshes of a stage in place, with their colours, by the package usd-core (the extra `usd`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected, not_installed, refused
from diffdope.scene.parts import Part
from diffdope.scene.readers.colours import srgb_of_linear
from diffdope.scene.readers.corners import Polygons, as_part
from diffdope.scene.readers.placing import moved
from diffdope.scene.readers.source import MeshSource
from diffdope.scene.readers.usd_materials import colour_of

F64 = NDArray[np.float64]
Int = NDArray[np.intp]

_SHOWN = ("default", "render")  # purposes: proxies and guides stand in for what is rendered, or explain it


def read_usd(source: MeshSource) -> list[Part]:
    """The pieces of a stage at its default time, in its unit and its own axes, as glTF's.

    Raises:
        DiffDopeError: if usd-core is not there, or it is no USD, or a mesh's numbers do not belong together.
    """
    pxr = _pxr()
    try:
        stage = pxr.Usd.Stage.Open(str(source.path))
    except pxr.Tf.ErrorException as error:
        raise refused("mesh", "it is no USD, or damaged; export it again") from error
    others = [
        one.identifier for one in stage.GetUsedLayers() if one not in (stage.GetRootLayer(), stage.GetSessionLayer())
    ]
    if source.beside is not None and not all(pxr.Ar.IsPackageRelativePath(one) for one in others):
        raise refused("mesh", "it refers to other files; flatten it (usdcat --flatten), or send a .usdz that holds all")
    source.unit_m = float(pxr.UsdGeom.GetStageMetersPerUnit(stage))
    cache = pxr.UsdGeom.XformCache(pxr.Usd.TimeCode.Default())
    parts = []
    for prim in _shown(pxr, stage, source):
        mesh, matrix = pxr.UsdGeom.Mesh(prim), np.array(cache.GetLocalToWorldTransform(prim)).T
        for part in _pieces(pxr, mesh, source):
            parts.append(moved(part, matrix))
    return parts


def _shown(pxr: Any, stage: Any, source: MeshSource) -> Iterator[Any]:
    """The meshes that are rendered; other shapes are noted."""
    for prim in stage.Traverse(pxr.Usd.TraverseInstanceProxies()):
        if not prim.IsA(pxr.UsdGeom.Gprim):
            continue
        image = pxr.UsdGeom.Imageable(prim)
        if image.ComputePurpose() not in _SHOWN or image.ComputeVisibility() == pxr.UsdGeom.Tokens.invisible:
            source.note(f"what is invisible, a proxy or a guide is left out: {prim.GetName()}")
        elif prim.IsA(pxr.UsdGeom.Mesh):
            yield prim
        else:
            source.note(f"a {prim.GetTypeName()} is left out, for it is no mesh: {prim.GetName()}")


def _pieces(pxr: Any, mesh: Any, source: MeshSource) -> Iterator[Part]:
    """The triangles of a mesh; of one with several materials, those of each."""
    arrays = (mesh.GetPointsAttr(), mesh.GetFaceVertexCountsAttr(), mesh.GetFaceVertexIndicesAttr())
    points, sizes, corners = (np.asarray(one.Get() if one.Get() is not None else []) for one in arrays)
    polygons = Polygons(sizes.astype(np.intp), corners.astype(np.intp))
    if not len(sizes):
        return
    if polygons.sizes.min() < 0 or polygons.sizes.sum() != len(corners):
        got = f"{len(corners)} corners for {int(sizes.sum())}"
        raise expected("mesh", f"as many corners as the faces of {mesh.GetPath()} have", got, "the file is damaged")
    if mesh.GetOrientationAttr().Get() == pxr.UsdGeom.Tokens.leftHanded:
        polygons = replace(polygons, place=_backwards(polygons.place, polygons.sizes))
    kept = np.ones(len(sizes), np.bool_)
    holes = np.asarray(mesh.GetHoleIndicesAttr().Get() or [], np.intp)
    kept[holes[(holes >= 0) & (holes < len(kept))]] = False
    rest = kept.copy()
    for subset in pxr.UsdShade.MaterialBindingAPI(mesh).GetMaterialBindSubsets():
        its = np.zeros(len(sizes), np.bool_)
        indices = np.asarray(subset.GetIndicesAttr().Get() or [], np.intp)
        its[indices[(indices >= 0) & (indices < len(its))]] = True
        if (its & rest).any():
            yield _piece(pxr, mesh, subset.GetPrim(), points, polygons, its & rest, source)
        rest &= ~its
    if rest.any():
        yield _piece(pxr, mesh, mesh.GetPrim(), points, polygons, rest, source)


def _piece(
    pxr: Any, mesh: Any, bound: Any, points: F64, polygons: Polygons, which: NDArray[np.bool_], source: MeshSource
) -> Part:  # fmt: skip
    """The triangles of some polygons with the colour of the material that is bound to them."""
    points = points.reshape(-1, 3).astype(np.float64)
    found = colour_of(pxr, bound, source)
    api = pxr.UsdGeom.PrimvarsAPI(mesh)
    flipped = mesh.GetOrientationAttr().Get() == pxr.UsdGeom.Tokens.leftHanded
    if found.texture is not None:
        values, index = _at_corners(api.GetPrimvar(found.coordinates), polygons, flipped)
        if values is None:
            source.note("a material has a texture, but the mesh no texture coordinates: it is left out")
        else:
            uv = values[:, :2] @ found.matrix[:, :2].T + found.matrix[:, 2]
            uv[:, 1] = 1.0 - uv[:, 1]
            part = as_part(points, replace(polygons, uv=index).where(which), uv)
            return replace(part, texture=found.texture, wrap=found.wrap)
    if found.color is not None and found.texture is None:
        part = as_part(points, polygons.where(which))
        return replace(part, colors=np.tile(srgb_of_linear(found.color), (len(part.vertices), 1)))
    values, index = _at_corners(api.GetPrimvar("displayColor"), polygons, flipped)
    if values is None:
        return as_part(points, polygons.where(which))
    return as_part(points, replace(polygons, color=index).where(which), None, srgb_of_linear(values))


def _at_corners(primvar: Any, polygons: Polygons, flipped: bool) -> tuple[F64 | None, Int | None]:
    """Values (N, D) of a primvar and, for each corner, which is its own; None where there are none.

    Raises:
        DiffDopeError: if there are not as many as its interpolation says.
    """
    if not primvar or not primvar.HasValue():
        return None, None
    values, stated = np.asarray(primvar.Get(), np.float64), primvar.GetIndices()
    count, way = len(polygons.place), primvar.GetInterpolation()
    index: Int
    if way == "faceVarying":
        index = np.arange(count)
        index = _backwards(index, polygons.sizes) if flipped else index
    elif way in ("vertex", "varying"):
        index = polygons.place
    elif way == "uniform":
        index = np.repeat(np.arange(len(polygons.sizes)), polygons.sizes)
    else:
        index = np.zeros(count, np.intp)
    if primvar.IsIndexed():
        table = np.asarray(stated, np.intp)
        if len(index) and index.max() >= len(table):
            what = f"{primvar.GetPrimvarName()} ({way})"
            raise expected("mesh", f"{int(index.max()) + 1} indices of {what}", len(table), "the file is damaged")
        index = table[index]
    return values, index


def _backwards(corners: Int, sizes: Int) -> Int:
    """The corners of each polygon the other way round."""
    last = np.repeat(np.cumsum(sizes) - 1, sizes)
    first = np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.asarray(corners[first + last - np.arange(len(corners))])


def _pxr() -> Any:
    try:
        import pxr
        from pxr import Ar, Sdf, Tf, Usd, UsdGeom, UsdShade  # noqa: F401 - they become attributes of the package
    except ImportError as error:
        otherwise = "or convert it: in Blender, File > Import > Universal Scene Description, then export glTF (.glb)"
        raise not_installed("mesh", "usd-core, which reads USD", "usd", otherwise=otherwise) from error
    return pxr
