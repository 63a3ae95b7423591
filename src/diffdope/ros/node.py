"""A ROS 2 node that follows an object: `python -m diffdope.ros.node --mesh object.ply --rgb-topic /image ...`.

Needs rclpy, and the Python packages of geometry_msgs and sensor_msgs; vision_msgs and tf2_msgs where they are. What the
node does with messages is in `diffdope.ros.follower`.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from diffdope.errors import DiffDopeError, expected
from diffdope.io.poses import read_start_poses
from diffdope.pipelines.compilation.compile_ahead import compile_apart
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import preset
from diffdope.ros.bag_frames import TOLERANCE_S
from diffdope.ros.follower import Follower, FollowerSettings
from diffdope.ros.messages import DETECTIONS, POSE, TF
from diffdope.ros.stored import Topic
from diffdope.ros.topics import IMAGES, INFO, base_of, says_rectified
from diffdope.ros.write import plain_name, thing_of
from diffdope.scene.mesh import Mesh
from diffdope.scene.mesh_io import Unit, unit_of


@dataclass(frozen=True, kw_only=True)
class NodeArguments:
    """Follows a known object in the images of a camera, and publishes NAME/pose, NAME/detections and /tf."""

    mesh: Path
    """Mesh file of the object."""
    unit: Unit | None = None
    """Unit of the mesh file, or metres in one; default: its format's, mm for PLY, OBJ and STL, which state none."""
    name: str | None = None
    """Of the object: its frame, its class, and the namespace of topics; default: the mesh file's."""
    rgb_topic: str | None = None
    """Photographs; a name that ends with /compressed is that of compressed ones."""
    depth_topic: str | None = None
    """Depth aligned to them; /compressedDepth likewise."""
    depth_rectified: bool = False
    """Depth is without the lens already (librealsense's aligned_depth_to_color), while photographs show it."""
    info_topic: str | None = None
    """camera_info; default: beside the photographs."""
    mask_topic: str | None = None
    """Masks, in which the object is located at first and when it was lost."""
    init: Path | None = None
    """Pose in the first picture, in place of masks."""
    tolerance_s: float = TOLERANCE_S
    """Seconds by which images of one moment differ at most."""
    preset: str = "fast"
    """fast or default."""


class RosTypes:
    """Message classes of the ROS installation, by name."""

    def __getitem__(self, name: str) -> Callable[..., Any]:
        """The class of sensor_msgs/msg/Image and the like."""
        package, kind, message = name.split("/")
        found: Callable[..., Any] = getattr(importlib.import_module(f"{package}.{kind}"), message)
        return found

    def there(self, name: str) -> bool:
        """Whether its package is installed."""
        return find_spec(name.split("/")[0]) is not None


def topics_of(given: NodeArguments) -> dict[str, str]:
    """The images' topics by "rgb", "depth" and "mask".

    Raises:
        DiffDopeError: if there is neither rgb nor depth, or nothing to find the object by.
    """
    named = {"rgb": given.rgb_topic, "depth": given.depth_topic, "mask": given.mask_topic}
    topics = {kind: name for kind, name in named.items() if name is not None}
    if "rgb" not in topics and "depth" not in topics:
        raise expected("rgb-topic", "photographs or depth", "neither", "give --rgb-topic, --depth-topic, or both")
    if given.init is None and given.mask_topic is None:
        raise expected("init", "a pose in the first picture, or masks", "neither", "give --init or --mask-topic")
    return topics


def follower_of(given: NodeArguments, types: Any, publishes: tuple[str, ...]) -> Follower:
    """What the node does, as its arguments say."""
    topics = topics_of(given)
    mesh = Mesh.load(given.mesh, unit=unit_of(given.mesh, given.unit))
    numbers = preset(given.preset)
    numbers = replace(numbers, search=replace(numbers.search, polish=replace(numbers.search.polish, covariance=True)))
    init = None if given.init is None else read_start_poses(given.init).poses[0]
    main = next(iter(topics.values()))
    settings = FollowerSettings(
        tuple(topics),
        given.tolerance_s,
        rectified=says_rectified(Topic(main, IMAGES[0])),
        depth_rectified=given.depth_rectified or says_rectified(Topic(given.depth_topic or "", IMAGES[0])),
        init=init,
        publishes=publishes,
    )
    thing = thing_of(mesh, given.name or given.mesh.stem)
    return Follower(partial(Refiner, mesh, preset=numbers), thing, settings, types)


def info_topic_of(given: NodeArguments, topics: dict[str, str]) -> str:
    """The topic of camera_info: the one that is named, or the one beside the images."""
    beside = f"{base_of(next(iter(topics.values()))).rsplit('/', 1)[0]}/camera_info"
    return given.info_topic or beside


def make_node(given: NodeArguments) -> Any:
    """The node, with its subscriptions and publishers; rclpy must have been initialised."""
    from rclpy.node import Node
    from rclpy.qos import qos_profile_sensor_data

    types, topics = RosTypes(), topics_of(given)
    name = thing_name(given)
    outputs = {POSE: f"{name}/pose", DETECTIONS: f"{name}/detections", TF: "/tf"}
    there = tuple(kind for kind in outputs if types.there(kind))
    follower = follower_of(given, types, there)
    node = Node("diffdope")
    for kind in outputs.keys() - set(there):
        node.get_logger().warning(f"{kind.split('/')[0]} is not installed: no {outputs[kind]}")
    node.get_logger().info("loading the kernels")
    compile_apart(preset(given.preset))  # or the first picture would wait for it
    publishers = {kind: node.create_publisher(types[kind], outputs[kind], 10) for kind in there}

    def take(kind: str, message: Any) -> None:
        try:
            for made_kind, made in follower.on_image(kind, message):
                publishers[made_kind].publish(made)
        except DiffDopeError as error:  # of one image; the next one may do
            node.get_logger().error(str(error), throttle_duration_sec=5.0)

    for kind, topic in topics.items():
        message_kind = IMAGES[1] if topic.endswith(("/compressed", "/compressedDepth")) else IMAGES[0]
        node.create_subscription(types[message_kind], topic, partial(take, kind), qos_profile_sensor_data)
    node.create_subscription(types[INFO], info_topic_of(given, topics), follower.on_info, qos_profile_sensor_data)
    return node


def thing_name(given: NodeArguments) -> str:
    """The object's name as ROS allows it."""
    return plain_name(given.name or given.mesh.stem)


def main() -> int:
    """Runs the node until it is stopped; returns the exit code."""
    import tyro

    try:
        import rclpy
        from rclpy.executors import ExternalShutdownException
        from rclpy.utilities import remove_ros_args
    except ImportError as error:
        print(f"error: rclpy: expected ROS 2 for Python, got none ({error}); source its setup file", file=sys.stderr)
        return 2
    given = tyro.cli(NodeArguments, args=remove_ros_args(sys.argv)[1:], prog="python -m diffdope.ros.node")
    rclpy.init(args=sys.argv)
    try:
        node = make_node(given)
        rclpy.spin(node)
    except DiffDopeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, ExternalShutdownException):
        return 0
    finally:
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
