"""What `benchmarks.peers_locate` sends to the peers' environment: locates objects by their packages, one by one.

It imports numpy and the packages of the peers alone. It first answers which of them are there. Then requests come as
JSON, a line each, and so do the answers; arrays lie in .npz files of the folder that is its argument:
`{"peer": ..., "model": NAME}` prepares an object (points (N, 3) and outward normals (N, 3), diameter, in metres), and
with `"scene": NAME` (points (N, 3) of the mask, metres in the camera's frame) it is located, which answers rotation and
translation (metres). Both answer CPU seconds of this process.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TBB_NUM_THREADS")
for _name in THREADS:
    os.environ[_name] = "1"  # before the packages are loaded

import numpy as np  # noqa: E402

Array = Any  # numpy's types of this environment are its own


def apart(points: Array, normals: Array, size: float) -> Array:
    """One point (M, 6) with its normal in each cube of a grid, float32; two where a thin wall has two sides."""
    cells = np.hstack([np.floor(points / size), np.round(normals)]).astype(np.int64)
    _, first = np.unique(cells, axis=0, return_index=True)
    return np.hstack([points, normals])[np.sort(first)].astype(np.float32)


class Icp:
    """Clouds by Open3D, and its ICP: that side of the model which faces the camera is moved onto the scene.

    The other way round, a scene that is one flat side slides on the model without a cost.

    Args:
        package: open3d.
        points: (N, 3) on the model, metres.
        normals: (N, 3), outward.
        diameter: metres.
    """

    fine, normals = 0.02, 0.06  # of the diameter: spacing of the points, radius of the normals
    to_points, to_planes = 0.1, 0.05  # farthest partners, of the diameter
    close = 0.03  # the same, of what counts as explained

    def __init__(self, package: Any, points: Array, normals: Array, diameter: float) -> None:
        self.o3d, self.of, self._diameter = package, package.pipelines.registration, diameter
        package.utility.set_verbosity_level(package.utility.VerbosityLevel.Error)
        self.model = self.cloud(points, normals)
        self._fine = self.model.voxel_down_sample(self.fine * diameter)

    def cloud(self, points: Array, normals: Array | None = None) -> Any:
        """Of points (N, 3)."""
        vectors = self.o3d.utility.Vector3dVector
        made = self.o3d.geometry.PointCloud(vectors(points))
        if normals is not None:
            made.normals = vectors(normals)
        return made

    def around(self, radius: float, most: int = 100) -> Any:
        """A search for neighbours."""
        return self.o3d.geometry.KDTreeSearchParamHybrid(radius=radius, max_nn=most)

    def seen(self, points: Array) -> Any:
        """The scene's points with normals towards the camera."""
        cloud = self.cloud(points).voxel_down_sample(self.fine * self._diameter)
        cloud.estimate_normals(self.around(self.normals * self._diameter))
        cloud.orient_normals_towards_camera_location(np.zeros(3))
        return cloud

    def refined(self, pose: Array, scene: Any) -> tuple[float, Array]:
        """How much a pose (4, 4) explains of the scene and of its own visible side, and that pose, by ICP."""
        points, normals = (np.asarray(values) for values in (self._fine.points, self._fine.normals))
        turned, moved = normals @ pose[:3, :3].T, points @ pose[:3, :3].T + pose[:3, 3]
        side = self.cloud(points[np.einsum("ij,ij->i", turned, moved) < 0.0])
        if not side.has_points():
            return 0.0, pose
        for far, how in (
            (self.to_points, self.of.TransformationEstimationPointToPoint(False)),
            (self.to_planes, self.of.TransformationEstimationPointToPlane()),
        ):
            pose = self.of.registration_icp(side, scene, far * self._diameter, pose, how).transformation
        close = self.close * self._diameter
        own = self.of.evaluate_registration(side, scene, close, pose).fitness
        whole = self.of.evaluate_registration(scene, self._fine, close, np.linalg.inv(pose)).fitness
        return own * whole, pose


class FeaturesOfOpen3D:
    """FPFH features, RANSAC over their matches, ICP; Open3D.

    Args:
        found: the packages.
        points: (N, 3) on the model, metres.
        normals: (N, 3), outward.
        diameter: metres.
    """

    packages = ("open3d",)
    voxel, feature, near = 0.05, 5.0, 1.5  # of the diameter; the others in voxels
    iterations, edges, matches = 100_000, 0.9, 3

    def __init__(self, found: dict[str, Any], points: Array, normals: Array, diameter: float) -> None:
        self._icp, self._size = Icp(found["open3d"], points, normals, diameter), self.voxel * diameter
        self._coarse, self._features = self._described(self._icp.model)

    def _described(self, cloud: Any) -> tuple[Any, Any]:
        """A coarse cloud, with normals, and its features."""
        coarse = cloud.voxel_down_sample(self._size)
        coarse.normalize_normals()
        return coarse, self._icp.of.compute_fpfh_feature(coarse, self._icp.around(self.feature * self._size))

    def locate(self, points: Array) -> Array:
        """Pose (4, 4) of the model, metres, from points (N, 3) of the scene."""
        of, near = self._icp.of, self.near * self._size
        self._icp.o3d.utility.random.seed(0)
        scene = self._icp.seen(points)
        coarse, features = self._described(scene)
        found = of.registration_ransac_based_on_feature_matching(
            self._coarse, coarse, self._features, features, False, near,
            of.TransformationEstimationPointToPoint(False), self.matches,
            [of.CorrespondenceCheckerBasedOnEdgeLength(self.edges), of.CorrespondenceCheckerBasedOnDistance(near)],
            of.RANSACConvergenceCriteria(self.iterations, 1.0),
        )  # fmt: skip
        return self._icp.refined(found.transformation, scene)[1]


class PairsOfOpenCV:
    """Point pair features (Drost et al. 2010) of OpenCV; those of most votes refined by ICP, the best by its score.

    Args:
        found: the packages.
        points: (N, 3) on the model, metres.
        normals: (N, 3), outward.
        diameter: metres.
    """

    packages = ("cv2", "open3d")
    sampling, distance = 0.05, 0.05  # of the diameter, by the package's words
    model = 0.08  # spacing of the model's points, of the diameter: training takes minutes where many pairs are alike
    scene_step, scene_distance = 0.2, 0.05
    best = 5
    unit = 1e3  # poses are clustered within an absolute distance of `sampling`: 5 cm, were these metres

    def __init__(self, found: dict[str, Any], points: Array, normals: Array, diameter: float) -> None:
        self._icp = Icp(found["open3d"], points, normals, diameter)
        found["cv2"].setNumThreads(1)
        model = apart(points * self.unit, normals, self.model * diameter * self.unit)
        self._detector = found["cv2"].ppf_match_3d.PPF3DDetector(self.sampling, self.distance)
        self._detector.trainModel(model)

    def locate(self, points: Array) -> Array:
        """Pose (4, 4) of the model, metres, from points (N, 3) of the scene."""
        scene = self._icp.seen(points)
        both = np.hstack([np.asarray(scene.points) * self.unit, np.asarray(scene.normals)]).astype(np.float32)
        voted = self._detector.match(both, self.scene_step, self.scene_distance)[: self.best]
        refined = [self._icp.refined(self._in_metres(one.pose), scene) for one in voted]
        return max(refined, key=lambda one: one[0])[1] if refined else np.eye(4)

    def _in_metres(self, pose: Array) -> Array:
        pose = np.array(pose)
        pose[:3, 3] /= self.unit
        return pose


PEERS: dict[str, Any] = {"open3d": FeaturesOfOpen3D, "opencv": PairsOfOpenCV}


def packages() -> tuple[dict[str, Any], dict[str, str]]:
    """The modules that are there, and what is the matter with the others."""
    found, missing = {}, {}
    for name in dict.fromkeys(name for peer in PEERS.values() for name in peer.packages):
        try:
            module = importlib.import_module(name)
        except (ImportError, OSError) as error:
            missing[name] = f"{type(error).__name__}: {error}"
            continue
        if name == "cv2" and not hasattr(module, "ppf_match_3d"):
            missing[name] = "it has no ppf_match_3d: install opencv-contrib-python"
        else:
            found[name] = module
    return found, missing


def serve(folder: Path, answers: TextIO) -> None:
    """Answers requests until there are no more."""

    def say(**answer: Any) -> None:
        print(json.dumps(answer), file=answers, flush=True)

    found, missing = packages()
    versions = {name: str(module.__version__) for name, module in found.items()}
    say(found=versions, missing=missing, needs={name: peer.packages for name, peer in PEERS.items()})
    made: dict[tuple[str, str], Any] = {}
    for line in sys.stdin:
        request = json.loads(line)
        peer, key = request["peer"], (request["peer"], request["model"])
        with np.load(folder / f"{request.get('scene', request['model'])}.npz") as file:
            given = {name: file[name] for name in file.files}
        began = time.process_time()
        if "scene" not in request:
            given["diameter"] = float(given["diameter"])
            made[key] = PEERS[peer](found, **given)
            say(cpu=time.process_time() - began)
        else:
            pose = np.asarray(made[key].locate(given["points"]))
            say(cpu=time.process_time() - began, R=pose[:3, :3].tolist(), t=pose[:3, 3].tolist())


if __name__ == "__main__":
    with os.fdopen(os.dup(1), "w") as private:  # what the packages print goes to the errors
        os.dup2(2, 1)
        serve(Path(sys.argv[1]), private)
