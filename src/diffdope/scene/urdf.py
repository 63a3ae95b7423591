"""Robots from URDF and xacro files, parsed by yourdfpy (an extra); meshes are read as all others are."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlparse

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, check_path, expected, none_at, not_installed, refused, told_more
from diffdope.geometry import solids
from diffdope.io.files import is_file
from diffdope.scene.kinematic_tree import KINDS, Joint, Link
from diffdope.scene.robot import Robot
from diffdope.scene.urdf_geometries import is_readable, numbers_of, other_geometry, sizes_of, with_placeholders
from diffdope.scene.urdf_xml import has_xacro, no_links, root_of_description
from diffdope.scene.xacro_files import expanded, package_folders

F64 = NDArray[np.float64]
Surface = Literal["visual", "collision"]

_LONGEST_M = 50.0  # of a link: one of 5 cm in millimetres is as long
_FREE = ("floating", "planar")  # kinds of joints that no single value tells


def load_robot(
    path: str | Path,
    *,
    base: str | None = None,
    surface: Surface = "visual",
    packages: Mapping[str, str | Path] | None = None,
) -> Robot:
    """Reads a URDF or xacro file.

    Links without the wanted surface, or with one of a kind that is not read, take the other one; but not a link with
    nothing to be seen that is fixed to one with something: that is a hull around it, which no viewer shows. Meshes are
    in metres, as the format demands, times their scale. `package://NAME/...`, and `$(find NAME)` in xacro, is looked
    for in `packages`, in the folders that ROS's variables name, and around the file. A floating or planar joint, as
    those of mobile bases, is left out with what lies beyond it, if nothing of that is to be seen.

    Args:
        path: `.urdf`, or a file with xacro in it, which xacrodoc expands.
        base: name of the link whose frame poses are told in; None for the root.
        surface: "visual" or "collision".
        packages: folders of ROS packages by name.

    Raises:
        DiffDopeError: if yourdfpy is missing, a file is missing or broken, or a joint is of a kind that has no single
            value (floating, planar) between parts that are seen.
    """
    check_path("urdf", path)
    if surface not in ("visual", "collision"):
        raise expected("surface", "visual or collision", repr(surface))
    path = Path(path)
    if not is_file(path):
        raise none_at("urdf", "a robot description", path)
    if find_spec("yourdfpy") is None:
        raise not_installed("urdf", "yourdfpy, which reads URDF", "robot")
    folders = {name: Path(place) for name, place in (packages or {}).items()}
    described = _parsed(path, folders)
    finder = MeshFinder(path.parent, folders)
    hulls = _hulls(described) if surface == "visual" else frozenset()
    links = [_link(one, surface, finder) if one.name not in hulls else _bare(one) for one in described.links]
    links, held = _without_free(links, described.joints)
    joints = [_joint(one) for one in held]
    _check_lengths(links, path)
    try:
        return Robot(links, joints, base=base, name=described.name or path.stem)
    except DiffDopeError as error:
        raise told_more(error, f" ({path})") from error


def _parsed(path: Path, packages: Mapping[str, Path]) -> Any:
    import yourdfpy

    root = None if ".xacro" in path.suffixes else root_of_description(path.read_bytes(), path)
    if root is None or has_xacro(root):
        root = root_of_description(expanded(path, packages), path)
    if root.find("link") is None:
        raise no_links(root, path)
    if not all(one.get("name") for one in (*root.findall("link"), *root.findall("joint"))):
        raise expected("urdf", f"a name for each link and each joint in {path}", "one without")
    root.set("name", root.get("name") or path.stem)
    try:
        file = io.BytesIO(with_placeholders(root))
        return yourdfpy.URDF.load(file, load_meshes=False, build_scene_graph=False).robot
    except Exception as error:  # yourdfpy's, whatever the broken file leads to
        raise refused("urdf", f"cannot read {path}: {error} ({type(error).__name__})") from error


def _joint(one: Any) -> Joint:
    if one.type not in KINDS:
        raise expected(f"joint {one.name}", f"one of the kinds {', '.join(KINDS)}", one.type)
    axis = numbers_of(f"joint {one.name}, axis", [1.0, 0.0, 0.0] if one.axis is None else one.axis, 3)
    size = float(np.linalg.norm(axis))
    if one.type != "fixed" and not size > 0.0:
        raise expected(f"joint {one.name}, axis", "a direction", axis.tolist())
    lower, upper = -np.inf, np.inf
    if one.limit is not None and one.type in ("revolute", "prismatic"):
        lower = -np.inf if one.limit.lower is None else float(one.limit.lower)
        upper = np.inf if one.limit.upper is None else float(one.limit.upper)
        if not lower <= upper:
            raise expected(f"joint {one.name}, limit", "a lower one that is not above the upper", f"{lower}, {upper}")
    mimic = None
    if one.mimic is not None:
        factor = 1.0 if one.mimic.multiplier is None else float(one.mimic.multiplier)
        offset = 0.0 if one.mimic.offset is None else float(one.mimic.offset)
        mimic = one.mimic.joint, *numbers_of(f"joint {one.name}, mimic", [factor, offset], 2).tolist()
    return Joint(
        one.name,
        one.type,
        one.parent,
        one.child,
        _matrix(f"joint {one.name}", one.origin),
        axis / max(size, 1e-300),
        lower,
        upper,
        mimic,
    )


def _without_free(every: list[Link], joints: Sequence[Any]) -> tuple[list[Link], list[Any]]:
    """Links and joints without those beyond floating and planar joints: the world below a mobile base, as a rule.

    Raises:
        DiffDopeError: if something is to be seen on both sides of such a joint, whose pose nobody tells.
    """
    links = every
    for free in (one for one in joints if one.type in _FREE):
        below = _carried_by(free.child, joints)
        sides = [[one for one in links if (one.name in below) == carried] for carried in (True, False)]
        seen = [side for side in sides if any(len(one.faces) for one in side)]
        if len(seen) > 1:
            cure = f"it has no single value: give a description that begins or ends there ({free.parent}, {free.child})"
            raise expected(f"joint {free.name}", f"one of the kinds {', '.join(KINDS)}", free.type, cure)
        links = seen[0] if seen else sides[0]
    kept = {one.name for one in links}
    gone = {one.name for one in every} - kept
    return links, [one for one in joints if not {one.parent, one.child} & gone]


def _carried_by(link: str, joints: Sequence[Any]) -> set[str]:
    """Names of a link and of all that hang on it."""
    found, left = {link}, [link]
    while left:
        on = left.pop()
        new = {one.child for one in joints if one.parent == on} - found
        found |= new
        left += new
    return found


def _matrix(of: str, origin: Any) -> F64:
    return np.eye(4) if origin is None else numbers_of(f"{of}, origin", origin, 16).reshape(4, 4)


def _check_lengths(links: Sequence[Link], path: Path) -> None:
    """Refuses links that are longer than any robot's: theirs are millimetres."""
    sizes = [(float(np.ptp(one.vertices_m, axis=0).max()), one.name) for one in links if len(one.vertices_m)]
    longest, name = max(sizes, default=(0.0, ""))
    if longest > _LONGEST_M:
        cure = 'a mesh in millimetres needs scale="0.001 0.001 0.001" in its <mesh>; sizes and origins are metres, too'
        wanted = f"lengths in metres, and no link longer than {_LONGEST_M:.0f} m"
        raise expected("urdf", wanted, f"{name} of {longest:.4g} m in {path}", cure)


def _hulls(described: Any) -> frozenset[str]:
    """Names of the links with collision geometry alone that fixed joints hold to links that are seen."""
    group = {one.name: one.name for one in described.links}
    for joint in described.joints:
        if joint.type == "fixed" and joint.parent in group and joint.child in group:
            old, new = group[joint.child], group[joint.parent]
            group = {name: new if held == old else held for name, held in group.items()}
    seen = {group[one.name] for one in described.links if one.visuals}
    return frozenset(one.name for one in described.links if not one.visuals and group[one.name] in seen)


def _bare(one: Any) -> Link:
    return Link(one.name, *solids.joined(()))


def _link(one: Any, surface: Surface, finder: MeshFinder) -> Link:
    wanted, other = (one.visuals, one.collisions) if surface == "visual" else (one.collisions, one.visuals)
    parts = wanted if wanted and (_readable(wanted) or not _readable(other)) else other
    return Link(one.name, *solids.joined(_placed(part, finder, one.name) for part in parts))


def _placed(part: Any, finder: MeshFinder, link: str) -> solids.Triangles:
    points, triangles = _geometry(part.geometry, finder, link)
    T = _matrix(f"link {link}", part.origin)
    return points @ T[:3, :3].T + T[:3, 3], triangles


def _readable(parts: Sequence[Any]) -> bool:
    """Whether there are any, and all meshes are of kinds that are read."""
    from diffdope.scene.mesh_io import SUFFIXES

    meshes = [part.geometry.mesh for part in parts if part.geometry.mesh is not None]
    return bool(parts) and all(is_readable(mesh, tuple(SUFFIXES)) for mesh in meshes)


def _geometry(geometry: Any, finder: MeshFinder, link: str) -> solids.Triangles:
    if geometry.box is not None:
        x, y, z = sizes_of(f"link {link}, box", geometry.box.size, 3)
        return solids.box((x, y, z))
    if geometry.cylinder is not None:
        one = geometry.cylinder
        return solids.cylinder(*sizes_of(f"link {link}, cylinder", [one.radius, one.length], 2))
    if geometry.sphere is not None:
        return solids.ball(*sizes_of(f"link {link}, sphere", geometry.sphere.radius, 1))
    if geometry.mesh is None:
        raise expected(f"link {link}", "a mesh, box, cylinder, sphere or capsule", "a geometry of another kind")
    other = other_geometry(geometry.mesh.filename, link)
    if other is not None:
        return other
    scale = np.ravel(1.0 if geometry.mesh.scale is None else geometry.mesh.scale)
    scale = numbers_of(f"link {link}, scale of a mesh", np.repeat(scale, 3) if scale.size == 1 else scale, 3)
    path = finder.find(geometry.mesh.filename, link)
    try:
        vertices, faces = mesh_triangles(path)
    except DiffDopeError as error:
        raise DiffDopeError(f"link {link}: {error}") from error
    flipped = float(np.prod(np.sign(scale))) < 0.0
    return vertices * scale, faces[:, ::-1] if flipped else faces


def mesh_triangles(path: Path) -> solids.Triangles:
    """Vertices and faces of a mesh file, metres where it states its unit; else only the description's scale tells.

    Which axis points up in a COLLADA file is passed over, as rviz does: descriptions are written for what it shows.
    """
    from diffdope.scene.mesh_io import read_mesh
    from diffdope.scene.topology import weld

    file = read_mesh(path, allow_missing_texture=True, turned_up=False)
    vertices, faces = file.part.vertices * (file.unit_m or 1.0), np.asarray(file.part.faces, np.int64)
    if path.suffix.lower() == ".stl":
        welded = weld(vertices)
        _, first = np.unique(welded, return_index=True)
        vertices, faces = vertices[first], np.asarray(welded[faces], np.int64)
    return vertices, faces


class MeshFinder:
    """Finds the files that a description names.

    Args:
        folder: of the description.
        packages: folders of ROS packages by name.
    """

    def __init__(self, folder: Path, packages: Mapping[str, Path]) -> None:
        self._folder, self._packages = folder.resolve(), packages

    def find(self, name: str, link: str) -> Path:
        """The file of a mesh.

        Raises:
            DiffDopeError: naming the link, the file and where it was looked for.
        """
        tried = list(dict.fromkeys(self._candidates(name)))
        for path in tried:
            if is_file(path):
                return path
        cure = "give the folder of the package" if name.startswith(("package:", "model:")) else "put the file there"
        raise expected(f"link {link}", f"the mesh {name}", f"no file at {', '.join(map(str, tried[:4]))}", cure)

    def _candidates(self, name: str) -> Iterator[Path]:
        plain = name.replace("\\", "/")
        address = urlparse(plain)
        if address.scheme in ("package", "model"):
            yield from self._in_package(unquote(address.netloc), unquote(address.path).lstrip("/"))
            return
        path = Path(unquote(address.path)) if address.scheme == "file" else Path(plain)
        yield path if path.is_absolute() else self._folder / path
        if path.is_absolute():
            return
        for above in self._folder.parents:
            yield above / path

    def _in_package(self, package: str, path: str) -> Iterator[Path]:
        yield from (folder / path for folder in package_folders(package, self._folder, self._packages))
        for above in (self._folder, *self._folder.parents):  # checked out under another name
            yield above / path
