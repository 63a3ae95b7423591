"""VSD by hand on images of 4 x 4 pixels, the depth it is made from against rays cast one by one, and crops."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.bop.metrics import PosePairs
from diffdope.bop.metrics.vsd import VSD_TAUS, ray_lengths, visibility, vsd_errors
from diffdope.bop.metrics.vsd_depth import HardDepth, vsd_of_poses, window_of
from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.scene.mesh import Mesh

F64 = NDArray[np.float64]

FAR_AWAY = Camera(1e6, 1e6, 1.5, 1.5, 4, 4)  # all rays are parallel: distance is depth
CAMERA = Camera(150.0, 155.0, 40.3, 28.9, 80, 60)


# By hand


def by_hand() -> tuple[F64, F64, F64]:
    """Depths of estimate, truth and sensor; columns 0-1 are drawn in the truth, 1-2 in the estimate."""
    truth, estimate, observed = np.zeros((4, 4)), np.zeros((4, 4)), np.full((4, 4), 1.0)
    truth[:, :2] = 1.0
    estimate[:, 1:3] = [[1.0, 1.01], [1.004, 1.01], [1.02, 1.02], [1.03, 1.03]]
    observed[0, 0] = 0.0  # not measured: seen
    observed[1, 0] = 0.9  # something stands 0.1 m before the truth: hidden
    observed[3, 2] = 0.0
    return estimate, truth, observed


def test_vsd_by_hand() -> None:
    """Truth seen: column 0 but its row 1, and column 1: 7 pixels.

    Estimate seen: column 1 all, for the truth is seen there, although rows 2 and 3 lie 20 and 30 mm behind the
    measurement; column 2 in rows 0 and 1 (10 mm behind, less than 15), not row 2 (20 mm), and row 3 (not measured).
    Union: 3 + 4 + 3 = 10. In both: column 1, 4 pixels, apart by 0, 4, 20, 30 mm.
    With a diameter of 0.1 m: tau 0.05 is 5 mm: 2 wrong; 0.25 is 25 mm: 1 wrong; 0.5 is 50 mm: none.
    """
    errors = vsd_errors(*by_hand(), FAR_AWAY, 0.1, taus=[0.05, 0.25, 0.5])
    np.testing.assert_allclose(errors, [(6 + 2) / 10, (6 + 1) / 10, 6 / 10])


def test_a_difference_of_exactly_tau_is_wrong() -> None:
    one, other = np.full((4, 4), 1.0), np.full((4, 4), 1.5)
    np.testing.assert_array_equal(vsd_errors(other, one, one * 0, FAR_AWAY, 1.0, taus=[0.4, 0.5, 0.6]), [1, 1, 0])


def test_half_of_the_images_is_enough() -> None:
    """Pixels where neither is drawn change nothing: a crop gives the figure of the image, to the bit."""
    estimate, truth, observed = by_hand()
    camera = Camera(3.0, 3.0, 1.4, 1.7, 4, 4)  # strongly slanted rays
    whole = vsd_errors(estimate, truth, observed, camera, 0.1)
    crop = vsd_errors(estimate[:, :3], truth[:, :3], observed[:, :3], camera.crop(0, 0, 3, 4), 0.1)
    flipped = vsd_errors(
        *(np.ascontiguousarray(a[:, ::-1][:, 1:]) for a in (estimate, truth, observed)),
        Camera(3.0, 3.0, 3 - 1.4 - 1, 1.7, 3, 4),
        0.1,
    )
    np.testing.assert_array_equal(crop, whole)
    np.testing.assert_allclose(flipped, whole)
    assert 0 < whole[0] < 1


def test_nothing_drawn_or_no_overlap_is_all_wrong() -> None:
    nothing, left, right = np.zeros((4, 4)), np.zeros((4, 4)), np.zeros((4, 4))
    left[:, :2], right[:, 2:] = 1.0, 1.0
    for estimate, truth in ((nothing, nothing), (left, right), (left, nothing)):
        np.testing.assert_array_equal(vsd_errors(estimate, truth, nothing, FAR_AWAY, 0.1), np.ones(10))
    np.testing.assert_array_equal(vsd_errors(left, left, nothing, FAR_AWAY, 0.1), np.zeros(10))


def test_vsd_follows_its_definition_pixel_by_pixel(rng: np.random.Generator) -> None:
    camera, diameter, delta = Camera(9.0, 8.0, 3.3, 4.1, 9, 8), 0.08, 0.015

    def noisy(share: float) -> F64:
        return np.where(rng.uniform(size=(8, 9)) < share, 0.6 + 0.02 * rng.normal(size=(8, 9)), 0.0)

    estimates, truth, observed = np.stack([noisy(0.6), noisy(0.7)]), noisy(0.6), noisy(0.9)
    errors = vsd_errors(estimates, truth, observed, camera, diameter, delta_m=delta)
    for k, tau in product(range(2), range(10)):
        union = wrong = 0
        for v, u in product(range(8), range(9)):
            ray = np.linalg.norm([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, 1.0])
            e, g, s = (ray * image[v, u] for image in (estimates[k], truth, observed))
            seen_g = g > 0 and (s == 0 or g - s <= delta)
            seen_e = e > 0 and (s == 0 or e - s <= delta or seen_g)
            union += seen_g or seen_e
            wrong += (seen_g != seen_e) or (seen_g and seen_e and abs(e - g) >= VSD_TAUS[tau] * diameter)
        assert errors[k, tau] == pytest.approx(wrong / union)


def test_distance_is_along_the_ray() -> None:
    camera = Camera(3.0, 4.0, 1.0, 0.0, 5, 4)
    image = 12.0 * ray_lengths(camera)
    assert image[0, 1] == 12.0  # the principal point, an integer pixel
    assert image[0, 4] == pytest.approx(np.hypot(12, 12))  # 3 pixels off, focal length 3: x = z
    assert image[3, 1] == pytest.approx(15.0)  # 3 off, focal length 4: y = 9 at z = 12
    points = camera.back_project(np.full((4, 5), 12.0))
    np.testing.assert_allclose(image, np.linalg.norm(points, axis=2))
    np.testing.assert_array_equal(visibility(np.array([1.0, 1.0, 0.0]), np.array([0.0, 0.9, 0.0]), 0.015), [1, 0, 0])


def test_wrong_images_are_named() -> None:
    good = np.zeros((4, 4))
    with pytest.raises(DiffDopeError, match=r"truth_depth_m: expected shape \(4, 4\)"):
        vsd_errors(good, good[:3], good, FAR_AWAY, 0.1)
    with pytest.raises(DiffDopeError, match="observed_depth_m: expected finite depths"):
        vsd_errors(good, good, good - 1, FAR_AWAY, 0.1)
    with pytest.raises(DiffDopeError, match="diameter_m"):
        vsd_errors(good, good, good, FAR_AWAY, 0.0)
    with pytest.raises(DiffDopeError, match="taus"):
        vsd_errors(good, good, good, FAR_AWAY, 0.1, taus=[0.0])


# The depth of a mesh


def knot(rng: np.random.Generator) -> Mesh:
    """Triangles at random: open, hiding each other, seen from both sides and edge-on."""
    vertices_m = 0.05 * rng.normal(size=(40, 3))
    return Mesh(vertices_m, np.arange(39)[:, None] // 3 * 3 + np.array([[0, 1, 2]]), name="knot")


def box() -> Mesh:
    corners = np.array(list(product((-0.04, 0.04), (-0.03, 0.03), (-0.06, 0.06))))
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    return Mesh(corners, np.array([(q[a], q[b], q[c]) for q in quads for a, b, c in ((0, 1, 2), (0, 2, 3))]))


def cast(corners: F64, u: float, v: float, camera: Camera) -> tuple[float, bool]:
    """Depth of the nearest face on a pixel's ray (0 for none), by solving for weights; whether a border is close by."""
    ray = np.array([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, 1.0])
    # ray = sum of corners times weights: inside if none is negative, at depth 1 / (their sum)
    weights = np.linalg.solve(np.swapaxes(corners, 1, 2), np.broadcast_to(ray[:, None], (len(corners), 3, 1)))[..., 0]
    ahead = weights.sum(axis=1) > 0
    depth = 1.0 / np.where(ahead, weights.sum(axis=1), np.inf)
    close = bool((np.abs(weights).min(axis=1) * depth < 1e-3)[ahead].any())
    hit = ahead & (weights >= 0).all(axis=1)
    return (float(depth[hit].min()) if hit.any() else 0.0), close


@pytest.mark.parametrize("shape", ["box", "knot"])
def test_depth_is_where_the_ray_meets_the_surface(shape: str, rng: np.random.Generator) -> None:
    """To float64, apart from the pixels whose ray passes a border within a thousandth of the triangle."""
    mesh = box() if shape == "box" else knot(rng)
    R, t = so3.exp(np.array([0.5, -0.7, 0.2])), np.array([0.01, -0.01, 0.45])
    depth_m = HardDepth(mesh).render(R, t, CAMERA)[0]
    corners = (mesh.vertices_m @ R.T + t)[mesh.faces]
    drawn = compared = 0
    for v, u in product(range(0, CAMERA.height, 2), range(CAMERA.width)):
        wanted, close = cast(corners, u, v, CAMERA)
        if not close:
            compared += 1
            drawn += wanted > 0
            assert depth_m[v, u] == pytest.approx(wanted, abs=1e-12), (u, v)
    assert drawn > 150 and compared > 2000


def test_depth_is_not_blended_at_outlines() -> None:
    """Every depth lies on the box, also where a pixel is half covered."""
    mesh = box()
    depth_m = HardDepth(mesh).render(np.eye(3), [0.002, 0.003, 0.5], CAMERA)[0]
    # seen head-on: the front face alone, at 0.5 - 0.06
    assert set(np.unique(depth_m.round(12))) == {0.0, 0.44}


def test_poses_in_one_call_are_as_one_by_one() -> None:
    R = so3.exp(np.array([[0.1, 0.2, 0.3], [1.0, -0.5, 0.2]]))
    t = np.array([[0.0, 0, 0.4], [0.02, 0.01, 0.5]])
    model = HardDepth(box())
    both = model.render(R, t, CAMERA)
    for k in range(2):
        np.testing.assert_array_equal(both[k], model.render(R[k], t[k], CAMERA)[0])


# The window


def shifted_pair(x: float = 0.0, z: float = 0.45) -> PosePairs:
    R, t = so3.exp(np.array([0.4, 0.8, 0.1])), np.array([x, 0.0, z])
    return PosePairs(so3.exp(np.array([0.0, 0.15, 0.1])) @ R, t + np.array([0.004, 0.002, 0.005]), R, t)


@pytest.mark.parametrize("x", [0.0, 0.1, -0.12])
def test_vsd_in_the_window_is_that_of_the_image(x: float, rng: np.random.Generator) -> None:
    """Also where the border of the image cuts the object."""
    model, pair = HardDepth(box()), shifted_pair(x)
    truth = model.render(pair.R_true, pair.t_true, CAMERA)[0]
    observed = np.where(rng.uniform(size=truth.shape) < 0.8, np.where(truth > 0, truth, 0.9), 0.0)
    observed[:25] = np.where(observed[:25] > 0, 0.3, 0.0)  # something before the upper part
    estimate = model.render(pair.R_est, pair.t_est, CAMERA)[0]
    whole = vsd_errors(estimate, truth, observed, CAMERA, 0.16)
    np.testing.assert_allclose(vsd_of_poses(pair, model, observed, CAMERA, 0.16)[0], whole, atol=1e-12)
    assert 0 < whole[-1] < whole[0] <= 1


def test_window_holds_every_drawn_pixel(rng: np.random.Generator) -> None:
    mesh, pair = box(), shifted_pair(0.05)
    left, top, width, height = window_of(pair, mesh.vertices_m, CAMERA) or (0, 0, 0, 0)
    outside = np.ones((CAMERA.height, CAMERA.width), bool)
    outside[top : top + height, left : left + width] = False
    for R, t in ((pair.R_est, pair.t_est), (pair.R_true, pair.t_true)):
        assert not HardDepth(mesh).render(R, t, CAMERA)[0][outside].any()
    assert width * height < 0.6 * outside.size


def test_out_of_view_is_all_wrong() -> None:
    model, observed = HardDepth(box()), np.zeros((CAMERA.height, CAMERA.width))
    for pair in (shifted_pair(x=5.0), shifted_pair(z=-1.0)):
        assert window_of(pair, model.mesh.vertices_m, CAMERA) is None
        np.testing.assert_array_equal(vsd_of_poses(pair, model, observed, CAMERA, 0.16), np.ones((1, 10)))
    around = shifted_pair(z=0.0)  # the camera is inside: no window, and no error either
    assert window_of(around, model.mesh.vertices_m, CAMERA) == (0, 0, CAMERA.width, CAMERA.height)
    with pytest.raises(DiffDopeError, match="observed_depth_m: expected shape"):
        vsd_of_poses(shifted_pair(), model, observed[:5], CAMERA, 0.16)
