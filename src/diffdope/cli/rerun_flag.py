"""`--rerun FILE.rrd` of the commands that find poses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from diffdope.errors import expected
from diffdope.pipelines.result import RefinementResult
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation


@dataclass(frozen=True, kw_only=True)
class RerunFlag:
    """The flag; a command's arguments are a subclass."""

    rerun: Path | None = None
    """Recording for the viewer of rerun (needs diffdope[rerun]): images, mesh, poses, confidence, covariance; see
    docs/rerun.md."""

    def check_rerun(self) -> None:
        """Refuses, before any work, a recording that cannot be written.

        Raises:
            DiffDopeError: if rerun is not installed, the file does not end with .rrd, or its folder is missing.
        """
        if self.rerun is None:
            return
        from diffdope.viz.rerun_parts import check_rerun

        check_rerun()
        if self.rerun.suffix.lower() != ".rrd":
            raise expected("rerun", "a file that ends with .rrd", self.rerun)
        if self.rerun.is_dir() or not self.rerun.absolute().parent.is_dir():
            got = "a folder" if self.rerun.is_dir() else f"none at {self.rerun.absolute().parent}"
            raise expected("rerun", "a file in a folder that is there", got)

    def write_rerun(
        self, mesh: Mesh, observation: Observation, result: RefinementResult, *, label: int | None = None
    ) -> None:
        """Writes the recording of a refinement, where one was asked for.

        Args:
            mesh: of the object.
            observation: the images.
            result: of the refinement.
            label: of one of several instances: it becomes a part of the file's name.
        """
        if self.rerun is None:
            return
        from diffdope.viz.rerun_file import write_refinement

        path = self.rerun if label is None else self.rerun.with_stem(f"{self.rerun.stem}_{label}")
        write_refinement(path, mesh, observation, result)
