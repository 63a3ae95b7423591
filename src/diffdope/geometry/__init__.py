"""Rotations, poses, cameras and crops."""

from diffdope.geometry.camera import Camera, load_camera
from diffdope.geometry.crop import CropWindow, choose_crop
from diffdope.geometry.pose import Pose

__all__ = ["Camera", "CropWindow", "Pose", "choose_crop", "load_camera"]
