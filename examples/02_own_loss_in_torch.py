"""Refines a pose by a loss that diffdope does not have: how alike two pictures are, whatever the light.

    pip install "diffdope[torch]"
    python examples/02_own_loss_in_torch.py

`diffdope.torch.render` makes pictures of poses, and PyTorch differentiates whatever you compute from them. Here that
is the local correlation of brightness: each small window of both pictures is shifted and scaled to mean 0 and
variance 1 before they are compared. So a shadow, a lamp or another camera's exposure does no harm. Depth is not used.
"""

import importlib.util
import json
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np

if not importlib.util.find_spec("torch"):
    sys.exit('torch is not installed; pip install "diffdope[torch]"')

import torch
from torch.nn.functional import avg_pool2d

import diffdope as dd
import diffdope.torch
from diffdope.geometry.crop import choose_crop

folder = Path(str(files("diffdope"))) / "data" / "demo"
mesh = dd.Mesh.load(folder / "object.ply", unit="mm")
observation = dd.Observation.load(folder / "camera.json", rgb=folder / "rgb.png", mask=folder / "mask.png")
start, truth = (
    dd.Pose.from_bop(entry["cam_R_m2c"], entry["cam_t_m2c"])
    for entry in (json.loads((folder / name).read_text()) for name in ("init.json", "truth.json"))
)

# Only the part of the picture around the object matters: a window around the mask, at most 160 pixels large.
box = observation.mask_box
assert box is not None
crop = observation.crop(choose_crop([box], observation.camera, margin=0.3, max_size=160))
assert crop.rgb is not None and crop.mask is not None  # None where an observation has no such image
picture = torch.tensor(crop.rgb.mean(axis=-1))
mask = torch.tensor(crop.mask)
renderer = dd.Renderer(mesh, crop.camera)


def whiten(image: torch.Tensor, size: int = 9) -> torch.Tensor:
    """Mean 0 and variance 1 in the window around each pixel; (B, H, W)."""

    def mean(x: torch.Tensor) -> torch.Tensor:
        return avg_pool2d(x[:, None], size, stride=1, padding=size // 2, count_include_pad=False)[:, 0]

    middle = mean(image)
    variance = mean((image - middle) ** 2)
    return (image - middle) / (variance + 1e-3).sqrt()


def loss_of(rgb: torch.Tensor, coverage: torch.Tensor) -> torch.Tensor:
    """One number per pose (B,)."""
    # Set into the photograph, so that the object's outline has the right surroundings.
    composed = rgb.mean(dim=-1) + (1 - coverage) * picture
    unlike = ((whiten(composed) - whiten(picture[None])) ** 2 * mask).sum(dim=(1, 2)) / mask.sum()
    # Uncovered pixels show the photograph itself and so are no different; the mask pays for that.
    outline = ((coverage - mask) ** 2).sum(dim=(1, 2)) / mask.sum()
    return unlike + 5 * outline


# What is optimised: a turn about the start pose (axis times angle), and a shift in units of the object's size, so that
# one step size fits both.
turn = torch.zeros(3, requires_grad=True)
shift = torch.zeros(3, requires_grad=True)
R_start, t_start = (torch.tensor(values, dtype=torch.float32) for values in (start.R_m2c, start.t_m2c))


def pose_now() -> tuple[torch.Tensor, torch.Tensor]:
    """R (1, 3, 3) and t (1, 3), as functions of what is optimised."""
    cross = torch.zeros(3, 3)
    cross[[2, 0, 1], [1, 2, 0]] = turn
    rotation = torch.linalg.matrix_exp(cross - cross.T)
    return (rotation @ R_start)[None], (t_start + mesh.diameter * shift)[None]


def report(step: int, loss: float) -> None:
    R, t = (values.detach().double().numpy()[0] for values in pose_now())
    pose = dd.Pose(R, t)
    degrees, millimetres = np.degrees(pose.angle_to(truth)), 1e3 * pose.distance_to(truth)
    print(f"step {step:3d}: loss {loss:.4f}, {degrees:5.2f} degrees and {millimetres:5.2f} mm from the truth")


steps = 150
optimizer = torch.optim.Adam([turn, shift], lr=0.02)
schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.05 ** (1 / steps))
for step in range(steps + 1):
    images = diffdope.torch.render(renderer, *pose_now())
    loss = loss_of(images.rgb, images.coverage).sum()
    if step % 25 == 0:
        report(step, loss.item())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
