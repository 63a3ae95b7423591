"""Pixels of the rim as a mixture of two colours: exact, blurred pictures, contrasts of either sign."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from diffdope.experiments.shapes import grid_box, mottled, painted
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.terms.base import Rendering
from diffdope.terms.photometric_gain import PhotometricGain
from diffdope.terms.quadratic_factor import QuadraticFactor
from diffdope.terms.rim import Rims
from diffdope.terms.rim_kernel import WIDEST_PX
from tests.oracle.painted_box import dark_box

CAMERA = Camera(300.0, 300.0, 63.5, 63.5, 128, 128)
TRUTH = Pose(so3.exp(np.array([0.5, 0.3, 0.2])), np.array([0.002, -0.003, 0.45]))
LIGHT = PhotometricGain(np.array([0.8, 0.9, 1.1]), np.array([0.02, 0.0, -0.01]))
DARK, BRIGHT = 0.05, 0.95


@pytest.fixture(scope="module")
def box() -> Mesh:
    return dark_box()


def rims_beside(
    mesh: Mesh, background: float, pose: Pose, *, shadow: float = 0.0, weight: float = 0.1
) -> tuple[Rims, Rendering]:
    """Beside a drawn pose, in a photograph of the true one, in another light, blurred; and that drawing.

    shadow: share of the background's light that is missing beside the object, and less and less away from it.
    """
    fine = CAMERA.resize(3 * CAMERA.width, 3 * CAMERA.height)
    seen = Renderer(mesh, fine).render(TRUTH.R_m2c, TRUTH.t_m2c)
    covered = seen.coverage[0][..., None]
    dark = 2.0 * shadow * gaussian_filter(seen.coverage[0], 12.0)[..., None]
    rgb = LIGHT.gain * seen.rgb[0] + covered * LIGHT.bias + (1.0 - covered) * background * (1.0 - dark)
    rgb = rgb.reshape(CAMERA.height, 3, CAMERA.width, 3, 3).mean(axis=(1, 3))
    photo = np.asarray(gaussian_filter(rgb, (0.7, 0.7, 0.0)), np.float32)
    return Rims(photo, CAMERA, LIGHT, weight), Rendering.of(Renderer(mesh, CAMERA).render(pose.R_m2c, pose.t_m2c))


def factor_at(
    mesh: Mesh, background: float, pose: Pose, *, shadow: float = 0.0, reach_px: float = WIDEST_PX
) -> QuadraticFactor:
    """Of rims; see `rims_beside`."""
    rims, drawn = rims_beside(mesh, background, pose, shadow=shadow)
    factor = rims.factor(drawn, pose, reach_px)
    assert factor is not None
    return factor


def along_view_mm(factor: QuadraticFactor) -> float:
    """Where the factor has its minimum along the view."""
    return -1e3 * float(factor.slope[2] / factor.curvature[2, 2])


@pytest.mark.parametrize("background", [DARK, BRIGHT])
def test_rims_have_no_bias_whichever_side_is_brighter(box: Mesh, background: float) -> None:
    assert abs(along_view_mm(factor_at(box, background, TRUTH))) < 0.3  # a twentieth of a pixel all around


@pytest.mark.parametrize("background", [DARK, BRIGHT])
@pytest.mark.parametrize("off_mm", [-5.0, 5.0])
def test_rims_lead_back_from_a_pose_that_is_too_near_or_too_far(box: Mesh, background: float, off_mm: float) -> None:
    factor = factor_at(box, background, TRUTH.retract([0.0, 0.0, 1e-3 * off_mm, 0.0, 0.0, 0.0]))
    assert along_view_mm(factor) == pytest.approx(-off_mm, abs=1.0)


def test_a_shadow_around_the_object_moves_narrow_rims_less_than_wide_ones(box: Mesh) -> None:
    wide, narrow = (
        along_view_mm(factor_at(box, BRIGHT, TRUTH, shadow=0.4, reach_px=reach)) for reach in (WIDEST_PX, 1.0)
    )
    assert abs(wide) > 0.5
    assert abs(narrow) < 0.5 * abs(wide)  # half as much of the background is taken for what is beyond


def test_a_background_of_the_object_s_own_colours_says_little(box: Mesh) -> None:
    clear, alike = (factor_at(box, background, TRUTH).curvature[2, 2] for background in (BRIGHT, 0.4))
    assert alike < 0.3 * clear


def test_a_part_that_is_too_thin_for_a_side_of_its_own_says_nothing_across() -> None:
    across = [
        factor_at(painted("rod", *grid_box(np.array([wide, 0.1, wide]), 6), mottled), BRIGHT, TRUTH).curvature[0, 0]
        for wide in (0.004, 0.02)  # 4 and 18 pixels
    ]
    assert across[0] < 0.2 * across[1]  # what is left is that of the ends


def test_an_object_without_an_outline_has_no_rims(box: Mesh) -> None:
    pose = TRUTH.retract([1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    drawn = Rendering.of(Renderer(box, CAMERA).render(pose.R_m2c, pose.t_m2c))
    assert Rims(np.zeros((128, 128, 3), np.float32), CAMERA, LIGHT, 0.1).factor(drawn, pose) is None


def test_what_rims_know_of_a_pose_does_not_depend_on_their_weight_and_leads_to_the_same_place(box: Mesh) -> None:
    pose = TRUTH.retract([0.0, 0.0, 2e-3, 0.0, 0.0, 0.0])
    known = []
    for weight in (0.1, 1.0):
        rims, drawn = rims_beside(box, DARK, pose, weight=weight)
        factor, evidence = rims.factor(drawn, pose), rims.evidence(drawn, pose)
        assert factor is not None and evidence is not None
        assert along_view_mm(evidence.factor) == pytest.approx(along_view_mm(factor))
        known.append(evidence.factor.curvature)
    assert known[0] == pytest.approx(known[1])


def test_an_error_that_all_rims_share_moves_the_object_by_as_much_as_it_looks_larger(box: Mesh) -> None:
    rims, drawn = rims_beside(box, DARK, TRUTH)
    evidence = rims.evidence(drawn, TRUTH)
    assert evidence is not None
    nearer_m = float(evidence.pull[2] / evidence.factor.curvature[2, 2])
    radius_px = np.sqrt(float((drawn.coverage > 0.5).sum()) / np.pi)
    assert abs(nearer_m) == pytest.approx(0.05 / radius_px * TRUTH.t_m2c[2], rel=0.3)
    assert nearer_m < 0.0
