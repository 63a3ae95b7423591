"""Rendering as a PyTorch function: write any loss on the images, `loss.backward()` gives the pose's gradient.

Needs the extra: `pip install "diffdope[torch]"`. The kernels run on the CPU in float32; tensors on another device are
copied there and back, tensors of another floating type are converted.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import check_shape, expected
from diffdope.geometry.so3 import hat
from diffdope.render.renderer import Renderer

try:
    import torch
    from torch import Tensor
    from torch.autograd.function import once_differentiable
except ImportError as error:
    raise ImportError(
        f'diffdope.torch: expected PyTorch, got "{error}"; install it with: pip install "diffdope[torch]"'
    ) from error

F64 = NDArray[np.float64]
_ORTHONORMAL = 1e-3  # largest entry of R R^T - 1 that is taken


class RenderedTensors(NamedTuple):
    """B renderings, of the poses' device and type.

    rgb (B, H, W, 3): antialiased, over black; composite over your own background with
    `rgb + (1 - coverage[..., None]) * it`. depth (B, H, W): metres, 0 where nothing is drawn. coverage (B, H, W):
    antialiased, 1 inside the object.
    """

    rgb: Tensor
    depth: Tensor
    coverage: Tensor


def render(renderer: Renderer, R_m2c: Tensor, t_m2c: Tensor) -> RenderedTensors:
    """Renders B poses; differentiable with respect to both arguments.

    The rotation may come from any parametrisation that stays on SO(3) (a normalised quaternion, axis-angle, 6D): its
    gradient is then exact. The gradient says nothing about motions that leave SO(3), so do not optimise the nine
    numbers of a matrix as they are.

    Args:
        renderer: of the mesh and the camera.
        R_m2c: rotations (B, 3, 3), any floating type.
        t_m2c: translations (B, 3), metres.

    Raises:
        DiffDopeError: if an argument is no floating tensor, a shape is wrong, a number is not finite, R_m2c is no
            rotation or the two are on different devices. In the backward pass, if the loss has a gradient that is
            not finite.
    """
    _check_tensor("R_m2c", R_m2c, (3, 3))
    _check_tensor("t_m2c", t_m2c, (3,))
    if R_m2c.device != t_m2c.device:
        raise expected("t_m2c", f"a tensor on {R_m2c.device}, as R_m2c", t_m2c.device)
    _check_rotation(R_m2c)
    return RenderedTensors(*_Render.apply(R_m2c, t_m2c, renderer))


class _Render(torch.autograd.Function):  # type: ignore[misc]  # torch is not a dependency, so its types are unknown
    @staticmethod
    def forward(ctx: Any, R_m2c: Tensor, t_m2c: Tensor, renderer: Renderer) -> tuple[Tensor, Tensor, Tensor]:
        ctx.renderer = renderer
        ctx.save_for_backward(R_m2c, t_m2c)
        ctx.set_materialize_grads(False)  # an image that the loss does not use has no gradient, not one of zeros
        images = renderer.render(_to_numpy(R_m2c), _to_numpy(t_m2c))
        dtype = torch.promote_types(R_m2c.dtype, t_m2c.dtype)
        rgb, depth, coverage = (
            torch.from_numpy(image).to(R_m2c.device, dtype) for image in (images.rgb, images.depth, images.coverage)
        )
        return rgb, depth, coverage

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *upstream: Tensor | None) -> tuple[Tensor, Tensor, None]:
        R_m2c, t_m2c = ctx.saved_tensors
        R = _to_numpy(R_m2c)
        d_rgb, d_depth, d_coverage = (None if d is None else _to_numpy(d) for d in upstream)
        tangent = ctx.renderer.backward(R, _to_numpy(t_m2c), d_rgb=d_rgb, d_depth=d_depth, d_coverage=d_coverage)
        by_R = torch.from_numpy(rotation_gradient(R, tangent[:, 3:]))
        by_t = torch.from_numpy(tangent[:, :3])
        return by_R.to(R_m2c.device, R_m2c.dtype), by_t.to(t_m2c.device, t_m2c.dtype), None


def rotation_gradient(R_m2c: F64, by_phi: F64) -> F64:
    """Gradient by the nine numbers of R (B, 3, 3) from the gradient by the turn phi in Exp(phi) R (B, 3).

    A turn changes R by hat(phi) R, so the matrix G sought has <G, hat(phi) R> = by_phi . phi for every phi. Since
    <hat(a), hat(b)> = 2 a . b, the smallest such matrix is hat(by_phi) R / 2.
    """
    return 0.5 * hat(by_phi) @ R_m2c


def _to_numpy(tensor: Tensor) -> F64:
    return np.asarray(tensor.detach().to("cpu", torch.float64).numpy())


def _check_tensor(name: str, tensor: Any, last: tuple[int, ...]) -> None:
    if not isinstance(tensor, Tensor):
        raise expected(name, "a torch tensor", type(tensor).__name__, "torch.as_tensor makes one of it")
    if not tensor.is_floating_point():
        raise expected(name, "a tensor of a floating type", tensor.dtype)
    shape = tuple(tensor.shape)
    if shape == last:
        raise expected(name, f"shape (B, {', '.join(map(str, last))})", shape, "add the batch axis: tensor[None]")
    check_shape(name, np.broadcast_to(0.0, shape), (None, *last))


def _check_rotation(R_m2c: Tensor) -> None:
    R = _to_numpy(R_m2c)
    error = float(np.abs(R @ R.swapaxes(1, 2) - np.eye(3)).max(initial=0.0))
    if error > max(_ORTHONORMAL, 8.0 * torch.finfo(R_m2c.dtype).eps):
        cure = "normalise the quaternion, or orthonormalise the matrix, before rendering"
        raise expected("R_m2c", "rotations", f"R R^T that differs from 1 by {error:.2g}", cure)
    if (np.linalg.det(R) < 0.0).any():
        raise expected("R_m2c", "rotations (determinant +1)", "a reflection", "one axis is mirrored")
