"""Load of the service over loopback: `python -m benchmarks.service --requests 200`.

Both sides take turns in rounds: requests a second of the service at 16 clients, and of the bare `Refiner`, which
decodes the same files for each call, as the service must, or keeps one observation.

`python -m benchmarks.service --tiny --requests 10000` sends small pictures of a box of 12 triangles instead, and tells
how the memory of the service and its workers grows.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.report import processor, table
from diffdope.experiments.synthetic import SensorNoise, picture
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.geometry.solids import box
from diffdope.pipelines.refiner import Refiner
from diffdope.render.pool import available_cores
from diffdope.scene.mesh import Mesh
from diffdope.scene.packaged import packaged_example

DEMO = Path(str(files("diffdope"))) / "data" / "demo"
CLIENTS = (1, 4, 16)
PARTS = 10
SIZE_M = (0.08, 0.06, 0.04)


def main() -> None:
    """Prints p50 and p99 by clients, and the ratios."""
    import httpx

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=200, help="for each number of clients")
    parser.add_argument("--rounds", type=int, default=4, help="in which service and bare refiner take turns")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--path", choices=["locate", "refine"], default="refine")
    parser.add_argument("--workers", type=int, default=1, help="processes of the service")
    parser.add_argument("--tiny", action="store_true", help="small pictures, and memory instead of rates")
    given = parser.parse_args()
    bare = None if given.tiny else Bare(given.preset, given.path)
    command = [sys.executable, "-m", "diffdope.cli.main", "serve", "--port", "0", "--workers", str(given.workers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            line = next(line for line in server.stdout if line.startswith("listening at "))
            address = line.split()[2].rstrip(",")
            limits = httpx.Limits(max_connections=max(CLIENTS))
            with httpx.Client(base_url=address, timeout=300, limits=limits) as client:
                if bare is None:
                    grow(given, tiny_poster(client), server.pid)
                else:
                    measure(given, poster(client, given.preset, given.path), bare, server.pid)
        finally:
            server.terminate()


class Bare:
    """The refiner of this process."""

    def __init__(self, preset: str, path: str) -> None:
        self.example = packaged_example()
        self.refiner = Refiner(self.example.mesh, preset=preset)
        self.path = path

    def kept(self) -> None:
        """One call, with the observation that is there."""
        self.call(self.example.observation)

    def decoded(self) -> None:
        """One call, with files read for it, and the mesh left out of account."""
        from diffdope.io.capture import read_capture
        from diffdope.scene.observation import Observation

        images = {kind: DEMO / f"{kind}.png" for kind in ("rgb", "depth", "mask")}
        capture = read_capture(DEMO / "camera.json", **images)
        self.call(Observation(capture.camera, **capture.images))

    def call(self, observation: Any) -> None:
        if self.path == "locate":
            self.refiner.locate(observation)
        else:
            self.refiner.refine(observation, self.example.start)


def poster(client: Any, preset: str, path: str) -> Callable[[], float]:
    """Registers the mesh; what is returned sends one request and says how many seconds it took."""
    sent = [("mesh", ("o.ply", (DEMO / "object.ply").read_bytes()))]
    sent += [("beside", ("object.png", (DEMO / "object.png").read_bytes()))]
    mesh = client.post("/meshes", files=sent, data={"preset": preset}).raise_for_status().json()["id"]
    asked: dict[str, Any] = {"mesh": mesh, "camera": json.loads((DEMO / "camera.json").read_text())}
    if path == "refine":
        asked["start"] = json.loads((DEMO / "init.json").read_text())
    data = {"request": json.dumps(asked)}
    images = {kind: (f"{kind}.png", (DEMO / f"{kind}.png").read_bytes()) for kind in ("rgb", "depth", "mask")}

    def post() -> float:
        began = time.perf_counter()
        client.post(f"/{path}", data=data, files=images).raise_for_status()
        return time.perf_counter() - began

    return post


def tiny_poster(client: Any) -> Callable[[], float]:
    """The same with a picture of 96 x 72 pixels of a box of 12 triangles, drawn here."""
    sent = [("mesh", ("box.stl", box_stl()))]
    mesh = client.post("/meshes", files=sent, data={"preset": "fast", "unit": "m"}).raise_for_status().json()["id"]
    camera = Camera(96.0, 96.0, 47.5, 35.5, 96, 72)
    pose = Pose(np.eye(3), np.array([0.0, 0.0, 0.4])).retract([0, 0, 0, 0.5, 0.7, 0.1])
    drawn = picture([(Mesh(*box(SIZE_M)), pose)], np.random.default_rng(0), camera=camera, noise=SensorNoise())
    assert drawn.depth is not None and drawn.mask is not None
    start = pose.retract([0.004, -0.003, 0.005, 0.05, -0.04, 0.03]).matrix.tolist()
    asked = {"mesh": mesh, "camera": camera.K.tolist(), "depth_scale": 0.1, "start": start}
    arrays = {"depth": np.round(1e4 * drawn.depth).astype(np.uint16), "mask": np.uint8(255) * (drawn.mask > 0.5)}
    images = {kind: (f"{kind}.png", png(array)) for kind, array in arrays.items()}
    data = {"request": json.dumps(asked)}

    def post() -> float:
        began = time.perf_counter()
        client.post("/refine", data=data, files=images).raise_for_status()
        return time.perf_counter() - began

    return post


def grow(given: argparse.Namespace, post: Callable[[], float], pid: int) -> None:
    """Prints the memory of the service and its workers after every tenth of the requests."""
    part = max(given.requests // PARTS, 1)
    rows, memory, seconds = [], [], []
    for k in range(PARTS):
        took, rate = load(post, CLIENTS[-1], part)
        memory.append(tree_mb(pid))
        seconds += took
        rows.append([str((k + 1) * part), f"{memory[-1]:.1f}", f"{rate:.1f}"])
    print(f"{processor()}, {available_cores()} cores; {given.workers} worker(s), {CLIENTS[-1]} clients")
    table(["requests", "memory, MB", "requests/s"], rows)
    slope = np.polyfit(np.arange(1, PARTS), memory[1:], 1)[0] / part * 1000
    print(f"from {rows[0][0]} to {rows[-1][0]} requests: {memory[-1] - memory[0]:+.1f} MB, {slope:+.2f} MB per 1,000")
    print(f"p50 {1e3 * np.percentile(seconds, 50):.0f} ms, p99 {1e3 * np.percentile(seconds, 99):.0f} ms, none failed")


def box_stl() -> bytes:
    """A binary STL of the box."""
    vertices, faces = box(SIZE_M)
    rows = np.zeros(len(faces), np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("more", "<u2")]))
    rows["corners"] = vertices[faces]
    return bytes(80) + len(faces).to_bytes(4, "little") + rows.tobytes()


def png(array: np.ndarray) -> bytes:
    """A PNG."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def measure(given: argparse.Namespace, post: Callable[[], float], bare: Bare, pid: int) -> None:
    """Prints both tables."""
    for warm in (post, bare.kept, bare.decoded):
        warm()
    print(f"{processor()}, {available_cores()} cores; /{given.path}, preset {given.preset}")
    rows, before = [], tree_mb(pid)
    for clients in CLIENTS:
        seconds, rate = load(post, clients, given.requests)
        p50, p99 = 1e3 * np.percentile(seconds, [50, 99])
        rows.append([str(clients), f"{p50:.0f}", f"{p99:.0f}", f"{rate:.2f}"])
    table(["clients", "p50, ms", "p99, ms", "requests/s"], rows)
    count = max(given.requests // given.rounds, 1)
    own, workers = tree_cpu_s(pid)
    rates = np.array([
        [load(post, CLIENTS[-1], count)[1], repeated(bare.decoded, count), repeated(bare.kept, count)]
        for _ in range(given.rounds)
    ])  # fmt: skip
    spent = [
        1e3 * (now - then) / (count * given.rounds) for now, then in zip(tree_cpu_s(pid), (own, workers), strict=True)
    ]
    served, decoded, kept = np.median(rates, axis=0)
    table(
        ["", "requests/s (median of rounds)", "service / this"],
        [
            ["service, 16 clients", f"{served:.2f}", ""],
            ["bare, files decoded", f"{decoded:.2f}", f"{np.median(rates[:, 0] / rates[:, 1]):.2f}"],
            ["bare, observation kept", f"{kept:.2f}", f"{np.median(rates[:, 0] / rates[:, 2]):.2f}"],
        ],
    )
    alone = cpu_ms(bare.kept, count)
    print(
        f"CPU a request: {alone:.0f} ms bare, {spent[1]:.0f} ms in workers and {spent[0]:.0f} ms in the service's own "
        f"process: {alone / sum(spent):.2f} where nothing but computing limits, whoever else computes"
    )
    print(f"memory of the service and its workers: {before:.0f} MB before, {tree_mb(pid):.0f} MB after")


def load(post: Callable[[], float], clients: int, count: int) -> tuple[list[float], float]:
    """Seconds of each request, and requests a second."""
    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        seconds = list(pool.map(lambda _: post(), range(count)))
    return seconds, count / (time.perf_counter() - began)


def repeated(call: Callable[[], None], count: int) -> float:
    """Calls a second."""
    began = time.perf_counter()
    for _ in range(count):
        call()
    return count / (time.perf_counter() - began)


def cpu_ms(call: Callable[[], None], count: int) -> float:
    """Computing of all threads for one call."""
    began = time.process_time()
    for _ in range(count):
        call()
    return 1e3 * (time.process_time() - began) / count


def tree_cpu_s(pid: int) -> tuple[float, float]:
    """Seconds that a process has computed, and those of its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    pids = children.read_text().split() if children.exists() else []
    return _cpu_s(str(pid)), sum(_cpu_s(child) for child in pids)


def _cpu_s(pid: str) -> float:
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return float("nan")
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tree_mb(pid: int) -> float:
    """Memory of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    pids = children.read_text().split() if children.exists() else []
    return resident_mb(pid) + sum(resident_mb(int(child)) for child in pids)


def resident_mb(pid: int) -> float:
    """Memory of a process; NaN where the system does not tell."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmRSS")), float("nan"))


if __name__ == "__main__":
    main()
