"""The flags that say what is looked at: mesh, camera and images; the same for every command that looks at one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from diffdope.io.capture import Capture, read_capture
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation


@dataclass(frozen=True, kw_only=True)
class InputFlags:
    """Mesh, camera and images, as flags; a command's arguments are a subclass. Lengths in files are millimetres."""

    mesh: Path
    """PLY, OBJ, GLB or STL."""
    camera: Path
    """JSON with BOP's scene_camera keys (cam_K, depth_scale), a camera.json, or a whole scene_camera.json."""
    rgb: Path | None = None
    """Photograph."""
    depth: Path | None = None
    """Depth image; integers times the depth scale are millimetres, 0 = missing."""
    mask: Path | None = None
    """Image that is white where the object is visible; grey counts from half on, a varying alpha channel wins."""
    mask_id: int | None = None
    """Which label of a mask that shows several objects."""
    unit: Literal["m", "mm", "cm", "inch"] = "mm"
    """Unit of the mesh file."""
    depth_scale: float | None = None
    """Millimetres per unit of the depth image; overrides the camera file."""
    image_id: int | None = None
    """Which image of a scene_camera.json."""
    allow_missing_texture: bool = False
    """Go on without colours where the mesh's texture file is missing."""

    @property
    def inputs(self) -> dict[str, str]:
        """Files and unit, as they stand beside a result."""
        names = ("mesh", "camera", "init", "rgb", "depth", "mask")
        files = {name: str(path) for name in names if (path := getattr(self, name, None)) is not None}
        return files | {"unit": self.unit}

    def load_mesh(self) -> Mesh:
        """The mesh, as the flags say."""
        return Mesh.load(self.mesh, unit=self.unit, allow_missing_texture=self.allow_missing_texture)

    def read_capture(self, *, mask_label: int | None = None) -> Capture:
        """Camera and images of the files.

        Args:
            mask_label: in place of --mask-id.
        """
        return read_capture(
            self.camera, rgb=self.rgb, depth=self.depth, mask=self.mask, depth_scale_mm=self.depth_scale,
            image_id=self.image_id, mask_label=self.mask_id if mask_label is None else mask_label,
        )  # fmt: skip

    def observation(self, **how: Any) -> Observation:
        """Camera and images as the library takes them; see `read_capture`."""
        capture = self.read_capture(**how)
        return Observation(capture.camera, **capture.images)
