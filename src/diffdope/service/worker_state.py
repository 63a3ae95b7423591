"""What a worker does: it keeps refiners and tracks, and answers with the JSON text of result.json."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from diffdope.errors import expected
from diffdope.geometry.pose import Pose
from diffdope.io.results import encode
from diffdope.io.scene_results import encode_scene
from diffdope.joint.scene_refiner import SceneRefiner
from diffdope.note_codes import Note, code_of
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.several_kinds import MOST_OF_A_KIND, locate_objects, surest_first
from diffdope.scene.mesh_io import Unit
from diffdope.scene.observation import Observation
from diffdope.scene.scene import SceneObject
from diffdope.service.asked import Asked
from diffdope.service.asked_scene import AskedScene
from diffdope.service.limits import Limits
from diffdope.service.store import Meshes
from diffdope.service.uploads import mesh_of
from diffdope.service.uploads_scene import SeenScene
from diffdope.service.wording import in_keys


@dataclass(frozen=True)
class Upload:
    """A mesh as a client sent it, from which any worker can make its refiner.

    Attributes:
        id: by its content.
        name: of the file, for its ending.
        data: its content.
        beside: textures and materials by name.
        unit: of the file, or metres in one; None for that of its format.
        preset: of its refiner.
        seed: of its refiner.
        allow_missing_texture: of `Mesh.load`.
    """

    id: str
    name: str
    data: bytes
    beside: tuple[tuple[str, bytes], ...]
    unit: Unit | None
    preset: str
    seed: int
    allow_missing_texture: bool


class WorkerState:
    """Refiners and tracks of one worker. Its methods take and return what can be sent to another process.

    Args:
        limits: of the service.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._meshes: Meshes[Refiner] = Meshes(limits.meshes)
        self._tracks: dict[int, Refiner] = {}

    def warm_up(self) -> None:
        """Loads or compiles the kernels, so that the first request does not wait for it."""
        from diffdope.scene.packaged import packaged_example

        example = packaged_example()
        refiner = Refiner(example.mesh, threads=self._limits.threads)
        refiner.locate(example.observation)
        refiner.refine(example.observation, example.start)

    def register(self, upload: Upload) -> dict[str, Any]:
        """Makes a mesh ready, and says what it is.

        Raises:
            DiffDopeError: for what `mesh_of` and `Refiner` refuse.
        """
        mesh = mesh_of(
            upload.name, upload.data, upload.beside, most_pixels=self._limits.max_pixels, unit=upload.unit,
            allow_missing_texture=upload.allow_missing_texture,
        )  # fmt: skip
        refiner = Refiner(mesh, preset=upload.preset, seed=upload.seed, threads=self._limits.threads)
        self._meshes.put(upload.id, refiner)
        return {
            "id": upload.id, "preset": upload.preset, "seed": upload.seed, "faces": len(mesh.faces),
            "diameter_mm": 1e3 * mesh.diameter, "warnings": list(mesh.warnings),
        }  # fmt: skip

    def locate(self, mesh: str, asked: Asked, observation: Observation) -> bytes:
        """See `Refiner.locate`, and of several instances `Refiner.locate_all`.

        Raises:
            UnknownError: if this worker has not seen the mesh.
        """
        refiner = self._meshes.get(mesh)
        if asked.instances is None:
            return as_json(refiner.locate(observation, box=asked.box, near=asked.near))
        found = refiner.locate_all(observation, most=asked.instances, near=asked.near)
        entries = [{"label": number, **_in_keys(one)} for number, one in enumerate(found, 1)]
        return json.dumps({"results": entries}, allow_nan=False).encode()

    def locate_kinds(self, asked: Asked, observation: Observation) -> bytes:
        """See `locate_objects`; each result says the id of its mesh.

        Raises:
            UnknownError: if this worker has not seen a mesh.
        """
        assert asked.meshes is not None
        refiners = [self._meshes.get(mesh) for mesh in asked.meshes]
        most = MOST_OF_A_KIND if asked.instances is None else asked.instances
        every = locate_objects(refiners, observation, most=most)
        entries = [
            {"label": label, "mesh": asked.meshes[k], **_in_keys(one)}
            for label, (k, one) in enumerate(surest_first(every), 1)
        ]
        return json.dumps({"results": entries}, allow_nan=False).encode()

    def refine(self, mesh: str, asked: Asked, observation: Observation) -> bytes:
        """See `Refiner.refine`.

        Raises:
            UnknownError: if this worker has not seen the mesh.
        """
        return as_json(self._meshes.get(mesh).refine(observation, list(asked.start)))

    def unknown(self, meshes: Collection[str]) -> list[str]:
        """Those of some meshes that this worker has not seen, or has dropped; the others count as used now."""
        return [mesh for mesh in dict.fromkeys(meshes) if self._meshes.find(mesh) is None]

    def scene(self, asked: AskedScene, seen: SeenScene) -> bytes:
        """See `SceneRefiner.refine`.

        Raises:
            UnknownError: if this worker has not seen a mesh.
        """
        refiners = [self._meshes.get(one.mesh) for one in asked.objects]
        names = [one.name or f"object {k}" for k, one in enumerate(asked.objects)]
        objects = [SceneObject(one.mesh, name=name) for one, name in zip(refiners, names, strict=True)]
        result = SceneRefiner.of(objects, refiners, threads=self._limits.threads).refine(
            seen.views, seen.masks, starts=starts_of(asked), boxes=boxes_of(asked), find_places=asked.find_places
        )
        ids = [number if one.id is None else one.id for number, one in enumerate(asked.objects, 1)]
        return json.dumps(encode_scene(result, ids, in_keys), allow_nan=False).encode()

    def track(self, mesh: str, key: int, alive: Collection[int], asked: Asked, observation: Observation) -> bytes:
        """See `Refiner.track`.

        Args:
            mesh: id of the mesh.
            key: of the track.
            alive: keys of the tracks that are still kept; the others are dropped here.
            asked: the JSON part.
            observation: the frame.

        Raises:
            UnknownError: if the track is new, and this worker has not seen the mesh.
        """
        for old in [one for one in self._tracks if one not in alive]:
            del self._tracks[old]
        if key not in self._tracks:
            registered = self._meshes.get(mesh)
            self._tracks[key] = Refiner(
                registered.mesh, preset=registered.preset, seed=registered.seed, threads=self._limits.threads
            )
        start = asked.start[0] if asked.start else None
        return as_json(self._tracks[key].track(observation, start, time_s=asked.time_s))


def check_start(asked: Asked, *, needed: bool) -> None:
    """Refuses a start where the object is looked for everywhere, and none where it is refined.

    Raises:
        DiffDopeError: naming the path that does it.
    """
    if needed and not asked.start:
        raise expected("start", "a pose to start from", "none", "POST to /locate where there is none")
    if not needed and asked.start:
        raise expected("start", "none, for the object is looked for everywhere", "some", "POST to /refine, or near")


def check_instances(asked: Asked, observation: Observation) -> None:
    """Refuses instances, and several kinds, beside what says where one of them is, and without depth.

    Raises:
        DiffDopeError: naming the key.
    """
    if asked.meshes is not None:
        name, got, whose = "meshes", len(asked.meshes), "several kinds"
    elif asked.instances is not None:
        name, got, whose = "instances", asked.instances, "several of one kind"
    else:
        return
    if asked.box is not None or observation.mask_box is not None:
        cure = "a mask or a box says where one is: leave one of both out"
        raise expected(name, "no mask and no box beside it", got, cure)
    if asked.meshes is not None and asked.near is not None:
        raise expected("near", "nothing beside meshes", "a pose", "it is of one kind: leave it out")
    if "depth" not in observation.modalities:
        raise expected(name, f"the picture depth, which tells {whose} apart", got)


def starts_of(asked: AskedScene) -> dict[Any, Pose]:
    """Start poses, as `SceneRefiner.refine` takes them; of a single view, that camera's frame is meant."""
    alone = len(asked.views) == 1
    starts: dict[Any, Pose] = {}
    for number, one in enumerate(asked.objects):
        if one.start_in_world is not None:
            starts[(0, number) if alone else number] = one.start_in_world
        starts |= {(view, number): pose for view, pose in one.start.items()}
    return starts


def boxes_of(asked: AskedScene) -> dict[tuple[int, int], Any]:
    """Boxes by view and object."""
    return {(view, number): box for number, one in enumerate(asked.objects) for view, box in one.box.items()}


def as_json(result: RefinementResult) -> bytes:
    """The text of result.json, on one line, which speaks of keys."""
    return json.dumps(_in_keys(result), allow_nan=False).encode()


def _in_keys(result: RefinementResult) -> dict[str, Any]:
    """What result.json holds, which speaks of keys."""
    told_notes = tuple(Note(code_of(note), in_keys(note)) for note in result.notes)
    told = replace(result, message=in_keys(result.message), notes=told_notes)
    return encode(told)
