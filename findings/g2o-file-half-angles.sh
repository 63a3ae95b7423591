#!/usr/bin/env bash
# gtsam 4.3.0, g2opy 2.3.0 and graphslam 0.0.17: rotations of a .g2o file weigh four times as much to GTSAM.
#
# EDGE_SE3:QUAT of a pose graph has a relative pose and 21 numbers, its information matrix, inverse of a covariance.
# g2o's error of a pose is its translation and the vector part of its quaternion, which is half the angle; a file that
# g2o, or a SLAM that uses it, writes has weights for that. graphslam reads it so. GTSAM's readG2o brings rotations to
# the front, as it has them, and applies the numbers to the angle: of one edge that is 0.1 rad off with a weight of
# 400, 0.999 becomes 4.0; of translations all three say the same. With both sets of weights in one graph, the answer is
# another: poses around a circle, closed by an edge that is some cm off, lie up to 2 cm apart between g2o's and GTSAM's
# optimum of one file. With the weights of the rotations divided by 4 for GTSAM alone, they agree to 0.01 mm. Nor does
# GTSAM's writeG2o take it back, so that a file which went through GTSAM means something else to g2o. Fails if any of
# this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  gtsam==4.3.0 g2opy==2.3.0 graphslam==0.0.17 scipy==1.17.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from pathlib import Path

import g2opy
import gtsam
import numpy as np
from graphslam.graph import Graph
from scipy.spatial.transform import Rotation

print(*(f"{name} {version(name)}" for name in ("gtsam", "g2opy", "graphslam")), sep=", ")
NOT_TURNED, NOWHERE = Rotation.identity(), np.zeros(3)
NUMBER = 12


def vertex(k, rotation, place):
    return f"VERTEX_SE3:QUAT {k} {' '.join(f'{x:.12g}' for x in (*place, *rotation.as_quat()))}\n"


def edge(i, j, rotation, place, weights):
    """One edge whose information is diagonal, weights of x, y, z and of the rotation about them."""
    pose = " ".join(f"{x:.12g}" for x in (*place, *rotation.as_quat()))
    upper = " ".join(f"{np.diag(weights)[k, m]:.12g}" for k in range(6) for m in range(k, 6))
    return f"EDGE_SE3:QUAT {i} {j} {pose} {upper}\n"


def read_by_g2o(path):
    optimizer = g2opy.SparseOptimizer()
    solver = g2opy.BlockSolverSE3(g2opy.LinearSolverEigenSE3())
    optimizer.set_algorithm(g2opy.OptimizationAlgorithmLevenberg(solver))
    assert optimizer.load(path)
    return optimizer


def chi_squared(path):
    graph, values = gtsam.readG2o(path, True)
    (one,) = read_by_g2o(path).edges()
    one.compute_error()
    return np.array([2.0 * graph.error(values), one.chi2(), Graph.from_g2o(path).calc_chi2()])


weights = np.array([100.0, 200.0, 300.0, 400.0, 500.0, 600.0])
for k in range(6):
    off = 0.1 * np.eye(6)[k]  # metres, radians
    pose = Rotation.from_rotvec(off[3:]), off[:3]
    text = vertex(0, NOT_TURNED, NOWHERE) + vertex(1, *pose) + edge(0, 1, NOT_TURNED, NOWHERE, weights)
    Path("one.g2o").write_text(text)
    sums = chi_squared("one.g2o")
    kind = "m" if k < 3 else "rad"
    print(f"0.1 {kind}, weight {weights[k]:.0f}: GTSAM {sums[0]:.3f}, g2o {sums[1]:.3f}, graphslam {sums[2]:.3f}")
    assert np.allclose(sums[0], 0.01 * weights[k])
    assert np.allclose(sums[1:], sums[0] if k < 3 else sums[0] / 4.0, rtol=1e-3)

graph, values = gtsam.readG2o("one.g2o", True)
gtsam.writeG2o(graph, values, "again.g2o")
assert np.allclose(chi_squared("again.g2o"), sums)


def circle(path, weights):
    """Poses around a circle, by edges of which the one that closes it is some centimetres off."""
    step, ahead = Rotation.from_rotvec([0.0, 0.0, 2.0 * np.pi / NUMBER]), np.array([0.2, 0.0, 0.0])
    rotation, place, text = NOT_TURNED, NOWHERE, ""
    for k in range(NUMBER):
        text += vertex(k, rotation, place)
        place, rotation = place + rotation.apply(ahead), rotation * step
    for k in range(NUMBER - 1):
        text += edge(k, k + 1, step, ahead, weights)
    Path(path).write_text(text + edge(NUMBER - 1, 0, step, ahead + [0.05, 0.15, 0.0], weights))


def best_of_g2o(path):
    optimizer = read_by_g2o(path)
    optimizer.vertex(0).set_fixed(True)
    optimizer.initialize_optimization()
    optimizer.optimize(100)
    return np.array([optimizer.vertex(k).estimate().translation() for k in range(NUMBER)])


def best_of_gtsam(path):
    graph, values = gtsam.readG2o(path, True)
    graph.add(gtsam.PriorFactorPose3(0, gtsam.Pose3(), gtsam.noiseModel.Isotropic.Sigma(6, 1e-6)))
    best = gtsam.LevenbergMarquardtOptimizer(graph, values).optimize()
    return np.array([best.atPose3(k).translation() for k in range(NUMBER)])


for stiff, least in ((1e2, 3.0), (1e3, 15.0), (1e4, 8.0)):
    circle("circle.g2o", np.array([1e4] * 3 + [stiff] * 3))
    circle("quarter.g2o", np.array([1e4] * 3 + [stiff / 4.0] * 3))
    right = best_of_g2o("circle.g2o")
    apart, cured = (
        1e3 * np.linalg.norm(best_of_gtsam(path) - right, axis=1).max() for path in ("circle.g2o", "quarter.g2o")
    )
    print(f"weights of rotations {stiff:.0f}: {apart:.1f} mm apart; with a quarter of them {cured:.3f} mm")
    assert apart > least and cured < 0.05
print("as found: one file, two kinds of weights")
PYTHON
