"""What requests ask for, without HTTP: who is asked, what is kept, and what is refused before any work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from diffdope.errors import check_choice, check_seed, expected
from diffdope.pipelines.settings import PRESETS
from diffdope.scene.mesh_io import Unit, unit_of
from diffdope.scene.mesh_units import check_unit
from diffdope.scene.observation import Observation
from diffdope.service.asked import Asked
from diffdope.service.asked_scene import AskedScene
from diffdope.service.limits import Limits
from diffdope.service.pool import LocalWorkers, Place, ProcessWorkers, Worker, Workers
from diffdope.service.store import Meshes, Tracks, UnknownError
from diffdope.service.uploads import id_of
from diffdope.service.uploads_scene import SeenScene
from diffdope.service.work import WorkQueue
from diffdope.service.worker_state import Upload, check_instances, check_start


@dataclass(frozen=True)
class Registered:
    """A mesh that is kept.

    Attributes:
        upload: as the client sent it.
        about: what was answered.
    """

    upload: Upload
    about: dict[str, Any]


class Service:
    """Keeps meshes and tracks, and asks the workers; its methods are called in the threads of `work`.

    Args:
        limits: of sizes, numbers and time.
        processes: whether each worker is a process of its own; if not, it is a thread of this one.
    """

    def __init__(self, limits: Limits, *, processes: bool = False) -> None:
        self.limits = limits
        self.meshes: Meshes[Registered] = Meshes(limits.meshes)
        self.tracks: Tracks[Place] = Tracks(limits.tracks, limits.track_idle_s)
        self.work = WorkQueue(limits.workers, limits.queue)
        self.workers: Workers = ProcessWorkers(limits) if processes else LocalWorkers(limits)

    def register(
        self, name: str, data: bytes, beside: Sequence[tuple[str, bytes]], *, preset: str, seed: int, unit: Unit | None,
        allow_missing_texture: bool,
    ) -> dict[str, Any]:  # fmt: skip
        """Makes a mesh ready, and says what it is; one that is there already is not made again.

        Args:
            name: of the file, for its ending.
            data: its content.
            beside: textures and materials by name.
            preset: of its refiner.
            seed: of its refiner.
            unit: of the file, or metres in one; None for that of its format, or millimetres.
            allow_missing_texture: of `Mesh.load`.

        Raises:
            DiffDopeError: for what `mesh_of` and `Refiner` refuse.
        """
        check_choice("preset", preset, tuple(PRESETS))
        unit = unit_of(PurePosixPath(name), unit)
        check_unit(unit, PurePosixPath(name))
        seed = check_seed("seed", seed)
        how = {"unit": unit, "allow_missing_texture": allow_missing_texture, "preset": preset, "seed": seed}
        key = id_of(data, beside, {**how, "suffix": name[-4:].lower()})
        found = self.meshes.find(key)
        if found is None:
            upload = Upload(key, name, data, tuple(beside), unit, preset, seed, allow_missing_texture)
            with self.workers.lease() as worker:
                found = Registered(upload, worker.call("register", upload))
            self.meshes.put(key, found)
        return found.about

    def locate(self, asked: Asked, observation: Observation) -> bytes:
        """See `Refiner.locate`, of several instances `Refiner.locate_all`, and of several kinds `locate_objects`."""
        check_start(asked, needed=False)
        check_instances(asked, observation)
        if asked.meshes is not None:
            if asked.mesh is not None:
                raise expected("meshes", "no mesh beside it", asked.mesh, "give one of both")
            if len(asked.meshes) > self.limits.searches:
                raise expected("meshes", f"at most {self.limits.searches}", len(asked.meshes), "ask for some at a time")
            return self._called_with(asked.meshes, "locate_kinds", asked, observation)
        upload = self.meshes.get(_mesh(asked)).upload
        with self.workers.lease() as worker:
            return _called(worker, upload, "locate", upload.id, asked, observation)

    def refine(self, asked: Asked, observation: Observation) -> bytes:
        """See `Refiner.refine`."""
        check_start(asked, needed=True)
        _without(asked, "box", "near", "time_s", "instances", "meshes")
        upload = self.meshes.get(_mesh(asked)).upload
        with self.workers.lease() as worker:
            return _called(worker, upload, "refine", upload.id, asked, observation)

    def scene(self, asked: AskedScene, seen: SeenScene) -> bytes:
        """See `SceneRefiner.refine`; all objects are refined by one worker."""
        return self._called_with([one.mesh for one in asked.objects], "scene", asked, seen)

    def track(self, name: str, asked: Asked, observation: Observation) -> bytes:
        """See `Refiner.track`."""
        _without(asked, "box", "near", "instances", "meshes")
        if len(asked.start) > 1:
            raise expected("start", "one pose, or none", len(asked.start))
        with self.tracks.frame(name, asked.mesh, self._place) as track, self.workers.lease(track.place) as worker:
            if worker.place != track.place:
                track.began = False  # so that it is forgotten
                raise UnknownError(f"track: the worker that followed {name!r} has ended; begin it with the key mesh")
            registered = self.meshes.find(track.mesh)  # which a track needs for its first frame alone
            upload = None if registered is None else registered.upload
            return _called(worker, upload, "track", track.mesh, track.key, self.tracks.keys, asked, observation)

    def close(self) -> None:
        """Ends threads and processes."""
        self.work.close()
        self.workers.close()

    def _called_with(self, meshes: Sequence[str], name: str, *arguments: Any) -> bytes:
        """The answer of a worker, to which those of some meshes are sent that it has not seen yet."""
        uploads = {mesh: self.meshes.get(mesh).upload for mesh in meshes}
        with self.workers.lease() as worker:
            for mesh in worker.call("unknown", list(uploads)):
                worker.call("register", uploads[mesh])
            answer: bytes = worker.call(name, *arguments)
        return answer

    def _place(self, mesh: str) -> Place:
        """Where a new track goes: to the worker with the fewest."""
        self.meshes.get(mesh)
        count = Counter(place.worker for place in self.tracks.places)
        return self.workers.place_of(min(range(self.limits.workers), key=lambda number: count[number]))


def _called(worker: Worker, upload: Upload | None, name: str, *arguments: Any) -> bytes:
    """The answer of a worker, to which the mesh is sent where it has not seen it yet."""
    try:
        answer: bytes = worker.call(name, *arguments)
    except UnknownError:
        if upload is None:
            raise
        worker.call("register", upload)
        answer = worker.call(name, *arguments)
    return answer


def _mesh(asked: Asked) -> str:
    if asked.mesh is None:
        raise expected("mesh", "the id that POST /meshes answered", "none")
    return asked.mesh


def _without(asked: Asked, *names: str) -> None:
    """Refuses what would be of no use here: nobody would notice."""
    for name in names:
        if getattr(asked, name) is not None:
            raise expected(name, "nothing here", "something", "POST to /locate" if name != "time_s" else "see /track")
