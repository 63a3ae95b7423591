"""Buffers of one mesh at several levels of detail, made when first asked for."""

from __future__ import annotations

import threading

from diffdope.geometry.symmetry import Symmetries
from diffdope.estimate.tessellation import facet_tilt
from diffdope.render.buffers import Buffers
from diffdope.render.per_process import PerProcess
from diffdope.scene.lod import levels_of_detail
from diffdope.scene.lookalikes import lookalikes
from diffdope.scene.mesh import Mesh


class Details:
    """What a refiner keeps of its mesh: tables and scratch for every number of triangles in use.

    Any number of threads may ask at a time: what takes long is made by the first, and the others wait for it.

    Args:
        mesh: in full detail.
        counts: numbers of triangles that will be asked for; 0 is full detail.
        threads: None for the library setting.
    """

    def __init__(self, mesh: Mesh, counts: tuple[int, ...] = (), *, threads: int | None = None) -> None:
        self.mesh, self._threads = mesh, threads
        self._wanted = {count for count in counts if count > 0}
        self._full = Buffers(mesh, threads=threads)
        self._reduced: dict[int, Buffers] = {}
        self._tilt: float | None = None
        self._lookalikes: Symmetries | None = None
        self._making = PerProcess(threading.RLock)

    @property
    def tilt(self) -> float:
        """RMS angle [rad] between facets and the surface they stand for, in full detail."""
        with self._making.get():
            if self._tilt is None:
                self._tilt = facet_tilt(self._full.arrays)
            return self._tilt

    @property
    def lookalikes(self) -> Symmetries:
        """Turns after which the shape is nearly the same; found when first asked for, in some tenths of a second."""
        with self._making.get():
            if self._lookalikes is None:
                self._lookalikes = lookalikes(self.mesh)
            return self._lookalikes

    def buffers(self, count: int = 0) -> Buffers:
        """Of the mesh with about `count` triangles; 0 for full detail.

        The first call for a reduced one makes all that are wanted, since each is made from the next finer.
        """
        if count <= 0:
            return self._full
        with self._making.get():
            if count not in self._reduced:
                self._wanted.add(count)
                made: dict[int, Buffers] = {id(self.mesh): self._full}
                levels = levels_of_detail(self.mesh, sorted(self._wanted))
                for mesh in levels.values():
                    if id(mesh) not in made:
                        made[id(mesh)] = Buffers(mesh, threads=self._threads)
                self._reduced = {wanted: made[id(mesh)] for wanted, mesh in levels.items()}
            return self._reduced[count]
