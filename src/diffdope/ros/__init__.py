"""ROS without ROS: messages become images and cameras, results become messages; recordings are read and written."""
