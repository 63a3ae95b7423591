"""Primitives have the size, the tessellation and exactly the symmetries that they claim."""

import numpy as np
import pytest

from diffdope.bop.metrics import PosePairs, rotation_translation_errors
from diffdope.experiments import shapes
from diffdope.experiments.shapes import Primitive, blob, cube_rotations, half_turns, primitives, subdivided
from diffdope.geometry import so3
from diffdope.geometry.perturb import random_rotation
from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh

ALL = primitives()


def volume(mesh: Mesh) -> float:
    """By the divergence theorem; positive only if closed and wound outwards."""
    a, b, c = np.moveaxis(mesh.vertices_m[mesh.faces], 1, 0)
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6.0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sphere", 4 / 3 * np.pi * 0.045**3),
        ("cylinder", np.pi * 0.033**2 * 0.1),
        ("box", 0.05 * 0.075 * 0.1),
        ("cube", 0.07**3),
    ],
)
def test_primitives_are_closed_and_of_their_size(name: str, expected: float) -> None:
    mesh = ALL[name].mesh
    assert mesh.is_closed
    assert volume(mesh) == pytest.approx(expected, rel=0.01)


def paint_of(name: str) -> shapes.Paint:
    return {
        "sphere": shapes.plain, "cylinder": shapes.bands, "box": shapes.opposite_faces_alike,
        "cube": shapes.all_faces_alike, "cylinder, label": shapes.mottled, "box, label": shapes.mottled,
    }[name]  # fmt: skip


@pytest.mark.parametrize("name", list(ALL))
def test_the_colours_have_the_claimed_symmetries(name: str, rng: np.random.Generator) -> None:
    shape, points = ALL[name], rng.uniform(-0.04, 0.04, (500, 3))
    for R in shape.symmetries.R[rng.permutation(len(shape.symmetries))[:50]]:
        np.testing.assert_allclose(paint_of(name)(points @ R.T), paint_of(name)(points), atol=1e-9)


@pytest.mark.parametrize("name", ["box", "cube", "cylinder", "cylinder, label", "box, label"])
def test_the_colours_have_no_others(name: str, rng: np.random.Generator) -> None:
    """A turn that maps the shape to itself but is no symmetry changes the colours by more than noise."""
    shape, points = ALL[name], ALL[name].mesh.vertices_m
    if name == "cylinder":
        candidates = []  # whatever keeps a cylinder is a symmetry of the banded one
    elif name.startswith("cylinder"):
        candidates = [so3.exp([0.0, 0.0, 1.0]), np.diag([1.0, -1.0, -1.0])]
    else:
        candidates = list(cube_rotations() if name == "cube" else half_turns())
    for R in candidates:
        change = np.abs(paint_of(name)(points @ R.T) - paint_of(name)(points)).max()
        claimed = any(np.allclose(R, S) for S in shape.symmetries.R)
        assert claimed == (change < 0.05)


def test_the_groups_are_groups() -> None:
    for group, size in ((half_turns(), 4), (cube_rotations(), 24)):
        assert len(group) == size
        np.testing.assert_array_equal(group[0], np.eye(3))
        products = np.einsum("aij,bjk->abik", group, group).reshape(-1, 9)
        assert len(np.unique(products.round(6), axis=0)) == size


def brute_force(R_a: np.ndarray, R_b: np.ndarray, shape: Primitive) -> float:
    """The least angle over the symmetries; about z in steps of a tenth of a degree where the cylinder allows it."""
    spins = np.radians(np.arange(0, 360, 0.1)) if shape.name == "cylinder" else np.zeros(1)
    flips = half_turns()[:2] if shape.name == "cylinder" else shape.symmetries.R
    free = so3.exp(np.stack([np.zeros_like(spins), np.zeros_like(spins), spins], axis=1))
    turned = np.einsum("ij,sjk,nkl->snil", R_b, flips, free).reshape(-1, 3, 3)
    return float(np.linalg.norm(so3.log(turned @ R_a.T), axis=1).min())


@pytest.mark.parametrize("name", ["cylinder", "box", "cube", "box, label"])
def test_errors_modulo_the_symmetries_are_the_least_over_them(name: str, rng: np.random.Generator) -> None:
    for _ in range(10):
        a, b = (Pose(random_rotation(rng), np.zeros(3)) for _ in range(2))
        angle, _ = rotation_translation_errors(PosePairs.of([a], [b]), ALL[name].symmetries)
        assert angle[0] == pytest.approx(brute_force(a.R_m2c, b.R_m2c, ALL[name]), abs=2e-6)


def test_a_sphere_has_no_rotation_error(rng: np.random.Generator) -> None:
    a, b = (Pose(random_rotation(rng), np.zeros(3)) for _ in range(2))
    angle, _ = rotation_translation_errors(PosePairs.of([a], [b]), ALL["sphere"].symmetries)
    assert angle[0] == pytest.approx(0.0, abs=1e-9)


def test_blobs_of_all_tessellations_share_one_surface() -> None:
    coarse, fine = blob(2), blob(4)
    assert (len(coarse.faces), len(fine.faces)) == (320, 5120)
    # subdivision keeps the old vertices in front
    np.testing.assert_allclose(fine.vertices_m[: len(coarse.vertices_m)], coarse.vertices_m, atol=1e-12)
    assert coarse.colors is not None and fine.colors is not None
    np.testing.assert_allclose(fine.colors[: len(coarse.colors)], coarse.colors, atol=1e-12)


def test_subdivision_changes_neither_surface_nor_texture() -> None:
    square = Mesh(
        np.array([[0.0, 0, 0], [0.1, 0, 0], [0.1, 0.1, 0], [0, 0.1, 0]]),
        np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32),
        uv=np.array([[0.0, 1], [1, 1], [1, 0], [0, 0]]),
        texture=np.zeros((4, 4, 3), np.uint8),
    )
    fine = subdivided(square, 2)
    assert len(fine.faces) == 32
    corners = fine.vertices_m[fine.faces]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    np.testing.assert_allclose(areas, 0.01 / 32)
    assert fine.uv is not None
    np.testing.assert_allclose(fine.uv, np.stack([10 * fine.vertices_m[:, 0], 1 - 10 * fine.vertices_m[:, 1]], axis=1))
