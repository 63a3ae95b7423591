"""What outlives a single image: the mesh as kernels read it, scratch memory, threads."""

from __future__ import annotations

from functools import cached_property

from diffdope.render.arrays import mesh_arrays
from diffdope.render.kernels.calls import Addresses
from diffdope.render.kernels.layout import MeshArrays, Scratch, allocate_scratch
from diffdope.render.kernels.prepare import compiled_addresses
from diffdope.render.pool import HypothesisPool, default_threads
from diffdope.scene.mesh import Mesh


class Buffers:
    """Mesh arrays and one scratch a thread, made once; a renderer or refiner that is kept stays warm by them.

    Args:
        mesh: the object.
        threads: None for the library setting.
    """

    def __init__(self, mesh: Mesh, *, threads: int | None = None) -> None:
        self.mesh = mesh
        self.arrays: MeshArrays = mesh_arrays(mesh)
        self.pool = HypothesisPool(threads or default_threads())
        self._scratch: list[Scratch] = []
        self._pixels = 0
        self._edges = False

    def scratch(self, width: int, height: int, *, edge_jacobian: bool = False) -> list[Scratch]:
        """One scratch a thread for a crop of this size, grown when a larger crop comes.

        Args:
            width: of the crop, pixels.
            height: of the crop, pixels.
            edge_jacobian: whether the normal matrix of the edge modality is wanted.
        """
        if width * height > self._pixels or (edge_jacobian and not self._edges):
            self._pixels, self._edges = max(self._pixels, width * height), self._edges or edge_jacobian
            shape, edges = self.arrays.shape, self.arrays.edges
            size = (len(shape.x), len(shape.faces), len(edges.flags), self._pixels)
            self._scratch = [allocate_scratch(*size, edge_jacobian=self._edges) for _ in range(self.pool.threads)]
        return self._scratch

    @cached_property
    def addresses(self) -> Addresses:
        """What entries call by address, compiled or loaded when it is first needed; there must be a scratch by then."""
        return compiled_addresses(self.arrays, self._scratch[0])
