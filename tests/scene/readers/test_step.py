"""STEP, where the package that reads it is there, and a true reason where it is not."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.scene.mesh import Mesh
from tests.scene.readers.step_box import StepBox

COLOR = (128 / 255, 51 / 255, 0.0)


def write(folder: Path, text: str, name: str = "box.step") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(("unit", "scale"), [("mm", 1e-3), ("m", 1.0), ("inch", 0.0254)])
def test_a_box_in_its_own_unit_and_axes(tmp_path: Path, unit: str, scale: float) -> None:
    pytest.importorskip("cascadio", reason="cascadio (the extra cad) is not installed")
    mesh = Mesh.load(write(tmp_path, StepBox((10, 20, 30), unit, COLOR).text(), "box.STP"))
    np.testing.assert_allclose(mesh.bounds, np.array([(0, 0, 0), (10, 20, 30)]) * scale, atol=1e-9)
    assert mesh.is_closed and len(mesh.faces) == 12
    assert mesh.colors is not None
    np.testing.assert_allclose(mesh.colors, np.tile(COLOR, (len(mesh.vertices_m), 1)), atol=0.003)


def test_another_unit_than_the_files_is_told(tmp_path: Path) -> None:
    pytest.importorskip("cascadio", reason="cascadio (the extra cad) is not installed")
    mesh = Mesh.load(write(tmp_path, StepBox((10, 20, 30), "mm", None).text()), unit="mm")
    np.testing.assert_allclose(mesh.bounds[1], [0.01, 0.02, 0.03])
    assert not mesh.has_color and mesh.warnings == ()
    mesh = Mesh.load(tmp_path / "box.step", unit="m")
    np.testing.assert_allclose(mesh.bounds[1], [0.01, 0.02, 0.03])
    assert mesh.warnings[0].startswith("the file states its unit, 0.001 m; unit='m' was not used")


def test_damaged_step(tmp_path: Path) -> None:
    pytest.importorskip("cascadio", reason="cascadio (the extra cad) is not installed")
    text = StepBox((10, 20, 30), "mm", None).text()
    with pytest.raises(DiffDopeError, match=r"mesh: (OpenCASCADE cannot read it|expected triangles).*box\.step"):
        Mesh.load(write(tmp_path, text.replace("CLOSED_SHELL", "CLOSED_SHOP")))


def test_no_step_at_all(tmp_path: Path) -> None:
    with pytest.raises(DiffDopeError, match=r"expected a STEP file, which begins with ISO-10303-21.*box\.step"):
        Mesh.load(write(tmp_path, "solid"))


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cascadio", None)
    path = write(tmp_path, StepBox((10, 20, 30), "mm", None).text())
    with pytest.raises(
        DiffDopeError, match=r'expected cascadio, which reads STEP, got none; pip install "diffdope\[cad\]", or export'
    ):
        Mesh.load(path)
