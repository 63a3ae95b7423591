"""`diffdope.torch` against central differences of the float64 reference, through several parametrisations."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError
from diffdope.geometry.so3 import hat, matrix_from_wxyz, wxyz_from_matrix
from tests.oracle.differences import central_difference
from tests.oracle.kernels import renderer_of
from tests.oracle.scenes import Scene, random_scene

try:
    import torch

    import diffdope.torch as dt
except ImportError:
    torch = None  # type: ignore[assignment]

needs_torch = pytest.mark.skipif(torch is None, reason="torch is not installed (extra diffdope[torch])")

Array = NDArray[np.float64]
# icosphere, box of cells, torus, sheet, soup: textured and with vertex colours
SEEDS = (1, 4, 5, 8, 10, 12, 15, 16, 19, 21)

# So small that hardly any crossing of a pixel centre or of a texel's border falls within it.
STEP = 1e-8


def leaf(values: Any, dtype: Any = None) -> Any:
    return torch.tensor(values, dtype=dtype or torch.float64, requires_grad=True)


def targets(scene: Scene) -> tuple[Array, Array, Array]:
    """rgb, depth and coverage from the true pose."""
    seen = scene.images(scene.R_true, scene.t_true)
    return seen.P, seen.depth, seen.A


def squares(rgb: Any, depth: Any, coverage: Any, target: tuple[Any, Any, Any], length: float) -> Any:
    """Smooth losses (rgb, depth, coverage) of numpy arrays or tensors; depth where the target is covered."""
    both = (coverage > 0.0) & (target[2] > 0.0)
    return (
        ((rgb - target[0]) ** 2).mean(),
        ((((depth - target[1]) / length) ** 2) * both).mean(),
        ((coverage - target[2]) ** 2).mean(),
    )


def torch_losses(scene: Scene, R: Any, t: Any) -> tuple[Any, Any, Any]:
    images = dt.render(renderer_of(scene), R[None], t[None])
    target = tuple(torch.from_numpy(np.ascontiguousarray(image)) for image in targets(scene))
    return squares(images.rgb[0], images.depth[0], images.coverage[0], target, scene.length)  # type: ignore[arg-type]


def reference_losses(scene: Scene, target: tuple[Array, Array, Array], R: Array, t: Array) -> Array:
    seen = scene.images(R, t)
    return np.array(squares(seen.P, seen.depth, seen.A, target, scene.length))


def along_tangent(R: Array, by_R: Array, by_t: Array) -> Array:
    """(6,) derivative in (rho, phi) that a matrix gradient stands for."""
    turns = [float(np.sum(by_R * (hat(axis) @ R))) for axis in np.eye(3)]
    return np.concatenate([by_t, turns])


def quaternion_matrix(q_wxyz: Any) -> Any:
    w, x, y, z = q_wxyz / q_wxyz.norm()
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return torch.stack([torch.stack(row) for row in rows])


def columns_matrix(columns: Any) -> Any:
    """The 6D parametrisation: two vectors, orthonormalised."""
    a = columns[0] / columns[0].norm()
    b = columns[1] - (a @ columns[1]) * a
    b = b / b.norm()
    return torch.stack([a, b, torch.linalg.cross(a, b)], dim=1)


def agreement(gradient: Array, expected: Array) -> tuple[float, float]:
    """(cosine, relative error)."""
    size = np.linalg.norm(expected)
    cosine = gradient @ expected / (np.linalg.norm(gradient) * size)
    return float(cosine), float(np.linalg.norm(gradient - expected) / size)


@pytest.fixture
def scene() -> Scene:
    return random_scene(4)


@needs_torch
@pytest.mark.parametrize("which", [0, 1, 2], ids=["rgb", "depth", "coverage"])
def test_gradient_agrees_with_central_differences(which: int) -> None:
    results = []
    for seed in SEEDS:
        scene = random_scene(seed)
        R, t = leaf(scene.R), leaf(scene.t)
        torch_losses(scene, R, t)[which].backward()
        gradient = along_tangent(scene.R, R.grad.numpy(), t.grad.numpy())
        target = targets(scene)

        def loss(R: Array, t: Array, scene: Scene = scene, target: tuple[Array, Array, Array] = target) -> float:
            return float(reference_losses(scene, target, R, t)[which])

        results.append(agreement(gradient, central_difference(loss, scene.R, scene.t, STEP)))
    cosines, errors = np.transpose(results)
    assert np.median(cosines) > 0.9999
    assert np.median(errors) < 0.005
    assert cosines.min() > 0.99


@needs_torch
def test_values_are_those_of_the_renderer(scene: Scene) -> None:
    renderer = renderer_of(scene)
    R, t = np.stack([scene.R, scene.R_true]), np.stack([scene.t, scene.t_true])
    expected = renderer.render(R, t)
    got = dt.render(renderer, torch.from_numpy(R), torch.from_numpy(t))
    for name in ("rgb", "depth", "coverage"):
        np.testing.assert_array_equal(getattr(got, name).numpy(), getattr(expected, name))


@needs_torch
def test_gradient_is_that_of_backward_and_the_smallest_such_matrix(scene: Scene) -> None:
    renderer = renderer_of(scene)
    R, t = leaf(scene.R[None]), leaf(scene.t[None])
    images = dt.render(renderer, R, t)
    (images.rgb.sum() + 3.0 * images.depth.sum() - 2.0 * images.coverage.sum()).backward()
    ones = np.ones(images.coverage.shape)
    tangent = renderer.backward(
        scene.R, scene.t, d_rgb=np.ones(images.rgb.shape), d_depth=3.0 * ones, d_coverage=-2.0 * ones
    )[0]
    by_R = R.grad[0].numpy()
    np.testing.assert_allclose(along_tangent(scene.R, by_R, t.grad[0].numpy()), tangent, rtol=1e-12)
    # Nothing of it points off SO(3): by_R R^T is skew.
    off = by_R @ scene.R.T
    np.testing.assert_allclose(off, -off.T, atol=1e-9 * np.abs(off).max())


@needs_torch
@pytest.mark.parametrize("seed", SEEDS[:4])
def test_gradient_through_a_quaternion_that_is_not_of_unit_length(seed: int) -> None:
    scene = random_scene(seed)
    q0, target = 1.7 * wxyz_from_matrix(scene.R), targets(scene)
    q = leaf(q0)
    losses = torch_losses(scene, quaternion_matrix(q), leaf(scene.t))
    (losses[0] + losses[1] + losses[2]).backward()

    def loss(q_wxyz: Array) -> float:
        return float(reference_losses(scene, target, matrix_from_wxyz(q_wxyz), scene.t).sum())

    steps = STEP * np.eye(4)
    expected = np.array([(loss(q0 + step) - loss(q0 - step)) / (2.0 * STEP) for step in steps])
    cosine, error = agreement(q.grad.numpy(), expected)
    assert cosine > 0.999
    assert error < 0.05  # the mip level's own motion, as in tests/render/test_renderer.py
    assert abs(q.grad.numpy() @ q0) < 1e-6 * np.linalg.norm(q.grad.numpy())  # length does not matter


@needs_torch
@pytest.mark.parametrize("parametrisation", ["axis_angle", "6d", "quaternion"])
def test_every_parametrisation_gives_the_same_step_on_so3(
    parametrisation: str, scene: Scene, rng: np.random.Generator
) -> None:
    """d loss / d parameters, contracted with a change of them, is g_phi . phi of the turn that the change makes."""
    R0 = torch.from_numpy(scene.R)
    start, matrix = parametrisations(R0)[parametrisation]
    change = torch.from_numpy(rng.normal(size=tuple(start.shape)))
    parameters = start.clone().requires_grad_(True)
    loss = torch_losses(scene, matrix(parameters), torch.from_numpy(scene.t))[0]
    (gradient,) = torch.autograd.grad(loss, parameters)

    direct = leaf(scene.R)
    (by_R,) = torch.autograd.grad(torch_losses(scene, direct, torch.from_numpy(scene.t))[0], direct)
    tangent = along_tangent(scene.R, by_R.numpy(), np.zeros(3))[3:]
    _, turned = torch.autograd.functional.jvp(matrix, start, change)
    skew = turned.numpy() @ scene.R.T
    phi = np.array([skew[2, 1], skew[0, 2], skew[1, 0]])
    assert float((gradient * change).sum()) == pytest.approx(float(tangent @ phi), rel=1e-6)


def parametrisations(R0: Any) -> dict[str, tuple[Any, Callable[[Any], Any]]]:
    """Start and map to a matrix; all of them start at R0."""

    def axis_angle(phi: Any) -> Any:
        zero = torch.zeros_like(phi[0])
        rows = [[zero, -phi[2], phi[1]], [phi[2], zero, -phi[0]], [-phi[1], phi[0], zero]]
        return torch.linalg.matrix_exp(torch.stack([torch.stack(row) for row in rows])) @ R0

    return {
        "axis_angle": (torch.zeros(3, dtype=torch.float64), axis_angle),
        "6d": (2.5 * R0[:, :2].T.contiguous(), columns_matrix),
        "quaternion": (0.3 * torch.from_numpy(wxyz_from_matrix(R0.numpy())), quaternion_matrix),
    }


@needs_torch
def test_hypotheses_are_independent(scene: Scene) -> None:
    renderer = renderer_of(scene)
    R, t = leaf(np.stack([scene.R, scene.R_true])), leaf(np.stack([scene.t, scene.t_true]))
    dt.render(renderer, R, t).rgb[0].square().sum().backward()
    assert R.grad[0].abs().max() > 0.0
    assert R.grad[1].abs().max() == 0.0
    assert t.grad[1].abs().max() == 0.0


@needs_torch
@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64"])
def test_every_floating_type(name: str, scene: Scene) -> None:
    dtype = getattr(torch, name)
    R, t = leaf(scene.R, dtype), leaf(scene.t, dtype)
    images = dt.render(renderer_of(scene), R[None], t[None])
    assert {image.dtype for image in images} == {dtype}
    images.coverage.float().square().sum().backward()
    assert R.grad.dtype == t.grad.dtype == dtype
    assert torch.isfinite(R.grad).all()
    assert t.grad.abs().max() > 0.0


@needs_torch
def test_only_what_is_asked_for_gets_a_gradient(scene: Scene) -> None:
    t = leaf(scene.t[None])
    images = dt.render(renderer_of(scene), torch.from_numpy(scene.R[None]), t)
    images.depth.sum().backward()
    assert t.grad.abs().max() > 0.0
    still = dt.render(renderer_of(scene), torch.from_numpy(scene.R[None]), t.detach())
    assert not still.rgb.requires_grad


@needs_torch
def test_second_derivatives_are_refused(scene: Scene) -> None:
    R, t = leaf(scene.R[None]), leaf(scene.t[None])
    loss = dt.render(renderer_of(scene), R, t).rgb.square().sum()
    (first,) = torch.autograd.grad(loss, t, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


@needs_torch
def test_adam_finds_the_pose_by_a_loss_of_its_own() -> None:
    scene = random_scene(5)  # a torus with a texture
    renderer, target = renderer_of(scene), targets(scene)
    q, shift = leaf(wxyz_from_matrix(scene.R), torch.float32), leaf(np.zeros(3), torch.float32)
    start = torch.tensor(scene.t, dtype=torch.float32)
    wanted = torch.from_numpy(np.concatenate([target[0], target[2][..., None]], axis=-1)).float()
    optimizer = torch.optim.Adam([q, shift], lr=0.01)
    losses = []
    for _ in range(80):
        images = dt.render(renderer, quaternion_matrix(q)[None], (start + scene.length * shift)[None])
        got = torch.cat([images.rgb[0], images.coverage[0][..., None]], dim=-1)
        loss = torch.nn.functional.smooth_l1_loss(got, wanted, beta=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert min(losses) < 0.05 * losses[0]


def bad(**changes: Any) -> tuple[Any, Any]:
    R, t = torch.eye(3)[None], torch.tensor([[0.0, 0.0, 0.5]])
    return changes.get("R", R), changes.get("t", t)


@needs_torch
def test_errors_say_what_to_do(scene: Scene) -> None:
    renderer = renderer_of(scene)
    mirrored = torch.diag(torch.tensor([1.0, 1.0, -1.0]))[None]
    cases = [
        (bad(R=np.eye(3)[None]), r"R_m2c: expected a torch tensor, got ndarray; torch.as_tensor"),
        (bad(R=torch.eye(3, dtype=torch.int64)[None]), r"R_m2c: expected a tensor of a floating type, got torch.int64"),
        (bad(R=torch.eye(3)), r"R_m2c: expected shape \(B, 3, 3\), got \(3, 3\); add the batch axis"),
        (bad(R=torch.eye(4)[None]), r"R_m2c: expected shape \(any, 3, 3\), got \(1, 4, 4\)"),
        (bad(t=torch.zeros(2, 3)), r"R_m2c: expected shape \(2, 3, 3\), got \(1, 3, 3\)"),
        (bad(R=2.0 * torch.eye(3)[None]), r"R_m2c: expected rotations, .* differs from 1 by 3; normalise"),
        (bad(R=mirrored), r"R_m2c: expected rotations \(determinant \+1\), got a reflection"),
        (bad(t=torch.tensor([[0.0, 0.0, float("nan")]])), r"t_m2c: expected finite numbers, got 1 of 3"),
        (bad(t=torch.zeros(1, 3, device="meta")), r"t_m2c: expected a tensor on cpu, as R_m2c, got meta"),
    ]
    for arguments, message in cases:
        with pytest.raises(DiffDopeError, match=message):
            dt.render(renderer, *arguments)


@needs_torch
def test_a_loss_with_an_infinite_gradient_is_named(scene: Scene) -> None:
    R, t = leaf(scene.R[None]), leaf(scene.t[None])
    images = dt.render(renderer_of(scene), R, t)
    with pytest.raises(DiffDopeError, match=r"d_depth: expected finite numbers"):
        images.depth.sqrt().sum().backward()  # infinite slope at 0, where nothing is drawn


def test_without_torch_the_import_names_the_cure() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "try:\n    import diffdope.torch\n"
        "except ImportError as error:\n    print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.startswith("ImportError diffdope.torch: expected PyTorch, got")
    assert 'pip install "diffdope[torch]"' in done.stdout


def test_nothing_else_imports_torch() -> None:
    code = "import sys, diffdope as dd; dd.refine, dd.Refiner; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
