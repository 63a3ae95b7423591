"""What requests ask for, without HTTP: meshes, and poses as the JSON text of result.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from diffdope.errors import check_choice, check_seed, expected
from diffdope.io.results import encode
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import PRESETS
from diffdope.scene.mesh import METRES_PER_UNIT
from diffdope.scene.mesh_io import WITHOUT_UNIT
from diffdope.scene.observation import Observation
from diffdope.service.asked import Asked
from diffdope.service.limits import Limits
from diffdope.service.store import Meshes, Tracks
from diffdope.service.uploads import id_of, mesh_of
from diffdope.service.work import WorkQueue


class Service:
    """Keeps refiners and tracks; its methods are called in the threads of `work`."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.meshes = Meshes(limits.meshes)
        self.tracks = Tracks(limits.tracks, limits.track_idle_s)
        self.work = WorkQueue(limits.workers, limits.queue)

    def register(
        self, name: str, data: bytes, beside: Sequence[tuple[str, bytes]], *, preset: str, seed: int, **how: Any
    ) -> dict[str, Any]:
        """Makes a mesh ready, and says what it is; one that is there already is not made again.

        Args:
            name: of the file, for its ending.
            data: its content.
            beside: textures and materials by name.
            preset: of its refiner.
            seed: of its refiner.
            how: unit and allow_missing_texture of `Mesh.load`.

        Raises:
            DiffDopeError: for what `mesh_of` and `Refiner` refuse.
        """
        check_choice("preset", preset, tuple(PRESETS))
        if how["unit"] is None and PurePosixPath(name).suffix.lower() in WITHOUT_UNIT:
            how["unit"] = "mm"
        if how["unit"] is not None:
            check_choice("unit", how["unit"], tuple(METRES_PER_UNIT))
        check_seed("seed", seed)
        key = id_of(data, beside, {**how, "preset": preset, "seed": seed, "suffix": name[-4:].lower()})
        refiner = self.meshes.find(key)
        if refiner is None:
            mesh = mesh_of(name, data, beside, most_pixels=self.limits.max_pixels, **how)
            refiner = Refiner(mesh, preset=preset, seed=seed, threads=self.limits.threads)
            self.meshes.put(key, refiner)
        mesh = refiner.mesh
        return {
            "id": key, "preset": preset, "seed": seed, "faces": len(mesh.faces), "diameter_mm": 1e3 * mesh.diameter,
            "warnings": list(mesh.warnings),
        }  # fmt: skip

    def locate(self, asked: Asked, observation: Observation) -> bytes:
        """See `Refiner.locate`."""
        if asked.start:
            raise expected("start", "none, for the object is looked for everywhere", "some", "POST to /refine, or near")
        refiner = self.meshes.get(_mesh(asked))
        return as_json(refiner.locate(observation, box=asked.box, near=asked.near))

    def refine(self, asked: Asked, observation: Observation) -> bytes:
        """See `Refiner.refine`."""
        if not asked.start:
            raise expected("start", "a pose to start from", "none", "POST to /locate where there is none")
        _without(asked, "box", "near", "time_s")
        return as_json(self.meshes.get(_mesh(asked)).refine(observation, list(asked.start)))

    def track(self, name: str, asked: Asked, observation: Observation) -> bytes:
        """See `Refiner.track`."""
        _without(asked, "box", "near")
        if len(asked.start) > 1:
            raise expected("start", "one pose, or none", len(asked.start))
        with self.tracks.frame(name, asked.mesh, self.meshes, self.limits.threads) as track:
            start = asked.start[0] if asked.start else None
            return as_json(track.refiner.track(observation, start, time_s=asked.time_s))

    def close(self) -> None:
        """Ends the threads."""
        self.work.close()


def as_json(result: RefinementResult) -> bytes:
    """The text of result.json, on one line."""
    return json.dumps(encode(result), allow_nan=False).encode()


def warm_up(preset: str = "default") -> None:
    """Compiles or loads the kernels, so that the first request does not wait for it."""
    from diffdope.scene.packaged import packaged_example

    example = packaged_example()
    refiner = Refiner(example.mesh, preset=preset)
    refiner.locate(example.observation)
    refiner.refine(example.observation, example.start)


def _mesh(asked: Asked) -> str:
    if asked.mesh is None:
        raise expected("mesh", "the id that POST /meshes answered", "none")
    return asked.mesh


def _without(asked: Asked, *names: str) -> None:
    """Refuses what would be of no use here: nobody would notice."""
    for name in names:
        if getattr(asked, name) is not None:
            raise expected(name, "nothing here", "something", "POST to /locate" if name != "time_s" else "see /track")
