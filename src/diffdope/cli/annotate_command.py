"""`diffdope annotate`: the poses of objects in pictures, marked by hand in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from diffdope.annotate.background import BackgroundWriter
from diffdope.annotate.editor import Editor
from diffdope.annotate.export import Exporter
from diffdope.annotate.pictures import FolderPictures, PictureSource, ScenePictures
from diffdope.annotate.session import Session
from diffdope.annotate.snap import Snapper
from diffdope.annotate.state import Annotations
from diffdope.annotate.store import OWN, TRUTH, Store
from diffdope.annotate.tracks import state_of_tracks
from diffdope.bop.dataset import DataSet
from diffdope.checked_fields import check_fields
from diffdope.cli.help_text import parsed
from diffdope.cli.input_flags import check_idle
from diffdope.cli.lists import numbers_of
from diffdope.cli.window_flags import WindowFlags
from diffdope.errors import expected
from diffdope.io.files import check_folder
from diffdope.pipelines.settings import DEFAULT
from diffdope.scene.mesh import Mesh
from diffdope.scene.mesh_io import Unit, unit_of
from diffdope.viewer.needed import viser_module

_NUMBER = re.compile(r"obj_(\d+)$")


@dataclass(frozen=True, kw_only=True)
class AnnotateArguments(WindowFlags):
    """Marks poses in pictures, in a browser, and keeps a data set in the BOP format in step with every change.

    Pictures are folders of your own (--rgb, --depth, --camera, --mesh) or a scene of a data set (--dataset,
    --dataset-split, --dataset-scene). The same command, given again, goes on where it was left.

    Example: diffdope annotate --rgb rgb --depth depth --camera camera.json --mesh cup.ply box.ply --unit mm --out mine
    """

    out: Path
    """Folder of the data set that is written: models/, SPLIT/SCENE/scene_gt.json, masks, pictures."""
    rgb: Path | None = None
    """Folder of photographs."""
    depth: Path | None = None
    """Folder of depth images with the same names, which some photographs may lack; integers times the depth scale are
    millimetres, 0 = missing."""
    camera: Path | None = None
    """Camera file, as for `locate`; BOP's scene_camera.json has an entry for each picture. The folder of photographs,
    or one of them, takes each by its own EXIF."""
    mesh: tuple[Path, ...] = ()
    """PLY, OBJ, STL, GLB, glTF, COLLADA (.dae), 3MF, STEP (diffdope[cad]) or USD (diffdope[usd]), one or more;
    obj_000012.ply is object 12, others are counted from 1."""
    unit: Unit | None = None
    """Unit of the mesh files, or metres in one; default: their format's, mm for PLY, OBJ and STL, which state none."""
    depth_scale: float | None = None
    """Millimetres per unit of the depth images; overrides the camera file."""
    depth_rectified: bool = False
    """Depth is without the lens already (librealsense's aligned_depth_to_color), while the photographs show it."""
    dataset: Path | None = None
    """A BOP data set whose pictures and models are taken."""
    dataset_split: str | None = None
    """Its folder of scenes."""
    dataset_scene: int | None = None
    """Its scene; default: the first."""
    objects: str | None = None
    """Of its models only these: 1,2,3."""
    tracked: tuple[Path, ...] = ()
    """Folders of `track`, one an object, with the same mesh files and pictures: where a new session begins."""
    split: str = "annotated"
    """Folder of scenes in --out."""
    scene: int = 1
    """Number of the scene in --out."""
    still: bool = False
    """The scene stands still, and the camera file says where the cameras are (cam_R_w2c, cam_t_w2c): poses are shared
    over the pictures."""
    preset: str = DEFAULT
    """Of refining and locating: default or fast."""
    seed: int = 0
    """Same seed, same result."""


class Inputs(NamedTuple):
    """Pictures, numbers and names of the objects, their meshes, read when they are asked for, and the stems of their
    files."""

    pictures: PictureSource
    objects: tuple[int, ...]
    mesh_of: Callable[[int], Mesh]
    names: Mapping[int, str]
    stems: Mapping[int, str]


def run(arguments: list[str]) -> int:
    """Serves until it is stopped; what was done is saved whenever that is."""
    given: AnnotateArguments = parsed(AnnotateArguments, arguments, "diffdope annotate")
    check_fields(given, {"port": 0, "seed": 0, "scene": 0, "dataset_scene": 0})
    viser_module("annotate")
    check_folder(given.out)
    try:
        return _with_store(given)
    except KeyboardInterrupt:  # it ends this command at any time, and so does SIGTERM (`cli/stopping.py`)
        print("ended before the window was open; nothing was changed")
        return 0


def _with_store(given: AnnotateArguments) -> int:
    if Path(given.split).name != given.split or not given.split.strip(" ."):
        raise expected("split", "the name of a folder in --out", repr(given.split))
    inputs = inputs_of(given)
    if inputs.pictures.ids:
        inputs.pictures.observation(inputs.pictures.ids[0])  # mistakes come to light before anything is written
    store = Store(given.out, given.split, given.scene)
    try:
        return _annotate(given, inputs, store)
    finally:
        store.close()


def inputs_of(given: AnnotateArguments) -> Inputs:
    """What is annotated.

    Raises:
        DiffDopeError: if neither or both kinds of pictures are named, or something cannot be read.
    """
    folders = {name: path for name in ("rgb", "depth") if (path := getattr(given, name)) is not None}
    if (given.dataset is None) == (not folders):
        got = "both" if folders else "neither"
        raise expected("pictures", "--rgb or --depth with --camera and --mesh, or --dataset with --dataset-split", got)
    if given.dataset is not None:
        return _of_dataset(given)
    check_idle(given, dict.fromkeys(("dataset_split", "dataset_scene", "objects"), "--dataset"))
    check_idle(given, {} if given.depth else dict.fromkeys(("depth_scale", "depth_rectified"), "--depth"))
    if given.camera is None or not given.mesh:
        missing = "camera" if given.camera is None else "mesh"
        kind = "a camera file" if missing == "camera" else "one file or more"
        raise expected(missing, f"{kind} beside {' and '.join(f'--{name}' for name in folders)}", "none")
    how: dict[str, Any] = {"depth_scale_mm": given.depth_scale, "depth_rectified": given.depth_rectified}
    meshes = _meshes(given)
    names = {obj_id: mesh.name for obj_id, mesh in meshes.items() if not _NUMBER.search(mesh.name)}
    stems = {obj_id: path.stem for obj_id, path in zip(meshes, given.mesh, strict=True)}
    return Inputs(FolderPictures(folders, given.camera, **how), tuple(meshes), meshes.__getitem__, names, stems)


def _of_dataset(given: AnnotateArguments) -> Inputs:
    assert given.dataset is not None
    if given.dataset_split is None:
        raise expected("dataset-split", "the folder of the scenes", "none")
    check_idle(given, dict.fromkeys(("camera", "mesh", "unit"), "--rgb or --depth"))
    check_idle(given, dict.fromkeys(("depth_scale", "depth_rectified"), "--depth"))
    dataset = DataSet.open(given.dataset, given.dataset_split)
    chosen = numbers_of("objects", given.objects)
    ids = [one for one in dataset.models.ids if chosen is None or one in chosen]
    if not ids:
        raise expected("objects", f"some of {', '.join(map(str, dataset.models.ids))}", given.objects)
    scene = dataset.scene(dataset.scene_ids[0] if given.dataset_scene is None else given.dataset_scene)
    stems = {obj_id: f"obj_{obj_id:06d}" for obj_id in ids}
    return Inputs(ScenePictures(scene), tuple(ids), dataset.models.mesh, {}, stems)


def _meshes(given: AnnotateArguments) -> dict[int, Mesh]:
    """The meshes by the number in their names, or counted."""
    meshes: dict[int, Mesh] = {}
    free = 1
    for path in given.mesh:
        match = _NUMBER.search(path.stem)
        if match is None:
            while free in meshes:
                free += 1
        number = free if match is None else int(match[1])
        if number in meshes:
            raise expected("mesh", "each object once", f"object {number} twice: {path}")
        meshes[number] = Mesh.load(path, unit=unit_of(path, given.unit))
    return meshes


def _tracked(given: AnnotateArguments, inputs: Inputs, store: Store, before: Annotations | None) -> Annotations | None:
    """What runs of `track` found, where a new session begins with that."""
    if not given.tracked:
        return None
    if before is None:
        pictures = {inputs.pictures.name(im_id): im_id for im_id in inputs.pictures.ids}
        return state_of_tracks(given.tracked, inputs.stems, pictures)
    if not (store.folder / OWN).is_file():
        cure = "choose another --out, or --scene; poses that are there are not mixed with others"
        raise expected("tracked", "an --out without poses", f"{store.folder / TRUTH}", cure)
    print("--tracked: not read again; the session goes on where it was left")
    return None


def _annotate(given: AnnotateArguments, inputs: Inputs, store: Store) -> int:
    from diffdope.annotate.window import AnnotationWindow

    fresh = not (store.folder / OWN).is_file()
    before = store.load()
    tracked = _tracked(given, inputs, store, before)
    exporter = Exporter(store, inputs.pictures, inputs.mesh_of)
    windows: list[AnnotationWindow] = []
    background = BackgroundWriter(exporter.write, lambda error: windows[0].tell(f"masks could not be written: {error}"))

    def saved(state: Annotations) -> None:
        store.save(state)
        background.give(state)

    session = Session(
        inputs.pictures.ids, inputs.objects, state=tracked or before, cameras=inputs.pictures.cameras(),
        still=given.still, saved=saved,
        history=([], []) if before is None else store.load_history(before), recorded=store.save_history,
    )  # fmt: skip
    if before is not None and fresh:
        exporter.adopt(before)
    snapper = Snapper(inputs.mesh_of, preset=given.preset, seed=given.seed)
    editor = Editor(session, inputs.pictures, inputs.mesh_of, snapper, inputs.names)
    window = AnnotationWindow(editor, host=given.host, port=given.port)
    windows.append(window)
    if tracked is not None:
        saved(tracked)
    if before is not None and not fresh:
        saved(before)  # scene_gt.json and masks are made again, wherever the last run was cut off
    try:
        given.show(window, f"annotating at {window.url}; every change is saved in {store.folder}")
        print("writing masks")
    finally:
        background.finish()
    annotated = (store.folder / OWN).is_file()
    print(f"files: {store.folder}" if annotated else "nothing was annotated, and nothing is written")
    return 0
