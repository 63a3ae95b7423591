"""What outlives a single image: the mesh as kernels read it, scratch memory, threads."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from diffdope.errors import check_threads
from diffdope.render.arrays import mesh_arrays, moved_shape
from diffdope.render.kernels.calls import Addresses
from diffdope.render.kernels.layout import MeshArrays, Scratch, allocate_scratch
from diffdope.render.kernels.prepare import compiled_addresses
from diffdope.render.per_process import PerProcess
from diffdope.render.pool import HypothesisPool, default_threads
from diffdope.render.scratches import Lease, Room, ScratchStore
from diffdope.scene.mesh import Mesh

_KEPT = 2**23  # bytes: more than all that a refinement makes and drops


def keep_what_is_dropped() -> None:
    """Has the C library keep memory that is dropped, for the next refinement, as far as `_KEPT` goes.

    What a refinement makes and drops are arrays of a megabyte. Memory of that size goes back to the system and comes
    anew, page by page, which takes a tenth of the time, until something larger has been dropped once: the size from
    which on glibc does so follows what it has seen dropped (`mallopt(3)`, M_MMAP_THRESHOLD). Nobody writes to this.
    """
    np.empty(_KEPT, np.uint8)


class Buffers:
    """Mesh arrays, scratch memory and threads, made once; a renderer or refiner that is kept stays warm by them.

    Any number of threads may use them at a time. A forked child makes threads and scratch memory of its own. A pickle
    carries the mesh and the number of threads as it was asked for; the rest is made again where it is loaded.

    Args:
        mesh: the object.
        threads: None for the library setting.
        reduced: whether the mesh is a level of detail of another.
    """

    def __init__(self, mesh: Mesh, *, threads: int | None = None, reduced: bool = False) -> None:
        keep_what_is_dropped()
        self.mesh = mesh
        self._threads = threads
        self._reduced = reduced
        self.arrays: MeshArrays = mesh_arrays(mesh, reduced=reduced)
        self.pool = HypothesisPool(check_threads(threads) or default_threads())
        shape, edges = self.arrays.shape, self.arrays.edges
        allocate = partial(_allocate, len(shape.x), len(shape.faces), len(edges.flags))
        self._store = PerProcess(partial(ScratchStore, allocate))
        self._addresses: Addresses | None = None
        self._origin: Buffers | None = None

    def bent(self, mesh: Mesh) -> Buffers:
        """The same for the mesh with its parts moved rigidly: all that does not depend on places is shared.

        Args:
            mesh: with the same triangles, which meet at the same edges.
        """
        other = object.__new__(type(self))  # a copy would be made as a pickle is: anew
        other.__dict__.update(self.__dict__)
        other.mesh, other._origin = mesh, self.origin
        other.arrays = self.arrays._replace(shape=moved_shape(self.arrays.shape, mesh))
        return other

    @property
    def origin(self) -> Buffers:
        """Those that these were bent from, whose compiled code they use; else themselves."""
        return self if self._origin is None else self._origin

    def passes(self, width: int, height: int) -> int:
        """Triangles and pixels that one pose goes through in a crop of this size; see `HypothesisPool.workers`."""
        return len(self.mesh.faces) + width * height

    def lease(self, width: int, height: int, workers: int = 1, *, edge_jacobian: bool = False) -> Lease:
        """Lends scratches that nobody else holds: `with buffers.lease(width, height, workers) as scratch:`.

        To take and to give back costs microseconds. They are clean, and large enough for crops of this size, whatever
        others do meanwhile; after the block they may be anybody's.

        Args:
            width: of the crop, pixels.
            height: of the crop, pixels.
            workers: how many are wanted; `pool.workers(b)` for B hypotheses.
            edge_jacobian: whether the normal matrix of the edge modality is wanted.

        Returns:
            A context whose value is a list of `workers` scratches.
        """
        return Lease(self._store.get(), Room(width * height, edge_jacobian), workers)

    @property
    def addresses(self) -> Addresses:
        """What entries call by address, compiled or loaded when it is first needed."""
        if self._origin is not None:
            return self._origin.addresses
        if self._addresses is None:  # not by cached_property: until Python 3.11 its lock outlives a fork
            self._addresses = compiled_addresses(self.arrays, allocate_scratch(1, 1, 1, 1, edge_jacobian=False))
        return self._addresses

    def __getstate__(self) -> dict[str, Any]:
        return {"mesh": self.mesh, "threads": self._threads, "reduced": self._reduced}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def _allocate(vertices: int, faces: int, edges: int, room: Room) -> Scratch:
    return allocate_scratch(vertices, faces, edges, room.pixels, edge_jacobian=room.edge_jacobian)
