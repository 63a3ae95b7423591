#!/usr/bin/env bash
# opencv-contrib-python-headless 5.0.0.93: a pose's quaternion in ppf_match_3d is that of the inverse.
#
# A Pose3D, which PPF3DDetector.match and ICP give, has `pose`, a 4 x 4 matrix from the model to the scene, and beside
# it q, t and angle, of which the help says nothing. t and angle are those of the matrix. q, in the order w x y z, is
# that of the transposed rotation: q of ROS, of a BOP file or of a robot that is filled from it is off by twice the
# angle, 70 degrees for an object that is turned by 35, at the right place. In the order x y z w it is another
# rotation, and no nearer. updatePoseQuat takes such a q, so a round trip within the class shows nothing, and a q that
# comes from elsewhere as a start for ICP is turned back. The conjugate is right. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  opencv-contrib-python-headless==5.0.0.93 scipy==1.17.1 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import cv2
import numpy as np
from scipy.spatial.transform import Rotation

cv2.setNumThreads(1)
print("opencv-contrib-python-headless", cv2.__version__)
rng = np.random.default_rng(0)


def box(low, high, count):
    """Points on the sides of a box with outward normals, (6 count, 6)."""
    low, high = np.array(low, float), np.array(high, float)
    found = []
    for axis in range(3):
        for side, sign in ((low, -1.0), (high, 1.0)):
            points, normals = rng.uniform(low, high, (count, 3)), np.zeros((count, 3))
            points[:, axis], normals[:, axis] = side[axis], sign
            found.append(np.hstack([points, normals]))
    return np.concatenate(found)


def degrees(one, other):
    return np.degrees((one.inv() * other).magnitude())


# What match gives, in millimetres: three boxes, turned by 35 degrees.
model = np.concatenate(
    [
        box((-60, -30, -20), (60, 30, 10), 60),
        box((-50, -20, 10), (-10, 10, 50), 40),
        box((20, 5, 10), (50, 25, 30), 40),
    ]
)
axis = np.array([0.5, -0.7, 0.4])
turn, place = Rotation.from_rotvec(np.radians(35.0) * axis / np.linalg.norm(axis)), np.array([20.0, -30.0, 600.0])
scene = np.hstack([turn.apply(model[:, :3]) + place, turn.apply(model[:, 3:])])
detector = cv2.ppf_match_3d.PPF3DDetector(0.05, 0.05)
detector.trainModel(model.astype(np.float32))
poses = detector.match(scene.astype(np.float32), 0.2, 0.05)[:10]
assert poses
for found in poses:
    matrix = Rotation.from_matrix(np.array(found.pose)[:3, :3])
    by_q = Rotation.from_quat(np.ravel(found.q), scalar_first=True)
    other_order = Rotation.from_quat(np.ravel(found.q))
    assert degrees(matrix, by_q.inv()) < 0.1 and np.allclose(np.ravel(found.t), np.array(found.pose)[:3, 3])
print(
    f"the last of {len(poses)} matches: its matrix is {degrees(turn, matrix):.0f} degrees from the true pose, its q "
    f"{degrees(turn, by_q):.0f} as w x y z and {degrees(turn, other_order):.0f} as x y z w"
)

worst = 0.0
for _ in range(200):
    true, t = Rotation.random(rng=rng), rng.normal(size=3)
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = true.as_matrix(), t
    pose = cv2.ppf_match_3d.Pose3D()
    pose.updatePose(T)
    found = Rotation.from_quat(np.ravel(pose.q), scalar_first=True)
    assert degrees(found, true.inv()) < 1e-3
    assert abs(pose.angle - true.magnitude()) < 1e-6 and np.allclose(np.ravel(pose.t), t)
    worst = max(worst, degrees(found, true))
    back = cv2.ppf_match_3d.Pose3D()
    back.updatePoseQuat(np.ravel(pose.q), t)
    assert np.allclose(np.array(back.pose), T, atol=1e-6)
    back.updatePoseQuat(true.as_quat(scalar_first=True), t)
    assert np.allclose(np.array(back.pose)[:3, :3], true.as_matrix().T, atol=1e-6)
print(
    f"200 random poses: q is the inverse of the rotation in all, up to {worst:.0f} degrees off; its conjugate is right"
)
print("as found: q turns backwards")
PYTHON
