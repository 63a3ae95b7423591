"""xacro files, expanded by xacrodoc (an extra), and the packages that they name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from diffdope.errors import not_installed, refused

PACKAGE_PATHS = ("ROS_PACKAGE_PATH", "AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "COLCON_PREFIX_PATH")
"""Variables in which ROS says where packages are."""
_MISSING = re.compile(r"Package not found: (\S+)")  # what xacrodoc says of $(find NAME)


def expanded(path: Path, packages: Mapping[str, Path]) -> bytes:
    """The description that a xacro file makes.

    Args:
        path: the file.
        packages: folders of ROS packages by name; others are looked for where `package_folders` says.

    Raises:
        DiffDopeError: if xacrodoc is missing, or the file cannot be expanded.
    """
    if find_spec("xacrodoc") is None:
        otherwise = f"or expand {path.name} yourself"
        raise not_installed("urdf", "xacrodoc, which expands xacro files", "robot", otherwise=otherwise)
    import xacrodoc

    # It keeps what it has found: of two work spaces with packages of the same name, the second would get the first's.
    xacrodoc.packages.reset()
    xacrodoc.packages.update_package_cache(dict(packages))
    tried: set[str] = set()
    while True:
        try:
            return str(xacrodoc.XacroDoc.from_file(str(path)).to_urdf_string()).encode()
        except Exception as error:  # xacro's own kinds, and what its macros evaluate
            missing = _MISSING.search(str(error))
            name = missing.group(1) if missing else ""
            folder = next((one for one in package_folders(name, path.parent, packages) if one.is_dir()), None)
            if not name or name in tried or folder is None:
                hint = f"; --package {name}=DIR says where it is" if name else ""
                raise refused("urdf", f"cannot expand {path}: {error} ({type(error).__name__}){hint}") from error
            tried.add(name)
            xacrodoc.packages.update_package_cache({name: folder})


def package_folders(name: str, folder: Path, packages: Mapping[str, Path]) -> Iterator[Path]:
    """Where a package may be, likeliest first: where it is said, in the folders of ROS's variables, around a file.

    Args:
        name: of the package.
        folder: of the file.
        packages: folders by name.
    """
    if name in packages:
        yield packages[name]
    for variable in PACKAGE_PATHS:
        for place in filter(None, os.environ.get(variable, "").split(os.pathsep)):
            yield Path(place) / name
            yield Path(place) / "share" / name
    for above in (folder.resolve(), *folder.resolve().parents):
        yield above / name
        if above.name == name:
            yield above
