"""The pictures that are annotated: folders of a user's own, or a scene of a data set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from diffdope.bop.scene import BopScene
from diffdope.errors import DiffDopeError, expected
from diffdope.geometry.pose import Pose
from diffdope.io.bop_poses import world_of
from diffdope.io.capture import CaptureFiles
from diffdope.io.frames import ImageFolders
from diffdope.io.images import ENDINGS
from diffdope.io.json_files import read_json
from diffdope.scene.observation import Observation


class PictureSource(Protocol):
    """Pictures by their numbers."""

    @property
    def ids(self) -> tuple[int, ...]: ...  # noqa: D102

    def name(self, im_id: int) -> str:
        """What a user calls it."""
        ...

    def observation(self, im_id: int) -> Observation:
        """The images."""
        ...

    def cameras(self) -> Mapping[int, Pose]:
        """T_w2c of the pictures whose cameras' places are known."""
        ...


class FolderPictures:
    """Photographs, depth or both, in folders with the same names; one camera, or one entry a picture in BOP's file.

    Args:
        folders: "rgb" and "depth", any of them; some photographs may have no depth.
        camera: file of the camera; one of the photographs, or their folder, for each by its own EXIF: phones change
            lenses, and are turned.
        how: what else `CaptureFiles` takes: depth_scale_mm, camera_size and the like.

    Raises:
        DiffDopeError: for what `ImageFolders` refuses, or if the camera file has entries by picture, but not of all.
    """

    def __init__(self, folders: dict[str, Path], camera: Path, **how: Any) -> None:
        for kind, path in folders.items():
            if path.is_file():
                cure = (
                    f"write the frames of a film into a folder: ffmpeg -i {path.name} -start_number 0 {kind}/%06d.png"
                )
                raise expected(kind, "a folder of pictures", f"the file {path}", cure)
        self._images = ImageFolders(folders, gaps=True)
        names = self._images.names
        numbered = all(name.isdecimal() for name in names) and len({int(name) for name in names}) == len(names)
        self.ids = tuple(int(name) if numbered else k for k, name in enumerate(names))
        self._place = {im_id: k for k, im_id in enumerate(self.ids)}
        self._camera, self._how = camera, how
        self._by_exif = "rgb" in folders and folders["rgb"].resolve() in (camera.resolve(), camera.resolve().parent)
        self._by_exif &= camera.is_dir() or camera.suffix.lower() in ENDINGS
        self._entries = {} if self._by_exif else _numbered_entries(camera)
        if len(self._entries) > 1:
            missing = [im_id for im_id in self.ids if im_id not in self._entries]
            if missing:
                raise expected(
                    f"camera file {camera}", f"an entry for each of {len(names)} pictures", f"none for {missing[0]}"
                )

    def name(self, im_id: int) -> str:
        """Stem of its files."""
        return self._images.names[self._place[im_id]]

    def observation(self, im_id: int) -> Observation:
        """The images, rectified where the lens bends them."""
        entry = im_id if len(self._entries) > 1 else None
        files = self._images.files(self._place[im_id])
        camera = files["rgb"] if self._by_exif else self._camera
        capture = CaptureFiles(camera=camera, image_id=entry, **{**files, **self._how}).read()
        return Observation(capture.camera, **capture.images)

    def cameras(self) -> Mapping[int, Pose]:
        """Of BOP's scene_camera.json with cam_R_w2c and cam_t_w2c."""
        found = {im_id: world_of(self._entries.get(im_id), f"{self._camera}, key {im_id}") for im_id in self.ids}
        return {im_id: T for im_id, T in found.items() if T is not None}


class ScenePictures:
    """The images of a scene of a data set."""

    def __init__(self, scene: BopScene) -> None:
        self._scene = scene
        self.ids = scene.image_ids
        if not self.ids:
            raise DiffDopeError(f"scene {scene.scene_id}: expected images in {scene.folder}, got none")

    def name(self, im_id: int) -> str:
        """Its number as files have it."""
        return f"{im_id:06d}"

    def observation(self, im_id: int) -> Observation:
        """Photograph and depth.

        Raises:
            DiffDopeError: if there is neither.
        """
        rgb, depth = self._scene.rgb(im_id), self._scene.depth(im_id)
        return Observation(self._scene.camera(im_id), rgb=rgb, depth=depth)

    def cameras(self) -> Mapping[int, Pose]:
        """Of scene_camera.json."""
        found = {im_id: self._scene.world(im_id) for im_id in self.ids}
        return {im_id: T for im_id, T in found.items() if T is not None}


def _numbered_entries(path: Path) -> dict[int, Any]:
    """Entries of a JSON file whose keys are all numbers; none of any other file."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return {}
    data = read_json(path, "camera")
    if not isinstance(data, dict) or not data or not all(str(key).isdecimal() for key in data):
        return {}
    return {int(key): entry for key, entry in data.items()}
