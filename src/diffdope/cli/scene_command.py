"""`diffdope scene`: several objects, in one picture or in those of several cameras."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from diffdope.checked_fields import check_fields
from diffdope.cli.input_flags import check_idle, sigma_of
from diffdope.cli.preset_flags import NumbersFlags, parse_flags
from diffdope.cli.progress import Activity
from diffdope.cli.refine_command import described
from diffdope.cli.rerun_flag import RerunFlag
from diffdope.cli.scene_inputs import Masks, boxes_of, masks_of, of_views, starts_of
from diffdope.cli.scene_objects import ObjectFlags, objects_of
from diffdope.errors import check_count, expected
from diffdope.geometry.pose import Pose
from diffdope.io.capture import Capture, CaptureFiles
from diffdope.io.extrinsics import has_places, read_camera_places
from diffdope.io.files import check_folder, results_folder
from diffdope.io.plain import to_plain
from diffdope.joint.contact import ContactSettings
from diffdope.joint.scene_refiner import SceneRefiner
from diffdope.scene.mesh import Mesh
from diffdope.scene.mesh_io import Unit, unit_of
from diffdope.scene.observation import Observation
from diffdope.scene.scene import SceneObject
from diffdope.scene.view import View


@dataclass(frozen=True, kw_only=True)
class SceneArguments(NumbersFlags, RerunFlag):
    """Finds several objects at once, in one picture or in those of several cameras. Lengths in files are millimetres.

    Example: diffdope scene --camera camera.json --rgb rgb.png --mask labels.png --object cup.ply,label=1
    box.ply,label=2 --out out
    """

    camera: tuple[Path, ...]
    """Camera file, or one a view; see docs/files.md."""
    out: Path
    """Folder for scene.json, BOP results (poses.csv, of several views one each) and an overlay a view."""
    object: tuple[str, ...] = ()
    """MESH[,KEY=VALUE ...] of each object: mask=FILE (repeat it: one a view, - for none), label=N in --mask,
    box=X:Y:WIDTH:HEIGHT, init=FILE (one a view in that camera, or a single one: with several views, in the world),
    name=, id= (in BOP's files), unit=. Without init, the object is located."""
    objects: Path | None = None
    """JSON or YAML list of objects with the same keys and mesh; its files are relative to its folder."""
    rgb: tuple[Path, ...] = ()
    """Photograph, or one a view."""
    depth: tuple[Path, ...] = ()
    """Depth image, or one a view; integers times the depth scale are millimetres, 0 = missing."""
    mask: tuple[Path, ...] = ()
    """Image that holds a label for each object, or one a view (- for a view without)."""
    extrinsics: tuple[Path, ...] = ()
    """Where the cameras stand: one file for all views or one each. A BOP scene_camera.json with cam_R_w2c, JSON with
    4 x 4 matrices in metres under T_w2c or T_c2w, COLMAP's images.txt or .bin, nerfstudio's transforms.json (in metres,
    too), or result.json of calibrate. Not needed if --camera says so, or for one view."""
    extrinsics_kind: Literal["w2c", "c2w", "w2c-opengl", "c2w-opengl"] = "w2c"
    """Direction of matrices whose file does not say it: world to camera, or camera to world; -opengl: of cameras that
    look along -z, y up, as OpenGL's and Blender's."""
    extrinsics_sigma: str | None = None
    """MM,DEG by which the cameras may be off (standard deviations): all but the first, which is the reference, are then
    refined. Without it they are taken as exact."""
    find_places: bool = False
    """Where the cameras stand is not known: it is found from the objects that they see together. The first picture that
    shows one is the world. scene.json is then a file for --extrinsics."""
    on_plane: bool = False
    """Objects rest on one plane, a table or the bottom of a bin, which is estimated: see docs/scenes.md."""
    penetration: float | None = None
    """Objects run into each other by at most so many millimetres, 0 for not at all; default: nothing is known."""
    image_id: tuple[int, ...] = ()
    """Which image of a scene_camera.json, or one a view."""
    unit: Unit | None = None
    """Unit of mesh files, or metres in one unit of them; default: their format's, mm for PLY, OBJ and STL, which state
    none."""
    depth_scale: float | None = None
    """Millimetres per unit of depth images; overrides the camera file."""
    depth_rectified: bool = False
    """Depth is without the lens already (librealsense's aligned_depth_to_color), while the photographs show it."""

    @property
    def count(self) -> int:
        """Of views."""
        return max(len(self.rgb), len(self.depth), len(self.mask), len(self.camera), 1)

    @property
    def sigma(self) -> tuple[float, float] | None:
        """(metres, degrees)."""
        return sigma_of(self.extrinsics_sigma)


def parse(arguments: list[str]) -> SceneArguments:
    """Reads the flags."""
    given = parse_flags(SceneArguments, arguments, prog="diffdope scene")
    check_fields(given, {"seed": 0, "threads": 1})
    if not given.camera:
        raise expected("camera", "a camera file, or one a view", "none")
    for number in given.image_id:
        check_count("image_id", number, least=0)
    return given


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code: 0 if every object was found."""
    given = parse(arguments)
    check_folder(given.out)
    given.check_rerun()
    check_idle(given, {} if given.depth else {"depth_scale": "--depth", "depth_rectified": "--depth"})
    check_idle(given, {} if given.extrinsics or given.count > 1 else {"extrinsics_kind": "--extrinsics"})
    _check_places_looked_for(given)
    if given.sigma is not None and given.count == 1:
        cure = "leave it out: one view says nothing about where its camera stands"
        raise expected("extrinsics-sigma", "only with several views", repr(given.extrinsics_sigma), cure)
    objects = objects_of(given.object, given.objects, given.unit)
    refiner = SceneRefiner(
        load_objects(objects), preset=given.chosen_preset,
        seed=given.seed, threads=given.threads
    )  # fmt: skip
    captures = [files.read() for files in capture_files(given)]
    views = views_of(given, captures)
    masks = masks_of(objects, views, given.mask, given.image_id, given.rgb)
    starts, boxes = starts_of(objects, given.count), boxes_of(objects, given.count)
    return refine_and_write(given, refiner, objects, views, masks, starts, boxes)


def refine_and_write(
    given: SceneArguments, refiner: SceneRefiner, objects: list[ObjectFlags], views: list[View], masks: Masks,
    starts: Any, boxes: Any,
) -> int:  # fmt: skip
    """Refines, writes all files at once, prints a line an object.

    Args:
        given: the arguments.
        refiner: of all objects.
        objects: what was said of each.
        views: the pictures.
        masks: of objects in views.
        starts: as `SceneRefiner.refine` takes them.
        boxes: by view and object.

    Returns:
        The exit code.
    """
    from rich.console import Console

    from diffdope.cli.scene_report import print_scene, write_scene

    console = Console()
    with Activity(f"finding {_number(len(objects), 'object')} in {_number(len(views), 'view')}"):
        result = refiner.refine(
            views, masks, starts=starts, boxes=boxes, contact=contact_of(given), find_places=given.find_places
        )
    beside = described(refiner.refiners[0].preset, {}) | {"inputs": inputs_of(given, objects)}
    ids = [number if one.obj_id is None else one.obj_id for number, one in enumerate(objects, 1)]
    images = [number if k is None else k for number, k in enumerate(of_views("image-id", given.image_id, given.count))]
    with results_folder(given.out, "poses") as folder:
        write_scene(folder, refiner, views, result, ids, images, beside)
    if given.rerun is not None:
        from diffdope.viz.rerun_scene import write_scene_recording

        write_scene_recording(given.rerun, [one.mesh for one in refiner.refiners], views, result)
    print_scene(result, given.out, console)
    return 0 if result.ok else 1


def contact_of(given: SceneArguments) -> ContactSettings | None:
    """What is known of contact; None for nothing."""
    if not given.on_plane and given.penetration is None:
        return None
    if given.penetration is not None and not 0.0 <= given.penetration < 1000.0:
        raise expected("penetration", "millimetres, from 0 to below 1000", given.penetration)
    margin_m = None if given.penetration is None else 1e-3 * given.penetration
    return ContactSettings(plane=given.on_plane, penetration_m=margin_m)


def inputs_of(given: SceneArguments, objects: list[ObjectFlags]) -> dict[str, Any]:
    """What the scene was made of, as its flags say it: `diffdope view` reads the same files again."""
    lists = ("camera", "rgb", "depth", "mask", "extrinsics", "image_id")
    inputs: dict[str, Any] = {name: [to_plain(one) for one in getattr(given, name)] for name in lists}
    plain = ("extrinsics_kind", "extrinsics_sigma", "find_places")
    for name in (*plain, "depth_scale", "depth_rectified", "on_plane", "penetration"):
        inputs[name] = getattr(given, name)
    return inputs | {"objects": [one.entry() for one in objects]}


def load_objects(objects: list[ObjectFlags]) -> list[SceneObject]:
    """Meshes, each file once."""
    meshes: dict[tuple[Path, Unit | None], Mesh] = {}
    for one in objects:
        if (one.mesh, one.unit) not in meshes:
            meshes[one.mesh, one.unit] = Mesh.load(one.mesh, unit=unit_of(one.mesh, one.unit))
    return [SceneObject(meshes[one.mesh, one.unit], name=one.name) for one in objects]


def capture_files(given: SceneArguments) -> list[CaptureFiles]:
    """The files of each view, but for masks."""
    count = given.count
    if not given.rgb and not given.depth:
        raise expected("images", "--rgb, --depth or both", "none")
    each = zip(
        of_views("camera", given.camera, count), of_views("rgb", given.rgb, count, alone=False),
        of_views("depth", given.depth, count, alone=False), of_views("image-id", given.image_id, count), strict=True,
    )  # fmt: skip
    return [
        CaptureFiles(
            camera=camera,
            rgb=rgb,
            depth=depth,
            depth_scale_mm=given.depth_scale,
            image_id=image_id,
            depth_rectified=given.depth_rectified,
        )
        for camera, rgb, depth, image_id in each
    ]


def views_of(given: SceneArguments, captures: list[Capture]) -> list[View]:
    """Images with the places of their cameras."""
    names = [Path(path).stem for path in (given.rgb or given.depth)]
    if len(set(names)) < len(names):
        names = [f"view {number}" for number in range(len(captures))]
    places = _places(given)
    views = []
    for number, (capture, name) in enumerate(zip(captures, names, strict=True)):
        place = None if places is None else places[number]
        sigma = given.sigma if number > 0 else None
        views.append(View(Observation(capture.camera, **capture.images), place, sigma=sigma, name=name))
    return views


def _check_places_looked_for(given: SceneArguments) -> None:
    if not given.find_places:
        return
    if given.count == 1:
        raise expected("find-places", "several views", "one", "leave it out: a single camera is the world")
    kind = None if given.extrinsics_kind == "w2c" else given.extrinsics_kind
    said = {"extrinsics": given.extrinsics, "extrinsics-kind": kind, "extrinsics-sigma": given.extrinsics_sigma}
    for name, value in said.items():
        if value:
            cure = "give the places, with --extrinsics-sigma where they are not exact, or have them found"
            raise expected("find-places", f"no --{name} beside it", to_plain(value), cure)


def _places(given: SceneArguments) -> list[Pose] | None:
    ids, pictures = given.image_id, given.rgb or given.depth
    if given.extrinsics:
        return read_camera_places(
            given.extrinsics, given.count, kind=given.extrinsics_kind, image_ids=ids, pictures=pictures
        )
    if given.count == 1 or given.find_places:
        return None
    if given.extrinsics_kind != "w2c":
        wanted = "it beside --extrinsics, for cam_R_w2c of camera files says its direction"
        raise expected("extrinsics-kind", wanted, given.extrinsics_kind, "leave it out, or give --extrinsics")
    if all(has_places(path) for path in given.camera):
        return read_camera_places(given.camera, given.count, image_ids=ids)
    cure = (
        "a BOP scene_camera.json with cam_R_w2c, or 4 x 4 matrices in JSON; or --find-places finds it from the objects "
        "that several cameras see"
    )
    raise expected("extrinsics", f"where {given.count} cameras stand", "none", cure)


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
