"""Where is the camera on the hand? Five drawn pictures of an object on the table, no start.

With a robot and an object of your own: `dd.load_robot("arm.urdf")`, `dd.Mesh.load("object.ply", unit="mm")`, and masks
and joint values from your camera.

    python examples/10_camera_on_the_hand.py
"""

import numpy as np

import diffdope as dd
from diffdope.experiments.drawn_arm import drawn_arm
from diffdope.experiments.drawn_hand import drawn_hand, drawn_target

robot, mesh = drawn_arm(), drawn_target()
shots, truth = drawn_hand(robot, 0, 5, mesh, images=("mask",))

result = dd.calibrate_eye_in_hand(mesh, shots, robot=robot)
print(f"{result.status}: {result.message}")
print("T_flange_camera, p_flange = T p_camera:")
print(np.round(result.T_flange_camera.matrix, 4))
for picture in result.pictures:
    print(f"{picture.name}: IoU {picture.iou:.3f}, alone {picture.own_mm:.2f} mm off")
print(f"leave-one-out error {result.leave_one_out_mm:.2f} mm, {result.leave_one_out_deg:.3f} degrees")
away = 1e3 * result.T_flange_camera.distance_to(truth.T_flange_camera)
print(
    f"camera off by {away:.2f} mm; object off by {1e3 * result.T_base_object.distance_to(truth.T_base_object):.2f} mm"
)

# Somebody measured the object's place, and was 20 mm off: the pictures say so.
place = truth.T_base_object
wrong = dd.Pose(place.R_m2c, place.t_m2c + np.array([0.02, 0.0, 0.0]))
told = dd.calibrate_eye_in_hand(mesh, shots, robot=robot, target=wrong)
print(f"{told.status}: {told.notes[0]}")
