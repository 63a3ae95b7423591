"""What errors call an uploaded file."""

from __future__ import annotations

import pytest

from diffdope.errors import DiffDopeError
from diffdope.service.uploads import mesh_of

OBJ = b"mtllib a.mtl\nusemtl m\nv 0 0 0\nv 90 0 0\nv 0 90 0\nvt 0 0\nvt 1 0\nvt 0 1\nf 1/1 2/2 3/3\n"


def test_an_error_of_a_mesh_has_the_name_that_was_sent() -> None:
    with pytest.raises(DiffDopeError, match=r"a\.obj") as told:
        mesh_of("models\\a.obj", OBJ, [], most_pixels=100, unit="mm")
    assert "mesh.obj" not in str(told.value)
