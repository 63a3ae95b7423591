"""How the levels of detail of a mesh are drawn."""

from __future__ import annotations

import pickle

from diffdope.scene.mesh import Mesh
from diffdope.search.mesh_levels import MeshLevels
from tests.oracle.shapes import icosphere


def test_insides_of_levels_of_detail_are_drawn_unless_they_are_closed() -> None:
    """Thin walls of a reduced mesh may cross; the full detail of a scan with a crack shows no backs."""
    shape = icosphere(4)
    whole, cracked = (Mesh(shape.vertices_m, faces) for faces in (shape.faces, shape.faces[1:]))
    levels = MeshLevels(whole)
    assert [levels.buffers(count).arrays.shape.closed for count in (0, 500)] == [1, 1]
    levels = MeshLevels(cracked)
    assert [levels.buffers(count).arrays.shape.closed for count in (0, 500)] == [1, 0]
    assert pickle.loads(pickle.dumps(levels.buffers(500))).arrays.shape.closed == 0
