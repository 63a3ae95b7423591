"""Where does the camera stand? Three drawn pictures of an arm, no start; then what a fourth one would add.

With a robot of your own: `robot = dd.load_robot("arm.urdf")`, and masks and joint values from your cameras.

    python examples/07_camera_before_a_robot.py
"""

import numpy as np

import diffdope as dd
from diffdope.experiments.drawn_arm import drawn_arm, drawn_shot, looking_at, random_joints

rng = np.random.default_rng(2)
robot, truth = drawn_arm(), looking_at(rng)
shots = [drawn_shot(robot, truth, random_joints(robot, rng), name=f"picture {number}") for number in range(3)]

result = dd.calibrate(robot, shots)
print(f"{result.status}: {result.message}")
print("T_camera_base, p_camera = T p_base:")
print(np.round(result.T_camera_base.matrix, 4))
for picture in result.pictures:
    print(f"{picture.name}: IoU {picture.iou:.3f}, outline {picture.outline_px:.2f} px")
print(f"leave-one-out error {result.leave_one_out_mm:.2f} mm, {result.leave_one_out_deg:.3f} degrees")
best = result.suggestions[0]
values = {name: round(float(np.degrees(value))) for name, value in best.joints.items()}
print(f"a picture at {values} degrees would shrink the camera's deviation to {100 * best.gain:.0f} %")
away = 1e3 * result.T_camera_base.distance_to(truth)
print(f"off by {away:.2f} mm and {np.degrees(result.T_camera_base.angle_to(truth)):.3f} degrees")
